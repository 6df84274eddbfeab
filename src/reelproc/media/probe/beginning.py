"""How a video stream begins: its first frames, and when the first of them is shown."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from reelproc.errors import ProbeError
from reelproc.media.container.containers import demuxed
from reelproc.media.decode.frame_order import frame_pts
from reelproc.storage.source import Source

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream as AVVideoStream

_BEGINNING_PACKETS = 20
"""Packets that may hold pictures which are shown before the first one: more than a camera codes in a row."""


class Beginning(NamedTuple):
    """The first frames of a stream.

    Attributes:
        frame: the first that the decoder gives.
        following: those after it, decoded as they are taken.
        skipped: how many packets lie before the first key frame.
        first_pts: when the first of all frames is shown.
    """

    frame: VideoFrame
    following: Iterator[VideoFrame]
    skipped: int
    first_pts: int | None


def begin(container: InputContainer, stream: AVVideoStream, source: Source) -> Beginning:
    """Decode the beginning of ``stream``, of a container that has just been opened.

    A stream may begin with pictures that are shown before its first key frame and decoded after it, as AVCHD camcorders
    write them. Whether they can be decoded is the decoder's to say.

    Raises:
        ProbeError: no frame can be decoded, or most say no time and none can be worked out.
    """
    context: Any = stream.codec_context
    start = stream.start_time  # reading changes it where libavformat has to infer it
    packets = iter(demuxed(container, stream))
    head = list(_readable(packets, _BEGINNING_PACKETS if context.codec.reorder else 1))
    _check_timed(head, container.format.name, stream.name, source)
    frames = _decoded(itertools.chain(head, packets), stream, source)
    frame, skipped = next(frames)
    looked_at = [frame]
    start = frame.pts if start is None else start
    shown = [packet.pts for packet in head if packet.size and packet.pts is not None and not packet.is_discard]
    leading = sum(pts < shown[0] for pts in shown)
    if leading and not skipped:
        looked_at += [each for each, _ in itertools.islice(frames, leading)]
        known = [pts for each in looked_at if (pts := frame_pts(each)) is not None]
        start = min(known, default=start) if start is None else min([start, *known])
    return Beginning(frame, itertools.chain(looked_at[1:], (each for each, _ in frames)), skipped, start)


def _check_timed(head: list[Packet[Any]], format_name: str, codec: str | None, source: Source) -> None:
    """Refuse H.264 and HEVC in a program stream whose pictures mostly say no time; libavformat infers MPEG-2's only."""
    known = [packet.pts is not None for packet in head if packet.size]
    if format_name == "mpeg" and codec in ("h264", "hevc") and 2 * sum(known) < len(known):
        raise ProbeError(
            f"{source.name!r}: {known.count(False)} of its first {len(known)} pictures do not say when they are "
            f"shown, which {codec} in a program stream must; encode it anew at its frame rate: ffmpeg -i IN OUT.mp4"
        )


def _readable(packets: Iterator[Packet[Any]], count: int) -> Iterator[Packet[Any]]:
    """Yield up to ``count`` packets; a file that ends in the middle of something just ends."""
    import av

    try:
        yield from itertools.islice(packets, count)
    except av.FFmpegError:
        return


def _decoded(packets: Iterable[Packet[Any]], stream: AVVideoStream, source: Source) -> Iterator[tuple[VideoFrame, int]]:
    """Yield the frames that can be decoded, at least one, each with how many packets precede the first key frame."""
    import av

    stream.thread_type = "AUTO"
    skipped = found = 0
    keyed = False
    problem: Exception | None = None
    try:
        for packet in packets:
            keyed = keyed or packet.is_keyframe
            skipped += not keyed and packet.size > 0
            try:
                frames = packet.decode()
            except av.FFmpegError as error:
                problem = error
                continue
            for frame in frames:
                found += 1
                yield frame, skipped if keyed else 0
    except av.FFmpegError as error:  # the container ends in the middle
        problem = error
    if not found:
        raise ProbeError(
            f"{source.name!r}: no frame of its video stream can be decoded ({problem or 'it holds none'})"
        ) from problem
