"""Crop keyframes, trims and speeds, in every form in which the app has stored them, as stages.

All times that the app stores with a clip count from the clip's own start, *before* its trim: so do its keyframes (the
editor marks the trim by keyframes of origin ``trim``) and its speed segments. A stage sees only what the trim leaves,
so this is the one place where the trim is taken off, once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from reelproc.compat.fields import FieldReader, RecordReader, refused, spellings
from reelproc.keyframes import Interpolation
from reelproc.stages.crop import Crop, CropKeyframe
from reelproc.stages.speed import MAX_SPEED, MIN_SPEED, Speed, SpeedSegment
from reelproc.timing import exact

ENDLESS_SECONDS = 1e6
"""The end of what has no end yet: the plan ignores what lies after the source's."""

_KEYFRAME = spellings("time", "frame", "x", "y", "width", "height", "origin")
_SEGMENTS = spellings(
    "trim_start", "trim_end", "segments", "boundaries", "user_splits", "segment_speeds",
    trim_range="trimRange trim_range",
)  # fmt: skip
_RANGE = spellings("start", "end")
_SEGMENT = spellings("start", "end", "speed")


def shifted(time: float, by: float) -> float:
    """Return ``time - by`` without the noise of binary fractions.

    >>> shifted(0.3, 0.1), 0.3 - 0.1
    (0.2, 0.19999999999999998)
    """
    return float(exact(time) - exact(by))


def keyframe_time(keyframe: RecordReader, fps: Fraction) -> float:
    """Return the seconds of a keyframe that says its ``time``, or its ``frame`` at ``fps``.

    Raises:
        SpecError: it says neither, or two different times.
    """
    time, frame = keyframe["time"], keyframe["frame"]
    if not frame.given:
        return time.number()
    try:
        at = float(exact(frame.number()) / fps)
    except OverflowError:
        raise frame.refused(f"a frame at {float(fps):g} frames per second that has a time") from None
    if time.given and abs(time.number() - at) > 0.5 / float(fps):
        raise time.refused(f"frame / fps = {at:g} s, as its frame says", "give one of the two")
    return time.number() if time.given else at


def crop_stage(keyframes: FieldReader, *, fps: Fraction, trim_start: float = 0.0, interpolation: Interpolation) -> Crop:
    """Return the crop along the app's keyframes; without any, the largest centred one.

    Args:
        keyframes: ``{time or frame, x, y, width, height, origin?}``, in any order.
        fps: of the keyframes' frame numbers.
        trim_start: what the trim takes off the clip's start, seconds.
        interpolation: between keyframes.

    Raises:
        SpecError: a keyframe is not as it should be, or there are two different ones at one time.
    """
    found: dict[float, CropKeyframe] = {}
    for item in keyframes.items():
        fields = item.record(_KEYFRAME)
        if fields["origin"].given:
            fields["origin"].choice("permanent", "user", "trim")
        keyframe = CropKeyframe(
            time=shifted(keyframe_time(fields, fps), trim_start),
            x=fields["x"].number(),
            y=fields["y"].number(),
            width=fields["width"].number(above=0),
            height=fields["height"].number(above=0),
        )
        if found.setdefault(keyframe.time, keyframe) != keyframe:
            raise item.refused("another time than the keyframes before it", "a crop has one window at a time")
    return Crop(keyframes=list(found.values()), interpolation=interpolation)


@dataclass(frozen=True, slots=True)
class Segments:
    """What a clip's segment data says.

    Attributes:
        trim_start: seconds of the clip that are left out at its start.
        trim_end: seconds of the clip at which it ends; None: at its own end.
        speeds: (start, end, speed) in seconds of the untrimmed clip, where the speed is not 1.
    """

    trim_start: float = 0.0
    trim_end: float | None = None
    speeds: tuple[tuple[float, float, float], ...] = ()


def read_segments(item: FieldReader, *, duration: float | None = None) -> Segments:
    """Return the trim and the speeds of a clip.

    Args:
        item: ``{trim_start, trim_end, segments}``, ``{trimRange, segments}`` or the editor's own
            ``{boundaries, userSplits, trimRange, segmentSpeeds}``; or nothing.
        duration: of the clip, seconds, where it is known: ends the editor's last interval.

    Raises:
        SpecError: it is none of these.
    """
    if not item.given:
        return Segments()
    fields = item.record(_SEGMENTS)
    start, end = _trim(fields)
    listed, numbered = fields["segments"], fields["segment_speeds"]
    if listed.items() and numbered.given and numbered.value:
        raise numbered.refused("no speeds beside those of segments", "give one of the two")
    speeds = _listed(listed) if listed.items() else _numbered(fields, duration)
    return Segments(start, end, tuple(s for s in speeds if s[2] != 1))


def _trim(fields: RecordReader) -> tuple[float, float | None]:
    """Return the trim, of whichever form; both forms, where both are given, must say the same."""
    apart = _bounds(fields["trim_start"], fields["trim_end"])
    trim = fields["trim_range"]
    if not trim.given:
        return apart
    if isinstance(trim.value, Sequence) and not isinstance(trim.value, (str, bytes)):
        ends = trim.items()
        if len(ends) != 2:
            raise trim.refused("[start, end]")
        together = _bounds(*ends)
    else:
        bounds = trim.record(_RANGE)
        together = _bounds(bounds["start"], bounds["end"])
    if fields.first("trim_start", "trim_end") and apart != together:
        raise trim.refused(f"the same trim as trim_start and trim_end ({apart[0]:g}, {apart[1]})", "give it once")
    return together


def _bounds(start: FieldReader, end: FieldReader) -> tuple[float, float | None]:
    first = start.number(0.0, least=0)
    return first, end.number(above=first) if end.given else None


def _listed(segments: FieldReader) -> list[tuple[float, float, float]]:
    """Return ``[{start, end, speed}]``."""
    speeds = []
    for item in segments.items():
        fields = item.record(_SEGMENT)
        start = fields["start"].number(least=0)
        end = fields["end"].number(above=start)
        speeds.append((start, end, fields["speed"].number(1.0, least=MIN_SPEED, most=MAX_SPEED)))
        for before in speeds[:-1]:
            if before[0] < end and start < before[1]:
                raise item.refused(
                    f"no overlap with the segment from {before[0]:g} to {before[1]:g} s", "cut one of them"
                )
    return sorted(speeds)


def _numbered(fields: RecordReader, duration: float | None) -> list[tuple[float, float, float]]:
    """Return the editor's segments: interval ``i`` lies between boundaries ``i`` and ``i + 1``."""
    boundaries = _boundaries(fields, duration)
    table = fields["segment_speeds"]
    if not table.given:
        return []
    if not isinstance(table.value, Mapping):
        raise table.refused("an object of interval numbers and speeds")
    last = len(boundaries) - 1
    speeds = []
    for key, value in table.value.items():
        item = FieldReader(value, (*table.path, str(key)))
        number = int(str(key)) if re.fullmatch("[0-9]{1,6}", str(key)) else -1
        most = last if duration is None else last - 1
        if not 0 <= number <= most:
            raise refused(item.path, key, f"the number of an interval between boundaries, '0' to '{most}'")
        # after the last boundary only where the writer left the clip's end out
        end = boundaries[number + 1] if number < last else boundaries[last] + ENDLESS_SECONDS
        speeds.append((boundaries[number], end, item.number(1.0, least=MIN_SPEED, most=MAX_SPEED)))
    return sorted(speeds)


def _boundaries(fields: RecordReader, duration: float | None) -> list[float]:
    """Return the editor's boundaries with 0 and the clip's end, which some writers leave out."""
    item = fields["boundaries"] if fields["boundaries"].items() else fields["user_splits"]
    boundaries = [0.0]
    for number in item.items():
        value = number.number(least=0)
        if value == 0 and len(boundaries) == 1 and number.path[-1] == 0:
            continue
        if value <= boundaries[-1]:
            raise number.refused(f"a number above {boundaries[-1]:g}", "boundaries are sorted, without doubles")
        boundaries.append(value)
    if duration is not None and duration > boundaries[-1]:
        boundaries.append(duration)
    return boundaries


def speed_stages(segments: Segments) -> list[Speed]:
    """Return the speeds as a stage that sees the trimmed clip; none where all of it runs at speed 1."""
    start, end = segments.trim_start, segments.trim_end
    kept = []
    for begin, stop, speed in segments.speeds:
        first, last = max(begin, start), stop if end is None else min(stop, end)
        if first < last:
            kept.append(SpeedSegment(start=shifted(first, start), end=shifted(last, start), speed=speed))
    return [Speed(segments=kept)] if kept else []
