"""Copy a span's packets, pictures and sound, from a key frame to the last that the span's end needs."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

from reelproc.errors import SpecError
from reelproc.media.bitstream.back_references import refers_back
from reelproc.media.bitstream.hevc import listed_sets, sets_among_pictures
from reelproc.media.bitstream.pictures import ShownPictures
from reelproc.media.container.containers import copied_stream, demuxed, open_container
from reelproc.media.packets.frame_times import frame_times
from reelproc.media.sound.pcm import PcmFiller
from reelproc.storage.source import Source
from reelproc.timing import exact

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

    from reelproc.job_context import JobContext
    from reelproc.media.info import MediaInfo

_TAIL_SECONDS = 2
"""Before the end of a source that is copied to its end, whose last frames' lengths are looked up."""


@dataclass(frozen=True, slots=True)
class SourceSpan:
    """A span of a source.

    Attributes:
        source: an address.
        start, end: seconds; ``end`` None: to the source's end.
    """

    source: str
    start: float
    end: float | None


@dataclass(slots=True)
class Copied:
    """The account of a copy.

    Attributes:
        first, last: the span that is shown, seconds.
        frames: how many are shown.
        surplus: packets with a picture after the end, which wanted ones refer to.
        untimed: packets of the picture that say no time, and were not copied.
        took: whether the picture's last packet was copied.
    """

    first: Fraction
    last: Fraction
    frames: int = 0
    surplus: int = 0
    untimed: int = 0
    took: bool = False


def copy_span(
    source: Source,
    info: MediaInfo,
    wanted: SourceSpan,
    context: JobContext,
    out: OutputContainer,
    *,
    hides_surplus: bool,
) -> Copied:
    """Copy what lies between the key frame at or before the start and the end; the first frame is shown at 0.

    Args:
        source: what is copied from.
        info: what was probed of it.
        wanted: the span, and what people are told of the source.
        context: may stop it.
        out: the file that is made.
        hides_surplus: whether pictures after the end will be hidden, and do not count.

    Raises:
        SpecError: there is nothing in the span, or ``out`` cannot hold it as it is.
    """
    span = _CopiedSpan.of(source, info, wanted)
    copied = Copied(span.first * span.base, span.first * span.base)
    index = info.require_video().index
    waiting: deque[_Timed] = deque()  # sound, which goes out with the pictures and ends with them
    with open_container(source) as container:
        picture = cast("VideoStream", container.streams[index])
        streams: dict[int, Any] = {index: copied_stream(out, picture)}
        description = _Description(picture, out, wanted.source, zero=span.zero * span.base)
        filler: PcmFiller | None = None
        if info.audio is not None:
            sound = cast("AudioStream", container.streams[info.audio.index])
            streams[info.audio.index] = out.add_stream_from_template(sound)
            filler = PcmFiller.of(sound) if out.format.name != "matroska" else None
        if span.seek_pts is not None:
            container.seek(span.seek_pts, stream=picture, backward=True, any_frame=False)
        packets = demuxed(container, *(container.streams[i] for i in streams))
        for each in _timed(packets, index, ShownPictures(picture), copied):
            context.check()
            if each.packet.stream_index != index:
                if span.complete and each.shown >= copied.last:
                    break
                waiting.append(each)
            elif span.complete:
                if len(streams) == 1:
                    break  # else some of its sound may lie further on
            elif span.takes(each, copied, counts_surplus=not hides_surplus):
                description.check(each)
                span.mend(each.packet, each.pts)
                each.mux(copied.first, streams[index], out)
            while waiting and waiting[0].shown < copied.last:
                early = waiting.popleft()
                if early.shown >= copied.first:
                    for one in early.fitted(filler):
                        one.mux(copied.first, streams[early.packet.stream_index], out)
    if not copied.frames:
        raise SpecError(
            f"there is no frame of {wanted.source} between {wanted.start:g} s and {wanted.end} s", path=("start",)
        )
    zero = span.zero * span.base
    copied.first, copied.last = copied.first - zero, copied.last - zero
    return copied


class _Description:
    """The description of its pictures in the head of a file, of which a copy has one.

    Args:
        picture: the source's stream.
        out: the file that is made.
        source: for messages.
        zero: when the source's time begins, on its own clock.
    """

    def __init__(self, picture: VideoStream, out: OutputContainer, source: str, *, zero: Fraction) -> None:
        context = picture.codec_context
        self._header = bytes(context.extradata or b"")
        is_hevc = context.codec.canonical_name == "hevc" and out.format.name != "matroska"
        # ``hvc1`` has all sets in its head: the muxer drops those among the pictures
        self._sets = listed_sets(self._header) if is_hevc else frozenset()
        self._source, self._zero = source, zero

    def check(self, each: _Timed) -> None:
        """Raise where a packet is described otherwise.

        Raises:
            SpecError: it has a sample description, or parameter sets, of its own.
        """
        others: frozenset[bytes] = frozenset()
        if self._sets:
            others = sets_among_pictures(memoryview(each.packet), self._header) - self._sets
        if others or each.packet.has_sidedata("new_extradata"):
            raise SpecError(
                f"the pictures of {self._source} are described anew at {float(each.shown - self._zero):.3f} s (another "
                "size, or another encoder), and a copy has one description; extract without copying",
                path=("copy_codec",),
            )


@dataclass(slots=True)
class _CopiedSpan:
    """The wanted span of the picture, in units of its time base.

    Attributes:
        base: of its times, seconds.
        zero: its pts of time zero.
        key: the pts of the key frame with which the copy begins.
        first: that of the first frame that is shown: it may be shown before the key frame.
        last: the pts of the last wanted frame; None: all.
        seek_pts: where to seek to; None: the beginning.
        lengths: of frames, by their pts, where they are known from the frames that follow.
        left: the wanted frames that have not come; none where all are wanted.
        complete: whether all that is wanted has been copied.
    """

    base: Fraction
    zero: int
    key: int
    first: int
    last: int | None
    seek_pts: int | None
    lengths: dict[int, int]
    left: set[int] = field(default_factory=set)
    complete: bool = False

    @classmethod
    def of(cls, source: Source, info: MediaInfo, wanted: SourceSpan) -> _CopiedSpan:
        """Find the span in the source's packets."""
        start, end = exact(wanted.start), None if wanted.end is None else exact(wanted.end)
        times = frame_times(source, info, start=start, end=start)
        if start >= (ends := times.seconds(times.end_pts)):
            raise SpecError(
                f"the copy starts at {wanted.start:g} s, but {wanted.source} ends at {float(ends):.3f} s; "
                "start earlier",
                path=("start",),
            )
        key = times.key_pts
        if key is None:  # none is shown so early, but one may be decoded before what is
            key = times.leading.get(times.pts[0], times.pts[0])
        first = key
        if times.seek_pts is None:
            before = frame_times(source, info, end=times.seconds(key))
            early = [pts for pts in before.pts if pts < key]
            if early and all(before.leading.get(pts) == key for pts in early):
                first = early[0]  # the file begins with this key frame: what is shown before it needs no other
        begin = times.seconds(first) if end is not None else max(start, info.duration - _TAIL_SECONDS)
        listed = frame_times(source, info, start=begin, end=end)
        lengths = {pts: after - pts for pts, after in itertools.pairwise((*listed.pts, listed.end_pts))}
        left = {pts for pts in listed.pts if end is not None and first <= pts and listed.seconds(pts) < end}
        last = max(left, default=None)
        return cls(times.time_base, times.start_pts, key, first, last, times.seek_pts, lengths, left)

    @property
    def step(self) -> int:
        """How long the last frame is shown of those whose length is known."""
        return self.lengths[max(self.lengths if self.last is None else {self.last})]

    def mend(self, packet: Packet[Any], pts: int) -> None:
        """Say in ``packet`` how long its frame is shown, and that it is no key frame where it refers to earlier ones.

        TS and FLV say no lengths, and what libavformat makes up for them may be nothing.
        """
        packet.duration = self.lengths.get(pts, 0) or packet.duration or self.step
        if self.last is not None and pts > self.last:
            packet.duration = self.step
        if packet.is_keyframe and refers_back(packet):
            packet.is_keyframe = False

    def takes(self, each: _Timed, copied: Copied, *, counts_surplus: bool) -> bool:
        """Tell whether a packet of the picture is copied, and bring ``copied`` up to date."""
        completes = each.completes and copied.took
        if self.last is not None and not completes:
            # in decoding order: after the last that is wanted, whatever its place in time
            self.complete = not self.left or each.dts > self.last
        # it begins with its key frame; what is decoded after it but shown before it is wanted where a file begins
        begun = copied.frames > 0 or each.pts == self.key
        copied.took = begun and each.pts >= self.first and not self.complete
        if copied.took and not each.is_hidden:
            self.left.discard(each.pts)
            is_surplus = self.last is not None and each.pts > self.last
            length = self.step if is_surplus else self.lengths.get(each.pts, 0) or each.packet.duration or 0
            copied.surplus += is_surplus and not completes
            if counts_surplus or not is_surplus:
                copied.frames += not completes
                copied.last = max(copied.last, (each.pts + length) * self.base)
        return copied.took


@dataclass(frozen=True, slots=True)
class _Timed:
    """A packet with its times.

    Attributes:
        packet: what the source holds.
        pts, dts: in its time base.
        completes: it is the second field of the frame in the packet before.
        is_hidden: it shows no picture.
    """

    packet: Packet[Any]
    pts: int
    dts: int
    completes: bool = False
    is_hidden: bool = False

    @property
    def shown(self) -> Fraction:
        """When, in seconds of the source's clock."""
        return self.pts * Fraction(self.packet.time_base)

    @property
    def decoded(self) -> Fraction:
        """When, in seconds of the source's clock."""
        return self.dts * Fraction(self.packet.time_base)

    def fitted(self, filler: PcmFiller | None) -> Iterator[_Timed]:
        """Yield the packet, and before it the silence that ``filler`` finds to be missing."""
        if filler is None:
            yield self
            return
        for packet, begin in filler.fitted(self.packet, self.shown):
            pts = round(begin / packet.time_base)
            yield _Timed(packet, pts, pts)

    def mux(self, zero: Fraction, stream: Any, out: OutputContainer) -> None:
        """Write it as a packet of ``stream``, counting from ``zero``."""
        shift = round(zero / self.packet.time_base)
        self.packet.pts, self.packet.dts = self.pts - shift, self.dts - shift
        self.packet.stream = stream
        out.mux(self.packet)


def _timed(packets: Iterator[Packet[Any]], index: int, pictures: ShownPictures, copied: Copied) -> Iterator[_Timed]:
    """Yield those of ``packets`` that say when they are shown, all with a decoding time.

    Matroska stores none, and libavformat works none out for the first pictures of a stream with B-frames.

    Args:
        packets: of one picture and maybe a sound.
        index: of the picture.
        pictures: finds second fields, shown after the first where they do not say when, and what shows no picture.
        copied: where pictures that do not say when are counted.
    """
    untimed: list[_Timed] = []
    after_first: int | None = None  # when the frame of the picture's last packet ends
    for packet in packets:
        if not packet.size:
            continue
        pts, dts, completes, hidden = packet.pts, packet.dts, False, False
        if packet.stream_index == index:
            part, hidden = pictures.look(packet)
            completes = part == 2 and after_first is not None
            pts = after_first if completes and pts is None else pts
            after_first = None if pts is None else pts + (packet.duration or 1)
        if pts is None:
            copied.untimed += packet.stream_index == index and copied.took
            continue
        if packet.stream_index != index:
            yield _Timed(packet, pts, pts if dts is None else dts)
        elif dts is None:
            untimed.append(_Timed(packet, pts, pts, completes, hidden))
        else:
            step = packet.duration or 1
            for places, one in zip(range(len(untimed), 0, -1), untimed, strict=True):
                yield replace(one, dts=min(one.pts, dts - places * step))
            untimed.clear()
            yield _Timed(packet, pts, dts, completes, hidden)
    order = sorted(one.pts for one in untimed)
    delay = max((decoded - one.pts for decoded, one in zip(order, untimed, strict=True)), default=0)
    for decoded, one in zip(order, untimed, strict=True):
        yield replace(one, dts=decoded - delay)
