"""Whatever a reel is made of, its sound fills it exactly and adds up to one."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reelproc.media.sound.sound_plan import SAMPLE_RATE, SoundPiece, Voice, plan_voices, sample_at
from reelproc.timing import TimeMap, round_half_up

RATES = st.sampled_from([Fraction(30), Fraction(25), Fraction(30_000, 1001), Fraction(24_000, 1001), Fraction(60)])
SPEEDS = st.sampled_from([Fraction(s) for s in ("0.1", "0.25", "0.5", "0.75", "1", "1.5", "2", "4", "10")])
SECONDS = st.fractions(min_value=0, max_value=3, max_denominator=1000)


@st.composite
def time_maps(draw: st.DrawFn) -> TimeMap:
    cuts = sorted(draw(st.lists(SECONDS.filter(bool), min_size=1, max_size=6, unique=True)))
    segments = [(a, b, draw(SPEEDS)) for a, b in itertools.pairwise([Fraction(0), *cuts]) if draw(st.booleans())]
    return TimeMap.from_speeds(cuts[-1], segments)


@st.composite
def reels(draw: st.DrawFn, overlap: bool = False) -> tuple[list[SoundPiece], Fraction]:
    """Clips snapped to a frame grid as the plan does it, side by side or overlapping, and the reel's duration."""
    fps = draw(RATES)
    pieces: list[SoundPiece] = []
    frame = 0
    for _ in range(draw(st.integers(1, 4))):
        time_map = draw(time_maps())
        frames = max(1, round_half_up(time_map.out_duration * fps))
        last = pieces[-1].out_duration * fps if pieces else 0
        shared = draw(st.integers(0, min(frames, int(last)) // 2)) if overlap else 0
        if shared:
            pieces[-1] = replace(pieces[-1], fade_out=shared / fps)
        frame -= shared
        pieces.append(
            SoundPiece(
                source=f"{len(pieces)}.mp4",
                stream_index=1,
                source_start=draw(SECONDS),
                time_map=time_map,
                out_start=frame / fps,
                out_duration=frames / fps,
                fade_in=shared / fps,
                curve="dissolve",
                time_zero=draw(SECONDS),
            )
        )
        frame += frames
    return pieces, frame / fps


def gains(voices: tuple[Voice, ...], total: int, *, powers: bool = False) -> np.ndarray:
    """What a source of ones adds up to; with ``powers``, its square."""
    from reelproc.media.sound.mixing import _gain

    added = np.zeros(total)
    for voice in voices:
        gain = np.ones(voice.count)
        for ramp in voice.ramps:
            gain *= _gain(ramp, voice.first, voice.end)[:, 0]
        added[voice.first : voice.end] += gain**2 if powers else gain
    return added


@settings(max_examples=60)
@given(reels())
def test_clips_side_by_side_sound_at_full_level_wherever_they_have_sound(
    reel: tuple[list[SoundPiece], Fraction],
) -> None:
    pieces, duration = reel
    total = sample_at(duration)
    heard = gains(plan_voices(pieces, duration), total)

    expected = np.zeros(total)
    for piece in pieces:
        end = min(piece.out_duration, piece.time_map.out_duration)
        expected[sample_at(piece.out_start) : sample_at(piece.out_start + end)] = 1
    np.testing.assert_allclose(heard, expected, atol=1e-6)


@settings(max_examples=60)
@given(reels(overlap=True))
def test_dissolves_keep_the_power(reel: tuple[list[SoundPiece], Fraction]) -> None:
    pieces = [replace(p, time_map=TimeMap.identity(p.out_duration)) for p in reel[0]]
    duration = reel[1]

    np.testing.assert_allclose(gains(plan_voices(pieces, duration), sample_at(duration), powers=True), 1, atol=1e-6)


@settings(max_examples=100)
@given(reels(overlap=True))
def test_every_sample_shows_the_source_where_the_plans_clock_says(reel: tuple[list[SoundPiece], Fraction]) -> None:
    pieces, duration = reel
    voices = plan_voices(pieces, duration)

    assert list(voices) == sorted(voices, key=lambda v: v.first)
    for voice in voices:
        piece = next(p for p in pieces if p.source == voice.source.name)
        assert 0 <= voice.first < voice.end <= sample_at(duration)
        # the middle of a voice lies behind any blend with its neighbours
        middle = Fraction(voice.first + voice.count // 2, SAMPLE_RATE)
        shown = voice.begin + (middle - Fraction(voice.first, SAMPLE_RATE)) * voice.speed
        planned = piece.time_zero + piece.source_start + piece.time_map.inverse(middle - piece.out_start)
        if voice.count > 1000:
            assert shown == planned
