"""``follow_player``: from one click on a player to a crop that follows them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from math import hypot, inf, isfinite
from statistics import median_low
from typing import TYPE_CHECKING, Unpack

from reelproc.errors import SpecError, shown_address
from reelproc.jobs import DetectJob, DetectOptions
from reelproc.media.probe.anywhere import probe_address
from reelproc.players.camera import Camera, Framing, crop_path, outside, spotlight_regions
from reelproc.players.detect import run_detection
from reelproc.players.linking import SAME_PERSON_OVERLAP, LossReason, Walk, distinct, walk
from reelproc.players.result import FollowResult, LostSpan, Sighting
from reelproc.players.track import union_overlap
from reelproc.results import Detection, DetectResult, FrameDetections, ProgressCallback
from reelproc.timing import Time, exact

if TYPE_CHECKING:
    from reelproc.executors.base import Executor

DEFAULT_REACH_SECONDS = 3.0
"""What is followed before and after the mark where the caller does not say."""

WEAK_CONFIDENCE = 0.1
"""Detections of so little confidence still continue a track (see :data:`reelproc.players.linking.SURE_CONFIDENCE`)."""

IMAGE_SIZE = 1280
"""Pixels of the longer side in which the model sees a frame: players in wide shots are small."""

DEFAULT_FRAMING = Framing()

_KEYFRAME_SECONDS = 0.1
_REPORTED_GAP_SECONDS = 0.5
"""A player who is hidden for longer is named in the warnings."""

_FEWEST_LOOKS = 3
"""Up to this many do not tell the usual step from one to the next."""


def follow_player(
    source: str | os.PathLike[str],
    *,
    at: Time | None = None,
    point: tuple[float, float] | None = None,
    box: tuple[float, float, float, float] | None = None,
    start: Time | None = None,
    end: Time | None = None,
    framing: Framing = DEFAULT_FRAMING,
    max_gap: float = 2.0,
    rate: float = 10.0,
    detections: DetectResult | None = None,
    executor: Executor | None = None,
    progress: ProgressCallback = lambda _: None,
    **options: Unpack[DetectOptions],
) -> FollowResult:
    """Follow the player who is at ``point`` (or in ``box``) at the time ``at``, forwards and backwards.

    The frames are looked at ``rate`` times a second, each once. Everybody is tracked, by where they are, how they move
    and what they wear, so that the crop does not go over to somebody else; while the player is hidden it moves on, and
    where they are lost it stands still and the result says so.

    Args:
        source: the footage; opened here for its length, wherever the looking is done.
        at: when the player is where ``point`` or ``box`` says, seconds of the source; None: at ``start``.
        point: (x, y) on the player, pixels of the source.
        box: (left, top, right, bottom) around the player, instead of ``point``.
        start, end: the span to follow, seconds of the source; None: three seconds before and after ``at``, within the
            source.
        framing: the crop's shape, the player's share of it, and how fast it moves. Where the player leaves the crop,
            the result says so.
        max_gap: seconds out of sight after which the player counts as lost, 0.001 to 1000; half a second at the
            picture's edge.
        rate: looks per second, 0.001 to 1000; 10 is enough for a sprint.
        detections: the ``detections`` of an earlier result over this span, to follow somebody else without looking
            again; model, classes and rate are then what they were.
        executor: where to look; None: in this process.
        progress: is told how far it is.
        **options: ``classes``, ``model``, ``backend``, ``trust``, ``image_size``, ``on_damage``: see
            :class:`~reelproc.DetectJob`. Wide shots need a large ``image_size``, so it is 1280 here. ``confidence`` is
            0.1: weak detections continue a track.

    Raises:
        SpecError: nobody is there at that time, or the arguments make no sense.
        ReelprocError: as for :func:`detect_players`.
    """
    at, start, end = map(_seconds, (at, start, end))
    mark = _mark(at, point, box, start)
    _check(0.001, 1000, max_gap=max_gap, rate=rate)
    info = probe_address(source)
    video = info.require_video()
    first, last = _span(mark, start, end, info.duration)
    is_earlier = detections is not None
    if detections is None:
        how: DetectOptions = {"image_size": IMAGE_SIZE, "confidence": WEAK_CONFIDENCE, **options}
        job = DetectJob(source=source, times=_looks(first, last, mark, rate), **how)
        detections = run_detection(job, executor=executor, progress=progress)
    frames = _frames_of_span(detections, shown_address(os.fspath(source)), first, last, 1 / rate)
    size = detections.width, detections.height
    here = min(range(len(frames)), key=lambda k: abs(frames[k].time - mark))
    if abs(frames[here].time - mark) > 1 / rate:
        raise SpecError(f"the detections hold no frame near {mark:g} s; they are of another span, leave them out")
    longest = 1.5 * _usual_step(detections.frames, 1 / rate)
    forwards, backwards = _walks(frames, here, point, box, size, max_gap, longest)
    sightings = _sightings(frames, here, forwards, backwards)
    camera = Camera(*size, framing, video.sample_aspect_ratio)
    duration = last - first
    crop = crop_path(sightings, first, duration, camera, step=_KEYFRAME_SECONDS)
    lost = _lost(frames, sightings, forwards.reason, backwards.reason, first, last)
    if is_earlier:
        holes = _unseen_spans(frames, first, last, max(longest, 1.5 / rate))
        lost = tuple(sorted((*lost, *holes), key=lambda span: span.start))
    out = outside(sightings, first, crop)
    return FollowResult(
        source=os.fspath(source),
        start=first,
        end=last,
        width=size[0],
        height=size[1],
        sightings=sightings,
        aspect=framing.aspect,
        crop=crop,
        regions=spotlight_regions(sightings, first, duration, camera, step=_KEYFRAME_SECONDS),
        lost=lost,
        outside=out,
        warnings=(*detections.warnings, *_warnings(lost, out, sightings, 1.5 / rate)),
        detections=detections,
    )


def _seconds(time: Time | None) -> float | None:
    return time if time is None or isinstance(time, float) else float(exact(time))


def _mark(
    at: float | None,
    point: tuple[float, float] | None,
    box: tuple[float, float, float, float] | None,
    start: float | None,
) -> float:
    """Return the time at which the player is known."""
    if (point is None) == (box is None):
        raise SpecError(f"say where the player is by point or by box, got {'neither' if point is None else 'both'}")
    if not all(isfinite(value) for value in (point or ()) + (box or ())):
        raise SpecError(f"a point or box is finite numbers, got {point or box}")
    if len([*(point or ())]) not in (0, 2) or len([*(box or ())]) not in (0, 4):
        raise SpecError(f"a point is (x, y), a box (left, top, right, bottom), got {point or box}")
    if box is not None and not (box[0] < box[2] and box[1] < box[3]):
        raise SpecError(f"a box is (left, top, right, bottom) with left < right and top < bottom, got {box}")
    mark = start if at is None else at
    if mark is None or not isfinite(mark) or mark < 0:
        raise SpecError(f"say when the player is there: at is 0 or more seconds, got {mark}")
    return mark


def _check(least: float, most: float, **values: float) -> None:
    for name, value in values.items():
        if not (isfinite(value) and least <= value <= most):
            bounds = f"from {least:g} to {most:g}" if isfinite(most) else f"of {least:g} or more"
            raise SpecError(f"{name} is a number {bounds}, got {value!r}")


def _span(mark: float, start: float | None, end: float | None, duration: Fraction) -> tuple[float, float]:
    first = max(0.0, mark - DEFAULT_REACH_SECONDS) if start is None else start
    last = max(mark, min(mark + DEFAULT_REACH_SECONDS, float(duration))) if end is None else end
    if not (0 <= first <= mark <= last < inf and round(first, 6) < round(last, 6)):
        raise SpecError(
            f"a follow has 0 <= start <= at <= end and start < end, got start={first:g}, at={mark:g}, end={last:g}"
        )
    return round(first, 6), round(last, 6)


def _looks(first: float, last: float, mark: float, rate: float) -> list[float]:
    """Return when to look: ``rate`` times a second, and at the mark."""
    count = int((last - first) * rate + 1e-6) + 1
    return sorted({*(round(first + k / rate, 6) for k in range(count)), last, mark})


def _frames_of_span(result: DetectResult, source: str, first: float, last: float, step: float) -> list[FrameDetections]:
    """Return the frames of the span, each once, in order of time."""
    if result.source != source:
        raise SpecError(f"the detections are of {result.source!r}, expected {source!r}; leave them out")
    frames = {frame.pts: frame for frame in result.frames if first - step <= frame.time <= last + step}
    if not frames:
        raise SpecError(f"the detections hold no frame from {first:g} to {last:g} s; leave them out")
    return [frames[pts] for pts in sorted(frames)]


def _walks(
    frames: Sequence[FrameDetections],
    here: int,
    point: tuple[float, float] | None,
    box: tuple[float, float, float, float] | None,
    size: tuple[int, int],
    max_gap: float,
    longest_step: float,
) -> tuple[Walk, Walk]:
    """Return the walks forwards and backwards from the mark.

    A model often gives several boxes for one person. Of those around the mark, the one that leads furthest is theirs.
    """

    def both(target: Detection) -> tuple[Walk, Walk]:
        ahead, behind = (
            walk(part, target, width=size[0], height=size[1], max_gap=max_gap, longest_step=longest_step)
            for part in (frames[here:], frames[here::-1])
        )
        return ahead, behind

    def length(walks: tuple[Walk, Walk]) -> int:
        return sum(seen is not None for w in walks for seen in w.seen)

    return max((both(target) for target in _at_mark(frames[here], point, box)), key=length)


def _at_mark(
    frame: FrameDetections,
    point: tuple[float, float] | None,
    box: tuple[float, float, float, float] | None,
) -> list[Detection]:
    """Return the boxes of the person that is meant, the one that fits the mark best first.

    Raises:
        SpecError: nobody is there.
    """
    fits: list[tuple[float, Detection]] = []
    for seen in frame.detections:
        left, top, right, bottom = seen.corners
        air = 0.1 * seen.height
        if point is not None and left - air <= point[0] <= right + air and top - air <= point[1] <= bottom + air:
            fits.append((hypot(point[0] - seen.x, point[1] - seen.y) / seen.height, seen))
        if box is not None:
            given = Detection(
                x=(box[0] + box[2]) / 2,
                y=(box[1] + box[3]) / 2,
                width=box[2] - box[0],
                height=box[3] - box[1],
                confidence=1,
            )
            share = union_overlap(given, seen)
            if share >= 0.3:
                fits.append((1 - share, seen))
    if not fits:
        people = ", ".join(f"({d.x:.0f}, {d.y:.0f})" for d in distinct(frame.detections)) or "none"
        raise SpecError(
            f"nobody was found at {point or box} in the frame at {frame.time:.3f} s; found there: {people}. "
            "Mark one of them, or another time at which the player stands free",
            path=("point" if box is None else "box",),
        )
    fits.sort(key=lambda fit: fit[0])
    best = fits[0][1]
    return [seen for _, seen in fits if seen is best or union_overlap(seen, best) >= SAME_PERSON_OVERLAP]


def _sightings(frames: Sequence[FrameDetections], here: int, forwards: Walk, backwards: Walk) -> tuple[Sighting, ...]:
    found = [
        *zip(frames[here::-1], backwards.seen, backwards.crowded, strict=True),
        *list(zip(frames[here:], forwards.seen, forwards.crowded, strict=True))[1:],
    ]
    return tuple(
        Sighting(time=frame.time, detection=seen, crowded=crowded)
        for frame, seen, crowded in sorted(found, key=lambda item: item[0].pts)
        if seen is not None
    )


def _lost(
    frames: Sequence[FrameDetections],
    sightings: Sequence[Sighting],
    after: LossReason | None,
    before: LossReason | None,
    first: float,
    last: float,
) -> tuple[LostSpan, ...]:
    """Return where frames were looked at and the player was not seen."""
    spans = []
    if before is not None:
        spans.append(LostSpan(start=first, end=sightings[0].time, reason=before))
    looks = [frame.time for frame in frames]
    seen = {sighting.time for sighting in sightings}
    for one, two in pairwise(sightings):
        if any(one.time < look < two.time and look not in seen for look in looks):
            spans.append(LostSpan(start=one.time, end=two.time))
    if after is not None:
        spans.append(LostSpan(start=sightings[-1].time, end=last, reason=after))
    return tuple(span for span in spans if span.end > span.start)


def _usual_step(frames: Sequence[FrameDetections], step: float) -> float:
    """Return the usual seconds from one look to the next; ``step`` where they are too few to tell."""
    looks = sorted({frame.time for frame in frames})
    return median_low([two - one for one, two in pairwise(looks)]) if len(looks) > _FEWEST_LOOKS else step


def _unseen_spans(frames: Sequence[FrameDetections], first: float, last: float, longest: float) -> Iterator[LostSpan]:
    """Yield where one look lies further than ``longest`` seconds after another."""
    looks = [first, *(frame.time for frame in frames if first < frame.time < last), last]
    for one, two in pairwise(looks):
        if two - one > longest:
            yield LostSpan(start=one, end=two, reason="not looked at")


def _warnings(
    lost: Sequence[LostSpan], out: Sequence[LostSpan], sightings: Sequence[Sighting], step: float
) -> list[str]:
    said = []
    for span in lost:
        where = f"from {_when(span.start, span.end)}"
        if span.reason == "not looked at":
            said.append(f"the detections hold nothing {where}; leave them out, or follow less")
        elif span.reason is not None:
            said.append(f"the player is lost {where} ({span.reason}): the crop stands still")
        elif span.end - span.start > _REPORTED_GAP_SECONDS:
            said.append(f"the player is hidden {where}: the crop moves straight on")
    said += [f"the player is not wholly inside the crop: {_when(s.start, s.end)}" for s in out]
    crowds: list[list[float]] = []
    for sighting in sightings:
        if sighting.crowded and crowds and sighting.time - crowds[-1][1] <= step:
            crowds[-1][1] = sighting.time
        elif sighting.crowded:
            crowds.append([sighting.time, sighting.time])
    if crowds:
        spans = ", ".join(_when(one, two) for one, two in crowds)
        said.append(f"somebody else is in the player's place: {spans}; look there whether it is the right person")
    return said


def _when(one: float, two: float) -> str:
    return f"{one:.2f} s" if one == two else f"{one:.2f} to {two:.2f} s"
