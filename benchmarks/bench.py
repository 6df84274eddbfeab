"""What the benchmarks share: footage, interleaved pairs, the machine's name, JSON beside the figures."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import reelproc
from reelproc.machine.cores import cpu_name
from reelproc.media.ffmpeg_build import ffmpeg_path, ffmpeg_version

RESULTS = Path(__file__).parent / "results"
ASSETS = Path(os.environ.get("REELPROC_TEST_ASSETS", Path(__file__).parents[2] / "shared"))


def machine() -> dict[str, str | int]:
    """Describe the machine of the figures."""
    return {
        "cpu": cpu_name(),
        "cores": len(os.sched_getaffinity(0)),
        "system": platform.platform(),
        "python": platform.python_version(),
        "reelproc": reelproc.__version__,
        "ffmpeg": ffmpeg_version(),
    }


def moving_camera(path: Path, seconds: int, *, gop_seconds: int = 2) -> Path:
    """1080p30 H.264 with a moving camera: a pan over ``vtest.avi``, enlarged, with a tone for sound."""
    if path.exists():
        return path
    source = ASSETS / "footage" / "vtest.avi"
    pan = (
        "scale=2880:2160:flags=bicubic,crop=1920:1080:'(iw-ow)*(0.5+0.5*sin(t/3))':'(ih-oh)*(0.5+0.5*cos(t/4))',fps=30"
    )
    subprocess.run(
        [
            *(ffmpeg_path(), "-v", "error", "-stream_loop", "-1", "-itsscale", "0.5", "-i", str(source)),
            *("-f", "lavfi", "-i", "sine=440:sample_rate=48000"),
            *(
                "-t",
                str(seconds),
                "-vf",
                pan,
                "-c:v",
                "libx264",
                "-preset",
                "fast",
                "-crf",
                "20",
                "-pix_fmt",
                "yuv420p",
            ),
            *("-g", str(30 * gop_seconds), "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"),
            *("-c:a", "aac", "-b:a", "128k", "-y", str(path)),
        ],
        check=True,
    )
    return path


@dataclass(frozen=True)
class Pairs:
    """Interleaved runs of two or more contestants.

    Attributes:
        seconds: of each run, by contestant.
        ratio: the median over rounds of each contestant's time over the floor's in the same round.
        spread: the least and greatest of those ratios.
    """

    seconds: dict[str, list[float]]
    ratio: dict[str, float]
    spread: dict[str, tuple[float, float]]


def paired(contestants: Mapping[str, Callable[[], object]], *, floor: str, rounds: int) -> Pairs:
    """Run all contestants ``rounds`` times in turn, after one warm-up of each, and compare within each round."""
    for run in contestants.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            begin = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - begin)
    ratios = {n: [a / b for a, b in zip(seconds[n], seconds[floor], strict=True)] for n in contestants}
    return Pairs(
        {n: [round(s, 4) for s in runs] for n, runs in seconds.items()},
        {n: round(statistics.median(r), 4) for n, r in ratios.items()},
        {n: (round(min(r), 4), round(max(r), 4)) for n, r in ratios.items()},
    )


def report(
    name: str,
    question: str,
    pairs: Mapping[str, Pairs],
    extra: Mapping[str, object] | None = None,
    *,
    keep: bool = False,
) -> None:
    """Write ``results/NAME.json`` and print a table; ``keep`` what it holds of other rows from this very machine."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    before = json.loads(path.read_text()) if keep and path.exists() else {}
    kept = before["results"] if before.get("machine") == machine() else {}
    data = {
        "question": question,
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "results": {**kept, **{title: asdict(p) for title, p in pairs.items()}},
        **(extra or {}),
    }
    path.write_text(json.dumps(data, indent=1) + "\n")
    for title, p in pairs.items():
        print(f"\n{title}")
        for contestant, ratio in p.ratio.items():
            low, high = p.spread[contestant]
            median = statistics.median(p.seconds[contestant])
            print(f"  {contestant:34} {median:8.3f} s   {ratio:6.3f} x   ({low:.3f} to {high:.3f})")
