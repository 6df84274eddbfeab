"""How long a crop takes to its size: this package's resampler beside Pillow's and swscale's, outputs compared.

    python benchmarks/resample.py [--rounds 15]

The work is a reel's: a 540x960 window of a 1080p yuv420p frame to 810x1440, ten frames a run. swscale (through PyAV) is
the floor; it knows no windows between pixels and gets whole ones, cut out beforehand.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

import av
import numpy as np
from bench import paired, report
from numpy.typing import NDArray
from PIL import Image

from reelproc.pixels.frame import Frame, Window
from reelproc.pixels.resample import resample
from reelproc.pixels.scaling import Filter
from reelproc.pixels.view import View

WINDOW, SIZE, FRAMES = Window(690.3, 60.2, 540.0, 960.0), (810, 1440), 10
KERNELS: dict[Filter, Image.Resampling | None] = {
    "lanczos": Image.Resampling.LANCZOS,
    "bicubic": Image.Resampling.BICUBIC,
    "area": None,  # Pillow's box takes or leaves whole pixels: another filter
}


def picture() -> Frame:
    """Return a 1080p frame of smooth waves in all directions."""
    frame = Frame.empty(1920, 1080, "yuv420p")
    for plane in frame.planes:
        y, x = np.mgrid[: plane.shape[0], : plane.shape[1]]
        plane[...] = 128 + 40 * np.sin(x * 0.31 + y * 0.07) + 40 * np.sin(y * 0.23 - x * 0.11)
    return frame


def ours(frame: Frame, kernel: Filter, move: tuple[float, float]) -> None:
    """Ten frames, the window moving by ``move`` pixels a frame."""
    for n in range(FRAMES):
        window = Window(WINDOW.x + n * move[0], WINDOW.y + n * move[1], WINDOW.width, WINDOW.height)
        resample(frame, window, *SIZE, filter=kernel)


def pillow(frame: Frame, kernel: Image.Resampling) -> list[NDArray[np.uint8]]:
    """Scale the planes by Pillow, with our chroma siting."""
    x, y, w, h = WINDOW
    planes = []
    for number, plane in enumerate(frame.planes):
        step = 2 if number else 1
        left = x / step + (0.25 * (1 - w / SIZE[0]) if number else 0)
        box = (left, y / step, left + w / step, (y + h) / step)
        planes.append(np.asarray(Image.fromarray(plane).resize((SIZE[0] // step, SIZE[1] // step), kernel, box=box)))
    return planes


def repeated(work: Callable[[], object]) -> Callable[[], None]:
    """Ten times the same."""

    def run() -> None:
        for _ in range(FRAMES):
            work()

    return run


def main() -> None:
    """Compare the outputs, then the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    frame = picture()
    cut = View(frame, Window(690, 60, 540, 960), (540, 960)).cut()
    packed = av.VideoFrame.from_ndarray(cut.data.reshape(-1, 540), format="yuv420p")
    results, levels = {}, {}
    for kernel, theirs in KERNELS.items():
        contestants: dict[str, Callable[[], object]] = {
            "swscale, whole pixels": repeated(partial(packed.reformat, *SIZE, interpolation=kernel.upper())),
            "reelproc, still": partial(ours, frame, kernel, (0, 0)),
            "reelproc, panning": partial(ours, frame, kernel, (0.37, 0)),
            "reelproc, moving both ways": partial(ours, frame, kernel, (0.37, 0.21)),
        }
        if theirs is not None:
            contestants["Pillow, still"] = repeated(partial(pillow, frame, theirs))
            planes = zip(resample(frame, WINDOW, *SIZE, filter=kernel).planes, pillow(frame, theirs), strict=True)
            levels[kernel] = max(int(np.abs(a.astype(int) - b).max()) for a, b in planes)
            assert levels[kernel] <= 1, f"{kernel} is {levels[kernel]} levels off Pillow's"
        title = f"{kernel}: 540x960 of 1080p yuv420p to 810x1440, {FRAMES} frames"
        results[title] = paired(contestants, floor="swscale, whole pixels", rounds=rounds)
    report("resample", "what does a sub-pixel crop and scale cost?", results, {"levels_off_pillow": levels})


if __name__ == "__main__":
    main()
