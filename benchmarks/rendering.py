"""Rendering beside ffmpeg's own transcode, with the same encoder settings, on the same file, in the same run.

    python benchmarks/rendering.py [--seconds 30] [--rounds 5] [--only crop]

The floor of each row is ffmpeg alone: decode, (for a crop: a crop that stands still and a scale,) encode. A moving crop
of a moving picture is harder to encode than one that stands still, whoever makes it; so ffmpeg with a moving crop (by
whole pixels) is a contestant too.
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
from reelproc.job_context import JobContext
from reelproc.jobs import run_job
from reelproc.media.ffmpeg_build import ffmpeg_path
from reelproc.media.write.encoders import EncoderSettings


def spotlight(start: float, end: float) -> rp.Overlay:
    """Return a moving spotlight from ``start`` to ``end`` seconds."""
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


LIGHT = rp.Overlay(
    regions=[
        rp.HighlightRegion(
            start_time=0,
            end_time=10_000,
            keyframes=[rp.HighlightKeyframe(time=0, x=405, y=720, radius_x=130, radius_y=200, opacity=0.3)],
        )
    ]
)
STILL = rp.Crop(keyframes=[rp.CropKeyframe(time=0, x=690, y=60, width=540, height=960)])
MOVING_CROP = (
    "crop=540:960:'if(lt(t,15),200+950.5*t/15,1150.5-750.5*(t-15)/15)':'if(lt(t,15),60+30.5*t/15,90.5-30.5*(t-15)/15)'"
)
SCALE = "scale=810:1440:flags=lanczos"


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


def floor(
    source: Path,
    output: Path,
    video_filter: str | None,
    *,
    span: tuple[float, float] | None = None,
    sound: bool = False,
) -> Callable[[], None]:
    """ffmpeg alone, told exactly what our encoder is told, its filter and decoder threads left to itself."""
    settings = EncoderSettings(threads=JobContext().encoder_threads)
    arguments = [ffmpeg_path(), "-v", "error"]
    arguments += ["-ss", str(span[0]), "-t", str(span[1])] if span else []
    arguments += ["-i", str(source), *(("-c:a", "aac", "-b:a", "192k") if sound else ("-an",))]
    arguments += ["-vf", video_filter] if video_filter else []
    arguments += [*settings.arguments(Fraction(30)), "-movflags", "+faststart", "-y", str(output)]

    def run() -> None:
        subprocess.run(arguments, check=True)

    return run


def three_clips(source: Path, output: Path, seconds: int) -> Callable[[], None]:
    """Return a reel: three clips, each cropped, scaled, with a spotlight; dissolves; sound."""
    length = seconds / 3
    clips = [
        rp.Clip(
            source=source, start=length * n, end=length * (n + 1), stages=[CROP, rp.Upscale(model="lanczos"), LIGHT]
        )
        for n in range(3)
    ]
    concat = rp.Concat(transition="dissolve", duration=0.5)
    reel = rp.Reel(clips=clips, concat=concat, output=rp.Output(width=810, height=1440))

    def run() -> None:
        run_job(rp.RenderJob(reel=reel, output=output), JobContext())

    return run


def three_floors(source: Path, output: Path, seconds: int) -> Callable[[], None]:
    """ffmpeg alone, once for each of the clips, with sound."""
    length = seconds / 3
    parts = [
        floor(source, output, f"crop=540:960:690:60,{SCALE}", span=(length * n, length), sound=True) for n in range(3)
    ]

    def run() -> None:
        for part in parts:
            part()

    return run


def main() -> None:
    """Run all rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="run the rows that have this in their names; keep the others")
    options = parser.parse_args()
    seconds = options.seconds
    results: dict[str, Pairs] = {}
    with tempfile.TemporaryDirectory(prefix="reelproc-bench-") as name:
        folder = Path(name)
        source, a, b, c = moving_camera(folder / "source.mp4", seconds), *(folder / f"{n}.mp4" for n in "abc")
        rows: dict[str, dict[str, Callable[[], None]]] = {
            "overlay over the whole length, 1080p30": {
                "ffmpeg": floor(source, b, None),
                "reelproc": ours(source, a, spotlight(0, 10_000), 1920, 1080),
            },
            "crop with moving keyframes and scale, 810x1440": {
                "ffmpeg": floor(source, b, f"crop=540:960:690:60,{SCALE}"),
                "ffmpeg, its crop moves too": floor(source, c, f"{MOVING_CROP},{SCALE}"),
                "reelproc": ours(source, a, CROP, 810, 1440),
            },
            "crop that stands still and scale, 810x1440": {
                "ffmpeg": floor(source, b, f"crop=540:960:690:60,{SCALE}"),
                "reelproc": ours(source, a, STILL, 810, 1440),
            },
        }
        for title, contestants in rows.items():
            if options.only not in title:
                continue
            results[title] = paired(contestants, floor="ffmpeg", rounds=options.rounds)
            counts = {frames(a), frames(b)}
            assert counts == {seconds * 30}, f"{title}: expected {seconds * 30} frames, got {counts}"
        title = "reel of three clips: moving crop, scale, spotlight, dissolves, sound"
        if options.only in title:
            reel = {"ffmpeg": three_floors(source, b, seconds), "reelproc": three_clips(source, a, seconds)}
            results[title] = paired(reel, floor="ffmpeg", rounds=options.rounds)
            assert frames(a) == seconds * 30 - 2 * 15, f"{title}: {frames(a)} frames"
        title = f"overlay on {seconds // 10} s of a {3 * seconds} s file, a key frame every 2 s, smart copy"
        if options.only in title:
            long = moving_camera(folder / "long.mp4", 3 * seconds)
            light = spotlight(seconds, seconds + seconds // 10)
            copy = {"ffmpeg": floor(long, b, None), "reelproc": ours(long, a, light, 1920, 1080, smart_copy=True)}
            results[title] = paired(copy, floor="ffmpeg", rounds=min(options.rounds, 5))
            counts = {frames(a), frames(b)}
            assert counts == {3 * seconds * 30}, f"{title}: {counts}"
    question = "how far from ffmpeg's own transcode is a render?"
    report("rendering", question, results, {"seconds": seconds}, keep=bool(options.only))


if __name__ == "__main__":
    main()
