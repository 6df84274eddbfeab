"""Cut a span out of a source: exact to the frame by re-encoding, or from key frame to key frame by copying packets."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

from reelproc.errors import EncodeError, SpecError
from reelproc.media.containers import (
    copied_stream,
    create_container,
    demuxed,
    open_container,
    without_display_times,
)
from reelproc.media.decoding import is_reordered
from reelproc.media.field_pairs import FieldPairs
from reelproc.media.packets import frame_times
from reelproc.media.probe import MediaInfo, probe
from reelproc.partial import partial_path
from reelproc.reel import Clip, Output, Reel
from reelproc.render.assemble import CONTAINERS, check_container
from reelproc.render.run import render_reel
from reelproc.render.sources import fetch_if_most
from reelproc.results import ExtractResult, PhaseClock, Progress
from reelproc.storage import local_output, resolve
from reelproc.timing import exact

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

    from reelproc.jobs import ExtractJob, JobContext
    from reelproc.render.plan import Plan

__all__ = ["extract"]


def extract(job: ExtractJob, context: JobContext) -> ExtractResult:
    """Do ``job``.

    Raises:
        SpecError: there is nothing between start and end, or the codec does not fit the output's container.
        ReelprocError: whatever else went wrong, typed; nothing is left at the output.
    """
    if job.copy_codec:
        return _copy(job, context)
    clip = Clip(source=job.source, start=job.start, end=job.end)
    reel = Reel(clips=[clip], output=Output(width=None, height=None, fps=None))
    plans: list[Plan] = []
    result = render_reel(
        reel, job.output, on_damage=job.on_damage, smart_copy=job.smart_copy, context=context, planned=plans.append
    )
    start = plans[0].clips[0].start  # the first frame's, at or behind the job's
    return ExtractResult(
        **result.model_dump(),
        start_seconds=float(start),
        end_seconds=float(start + plans[0].duration),
        copied=False,
    )


def _copy(job: ExtractJob, context: JobContext) -> ExtractResult:
    """Copy packets from the key frame at or before the start to the last frame before the end."""
    import av

    clock, begin = PhaseClock(), time.perf_counter()
    source, destination = resolve(job.source), local_output(job.output)
    check_container(destination)
    with clock("probe"):
        info = probe(str(source))
        fetch_if_most(info.path, info, [(job.start, job.end)])
        video = info.require_video()
        if without_display_times(info.format_name, video.codec) and is_reordered(info.path, video.index):
            raise SpecError(
                f"{job.source} has B-frames, and AVI does not say when each is shown; extract without copying",
                path=("copy_codec",),
            )
    context.progress(Progress(phase="copy", message="copying the streams"))
    partial = partial_path(destination)
    container = CONTAINERS[destination.suffix.lower()]
    flags = {"movflags": "+faststart"} if container != "matroska" else {}
    try:
        with clock("assemble"), create_container(partial, container, flags) as out:
            copied = _copy_packets(info, job, context, out)
        partial.replace(destination)
    except (av.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, SpecError):
            raise
        raise EncodeError(
            f"{job.source} cannot be copied into {destination.name} ({error}); its codecs may not fit the container: "
            "try .mkv, or extract without copying"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    frames, start, end = copied.frames, copied.first, copied.last
    context.progress(Progress(phase="done", done=frames, total=frames, message=str(destination)))
    clock.seconds["wall"] = time.perf_counter() - begin
    return ExtractResult(
        output=str(destination),
        frame_count=frames,
        duration_seconds=float(end - start),
        fps=None,
        width=info.require_video().width,
        height=info.require_video().height,
        phases={name: round(seconds, 4) for name, seconds in clock.seconds.items()},
        hardware=context.hardware,
        warnings=tuple(_warnings(job, copied)),
        start_seconds=float(start),
        end_seconds=float(end),
        copied=True,
    )


def _warnings(job: ExtractJob, copied: _Copied) -> Iterator[str]:
    if copied.first != exact(job.start):
        yield (
            f"a copy starts at a key frame: this one at {float(copied.first):.3f} s instead of {job.start:g} s; "
            "extract without copying to be exact"
        )
    if copied.untimed:
        yield f"{copied.untimed} packets of the picture carry no timestamp, and are left out; extract without copying"


def _copy_packets(info: MediaInfo, job: ExtractJob, context: JobContext, out: OutputContainer) -> _Copied:
    """Copy what lies between the key frame at or before the start and the end; the first frame is shown at 0."""
    video = info.require_video()
    base, zero = video.time_base, video.start_pts * video.time_base
    end = None if job.end is None else exact(job.end) + zero
    times = frame_times(info.path, info, start=exact(job.start), end=exact(job.start))
    if exact(job.start) >= (ends := times.seconds(times.end_pts)):
        raise SpecError(
            f"the copy starts at {job.start:g} s, but {job.source} ends at {float(ends):.3f} s; start earlier",
            path=("start",),
        )
    first = (times.pts[0] if times.key_pts is None else times.key_pts) * base
    span = _Copied(first, first)
    waiting: deque[_Timed] = deque()  # sound, which goes out with the pictures and ends with them
    with open_container(info.path) as container:
        picture = cast("VideoStream", container.streams[video.index])
        streams: dict[int, Any] = {video.index: copied_stream(out, picture)}
        if info.audio is not None:
            sound = container.streams[info.audio.index]
            streams[info.audio.index] = out.add_stream_from_template(cast("AudioStream", sound))
        if times.seek_pts is not None:
            container.seek(times.seek_pts, stream=picture, backward=True, any_frame=False)
        pairs = FieldPairs.of(picture)
        for each in _timed(demuxed(container, *(container.streams[i] for i in streams)), video.index, pairs, span):
            context.check()
            if each.packet.stream_index != video.index:
                if span.complete and each.shown >= span.last:
                    break
                waiting.append(each)
            elif span.complete:
                if len(streams) == 1:
                    break  # else some of its sound may lie further on
            elif span.takes(each, is_past=end is not None and each.decoded >= end):
                each.mux(first, streams, out)
            while waiting and waiting[0].shown < span.last:
                early = waiting.popleft()
                if early.shown >= first:
                    early.mux(first, streams, out)
    if not span.frames:
        raise SpecError(f"there is no frame of {job.source} between {job.start:g} s and {job.end} s", path=("start",))
    span.first, span.last = span.first - zero, span.last - zero
    return span


@dataclass(frozen=True, slots=True)
class _Timed:
    """A packet with its times; ``completes``: it is the second field of the frame in the packet before."""

    packet: Packet[Any]
    pts: int
    dts: int
    completes: bool

    @property
    def shown(self) -> Fraction:
        """When, in seconds of the source's clock."""
        return self.pts * Fraction(self.packet.time_base)

    @property
    def decoded(self) -> Fraction:
        """When, in seconds of the source's clock."""
        return self.dts * Fraction(self.packet.time_base)

    def mux(self, zero: Fraction, streams: Mapping[int, Any], out: OutputContainer) -> None:
        """Write it, counting from ``zero``."""
        shift = round(zero / self.packet.time_base)
        self.packet.pts, self.packet.dts = self.pts - shift, self.dts - shift
        self.packet.stream = streams[self.packet.stream_index]
        out.mux(self.packet)


def _timed(packets: Iterator[Packet[Any]], index: int, pairs: FieldPairs | None, span: _Copied) -> Iterator[_Timed]:
    """Those of ``packets`` that say when they are shown, all with a decoding time.

    Matroska stores none, and libavformat works none out for the first pictures of a stream with B-frames.

    Args:
        packets: of one picture and maybe a sound.
        index: of the picture.
        pairs: finds its second fields, which are shown behind the first where they do not say when.
        span: where pictures that do not are counted.
    """
    untimed: list[tuple[Packet[Any], int, bool]] = []
    behind_first: int | None = None  # when the frame of the picture's last packet ends
    for packet in packets:
        if not packet.size:
            continue
        pts, dts, completes = packet.pts, packet.dts, False
        if packet.stream_index == index:
            completes = pairs is not None and pairs.field(bytes(packet)) == 2 and behind_first is not None
            pts = behind_first if completes and pts is None else pts
            behind_first = None if pts is None else pts + (packet.duration or 1)
        if pts is None:
            span.untimed += packet.stream_index == index and span.took
            continue
        if packet.stream_index != index:
            yield _Timed(packet, pts, pts if dts is None else dts, completes)
        elif dts is None:
            untimed.append((packet, pts, completes))
        else:
            step = packet.duration or 1
            for places, (one, shown, second) in zip(range(len(untimed), 0, -1), untimed, strict=True):
                yield _Timed(one, shown, min(shown, dts - places * step), second)
            untimed.clear()
            yield _Timed(packet, pts, dts, completes)
    order = sorted(shown for _, shown, _ in untimed)
    delay = max((decoded - shown for decoded, (_, shown, _) in zip(order, untimed, strict=True)), default=0)
    for decoded, (one, shown, second) in zip(order, untimed, strict=True):
        yield _Timed(one, shown, decoded - delay, second)


@dataclass(slots=True)
class _Copied:
    """What was copied.

    Attributes:
        first, last: the span on the source's clock, seconds.
        frames: how many.
        complete: whether the picture has reached its end.
        took: whether the picture's last packet was copied.
        untimed: packets of the picture that say no time, and were not.
    """

    first: Fraction
    last: Fraction
    frames: int = 0
    complete: bool = False
    took: bool = False
    untimed: int = 0

    def takes(self, each: _Timed, *, is_past: bool) -> bool:
        """Whether a packet of the picture is copied; ``is_past``: it is decoded at or behind the wanted end."""
        completes = each.completes and self.took
        # past the end in decoding order only pictures between those that are kept already are wanted
        self.complete = is_past and each.shown >= self.last and not completes
        # it begins with its first frame; pictures behind that but shown before it cannot be decoded
        begun = self.frames > 0 or each.shown == self.first
        self.took = begun and each.shown >= self.first and not self.complete
        if self.took:
            self.frames += not completes
            self.last = max(self.last, each.shown + (each.packet.duration or 0) * Fraction(each.packet.time_base))
        return self.took
