"""Resolve a Reel against its sources: for every output frame, which source frame to show and at which time.

All questions of timing are answered here, in exact arithmetic, before anything is decoded. The rules:

* A clip of ``duration`` seconds has ``floor(duration * fps + 1/2)`` frames, at least 1.
* Output frame ``n`` of a clip is shown at ``n / fps`` and takes the source frame whose time (after the clip's ``Speed``
  stages) is nearest, the earlier on a tie; past the end the last frame holds.
* A ``dissolve`` overlaps two clips by its frames, a ``fade`` overlaps nothing.
* The output is cut into segments of about :data:`SEGMENT_SECONDS`, which depend on the plan alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from reelproc.errors import SpecError
from reelproc.media.container.containers import MAX_PIXELS
from reelproc.media.shown_frames import HOLD_SECONDS, frame_schedule
from reelproc.reel import Clip, Output, Reel
from reelproc.render.plan import Plan, PlannedClip, Segment, SourceFrames
from reelproc.stages.base import Mismatch, Stage, StreamInfo, Target
from reelproc.stages.crop import Crop, CropKeyframe
from reelproc.stages.upscale import Upscale
from reelproc.timing import TimeMap, exact, round_half_up

if TYPE_CHECKING:
    from reelproc.media.info import MediaInfo
    from reelproc.pixels.frame import Window

SEGMENT_SECONDS = 10
"""About how long a segment is: the unit of resuming and of parallel work."""

MAX_FRAMES = 24 * 3600 * 30
"""The most frames of a reel: a day at 30 per second. More means a mistyped time or a file whose timestamps lie."""

MANY = 8
"""How many misplaced parts a strict plan names: a program that got one wrong got all wrong."""

LATE_SECONDS = Fraction(1, 5)
"""A clip whose first frame comes later than this after its start gets a warning."""


def segment_bounds(frame_count: int, fps: Fraction) -> tuple[tuple[int, int], ...]:
    """Cut ``frame_count`` frames into ranges of about :data:`SEGMENT_SECONDS`, none shorter than half of that.

    >>> segment_bounds(750, Fraction(30))
    ((0, 250), (250, 500), (500, 750))
    """
    pieces = max(1, min(round_half_up(frame_count / (fps * SEGMENT_SECONDS)), frame_count))
    edges = [i * frame_count // pieces for i in range(pieces + 1)]
    return tuple((a, b) for a, b in pairwise(edges) if b > a)


def make_plan(
    reel: Reel,
    sources: Sequence[tuple[str, MediaInfo, SourceFrames]],
    *,
    hold: bool = False,
    strict: bool = False,
) -> Plan:
    """Resolve ``reel``.

    Args:
        reel: what to make.
        sources: for each clip the address of its footage, its probe, and the timestamps around the wanted range.
        hold: allow a clip to reach any distance past the end of its source (``on_damage="conceal"``).
        strict: refuse, instead of warning of it, what a stage has outside its picture or its time.

    Raises:
        SpecError: what was asked for is not possible with these sources; ``error.path`` names the clip or stage.
    """
    warnings: list[str] = []
    notes: list[str] = []
    target = reel.output.target
    fps = reel.output.fps
    planned: list[PlannedClip] = []
    times: tuple[Fraction, ...] = ()
    first = 0
    misfits: list[Mismatch] = []
    overlap, fade_out, fade_in = _transition(reel)
    for index, (clip, (source, info, frames)) in enumerate(zip(reel.clips, sources, strict=True)):
        start, end = _span(index, clip, frames, hold=hold, holds=fps is not None, warnings=warnings)
        if fps is None:
            kept, start, times = _own_timestamps(index, start, end, frames)
        stages, streams, clocks = _resolve(
            index,
            clip,
            info=info,
            duration=end - start,
            target=target,
            output=reel.output,
            warnings=warnings,
            notes=notes,
        )
        if fps is not None:
            count = max(1, round_half_up(streams[-1].duration * fps))
            _check_length(index, clip, first + count, streams[-1].duration)
            shown = [clocks[-1](frames.time(p) - start) for p in frames.pts]
            kept = tuple(frames.pts[i] for i in frame_schedule(shown, count, fps))
        _check_transition(reel, index, len(kept), overlap=overlap, fade_out=fade_out, fade_in=fade_in)
        planned.append(
            PlannedClip(index, source, info, frames, start, end, stages, streams, clocks, target, first, kept)
        )
        warnings += [w for w in (f"{info.path}: {said}" for said in info.warnings) if w not in warnings]
        misfits += _mismatches(planned[-1], clip)
        first += len(kept) - overlap
        # the first clip's size, where the output names none, is everybody's
        target = replace(target, width=streams[-1].width, height=streams[-1].height)
    if misfits and strict:
        more = f"; and {len(misfits) - MANY} more" if len(misfits) > MANY else ""
        raise SpecError("; ".join(misfit.text for misfit in misfits[:MANY]) + more, path=misfits[0].path)
    warnings += [misfit.text for misfit in misfits]
    total = first + overlap
    output = reel.output.model_copy(update={"width": target.width, "height": target.height})
    plan = Plan(
        tuple(planned), output, total, fps, times, overlap, fade_out, fade_in, (), None, tuple(warnings), tuple(notes)
    )
    return replace(plan, segments=tuple(Segment(a, b) for a, b in segment_bounds(total, plan.nominal_rate)))


def _mismatches(planned: PlannedClip, clip: Clip) -> list[Mismatch]:
    """Return what the stages of a clip have outside the picture or the time that they work on."""
    since = [planned.frames.time(pts) - planned.start for pts in dict.fromkeys(planned.pts)]
    times: dict[TimeMap, list[float]] = {}
    found = []
    for number, stage in enumerate(planned.stages[: len(clip.stages)]):  # the others are implied by the output
        clock, stream = planned.clocks[number], planned.streams[number]
        if clock not in times:
            times[clock] = [float(clock(time)) for time in since]
        misfits = stage.mismatches(stream, planned.target, times[clock])
        for misfit in misfits + _cropped_away(planned, number, times[clock], since):
            before = ""
            if (stream.width, stream.height) != (planned.streams[0].width, planned.streams[0].height):
                made = f"{planned.streams[0].width}x{planned.streams[0].height} to {stream.width}x{stream.height}"
                before = f" (the stages before it bring the picture from {made}: the order of stages counts)"
            found.append(
                Mismatch(
                    f"clip {planned.index} ({clip.source}), stage {number} ({stage.stage}): {misfit.text}{before}",
                    ("clips", planned.index, "stages", number, *misfit.path),
                )
            )
    return found


def _cropped_away(
    planned: PlannedClip, number: int, times: Sequence[float], since: Sequence[Fraction]
) -> tuple[Mismatch, ...]:
    """Return what stage ``number`` draws and the first crop after it cuts away on every frame."""
    later = range(number + 1, len(planned.stages))
    moving = (i for i in later if planned.stages[i].changes_pixels and not planned.stages[i].draws_only)
    place = next(moving, None)
    if place is None:
        return ()
    crop, clock = planned.stages[place], planned.clocks[place]
    window_at = crop.window_at(planned.streams[place], planned.target)
    if window_at is None:
        return ()

    def window_of(frame: int) -> Window:
        return window_at(float(clock(since[frame])))

    name = f"stage {place} ({crop.stage})"
    return planned.stages[number].cropped_away(planned.streams[number], times, window_of, name)


def _check_length(index: int, clip: Clip, count: int, seconds: Fraction) -> None:
    """Refuse a reel that nobody can mean, before anything is reserved for it."""
    if count > MAX_FRAMES:
        raise SpecError(
            f"clip {index} ({clip.source}) lasts {float(seconds):.6g} s, which makes {count} frames; a reel has "
            f"at most {MAX_FRAMES}. Name an end; if there is one, the source's timestamps jump",
            path=("clips", index),
        )


def _span(
    index: int, clip: Clip, frames: SourceFrames, *, hold: bool, holds: bool, warnings: list[str]
) -> tuple[Fraction, Fraction]:
    """Return the clip's start and end on the source's clock.

    Args:
        index: the clip's place in the reel.
        clip: the clip.
        frames: of its source.
        hold: allow any distance past the source's end.
        holds: whether a last frame is held at all.
        warnings: added to.
    """
    start = exact(clip.start)
    end = frames.end if clip.end is None else exact(clip.end)
    at = f"clip {index} ({clip.source})"
    if start >= frames.end and not (hold and frames.pts):
        raise SpecError(
            f"{at} starts at {clip.start:g} s, but its source ends at {float(frames.end):.3f} s; start earlier",
            path=("clips", index, "start"),
        )
    if not frames.pts:
        raise SpecError(
            f"{at}: there is no frame between {float(start):g} s and {float(end):g} s", path=("clips", index)
        )
    if frames.disorder:
        warnings.append(
            f"{at}: the timestamps of {frames.disorder} frames go back, as in recordings that were joined end to end; "
            "frames are missing or out of place. Make each recording a clip of its own"
        )
    if frames.untimed:
        warnings.append(
            f"{at}: {frames.untimed} frames carry no timestamp, and are left out: the ones beside them are held. "
            "Write the source again with one for every frame: ffmpeg -i IN -c:v libx264 -crf 16 -c:a copy OUT.mp4"
        )
    late = frames.time(frames.pts[0]) - start
    if late > LATE_SECONDS:
        warnings.append(f"{at}: its first frame that can be shown is {float(late):.3f} s behind the start; it is held")
    past = end - frames.end
    if past > HOLD_SECONDS and not hold:
        raise SpecError(
            f"{at} ends at {float(end):g} s, but its source ends at {float(frames.end):.3f} s; end there, "
            "or render with on_damage='conceal' to hold the last frame",
            path=("clips", index, "end"),
        )
    if past > (frames.end - frames.time(frames.pts[-1])):
        instead = "the last frame is held" if holds else "the result ends there"
        warnings.append(f"{at} reaches {float(past):.3f} s past the end of its source; {instead}")
    return start, end


def _own_timestamps(
    index: int, start: Fraction, end: Fraction, frames: SourceFrames
) -> tuple[tuple[int, ...], Fraction, tuple[Fraction, ...]]:
    """Return the frames inside [start, end), the first one's time, and all their times counted from there."""
    kept = tuple(p for p in frames.pts if start <= frames.time(p) < end)
    if not kept:
        raise SpecError(
            f"clip {index}: no frame of the source is shown between {float(start):g} s and {float(end):g} s",
            path=("clips", index),
        )
    zero = frames.time(kept[0])
    return kept, zero, (*(frames.time(p) - zero for p in kept), min(end, frames.end) - zero)


def _resolve(
    index: int,
    clip: Clip,
    *,
    info: MediaInfo,
    duration: Fraction,
    target: Target,
    output: Output,
    warnings: list[str],
    notes: list[str],
) -> tuple[tuple[Stage, ...], tuple[StreamInfo, ...], tuple[TimeMap, ...]]:
    """Return the clip's stages with those that the output implies, the streams between them, and their clocks."""
    video = info.require_video()
    stream = StreamInfo(video.width, video.height, duration, output.pix_fmt, video.sample_aspect_ratio)
    stages: list[Stage] = []
    streams = [stream]
    clocks = [TimeMap.identity(duration)]

    def add(stage: Stage) -> None:
        before = streams[-1]
        stages.append(stage)
        streams.append(stage.resolve(before, target))
        if streams[-1].width * streams[-1].height > MAX_PIXELS:
            raise SpecError(
                f"it makes pictures of {streams[-1].width}x{streams[-1].height}, expected at most "
                f"{MAX_PIXELS // 1_000_000} million pixels"
            )
        step = stage.time_map(before)
        clocks.append(clocks[-1] if step.is_identity else clocks[-1].then(step))

    for number, stage in enumerate(clip.stages):
        try:
            chosen, why = stage.decided(streams[-1], target)
            add(chosen)
            if why:
                notes.append(f"clip {index}, stage {number}: {why}")
        except SpecError as error:
            where = ("clips", index, "stages", number)
            raise SpecError(f"clips[{index}].stages[{number}] ({stage.stage}): {error}", path=where) from error
    last = streams[-1]
    if target.width is not None and target.height is not None:
        wanted = (target.width, target.height)
        if (last.width, last.height) != wanted or last.sample_aspect_ratio != 1:
            add(Upscale(model="lanczos", width=target.width, height=target.height, fit=target.fit))
    elif last.width % 2 or last.height % 2:
        even = (last.width - last.width % 2, last.height - last.height % 2)
        add(Crop(keyframes=(CropKeyframe(time=0, x=0, y=0, width=even[0], height=even[1]),)))
        warnings.append(
            f"clip {index}: {last.width}x{last.height} has an odd side, which 4:2:0 video cannot have; "
            f"cut to {even[0]}x{even[1]}"
        )
    return tuple(stages), tuple(streams), tuple(clocks)


def _transition(reel: Reel) -> tuple[int, int, int]:
    """Return how many frames overlap, fade out and fade in at each join."""
    if len(reel.clips) < 2 or reel.concat.transition == "cut" or reel.output.fps is None:
        return 0, 0, 0
    frames = round_half_up(exact(reel.concat.duration) * reel.output.fps)
    if reel.concat.transition == "dissolve":
        return frames, 0, 0
    return 0, (frames + 1) // 2, frames // 2


def _check_transition(reel: Reel, index: int, count: int, *, overlap: int, fade_out: int, fade_in: int) -> None:
    """Refuse a transition that is longer than the clip has room for."""
    first, last = index == 0, index == len(reel.clips) - 1
    needed = (0 if first else overlap + fade_in) + (0 if last else overlap + fade_out)
    if needed > count:
        raise SpecError(
            f"clip {index} has {count} frames, but its {reel.concat.transition} transitions "
            f"of {reel.concat.duration:g} s need {needed}; shorten the transition or lengthen the clip",
            path=("concat", "duration"),
        )
