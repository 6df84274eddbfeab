"""Decode a span of a source's sound onto a grid of 48 000 stereo samples a second, by its timestamps.

Sample ``i`` of the grid is container time ``i / 48000``. Sound is placed where its timestamps say and counted from
there, so that a gap (a damaged packet, a microphone that woke up late) stays a gap and what follows it stays in step
with the picture. Whatever the source is, mono to 7.1, any rate, even changing in the middle, what comes out is stereo
float.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from av.stream import Discard

from reelproc.errors import DecodeError
from reelproc.media.container.containers import demuxed, open_container
from reelproc.media.sound.resampling import MAX_TIME_ERROR_SECONDS, GaplessSound
from reelproc.media.sound.sound_plan import SAMPLE_RATE
from reelproc.storage.source import Source

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from numpy.typing import NDArray

PREROLL_SECONDS = Fraction(1, 2)
"""Seconds that are decoded before what is wanted, after a seek: AAC needs two packets until it is right, MP3 up to
ten (its bit reservoir), Opus 80 ms."""

_SEEK_BACK_SECONDS = (Fraction(1), Fraction(15))
"""How far before the wanted second to seek, as the sound may lie after the picture in the file; then, not at
all."""

_CHUNK_SAMPLES = 1 << 15


@dataclass
class DamageLog:
    """What could not be decoded, per stream.

    Attributes:
        conceal: a span of which nothing can be decoded is silent and reported, like any smaller damage, and no error.
        packets: damaged packets of ``(source's name, stream index)``.
    """

    conceal: bool = False
    packets: dict[tuple[str, int], int] = field(default_factory=dict)

    def add(self, name: str, stream_index: int, count: int) -> None:
        """Count ``count`` damaged packets."""
        if count:
            self.packets[name, stream_index] = self.packets.get((name, stream_index), 0) + count

    @property
    def messages(self) -> tuple[str, ...]:
        """One sentence per stream, for people."""
        return tuple(
            f"{name}: {count} packets of sound (stream {index}) cannot be decoded and are silent"
            for (name, index), count in self.packets.items()
        )


def decode_sound(
    source: Source,
    stream_index: int,
    first: int,
    count: int,
    *,
    damage: DamageLog,
    check: Callable[[], None],
) -> Generator[NDArray[np.float32]]:
    """Yield the samples ``first`` to ``first + count`` of a stream's grid, as (N, 2) blocks of exactly ``count``.

    Args:
        source: the file.
        stream_index: the audio stream's index in the container.
        first: a sample of the container's clock, may be negative.
        count: samples; silence fills what the source does not have.
        damage: is told of packets in the span that cannot be decoded.
        check: called often; raises to stop.

    Raises:
        ObjectNotFoundError, ProbeError: the file is not there, or not media.
        DecodeError: there is no such audio stream or no decoder for it, or nothing of the span can be decoded although
            there are packets (unless ``damage.conceal``).
    """
    here = first
    end = first + count
    if count <= 0:
        return
    decoder = _SoundDecoder(source, stream_index, Fraction(first, SAMPLE_RATE), Fraction(end, SAMPLE_RATE), check)
    try:
        for start, placed in decoder.placed():
            if start > here:
                yield from _silence(min(start, end) - here)
                here = min(start, end)
            block = placed[max(0, here - start) : max(0, end - start)]
            if len(block):
                yield block
                here += len(block)
            if here >= end:
                return
    finally:
        damage.add(source.name, stream_index, decoder.damaged)
    if decoder.damaged and not decoder.decoded and not damage.conceal:
        raise DecodeError(
            f"{source.name!r}: none of the {decoder.damaged} packets of sound (stream {stream_index}) between "
            f"{first / SAMPLE_RATE:.3f} and {end / SAMPLE_RATE:.3f} s can be decoded ({decoder.reason}); repair the "
            "file, or leave the sound out with Output(audio=False)"
        )
    yield from _silence(end - here)


def _silence(count: int) -> Iterator[NDArray[np.float32]]:
    for start in range(0, count, _CHUNK_SAMPLES):
        yield np.zeros((min(_CHUNK_SAMPLES, count - start), 2), np.float32)


def _stream(container: InputContainer, name: str, index: int) -> AudioStream:
    for stream in container.streams.audio:
        if stream.index == index:
            if stream.codec_context is None:
                raise DecodeError(f"{name!r}: there is no decoder for its sound (stream {index})")
            return stream
    kinds = ", ".join(f"{s.index}: {s.type}" for s in container.streams)
    raise DecodeError(f"{name!r} has no audio stream {index}, expected one of its streams ({kinds})")


class _SoundDecoder:
    """Decodes a stream from a little before ``start`` to ``end``, and tells where each block of samples belongs.

    Attributes:
        damaged: packets between the two that could not be decoded.
        reason: what the decoder said of the last of them.
        decoded: frames that could be decoded.
    """

    def __init__(self, source: Source, index: int, start: Fraction, end: Fraction, check: Callable[[], None]) -> None:
        self._source = source
        self._index = index
        self._start = start
        self._end = end
        self._check = check
        self.damaged = 0
        self.decoded = 0
        self.reason: object = None

    def placed(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield ``(first sample, block)`` in order of decoding."""
        run: GaplessSound | None = None
        begin = Fraction(0)
        for frame in self._frames():
            time = None if frame.pts is None else frame.pts * Fraction(frame.time_base or 1)
            if run is not None and not run.continues(frame, time):
                yield from run.flush()
                begin = run.expected
                run = None
            if run is None:
                run = GaplessSound(frame, begin if time is None else time, self._source.name)
            yield from run.push(frame)
            if run.expected > self._end + MAX_TIME_ERROR_SECONDS:
                break
        if run is not None:
            yield from run.flush()

    def _frames(self) -> Iterator[AudioFrame]:
        for packet in self._packets():
            self._check()
            time = _seconds(packet)
            if time is not None:
                if time > self._end + PREROLL_SECONDS:
                    return
                if time + (packet.duration or 0) * packet.time_base < self._start - PREROLL_SECONDS:
                    continue
            try:
                frames = packet.decode()
            except av.FFmpegError as error:
                self.damaged += time is None or self._start <= time < self._end
                self.reason = error
                continue
            for frame in frames:
                self.decoded += 1
                yield frame  # type: ignore[misc]  # an audio stream's packets hold audio frames

    def _packets(self) -> Iterator[Packet[Any]]:
        """Yield the stream's packets, the first of them at or before ``start - PREROLL`` or the first of all."""
        for distance in (*_SEEK_BACK_SECONDS, None):
            with open_container(self._source) as container:
                stream = _stream(container, self._source.name, self._index)
                begin = (stream.start_time or 0) * (stream.time_base or Fraction(0))
                seek = None if distance is None or self._start - distance <= begin else self._start - distance
                if seek is not None and not _sought(container, seek):
                    continue
                packets = self._demux(container, stream)
                first = next(packets, None)
                if first is None:
                    return
                time = _seconds(first)
                if not first.size:  # none follows; close to ``start``, look again from further away
                    arrived = distance != _SEEK_BACK_SECONDS[0]
                else:
                    arrived = time is None or time <= max(self._start - PREROLL_SECONDS, begin)
                if arrived or seek is None:
                    yield first
                    yield from packets
                    return

    def _demux(self, container: InputContainer, stream: AudioStream) -> Iterator[Packet[Any]]:
        # Not before seeking: a seek follows the file's default stream, which is never one that is discarded.
        for other in container.streams:
            if other.index != stream.index:
                other.discard = Discard.all
        try:
            yield from demuxed(container, stream)
        except av.FFmpegError as error:  # a truncated file: what could be read is all there is
            self.damaged += 1
            self.reason = error


def _sought(container: InputContainer, time: Fraction) -> bool:
    """Go to the key frame of the picture at or before ``time`` seconds; whether the container let us."""
    try:
        container.seek(int(time * av.time_base), backward=True, any_frame=False)
    except av.FFmpegError:
        return False
    return True


def _seconds(packet: Packet[Any]) -> Fraction | None:
    return None if packet.pts is None else packet.pts * packet.time_base
