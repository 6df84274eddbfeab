"""An enlarged RGB picture in this machine's memory as the planes of what is shown: resized, converted, rounded once.

Strip by strip, so that what one step makes is still in the cache when the next one reads it: the rows of the strip are
made first, of bytes or floats with their colours side by side, as networks leave them; then their colours; then their
columns. 1080x1920 to 406x720 takes 7 ms of one core, where ``torch`` took 11 ms of two, and the strips are shared out
among the cores.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from reelproc.cores import usable_cores
from reelproc.media.colour import YUV_OF_RGB, YUV_RANGE, YUV_ZERO
from reelproc.media.frame import Frame, PixelFormat, Window
from reelproc.media.placement import CHROMA_SITING
from reelproc.media.scaling import (
    BLOCK,
    PARTS,
    STORED,
    Bands,
    across,
    down,
    multiply_rows,
    pass_across,
    pass_down,
    scratch,
    store_levels,
)
from reelproc.upscalers.base import UpscaleSpec

__all__ = ["fill_planes", "planes_of"]

Picture = NDArray[np.uint8] | NDArray[np.float32]

MOST_THREADS = 4

_TO_YUV = np.column_stack([np.array(YUV_OF_RGB) * np.array(YUV_RANGE)[:, None], YUV_ZERO])
_OF_CHANNELS: dict[PixelFormat, NDArray[np.float64]] = {
    "rgb24": np.eye(3, 4) * 255,
    "bgr24": np.eye(3, 4)[::-1] * 255,
    "yuv444p": _TO_YUV,
    "yuv420p": _TO_YUV,
}
"""(3, 4): the levels of each format of (R, G, B, 1), R, G and B being 0 to 1."""


def planes_of(rgb: Picture, window: Window, spec: UpscaleSpec) -> list[NDArray[np.uint8]]:
    """What of an enlarged picture fills the destination; see :func:`fill_planes`.

    Returns:
        The planes of the destination: of RGB formats one of (H, W, 3).
    """
    place = spec.destination
    frame = Frame.empty(place.width, place.height, spec.pix_fmt)
    fill_planes(rgb, window, spec, frame.planes)
    return list(frame.planes)


def fill_planes(rgb: Picture, window: Window, spec: UpscaleSpec, out: Sequence[NDArray[np.uint8]]) -> None:
    """Resample what of an enlarged picture fills the destination, by Lanczos, antialiased where it shrinks.

    Args:
        rgb: (H, W, 3), bytes or float32 of 0 to 1, contiguous.
        window: the part of it that is shown, its own pixels.
        spec: where, and in which format.
        out: the planes of the destination, to be filled: of RGB formats one of (H, W, 3).
    """
    strips = _Strips(rgb, window, spec, out)
    tops = range(0, spec.destination.height, STORED)
    threads = min(_threads(), len(tops))
    if threads < 2:
        strips.make(tops)
    else:
        # neighbours to one thread: they share half of the rows they read
        share = -(-len(tops) // threads)
        for done in [_pool().submit(strips.make, tops[i : i + share]) for i in range(0, len(tops), share)]:
            done.result()
    strips.finish()


class _Strips:
    """The strips of one picture; those of different rows may be made at the same time."""

    def __init__(self, rgb: Picture, window: Window, spec: UpscaleSpec, out: Sequence[NDArray[np.uint8]]) -> None:
        place = spec.destination
        high, wide = rgb.shape[:2]
        self._rgb, self._out = rgb, out
        self._size = place.height
        self._rows = down(high, window.y, window.height, place.height, "lanczos")
        self._columns = across(wide, window.x, window.width, place.width, "lanczos")
        self._packed = len(out) == 1
        self._chroma: NDArray[np.float32] | None = None
        if spec.pix_fmt == "yuv420p":
            # column C of the chroma is luma 2 (C + 1/2) - 1/2: it lies over the left of its two columns
            height, width = out[1].shape
            self._chroma_columns = across(place.width, -2 * CHROMA_SITING, 2.0 * width, width, "lanczos")
            self._chroma_rows = down(place.height, 0.0, 2.0 * height, height, "lanczos")
            self._chroma = np.empty((place.height, 2, width), np.float32)
        matrix = _OF_CHANNELS[spec.pix_fmt].copy()
        matrix[:, :3] *= (PARTS if isinstance(self._rows, Bands) else 1) / (255 if rgb.dtype == np.uint8 else 1)
        self._matrix = matrix

    def make(self, tops: Sequence[int]) -> None:
        """Fill the strips that begin at these rows, but for what reaches over their ends: the chroma's rows."""
        for top in tops:
            self._make(top, min(STORED, self._size - top))

    def _make(self, top: int, count: int) -> None:
        levels = cv2.transform(self._strip(top, count), self._matrix)
        wide = levels.shape[1]
        planar = scratch.take("colours", 3, STORED, wide)[:, :count]
        for channel in range(3):
            cv2.extractChannel(levels, channel, planar[channel])
        made = _across(planar, self._columns, scratch.take("shown", 3, STORED, self._out[0].shape[1]))
        targets = [self._out[0][..., c] for c in range(3)] if self._packed else self._out
        if self._chroma is not None:
            targets = self._out[:1]
            _across(made[1:], self._chroma_columns, self._chroma[top : top + count].transpose(1, 0, 2))
        store_levels(made.transpose(1, 0, 2)[:, : len(targets)], [plane[top : top + count] for plane in targets])

    def _strip(self, top: int, count: int) -> NDArray[np.float32]:
        """(count, W, 3) float32: rows of the right height; an eighth of their levels where they were resampled."""
        rgb, rows = self._rgb, self._rows
        if isinstance(rows, slice):
            return np.asarray(rgb[rows.start + top : rows.start + top + count], np.float32)
        blocks = range(top // BLOCK, -(-(top + count) // BLOCK))
        inputs = rows.weights[0].shape[1]
        first, end = rows.firsts[blocks[0]], max(rows.firsts[block] for block in blocks) + inputs
        source = rgb[first:end].reshape(end - first, -1)
        if source.dtype == np.float32:
            read = np.asarray(source, np.float32)  # nothing is copied
        else:
            read = scratch.take("read", *source.shape)
            read[...] = source
        buffer = scratch.take("strip", STORED, *rgb.shape[1:])
        multiply_rows(read, rows, blocks, first, buffer.reshape(STORED, -1))
        return buffer[:count]

    def finish(self) -> None:
        """Fill the chroma, whose rows come of two or more of the luma's."""
        if self._chroma is None:
            return
        assert isinstance(self._chroma_rows, Bands)  # they shrink
        middle = self._chroma
        np.multiply(middle, np.float32(PARTS), out=middle)
        np.rint(middle, out=middle)
        pass_down(middle[self._chroma_rows.first : self._chroma_rows.end], self._chroma_rows, self._out[1:])


def _across(planar: NDArray[np.float32], columns: slice | Bands, out: NDArray[np.float32]) -> NDArray[np.float32]:
    """(planes, rows, W) to the first as many rows of ``out``."""
    made = out[:, : planar.shape[1]]
    if isinstance(columns, slice):
        made[...] = planar[..., columns]
    else:
        pass_across(planar[..., columns.first : columns.end], columns, made)
    return made


@functools.cache
def _threads() -> int:
    return min(MOST_THREADS, max(1, int(usable_cores())))


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="planes")
