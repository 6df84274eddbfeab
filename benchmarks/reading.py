"""How fast frames come out of a file: the three backends beside the bare loops that people write, outputs compared.

    python benchmarks/reading.py [--seconds 10] [--rounds 7]

The file is 1080p30 H.264, made by the script. Every contestant opens it, reads all frames into arrays of its own and
closes it; what reelproc does beside (probing, exact timestamps, a check on every frame) is in its time. The floor of
each row is the bare loop that most scripts have: ``cv2.VideoCapture.read()``, which can only give bgr24. Peers that are
not installed are left out (``pip install decord torchcodec``).
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import av
import cv2
import imageio_ffmpeg
import numpy as np
from bench import moving_camera, paired, report
from numpy.typing import NDArray

import reelproc as rp
from reelproc.media.ffmpeg_build import ffmpeg_path
from reelproc.pixels.frame import PixelFormat, frame_bytes

SIZE = (1920, 1080)
Frames = Iterator[NDArray[np.uint8]]


def ours(path: Path, backend: str, pix_fmt: PixelFormat) -> Frames:
    """reelproc's reader."""
    with rp.open_video(path, backend, pix_fmt) as video:
        for frame in video:
            yield frame.data


def bare_opencv(path: Path) -> Frames:
    """Read by the loop of every tutorial."""
    capture = cv2.VideoCapture(str(path))
    while True:
        got, image = capture.read()
        if not got:
            break
        yield np.asarray(image, np.uint8).reshape(-1)
    capture.release()


def bare_pyav(path: Path, pix_fmt: PixelFormat) -> Frames:
    """PyAV's plain decode loop, with threads."""
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for frame in container.decode(video=0):
            data: Any = frame.to_ndarray(format=pix_fmt)
            yield data.reshape(-1)


def bare_pipe(path: Path, pix_fmt: PixelFormat) -> Frames:
    """ffmpeg's rawvideo through a pipe, without timestamps or supervision."""
    size = frame_bytes(pix_fmt, *SIZE)
    argv = [ffmpeg_path(), "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", pix_fmt, "-"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, bufsize=size) as process:
        pipe = process.stdout
        while pipe is not None and len(data := pipe.read(size)) == size:
            yield np.frombuffer(data, np.uint8).copy()


def imageio(path: Path) -> Frames:
    """imageio-ffmpeg's own reader."""
    frames = imageio_ffmpeg.read_frames(str(path), pix_fmt="bgr24")
    next(frames)  # what it found out about the file
    for data in frames:
        yield np.frombuffer(data, np.uint8)


def decord(path: Path) -> Frames:
    """decord, frame by frame, rgb24."""
    reader = import_module("decord").VideoReader(str(path))
    for number in range(len(reader)):
        yield reader[number].asnumpy().reshape(-1)


def torchcodec(path: Path) -> Frames:
    """torchcodec, frame by frame, rgb24."""
    for frame in import_module("torchcodec.decoders").VideoDecoder(str(path), dimension_order="NHWC"):
        yield frame.numpy().reshape(-1)


def peers(path: Path) -> dict[str, Callable[[], Frames]]:
    """Other libraries' readers to packed RGB, as far as they are installed."""
    found: dict[str, Callable[[], Frames]] = {"imageio-ffmpeg, bgr24": partial(imageio, path)}
    for name, read in (("decord", decord), ("torchcodec", torchcodec)):
        try:
            next(read(path))
        except (ImportError, OSError, RuntimeError) as error:
            print(f"{name} is left out: {str(error).splitlines()[0]}")
        else:
            found[f"{name}, in place of bgr24"] = partial(read, path)
    return found


def drain(open_frames: Callable[[], Frames]) -> None:
    """Read to the end."""
    for _ in open_frames():
        pass


def fingerprint(open_frames: Callable[[], Frames]) -> NDArray[np.float64]:
    """Return the mean level of every frame."""
    return np.array([data.mean() for data in open_frames()])


def main() -> None:
    """Compare the outputs, then the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = moving_camera(Path(folder) / "camera.mp4", options.seconds)
        floor = "bare cv2.VideoCapture, bgr24"
        results, levels = {}, {}
        for pix_fmt in ("bgr24", "yuv420p"):
            contestants: dict[str, Callable[[], Frames]] = {
                floor: partial(bare_opencv, path),
                f"bare PyAV, {pix_fmt}": partial(bare_pyav, path, pix_fmt),
                f"bare ffmpeg pipe, {pix_fmt}": partial(bare_pipe, path, pix_fmt),
                f"reelproc ffmpeg, {pix_fmt}": partial(ours, path, "ffmpeg", pix_fmt),
                f"reelproc pyav, {pix_fmt}": partial(ours, path, "pyav", pix_fmt),
                **(
                    {f"reelproc opencv, {pix_fmt}": partial(ours, path, "opencv", pix_fmt), **peers(path)}
                    if pix_fmt == "bgr24"
                    else {}
                ),
            }
            prints = {name: fingerprint(run) for name, run in contestants.items() if pix_fmt in name}
            reference = prints[f"bare PyAV, {pix_fmt}"]
            assert len(reference) == options.seconds * 30
            for name, found in prints.items():
                assert len(found) == len(reference), f"{name}: {len(found)} frames of {len(reference)}"
                levels[name] = round(float(np.abs(found - reference).max()), 3)
                assert levels[name] < 3, f"{name}: {levels[name]} levels off"
            runs = {name: partial(drain, run) for name, run in contestants.items()}
            results[f"1080p30 H.264, {options.seconds} s, {pix_fmt}"] = paired(runs, floor=floor, rounds=options.rounds)
    report("reading", "how fast do frames come out of a file?", results, {"mean_levels_off_bare_pyav": levels})


if __name__ == "__main__":
    main()
