"""One person in motion: where they will be next, and how well a detection fits that."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, hypot, inf, log

from reelproc.results import Detection

_POSITION_GAIN, _VELOCITY_GAIN, _FIRST_VELOCITY_GAIN = 0.7, 0.35, 0.5
"""Of the alpha-beta filter that a track is."""

_COAST_SECONDS = 1.0
"""How long somebody out of sight is taken to keep going as before; then they slow down."""

_JITTER_HEIGHTS, _DRIFT_HEIGHTS_PER_SECOND, _SPRINT_HEIGHTS_PER_SECOND = 0.3, 0.8, 4.5
"""Body heights: how far off a prediction may be at once and more with every second, and how fast a stranger may be.

A box jitters by a tenth of its height or so, more where legs are hidden. A sprint of 8 m/s is 4.5 heights a second.
"""

_SIGHTINGS_FOR_SPEED = 2
"""Sightings after which a speed is more than the jitter of two boxes."""

_MAX_LOG_HEIGHT_CHANGE = 0.6
"""The most that the logarithm of the height may change from one sighting to the next: legs hidden behind another."""

_ODD_LOG_HEIGHT_CHANGE, _DOUBTED_GAIN = 0.2, 0.2
"""A box whose height is off by a fifth, or that two people share, moves a track by a fifth of what others do."""

_MAX_COLOUR_DISTANCE, _MAX_COLOUR_DISTANCE_AFTER_GAP = 0.35, 0.25
"""The most that the clothes' colours may differ, of 1; less where somebody was out of sight for half a second."""

_GAP_SECONDS = 0.5


@dataclass(slots=True)
class Track:
    """A person's position and speed, from their sightings so far.

    Attributes:
        x, y: the centre at ``time``, pixels.
        height: of the box, pixels, smoothed.
        velocity_x, velocity_y: pixels per second.
        colours: of the clothes, sRGB levels, smoothed; empty where none were measured.
        time: of the last sighting, seconds since the walk over the frames began.
        sightings: how many there were.
        last: the last one.
        born: the time of the first.
    """

    x: float
    y: float
    height: float
    velocity_x: float
    velocity_y: float
    colours: tuple[float, ...]
    time: float
    sightings: int
    last: Detection
    born: float

    @classmethod
    def of(cls, seen: Detection, time: float) -> Track:
        """Return a track that begins with ``seen``."""
        return cls(seen.x, seen.y, seen.height, 0.0, 0.0, levels(seen), time, 1, seen, time)

    def predicted(self, time: float) -> tuple[float, float]:
        """Return where the centre should be at ``time``: straight on, slowing down once out of sight for long."""
        ahead = time - self.time
        if ahead > _COAST_SECONDS:
            ahead = _COAST_SECONDS * (2.0 - exp(1.0 - ahead / _COAST_SECONDS))
        return self.x + self.velocity_x * ahead, self.y + self.velocity_y * ahead

    def box(self, time: float) -> Detection:
        """Return the last box, where it should be at ``time``."""
        x, y = self.predicted(time)
        return self.last.model_copy(update={"x": x, "y": y})

    def reach(self, time: float) -> float:
        """Return how far from the prediction a sighting at ``time`` may be, pixels."""
        gap = time - self.time
        rate = _DRIFT_HEIGHTS_PER_SECOND if self.sightings > _SIGHTINGS_FOR_SPEED else _SPRINT_HEIGHTS_PER_SECOND
        return self.height * (_JITTER_HEIGHTS + rate * gap)

    def cost(self, seen: Detection, time: float, shift: tuple[float, float] = (0.0, 0.0)) -> float:
        """Return how badly ``seen`` fits, about 0 to 2; ``inf`` where it cannot be this person.

        Args:
            seen: at ``time``.
            time: of the frame.
            shift: how far the camera has turned since, pixels.
        """
        x, y = self.predicted(time)
        distance = hypot(seen.x - x - shift[0], seen.y - y - shift[1]) / self.reach(time)
        size = abs(log(seen.height / self.height))
        colour = colour_distance(self.colours, levels(seen))
        most = _MAX_COLOUR_DISTANCE_AFTER_GAP if time - self.time > _GAP_SECONDS else _MAX_COLOUR_DISTANCE
        if distance > 1 or size > _MAX_LOG_HEIGHT_CHANGE or colour > most:
            return inf
        return distance + 0.5 * size + 2 * colour + 0.3 * (1 - seen.confidence)

    def see(self, seen: Detection, time: float, *, crowded: bool = False) -> None:
        """Take ``seen`` for this person at ``time``.

        Args:
            seen: fits them.
            time: of the frame.
            crowded: somebody else is in the box, too: it says little of where this person is heading, or wears.
        """
        odd = abs(log(seen.height / self.height)) > _ODD_LOG_HEIGHT_CHANGE
        belief = _DOUBTED_GAIN if self.sightings > _SIGHTINGS_FOR_SPEED and (crowded or odd) else 1.0
        x, y = self.predicted(time)
        gap = max(time - self.time, 1e-6)
        off_x, off_y = seen.x - x, seen.y - y
        gain = _FIRST_VELOCITY_GAIN if self.sightings == 1 else _VELOCITY_GAIN * belief
        self.velocity_x += gain * off_x / gap
        self.velocity_y += gain * off_y / gap
        speed = hypot(self.velocity_x, self.velocity_y)
        if speed > _SPRINT_HEIGHTS_PER_SECOND * self.height:  # a box that jumped
            self.velocity_x *= _SPRINT_HEIGHTS_PER_SECOND * self.height / speed
            self.velocity_y *= _SPRINT_HEIGHTS_PER_SECOND * self.height / speed
        self.x, self.y = x + _POSITION_GAIN * belief * off_x, y + _POSITION_GAIN * belief * off_y
        self.height += 0.3 * belief * (seen.height - self.height)
        new = levels(seen)
        if len(new) == len(self.colours):
            self.colours = tuple(
                old + 0.15 * belief * (level - old) for old, level in zip(self.colours, new, strict=True)
            )
        self.time, self.last = time, seen
        self.sightings += 1


def levels(seen: Detection) -> tuple[float, ...]:
    """Return the colours of ``seen`` as sRGB levels, three for each."""
    return tuple(float(int(colour[k : k + 2], 16)) for colour in seen.colours for k in (1, 3, 5))


def colour_distance(one: tuple[float, ...], two: tuple[float, ...]) -> float:
    """Return how much the clothes of two people differ, 0 to 1 (root mean square over all levels); 0 if unknown."""
    if not one or len(one) != len(two):
        return 0.0
    return float((sum((a - b) ** 2 for a, b in zip(one, two, strict=True)) / len(one)) ** 0.5 / 255)


def overlap(one: Detection, two: Detection) -> float:
    """Return the share of the smaller box that lies in the other, 0 to 1."""
    shared = _shared(one, two)
    return shared / min(one.width * one.height, two.width * two.height) if shared else 0.0


def union_overlap(one: Detection, two: Detection) -> float:
    """Return what two boxes share, of all that they cover, 0 to 1 (intersection over union)."""
    shared = _shared(one, two)
    return shared / (one.width * one.height + two.width * two.height - shared) if shared else 0.0


def _shared(one: Detection, two: Detection) -> float:
    """Square pixels that lie in both boxes."""
    left, top, right, bottom = one.corners
    left2, top2, right2, bottom2 = two.corners
    wide, high = min(right, right2) - max(left, left2), min(bottom, bottom2) - max(top, top2)
    if wide <= 0 or high <= 0:
        return 0.0
    return wide * high
