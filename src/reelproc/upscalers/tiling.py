"""Cut a picture into tiles that a network can work on one by one, as if it had seen all of it.

A tile is read with an overlap around it and written without: where the overlap covers all that the network looks at
around a pixel (its reach), the result is that of the whole picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

DEEP_OVERLAP = 32
"""Pixels around a tile for networks whose reach is hundreds of pixels: what lies farther away has hardly any effect."""

MIN_TILE = 64
"""Pixels: tiles are not made smaller. What still does not fit then, does not fit."""


class Tile(NamedTuple):
    """One tile: slices of the input to read, and what of the (unscaled) result of that to keep.

    Attributes:
        read_x, read_y, read_width, read_height: the part of the input, overlap included.
        x, y, width, height: the part of it that this tile is responsible for, in coordinates of the whole.
    """

    read_x: int
    read_y: int
    read_width: int
    read_height: int
    x: int
    y: int
    width: int
    height: int


def tiles(width: int, height: int, tile: int, overlap: int, multiple_of: int = 1) -> Iterator[Tile]:
    """Return tiles of about equal size that cover a picture once, up to ``tile`` pixels a side without the overlap.

    They begin at even pixels, so that one may be a pixel or two larger than that; or at multiples of ``multiple_of``.

    Args:
        width, height: of the picture.
        tile: the largest side, pixels.
        overlap: pixels that are read around each, as far as there are any.
        multiple_of: of networks that fold pixels or see them in windows: squares that no tile may divide.

    >>> [(t.read_x, t.read_width, t.x, t.width) for t in tiles(100, 10, 64, 8)]
    [(0, 58, 0, 50), (42, 58, 50, 50)]
    """
    step = math.lcm(2, multiple_of)
    overlap = overlap if multiple_of == 1 else -(-overlap // step) * step
    columns, rows = _spans(width, tile, step), _spans(height, tile, step)
    for y, end_y in rows:
        for x, end_x in columns:
            left, top = max(0, x - overlap), max(0, y - overlap)
            right, bottom = min(width, end_x + overlap), min(height, end_y + overlap)
            yield Tile(left, top, right - left, bottom - top, x, y, end_x - x, end_y - y)


def smaller_tile(width: int, height: int, tile: int | None) -> int | None:
    """Return the tile to try after ``tile`` (None: the whole picture) did not fit: half its longer side, or None.

    >>> smaller_tile(540, 960, None), smaller_tile(540, 960, 480), smaller_tile(540, 960, 64)
    (480, 240, None)
    """
    side = max(width, height) if tile is None else min(tile, max(width, height))
    half = max(MIN_TILE, -(-side // 2))
    half += half % 2  # networks that fold pixels want even offsets
    return half if half < side else None


def _spans(length: int, tile: int, step: int) -> list[tuple[int, int]]:
    count = -(-length // tile)
    edges = [length * i // count // step * step for i in range(count)] + [length]
    return [(a, b) for a, b in zip(edges, edges[1:], strict=False) if b > a]
