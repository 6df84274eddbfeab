"""Join rendered segments and the sound into one file, packet by packet, without decoding anything.

Every video packet gets its time from the plan, so that the result is exact whatever the segment files rounded. The file
is written beside its destination and appears there by rename.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from reelproc.errors import EncodeError
from reelproc.files import whole_file
from reelproc.media.bitstream.avc import AvcConfiguration
from reelproc.media.container.containers import copied_stream, open_container
from reelproc.render.destination import Destination
from reelproc.render.plan import Plan, Segment
from reelproc.storage.source import file_argument
from reelproc.storage.sources import Sources

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream


def assemble(
    plan: Plan, files: Sequence[Path | None], sound: Path | None, destination: Destination, sources: Sources
) -> None:
    """Write ``destination`` from the segments of ``plan`` and the sound.

    Args:
        plan: says when each frame is shown, and which segments are copied.
        files: for each segment its file; None for those that are copied from the source.
        sound: an AAC file made by :func:`reelproc.media.sound.mixing.render_sound`; None: the source's own where
            :meth:`Plan.copies_sound <reelproc.Plan.copies_sound>` says so, else none.
        destination: appears whole or not at all.
        sources: open what is copied from.

    Raises:
        EncodeError: a segment does not hold the frames that were planned, or the file cannot be written.
    """
    import av

    try:
        with whole_file(destination.path) as partial, destination.create(partial) as out, ExitStack() as stack:
            pictures = _Pictures(plan, files, sources, out, stack)
            streams = [pictures.packets()]
            if sound is not None:
                streams.append(_rendered_sound(sound, out, stack))
            elif plan.copies_sound(destination.container):
                streams.append(_source_sound(plan, sources, out, stack))
            for packet in heapq.merge(*streams, key=_seconds):
                out.mux(packet)
    except (av.FFmpegError, OSError) as error:
        raise EncodeError(f"{destination.path} cannot be written: {error}") from error


def _seconds(packet: Packet[Any]) -> Fraction:
    return (packet.dts or 0) * packet.time_base


def _rendered_sound(sound: Path, out: OutputContainer, stack: ExitStack) -> Iterator[Packet[Any]]:
    from reelproc.media.sound.sound_file import add_sound_stream, sound_packets

    source = stack.enter_context(_open(sound))
    return sound_packets(source, add_sound_stream(source, out))


def _source_sound(plan: Plan, sources: Sources, out: OutputContainer, stack: ExitStack) -> Iterator[Packet[Any]]:
    """Yield the source's own packets of sound, on the clock of the result, up to the end of its picture."""
    clip = plan.clips[0]
    source = stack.enter_context(open_container(sources[clip.source]))
    assert clip.info.audio is not None
    stream = cast("AudioStream", source.streams[clip.info.audio.index])
    copy = out.add_stream_from_template(stream)
    zero = clip.pts[0] * clip.frames.time_base

    def packets() -> Iterator[Packet[Any]]:
        for packet in source.demux(stream):
            if packet.size and packet.pts is not None:
                shift = round(zero / packet.time_base)
                packet.pts, packet.dts = packet.pts - shift, (packet.dts or packet.pts) - shift
                if packet.pts * packet.time_base >= plan.duration:
                    return
                packet.stream = copy
                yield packet

    return packets()


class _Pictures:
    """The video stream of the result, and its packets."""

    def __init__(
        self,
        plan: Plan,
        files: Sequence[Path | None],
        sources: Sources,
        out: OutputContainer,
        stack: ExitStack,
    ) -> None:
        self._plan = plan
        self._footage = sources[plan.clips[0].source]
        self._files = files
        self._base = _time_base(plan)
        self._source = self._open_source(stack) if plan.copying else None
        encoded = next((f for f in files if f is not None), None)
        self._head = b""
        if encoded is None:
            template = self._source_stream()
        else:
            first = stack.enter_context(_open(encoded))
            template = first.streams.video[0]
            self._head = bytes(template.codec_context.extradata or b"")
        self._stream = copied_stream(out, template)
        self._stream.time_base = self._base
        if self._source is not None and encoded is not None:
            self._stream.codec_context.extradata = self._joined_parameter_sets()

    def packets(self) -> Iterator[Packet[Any]]:
        """Yield all packets, in decoding order, stamped with the plan's times."""
        for segment, file in zip(self._plan.segments, self._files, strict=True):
            count = 0
            for packet in self._copied(segment) if file is None else self._encoded(segment, file):
                packet.stream = self._stream
                if self._plan.copying is not None:
                    packet.dts = self._ticks(segment.first + count - self._plan.copying.delay)
                count += 1
                yield packet
            if count != segment.end - segment.first:
                raise EncodeError(
                    f"the segment {file or self._footage.name} holds {count} frames, planned were "
                    f"{segment.end - segment.first}; remove it and render again"
                )

    def _encoded(self, segment: Segment, file: Path) -> Iterator[Packet[Any]]:
        """Yield the packets of a rendered segment. Its frames are numbered by their place on the nominal grid."""
        rate = self._plan.nominal_rate
        with _open(file) as container:
            stream = container.streams.video[0]
            if bytes(stream.codec_context.extradata or b"") != self._head:
                raise EncodeError(f"the segment {file} has other parameter sets; remove it and render again")
            for packet in (p for p in container.demux(stream) if p.size):
                index = segment.first + _grid(packet.pts, stream.time_base, rate)
                decode = segment.first + _grid(packet.dts, stream.time_base, rate)
                packet.time_base = self._base
                packet.pts = self._ticks(index)
                packet.dts = self._ticks(decode)
                packet.duration = max(1, self._ticks(index + 1) - packet.pts)
                yield packet

    def _copied(self, segment: Segment) -> Iterator[Packet[Any]]:
        """Yield the source's own packets of a segment."""
        clip = self._plan.clips[0]
        stream = self._source_stream()
        first, last = clip.pts[segment.first], clip.pts[segment.end - 1]
        assert self._source is not None
        self._source.seek(first, stream=stream, backward=True, any_frame=False)
        left = segment.end - segment.first
        for packet in self._source.demux(stream):
            if packet.size and packet.pts is not None and first <= packet.pts <= last:
                index = bisect_left(clip.pts, packet.pts)
                packet.pts = self._ticks(index)
                packet.duration = max(1, self._ticks(index + 1) - packet.pts)
                yield packet
                left -= 1
                if not left:
                    return

    def _ticks(self, index: int) -> int:
        """Return the time of a frame; those before the first one count on at the nominal rate."""
        if index < 0:
            return int(index / self._plan.nominal_rate / self._base)
        return int(self._plan.time(index) / self._base)

    def _open_source(self, stack: ExitStack) -> InputContainer:
        return stack.enter_context(open_container(self._footage))

    def _source_stream(self) -> VideoStream:
        assert self._source is not None
        return cast("VideoStream", self._source.streams[self._plan.clips[0].info.require_video().index])

    def _joined_parameter_sets(self) -> bytes:
        own = AvcConfiguration.parse(bytes(self._source_stream().codec_context.extradata or b""))
        ours = AvcConfiguration.parse(self._head)
        if own is None or ours is None:
            raise EncodeError("the source's or a segment's parameter sets cannot be read")
        return own.joined(ours)


def _open(path: Path) -> InputContainer:
    import av

    return av.open(file_argument(path))


def _time_base(plan: Plan) -> Fraction:
    """Return a time base in which every frame's time is an integer."""
    if plan.fps is None or plan.copying is not None:
        return plan.clips[0].frames.time_base
    return 1 / plan.fps


def _grid(ticks: int | None, time_base: Fraction | None, rate: Fraction) -> int:
    if ticks is None or time_base is None:
        raise EncodeError("a rendered segment holds a packet without a timestamp")
    return round(ticks * time_base * rate)
