"""From a plan to the amounts of work in it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from reelproc.cost.work import SegmentWork, Work, added
from reelproc.render.clip_excerpt import excerpt_of
from reelproc.render.destination import Destination
from reelproc.render.plan import Plan, PlannedClip, Segment
from reelproc.render.rendering import encoder_settings
from reelproc.render.source_fetch import is_fetched_whole

MEGA = 1e6

LEAD_IN_SECONDS = 1
"""Decoded before a clip's start, on average: half of a group of pictures of two seconds, which is what this
package, phones and most cameras make."""

MEGABYTES_MEGAPIXEL = 0.012
"""About what x264 at crf 23 makes of a megapixel of football: 0.1 bit a pixel."""


def count(plan: Plan, *, destination: str = "out.mp4") -> Work:
    """Return the work of ``plan``.

    Args:
        plan: what will be rendered.
        destination: where to; its container decides whether sound is copied.
    """
    settings = encoder_settings(plan.output, 2)
    suffix = f"{settings.name}.{settings.encoder.preset if settings.preset is None else settings.preset}"
    counted = [_ClipWork(clip) for clip in plan.clips]
    segments = [
        _segment(plan, number, segment, counted, suffix)
        for number, segment in enumerate(plan.segments)
        if not segment.copied
    ]
    encoded = sum(s.frames for s in segments)
    pixels = plan.width * plan.height / MEGA
    source = _source_megabytes(plan)
    copied = plan.frame_count - encoded
    output = encoded * pixels * MEGABYTES_MEGAPIXEL + source * copied / max(1, plan.frame_count)
    after = {"assemble": float(plan.frame_count)}
    beside: dict[str, float] = {}
    if plan.renders_sound(Destination(Path(destination)).container):
        beside = _sound(plan)
        output += float(plan.duration) * plan.output.audio_bitrate / 8 / MEGA
    if copied:
        after["copy"] = source * copied / plan.frame_count
    networks = [clip.network for clip in counted if clip.network]
    return Work(
        job="render",
        frames=plan.frame_count,
        copied_frames=copied,
        duration_seconds=float(plan.duration),
        segments=tuple(segments),
        opening={clip.plan.index: clip.opening for clip in counted},
        before={"probe": float(len(plan.clips))},
        beside=beside,
        after=after,
        source_megabytes=source,
        output_megabytes=output,
        networks=tuple(dict.fromkeys(networks)),
        upscaled_frames=sum(len(set(clip.pts)) for clip, c in zip(plan.clips, counted, strict=True) if c.network),
        warnings=tuple(dict.fromkeys(said for clip in counted for said in clip.warnings)),
    )


class _SpanWork(NamedTuple):
    """Work on the frames of some spans.

    Attributes:
        stage: the number of the stage, on whose input's clock the spans are.
        spans: closed, in seconds.
        amounts: for each frame in them.
    """

    stage: int
    spans: tuple[tuple[Fraction, Fraction], ...]
    amounts: Mapping[str, float]


class _ClipWork:
    """What each source frame of a clip costs."""

    def __init__(self, plan: PlannedClip) -> None:
        self.plan = plan
        self.warnings: list[str] = []
        self.network: str | None = None
        video = plan.info.require_video()
        self._decode = f"decode.{video.codec}"
        self._coded = video.coded_width * video.coded_height / MEGA
        excerpt = excerpt_of(plan, dict.fromkeys(plan.pts))
        shown = plan.streams[0].width * plan.streams[0].height if excerpt is None else excerpt.width * excerpt.height
        self._piped = shown / MEGA
        self._always, self._sometimes = self._stages()
        rate = video.average_rate or Fraction(30)
        leading = min(LEAD_IN_SECONDS, float(plan.start)) * float(rate)
        self.opening = {self._decode: leading * self._coded}

    def amounts(self, pts: Sequence[int]) -> dict[str, float]:
        """Return the work of the source frames ``pts`` (increasing) and of those between them that are only decoded."""
        if not pts:
            return {}
        frames = self.plan.frames
        decoded = bisect_right(frames.pts, pts[-1]) - bisect_left(frames.pts, pts[0])
        total = added(
            {self._decode: decoded * self._coded, "pipe": decoded * self._piped},
            {kind: amount * len(pts) for kind, amount in self._always.items()},
        )
        for number, spans, amounts in self._sometimes:
            clock = self.plan.clocks[number]
            times = [clock(frames.time(p) - self.plan.start) for p in pts]
            active = sum(1 for time in times if any(low <= time <= high for low, high in spans))
            total = added(total, {kind: amount * active for kind, amount in amounts.items()})
        return total

    def _stages(self) -> tuple[dict[str, float], list[_SpanWork]]:
        """Return the work on each frame, and the work on those in some spans."""
        clip = self.plan
        always: dict[str, float] = {}
        sometimes: list[_SpanWork] = []
        window = False  # marked, and not yet cut out
        for number, stage in enumerate(clip.stages):
            before, after = clip.streams[number], clip.streams[number + 1]
            marks = stage.window_at(before, clip.target) is not None
            samples = stage.reach(before, clip.target) is not None
            if window and stage.changes_pixels and not (marks or samples):
                always, window = added(always, _cut(before.width, before.height)), False
            for amounts in stage.amounts(before, clip.target, clip.streams[0] if window else before):
                self.network = amounts.network or self.network
                self.warnings += amounts.warnings
                if amounts.spans is None:
                    always = added(always, amounts.per_frame)
                else:
                    sometimes.append(_SpanWork(number, amounts.spans, amounts.per_frame))
            if marks:
                window = window or (after.width, after.height) != (before.width, before.height)
            elif samples:
                window = False
        if window:
            always = added(always, _cut(clip.shape.width, clip.shape.height))
        return always, sometimes


def _cut(width: int, height: int) -> dict[str, float]:
    """Return a window sampled at its own size: two passes of six taps."""
    return {"stage.scale": width * height * 2 * 6 * 2 * 1.5 / 1e9}


def _segment(plan: Plan, number: int, segment: Segment, clips: Sequence[_ClipWork], suffix: str) -> SegmentWork:
    pixels = plan.width * plan.height / MEGA
    shown: dict[int, set[int]] = {}
    new = repeated = mixed = faded = 0
    before = None
    for frame in plan.frames(segment.first, segment.end):
        for shot in (frame.shot, frame.incoming):
            if shot is not None:
                shown.setdefault(shot.clip, set()).add(shot.pts)
        same = before is not None and (frame.shot, frame.incoming, frame.gain) == before and frame.incoming is None
        before = (frame.shot, frame.incoming, frame.gain)
        repeated += same
        new += not same
        mixed += frame.incoming is not None
        faded += frame.gain != 1
    amounts = added(
        *(clips[clip].amounts(sorted(pts)) for clip, pts in shown.items()),
        {
            f"encode.{suffix}": new * pixels,
            f"repeat.{suffix}": repeated * pixels,
            "stage.mix": mixed * pixels,
            "stage.fade": faded * pixels,
        },
    )
    kept = {kind: amount for kind, amount in amounts.items() if amount}
    return SegmentWork(number=number, frames=segment.end - segment.first, clips=tuple(sorted(shown)), amounts=kept)


def _sound(plan: Plan) -> dict[str, float]:
    heard = [clip for clip in plan.clips if clip.info.audio is not None]
    if not heard:
        return {"audio.silent": float(plan.duration)}  # it is encoded too
    stretched = Fraction(0)
    for clip in heard:
        for piece in clip.clocks[-1].pieces:
            if piece.speed != 1:
                stretched += (piece.end - piece.start) / piece.speed
    return {"audio": float(plan.duration)} | ({"audio.stretched": float(stretched)} if stretched else {})


def _source_megabytes(plan: Plan) -> float:
    """Return what of the sources would have to be moved: the wanted share, or all where that is most of it."""
    spans: dict[str, Fraction] = {}
    sizes: dict[str, tuple[float, Fraction]] = {}
    for clip in plan.clips:
        spans[clip.source] = spans.get(clip.source, Fraction(0)) + clip.end - clip.start
        sizes[clip.source] = (clip.info.size_bytes / MEGA, clip.info.duration)
    total = 0.0
    for source, (megabytes, duration) in sizes.items():
        whole = is_fetched_whole(spans[source], duration)
        total += megabytes * (1.0 if whole else float(spans[source] / duration))
    return total
