"""The part of every frame that is wanted: what a crop never shows need not cross the decoder's pipe.

An excerpt has one size and moves in steps, each at a known timestamp. So the decoder, which applies it, and the code
that asks it where a frame lies cannot disagree. Steps are rare: the excerpt is a little larger than what is wanted of
any frame, and stays where it is until the wanted part leaves it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

MIN_SLACK_PIXELS = 32
"""Pixels that an excerpt is at least larger than what is wanted, where that moves."""

MAX_STEPS = 250
"""ffmpeg evaluates all of them on every frame."""

MAX_EXCERPT_SHARE = 0.8
"""Share of a frame above which it is taken whole."""


class PixelBounds(NamedTuple):
    """Whole pixels that are wanted of one frame: edges, ``right`` and ``bottom`` exclusive."""

    left: int
    top: int
    right: int
    bottom: int


class ExcerptStep(NamedTuple):
    """From the frame ``pts`` on, the excerpt begins at this pixel."""

    pts: int
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A rectangle of one size, and where it lies when.

    Attributes:
        width, height: pixels, even.
        steps: in order of ``pts``, at least one; the first holds before its time too. Even coordinates.
    """

    width: int
    height: int
    steps: tuple[ExcerptStep, ...]

    def origin(self, pts: int) -> tuple[int, int]:
        """Return the pixel of the whole frame ``pts`` at which the excerpt begins: (x, y)."""
        at = bisect_right(self.steps, pts, key=lambda step: step.pts)
        step = self.steps[max(at - 1, 0)]
        return step.x, step.y

    def filter(self, time_base: Fraction) -> str:
        """Return the ffmpeg filter that cuts it out of a stream whose timestamps count in ``time_base``."""
        x, y = ([str(getattr(self.steps[0], axis))] for axis in "xy")
        for before, step in pairwise(self.steps):
            # half a unit before the frame: whatever the rounding, no frame's time lies on the edge
            since = f"gte(t,{float((step.pts - Fraction(1, 2)) * time_base)!r})"
            x += [f"{step.x - before.x:+d}*{since}"] if step.x != before.x else []
            y += [f"{step.y - before.y:+d}*{since}"] if step.y != before.y else []
        return f"crop=w={self.width}:h={self.height}:x={''.join(x)}:y={''.join(y)}"


def cover(wanted: Sequence[tuple[int, PixelBounds]], width: int, height: int) -> Excerpt | None:
    """Return the excerpt that holds what is wanted of every frame.

    Args:
        wanted: (pts, what of it) in order of pts, inside the frame.
        width, height: of the whole frame, pixels.

    Returns:
        None where that is nearly all of the frame, or the frame has an odd side.

    >>> cover([(0, PixelBounds(10, 0, 50, 40)), (1, PixelBounds(400, 0, 440, 40))], 640, 360)
    Excerpt(width=74, height=42, steps=(ExcerptStep(pts=0, x=10, y=0), ExcerptStep(pts=1, x=400, y=0)))
    """
    if not wanted or width % 2 or height % 2:
        return None
    parts = [part for _, part in wanted]
    across = _Axis.of([(p.left, p.right) for p in parts], width)
    down = _Axis.of([(p.top, p.bottom) for p in parts], height)
    slack = MIN_SLACK_PIXELS
    while True:
        x, y = across.widened(slack), down.widened(slack)
        if x.size * y.size > MAX_EXCERPT_SHARE * width * height:
            return None
        steps: list[ExcerptStep] = []
        for pts, part in wanted:
            old = (steps[-1].x, steps[-1].y) if steps else (None, None)
            new = x.place(part.left, part.right, old[0]), y.place(part.top, part.bottom, old[1])
            if new != old:
                steps.append(ExcerptStep(pts, *new))
        if len(steps) <= MAX_STEPS:
            return Excerpt(x.size, y.size, tuple(steps))
        slack *= 2


@dataclass(frozen=True, slots=True)
class _Axis:
    """One side of the excerpt."""

    size: int
    room: int
    moves: bool

    @classmethod
    def of(cls, spans: Sequence[tuple[int, int]], room: int) -> _Axis:
        lefts, rights = [left for left, _ in spans], [right for _, right in spans]
        size = max(right - left for left, right in spans) + 1  # an even place may lie one before what is wanted
        moves = max(rights) - min(lefts) > size
        return cls(min(size + size % 2, room), room, moves)

    def widened(self, slack: int) -> _Axis:
        return _Axis(min(self.size + slack, self.room), self.room, self.moves) if self.moves else self

    def place(self, left: int, right: int, old: int | None) -> int:
        """Where it begins: where it was, if that will do; else so that it can stay for long, should motion go on."""
        if old is not None and old <= left and right <= old + self.size:
            return old
        begin = left if old is None or left >= old else right - self.size
        begin = min(max(begin, 0), self.room - self.size)
        return begin + begin % 2 if begin < left else begin - begin % 2
