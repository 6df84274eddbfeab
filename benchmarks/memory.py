"""Does memory grow with the length of the video? Two renders, one sixty times as long as the other.

    python benchmarks/memory.py [--seconds 10] [--times 60]

Memory is what the machine loses to the job: the sum over the program and its ffmpegs of their proportional set sizes
(``PSS``, /proc/PID/smaps_rollup: shared pages are counted once in all), read ten times a second. Each render has a
process of its own, so that neither meets what the other has left in the heap. Linux only.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from bench import RESULTS, machine, moving_camera
from rendering import CROP, LIGHT, frames

import reelproc as rp
from reelproc.job_context import JobContext
from reelproc.jobs import run_job
from reelproc.media.ffmpeg_build import ffmpeg_path
from reelproc.media.write.encoders import ENCODER_THREADS


def descendants(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    found, ahead = [], [pid]
    while ahead:
        found.append(ahead.pop())
        ahead += children.get(found[-1], [])
    return found


def pss_bytes() -> int:
    """Of this process and its descendants."""
    total = 0
    for pid in descendants(os.getpid()):
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
    return total


def peak_while(source: Path, output: Path) -> tuple[int, float]:
    """Render a reel of all of ``source``; return its greatest PSS and its seconds."""
    clip = rp.Clip(source=source, stages=[CROP, rp.Upscale(model="lanczos"), LIGHT])
    reel = rp.Reel(clips=[clip], output=rp.Output(width=810, height=1440))
    peak, done = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.1):
            peak = max(peak, pss_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    begin = time.perf_counter()
    try:
        run_job(rp.RenderJob(reel=reel, output=output), JobContext())
    finally:
        done.set()
        watcher.join()
    return peak, time.perf_counter() - begin


def looped(source: Path, output: Path, times: int, seconds: int) -> Path:
    """Repeat the picture of ``source`` without encoding it again, with a tone over all of it.

    Its own sound ends in the middle of an AAC frame: looped with it, the picture would have a gap at every seam.
    """
    arguments = ["-stream_loop", str(times - 1), "-i", str(source), "-f", "lavfi", "-i", "sine=440:sample_rate=48000"]
    arguments += ["-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac", "-t", str(seconds), "-y", str(output)]
    subprocess.run([ffmpeg_path(), "-v", "error", *arguments], check=True)
    return output


def main() -> None:
    """Render both, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--times", type=int, default=60)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="reelproc-bench-") as name:
        folder = Path(name)
        short = moving_camera(folder / "camera.mp4", options.seconds)
        for seconds in (options.seconds, options.seconds * options.times):
            source = looped(short, folder / f"{seconds}.mp4", seconds // options.seconds, seconds)
            assert frames(source) == seconds * 30
            with multiprocessing.get_context("spawn").Pool(1) as fresh:
                peak, took = fresh.apply(peak_while, (source, folder / "out.mp4"))
            assert frames(folder / "out.mp4") == seconds * 30
            rows.append({"seconds": seconds, "peak_pss_bytes": peak, "took_seconds": round(took, 1)})
            print(f"{seconds:5} s of 1080p30 to 810x1440: peak {peak / 1e6:.0f} MB, took {took:.0f} s")
    ratio = rows[1]["peak_pss_bytes"] / rows[0]["peak_pss_bytes"]
    print(f"{options.times} times as long: {ratio:.3f} x the memory")
    RESULTS.mkdir(exist_ok=True)
    data = {
        "question": "does memory grow with the length of the video?",
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "encoder_threads": ENCODER_THREADS,
        "results": rows,
        "ratio": round(ratio, 4),
    }
    (RESULTS / "memory.json").write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main()
