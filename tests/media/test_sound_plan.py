"""Which samples come from where: pieces of a reel to voices on the grid of 48 000 a second."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import pytest

from reelproc.media.sound.sound_plan import BLEND_SAMPLES, SAMPLE_RATE, Ramp, SoundPiece, plan_voices, sample_at
from reelproc.timing import TimeMap

HALF = Fraction(1, 2)


def piece(
    seconds: Fraction | int, *, at: Fraction | int = 0, speeds: list[tuple[int, int, Fraction]] | None = None
) -> SoundPiece:
    spans = [(Fraction(a), Fraction(b), Fraction(s)) for a, b, s in speeds or []]
    time_map = TimeMap.from_speeds(Fraction(seconds), spans)
    return SoundPiece(
        source="game.mp4",
        stream_index=1,
        source_start=Fraction(10),
        time_map=time_map,
        out_start=Fraction(at),
        out_duration=time_map.out_duration,
        time_zero=Fraction(0),
    )


def test_a_plain_clip_is_one_voice_from_its_start() -> None:
    (voice,) = plan_voices([piece(2, at=1)], Fraction(3))

    assert (voice.first, voice.count, voice.begin, voice.speed) == (48_000, 96_000, Fraction(10), 1)
    assert voice.ramps == ()


def test_the_source_is_named_on_the_clock_of_its_container() -> None:
    (voice,) = plan_voices([replace(piece(2), time_zero=Fraction(112_711, 1000))], Fraction(2))

    assert voice.begin == Fraction(122_711, 1000)


def test_a_piece_without_a_source_is_silence() -> None:
    assert plan_voices([replace(piece(2), source=None, stream_index=None)], Fraction(2)) == ()


def test_borders_are_rounded_from_their_exact_time_not_added_up() -> None:
    fps = Fraction(30_000, 1001)
    pieces = [replace(piece(1, at=n / fps), out_duration=1 / fps) for n in range(300)]
    voices = plan_voices(pieces, 300 / fps)

    assert all(a.end == b.first for a, b in itertools.pairwise(voices))
    assert voices[-1].end == sample_at(300 / fps) == 480_480
    assert {voice.count for voice in voices} == {1601, 1602}


def test_the_source_moves_by_the_rounding_of_the_first_sample() -> None:
    at = Fraction(1, 30_000)  # 1.6 samples: the voice starts at sample 2, 0.4 samples late
    (voice,) = plan_voices([piece(1, at=at)], Fraction(2))

    assert voice.first == 2
    assert voice.begin - 10 == Fraction(2, SAMPLE_RATE) - at


def test_sound_longer_than_its_clip_is_cut_and_shorter_leaves_silence() -> None:
    (longer,) = plan_voices([replace(piece(2), out_duration=Fraction(1))], Fraction(9))
    (shorter,) = plan_voices([replace(piece(2), out_duration=Fraction(3))], Fraction(9))

    assert longer.count == 48_000
    assert shorter.count == 96_000


def test_nothing_sounds_behind_the_reels_end() -> None:
    (voice,) = plan_voices([piece(2, at=1), piece(1, at=5)], Fraction(2))

    assert voice.end == 96_000


def test_neighbouring_spans_of_one_speed_are_one_voice() -> None:
    (voice,) = plan_voices([piece(4, speeds=[(0, 1, HALF), (1, 2, HALF), (2, 4, HALF)])], Fraction(8))

    assert (voice.count, voice.speed) == (8 * 48_000, HALF)


def test_a_change_of_speed_blends_within_the_stretched_span() -> None:
    before, slow, after = plan_voices([piece(3, speeds=[(1, 2, HALF)])], Fraction(4))

    assert (before.first, before.end) == (0, 48_000 + BLEND_SAMPLES)
    assert (slow.first, slow.end) == (48_000, 3 * 48_000)
    assert (after.first, after.end) == (3 * 48_000 - BLEND_SAMPLES, 4 * 48_000)
    assert before.ramps == (Ramp(48_000, BLEND_SAMPLES, rising=False, curve="linear"),)
    assert slow.ramps == (
        Ramp(48_000, BLEND_SAMPLES, rising=True, curve="linear"),
        Ramp(3 * 48_000 - BLEND_SAMPLES, BLEND_SAMPLES, rising=False, curve="linear"),
    )
    assert after.begin == 12 - Fraction(BLEND_SAMPLES, SAMPLE_RATE)


def test_two_stretched_spans_blend_at_the_start_of_the_second() -> None:
    slow, fast = plan_voices([piece(3, speeds=[(0, 1, HALF), (1, 3, Fraction(2))])], Fraction(3))

    assert slow.end == 2 * 48_000 + BLEND_SAMPLES
    assert fast.first == 2 * 48_000


def test_a_span_too_short_to_blend_is_cut_hard() -> None:
    speeds = [(Fraction(1), 1 + Fraction(1, SAMPLE_RATE), Fraction(1, 2))]
    short = replace(piece(3), time_map=TimeMap.from_speeds(Fraction(3), speeds), out_duration=Fraction(4))
    before, slow, after = plan_voices([short], Fraction(4))

    assert slow.count == 2
    assert (before.end, slow.first) == (48_001, 48_000)
    assert (slow.end, after.first) == (48_002, 48_001)


@pytest.mark.parametrize(("curve", "shape"), [("dissolve", "power"), ("fade", "linear")])
def test_a_transition_is_a_ramp_over_the_same_samples_on_both_sides(curve: str, shape: str) -> None:
    fade = Fraction(1001, 2000)
    one = replace(piece(2), fade_out=fade, curve=curve)
    two = replace(piece(2, at=2 - fade), fade_in=fade, curve=curve)
    a, b = plan_voices([one, two], 4 - fade)

    (falling,), (rising,) = a.ramps, b.ramps
    assert (falling.start, falling.count) == (rising.start, rising.count) == (b.first, a.end - b.first)
    assert (falling.rising, rising.rising) == (False, True)
    assert falling.curve == rising.curve == shape


def test_a_ramp_knows_where_it_changes_nothing() -> None:
    rising = Ramp(100, 50, rising=True, curve="linear")
    falling = Ramp(100, 50, rising=False, curve="linear")

    assert (rising.changes(0, 10), rising.changes(149, 200), rising.changes(150, 200)) == (True, True, False)
    assert (falling.changes(0, 100), falling.changes(0, 101), falling.changes(200, 300)) == (False, True, True)
