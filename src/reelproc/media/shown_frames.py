"""Say which frame of a source is shown at a moment: the one definition of "nearest" and of "holding".

The nearest frame is shown, the earlier on a tie. Past the end of the footage the last frame holds. Where a frame cannot
be decoded, the last good one before it holds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Container, Sequence
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reelproc.media.read.reader import VideoReader
    from reelproc.pixels.frame import Frame

HOLD_SECONDS = 1
"""How long past its source's end the last frame holds without being asked to: editors round durations."""

_BACK_SECONDS = 2
"""How far before a lost frame the search for a good one begins; each further one begins four times as far."""


def _last_moment(time: Fraction | int, following: Fraction | int) -> Fraction:
    """Return the last moment at which the frame at ``time`` is shown, and not the ``following`` one."""
    return Fraction(time + following) / 2


def nearest_frame(times: Sequence[Fraction] | Sequence[int], moment: Fraction) -> int:
    """Return the index of the time nearest to ``moment``, the earlier on a tie.

    Args:
        times: increasing; at least one.
        moment: on the same clock.

    >>> [nearest_frame([Fraction(0), Fraction(1)], Fraction(n, 4)) for n in (-1, 1, 2, 3, 9)]
    [0, 0, 0, 1, 1]
    """
    after = min(bisect_left(times, moment), len(times) - 1)
    return after - (after > 0 and moment <= _last_moment(times[after - 1], times[after]))


def frame_schedule(times: Sequence[Fraction], count: int, fps: Fraction) -> list[int]:
    """Return for each of ``count`` output frames the index of the nearest in ``times``, the earlier on a tie.

    Args:
        times: increasing, on the output's clock; at least one.
        count: output frames; frame n is shown at ``n / fps``.
        fps: output rate.

    >>> frame_schedule([Fraction(n, 60) for n in range(6)], 3, Fraction(30))
    [0, 2, 4]
    >>> frame_schedule([Fraction(0), Fraction(1, 15)], 4, Fraction(30))
    [0, 0, 1, 1]
    """
    schedule: list[int] = []
    for here, (time, following) in enumerate(pairwise(times)):
        if len(schedule) >= count:
            break
        last = floor(_last_moment(time, following) * fps)
        schedule += [here] * (min(count, last + 1) - len(schedule))
    return schedule + [len(times) - 1] * (count - len(schedule))


def last_good_frame(
    open_span: Callable[[Fraction, Fraction], VideoReader],
    moment: Fraction,
    *,
    earliest: Fraction,
    among: Container[int] | None = None,
) -> Frame | None:
    """Return the last frame before ``moment`` that decodes; None where none does.

    Args:
        open_span: opens the source from a time to another, seconds.
        moment: the lost frame's time, seconds.
        earliest: how far to look back, seconds.
        among: the timestamps that may be shown; None: any.
    """
    back = Fraction(_BACK_SECONDS)
    begin = moment
    while begin > earliest:
        begin = max(earliest, moment - back)
        last = None
        with open_span(begin, moment) as reader:
            for frame in reader:
                last = frame if among is None or frame.pts in among else last
        if last is not None:
            return last
        back *= 4
    return None
