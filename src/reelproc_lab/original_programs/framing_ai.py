"""The original's framing with a network: everything in series, and most of it on the host.

For every frame: seek, read, cut by whole pixels, to the device as float, the network, back to the host as a float frame
of four times the size, clamp, turn, round, Lanczos down to the target, a PNG. When all are done, ffmpeg reads the PNGs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from reelproc import Crop, EncodeError
from reelproc.keyframes import Curve
from reelproc_lab.original_programs.encoding import Capture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reelproc.job_context import JobContext
    from reelproc.results import PhaseClock

    Image = NDArray[np.uint8]

Enhance = Callable[[Sequence["Image"]], Sequence["Image"]]
"""Some (H, W, 3) BGR pictures, and the same enlarged."""


@dataclass(frozen=True)
class Span:
    """Which frames of a source, and where they are cut.

    Attributes:
        start: seconds.
        count: frames.
        crop: keyframes, in seconds from ``start``.
    """

    start: float
    count: int
    crop: Crop


def crops(source: Path, span: Span, context: JobContext, clock: PhaseClock) -> Iterator[Image]:
    """Yield the cut frames of a span, each sought on its own.

    Raises:
        DecodeError: OpenCV has not got one.
    """
    keyframes = span.crop.keyframes
    path = Curve([k.time for k in keyframes], [(k.x, k.y, k.width, k.height) for k in keyframes])
    with Capture(source) as capture:
        first = int(span.start * capture.fps + 0.5)
        for n in range(span.count):
            context.check()
            with clock("decode"):
                frame = capture.seek_and_read(first + n)
            x, y, width, height = (int(v) for v in path.at(n / capture.fps).tolist())
            yield frame[y : y + height, x : x + width]


def upscale_to_pngs(
    images: Iterable[Image],
    enhance: Enhance,
    size: tuple[int, int],
    folder: Path,
    *,
    batch: int = 1,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Enlarge, resize to ``size`` (width, height), and write ``frame_000000.png`` and on; returns how many.

    Raises:
        EncodeError: a PNG could not be written.
    """
    number = 0
    remaining = iter(images)
    while together := list(islice(remaining, batch)):
        for large in enhance(together):
            small = cv2.resize(large, size, interpolation=cv2.INTER_LANCZOS4)
            path = folder / f"frame_{number:06d}.png"
            if not cv2.imwrite(str(path), small):
                raise EncodeError(f"{path} cannot be written")
            number += 1
            progress(number)
    return number


def finish_on_host(output: NDArray[np.float32]) -> Image:
    """Convert a network's (3, H, W) RGB floats as the original did: clamp, turn, round; (H, W, 3) BGR."""
    clamped = np.clip(output, 0, 1)
    turned = np.transpose(clamped[[2, 1, 0]], (1, 2, 0))
    return (turned * 255.0).round().astype(np.uint8)
