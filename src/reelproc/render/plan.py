"""The plan of a reel, frame by frame: resolved against its sources, before anything is decoded.

:mod:`reelproc.render.planning` makes it. Everything here is exact and immutable.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from reelproc.errors import shown_address
from reelproc.media.info import MediaInfo
from reelproc.reel import Output
from reelproc.render.plan_summary import PlannedClipSummary, PlanSummary
from reelproc.stages.base import Stage, StreamInfo, Target
from reelproc.timing import TimeMap

__all__ = ["Copying", "Plan", "PlannedClip", "PlannedFrame", "Segment", "Shot", "SourceFrames"]

_COPIED_SOUND = ("aac", "mp3", "ac3", "eac3", "alac")
"""Codecs that MP4 and MOV hold as they are."""


@dataclass(frozen=True, slots=True)
class SourceFrames:
    """When the frames of a source are shown.

    Attributes:
        pts: timestamps in ``time_base`` units, increasing; at least those that a clip can need.
        time_base: seconds per unit.
        start_pts: the timestamp of time zero.
        end: seconds from time zero at which the last frame ends.
        disorder, untimed: packets that go back in time, or say none; see
            :class:`~reelproc.media.packets.frame_times.FrameTimes`.
    """

    pts: tuple[int, ...] = field(repr=False)
    time_base: Fraction
    start_pts: int
    end: Fraction
    disorder: int = 0
    untimed: int = 0

    def time(self, pts: int) -> Fraction:
        """Return seconds from time zero."""
        return (pts - self.start_pts) * self.time_base


@dataclass(frozen=True, slots=True)
class Shot:
    """A source frame: the clip that shows it and its timestamp there."""

    clip: int
    pts: int


@dataclass(frozen=True, slots=True)
class PlannedFrame:
    """An output frame.

    Attributes:
        index: its number.
        shot: what it shows.
        incoming: inside a dissolve, the frame of the next clip that is mixed in.
        weight: share of ``incoming``, above 0 and below 1; 0 without one.
        gain: brightness in a fade through black, 0 to 1.
    """

    index: int
    shot: Shot
    incoming: Shot | None = None
    weight: Fraction = Fraction(0)
    gain: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class PlannedClip:
    """A clip, resolved.

    Attributes:
        index: its place in the reel.
        source: the address of its footage; of a file of this machine, its absolute path.
        info: what the probe said of it.
        start, end: seconds of the source.
        stages: the clip's stages, and after them those that the output's size implies.
        streams: what goes into each stage, and at the end what comes out: one more than ``stages``.
        clocks: for each stage, the map from seconds since ``start`` to that stage's input clock; the last one leads to
            the output's.
        target: what the stages were told of the output.
        first_frame: the first output frame that shows it.
        pts: for each of its output frames the source frame's timestamp, never decreasing.
    """

    index: int
    source: str
    info: MediaInfo = field(repr=False)
    frames: SourceFrames = field(repr=False)
    start: Fraction
    end: Fraction
    stages: tuple[Stage, ...]
    streams: tuple[StreamInfo, ...]
    clocks: tuple[TimeMap, ...] = field(repr=False)
    target: Target
    first_frame: int
    pts: tuple[int, ...] = field(repr=False)

    @property
    def frame_count(self) -> int:
        """Output frames, those shared with a neighbour included."""
        return len(self.pts)

    @property
    def shape(self) -> StreamInfo:
        """The stream that comes out of the last stage."""
        return self.streams[-1]


@dataclass(frozen=True, slots=True)
class Segment:
    """A range of output frames, the unit of work.

    Attributes:
        first, end: output frames ``[first, end)``.
        copied: taken from the source packet by packet, instead of being encoded.
    """

    first: int
    end: int
    copied: bool = False


@dataclass(frozen=True, slots=True)
class Copying:
    """The facts by which copied and encoded segments become one stream (see :mod:`reelproc.render.smart_copy`).

    Attributes:
        delay: frames by which decoding runs ahead of showing in the source; the encoder must keep to it.
        parameter_set: the id of the encoder's parameter sets, free in the source.
        sound: the source's sound is copied as well.
    """

    delay: int
    parameter_set: int
    sound: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A reel, resolved: what will be rendered, frame by frame.

    Attributes:
        clips: in order.
        output: the format, width and height filled in.
        frame_count: frames of the result.
        fps: constant rate of the result; None where the source's timestamps are kept.
        times: without ``fps``, each frame's start in seconds, and last the end of the last frame.
        overlap: frames that neighbouring clips share (dissolve).
        fade_out, fade_in: frames at the end and start of neighbouring clips that darken (fade through black).
        segments: ranges of frames that together are the whole output.
        copying: set where some segments are copied from the source.
        warnings: what is not quite as asked for.
        notes: what was left to the plan, and how it decided, with reasons.
    """

    clips: tuple[PlannedClip, ...]
    output: Output
    frame_count: int
    fps: Fraction | None
    times: tuple[Fraction, ...]
    overlap: int
    fade_out: int
    fade_in: int
    segments: tuple[Segment, ...]
    copying: Copying | None = None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def duration(self) -> Fraction:
        """Seconds of the result, exact."""
        return self.times[-1] if self.fps is None else self.frame_count / self.fps

    @property
    def width(self) -> int:
        """Pixels."""
        return self.clips[0].shape.width

    @property
    def height(self) -> int:
        """Pixels."""
        return self.clips[0].shape.height

    @property
    def nominal_rate(self) -> Fraction:
        """``fps``, or without one the average rate, for encoders that must be told some rate."""
        if self.fps is not None:
            return self.fps
        if not self.duration:
            return Fraction(30)
        return max((self.frame_count / self.duration).limit_denominator(1001), Fraction(1, 1001))

    @property
    def copied_frame_count(self) -> int:
        """Frames that are copied from the source instead of being encoded."""
        return sum(segment.end - segment.first for segment in self.segments if segment.copied)

    def copies_sound(self, container: str) -> bool:
        """Tell whether the result has the source's own sound, copied.

        Args:
            container: the result's, ``"mp4"``, ``"mov"`` or ``"matroska"``; the last would lose where the sound begins.
        """
        audio = self.clips[0].info.audio
        copies = self.output.audio and self.copying is not None and self.copying.sound
        return copies and audio is not None and audio.codec in _COPIED_SOUND and container != "matroska"

    def renders_sound(self, container: str) -> bool:
        """Tell whether the result has sound that is rendered."""
        return self.output.audio and not self.copies_sound(container)

    def span(self, clip: PlannedClip) -> tuple[Fraction, Fraction]:
        """Return when ``clip`` starts in the result and how long it is shown: seconds, exact."""
        start = self.time(clip.first_frame)
        return start, self.time(clip.first_frame + clip.frame_count) - start

    def time(self, index: int) -> Fraction:
        """Return when output frame ``index`` is shown; ``time(frame_count)`` is the end."""
        return self.times[index] if self.fps is None else index / self.fps

    def frame(self, index: int) -> PlannedFrame:
        """Return what output frame ``index`` shows.

        Raises:
            IndexError: there is no such frame.
        """
        if not 0 <= index < self.frame_count:
            raise IndexError(f"frame {index} of a plan with {self.frame_count}")
        clip = self.clips[bisect_left(self.clips, index + 1, key=lambda c: c.first_frame) - 1]
        local = index - clip.first_frame
        if self.overlap and clip.index and local < self.overlap:
            before = self.clips[clip.index - 1]
            return PlannedFrame(
                index,
                Shot(before.index, before.pts[index - before.first_frame]),
                incoming=Shot(clip.index, clip.pts[local]),
                weight=Fraction(local + 1, self.overlap + 1),
            )
        gain = Fraction(1)
        if self.fade_in and clip.index and local < self.fade_in:
            gain = Fraction(local + 1, self.fade_in + 1)
        left = clip.frame_count - 1 - local
        if self.fade_out and clip.index < len(self.clips) - 1 and left < self.fade_out:
            gain = min(gain, Fraction(left, self.fade_out))
        return PlannedFrame(index, Shot(clip.index, clip.pts[local]), gain=gain)

    def __repr__(self) -> str:
        rate = "the source's timestamps" if self.fps is None else f"{self.fps} per second"
        counted = [(self.clips, "clip"), (self.segments, "segment"), (self.warnings, "warning"), (self.notes, "note")]
        parts = [f"{len(things)} {name}{'s' * (len(things) > 1)}" for things, name in counted if things]
        shape = f"{self.frame_count} frames of {self.width}x{self.height} at {rate}, {float(self.duration):.3f} s"
        return f"<Plan: {shape}; {', '.join(parts)}>"

    def summary(self) -> PlanSummary:
        """Return the plan in numbers that fit on a screen, without single frames."""
        fading = max(self.fade_in, self.fade_out)
        return PlanSummary(
            width=self.width,
            height=self.height,
            frame_count=self.frame_count,
            duration_seconds=float(self.duration),
            fps=None if self.fps is None else str(self.fps),
            transition="dissolve" if self.overlap else "fade" if fading else "cut",
            transition_frames=self.overlap or fading,
            clips=tuple(self._clip_summary(clip) for clip in self.clips),
            segments=len(self.segments),
            copied_frames=self.copied_frame_count,
            warnings=self.warnings,
            notes=self.notes,
        )

    def _clip_summary(self, clip: PlannedClip) -> PlannedClipSummary:
        start, duration = self.span(clip)
        return PlannedClipSummary(
            index=clip.index,
            source=shown_address(clip.source),
            source_start_seconds=float(clip.start),
            source_end_seconds=float(clip.end),
            first_frame=clip.first_frame,
            frame_count=clip.frame_count,
            start_seconds=float(start),
            duration_seconds=float(duration),
            stages=tuple(
                f"{stage.stage}{' ' + model if isinstance(model := getattr(stage, 'model', None), str) else ''} "
                f"{shape.width}x{shape.height}"
                for stage, shape in zip(clip.stages, clip.streams[1:], strict=True)
            ),
        )

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()

    def frames(self, first: int = 0, end: int | None = None) -> Iterator[PlannedFrame]:
        """Yield the frames of the range ``[first, end)``."""
        return (self.frame(i) for i in range(first, self.frame_count if end is None else end))
