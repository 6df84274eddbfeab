"""Change the tempo of sound and keep its pitch: ffmpeg's stretchers, made exact.

Which filter does it was decided by measurement, with tone bursts, 10 ms clicks and steady tones:

- Slower: ``rubberband``, short window, smooth transients. Bursts begin within 5 ms of their place at half speed and
  within 21 ms at a quarter; clicks keep their level. ``atempo`` came up to 40 ms early at half speed and played every
  click twice; rubberband's crisp transients broke a steady tone up two to seven times a second.
- Faster: ``atempo``, in a chain. Bursts begin within 12 ms of their place at up to double speed, and clicks (the kick
  of a ball) keep their level, where ``rubberband`` smeared them to a third at double speed and to nothing at fourfold.

Neither returns the length that one asks for, and both need a run-up: they are fed sound from before and after the
span, and exactly the span is cut out of what they return.
"""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, log2
from typing import TYPE_CHECKING

import numpy as np

from reelproc.errors import BackendError, EncodeError
from reelproc.media.ffmpeg import STALL_SECONDS, FFmpegProcess
from reelproc.media.ffmpeg_build import ffmpeg_path, filters
from reelproc.media.sound.sound_plan import SAMPLE_RATE
from reelproc.timing import round_half_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

RUN_UP_SAMPLES = 9_600
"""Samples (0.2 s; more when sound gets faster) by which a stretcher is fed more than its span on either side."""

RUBBERBAND_DELAY = 256
"""Samples by which rubberband's short window is off, on both sides: what goes in at ``i`` comes out at
``(i - 256) / speed + 256``. Measured at 0.1 to 2 times the speed by correlating envelopes; a quarter of its window."""

ATEMPO_MAX_SPEED = 2.0
"""The most that one ``atempo`` of a chain does: it leaves out what lies between its windows, 4 of 5 clicks at tenfold
speed, where a chain lost 1 of 14."""

_FORMAT = ("-f", "f32le", "-ar", str(SAMPLE_RATE), "-ch_layout", "stereo")
_READ_BYTES = 1 << 16
_BYTES_PER_SAMPLE = 8


def tempo_filter(speed: Fraction) -> str:
    """Return the ffmpeg filter that plays stereo sound ``speed`` times as fast, at the same pitch.

    >>> tempo_filter(Fraction(1, 2)), tempo_filter(Fraction(4))
    ('rubberband=tempo=0.5:window=short:transients=smooth:channels=together', 'atempo=2.0,atempo=2.0')
    """
    if speed < 1:
        return f"rubberband=tempo={float(speed)!r}:window=short:transients=smooth:channels=together"
    links = max(1, ceil(log2(speed / ATEMPO_MAX_SPEED)) + 1)
    return ",".join([f"atempo={float(speed) ** (1 / links)!r}"] * links)


def check_tempo(speed: Fraction) -> None:
    """Raise unless this ffmpeg can play sound at ``speed``.

    Raises:
        BackendError: it was built without the filter.
    """
    name = tempo_filter(speed).partition("=")[0]
    if name not in filters():
        raise BackendError(
            f"sound at {float(speed):g} times the speed needs ffmpeg's filter {name!r}, which {ffmpeg_path()!r} lacks; "
            "unset REELPROC_FFMPEG to use the bundled one, or leave the sound out with Output(audio=False)"
        )


@dataclass(frozen=True, slots=True)
class Stretch:
    """A span of ``count`` samples at ``speed``, and the sound that a stretcher must be fed for it.

    Attributes:
        speed: source seconds per second.
        count: samples wanted.
    """

    speed: Fraction
    count: int

    @property
    def run_up(self) -> int:
        """Samples of source before the span that must be fed first."""
        return RUN_UP_SAMPLES * max(1, ceil(self.speed))

    @property
    def input_count(self) -> int:
        """Samples of source to feed in all; the last ones only push out what the filter still holds."""
        return ceil(self.count * self.speed) + 2 * self.run_up + SAMPLE_RATE

    @property
    def skip(self) -> int:
        """Samples of output before the span."""
        delay = RUBBERBAND_DELAY if self.speed < 1 else 0
        return round_half_up((self.run_up - delay) / self.speed) + delay


def stretch(
    stretch: Stretch, source: Iterator[NDArray[np.float32]], *, check: Callable[[], None]
) -> Iterator[NDArray[np.float32]]:
    """Exactly ``stretch.count`` samples, as (N, 2) float32 blocks.

    Args:
        stretch: what is wanted.
        source: (N, 2) float32 blocks, ``stretch.input_count`` samples in all, that begin ``stretch.run_up`` samples in
            front of the span.
        check: called about ten times a second; raises to stop.

    Raises:
        BackendError: this ffmpeg lacks the filter.
        EncodeError: ffmpeg failed, hung, or returned too little.
    """
    check_tempo(stretch.speed)
    pipes = (*_FORMAT, "-i", "pipe:0"), (*_FORMAT, "-flush_packets", "1", "pipe:1")
    arguments = [*pipes[0], "-af", tempo_filter(stretch.speed), *pipes[1]]
    missing = stretch.count
    skip = stretch.skip * _BYTES_PER_SAMPLE
    rest = b""
    with FFmpegProcess(arguments, stdin=True, stdout=True, error=EncodeError) as process:
        for chunk in _exchange(process, source, check):
            data = rest + chunk[skip:]
            skip = max(0, skip - len(chunk))
            whole = len(data) - len(data) % _BYTES_PER_SAMPLE
            rest = data[whole:]
            block = np.frombuffer(data[:whole], "<f4").reshape(-1, 2)[:missing]
            missing -= len(block)
            if len(block):
                yield block
            if not missing:
                return
        process.check()
        raise process.failure(f"ffmpeg's {tempo_filter(stretch.speed)} returned {missing} samples too few")


def _exchange(
    process: FFmpegProcess, source: Iterator[NDArray[np.float32]], check: Callable[[], None]
) -> Iterator[bytes]:
    """Feed ``source`` to the process and yield what it writes, neither ever waiting for the other."""
    pending = memoryview(b"")
    moved = time.monotonic()
    for pipe in (process.stdin, process.stdout):
        os.set_blocking(pipe.fileno(), False)
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdin, selectors.EVENT_WRITE)
        ready.register(process.stdout, selectors.EVENT_READ)
        while True:
            check()
            for key, _ in ready.select(0.1):
                moved = time.monotonic()
                if key.fileobj is process.stdout:
                    data = process.stdout.read(_READ_BYTES)
                    if data == b"":
                        return
                    if data:
                        yield data
                        moved = time.monotonic()  # the caller may have taken its time
                    continue
                if not pending:
                    block = next(source, None)
                    pending = memoryview(b"" if block is None else np.ascontiguousarray(block, "<f4").tobytes())
                try:
                    if pending:
                        pending = pending[process.stdin.write(pending) or 0 :]
                        continue
                except BrokenPipeError:  # it died; the end of its output follows, and then its exit status
                    pending = memoryview(b"")
                ready.unregister(process.stdin)
                process.stdin.close()
            if time.monotonic() - moved > STALL_SECONDS:
                raise process.failure(f"ffmpeg neither read nor wrote for {STALL_SECONDS:g} s and was killed")
