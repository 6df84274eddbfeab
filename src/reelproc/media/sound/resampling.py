"""Bring decoded sound to stereo at 48 000 samples a second, and place it on that grid by its timestamps."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from av.filter import Graph

from reelproc.errors import DecodeError
from reelproc.media.sound.sound_plan import SAMPLE_RATE, sample_at

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from numpy.typing import NDArray

MAX_TIME_ERROR_SECONDS = Fraction(15, 1000)
"""Timestamps off by more seconds than this from the count of samples are a gap or an overlap; by less, they are the
rounding of the container (a millisecond in Matroska). The shortest packet in use holds 20 ms."""

_DOWNMIX = f"{SAMPLE_RATE}:osf=flt:ochl=stereo:rematrix_maxval=1"
"""ITU-R BS.775: centre and surrounds at -3 dB into left and right, no LFE; all scaled down so that nothing can clip."""

_RESAMPLE = f"{SAMPLE_RATE}:osf=flt"


class GaplessSound:
    """Frames of one format without a gap between them: resampled as one signal, placed once.

    Args:
        frame: the first; it is not pushed yet.
        time: when it begins, container seconds.
        name: of the source, for messages.

    Raises:
        DecodeError: its format cannot be brought to stereo.
    """

    def __init__(self, frame: AudioFrame, time: Fraction, name: str) -> None:
        self._form = (frame.format.name, frame.layout.name, frame.sample_rate)
        self._mono = frame.layout.nb_channels == 1
        self._begin = time
        self._pushed = 0
        self._next = sample_at(time)
        base = Fraction(1, frame.sample_rate)
        graph = Graph()
        try:
            source = graph.add_abuffer(
                format=frame.format.name, layout=frame.layout, sample_rate=frame.sample_rate, time_base=base
            )
            resampler = graph.add("aresample", _RESAMPLE if self._mono else _DOWNMIX)
            sink = graph.add("abuffersink")
            source.link_to(resampler)
            resampler.link_to(sink)
            graph.configure()
        except (av.FFmpegError, ValueError) as error:
            kind = f"{frame.layout.nb_channels} channels ({frame.layout.name}), {frame.sample_rate} Hz"
            raise DecodeError(
                f"{name!r}: its sound ({kind}) cannot be brought to stereo at {SAMPLE_RATE} Hz ({error}); convert it, "
                "or leave it out with Output(audio=False)"
            ) from error
        self._graph = graph

    @property
    def expected(self) -> Fraction:
        """Where the next frame begins, container seconds, if it belongs to the run."""
        return self._begin + Fraction(self._pushed, self._form[2])

    def continues(self, frame: AudioFrame, time: Fraction | None) -> bool:
        """Return whether ``frame`` has the run's format and begins where the run ends."""
        if (frame.format.name, frame.layout.name, frame.sample_rate) != self._form:
            return False
        return time is None or abs(time - self.expected) <= MAX_TIME_ERROR_SECONDS

    def push(self, frame: AudioFrame) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Take ``frame``, and give ``(first sample, (N, 2) block)`` of what is ready, on the grid."""
        frame.pts = self._pushed
        frame.time_base = Fraction(1, self._form[2])
        self._pushed += frame.samples
        self._graph.push(frame)
        yield from self._pull()

    def flush(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield the rest. The run ends here."""
        self._graph.push(None)
        yield from self._pull()

    def _pull(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        while True:
            try:
                frame: Any = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            block = frame.to_ndarray().reshape(-1, 1 if self._mono else 2)
            # Mono goes to both sides at full level. A damaged float stream may hold anything, which no encoder takes.
            block = np.nan_to_num(np.repeat(block, 2, axis=1) if self._mono else block, posinf=1.0, neginf=-1.0)
            yield self._next, np.clip(block, -8.0, 8.0, dtype=np.float32)
            self._next += len(block)
