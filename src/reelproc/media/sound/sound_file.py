"""The file that a reel's sound is kept in until assembly, and its way from there into the finished file.

AAC comes in packets of 1024 samples, and a decoder needs one before the first to get going. A container must
therefore say where the sound begins and ends within its packets, or it is 21 ms late and up to 21 ms too long. In mp4
and mov the edit list says it, in Matroska the codec delay.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import av
import numpy as np

from reelproc.errors import EncodeError
from reelproc.media.container.containers import create_container
from reelproc.media.sound.sound_plan import SAMPLE_RATE

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from numpy.typing import NDArray

AAC_FRAME = 1024
"""Samples per AAC packet."""

MOVIE_TIMESCALE = 240_000
"""Give it to mp4 and mov muxers as the option ``movie_timescale``: edit lists count in it, and with the usual
milliseconds the sound's end is off by half of one. Divisible by 48 000 and by every common frame rate, those over
1.001 included."""


class AacFile:
    """Writes stereo AAC into an ``.m4a`` file; a context manager. The file is whole only if the block ended well.

    Args:
        path: the file to make.
        bitrate: bits per second.

    Raises:
        EncodeError: (from all methods) the file cannot be written.
    """

    def __init__(self, path: Path, bitrate: int) -> None:
        self._path = path
        self._bitrate = bitrate
        self._count = 0

    def __enter__(self) -> Self:
        options = {"movie_timescale": str(MOVIE_TIMESCALE)}
        try:
            with ExitStack() as stack:
                self._container = stack.enter_context(create_container(self._path, "ipod", options))
                self._stream = _aac_stream(self._container, self._bitrate)
                self._open = stack.pop_all()
        except (av.FFmpegError, OSError) as error:
            raise EncodeError(f"the sound cannot be written to {self._path}: {error}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            with self._open:
                if kind is None:
                    self._container.mux(self._stream.encode(None))
        except (av.FFmpegError, OSError) as error:
            if kind is None:  # else what went wrong first is what matters, and the file is thrown away
                raise EncodeError(f"the sound cannot be written to {self._path}: {error}") from error

    def write(self, block: NDArray[np.float32]) -> None:
        """Encode (N, 2) samples; N is a multiple of :data:`AAC_FRAME` in all but the last block."""
        try:
            for start in range(0, len(block), AAC_FRAME):
                samples = np.ascontiguousarray(block[start : start + AAC_FRAME].T)
                frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
                frame.sample_rate = SAMPLE_RATE
                frame.time_base = Fraction(1, SAMPLE_RATE)
                frame.pts = self._count
                self._count += samples.shape[1]
                self._container.mux(self._stream.encode(frame))
        except (av.FFmpegError, OSError) as error:
            raise EncodeError(f"the sound cannot be written to {self._path}: {error}") from error


def add_sound_stream(source: InputContainer, out: OutputContainer) -> AudioStream:
    """Return a new stream of ``out`` for the packets of ``source``, a file made by ``render_sound``.

    A stream from ``add_stream_from_template`` would not know the encoder's delay, and Matroska would then put the
    picture 21 ms late. An opened encoder, which encodes nothing, does.
    """
    stream = _aac_stream(out, source.streams.audio[0].bit_rate or 0)
    stream.time_base = Fraction(1, SAMPLE_RATE)
    stream.codec_context.open()
    return stream


def sound_packets(source: InputContainer, stream: AudioStream) -> Iterator[Packet[Any]]:
    """Yield the packets of ``source``, in order of time, ready to be muxed into ``stream`` of another container.

    The first has a negative timestamp, which the muxer turns into an edit list or a delay; the last one's duration is
    what is left, not a whole packet. Both must stay as they are.

    Args:
        source: a file that :func:`~reelproc.media.sound.mixing.render_sound` made.
        stream: from :func:`add_sound_stream`.
    """
    for packet in source.demux(source.streams.audio[0]):
        if packet.size:
            packet.stream = stream
            yield packet


def _aac_stream(out: OutputContainer, bitrate: int) -> AudioStream:
    stream = out.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
    stream.bit_rate = bitrate
    return stream
