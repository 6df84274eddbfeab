"""Which frame is shown at a moment: one rule, whoever asks."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from reelproc.media.shown_frames import frame_schedule, nearest_frame

TIMES = st.lists(st.integers(-1000, 10**12), min_size=1, max_size=30, unique=True).map(sorted)
MOMENTS = st.fractions(-2000, 2 * 10**12, max_denominator=1001)


@given(TIMES, MOMENTS)
def test_the_nearest_frame_is_shown_and_the_earlier_on_a_tie(times: list[int], moment: Fraction) -> None:
    assert times[nearest_frame(times, moment)] == min(times, key=lambda time: (abs(time - moment), time))


@given(TIMES, st.integers(1, 60), st.sampled_from([Fraction(30), Fraction(30000, 1001), Fraction(7)]))
def test_a_schedule_takes_the_nearest_frame_at_every_moment_of_its_grid(
    ticks: list[int], count: int, fps: Fraction
) -> None:
    times = [Fraction(tick, 97) for tick in ticks]
    assert frame_schedule(times, count, fps) == [nearest_frame(times, n / fps) for n in range(count)]
