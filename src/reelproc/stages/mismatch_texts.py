"""Find and say what a stage has outside the time of its stream."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from fractions import Fraction
from math import inf, nextafter


def clamped(times: Sequence[float], duration: Fraction, *, closed: bool) -> list[float]:
    """Move the times of frames that lie just outside a stream to its first or last moment, as drawing does it.

    Args:
        times: seconds.
        duration: of the stream.
        closed: whether what is drawn there is drawn up to its end and with it, so that the end is the last moment.
    """
    last = float(duration) if closed else nextafter(float(duration), -inf)
    return [min(max(time, 0.0), last) for time in times]


def frames_between(times: Sequence[float], start: float, end: float, *, closed: bool) -> range:
    """Return the numbers of the frames from ``start`` to ``end``, with the one at ``end`` if ``closed``."""
    return range(bisect_left(times, start), (bisect_right if closed else bisect_left)(times, end))


def never_active(start: float, end: float, duration: Fraction) -> str:
    """Say why no frame of a stream of ``duration`` seconds lies between ``start`` and ``end``.

    >>> never_active(7, 9, Fraction(1, 2))
    'is never shown: it lasts from 7 s to 9 s, its input ends at 0.5 s, 6.5 s before it starts'
    """
    last = float(duration)
    if start >= last:
        why = f"its input ends at {last:.6g} s, {start - last:.6g} s before it starts"
    elif end <= 0:
        why = f"it ends {-end:.6g} s before its input begins"
    else:
        why = "which is between two frames of its input"
    return f"is never shown: it lasts from {start:.6g} s to {end:.6g} s, {why}"


def stands_still(times: Sequence[float], start: float, end: float, what: str) -> str:
    """Say that all keyframes, at ``times``, lie on one side of the span in which they are wanted; else "".

    >>> stands_still([10.0, 11.0], 0, 0.5, "the window")
    'has its keyframes at 10 s to 11 s, all after 0.5 s, where its time ends: the window stands still'
    """
    first, last = min(times), max(times)
    at = f"{first:.6g} s" if first == last else f"{first:.6g} s to {last:.6g} s"
    if first > end:
        return f"has its keyframes at {at}, all after {end:.6g} s, where its time ends: {what} stands still"
    if last < start:
        return f"has its keyframes at {at}, all before {start:.6g} s, where its time begins: {what} stands still"
    return ""
