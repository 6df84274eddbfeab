"""Resample a window of a frame, placed to the fraction of a pixel, to any size, in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelproc.errors import SpecError
from reelproc.pixels.frame import Frame, Window
from reelproc.pixels.placement import CHROMA_SITING, Rectangle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reelproc.pixels.scaling import Filter

REACH_PIXELS = 8
"""Pixels of luma beyond its window that a filter may take in where it does not shrink: lanczos has 3 lobes, a sample of
chroma is 2 pixels wide and sited a quarter of one aside, and is rounded outwards."""


def resample(
    frame: Frame,
    window: Window,
    width: int,
    height: int,
    *,
    filter: Filter = "lanczos",  # noqa: A002 - the field's word
    destination: Rectangle | None = None,
    out: Frame | None = None,
) -> Frame:
    """Sample ``window`` of ``frame`` to a size, once.

    Where the window has the size of the destination and lies on whole pixels, its samples are copied as they are.

    Args:
        frame: of any pixel format; not changed.
        window: the part to show, within the frame, pixels, floats. Filters see the picture beyond its edges.
        width, height: of the result, pixels.
        filter: ``"lanczos"``, ``"bicubic"`` or ``"area"``.
        destination: the part of the result that the window fills, all else is black; None: all of it.
        out: a frame of that size and format to write into; None: a new one.

    Returns:
        A frame with the timestamps of ``frame``.

    Raises:
        SpecError: a window that is empty or reaches beyond the frame, a destination beyond the result or on odd pixels
            of ``yuv420p``, an unknown filter, or an ``out`` of another size or format.
    """
    from reelproc.pixels.scaling import across, down, scale_planes

    place = Rectangle(0, 0, width, height) if destination is None else destination
    result = frame.like(width, height) if out is None else out
    _check(frame, window, result, place, (width, height))
    result.index, result.pts, result.time_base, result.start_pts = (
        frame.index,
        frame.pts,
        frame.time_base,
        frame.start_pts,
    )
    _paint_bars(result, place)
    scale = window.width / place.width, window.height / place.height
    for (planes, step), (targets, _) in zip(_layers(frame), _layers(result), strict=True):
        width, height = -(-place.width // step), -(-place.height // step)
        # column C of the result's chroma is luma 2 (C - 1/4); that shows the source's luma x + scale * 2 (C - 1/4),
        # which is column x / 2 + 1/4 * (1 - scale) + scale * C of the source's chroma
        x = window.x / step + (CHROMA_SITING * (1 - scale[0]) if step == 2 else 0.0)
        columns = across(planes[0].shape[1], x, scale[0] * width, width, filter)
        rows = down(planes[0].shape[0], window.y / step, scale[1] * height, height, filter)
        left, top = place.x // step, place.y // step
        scale_planes(planes, columns, rows, [t[top : top + height, left : left + width] for t in targets])
    return result


def _check(frame: Frame, window: Window, result: Frame, place: Rectangle, size: tuple[int, int]) -> None:
    slack = 1e-3  # pixels; windows come out of float arithmetic
    if not (
        window.width > 0
        and window.height > 0
        and window.x >= -slack
        and window.y >= -slack
        and window.x + window.width <= frame.width + slack
        and window.y + window.height <= frame.height + slack
    ):
        raise SpecError(f"a window lies within its {frame.width}x{frame.height} frame and is not empty, got {window}")
    if (result.width, result.height) != size or result.pix_fmt != frame.pix_fmt:
        raise SpecError(f"out must be {size[0]}x{size[1]} {frame.pix_fmt}, got {result!r}")
    if not (
        place.x >= 0
        and place.y >= 0
        and place.width > 0
        and place.height > 0
        and place.x + place.width <= size[0]
        and place.y + place.height <= size[1]
    ):
        raise SpecError(f"a destination lies within the {size[0]}x{size[1]} result and is not empty, got {place}")
    if frame.pix_fmt == "yuv420p" and (place.x % 2 or place.y % 2):
        raise SpecError(f"a destination begins on even pixels of a yuv420p frame, got {place}")


def _layers(frame: Frame) -> list[tuple[list[NDArray[np.uint8]], int]]:
    """Group the planes (of RGB the channels) by geometry, with the pixels that a sample is wide and high."""
    planes = list(frame.planes)
    if frame.pix_fmt == "yuv420p":
        return [(planes[:1], 1), (planes[1:], 2)]
    return [(planes if len(planes) > 1 else [planes[0][..., c] for c in range(3)], 1)]


def _paint_bars(frame: Frame, place: Rectangle) -> None:
    """Make everything but ``place`` black."""
    from reelproc.pixels.colour import BLACK  # it loads numpy, which a plan does not need

    if (place.width, place.height) == (frame.width, frame.height):
        return
    levels = iter(BLACK[frame.pix_fmt])
    for planes, step in _layers(frame):
        top, bottom = place.y // step, -(-(place.y + place.height) // step)
        left, right = place.x // step, -(-(place.x + place.width) // step)
        for plane in planes:
            level = next(levels)
            plane[:top] = plane[bottom:] = level
            plane[top:bottom, :left] = plane[top:bottom, right:] = level
