"""Decode with PyAV, past any damage: every frame that the decoder can make, in order, none lost after a bad packet.

The decoder's threads make it fast, and its failures vague: an error belongs to some packet a few before, frames that
were still on their way at the end may be lost with it, and a damaged key frame leaves a decoder that shows later frames
before earlier ones. So decoding goes ahead with threads, and from where something is odd it is done again *with care*:
in one thread, where an error is the packet's that was just sent, with the decoder emptied and reset at a bad key frame,
and keeping back as many pictures as may be reordered, whatever the header promises.
"""

from __future__ import annotations

import contextlib
import itertools
from collections import deque
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, NamedTuple, cast

from reelproc.media.bitstream.back_references import NEEDS_TRUE_START
from reelproc.media.bitstream.pictures import ShownPictures
from reelproc.media.container.containers import demuxed, mistimed_after_seek, open_container, without_display_times
from reelproc.media.decode.frame_order import FrameOrder, SentPacket
from reelproc.media.packets.frame_times import seek_aim
from reelproc.media.packets.index import IndexedPacket, ListedKeys
from reelproc.storage.source import Source

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream as AVVideoStream

_MAX_THREADS = 64
"""More than ffmpeg's decoders take."""

_MAX_REORDERED = 16
"""Pictures that H.264 lets a decoder keep back; one that keeps back fewer than are reordered drops some."""

_REORDER_CHECK_PACKETS = 60
"""Packets that tell whether a stream has B-frames."""


def decoded_frames(source: Source, index: int, *, seek_pts: int | None = None) -> Generator[VideoFrame]:
    """Yield the frames of a stream in order of presentation, from the key frame that a seek reaches.

    A packet that cannot be decoded is skipped. What an edit list hides does not come.

    Args:
        source: the file.
        index: of the video stream.
        seek_pts: where to seek to; None: begin at the beginning.
    """
    doubt = yield from _decoded(source, index, seek_pts, careful=False)
    if doubt is not None:
        yield from carefully_decoded_frames(source, index, seek_pts=doubt.seek_pts, after=doubt.after)


def carefully_decoded_frames(
    source: Source, index: int, *, seek_pts: int | None = None, after: int | None = None
) -> Generator[VideoFrame]:
    """Yield frames as :func:`decoded_frames` does, slower, and exact about damage.

    Args:
        source: the file.
        index: of the video stream.
        seek_pts: where to seek to; None: begin at the beginning.
        after: frames at and before this timestamp are left out.
    """
    yield from _decoded(source, index, seek_pts, after=after, careful=True)


class _Doubt(NamedTuple):
    """From where to decode again, with care.

    Attributes:
        seek_pts: where to seek to; None: begin at the beginning.
        after: the last frame that was shown; None: none was.
    """

    seek_pts: int | None
    after: int | None


def _decoded(
    source: Source, index: int, seek_pts: int | None, *, after: int | None = None, careful: bool
) -> Generator[VideoFrame, None, _Doubt | None]:
    """Yield the frames of a stream in order.

    With care, what cannot be decoded is given up, and all that refers to it. Without, decoding goes ahead with threads,
    and ends where something is odd.

    Returns:
        From where to go on with care; None: all is done.
    """
    import av

    last = after
    held: deque[tuple[int, VideoFrame]] = deque()
    hold = 0 if careful else 1  # without care a frame goes out when its successor is seen to be later
    with open_container(source) as container:
        stream = cast("AVVideoStream", container.streams[index])
        context = stream.codec_context
        if careful:
            context.thread_count = 1
        else:
            stream.thread_type = "AUTO"
        format_name = container.format.name
        decoder = _Decoder(stream, format_name)
        kept_back = 0
        if careful or decoder.counts:  # of counted frames, one that the decoder drops sets the others wrong
            kept_back = _keep_back(stream)
        _seek(container, stream, seek_pts)
        keys = ListedKeys(stream, format_name)
        order = FrameOrder(stream, sought=seek_pts is not None, kept_back=kept_back)
        sent = _SentPackets(stream, format_name, seek_pts, counts=decoder.counts)
        is_first = seek_pts is not None or context.codec.canonical_name in NEEDS_TRUE_START
        is_lost = False
        for packet, seen in order.read_ahead(_indexed(container, stream, ShownPictures(stream), keys)):
            is_key = packet is not None and _is_key(packet, seen, keys)
            is_lost = is_lost or (is_first and seen is not None and seen.is_mistaken)
            is_first = False
            sent.see(seen)
            if is_lost and packet is not None and not is_key:
                order.give_up(seen)  # nothing can be made of what lies before a true key frame
                continue
            is_lost = False
            frames: list[VideoFrame] = []
            sent.send(seen, is_key=is_key)
            order.send(seen)
            try:
                frames = decoder.decode(packet)
            except av.FFmpegError:
                if not careful:
                    if sent.fail():
                        return sent.doubt(last)
                    continue
                order.give_up(seen)
                if not is_key:
                    continue
                # What follows refers to this frame. Let out what was still waiting to be shown before it, and make the
                # decoder forget all. Nothing goes in until it can begin again: not every decoder waits for that.
                is_lost = True
                with contextlib.suppress(av.FFmpegError):
                    frames = decoder.decode(None)
                context.flush_buffers()
                order.give_up_sent()
            for frame in frames:
                order.put(frame)
            if packet is None:
                order.end()
            if not careful and order.is_short and sent.may_be_short:
                return sent.doubt(last)  # it keeps back fewer pictures than are reordered, and drops late ones
            for pts, frame in order.take(is_end=packet is None):
                newest = held[-1][0] if held else last
                if newest is not None and pts <= newest:
                    if careful:
                        continue
                    return sent.doubt(last)
                held.append((pts, frame))
                if len(held) > hold:
                    last, out = held.popleft()
                    yield out
    while held:
        last, frame = held.popleft()
        yield frame
    return None if careful else sent.doubt_of_end(last)


class _SentPackets:
    """The packets of a stream so far, and what they say of where to decode again with care.

    Args:
        stream: the stream.
        format_name: the container's.
        seek_pts: where decoding began; None: at the beginning.
        counts: whether frames are counted, see :class:`_Decoder`.
    """

    def __init__(self, stream: AVVideoStream, format_name: str, seek_pts: int | None, *, counts: bool) -> None:
        self._context, self._name = stream.codec_context, stream.name
        self._format_name, self._seek_pts, self._counts = format_name, seek_pts, counts
        self._newest: int | None = None  # the last packet's pts, of those to be shown
        self._keys: list[tuple[int, int]] = []
        self._recent: deque[bool] = deque(maxlen=_MAX_THREADS)  # of packets: whether it is a key frame, or the end
        self._in_fields = self._is_misled = self._is_troubled = False

    def see(self, seen: IndexedPacket | None) -> None:
        """Note a packet, be it decoded or not."""
        if seen is not None:
            self._in_fields = self._in_fields or seen.field == 2
            self._is_misled = self._is_misled or seen.is_mistaken

    def send(self, seen: IndexedPacket | None, *, is_key: bool) -> None:
        """Note that a packet is about to be decoded; None: the end."""
        if seen is not None and seen.is_shown and seen.pts is not None:
            self._newest = seen.pts if self._newest is None else max(self._newest, seen.pts)
            if seen.is_keyframe:
                self._keys.append((seen.pts, seen.pts if seen.dts is None else seen.dts))
        self._recent.append(seen is None or is_key)

    def fail(self) -> bool:
        """Note that one of the last packets could not be decoded, and tell whether a key frame is among them."""
        self._is_troubled = True
        suspects = list(self._recent)[-1 - self._context.thread_count :]  # each thread holds one
        return self._counts or any(suspects)

    @property
    def may_be_short(self) -> bool:
        """Whether a frame that does not come may be one that the decoder has dropped."""
        return not self._is_troubled and self._name == "h264"

    def doubt(self, last: int | None) -> _Doubt:
        """Return from where to decode again, where ``last`` was the last frame shown."""
        again = self._seek_pts
        sought = not (self._counts or mistimed_after_seek(self._format_name))
        if sought and last is not None and any(pts <= last for pts, _ in self._keys):
            again = seek_aim(self._keys, last, self._format_name, in_fields=self._in_fields, misled=self._is_misled)
        return _Doubt(again, last)

    def doubt_of_end(self, last: int | None) -> _Doubt | None:
        """Return from where to decode again where frames after ``last``, the last one shown, have not come."""
        lacks = self._newest is not None and last is not None and self._newest > last
        return self.doubt(last) if lacks else None


def _keep_back(stream: AVVideoStream) -> int:
    """Have H.264's decoder keep back as many pictures as it may, so that it drops none, and return how many."""
    if stream.name != "h264":
        return 0
    stream.codec_context.options = {**stream.codec_context.options, "has_b_frames": str(_MAX_REORDERED)}
    return _MAX_REORDERED


def _is_key(packet: Packet[AVVideoStream], seen: IndexedPacket | None, listed: ListedKeys) -> bool:
    """Tell whether decoding can begin at a packet, be it rubbish by now."""
    return (packet.is_keyframe or packet in listed) and (seen is None or not seen.is_mistaken)


def is_reordered(source: Source, index: int) -> bool:
    """Return whether a stream without display times has B-frames, among its first frames.

    Args:
        source: the file.
        index: of the video stream.
    """
    import av

    newest = -1
    with open_container(source) as container:
        stream = cast("AVVideoStream", container.streams[index])
        for packet in itertools.islice(_packets(container, stream), _REORDER_CHECK_PACKETS):
            with contextlib.suppress(av.FFmpegError):
                for frame in stream.codec_context.decode(packet):
                    if frame.pts is not None and frame.pts < newest:
                        return True
                    newest = max(newest, frame.pts or 0)
    return False


def _indexed(
    container: InputContainer, stream: AVVideoStream, pictures: ShownPictures, keys: ListedKeys
) -> Iterator[SentPacket]:
    """Yield the packets of :func:`_packets`, each with what the index knows of it."""
    for packet in _packets(container, stream):
        yield SentPacket(packet, None if packet is None else IndexedPacket.of(packet, pictures, keys))


def _packets(container: InputContainer, stream: AVVideoStream) -> Iterator[Packet[AVVideoStream] | None]:
    """Yield the stream's packets, then None once: let out what is left. A file that is cut off just ends."""
    import av

    try:
        for packet in demuxed(container, stream):
            if packet.size:
                yield packet
    except av.FFmpegError:
        pass
    yield None


class _Decoder:
    """A stream's decoder, whose frames have the times at which they are shown.

    Where packets tell only when they are decoded, these are counted: frames come out in the order in which they are
    shown, and take the packets' times one after another. A key frame takes its own: nothing that is decoded before it
    is shown after it. That does not hold of MPEG-4 with B-frames, whose encoders put two pictures into one packet and
    none into the next.

    Attributes:
        counts: whether times are counted.
    """

    def __init__(self, stream: AVVideoStream, format_name: str) -> None:
        self.counts = without_display_times(format_name, stream.name)
        self._anchored = not (stream.name == "mpeg4" and stream.codec_context.has_b_frames)
        self._context = stream.codec_context
        self._free: deque[int] = deque()  # the dts of packets whose place no frame has taken
        self._keys: set[int] = set()

    def decode(self, packet: Packet[AVVideoStream] | None) -> list[VideoFrame]:
        """Return what comes out when ``packet`` goes in; None lets out what is left.

        Raises:
            av.FFmpegError: the packet, or with threads one of the last, cannot be decoded.
        """
        if not self.counts:
            return self._context.decode(packet)
        dts = None if packet is None else packet.dts
        if packet is not None and dts is not None:
            self._free.append(dts)
            if packet.is_keyframe and self._anchored:
                self._keys.add(dts)
        try:
            frames = self._context.decode(packet)
        except BaseException:
            if dts is not None:
                self._free.remove(dts)  # no frame comes of it
            raise
        for frame in frames:
            frame.pts = self._place(frame.pts)
        return frames

    def _place(self, dts: int | None) -> int | None:
        """Return when the frame of the packet with this dts is shown."""
        if dts is not None and dts in self._keys:
            self._keys.discard(dts)
            while self._free and self._free[0] < dts:
                self._free.popleft()
        return self._free.popleft() if self._free else None


def _seek(container: InputContainer, stream: AVVideoStream, pts: int | None) -> None:
    import av

    if pts is None:
        return
    try:
        container.seek(pts, stream=stream, backward=True)
    except av.FFmpegError:  # no index, or an odd one: from the beginning
        with contextlib.suppress(av.FFmpegError):  # it was just opened: that is where it stands
            container.seek(stream.start_time or 0, stream=stream, backward=True)
