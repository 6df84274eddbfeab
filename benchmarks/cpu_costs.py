"""What do a 90 s overlay and a 6 s clip with AI take on this machine's cores, and cost, beside the original's T4?

    python benchmarks/cpu_costs.py [--seconds 90] [--ai-frames 6] [--original-seconds 10]

The overlay is rendered once, whole, every frame highlighted and encoded. Of the clip with AI (540x960 to 810x1440) a
few frames are rendered; its 180 are extrapolated, and labelled so. The original's own programs, written anew, run
beside ours, the overlay for less long (its frames all cost the same), and are extrapolated too.

Costs are this machine's seconds at Modal's prices of as many cores and 2 GiB for each: nothing is rented here.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from bench import ASSETS, RESULTS, machine

import reelproc as rp
from reelproc.executors.hardware import this_machine
from reelproc.jobs import run_job
from reelproc.results import RenderResult
from reelproc.upscalers import weights
from reelproc.upscalers.models import MODELS
from reelproc_lab.container_rates import rate_of
from reelproc_lab.dataset import crop, match_clip, spotlight
from reelproc_lab.footage import footage_folder
from reelproc_lab.original_programs.runner import run_original
from reelproc_lab.record import Made
from reelproc_lab.verify import check_made

MODEL = "realesr-general-x4v3"
AI_FRAMES, OVERLAY_SECONDS = 180, 90.0
T4 = {  # seconds, as recorded; client wall times, one run each, but for the clip's three
    "overlay, all 90 s highlighted": [278.0],
    "6 s clip with AI": [192.0, 122.7, 143.8],
}
T4_USD_PER_SECOND = 0.000164

Row = dict[str, object]


def overlay(source: Path, seconds: float, output: Path) -> rp.RenderJob:
    """Return a highlight over all of ``source``."""
    clip = rp.Clip(source=source, end=seconds, stages=[spotlight(0.0, seconds)])
    return rp.RenderJob(reel=rp.Reel(clips=[clip], output=rp.Output(width=None, height=None)), output=output)


def framing(source: Path, frames: int, output: Path) -> rp.RenderJob:
    """Return a few frames of the original's 6 s clip."""
    upscale = rp.Upscale(model=MODEL, backend="torch:cpu")
    clip = rp.Clip(source=source, start=3.0, end=3.0 + frames / 30, stages=[crop(), upscale])
    return rp.RenderJob(reel=rp.Reel(clips=[clip], output=rp.Output(width=810, height=1440)), output=output)


def measured(run: Callable[[], RenderResult], frames: int, wanted: int) -> Row:
    """Time of one run, its output checked, and what ``wanted`` frames would take where it made fewer."""
    begin = time.perf_counter()
    result = run()
    seconds = time.perf_counter() - begin
    check_made(Made(path=result.output, frames=frames, duration_seconds=frames / 30))
    once = sum(result.phases.get(name, 0.0) for name in ("load", "startup") if name in result.phases)
    whole = seconds if frames == wanted else once + (seconds - once) * wanted / frames
    rate = rate_of(this_machine())
    return {
        "frames": frames,
        "seconds": round(seconds, 2),
        "phases": {name: round(value, 3) for name, value in result.phases.items()},
        f"seconds of {wanted} frames": round(whole, 1),
        "extrapolated": frames != wanted,
        "usd, billed": round(whole * rate.billed_usd_per_second, 6),
        "usd, original's formula": round(whole * (rate.original_usd_per_second or 0.0), 6),
        "priced": rate.priced_as,
    }


def main() -> None:
    """Measure both, and write ``results/cpu-costs.json``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=OVERLAY_SECONDS)
    parser.add_argument("--original-seconds", type=float, default=10.0)
    parser.add_argument("--ai-frames", type=int, default=6)
    options = parser.parse_args()
    rows: dict[str, dict[str, Row]] = {}
    with tempfile.TemporaryDirectory(prefix="reelproc-cpu-costs-") as name:
        folder = Path(name)
        title, wanted = "overlay, all 90 s highlighted", round(30 * OVERLAY_SECONDS)
        whole, short = (match_clip(footage_folder(), s) for s in (options.seconds, options.original_seconds))
        rows[title] = {
            "reelproc": measured(
                lambda: rendered(overlay(whole, options.seconds, folder / "a.mp4")), round(30 * options.seconds), wanted
            ),
            "original": measured(
                lambda: run_original(overlay(short, options.original_seconds, folder / "b.mp4")),
                round(30 * options.original_seconds),
                wanted,
            ),
        }
        print(json.dumps(rows[title], indent=1), flush=True)
        if find_spec("torch") and find_spec("spandrel"):
            title, count = "6 s clip with AI", options.ai_frames
            run_job(framing(short, 1, folder / "warm.mp4"))
            run_original(framing(short, 1, folder / "warm.mp4"))
            rows[title] = {
                "reelproc": measured(lambda: rendered(framing(short, count, folder / "c.mp4")), count, AI_FRAMES),
                "original": measured(lambda: run_original(framing(short, count, folder / "d.mp4")), count, AI_FRAMES),
            }
            print(json.dumps(rows[title], indent=1), flush=True)
    data = {
        "question": "What do the original's test jobs take and cost on this machine's cores?",
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "results": rows,
        "recorded on a T4, seconds": T4,
        "recorded on a T4, usd by the original's formula": {
            job: [round(s * T4_USD_PER_SECOND, 4) for s in runs] for job, runs in T4.items()
        },
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "cpu-costs.json").write_text(json.dumps(data, indent=1) + "\n")


def rendered(job: rp.RenderJob) -> RenderResult:
    """``job`` done here, every frame encoded."""
    result = run_job(job.model_copy(update={"smart_copy": False}))
    assert isinstance(result, RenderResult)
    return result


if __name__ == "__main__":
    if weights.kept_file(MODELS[MODEL].file) is None and (ASSETS / "weights").is_dir():
        weights.add(ASSETS / "weights" / MODELS[MODEL].file)
    main()
