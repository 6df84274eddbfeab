"""Exact time and the maps between clocks."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelproc import SpecError
from reelproc.timing import Time, TimeMap, exact, round_half_up


@given(st.decimals(-1000, 1000, places=6))
def test_decimal_seconds_are_taken_as_written(value) -> None:  # type: ignore[no-untyped-def]
    assert exact(float(value)) == Fraction(str(float(value)))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_time_is_finite(value: float) -> None:
    with pytest.raises(SpecError):
        exact(value)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("0:03", "3"), ("1:02:03.5", "3723.5"), ("3.5", "3.5"), (" 12 ", "12"), ("90:00", "5400"), ("-0:00.5", "-0.5"),
        ("+1:00", "60"), ("00:00:01.001", "1.001"), ("1e3", "1000"), ("100:00:00", "360000"), (".5", "0.5"),
        (timedelta(minutes=1, milliseconds=1), "60.001"), (timedelta(seconds=-1, microseconds=1), "-0.999999"),
        (Decimal("83.512345678901234567"), "83.512345678901234567"), (3, "3"),
        (Fraction(7, 2), "3.5"), (2.997, "2.997"),
    ],
)  # fmt: skip
def test_a_time_may_be_written_in_many_ways(written: Time, seconds: str) -> None:
    assert exact(written) == Fraction(seconds)


@pytest.mark.parametrize(
    "wrong", ["", "0:3", "0:60", "1:60:00", "1:2:03", "a", "1:00:00:00", "nan", "inf", "1/2", "1_0", "0;03", [1], None]
)
def test_what_is_no_time_is_refused_with_examples(wrong: Any) -> None:
    with pytest.raises(SpecError, match=r"a time is seconds, like 83\.5, or M:SS or H:MM:SS, like 1:23\.5, got "):
        exact(wrong)


@given(st.integers(0, 10**7))
def test_a_clock_and_its_seconds_are_the_same_time(milliseconds: int) -> None:
    seconds, rest = divmod(milliseconds, 1000)
    text = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"
    assert exact(text) == exact(milliseconds / 1000) == exact(timedelta(milliseconds=milliseconds))


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
