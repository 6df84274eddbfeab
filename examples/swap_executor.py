"""The same job wherever you say: only the executor's name changes.

    python examples/swap_executor.py [game.mp4] [--executor local] [--out swapped.mp4]

``local`` renders in worker processes of this machine; ``mock`` renders nothing and answers as if it had, for tests.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import reelproc as rp
from reelproc.demo.match import MATCH_CLIP
from reelproc.executors import executors


def main() -> None:
    """Run the job and report."""
    parser = argparse.ArgumentParser(description="Run one job on an executor of your choice.")
    parser.add_argument("source", nargs="?", type=Path)
    parser.add_argument("--executor", choices=executors.names(), default="local")
    parser.add_argument("--out", default="swapped.mp4")
    options = parser.parse_args()
    source: Path = options.source or MATCH_CLIP

    clip = rp.Clip(source=str(source), start=1, end=3, stages=[rp.Crop(), rp.Upscale(model="area")])
    job = rp.RenderJob(reel=rp.Reel(clips=[clip]), output=options.out)
    with rp.executor(options.executor) as ex:
        print(f"on {ex.hardware.name}: {ex.hardware.cores:g} cores, {ex.hardware.memory_bytes / 2**30:.1f} GiB")
        result = ex.submit(job).result()
    print(f"{result.output}: {result.frame_count} frames, {result.width}x{result.height}, phases {result.phases}")


if __name__ == "__main__":
    main()
