"""Interpolation between keyframes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelproc import SpecError
from reelproc.keyframes import Curve, Interpolation


@pytest.mark.parametrize("method", ["linear", "catmull-rom"])
def test_values_hold_outside_and_are_met_at_the_keyframes(method: Interpolation) -> None:
    track = Curve([-1, 0.5, 2], [[0, 5], [10, 7], [4, 9]], method)
    assert track.at(-9).tolist() == [0, 5]
    assert track.at(9).tolist() == [4, 9]
    assert track.at(0.5).tolist() == pytest.approx([10, 7])


def test_linear_is_halfway_in_the_middle() -> None:
    assert Curve([0, 2], [[0], [8]]).at(1).tolist() == [4]


def test_catmull_rom_matches_the_published_basis() -> None:
    """Uniform, end points doubled: the matrix form of Catmull and Rom."""
    points = [0.0, 10.0, 4.0, 6.0]
    track = Curve([0, 1, 2, 3], [[p] for p in points], "catmull-rom")
    basis = np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]]) / 2
    padded = [points[0], *points, points[-1]]
    for segment in range(3):
        for u in (0.1, 0.5, 0.9):
            expected = np.array([1, u, u**2, u**3]) @ basis @ np.array(padded[segment : segment + 4])
            assert track.at(segment + u)[0] == pytest.approx(expected)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=7), st.sampled_from(["linear", "catmull-rom"]))
def test_nothing_on_the_path_exceeds_its_stated_extremes(values: list[float], method: Interpolation) -> None:
    track = Curve(list(range(len(values))), [[v] for v in values], method)
    path = [track.at(t)[0] for t in np.linspace(0, len(values) - 1, 200)]
    assert max(path) <= track.maximum()[0] + 1e-6
    assert min(path) >= track.minimum()[0] - 1e-6
    assert track.maximum()[0] <= max(path) + 0.2 * (np.ptp(path) + 1e-9)


@pytest.mark.parametrize("times", [[], [1, 1], [2, 1]])
def test_times_must_increase(times: list[float]) -> None:
    with pytest.raises(SpecError):
        Curve(times, [[0.0]] * len(times))
