"""Frames in the order in which they are shown, however late a decoder gives them.

A decoder holds a frame back until enough others are decoded that may be shown before it: as many as the stream's header
promises, or as it has seen to be needed. Where a header promises less than there is, frames come too early, and those
that belong before them come late. Which are still to come stands in the packets.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream as AVVideoStream

    from reelproc.media.packets.index import IndexedPacket

_READ_AHEAD_PACKETS = 40
"""Packets that are read before they are decoded: more than encoders code between a picture and one shown before it."""

_MAX_DELAY_PACKETS = 24
"""Packets after which a picture comes out at last: those that may be decoded after it and shown before it, 16 B-frames
in a row, and the few that a decoder keeps back by itself."""


def frame_pts(frame: VideoFrame) -> int | None:
    """Return when the frame is shown; where the container has no such stamp (some AVI), when its packet was decoded."""
    return frame.pts if frame.pts is not None else frame.dts


class SentPacket(NamedTuple):
    """A packet, and what the index knows of it; both None at the end."""

    packet: Packet[AVVideoStream] | None
    seen: IndexedPacket | None


class FrameOrder:
    """Holds frames until all that are shown before them have come, or have been given up.

    It holds no more frames than are coded before one that is shown earlier; after a packet of which no frame comes, as
    many as the decoder may have.

    Args:
        stream: whose packets are decoded.
        sought: whether decoding begins in the middle: what is shown before the first key frame does not come then.
        kept_back: how many pictures the decoder was told to keep back.

    Attributes:
        is_short: whether a frame was given up, other than such as are shown before the first key frame.
    """

    def __init__(self, stream: AVVideoStream, *, sought: bool, kept_back: int = 0) -> None:
        self._context = stream.codec_context
        self._ahead = _READ_AHEAD_PACKETS if stream.codec_context.codec.reorder else 0
        self._awaited: dict[int, int] = {}  # how often each pts is still to come
        self._sent: deque[tuple[int, int]] = deque()  # (number, pts) of packets, oldest first
        self._number = 0
        self._kept_back = kept_back
        self._sought = sought
        self._key: int | None = None  # when the first key frame is shown
        self.is_short = False
        self._ready: list[tuple[int, int, VideoFrame]] = []
        self._count = itertools.count()

    def read_ahead(self, packets: Iterable[SentPacket]) -> Iterator[SentPacket]:
        """Yield ``packets``, knowing some that follow."""
        waiting: deque[SentPacket] = deque()
        for each in packets:
            seen = each.seen
            if seen is not None and seen.is_shown and seen.pts is not None:
                if self._key is None and seen.is_keyframe:
                    self._key = seen.pts
                if not self._sought or self._key is None or seen.pts >= self._key:
                    self._awaited[seen.pts] = self._awaited.get(seen.pts, 0) + 1
            waiting.append(each)
            if len(waiting) > self._ahead:
                yield waiting.popleft()
        yield from waiting

    def send(self, seen: IndexedPacket | None) -> None:
        """Note that a packet is about to be decoded."""
        if seen is None or seen.field == 2:
            return
        self._number += 1
        if seen.is_shown and seen.pts is not None:
            self._sent.append((self._number, seen.pts))
        patience = self._context.thread_count + _MAX_DELAY_PACKETS + self._kept_back
        while self._sent and self._number - self._sent[0][0] > patience:
            pts = self._sent.popleft()[1]
            self.is_short = self.is_short or (pts in self._awaited and self._key is not None and pts >= self._key)
            self._forget(pts)

    def give_up(self, seen: IndexedPacket | None) -> None:
        """Note that no frame comes of a packet."""
        if seen is not None and seen.is_shown and seen.pts is not None:
            self._forget(seen.pts)

    def give_up_sent(self) -> None:
        """Note that the decoder has none left."""
        while self._sent:
            self._forget(self._sent.popleft()[1])

    def end(self) -> None:
        """Note that the last frames came."""
        self.is_short = self.is_short or (self._key is not None and any(pts >= self._key for pts in self._awaited))

    def put(self, frame: VideoFrame) -> None:
        """Take a frame that came out of the decoder; one without any time is left out."""
        pts = frame_pts(frame)
        if pts is not None:
            self._forget(pts)
            heapq.heappush(self._ready, (pts, next(self._count), frame))

    def take(self, *, is_end: bool = False) -> Iterator[tuple[int, VideoFrame]]:
        """Yield the frames whose turn has come, each with its time; at the end, all that are left."""
        while self._ready and (is_end or self._ready[0][0] < min(self._awaited, default=self._ready[0][0] + 1)):
            pts, _, frame = heapq.heappop(self._ready)
            yield pts, frame

    def _forget(self, pts: int) -> None:
        left = self._awaited.get(pts, 0) - 1
        if left > 0:
            self._awaited[pts] = left
        else:
            self._awaited.pop(pts, None)
