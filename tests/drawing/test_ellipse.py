"""Coverage of ellipses: smooth, sub-pixel, and the same place in luma and chroma."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelproc.drawing.ellipse import Ellipse, Grid, PixelBox, bounds, covered, ring, signed_distance, tiles

LUMA, CHROMA = Grid(1, 120, 90), Grid(2, 60, 45)


def coverage(ellipse, grid=LUMA):
    box = PixelBox(0, 0, grid.width, grid.height)
    x, y = grid.positions(box)
    return covered(signed_distance(ellipse, x, y), grid.step), x, y


def centre(ellipse, grid):
    share, x, y = coverage(ellipse, grid)
    total = share.sum(dtype=float)
    return (share * x).sum(dtype=float) / total, (share * y[:, None]).sum(dtype=float) / total


def test_the_distance_of_a_circle_is_exact():
    box = PixelBox(0, 0, 120, 90)
    x, y = LUMA.positions(box)
    distance = signed_distance(Ellipse(61.3, 44.7, 30, 30), x, y)
    exact = np.hypot(x[None, :] - 61.3, y[:, None] - 44.7) - 30
    assert np.abs(distance - exact).max() < 1e-3


def test_the_very_centre_is_inside():
    share, _, _ = coverage(Ellipse(60.5, 45.5, 20, 10))
    assert share[45, 60] == 1


@pytest.mark.parametrize("radii", [(20, 20), (33.3, 12.1), (9, 40)])
def test_the_covered_area_is_the_ellipses(radii):
    share, _, _ = coverage(Ellipse(60.2, 44.9, *radii))
    assert share.sum(dtype=float) == pytest.approx(np.pi * radii[0] * radii[1], rel=3e-3)


@pytest.mark.parametrize("grid", [LUMA, CHROMA], ids=["luma", "chroma"])
def test_a_slow_pan_moves_without_jitter_in_every_plane(grid):
    steps = np.arange(0, 4, 0.1)
    places = [centre(Ellipse(50 + s, 40 + s / 3, 20, 14), grid) for s in steps]
    for (x, y), s in zip(places, steps, strict=True):
        # The chroma sites are where the positions say: the same ellipse in the same place.
        assert x == pytest.approx(50 + s, abs=0.06)
        assert y == pytest.approx(40 + s / 3, abs=0.06)


def test_a_ring_covers_its_width():
    box = PixelBox(0, 0, 120, 90)
    x, y = LUMA.positions(box)
    distance = signed_distance(Ellipse(60, 45, 30, 30), x, y)
    for width in (0.5, 2, 5.3):
        assert ring(distance, 1, width).sum(dtype=float) == pytest.approx(2 * np.pi * 30 * width, rel=0.01)


ELLIPSES = st.builds(Ellipse, st.floats(-50, 170), st.floats(-50, 140), st.floats(4, 300), st.floats(4, 300))


@given(ellipse=ELLIPSES, margin=st.floats(0, 12), size=st.tuples(st.integers(1, 120), st.integers(1, 90)))
def test_tiles_hold_everything_that_is_touched_once_and_their_insides_nothing_else(ellipse, margin, size):
    width, height = size
    for grid in (Grid(1, width, height), Grid(2, (width + 1) // 2, (height + 1) // 2)):
        box = PixelBox(0, 0, grid.width, grid.height)
        distance = signed_distance(ellipse, *grid.positions(box))
        share, line = covered(distance, grid.step), ring(distance, grid.step, 2 * margin)
        times = np.zeros((grid.height, grid.width), int)
        for tile in tiles(ellipse, margin, width, height):
            piece = grid.samples(tile.pairs)
            times[piece.slices] += 1
            if tile.inside:
                assert (share[piece.slices] == 1).all()
                assert (line[piece.slices] == 0).all()
        assert times.max(initial=0) <= 1
        assert (share[times == 0] == 0).all()
        within = np.zeros_like(times)
        within[grid.samples(bounds(ellipse, margin, width, height)).slices] = 1
        assert np.array_equal(times, within)


def test_the_inside_of_a_large_ellipse_is_apart():
    found = tiles(Ellipse(500, 500, 400, 300), 5, 1920, 1080)
    area = {True: 0, False: 0}
    for tile in found:
        rows, columns = tile.pairs.shape
        area[tile.inside] += 4 * rows * columns
    assert area[True] > 0.5 * np.pi * 400 * 300
