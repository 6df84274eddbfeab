"""One person through many frames: everybody is tracked, so that nobody's detection is taken for somebody else's.

From the frame in which the person is known, the frames are walked in both directions. At every step all tracks get the
detections that fit them best together (:func:`~reelproc.players.assignment.assign`); what the camera's own motion adds
is estimated from all of them and taken out. A person who is not seen for a while coasts on. Where two strangers could
be them, neither is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from statistics import median
from typing import Literal

from reelproc.players.assignment import assign
from reelproc.players.encounters import Sightings, without_exchanges
from reelproc.players.track import Track, overlap, union_overlap
from reelproc.results import Detection, FrameDetections

LossReason = Literal["left the picture", "not seen", "could be one of several", "not looked at"]
"""Why somebody is not followed; the last: there are no frames to look at."""

_UNMATCHED_COST = 1.6
"""The cost of not seeing somebody; what costs more is no match."""

_MIN_COST_LEAD = 0.25
"""After a gap, a match must be this much better than the next that nobody else claims."""

SURE_CONFIDENCE = 0.3
"""The confidence from which a detection begins a track; a weaker one only continues one (as in ByteTrack: Zhang et al.,
"ByteTrack: multi-object tracking by associating every detection box", ECCV 2022)."""

_GAP_SECONDS = 0.5
"""Out of sight for longer: a match is doubted, and at the picture's edge they count as lost."""

_RECENT_SECONDS = 0.25
"""Who was seen this recently may crowd somebody."""

_EDGE_SHARE = 0.02
"""Share of a side of the picture within which a box is at its edge."""

_CROWDED_OVERLAP = 0.5
"""Share of the smaller of two boxes within the other, above which the people may be confused."""

SAME_PERSON_OVERLAP = 0.5
"""Intersection over union of two boxes from which they are of one person."""

_STRANGER_COST = 0.3
"""Added for a track that has been seen once or twice: it may be a second box of one that is known."""

_MOST_DETECTIONS = 60
"""Detections of a frame that a walk looks at, the surest."""


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk over frames found of one person.

    Attributes:
        seen: for each frame that was walked over the detection of the person, or None.
        crowded: for each, whether somebody else covers half of them, or they of somebody else: the two may be confused.
        reason: why they are not seen at the end, None where they are.
    """

    seen: tuple[Detection | None, ...]
    crowded: tuple[bool, ...]
    reason: LossReason | None


def walk(
    frames: Sequence[FrameDetections],
    target: Detection,
    *,
    width: int,
    height: int,
    max_gap: float = 2.0,
    longest_step: float = 0.0,
) -> Walk:
    """Follow ``target``, a detection of the first of ``frames``, through the others.

    Args:
        frames: in order of time, or in reverse.
        target: whom to follow.
        width, height: of the frames, pixels.
        max_gap: seconds out of sight after which they count as lost; half a second at the picture's edge.
        longest_step: seconds up to which one frame follows the other; where nobody looked for longer (and for longer
            than ``max_gap``), there is a hole, after which they are lost.
    """
    begin = frames[0].time
    others = (d for d in distinct(frames[0].detections) if union_overlap(d, target) < SAME_PERSON_OVERLAP)
    tracks = [Track.of(d, 0.0) for d in (target, *others)]
    wanted = tracks[0]
    longest_between_looks = max(max_gap, longest_step)
    times = [abs(frame.time - begin) for frame in frames]
    followed: dict[int, tuple[Track, Sightings]] = {}
    seen: list[Detection | None] = [target]
    crowded = [_is_crowded(wanted, target, tracks, 0.0)]
    reason: LossReason | None = None
    for number, frame in enumerate(frames[1:], 1):
        now = times[number]
        found = None
        if seen[-1] is not None:  # nobody has looked since: that is not being out of sight
            longest = longest_between_looks
        else:
            longest = _GAP_SECONDS if _at_edge(wanted.last, width, height) else max_gap
        if now - wanted.time <= longest:
            found, reason = _step(tracks, wanted, surest(frame.detections), now)
            for track in tracks:  # who was seen now; it costs no more to ask all
                if track.time == now and track is not wanted:
                    followed.setdefault(id(track), (track, {}))[1][number] = track.last
            if found is None and reason is None:
                reason = "left the picture" if _at_edge(wanted.last, width, height) else "not seen"
        else:  # they are lost: whoever looks like them later is somebody else until told otherwise
            reason = reason or "not seen"
        seen.append(found)
        crowded.append(found is not None and _is_crowded(wanted, found, tracks, now))
        tracks = [t for t in tracks if t is wanted or now - t.time <= max_gap]
    mine = without_exchanges(wanted, followed, {n: d for n, d in enumerate(seen) if d is not None}, times)
    if mine.get(len(seen) - 1) is not None:
        reason = None
    elif seen[-1] is not None:
        reason = "not seen"
    return Walk(tuple(mine.get(n) for n in range(len(seen))), tuple(crowded), reason)


def _step(
    tracks: list[Track], wanted: Track, detections: Sequence[Detection], now: float
) -> tuple[Detection | None, LossReason | None]:
    """Let every track see what fits it; who fits nobody begins a track. Gives what ``wanted`` got."""
    given, costs = _assigned(tracks, detections, now, (0.0, 0.0))
    shift = _camera_shift(tracks, given, detections, now)
    if shift != (0.0, 0.0):
        given, costs = _assigned(tracks, detections, now, shift)
    mine = next(k for k, t in enumerate(tracks) if t is wanted)
    reason: LossReason | None = None
    is_back = given[mine] is not None and now - wanted.time > _GAP_SECONDS
    if is_back and _is_doubtful(mine, given, costs, tracks, detections, now):
        given[mine], reason = None, "could be one of several"
    for track, column in zip(tracks, given, strict=True):
        if column is not None:
            seen = detections[column]
            track.see(seen, now, crowded=_is_crowded(track, seen, tracks, now))
        else:  # out of sight: they move with the camera like everybody
            track.x, track.y = track.x + shift[0], track.y + shift[1]
    taken = [detections[column] for column in given if column is not None]
    tracks.extend(
        Track.of(seen, now)
        for seen in detections
        if seen.confidence >= SURE_CONFIDENCE
        and all(union_overlap(seen, other) < SAME_PERSON_OVERLAP for other in taken)
    )  # a box over one that is taken is the same person once more
    number = given[mine]
    return (None if number is None else detections[number]), reason


def _assigned(
    tracks: Sequence[Track], detections: Sequence[Detection], now: float, shift: tuple[float, float]
) -> tuple[list[int | None], list[list[float]]]:
    """For every track its detection or None, first of the sure ones, then of the weak; and what each pair costs."""
    costs = [[t.cost(d, now, shift) + (0.0 if t.sightings > 2 else _STRANGER_COST) for d in detections] for t in tracks]
    given: list[int | None] = [None] * len(tracks)
    for is_sure in (True, False):
        rows = [k for k, column in enumerate(given) if column is None]
        columns = [c for c, d in enumerate(detections) if (d.confidence >= SURE_CONFIDENCE) is is_sure]
        chosen = assign([[costs[k][c] for c in columns] for k in rows], unmatched=_UNMATCHED_COST)
        for k, pick in zip(rows, chosen, strict=True):
            given[k] = None if pick is None else columns[pick]
    return given, costs


def _is_doubtful(
    mine: int,
    given: Sequence[int | None],
    costs: Sequence[Sequence[float]],
    tracks: Sequence[Track],
    detections: Sequence[Detection],
    now: float,
) -> bool:
    """Return whether somebody else, whom no older track claims, fits nearly as well; second boxes do not count."""
    number = given[mine]
    assert number is not None
    # only of those who were there before can be said that they are somebody else
    old = {k for k, t in enumerate(tracks) if k != mine and t.born < tracks[mine].time and now - t.time <= _GAP_SECONDS}
    claimed = {given[k] for k in old}
    others = (
        cost
        for column, cost in enumerate(costs[mine])
        if column not in claimed and union_overlap(detections[column], detections[number]) < SAME_PERSON_OVERLAP
    )
    return min(others, default=inf) - costs[mine][number] < _MIN_COST_LEAD


def _camera_shift(
    tracks: Sequence[Track], given: Sequence[int | None], detections: Sequence[Detection], now: float
) -> tuple[float, float]:
    """Return how far everybody is off their prediction, pixels: the camera. (0, 0) where too few are seen to tell."""
    off = []
    for track, column in zip(tracks, given, strict=True):
        if column is not None and track.sightings > 1:
            x, y = track.predicted(now)
            off.append((detections[column].x - x, detections[column].y - y))
    if len(off) < 4:
        return 0.0, 0.0
    return median(x for x, _ in off), median(y for _, y in off)


def surest(detections: Sequence[Detection]) -> list[Detection]:
    """Return the surest detections, as many as a walk looks at, the surest first."""
    return sorted(detections, key=lambda d: -d.confidence)[:_MOST_DETECTIONS]


def distinct(detections: Sequence[Detection]) -> list[Detection]:
    """Return the surest, without boxes that all but repeat a surer one."""
    kept: list[Detection] = []
    for seen in surest(detections):
        if all(union_overlap(seen, other) < SAME_PERSON_OVERLAP for other in kept):
            kept.append(seen)
    return kept


def _at_edge(seen: Detection, width: int, height: int) -> bool:
    left, top, right, bottom = seen.corners
    across, down = _EDGE_SHARE * width, _EDGE_SHARE * height
    return left < across or top < down or right > width - across or bottom > height - down


def _is_crowded(track: Track, seen: Detection, tracks: Sequence[Track], now: float) -> bool:
    """Return whether somebody else, who is known, should be in half of the box in which ``track`` was seen."""
    others = (
        t for t in tracks if t is not track and (t.sightings > 2 or t.born == 0) and now - t.time <= _RECENT_SECONDS
    )
    return any(overlap(seen, other.box(now)) > _CROWDED_OVERLAP for other in others)
