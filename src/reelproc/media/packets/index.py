"""List the packets of a video stream in decoding order, with what each holds, without decoding any.

PyAV demultiplexes; no ffprobe is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, cast

from reelproc.media.bitstream.back_references import refers_back
from reelproc.media.bitstream.pictures import ShownPictures
from reelproc.media.container.containers import demuxed, open_container, without_timestamps
from reelproc.storage.source import Source

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream as AVVideoStream


@dataclass(frozen=True, slots=True)
class IndexedPacket:
    """A packet of the video stream.

    Attributes:
        pts: presentation timestamp, time base units; None where the container has none.
        dts: decoding timestamp, or None.
        duration: time base units, 0 when unknown.
        size_bytes: 0 for an empty packet ("show the last frame again").
        is_keyframe: decoding can begin here.
        is_discard: to be decoded but not to be shown (the pre-roll of an edit list).
        field: 1: it holds the first field of a frame; 2: it completes the frame of the packet before, and makes none of
            its own; 0: a whole frame.
        is_hidden: it holds no picture, or one that is only referred to.
        is_mistaken: the container says or lists that decoding can begin here, and the picture refers to earlier ones.
    """

    pts: int | None
    dts: int | None
    duration: int
    size_bytes: int
    is_keyframe: bool
    is_discard: bool
    field: Literal[0, 1, 2] = 0
    is_hidden: bool = False
    is_mistaken: bool = False

    @classmethod
    def of(cls, packet: Packet[Any], pictures: ShownPictures, listed: ListedKeys) -> IndexedPacket:
        """Return what is kept of a packet; ``pictures`` has seen those before it, ``listed`` has the key frames."""
        part, hidden = pictures.look(packet)
        begins = packet.is_keyframe and part != 2 and not hidden
        wrong = (begins or (part != 2 and packet in listed)) and refers_back(packet)
        size, length = packet.size, packet.duration or 0
        return cls(packet.pts, packet.dts, length, size, begins and not wrong, packet.is_discard, part, hidden, wrong)

    @property
    def holds_frame(self) -> bool:
        """Whether it makes a frame that is shown, be its time known or not."""
        return self.size_bytes > 0 and not self.is_discard and self.field != 2 and not self.is_hidden

    @property
    def is_shown(self) -> bool:
        """Whether it makes a frame that is shown, at a known time."""
        return self.holds_frame and self.pts is not None


LAST_PTS = 2**63 - 1
"""The latest timestamp that a container can hold."""

_LISTED_BY_SEEKS = ("mpeg", "mpegts", "nut")
"""Containers without an index: libavformat notes what packets a seek came past, and calls all of them key frames."""


class ListedKeys:
    """A stream's key frames by the container's index: a packet of rubbish is no longer told to be one."""

    def __init__(self, stream: AVVideoStream, format_name: str) -> None:
        self._entries = stream.index_entries
        self._is_made_up = format_name in _LISTED_BY_SEEKS
        self.by_pts = format_name.startswith("matroska")  # others list when a frame is decoded

    def __contains__(self, packet: Packet[AVVideoStream] | IndexedPacket) -> bool:
        time = packet.pts if self.by_pts else packet.dts
        if time is None or self._is_made_up:
            return False
        place = self._entries.search_timestamp(time, any_frame=True)
        return place >= 0 and self._entries[place].timestamp == time and self._entries[place].is_keyframe


def packet_index(
    container: InputContainer, stream: AVVideoStream, *, seek_pts: int | None = None, any_frame: bool = False
) -> Iterator[IndexedPacket]:
    """Yield the packets of ``stream`` in decoding order.

    Args:
        container: an open container.
        stream: one of its streams.
        seek_pts: begin at the key frame that a seek to this timestamp reaches; None: where the container stands.
        any_frame: let the seek reach any packet, not only a key frame.
    """
    import av

    if seek_pts is not None:
        try:
            container.seek(min(seek_pts, LAST_PTS), stream=stream, backward=True, any_frame=any_frame)
        except av.FFmpegError:  # no index, or an odd one: read on from the start
            _rewind(container, stream)
    packets = _indexed(container, stream)
    if seek_pts is not None:
        first, second = next(packets, None), next(packets, None)
        # a field by itself, which a seek reached, is the second one of a frame: it began before
        lone = first is not None and first.field == 1 and (second is None or second.field != 2)
        yield from (packet for packet in (None if lone else first, second) if packet is not None)
    yield from packets


def _indexed(container: InputContainer, stream: AVVideoStream) -> Iterator[IndexedPacket]:
    import av

    pictures, listed = ShownPictures(stream), ListedKeys(stream, container.format.name)
    before: IndexedPacket | None = None
    try:
        for packet in demuxed(container, stream):
            if packet.size or packet.pts is not None:
                indexed = IndexedPacket.of(packet, pictures, listed)
                if indexed.field == 2 and indexed.pts is None and before is not None and before.pts is not None:
                    indexed = replace(indexed, pts=before.pts + before.duration)
                yield indexed
                before = before if indexed.is_hidden else indexed
    except av.FFmpegError:  # the file ends in the middle of something: what could be read is all there is
        return


def begins_mistaken(source: Source, index: int) -> bool:
    """Tell whether the first packet of a stream is marked as a key frame, and is none."""
    with open_container(source) as container:
        packets = packet_index(container, cast("AVVideoStream", container.streams[index]))
        return next((packet.is_mistaken for packet in packets if packet.size_bytes), False)


def _rewind(container: InputContainer, stream: AVVideoStream) -> None:
    import av

    try:
        container.seek(stream.start_time or 0, stream=stream, backward=True)
    except av.FFmpegError as error:
        raise without_timestamps(container.name.removeprefix("file:"), container.format.name) from error
