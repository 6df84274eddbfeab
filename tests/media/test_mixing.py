"""Where sound lands: tone bursts through trims, changes of speed and dissolves, and lengths to the sample."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from reelproc.media.probe.probe import probe
from reelproc.media.sound.mixing import mix_sound
from reelproc.media.sound.sound_plan import BLEND_SAMPLES, SoundPiece, sample_at
from reelproc.timing import TimeMap
from sound_factory import RATE, bursts, onsets, pitch, tone, with_picture, write_wav

SPEEDS = ("0.1", "0.25", "0.5", "0.75", "1", "1.5", "2", "4", "10")
HALF, DOUBLE = Fraction(1, 2), Fraction(2)


def piece(
    path: Path,
    start: Fraction | int,
    end: Fraction | int,
    *,
    at: Fraction | int = 0,
    speeds: Sequence[tuple[Fraction | int, Fraction | int, Fraction]] = (),
    fade_in: Fraction | int = 0,
    fade_out: Fraction | int = 0,
    stream_index: int = 0,
    time_zero: Fraction | int = 0,
) -> SoundPiece:
    """A clip of ``path``; times of ``speeds`` are the clip's."""
    time_map = TimeMap.from_speeds(Fraction(end - start), [(Fraction(a), Fraction(b), s) for a, b, s in speeds])
    return SoundPiece(
        source=str(path),
        stream_index=stream_index,
        source_start=Fraction(start),
        time_map=time_map,
        out_start=Fraction(at),
        out_duration=time_map.out_duration,
        fade_in=Fraction(fade_in),
        fade_out=Fraction(fade_out),
        curve="dissolve",
        time_zero=Fraction(time_zero),
    )


def mixed(pieces: Sequence[SoundPiece]) -> NDArray[np.float32]:
    duration = max(p.out_start + p.out_duration for p in pieces)
    return np.concatenate(list(mix_sound(pieces, duration=duration)))


def planned(piece: SoundPiece, times: NDArray[np.float64], *, margin: float = 0.15) -> list[float]:
    """When the bursts of ``times`` that lie well within the piece sound in the reel."""
    out = []
    for time in times:
        clip_time = Fraction(float(time)) - piece.source_start
        if margin < clip_time < piece.time_map.duration - Fraction(margin):
            out.append(float(piece.out_start + piece.time_map(clip_time)))
    return out


@pytest.fixture(scope="module")
def burst_times() -> NDArray[np.float64]:
    return bursts(40.0)[1]


@pytest.fixture(scope="module")
def burst_wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_wav(tmp_path_factory.mktemp("bursts") / "bursts.wav", bursts(40.0)[0])


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory, burst_wav: Path) -> Path:
    return with_picture(tmp_path_factory.mktemp("game") / "game.mp4", burst_wav, seconds=40)


@pytest.mark.parametrize("speed", ["0.5", "0.6", "0.75", "0.9", "1", "1.1", "1.25", "1.5", "1.75", "2"])
def test_onsets_land_where_the_plan_says_at_half_to_double_speed(
    speed: str, burst_wav: Path, burst_times: NDArray[np.float64]
) -> None:
    clip = piece(burst_wav, 3, 15, speeds=[(0, 12, Fraction(speed))])
    expected = planned(clip, burst_times)

    late = onsets(mixed([clip]), expected)

    assert len(late) >= 10
    assert np.abs(late).max() < 0.025  # asked for: 0.040
    assert abs(np.median(late)) < 0.008


def test_a_reel_of_trims_slow_and_fast_motion_and_a_dissolve_keeps_every_burst_in_place(
    game: Path, burst_times: NDArray[np.float64]
) -> None:
    first = piece(game, Fraction(21, 10), 9, speeds=[(1, 3, HALF), (4, 6, DOUBLE)], fade_out=HALF, stream_index=1)
    second = piece(
        game, 20, 28, at=first.out_duration - HALF, speeds=[(2, 4, DOUBLE), (5, 7, HALF)], fade_in=HALF, stream_index=1
    )
    heard = mixed([first, second])

    expected = [
        time
        for clip in (first, second)
        for time in planned(clip, burst_times)
        if not float(second.out_start) - 0.2 < time < float(first.out_duration) + 0.2  # two bursts at once tell nothing
    ]
    late = onsets(heard, expected)

    assert len(heard) == sample_at(second.out_start + second.out_duration)
    assert len(late) >= 12
    assert np.abs(late).max() < 0.025  # asked for: 0.040


@pytest.mark.parametrize("speed", SPEEDS)
def test_any_speed_gives_exactly_the_planned_samples_at_the_same_pitch(speed: str, tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "tone.wav", tone(7.0, 997.0))
    seconds = min(Fraction(5), 2 * max(Fraction(1), Fraction(speed)) - Fraction(1, 7))
    clip = piece(wav, 1, 1 + seconds, speeds=[(0, seconds, Fraction(speed))])

    heard = mixed([clip])

    assert len(heard) == sample_at(seconds / Fraction(speed))
    assert np.array_equal(heard[:, 0], heard[:, 1])
    assert pitch(heard) == pytest.approx(997.0, rel=0.01)
    assert np.sqrt((heard[480:-480] ** 2).mean()) == pytest.approx(0.5 / np.sqrt(2), rel=0.1)


def test_speed_one_is_the_source_sample_by_sample(burst_wav: Path) -> None:
    source = bursts(40.0)[0][:, 0]

    heard = mixed([piece(burst_wav, Fraction(7), Fraction(9))])

    np.testing.assert_allclose(heard[:, 0], source[7 * RATE : 9 * RATE], atol=1e-4)


def test_segment_borders_are_exact_to_the_sample_and_do_not_click(tmp_path: Path) -> None:
    source = tone(9.0, 440.0)
    wav = write_wav(tmp_path / "tone.wav", source)
    clip = piece(wav, 1, 8, speeds=[(2, 4, HALF)])

    heard = mixed([clip])[:, 0]

    border, back = 2 * RATE, 6 * RATE
    np.testing.assert_allclose(heard[:border], source[RATE : RATE + border, 0], atol=1e-4)
    np.testing.assert_allclose(heard[back:], source[5 * RATE : 8 * RATE, 0], atol=1e-4)
    steepest = np.abs(np.diff(source[:RATE, 0])).max()
    for near in (border, border + BLEND_SAMPLES, back - BLEND_SAMPLES, back):
        assert np.abs(np.diff(heard[near - 300 : near + 300])).max() < 1.5 * steepest


def test_adjacent_segments_of_different_speed_add_up_exactly(burst_wav: Path) -> None:
    thirds = [Fraction(n, 3) for n in range(10)]
    speeds = [Fraction(s) for s in ("0.5", "2", "0.25", "1", "3", "0.75", "1.5", "0.9", "1.1")]
    clip = piece(burst_wav, 2, 5, speeds=[(a, b, s) for a, b, s in zip(thirds[:-1], thirds[1:], speeds, strict=True)])

    assert len(mixed([clip])) == sample_at(clip.time_map.out_duration)


@pytest.mark.parametrize("late", [0.5, -0.28])
def test_sound_that_begins_after_or_before_the_picture_keeps_its_distance(
    late: float, tmp_path: Path, burst_wav: Path, burst_times: NDArray[np.float64]
) -> None:
    video = with_picture(tmp_path / "late.mp4", burst_wav, seconds=12, late=late)
    info = probe(video)
    assert info.video is not None
    assert info.audio is not None
    zero = info.video.start_pts * info.video.time_base
    whole = piece(video, 0, 10, stream_index=info.audio.index, time_zero=zero)
    trimmed = piece(video, 5, 10, stream_index=info.audio.index, time_zero=zero)

    heard = mixed([whole])

    assert np.abs(onsets(heard, planned(whole, burst_times + late))).max() < 0.002
    assert np.abs(onsets(mixed([trimmed]), planned(trimmed, burst_times + late))).max() < 0.002
    assert float(info.audio.start) == pytest.approx(late, abs=0.03)
    if late > 0:
        assert np.abs(heard[: round((late - 0.03) * RATE)]).max() == 0


def test_a_dissolve_keeps_the_power_and_a_fade_goes_through_silence(tmp_path: Path) -> None:
    one, two = (write_wav(tmp_path / f"{hertz}.wav", tone(3.0, hertz)) for hertz in (500.0, 1310.0))
    half = Fraction(1, 2)
    dissolved = mixed([piece(one, 0, 2, fade_out=half), piece(two, 0, 2, at=Fraction(3, 2), fade_in=half)])
    through_black = [
        SoundPiece(str(p), 0, Fraction(0), TimeMap.identity(Fraction(2)), at, Fraction(2), a, b, "fade", Fraction(0))
        for p, at, a, b in ((one, Fraction(0), 0 * half, half / 2), (two, Fraction(2), half / 2, 0 * half))
    ]
    faded = mixed(through_black)

    def power(sound: NDArray[np.float32], second: float) -> float:
        return float(np.sqrt(2 * (sound[round((second - 0.01) * RATE) : round((second + 0.01) * RATE)] ** 2).mean()))

    assert len(dissolved) == round(3.5 * RATE)
    assert len(faded) == 4 * RATE
    for second in (1.4, 1.5, 1.625, 1.75, 1.875, 2.0, 2.1):
        assert power(dissolved, second) == pytest.approx(0.5, rel=0.03)
    assert power(faded, 1.875) == pytest.approx(0.25, rel=0.05)
    assert power(faded, 2.0) < 0.02
    assert power(faded, 2.3) == pytest.approx(0.5, rel=0.02)
