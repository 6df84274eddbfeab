"""An app's backend: submit a job and answer at once, watch it, and find it again after a restart.

    python examples/backend_async.py [game.mp4] [--out backend-reel.mp4]

``start`` is what a request handler does: it returns the job's id, which is all that has to be stored. ``watch`` runs in
the background. ``ask_again`` is what another process does with a stored id: it has an executor of its own, which has
never seen the job.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import reelproc as rp
from reelproc.demo.match import MATCH_CLIP


async def start(executor: rp.Executor, source: Path, output: str) -> str:
    """Submit the job; its id comes back as soon as it is stored, long before it is done."""
    clip = rp.Clip(source=str(source), start=0, end=3, stages=[rp.Crop(), rp.Upscale(model="lanczos")])
    handle = await executor.submit_async(rp.RenderJob(reel=rp.Reel(clips=[clip]), output=output), timeout=600)
    return handle.id


async def watch(executor: rp.Executor, job_id: str) -> None:
    """Pass the job's progress on; a web socket would go where ``print`` is."""
    async for event in executor.attach(job_id).events_async():
        print({"job": job_id, "phase": event.phase, "progress": round(100 * event.fraction), "message": event.message})


async def ask_again(job_id: str) -> None:
    """Return the outcome of a job that some process submitted some time ago."""
    async with rp.executor("local") as executor:
        handle = executor.attach(job_id)
        print(f"job {job_id} is {handle.status()}")
        try:
            result = await handle.result_async(timeout=600)
        except rp.ReelprocError as error:
            print(f"failed, {'try again' if error.transient else 'trying again will not help'}: {error}")
        else:
            print(f"{result.output}: {result.frame_count} frames, {result.duration_seconds:.2f} s")


async def main() -> None:
    """One job from its request to its result."""
    parser = argparse.ArgumentParser(description="Render as an app's backend does.")
    parser.add_argument("source", nargs="?", type=Path)
    parser.add_argument("--out", default="backend-reel.mp4")
    options = parser.parse_args()
    source: Path = options.source or MATCH_CLIP

    async with rp.executor("local") as executor:
        job_id = await start(executor, source, options.out)
        watching = asyncio.create_task(watch(executor, job_id))
        print(f"accepted as {job_id}")  # the request has been answered; the server goes on serving
        await watching
    await ask_again(job_id)


if __name__ == "__main__":
    asyncio.run(main())
