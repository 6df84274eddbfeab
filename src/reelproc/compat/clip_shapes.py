"""The clips of a multi-clip reel and of an annotated compilation, and the transition between them."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

from reelproc.compat.fields import FieldReader, RecordReader, spellings
from reelproc.compat.framing_shapes import crop_stage, read_segments, speed_stages
from reelproc.keyframes import Interpolation
from reelproc.ratings import RATINGS
from reelproc.reel import Clip
from reelproc.stages.banner import Banner
from reelproc.stages.base import Stage
from reelproc.stages.concat import Concat, Transition
from reelproc.stages.rotate import Rotate
from reelproc.timing import exact

_CLIP = spellings(
    "clip_index", "duration", "clip_name", "rotation", "source_start_time", "source_end_time",
    keyframes="keyframes cropKeyframes crop_keyframes",
    segment_data="segment_data segmentData segmentsData segments_data",
)  # fmt: skip
_TRANSITION = spellings("type", "duration")
_ANNOTATION = spellings("start_time", "end_time", "name", "notes", "rating", "tags")


def framed_clip(
    source: str,
    *,
    keyframes: FieldReader,
    segment_data: FieldReader,
    fps: Fraction,
    rotation: FieldReader,
    finish: tuple[Stage, ...] = (),
    interpolation: Interpolation = "linear",
    source_start: float = 0.0,
    source_end: float | None = None,
    duration: float | None = None,
) -> Clip:
    """Return a clip that is straightened, cropped along its keyframes and slowed down.

    Args:
        source: address of the footage.
        keyframes, segment_data, rotation: as the app stores them; times count from ``source_start``.
        fps: of the keyframes' frame numbers.
        finish: the stages after crop and speed.
        interpolation: between keyframes.
        source_start, source_end: the part of the source that the clip is.
        duration: of the clip, seconds, where it is known.

    Raises:
        SpecError: something is not as it should be.
    """
    if source_end is not None:
        duration = float(exact(source_end) - exact(source_start))
    segments = read_segments(segment_data, duration=duration)
    degrees = rotation.number(0.0)
    stages: list[Stage] = [Rotate(degrees=degrees)] if degrees % 360 else []
    stages.append(crop_stage(keyframes, fps=fps, trim_start=segments.trim_start, interpolation=interpolation))
    stages.extend(speed_stages(segments))
    stages.extend(finish)
    if duration is not None and segments.trim_start >= duration:
        raise segment_data.refused(f"a trim that starts within the clip's {duration:g} s")
    end = source_end
    if segments.trim_end is not None:
        trimmed = float(exact(source_start) + exact(segments.trim_end))
        end = trimmed if end is None else min(end, trimmed)
    return Clip(source=source, start=float(exact(source_start) + exact(segments.trim_start)), end=end, stages=stages)


def clips_in_order(clips: FieldReader, sources: list[str]) -> list[tuple[str, RecordReader]]:
    """Return each clip with its source, in the order of ``clipIndex``, which is also the number of its source.

    Raises:
        SpecError: clips and sources do not match one to one: a clip would be left out, or made twice.
    """
    items = clips.items()
    if not items:
        raise clips.refused("a list with at least one clip")
    if len(items) != len(sources):
        raise clips.refused(f"one clip for each of the {len(sources)} source_keys", f"there are {len(items)} clips")
    found: dict[int, RecordReader] = {}
    for number, item in enumerate(items):
        fields = item.record(_CLIP)
        index = fields["clip_index"].whole(number, most=len(sources) - 1)
        if index in found:
            raise fields["clip_index"].refused("another index than the clips before it", "number the clips from 0")
        found[index] = fields
    return [(sources[index], found[index]) for index in sorted(found)]


def clip_of(
    source: str, fields: RecordReader, *, fps: Fraction, finish: tuple[Stage, ...], interpolation: Interpolation
) -> Clip:
    """Return a clip of ``clips_data``."""
    start = fields["source_start_time"].number(0.0, least=0)
    end = fields["source_end_time"]
    return framed_clip(
        source,
        keyframes=fields["keyframes"],
        segment_data=fields["segment_data"],
        fps=fps,
        rotation=fields["rotation"],
        finish=finish,
        interpolation=interpolation,
        source_start=start,
        source_end=end.number(above=start) if end.given else None,
        duration=fields["duration"].number(above=0) if fields["duration"].given else None,
    )


def read_transition(item: FieldReader) -> Concat:
    """Return ``{type, duration}``; a cut where there is none.

    Raises:
        SpecError: it is none.
    """
    if not item.given:
        return Concat()
    fields = item.record(_TRANSITION)
    kind = fields["type"].choice("cut", "fade", "dissolve", default="cut")
    return Concat(transition=cast("Transition", kind), duration=fields["duration"].number(0.5, least=0))


def annotated_clip(item: FieldReader, source: str) -> Clip:
    """Return a clip of a compilation: a span of the source under its banner.

    Raises:
        SpecError: it is not as it should be.
    """
    fields = item.record(_ANNOTATION)
    start, end = fields["start_time"].number(least=0), fields["end_time"]
    if end.number() <= start:
        raise end.refused(f"a number above {start:g}, the clip's start")
    banner = Banner(
        rating=fields["rating"].whole(least=min(RATINGS), most=max(RATINGS)),
        name=fields["name"].prose("") or None,
        notes=fields["notes"].prose("") or None,
        tags=_tags(fields["tags"]),
    )
    return Clip(source=source, start=start, end=end.number(), stages=[banner])


def _tags(item: FieldReader) -> list[str]:
    if isinstance(item.value, str):  # as in the annotation table
        return [tag for tag in (part.strip() for part in item.prose().split(",")) if tag]
    return [tag.prose() for tag in item.items()]
