"""The sound of a reel: decoded, stretched, mixed and encoded in one pass, in bounded memory, exact to the sample.

:func:`render_sound` makes it once for the whole reel, from the pieces of its plan:

- :mod:`reelproc.media.sound.sound_plan` says which samples of the reel come from where (pure data);
- :mod:`reelproc.media.sound.sound_source` decodes them onto the grid of 48 000 samples a second, by their timestamps;
- :mod:`reelproc.media.sound.tempo` changes their tempo;
- here they are added up, block by block;
- :mod:`reelproc.media.sound.sound_file` encodes the sum as AAC and puts it beside the picture.

Only the clips that sound at a moment are open at that moment. A hundred clips of 6 s took 78 MB this way; as one filter
graph of ffmpeg with an input per clip they took 650 MB, since every input reads ahead.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from reelproc.errors import EncodeError, SpecError
from reelproc.files import whole_file
from reelproc.media.sound.sound_file import AAC_FRAME, AacFile
from reelproc.media.sound.sound_plan import SAMPLE_RATE, Ramp, SoundPiece, Voice, plan_voices, sample_at
from reelproc.media.sound.sound_source import DamageLog, decode_sound
from reelproc.media.sound.tempo import Stretch, check_tempo, stretch

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK_SAMPLES = 24 * AAC_FRAME
"""Samples mixed at once: about half a second."""

_CHECK_SECONDS = 0.1


def render_sound(
    pieces: Iterable[SoundPiece],
    path: str | os.PathLike[str],
    *,
    duration: Fraction,
    bitrate: int = 192_000,
    conceal: bool = False,
    cancelled: Callable[[], None] | None = None,
    progress: Callable[[float], None] | None = None,
) -> tuple[str, ...]:
    """Render a reel's sound into an ``.m4a`` file: AAC, 48 kHz, stereo.

    Args:
        pieces: the clips' sound, in any order. Pieces that overlap add up; where there is none, there is silence.
        path: appears by rename when it is whole; on any error, nothing is left behind.
        duration: seconds; the sound has exactly ``duration * 48000`` samples, rounded once.
        bitrate: bits per second.
        conceal: let a source of whose sound nothing can be decoded be silent, with a warning, instead of raising.
        cancelled: called at most ten times a second; raises to stop.
        progress: called at most ten times a second with the share that is done, 0 to 1.

    Returns:
        Warnings for people: sound that could not be decoded and is silent instead.

    Raises:
        SpecError: ``duration`` is shorter than one sample.
        ObjectNotFoundError, ProbeError: a source is not there, or not media.
        DecodeError: a source's sound cannot be decoded at all, and that was not to be concealed.
        BackendError: this ffmpeg lacks the filter that slow motion needs.
        EncodeError: the file cannot be written, or a stretcher failed.
    """
    total = sample_at(duration)
    if total < 1:
        raise SpecError(f"sound lasts at least one sample (1/{SAMPLE_RATE} s), got a duration of {duration} s")
    destination = Path(path)
    damage = DamageLog(conceal=conceal)
    done = 0
    report = _every(_CHECK_SECONDS, None if progress is None else lambda: progress(done / total))
    with whole_file(destination, error=EncodeError) as partial, AacFile(partial, bitrate) as out:
        for block in mix_sound(pieces, duration=duration, damage=damage, cancelled=cancelled):
            out.write(block)
            done += len(block)
            report()
    if progress is not None:
        progress(1.0)
    return damage.messages


def mix_sound(
    pieces: Iterable[SoundPiece],
    *,
    duration: Fraction,
    damage: DamageLog | None = None,
    cancelled: Callable[[], None] | None = None,
) -> Iterator[NDArray[np.float32]]:
    """Yield the samples of a reel's sound before they are encoded, as (N, 2) float32 blocks within [-1, 1].

    Arguments and errors are those of :func:`render_sound`. The blocks add up to exactly ``sample_at(duration)``
    samples.
    """
    check = _every(_CHECK_SECONDS, cancelled)
    log = DamageLog() if damage is None else damage
    waiting = list(plan_voices(pieces, duration))
    for speed in {voice.speed for voice in waiting} - {Fraction(1)}:
        check_tempo(speed)  # before an hour of other sound has been rendered
    total = sample_at(duration)
    sounding: list[_VoiceReader] = []
    try:
        for start in range(0, total, BLOCK_SAMPLES):
            check()
            end = min(total, start + BLOCK_SAMPLES)
            while waiting and waiting[0].first < end:
                sounding.append(_VoiceReader(waiting.pop(0), log, check))
            mix = np.zeros((end - start, 2), np.float32)
            for reader in sounding:
                reader.add_to(mix, start)
            for reader in [r for r in sounding if r.voice.end <= end]:
                reader.close()
                sounding.remove(reader)
            # Full scale is the most that a player can give; two loud clips in a dissolve may add up to more.
            yield np.clip(mix, -1.0, 1.0)
    finally:
        for reader in sounding:
            reader.close()


def _every(seconds: float, call: Callable[[], None] | None) -> Callable[[], None]:
    """Return ``call``, made at most every ``seconds``, however often it is asked for."""
    last = 0.0

    def check() -> None:
        nonlocal last
        now = time.monotonic()
        if call is not None and now - last >= seconds:
            last = now
            call()

    return check


class _VoiceReader:
    """Renders one voice, piece by piece. It may hold a file and a process open: :meth:`close` it."""

    def __init__(self, voice: Voice, damage: DamageLog, check: Callable[[], None]) -> None:
        self.voice = voice
        self._blocks = _render(voice, damage, check)
        self._rest: NDArray[np.float32] = np.empty((0, 2), np.float32)

    def close(self) -> None:
        """Stop rendering; safe to call again."""
        self._blocks.close()

    def add_to(self, mix: NDArray[np.float32], start: int) -> None:
        """Add the voice's samples from the reel's sample ``start`` on to ``mix``, (N, 2)."""
        begin = max(start, self.voice.first)
        end = min(start + len(mix), self.voice.end)
        if end <= begin:
            return
        sound = self._take(end - begin)
        for ramp in self.voice.ramps:
            if ramp.changes(begin, end):
                sound = sound * _gain(ramp, begin, end)
        mix[begin - start : end - start] += sound

    def _take(self, count: int) -> NDArray[np.float32]:
        parts = []
        while count:
            if not len(self._rest):
                self._rest = next(self._blocks)
            parts.append(self._rest[:count])
            count -= len(parts[-1])
            self._rest = self._rest[len(parts[-1]) :]
        return np.concatenate(parts)


def _render(voice: Voice, damage: DamageLog, check: Callable[[], None]) -> Generator[NDArray[np.float32]]:
    """Exactly ``voice.count`` samples."""
    first = sample_at(voice.begin)
    if voice.speed == 1:
        yield from decode_sound(voice.source, voice.stream_index, first, voice.count, damage=damage, check=check)
        return
    wanted = Stretch(voice.speed, voice.count)
    begin = first - wanted.run_up
    with closing(
        decode_sound(voice.source, voice.stream_index, begin, wanted.input_count, damage=damage, check=check)
    ) as source:
        yield from stretch(wanted, source, check=check)


def _gain(ramp: Ramp, begin: int, end: int) -> NDArray[np.float32]:
    """Return the ramp's gain at the reel's samples ``begin`` to ``end``, (N, 1)."""
    x = np.clip((np.arange(begin, end) + 0.5 - ramp.start) / ramp.count, 0.0, 1.0)
    if not ramp.rising:
        x = 1.0 - x
    if ramp.curve == "power":
        x = np.sin(x * (np.pi / 2))
    return x.astype(np.float32)[:, None]
