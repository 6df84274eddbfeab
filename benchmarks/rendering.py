"""Rendering beside ffmpeg's own transcode, with the same encoder settings, on the same file, in the same run.

    python benchmarks/rendering.py [--seconds 30] [--rounds 5]

The floor of each row is ffmpeg alone: decode, (for the crop: a crop that stands still and a scale,) encode.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
from bench import Pairs, moving_camera, paired, report

import reelproc as rp
from reelproc.jobs import JobContext, run_job
from reelproc.media.encoders import EncoderSettings
from reelproc.media.ffmpeg import ffmpeg_path


def spotlight(start: float, end: float) -> rp.Overlay:
    """A moving spotlight from ``start`` to ``end`` seconds."""
    path = [
        rp.HighlightKeyframe(time=0, x=700, y=500, radius_x=90, radius_y=150, opacity=0.3),
        rp.HighlightKeyframe(time=30, x=1300, y=560, radius_x=90, radius_y=150, opacity=0.3),
    ]
    return rp.Overlay(regions=[rp.HighlightRegion(start_time=start, end_time=end, keyframes=path)])


CROP = rp.Crop(
    keyframes=[
        rp.CropKeyframe(time=0, x=200, y=60, width=540, height=960),
        rp.CropKeyframe(time=15, x=1150.5, y=90.5, width=540, height=960),
        rp.CropKeyframe(time=30, x=400, y=60, width=540, height=960),
    ]
)


def frames(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for p in container.demux(container.streams.video[0]) if p.size)


def ours(
    source: Path, output: Path, stage: rp.Overlay | rp.Crop, width: int, height: int, *, smart_copy: bool = False
) -> Callable[[], None]:
    clip = rp.Clip(source=source, stages=[stage])
    reel = rp.Reel(clips=[clip], output=rp.Output(width=width, height=height, audio=False))

    def run() -> None:
        run_job(rp.RenderJob(reel=reel, output=output, smart_copy=smart_copy), JobContext())

    return run


def floor(source: Path, output: Path, video_filter: str | None) -> Callable[[], None]:
    """ffmpeg alone, told exactly what our encoder is told, its filter and decoder threads left to itself."""
    settings = EncoderSettings(threads=JobContext().encoder_threads)
    arguments = [ffmpeg_path(), "-v", "error", "-i", str(source), "-an"]
    arguments += ["-vf", video_filter] if video_filter else []
    arguments += [*settings.arguments(Fraction(30)), "-movflags", "+faststart", "-y", str(output)]

    def run() -> None:
        subprocess.run(arguments, check=True)

    return run


def main() -> None:
    """Run all rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    results: dict[str, Pairs] = {}
    with tempfile.TemporaryDirectory(prefix="reelproc-bench-") as name:
        folder = Path(name)
        source = moving_camera(folder / "source.mp4", options.seconds)
        rows = {
            "overlay over the whole length, 1080p30": (
                ours(source, folder / "a.mp4", spotlight(0, 10_000), 1920, 1080),
                floor(source, folder / "b.mp4", None),
            ),
            "overlay on 3 s of the file, a key frame every 2 s, smart copy": (
                ours(source, folder / "a.mp4", spotlight(10, 13), 1920, 1080, smart_copy=True),
                floor(source, folder / "b.mp4", None),
            ),
            "crop with moving keyframes and scale, 810x1440": (
                ours(source, folder / "a.mp4", CROP, 810, 1440),
                floor(source, folder / "b.mp4", "crop=540:960:690:60,scale=810:1440:flags=lanczos"),
            ),
        }
        for title, (mine, theirs) in rows.items():
            results[title] = paired({"ffmpeg": theirs, "reelproc": mine}, floor="ffmpeg", rounds=options.rounds)
            counts = {frames(folder / "a.mp4"), frames(folder / "b.mp4")}
            assert counts == {options.seconds * 30}, f"{title}: expected {options.seconds * 30} frames, got {counts}"
    report("rendering", "how far from ffmpeg's own transcode is a render?", results, {"seconds": options.seconds})


if __name__ == "__main__":
    main()
