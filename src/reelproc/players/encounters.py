"""Who is who after two people in like clothes have passed each other closer than their boxes jitter.

Step by step either box fits either of them. Seen from both sides of the encounter one assignment is straight: where two
walk on as they came, the line from one to the other turns through zero, and where the names were changed it comes back.
Only what lies between the two is looked at, so that the camera's own motion is in none of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import hypot

from reelproc.players.track import Track, colour_distance
from reelproc.results import Detection

Sightings = dict[int, Detection]
"""Of one track: what it was given, by the number of the frame."""

_CLOSE_HEIGHTS = 0.3
"""Heights: nearer than this, two boxes that jitter by a tenth each may be either's."""

_STRAIGHT_SECONDS = 1.5
"""How long before and after an encounter somebody is taken to keep their speed."""

_FEWEST_SIGHTINGS = 4
"""Sightings of both that a direction needs, on either side."""

_MAX_MISFIT_HEIGHTS, _MIN_IMPROVEMENT = 0.25, 2.0
"""Heights that the other assignment may be off, and how many times better than this one it must be."""

_MAX_COLOUR_DISTANCE = 0.1
"""How much the clothes of two may differ, 0 to 1, and still be taken for each other's."""

_Offset = tuple[int, float, float, float]
"""The number of a frame, its time, and how far the other is from the one, heights."""


def without_exchanges(
    one: Track, others: Mapping[int, tuple[Track, Sightings]], mine: Sightings, times: Sequence[float]
) -> Sightings:
    """Return the sightings of ``one``, with those of another from where the two were changed for each other.

    Args:
        one: whom the sightings are of.
        others: the other tracks and theirs.
        mine: those of ``one``.
        times: of the frames, seconds since the walk began.
    """
    theirs = {key: dict(sightings) for key, (_, sightings) in others.items()}
    met = sorted(
        (end, key)
        for key, (other, sightings) in others.items()
        if one.colours and colour_distance(one.colours, other.colours) < _MAX_COLOUR_DISTANCE
        for _, end in _encounters(_offsets(mine, sightings, times))
    )
    for end, key in met:
        apart = _offsets(mine, theirs[key], times)
        for begin, again in _encounters(apart):
            if again == end and (change := _exchange_frame(apart, begin, end)) is not None:
                mine, theirs[key] = (
                    {n: d for n, d in keep.items() if n < change} | {n: d for n, d in take.items() if n >= change}
                    for keep, take in ((mine, theirs[key]), (theirs[key], mine))
                )
    return mine


def _offsets(mine: Sightings, theirs: Sightings, times: Sequence[float]) -> list[_Offset]:
    """Return how far apart the two are where both were seen."""
    return [
        (n, times[n], (theirs[n].x - a.x) / a.height, (theirs[n].y - a.y) / a.height)
        for n, a in sorted(mine.items())
        if n in theirs
    ]


def _encounters(apart: Sequence[_Offset]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last place in ``apart`` of each stretch in which the two are close."""
    begin = None
    for place, (_, _, x, y) in enumerate(apart):
        if hypot(x, y) < _CLOSE_HEIGHTS:
            begin = place if begin is None else begin
        elif begin is not None:
            yield begin, place - 1
            begin = None


def _exchange_frame(apart: Sequence[_Offset], begin: int, end: int) -> int | None:
    """Return the number of the frame from which the names are exchanged; None if they are not, or nobody can tell."""
    since, until = apart[begin][1], apart[end][1]
    before = [a for a in apart[:begin] if since - a[1] <= _STRAIGHT_SECONDS]
    after = [a for a in apart[end + 1 :] if a[1] - until <= _STRAIGHT_SECONDS]
    if len(before) < _FEWEST_SIGHTINGS or len(after) < _FEWEST_SIGHTINGS:
        return None
    kept = _misfit(before, after)
    turned = _misfit(before, [(n, t, -x, -y) for n, t, x, y in after])
    if turned > _MAX_MISFIT_HEIGHTS or turned * _MIN_IMPROVEMENT > kept:
        return None
    (x, speed_x), (y, speed_y) = (_line(before, axis) for axis in (2, 3))
    nearest = -(x * speed_x + y * speed_y) / max(speed_x**2 + speed_y**2, 1e-9)
    return next((n for n, t, _, _ in apart[begin : end + 2] if t >= nearest), apart[end + 1][0])


def _misfit(before: Sequence[_Offset], after: Sequence[_Offset]) -> float:
    """Return the root mean square, in heights, by which both sides are off one straight line."""
    points = [*before, *after]
    squares = 0.0
    for axis in (2, 3):
        start, speed = _line(points, axis)
        squares += sum((p[axis] - start - speed * p[1]) ** 2 for p in points)
    return float((squares / len(points)) ** 0.5)


def _line(points: Sequence[_Offset], axis: int) -> tuple[float, float]:
    """Fit a line to one coordinate over time by least squares; return its value at 0 s and its gain per second."""
    count = len(points)
    time = sum(p[1] for p in points) / count
    value = sum(p[axis] for p in points) / count
    spread = sum((p[1] - time) ** 2 for p in points)
    speed = sum((p[1] - time) * (p[axis] - value) for p in points) / spread if spread else 0.0
    return value - speed * time, speed
