"""Cut a span out of a source: exact to the frame by re-encoding, or from key frame to key frame by copying packets."""

from __future__ import annotations

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
    from av.video.stream import VideoStream

    from reelproc.jobs import ExtractJob, JobContext

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
    result = render_reel(reel, job.output, on_damage=job.on_damage, smart_copy=job.smart_copy, context=context)
    start = float(exact(job.start))
    return ExtractResult(
        **result.model_dump(), start_seconds=start, end_seconds=start + result.duration_seconds, copied=False
    )


def _copy(job: ExtractJob, context: JobContext) -> ExtractResult:
    """Copy packets from the key frame at or before the start to the last frame before the end."""
    import av

    clock = PhaseClock()
    source, destination = resolve(job.source), local_output(job.output)
    check_container(destination)
    if destination.exists() and source.samefile(destination):
        raise SpecError(f"the output {destination} is the source; write to another file", path=("output",))
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
    frames, start, end = copied.frames, copied.first or Fraction(0), copied.last or Fraction(0)
    context.progress(Progress(phase="done", done=frames, total=frames, message=str(destination)))
    return ExtractResult(
        output=str(destination),
        frame_count=frames,
        duration_seconds=float(end - start),
        fps=None,
        width=info.require_video().width,
        height=info.require_video().height,
        phases={name: round(seconds, 4) for name, seconds in clock.seconds.items()},
        hardware=context.hardware,
        warnings=() if start == exact(job.start) else (_moved(job, start),),
        start_seconds=float(start),
        end_seconds=float(end),
        copied=True,
    )


def _moved(job: ExtractJob, start: Fraction) -> str:
    return (
        f"a copy starts at a key frame: this one at {float(start):.3f} s instead of {job.start:g} s; "
        "extract without copying to be exact"
    )


def _copy_packets(info: MediaInfo, job: ExtractJob, context: JobContext, out: OutputContainer) -> _Copied:
    """Copy what lies between the key frame at or before the start and the end; the first frame is shown at 0."""
    video = info.require_video()
    zero = video.start_pts * video.time_base
    begin, end = exact(job.start) + zero, None if job.end is None else exact(job.end) + zero
    with open_container(info.path) as container:
        picture = container.streams[video.index]
        streams: dict[int, Any] = {video.index: copied_stream(out, cast("VideoStream", picture))}
        if info.audio is not None:
            sound = container.streams[info.audio.index]
            streams[info.audio.index] = out.add_stream_from_template(cast("AudioStream", sound))
        container.seek(int(begin / video.time_base), stream=picture, backward=True, any_frame=False)
        span = _Copied()
        for packet in demuxed(container, *(container.streams[i] for i in streams)):
            context.check()
            if not packet.size or packet.dts is None or packet.pts is None or packet.time_base is None:
                continue
            shown, decoded = packet.pts * packet.time_base, packet.dts * packet.time_base
            late = end is not None and decoded >= end
            if packet.stream_index == video.index:
                if span.first is None and packet.is_keyframe:
                    span.first = shown
                # past the end in decoding order only pictures between those that are kept already are wanted
                span.complete |= late and shown >= (span.last or shown)
                if span.first is None or span.complete:
                    continue
                span.frames += 1
                span.last = max(span.last or shown, shown + (packet.duration or 0) * packet.time_base)
            elif span.first is None or shown < span.first:
                continue
            elif end is not None and shown >= max(end, span.last or end):
                if span.complete:
                    break
                continue
            shift = round(span.first / packet.time_base)
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            packet.stream = streams[packet.stream_index]
            out.mux(packet)
    if span.first is None or span.last is None:
        raise SpecError(f"there is no frame of {job.source} between {job.start:g} s and {job.end} s", path=("start",))
    span.first, span.last = span.first - zero, span.last - zero
    return span


@dataclass(slots=True)
class _Copied:
    """What was copied: frames, the span on the source's clock, and whether the picture has reached its end."""

    frames: int = 0
    complete: bool = False
    first: Fraction | None = None
    last: Fraction | None = None
