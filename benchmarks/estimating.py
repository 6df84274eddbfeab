"""Estimates beside measurements, on this machine, of reels that the calibration has not seen.

    python benchmarks/estimating.py [--rounds 3] [--upscaler realesr-general-x4v3]

The calibration is made first, by what ``reelproc calibrate`` does, on a drawn match. The reels are of other footage
(pedestrians under a moving camera) and of other kinds than the calibration's. Each is rendered by the local executor:
once cold, then ``--rounds`` times warm, in turn. The estimate is made before.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from bench import RESULTS, machine, moving_camera

import reelproc as rp
from reelproc.cost.calibration import Calibration
from reelproc.cost.measure_runs import calibrate
from reelproc.cost.measured_rates import this_host
from reelproc.demo.match import MATCH_CLIP

WITHIN = 0.20


def crop(x: float, y: float, to_x: float, to_y: float, seconds: float) -> rp.Crop:
    """Return a moving window of 540x960."""
    return rp.Crop(
        keyframes=[
            rp.CropKeyframe(time=0, x=x, y=y, width=540, height=960),
            rp.CropKeyframe(time=seconds, x=to_x, y=to_y, width=540, height=960),
        ]
    )


def light(start: float, end: float, x: float, y: float, **look: object) -> rp.Overlay:
    """Return a spotlight that moves to the right."""
    path = [
        rp.HighlightKeyframe(time=time, x=x + 20 * time, y=y, radius_x=90, radius_y=150, opacity=0.3)
        for time in (start, end)
    ]
    region = rp.HighlightRegion(start_time=start, end_time=end, keyframes=path)
    return rp.Overlay.model_validate({"regions": [region], **look})


def reels(camera: Path, upscaler: str | None) -> dict[str, rp.Reel]:
    """Five reels of different kinds; four without ``upscaler``."""
    scale = rp.Upscale(model="lanczos")
    slow = rp.Speed(segments=[rp.SpeedSegment(start=1, end=3, speed=0.5)])
    title = rp.Text(
        regions=[
            rp.TextRegion(
                start_time=0.5, end_time=2.5, elements=[rp.TextElement(spec=rp.TextSpec(text="Great control pass"))]
            )
        ]
    )
    three = [
        rp.Clip(source=camera, start=4 + 9 * n, end=8 + 9 * n, stages=[crop(300, 40, 700, 90, 4), scale, title])
        for n in range(3)
    ]
    made = {
        "crop and scale, 12 s": rp.Reel(
            clips=[rp.Clip(source=camera, start=2.5, end=14.5, stages=[crop(150, 60, 1200.5, 70.5, 12), scale])]
        ),
        "spotlight on 3 of 30 s, smart copy": rp.Reel(
            clips=[rp.Clip(source=camera, stages=[light(9, 12, 700, 500)])],
            output=rp.Output(width=1920, height=1080),
        ),
        "three clips with titles, dissolves": rp.Reel(
            clips=three, concat=rp.Concat(transition="dissolve", duration=0.5)
        ),
        "slow motion, ring spotlight": rp.Reel(
            clips=[
                rp.Clip(
                    source=camera,
                    start=16,
                    end=22,
                    stages=[
                        crop(900, 80, 500, 40, 6),
                        slow,
                        scale,
                        light(1, 5, 300, 700, stroke_width=4.0, fill=True),
                    ],
                )
            ]
        ),
    }
    if upscaler is not None:
        window = rp.Crop(keyframes=[rp.CropKeyframe(time=0, x=600.5, y=300, width=216, height=384)])
        made[f"8 frames by {upscaler}"] = rp.Reel(
            clips=[
                rp.Clip(source=camera, start=5, end=5 + 8 / 30, stages=[window, rp.Upscale(model=upscaler)]),
            ],
            output=rp.Output(width=324, height=576, audio=False),
        )
    return made


def main() -> None:
    """Calibrate, estimate, render, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--upscaler", help="a network whose weights and extra are here")
    parser.add_argument("--calibration", type=Path, help="use this file instead of calibrating")
    parser.add_argument("--keep", type=Path, help="write the calibration that was made here")
    options = parser.parse_args()
    rows: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory(prefix="reelproc-bench-") as name:
        folder = Path(name)
        camera = moving_camera(folder / "camera.mp4", 30)
        if options.calibration is not None:
            known = Calibration.load(options.calibration)
        else:
            known = calibrate(MATCH_CLIP, Calibration(), rounds=options.rounds, upscaler=options.upscaler, say=print)
        if options.keep is not None:
            known.save(options.keep)
        made = reels(camera, options.upscaler)
        estimates = {title: rp.estimate(reel, "local", chunks=(1,), calibration=known) for title, reel in made.items()}
        walls: dict[str, list[float]] = {title: [] for title in made}
        phases: dict[str, list[dict[str, float]]] = {title: [] for title in made}
        with rp.executor("local", folder=folder / "jobs") as here:
            for turn in range(options.rounds + 1):
                for number, (title, reel) in enumerate(made.items()):
                    job = rp.RenderJob(reel=reel, output=folder / f"{number}-{turn}.mp4")
                    begin = time.perf_counter()
                    result = here.submit(job).result(timeout=600)
                    walls[title].append(time.perf_counter() - begin)
                    phases[title].append(result.phases)
                    assert result.frame_count == estimates[title].frames, title
        for title, estimate in estimates.items():
            option = estimate.option("local", start="warm")
            measured = statistics.median(walls[title][1:])
            rows[title] = {
                "frames": estimate.frames,
                "measured_seconds": [round(wall, 3) for wall in walls[title]],
                "measured_median": round(measured, 3),
                "estimated_seconds": round(option.wall_seconds, 3),
                "estimated_range": [round(option.wall_low, 3), round(option.wall_high, 3)],
                "ratio": round(option.wall_seconds / measured, 3),
                "basis": option.basis,
                "estimated_phases": option.phases,
                "measured_phases": phases[title][-1],
                "amounts": {kind: round(amount, 3) for kind, amount in estimate.amounts.items()},
            }
    entry = known.entry("local", this_host())
    data = {
        "question": "is an estimate of an unseen reel within 20 % of the measured time?",
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "results": rows,
        "calibration": None if entry is None else entry.model_dump(),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "estimating.json").write_text(json.dumps(data, indent=1) + "\n")
    print(f"{'reel':40} {'measured':>9} {'estimate':>9} {'ratio':>6}")
    for title, row in rows.items():
        far = "" if abs(float(str(row["ratio"])) - 1) <= WITHIN else "  outside 20 %"
        print(f"{title:40} {row['measured_median']:9} {row['estimated_seconds']:9} {row['ratio']:6}{far}")


if __name__ == "__main__":
    main()
