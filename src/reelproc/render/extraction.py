"""Cut a span out of a source: exact to the frame by re-encoding, or from key frame to key frame by copying packets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reelproc.errors import EncodeError, SpecError
from reelproc.files import whole_file
from reelproc.job_context import JobContext, OnDamage
from reelproc.media.container.containers import without_display_times
from reelproc.media.container.mp4_ending import end_pictures
from reelproc.media.decode.decoding import is_reordered
from reelproc.media.probe.probe import probe
from reelproc.reel import Clip, Output, Reel
from reelproc.render.destination import Destination
from reelproc.render.rendering import Rendering
from reelproc.render.source_fetch import fetch_whole_if_worth_it
from reelproc.render.stream_copy import Copied, SourceSpan, copy_span
from reelproc.results import ExtractResult, PhaseClock, Progress
from reelproc.timing import exact


def extract_exactly(
    wanted: SourceSpan, destination: Destination, *, on_damage: OnDamage, smart_copy: bool, context: JobContext
) -> ExtractResult:
    """Cut out a span exact to the frame, in the source's own size and timestamps.

    Args:
        wanted: the span.
        destination: where to put it.
        on_damage, smart_copy: see :meth:`Rendering.of`.
        context: where and how the job runs.

    Raises:
        SpecError: there is nothing between start and end.
        ReelprocError: whatever else went wrong, typed; nothing is left at ``destination``.
    """
    clip = Clip(source=wanted.source, start=wanted.start, end=wanted.end)
    reel = Reel(clips=[clip], output=Output(width=None, height=None, fps=None))
    rendering = Rendering.of(reel, on_damage=on_damage, smart_copy=smart_copy, context=context)
    start = rendering.plan.clips[0].start  # the first frame's, at or after the wanted one
    return ExtractResult(
        **rendering.to(destination).model_dump(),
        start_seconds=float(start),
        end_seconds=float(start + rendering.plan.duration),
        copied=False,
    )


def extract_copied(wanted: SourceSpan, destination: Destination, context: JobContext) -> ExtractResult:
    """Copy packets from the key frame at or before the start to the last that the end needs.

    Raises:
        SpecError: there is nothing between start and end.
        EncodeError: the codec does not fit the container.
        ReelprocError: whatever else went wrong, typed; nothing is left at ``destination``.
    """
    import av

    clock = PhaseClock()
    source = context.sources[wanted.source]
    wanted = replace(wanted, source=context.sources.name(wanted.source))  # as people know it
    with clock("probe"):
        info = probe(source)
        fetch_whole_if_worth_it(source, info, [(wanted.start, wanted.end)])
        video = info.require_video()
        if without_display_times(info.format_name, video.codec) and is_reordered(source, video.index):
            raise SpecError(
                f"{wanted.source} has B-frames, and AVI does not say when each is shown; extract without copying",
                path=("copy_codec",),
            )
    context.progress(Progress(phase="copy", message="copying the streams"))
    hides = destination.has_edit_list
    try:
        with clock("assemble"), whole_file(destination.path) as partial:
            with destination.create(partial) as out:
                copied = copy_span(source, info, wanted, context, out, hides_surplus=hides)
            if hides and copied.surplus:
                end_pictures(partial, copied.last - copied.first)
    except (av.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, SpecError):
            raise
        raise EncodeError(
            f"{wanted.source} cannot be copied into {destination.path.name} ({error}); its codecs may not fit the "
            "container: try .mkv, or extract without copying"
        ) from error
    frames, start, end = copied.frames, copied.first, copied.last
    context.progress(Progress(phase="done", done=frames, total=frames, message=str(destination.path)))
    return ExtractResult(
        output=str(destination.path),
        frame_count=frames,
        duration_seconds=float(end - start),
        fps=None,
        width=info.require_video().width,
        height=info.require_video().height,
        phases=clock.phases(),
        hardware=context.hardware,
        warnings=tuple(_warnings(wanted, copied, hides_surplus=hides)),
        start_seconds=float(start),
        end_seconds=float(end),
        copied=True,
    )


def _warnings(wanted: SourceSpan, copied: Copied, *, hides_surplus: bool) -> Iterator[str]:
    if copied.first != exact(wanted.start):
        yield (
            f"a copy starts at a key frame: this one at {float(copied.first):.3f} s instead of {wanted.start:g} s; "
            "extract without copying to be exact"
        )
    if copied.surplus and not hides_surplus:
        yield (
            f"the last frames refer to {copied.surplus} behind the end, which Matroska cannot hide: the copy ends at "
            f"{float(copied.last):.3f} s; copy to .mp4 or extract without copying to be exact"
        )
    if copied.untimed:
        yield f"{copied.untimed} packets of the picture carry no timestamp, and are left out; extract without copying"
