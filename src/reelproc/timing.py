"""Exact time: seconds as fractions, rounding to the output grid, and piecewise linear maps between clocks.

``exact`` is the one place where a time that somebody wrote becomes a number. Floats are taken for the decimals that
people wrote. All arithmetic on time is done in :class:`~fractions.Fraction`, so that a frame count never depends on a
rounding error.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor, isfinite

from reelproc.errors import SpecError

__all__ = ["Time", "TimeMap", "TimePiece", "exact", "merge_spans", "round_half_up"]

Time = float | Fraction | Decimal | timedelta | str
"""A time as it may be given: seconds, as any kind of number or as text, ``"3.5"``; text with colons, ``"0:03"`` for
minutes and seconds or ``"1:02:03.5"`` with hours before them; or a ``timedelta``."""

NO_TIME = "a time is seconds, like 83.5, or M:SS or H:MM:SS, like 1:23.5"

_CLOCK = re.compile(
    r"(?P<sign>[+-]?)(?:(?P<hours>\d{1,9}):(?=\d\d:))?(?P<minutes>\d{1,9}):(?P<seconds>[0-5]\d(?:\.\d{0,30})?)"
)
_NUMBER = re.compile(r"[+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,2})?")


def exact(time: Time) -> Fraction:
    """Return ``time`` in seconds, exactly; a float as the decimal that its shortest representation shows.

    Raises:
        SpecError: it is no time.

    >>> exact(0.1), exact(3), exact(Fraction(1, 3))
    (Fraction(1, 10), Fraction(3, 1), Fraction(1, 3))
    >>> [str(exact(time)) for time in ("0:03", "1:02:03.5", "90:00", "-0:00.5", "3.5", timedelta(minutes=2))]
    ['3', '7447/2', '5400', '-1/2', '7/2', '120']
    """
    if isinstance(time, (Fraction, int)):
        return Fraction(time)
    if isinstance(time, str):
        return _written(time)
    if isinstance(time, timedelta):
        return Fraction(time // timedelta(microseconds=1), 1_000_000)
    try:
        finite = isfinite(time)
    except TypeError:
        raise SpecError(f"{NO_TIME}, got {time!r}"[:200]) from None
    if not finite:
        raise SpecError(f"a time is a finite number of seconds, got {time!r}")
    return Fraction(time) if isinstance(time, Decimal) else Fraction(repr(float(time)))


def _written(text: str) -> Fraction:
    clock = _CLOCK.fullmatch(text.strip())
    if clock is not None and (clock["hours"] is None or int(clock["minutes"]) < 60):
        seconds = int(clock["hours"] or 0) * 3600 + int(clock["minutes"]) * 60 + Fraction(clock["seconds"])
        return -seconds if clock["sign"] == "-" else seconds
    if _NUMBER.fullmatch(text.strip()):
        return Fraction(text.strip())
    raise SpecError(f"{NO_TIME}, got {text[:80]!r}")


def round_half_up(value: Fraction) -> int:
    """Return the nearest integer, halves going up: ``floor(value + 1/2)``.

    >>> [round_half_up(Fraction(n, 2)) for n in (1, 2, 3, -1)]
    [1, 1, 2, 0]
    """
    return floor(value + Fraction(1, 2))


def merge_spans(
    spans: Iterable[tuple[Fraction, Fraction]], duration: Fraction
) -> tuple[tuple[Fraction, Fraction], ...]:
    """Return the fewest sorted, disjoint spans that cover the same of ``[0, duration]`` as closed ``spans``.

    >>> merge_spans([(Fraction(2), Fraction(9)), (Fraction(-1), Fraction(1)), (Fraction(1), Fraction(1))], Fraction(4))
    ((Fraction(0, 1), Fraction(1, 1)), (Fraction(2, 1), Fraction(4, 1)))
    """
    merged: list[tuple[Fraction, Fraction]] = []
    for start, end in sorted(spans):
        if end < 0 or start > duration:
            continue
        low, high = max(start, Fraction(0)), min(end, duration)
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return tuple(merged)


@dataclass(frozen=True, slots=True)
class TimePiece:
    """A span of the input clock that runs at one speed.

    Attributes:
        start, end: seconds on the input clock, ``start < end``.
        out_start: where ``start`` lands on the output clock.
        speed: input seconds per output second; 0.5 is slow motion.
    """

    start: Fraction
    end: Fraction
    out_start: Fraction
    speed: Fraction

    @property
    def out_end(self) -> Fraction:
        """Where ``end`` lands on the output clock."""
        return self.out_start + (self.end - self.start) / self.speed


@dataclass(frozen=True, slots=True)
class TimeMap:
    """A monotonic, piecewise linear map from one clock to another; 0 goes to 0.

    The pieces cover ``[0, duration]`` without gaps; before the first and behind the last the map goes on at speed 1,
    so that the frame nearest to a border, which may lie just outside it, has a time as well.
    """

    pieces: tuple[TimePiece, ...]

    @staticmethod
    def identity(duration: Fraction) -> TimeMap:
        """Return the map of a stream of ``duration`` seconds onto itself."""
        return TimeMap((TimePiece(Fraction(0), duration, Fraction(0), Fraction(1)),))

    @staticmethod
    def from_speeds(duration: Fraction, segments: Sequence[tuple[Fraction, Fraction, Fraction]]) -> TimeMap:
        """Return the map for sorted, disjoint ``(start, end, speed)`` spans; what lies between them runs at speed 1.

        Spans are clipped to ``[0, duration]``.
        """
        pieces: list[TimePiece] = []
        here = Fraction(0)
        out = Fraction(0)

        def append(end: Fraction, speed: Fraction) -> None:
            nonlocal here, out
            if end > here:
                pieces.append(TimePiece(here, end, out, speed))
                out = pieces[-1].out_end
                here = end

        for start, end, speed in segments:
            append(min(start, duration), Fraction(1))
            append(min(end, duration), speed)
        append(duration, Fraction(1))
        return TimeMap(tuple(pieces)) if pieces else TimeMap.identity(duration)

    @property
    def duration(self) -> Fraction:
        """Length of the input, seconds."""
        return self.pieces[-1].end

    @property
    def out_duration(self) -> Fraction:
        """Length of the output, seconds."""
        return self.pieces[-1].out_end

    @property
    def is_identity(self) -> bool:
        """Whether every piece runs at speed 1."""
        return all(piece.speed == 1 for piece in self.pieces)

    def __call__(self, time: Fraction) -> Fraction:
        """Return where the input time ``time`` lands on the output clock.

        >>> slow = TimeMap.from_speeds(Fraction(3), [(Fraction(1), Fraction(2), Fraction(1, 2))])
        >>> [str(slow(Fraction(t))) for t in (-1, 1, 2, 3, 4)]
        ['-1', '1', '3', '4', '5']
        """
        first, last = self.pieces[0], self.pieces[-1]
        if time <= first.start:
            return first.out_start + (time - first.start)
        if time >= last.end:
            return last.out_end + (time - last.end)
        piece = self.pieces[bisect_right(self.pieces, time, key=lambda p: p.start) - 1]
        return piece.out_start + (time - piece.start) / piece.speed

    def inverse(self, time: Fraction) -> Fraction:
        """Return the input time that lands at ``time`` on the output clock."""
        first, last = self.pieces[0], self.pieces[-1]
        if time <= first.out_start:
            return first.start + (time - first.out_start)
        if time >= last.out_end:
            return last.end + (time - last.out_end)
        piece = self.pieces[bisect_right(self.pieces, time, key=lambda p: p.out_start) - 1]
        return piece.start + (time - piece.out_start) * piece.speed

    def then(self, after: TimeMap) -> TimeMap:
        """Return the map that applies this one and ``after`` it: one map for a clip with several speed stages."""
        cuts = {piece.start for piece in self.pieces} | {self.duration}
        cuts |= {t for piece in after.pieces if 0 < (t := self.inverse(piece.start)) < self.duration}
        edges = sorted(cuts)
        pieces = []
        for start, end in itertools.pairwise(edges):
            out_start, out_end = after(self(start)), after(self(end))
            pieces.append(TimePiece(start, end, out_start, (end - start) / (out_end - out_start)))
        return TimeMap(tuple(pieces))
