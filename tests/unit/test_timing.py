"""Exact time and the maps between clocks."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelproc import SpecError
from reelproc.timing import TimeMap, exact, round_half_up


@given(st.decimals(-1000, 1000, places=6))
def test_decimal_seconds_are_taken_as_written(value) -> None:  # type: ignore[no-untyped-def]
    assert exact(float(value)) == Fraction(str(float(value)))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_time_is_finite(value: float) -> None:
    with pytest.raises(SpecError):
        exact(value)


@st.composite
def maps(draw: st.DrawFn) -> TimeMap:
    duration = Fraction(draw(st.integers(1, 2000)), 100)
    here = Fraction(0)
    spans = []
    for _ in range(draw(st.integers(0, 4))):
        start = here + Fraction(draw(st.integers(0, 300)), 100)
        here = start + Fraction(draw(st.integers(1, 300)), 100)
        spans.append((start, here, Fraction(draw(st.integers(10, 1000)), 100)))
    return TimeMap.from_speeds(duration, spans)


@given(maps(), st.fractions(-5, 30))
def test_a_map_is_undone_by_its_inverse(clock: TimeMap, time: Fraction) -> None:
    assert clock.inverse(clock(time)) == time


@given(maps(), st.lists(st.fractions(-5, 30), min_size=2, max_size=5))
def test_a_map_never_turns_back(clock: TimeMap, times: list[Fraction]) -> None:
    ordered = sorted(times)
    assert [clock(t) for t in ordered] == sorted(clock(t) for t in ordered)


@given(maps(), maps(), st.fractions(0, 1))
def test_maps_compose(first: TimeMap, second: TimeMap, share: Fraction) -> None:
    stretched = TimeMap.from_speeds(first.out_duration, [(p.start, p.end, p.speed) for p in second.pieces])
    both = first.then(stretched)
    time = share * first.duration
    assert both(time) == stretched(first(time))
    assert both.out_duration == stretched.out_duration


def test_rounding_goes_up_on_halves() -> None:
    assert [round_half_up(Fraction(n, 4)) for n in (1, 2, 3, 5, 6)] == [0, 1, 1, 1, 2]
