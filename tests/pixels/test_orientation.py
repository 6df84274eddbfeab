"""The display matrix, read as ffmpeg reads it."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from reelproc.pixels.orientation import Orientation

ONE = 1 << 16


def matrix(a: int, b: int, c: int, d: int) -> bytes:
    return struct.pack("=9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)


@pytest.mark.parametrize(
    ("rows", "rotation", "hflip"),
    [
        ((ONE, 0, 0, ONE), 0, False),
        ((0, ONE, -ONE, 0), 90, False),  # video_90.mov
        ((-ONE, 0, 0, -ONE), 180, False),  # fire2.mp4
        ((0, -ONE, ONE, 0), 270, False),
        ((-ONE, 0, 0, ONE), 0, True),
        ((0, ONE, ONE, 0), 90, True),
        ((ONE, 0, 0, -ONE), 180, True),
        ((0, -ONE, -ONE, 0), 270, True),
        ((2 * ONE, 0, 0, 2 * ONE), 0, False),
        ((ONE, 900, -900, ONE), 0, False),  # within a degree
    ],
)
def test_reads_the_eight_ways_to_lay_a_picture(rows: tuple[int, int, int, int], rotation: int, hflip: bool) -> None:
    assert Orientation.from_display_matrix(matrix(*rows)) == Orientation(rotation, hflip)


@pytest.mark.parametrize("data", [b"", b"short", matrix(46341, 46341, -46341, 46341), matrix(0, 0, 0, ONE)])
def test_what_is_no_quarter_turn_is_not_applied(data: bytes) -> None:
    found = Orientation.from_display_matrix(data)
    assert (found.rotation, found.hflip) == (0, False)
    assert found.exact == (len(data) < 36)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("hflip", [False, True])
def test_apply_turns_clockwise_then_mirrors(rotation: int, hflip: bool) -> None:
    stored = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    by_hand = {
        0: [[1, 2, 3], [4, 5, 6]],
        90: [[4, 1], [5, 2], [6, 3]],
        180: [[6, 5, 4], [3, 2, 1]],
        270: [[3, 6], [2, 5], [1, 4]],
    }[rotation]
    wanted = [row[::-1] for row in by_hand] if hflip else by_hand
    orientation = Orientation(rotation, hflip)
    assert orientation.apply(stored).tolist() == wanted
    assert orientation.swaps_sides == (rotation in (90, 270))
    assert bool(orientation.filters) == ((rotation, hflip) != (0, False))
