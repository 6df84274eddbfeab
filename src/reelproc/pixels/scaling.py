"""Resample planes of samples: separable filters, sub-pixel exact, antialiased, and the same bits on every machine.

Either pass of a separable resampling multiplies the samples by a banded matrix. Here the band is cut into small dense
blocks, which BLAS multiplies several times faster than a loop over taps runs: 540x960 of a yuv420p frame to 810x1440 by
Lanczos takes 3 to 4 ms where Pillow's resize takes 12, and swscale, which knows no windows between pixels, 1
(``benchmarks/resample.py``). Blocks are multiplied by the group, in one call: with a call for each, a thread lets go of
the interpreter and waits for it again hundreds of times a plane, three times as long where threads share it.

The arithmetic is that of integers in float32: weights are multiples of 2^-14 (across) and 2^-12 (down), samples between
the passes are rounded to eighths of a level, so every partial sum is an integer below 2^24 times a power of two. It is
exact in whatever order, with whatever instructions and threads BLAS adds it up, and a frame comes out the same, bit for
bit, wherever it is rendered.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from reelproc.errors import SpecError

Filter = Literal["lanczos", "bicubic", "area"]

FILTERS: tuple[Filter, ...] = ("lanczos", "bicubic", "area")
"""``lanczos``: sinc windowed by a sinc over 3 lobes (C. Duchon, 1979): the sharpest, rings a little. ``bicubic``: Keys'
cubic convolution with a = -1/2 (R. Keys, 1981): rings less. ``area``: the mean over the area that an output pixel
covers, linear between pixels where that is less than one: no ringing, soft when enlarging. All widen with the scale
when shrinking, so that nothing aliases."""

Floats = NDArray[np.float32]
Plane = NDArray[np.uint8]

BLOCK = 16  # outputs per dense block
GROUP = 4  # blocks that are multiplied by one call
STORED = GROUP * BLOCK  # rows that are rounded together while they are in the cache
# OpenBLAS takes up to 4 * 65536 multiplications for too small to be worth a second thread (interface/gemm.c). Its
# threads spin while they wait for more, at the encoder's expense: stay below.
GEMM_LIMIT = 4 * 65536
ACROSS_BITS, DOWN_BITS = 14, 12
PARTS = 8  # of a level: what samples are counted in between the passes
WHOLE = 1e-6  # pixels; a window this close to whole pixels lies on them
PHASES = 256  # places of a window per pixel: a pan meets its weights again, and nobody sees 1/512 of a pixel
CACHED_PATTERNS = 1024
CACHED_AXES = 128
LONGEST_PERIOD = 64  # outputs; 540 to 810 pixels repeats its weights after 3


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """A banded matrix, output samples by input samples, as groups of dense blocks of ``BLOCK`` outputs.

    Attributes:
        firsts: the first input that each group reads; its blocks begin ``advance`` inputs apart.
        advance: see ``firsts``.
        weights: of each group, (GROUP, outputs, inputs) for rows, (GROUP, inputs, outputs) for columns: float32, as
            BLAS likes them. Groups that weigh alike share one array. Those of outputs beyond the last are not to be
            used.
        first, end: the range of inputs that any block reads; beyond the plane, its edge is meant.
        size: the number of outputs.
        step: how many columns (or rows) to multiply a block with at once, at most.
    """

    firsts: tuple[int, ...]
    advance: int
    weights: tuple[Floats, ...]
    first: int
    end: int
    size: int
    step: int

    def blocks(self, group: int) -> int:
        """Return how many blocks of a group have outputs: all, but for the last group."""
        return min(GROUP, -(-(self.size - group * STORED) // BLOCK))

    def inputs(self, group: int) -> tuple[int, int]:
        """Return the first input that a group of rows reads, and the end of them."""
        first = self.firsts[group]
        return first, first + (self.blocks(group) - 1) * self.advance + self.weights[group].shape[2]


def across(length: int, start: float, extent: float, size: int, kernel: Filter) -> slice | Bands:
    """Return how ``size`` columns are made of ``length``: see :func:`down`."""
    return _axis(length, start, extent, size, kernel, upright=False)


def down(length: int, start: float, extent: float, size: int, kernel: Filter) -> slice | Bands:
    """Return how ``size`` rows are made of ``length``.

    Args:
        length: rows of the plane.
        start, extent: the part of them that is sampled, in rows, edges; beyond the plane its edge is repeated.
        size: rows to make.
        kernel: the filter.

    Returns:
        A slice where rows go over as they are; the matrix otherwise.

    Raises:
        SpecError: an unknown filter.
    """
    return _axis(length, start, extent, size, kernel, upright=True)


@lru_cache(maxsize=CACHED_AXES)  # equal questions get one object, by which others keep what they make of it
def _axis(length: int, start: float, extent: float, size: int, kernel: Filter, *, upright: bool) -> slice | Bands:
    begin = round(start)
    aligned = abs(start - begin) < WHOLE and abs(extent - size) < WHOLE
    if kernel in FILTERS and aligned and begin >= 0 and begin + size <= length:
        return slice(begin, begin + size)
    whole, phase = divmod(round((start + extent / 2) * PHASES), PHASES)  # of its middle: nothing leans to one side
    period = _period(extent / size, size)
    # the many weights of a ratio that repeats late or never, such as a zoom's, are not worth their memory
    make = _pattern if period and period[0] <= BLOCK else _pattern.__wrapped__
    pattern: Bands = make(phase, extent, size, kernel, upright=upright)
    if not whole:
        return pattern
    firsts = tuple(first + whole for first in pattern.firsts)
    return replace(pattern, firsts=firsts, first=pattern.first + whole, end=pattern.end + whole)


@lru_cache(maxsize=CACHED_PATTERNS)
def _pattern(phase: int, extent: float, size: int, kernel: Filter, *, upright: bool) -> Bands:
    """Return the matrix of a window about ``phase / PHASES``: what a pan asks for are its shifts."""
    count, scale = -(-size // STORED), extent / size
    period, turn = _period(scale, size) or (count * STORED, 0)
    taps, weights = _weights(phase / PHASES - extent / 2, scale, period, kernel, DOWN_BITS if upright else ACROSS_BITS)
    cycle = min(count, period // math.gcd(period, STORED))  # groups, after which their weights begin again
    turns, phases = np.divmod(np.arange(cycle * STORED), period)
    taps, weights = taps[phases] + (turns * turn)[:, None], weights[phases]

    heads, tails = (ends.reshape(cycle, GROUP) for ends in (taps[::BLOCK, 0], taps[BLOCK - 1 :: BLOCK, -1]))
    advance = round(BLOCK * scale)
    apart = advance * np.arange(GROUP)
    firsts = (heads - apart).min(axis=1)
    width = int((tails - apart - firsts[:, None]).max()) + 1
    cells = taps + (np.arange(cycle * STORED) * width - np.repeat(firsts[:, None] + apart, BLOCK))[:, None]
    dense = np.bincount(cells.ravel(), weights.ravel(), minlength=cycle * STORED * width).astype(np.float32)
    blocks = dense.reshape(cycle, GROUP, BLOCK, width)
    ordered = blocks / np.float32(PARTS) if upright else np.ascontiguousarray(blocks.swapaxes(2, 3))

    around = cycle * STORED // period * turn
    firsts = (firsts + around * np.arange(-(-count // cycle))[:, None]).ravel()[:count]
    shown = np.minimum(GROUP, -(-(size - STORED * np.arange(count)) // BLOCK))  # blocks that have outputs
    return Bands(
        firsts=tuple(firsts.tolist()),
        advance=advance,
        weights=tuple(itertools.islice(itertools.cycle(ordered), count)),
        first=int(firsts.min()),
        end=int((firsts + (shown - 1) * advance).max()) + width,
        size=size,
        step=max(1, GEMM_LIMIT // (BLOCK * width)),
    )


@lru_cache(maxsize=CACHED_AXES)
def _period(scale: float, size: int) -> tuple[int, int] | None:
    """After how many outputs the weights repeat, and how many inputs that is; None where they do not."""
    ratio = Fraction(scale).limit_denominator(LONGEST_PERIOD)
    if ratio.denominator <= size and abs(float(ratio) - scale) * size < WHOLE / 1000:
        return ratio.denominator, ratio.numerator
    return None


def _weights(
    start: float, scale: float, count: int, kernel: Filter, bits: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Index and weight of each (output, tap) of the first ``count`` outputs.

    Weights are multiples of 2^-bits and add up to exactly 1.
    """
    stretch = max(scale, 1.0)
    reach = {"lanczos": 3 * stretch, "bicubic": 2 * stretch, "area": (stretch + 1) / 2}.get(kernel)
    if reach is None:
        raise SpecError(f"a filter is one of {', '.join(FILTERS)}, got {kernel!r}")
    centres = start + (np.arange(count) + 0.5) * scale
    first = np.ceil(centres - reach - 0.5).astype(np.int64)
    taps = first[:, None] + np.arange(int(2 * reach) + 1)
    distance = np.abs(taps + 0.5 - centres[:, None])
    if kernel == "lanczos":
        x = np.maximum(distance * (np.pi / stretch), 1e-9)
        weights = np.where(x < 3 * np.pi, 3 * np.sin(x) * np.sin(x / 3) / (x * x), 0.0)
    elif kernel == "bicubic":
        x = distance / stretch
        weights = np.where(x < 1, (1.5 * x - 2.5) * x * x + 1, np.where(x < 2, ((2.5 - 0.5 * x) * x - 4) * x + 2, 0.0))
    else:  # the overlap of the pixel with the covered area, which is at least one pixel wide
        weights = np.clip(np.minimum(distance + 0.5, stretch / 2) - (distance - 0.5), 0.0, None)
    # rounding the running sum, not the weights, keeps their total and lets no error grow with the number of taps
    total = np.cumsum(weights, axis=1)
    steps = np.rint(total * (2.0**bits / total[:, -1:]))
    return taps, np.diff(steps, axis=1, prepend=0.0) / 2.0**bits


class _Scratch(threading.local):
    """Buffers that a thread keeps: fresh memory of this size would cost its page faults on every frame."""

    def __init__(self) -> None:
        self._buffers: dict[str, Floats] = {}

    def take(self, name: str, *shape: int) -> Floats:
        """Return a float32 array with anything in it."""
        size = math.prod(shape)
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size:
            buffer = self._buffers[name] = np.empty(size, np.float32)
        return buffer[:size].reshape(shape)


scratch = _Scratch()


def padding(bands: slice | Bands, length: int) -> tuple[int, int]:
    """Return how many samples ``bands`` reads before the first of ``length`` and after the last."""
    return (0, 0) if isinstance(bands, slice) else (max(0, -bands.first), max(0, bands.end - length))


def repeat_edges(samples: Floats, before: int, after: int, axis: int) -> None:
    """Fill the first ``before`` and the last ``after`` samples along an axis with their nearest neighbour."""
    along = np.moveaxis(samples, axis, 0)
    along[:before] = along[before]
    along[len(along) - after :] = along[len(along) - after - 1]


def scale_planes(
    planes: Sequence[Plane], columns: slice | Bands, rows: slice | Bands, out: Sequence[Plane | Floats]
) -> None:
    """Resample planes of one geometry, such as the two of chroma, into as many others.

    Args:
        planes: (H, W) uint8 each, of any strides.
        columns: from :func:`across` for W and the width of ``out``.
        rows: from :func:`down` for H and the height of ``out``.
        out: (H', W') each, of any strides, not overlapping ``planes``: uint8, or float32 where levels are not to be
            rounded and may lie beyond 0 and 255.
    """
    if isinstance(columns, slice) and isinstance(rows, slice):
        for plane, target in zip(planes, out, strict=True):
            target[...] = plane[rows, columns]
        return
    first, end = (rows.start, rows.stop) if isinstance(rows, slice) else (rows.first, rows.end)
    left, right = (columns.start, columns.stop) if isinstance(columns, slice) else (columns.first, columns.end)
    # side by side in every row: all planes together are one wide plane to the pass down
    samples = scratch.take("samples", end - first, len(planes), right - left)
    for number, plane in enumerate(planes):
        np.multiply(part_of(plane, first, end, left, right), np.float32(PARTS), out=samples[:, number])
    middle = samples
    if isinstance(columns, Bands):
        middle = scratch.take("middle", end - first, len(planes), columns.size)
        pass_across(samples.transpose(1, 0, 2), columns, middle.transpose(1, 0, 2))
    if isinstance(rows, slice):
        np.multiply(middle, np.float32(1 / PARTS), out=middle)
        store_levels(middle, out)
    else:
        np.rint(middle, out=middle)
        pass_down(middle, rows, out)


def part_of(plane: Plane | Floats, first: int, end: int, left: int, right: int) -> Plane | Floats:
    """Return a view of rows and columns of a plane; where some lie beyond it, a copy that repeats its edge."""
    height, width = plane.shape
    if first >= 0 and left >= 0 and end <= height and right <= width:
        return plane[first:end, left:right]
    (top, bottom), rows = _inside(first, end, height)
    (before, after), columns = _inside(left, right, width)
    made = cv2.copyMakeBorder(plane[rows, columns], top, bottom, before, after, cv2.BORDER_REPLICATE)
    return np.asarray(made, np.float32) if plane.dtype == np.float32 else np.asarray(made, np.uint8)


def _inside(first: int, end: int, length: int) -> tuple[tuple[int, int], slice]:
    """Return what of a range lies inside, at least its nearest sample, and how many are missing on either side."""
    begin, stop = min(max(first, 0), length - 1), max(min(end, length), 1)
    before = min(begin - first, end - first - 1) if first < 0 else 0
    return (before, end - first - before - (stop - begin)), slice(begin, stop)


def pass_across(samples: Floats, columns: Bands, out: Floats) -> None:
    """(planes, rows, inputs) to (planes, rows, outputs)."""
    planes, count = samples.shape[:2]
    inputs = columns.weights[0].shape[1]
    for top, parts, step in _cut(count, columns.step):
        plane, row, sample = samples[:, top:].strides
        read = as_strided(  # [first input]: (planes, parts, blocks, rows, inputs)
            samples[:, top:],
            (columns.firsts[-1] - columns.first + 1, planes, parts, GROUP, step, inputs),
            (sample, plane, step * row, columns.advance * sample, row, sample),
        )
        plane, row, sample = out[:, top:].strides
        made = as_strided(  # [group]: (planes, parts, blocks, rows, outputs)
            out[:, top:],
            (len(columns.firsts), planes, parts, GROUP, step, BLOCK),
            (STORED * sample, plane, step * row, BLOCK * sample, row, sample),
        )
        for group, (first, weights) in enumerate(zip(columns.firsts, columns.weights, strict=True)):
            source, target = read[first - columns.first], made[group]
            whole, odd = divmod(min(STORED, columns.size - group * STORED), BLOCK)
            if whole:
                np.matmul(source[:, :, :whole], weights[:whole], out=target[:, :, :whole])
            if odd:
                np.matmul(source[:, :, whole], weights[whole, :, :odd], out=target[:, :, whole, :, :odd])


def pass_down(middle: Floats, rows: Bands, out: Sequence[Plane | Floats]) -> None:
    """Multiply (inputs, planes, columns), contiguous, to (outputs, columns) each."""
    flat = middle.reshape(len(middle), -1)
    buffer = scratch.take("rows", STORED, *middle.shape[1:])
    for group, top in enumerate(range(0, rows.size, STORED)):
        multiply_group(flat, rows, group, rows.first, buffer.reshape(STORED, -1))
        store_levels(buffer[: rows.size - top], [plane[top : top + STORED] for plane in out])


def multiply_group(flat: Floats, rows: Bands, group: int, first: int, out: Floats) -> None:
    """One group of the pass down: (inputs from ``first`` on, columns) to the rows of ``out``, both contiguous."""
    inputs, width = rows.weights[group].shape[2], flat.shape[1]
    blocks = rows.blocks(group)
    sample = flat.itemsize
    row = width * sample
    for left, parts, step in _cut(width, rows.step):
        begin = (rows.firsts[group] - first) * row + left * sample
        apart = (rows.advance * row, step * sample, row, sample)
        read = np.ndarray((blocks, parts, inputs, step), np.float32, flat, begin, apart)
        apart = (BLOCK * row, step * sample, row, sample)
        made = np.ndarray((blocks, parts, BLOCK, step), np.float32, out, left * sample, apart)
        np.matmul(rows.weights[group][:blocks, None], read, out=made)


def _cut(count: int, most: int) -> Iterator[tuple[int, int, int]]:
    """Parts of at most ``most``: where those of one length begin, how many they are, and their length."""
    length = -(-count // -(-count // most))
    whole = count // length
    yield 0, whole, length
    if whole * length < count:
        yield whole * length, 1, count - whole * length


def store_levels(levels: Floats, out: Sequence[Plane | Floats]) -> None:
    """Put (rows, planes, columns) into the planes, rounded and clipped where those are bytes."""
    for number, plane in enumerate(out):
        if plane.dtype == np.float32:
            plane[...] = levels[:, number]
        elif plane.strides[1] == 1:
            # OpenCV's conversion rounds and saturates in one pass; adding nothing is the cheapest call that has it
            cv2.addWeighted(levels[:, number], 1.0, levels[:, number], 0.0, 0.0, dst=plane, dtype=cv2.CV_8U)
        else:  # a channel of packed RGB
            np.copyto(plane, np.clip(np.rint(levels[:, number]), 0, 255), casting="unsafe")
