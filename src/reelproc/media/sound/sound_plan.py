"""Which sample of which source sounds when: the reel's sound as data, before anything is decoded.

A :class:`SoundPiece` is a clip's sound as the reel's plan puts it. :func:`plan_voices` cuts pieces into voices: spans
that run at one speed, placed on the reel's grid of 48 000 samples a second. The reel's sound is the sum of its
voices, each times its ramps. Every border is rounded once, from its exact time, so that borders shared by two voices
fall on the same sample and no rounding error adds up.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from reelproc.storage.source import Source, SourceLike, as_source
from reelproc.timing import TimeMap, TimePiece, round_half_up

SAMPLE_RATE = 48_000
"""Samples per second of every reel's sound."""

BLEND_SAMPLES = 240
"""Samples (5 ms) over which two speeds of one clip blend. A time stretcher keeps no phase, so a hard change would
click. The blend lies wholly within the stretched span: what runs at speed 1 is the source's own sound up to its last
sample."""


@dataclass(frozen=True, slots=True)
class SoundPiece:
    """The sound of one clip of a reel. All times are exact seconds.

    Attributes:
        source: what is heard; None: silence.
        stream_index: the audio stream's index in the container; None: silence.
        source_start: where the clip starts, on the source's clock, whose zero is the start of its video stream.
        time_map: the clip's clock to its clock after its changes of speed; ``time_map.duration`` is how much of the
            source is used.
        out_start: where the clip starts in the reel.
        out_duration: how long it lasts there. Sound that is longer is cut, and silence fills what is missing.
        fade_in, fade_out: spans at its start and end over which the sound rises and falls.
        curve: ``"dissolve"``: equal power (a quarter of a sine), for neighbours that overlap by the fade, since two
            different sounds add up by power; ``"fade"``: linear, like the picture's way to black and back.
        time_zero: the container time of the source's time zero: ``start_pts * time_base`` of its video stream. Sound
            that begins before or after the picture keeps its distance.
    """

    source: SourceLike | None
    stream_index: int | None
    source_start: Fraction
    time_map: TimeMap
    out_start: Fraction
    out_duration: Fraction
    fade_in: Fraction = Fraction(0)
    fade_out: Fraction = Fraction(0)
    curve: Literal["dissolve", "fade"] = "fade"
    time_zero: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Ramp:
    """A gain that goes from 0 to 1 (rising) or from 1 to 0 over ``count`` samples, and is constant before and after.

    The curve is sampled at the middle of each sample, so that a rising and a falling ramp over the same span are mirror
    images: linear ones add up to 1, and the squares of equal-power ones do.
    """

    start: int
    count: int
    rising: bool
    curve: Literal["linear", "power"]

    def changes(self, begin: int, end: int) -> bool:
        """Return whether the gain is anything but 1 somewhere in the samples ``begin`` to ``end``."""
        return begin < self.start + self.count if self.rising else end > self.start


@dataclass(frozen=True, slots=True)
class Voice:
    """A span of sound at one speed.

    Attributes:
        source, stream_index: what is heard.
        begin: container time, seconds, of what sounds at ``first``.
        speed: source seconds per reel second.
        first: the reel's sample with which it starts.
        count: samples, at least 1.
        ramps: gains that multiply.
    """

    source: Source
    stream_index: int
    begin: Fraction
    speed: Fraction
    first: int
    count: int
    ramps: tuple[Ramp, ...] = ()

    @property
    def end(self) -> int:
        """The sample after its last."""
        return self.first + self.count

    def from_sample(self, first: int) -> Voice:
        """Return the same sound with another start, earlier or later, and the same end."""
        shift = first - self.first
        begin = self.begin + Fraction(shift, SAMPLE_RATE) * self.speed
        return replace(self, first=first, count=self.count - shift, begin=begin)


def sample_at(time: Fraction) -> int:
    """Return the sample nearest to ``time`` seconds; halves go up.

    >>> sample_at(Fraction(1001, 30000))
    1602
    """
    return round_half_up(time * SAMPLE_RATE)


def plan_voices(pieces: Iterable[SoundPiece], duration: Fraction) -> tuple[Voice, ...]:
    """Return the voices of a reel of ``duration`` seconds, sorted by their start.

    Every voice lies within ``[0, sample_at(duration))``. Where no voice is, there is silence.
    """
    total = sample_at(duration)
    voices: list[Voice] = []
    for piece in pieces:
        ramps = tuple(_fades(piece))
        voices += [replace(voice, ramps=(*voice.ramps, *ramps)) for voice in _blend(list(_spans(piece, total)))]
    return tuple(sorted(voices, key=lambda v: (v.first, v.end)))


def _runs(time_map: TimeMap) -> Iterator[TimePiece]:
    """Yield the map's pieces, neighbours of one speed joined: a border where nothing changes must not be heard."""
    for speed, group in itertools.groupby(time_map.pieces, key=lambda p: p.speed):
        pieces = list(group)
        yield TimePiece(pieces[0].start, pieces[-1].end, pieces[0].out_start, speed)


def _spans(piece: SoundPiece, total: int) -> Iterator[Voice]:
    """Yield a piece's spans of one speed, side by side, cut to the piece's own span and the reel's."""
    if piece.source is None or piece.stream_index is None:
        return
    source = as_source(piece.source)
    first = max(0, sample_at(piece.out_start))
    last = min(total, sample_at(piece.out_start + piece.out_duration))
    for run in _runs(piece.time_map):
        begin = piece.out_start + run.out_start
        start = max(first, sample_at(begin))
        end = min(last, sample_at(piece.out_start + run.out_end))
        if end > start:
            late = Fraction(start, SAMPLE_RATE) - begin
            heard = piece.time_zero + piece.source_start + run.start + late * run.speed
            yield Voice(source, piece.stream_index, heard, run.speed, start, end - start)


def _blend(spans: list[Voice]) -> list[Voice]:
    """Let neighbouring spans overlap by up to :data:`BLEND_SAMPLES` samples, the one falling while the other rises."""
    voices = list(spans)
    for i in range(1, len(spans)):
        before, after = spans[i - 1], spans[i]
        inside_after = after.speed != 1
        count = min(BLEND_SAMPLES, (after if inside_after else before).count // 2)
        if not count:
            continue
        start = after.first if inside_after else after.first - count
        one, two = voices[i - 1], voices[i]
        falling, rising = (Ramp(start, count, up, "linear") for up in (False, True))
        voices[i - 1] = replace(one, count=start + count - one.first, ramps=(*one.ramps, falling))
        voices[i] = replace(two.from_sample(start), ramps=(*two.ramps, rising))
    return voices


def _fades(piece: SoundPiece) -> Iterator[Ramp]:
    """Yield the ramps of a piece's fades; empty ones are left out."""
    curve: Literal["linear", "power"] = "power" if piece.curve == "dissolve" else "linear"
    out_end = piece.out_start + piece.out_duration
    for start, end, rising in (
        (piece.out_start, piece.out_start + piece.fade_in, True),
        (out_end - piece.fade_out, out_end, False),
    ):
        begin = sample_at(start)
        if count := sample_at(end) - begin:
            yield Ramp(begin, count, rising, curve)
