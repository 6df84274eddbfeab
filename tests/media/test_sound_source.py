"""Sound of every kind and in every state: layouts, rates, gaps, damage, silence."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from media_factory import run_ffmpeg
from reelproc.errors import DecodeError, ObjectNotFoundError, ProbeError
from reelproc.media.probe.probe import probe
from reelproc.media.sound.mixing import mix_sound
from reelproc.media.sound.sound_plan import SoundPiece
from reelproc.media.sound.sound_source import DamageLog, decode_sound
from reelproc.storage.source import LocalSource
from reelproc.timing import TimeMap
from sound_factory import RATE, bursts, level, onsets, pitch, tone, with_picture, write_wav


def decoded(
    path: Path, first: float, seconds: float, *, index: int = 0, log: DamageLog | None = None
) -> NDArray[np.float32]:
    blocks = decode_sound(
        LocalSource(path),
        index,
        round(first * RATE),
        round(seconds * RATE),
        damage=log or DamageLog(),
        check=lambda: None,
    )
    return np.concatenate(list(blocks))


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 96_000])
def test_any_sample_rate_is_brought_to_48_khz_in_place(rate: int, tmp_path: Path) -> None:
    sound, times = bursts(4.0, rate=rate)
    wav = write_wav(tmp_path / "a.wav", sound, rate=rate)

    heard = decoded(wav, 0, 4)

    assert len(heard) == 4 * RATE
    assert np.abs(onsets(heard, times)).max() < 0.002


def test_mono_is_heard_on_both_sides_at_full_level(tmp_path: Path) -> None:
    heard = decoded(write_wav(tmp_path / "a.wav", tone(1.0, 500.0, level=0.8)), 0, 1)

    assert level(heard) == pytest.approx(0.8, abs=0.001)
    assert np.array_equal(heard[:, 0], heard[:, 1])


SIDES = {"FL": (1, 0), "FR": (0, 1), "FC": (0.707, 0.707), "LFE": (0, 0), "BL": (0.707, 0), "BR": (0, 0.707)}


@pytest.mark.parametrize("channel", SIDES)
def test_surround_is_mixed_down_by_the_standard_without_clipping(channel: str, tmp_path: Path) -> None:
    channels = np.zeros((RATE // 2, 6), np.float32)
    channels[:, list(SIDES).index(channel)] = tone(0.5, 500.0, level=0.9)[:, 0]
    wav = write_wav(tmp_path / "a.wav", channels)

    heard = decoded(wav, 0, 0.5)[4800:-4800]

    total = 1 + 2 * 0.707  # what full scale on all channels adds up to
    expected = [0.9 * gain / total for gain in SIDES[channel]]
    assert np.abs(heard).max(axis=0) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("channels", [3, 4, 5, 7, 8, 10, 16])
def test_any_number_of_channels_is_heard(channels: int, tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", np.repeat(tone(0.3, 500.0, level=0.9), channels, axis=1))

    heard = decoded(wav, 0, 0.3)

    assert 0.1 < level(heard) <= 1.0


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", ["aac"]),
        ("a.mov", ["pcm_s16le"]),
        ("a.mkv", ["libopus"]),
        ("a.mkv", ["flac"]),
        ("a.ts", ["aac"]),
        ("a.avi", ["mp3"]),
        ("a.webm", ["libvorbis"]),
    ],
    ids=lambda v: v if isinstance(v, str) else v[0],
)
def test_a_seek_finds_the_same_sound_as_reading_up_to_it(name: str, codec: list[str], tmp_path: Path) -> None:
    sound, times = bursts(20.0)
    made = with_picture(tmp_path / "a.mkv", write_wav(tmp_path / "a.wav", sound), seconds=20, codec=codec)
    video = tmp_path / f"b{Path(name).suffix}"
    picture = "libvpx" if name.endswith("webm") else "mpeg4" if name.endswith("avi") else "copy"
    run_ffmpeg("-i", str(made), "-c:v", picture, "-c:a", "copy", str(video))
    info = probe(video)
    assert info.video is not None
    assert info.audio is not None
    zero = float(info.video.start_pts * info.video.time_base)
    tolerance = 0.03 if name.endswith("avi") else 0.003  # AVI does not say how much primes a decoder
    index = info.audio.index

    whole = decoded(video, zero, 18, index=index)
    late = decoded(video, zero + 13.1, 2, index=index)

    inside = times[(times > 13.3) & (times < 14.8)]
    assert len(whole) == 18 * RATE
    assert len(inside) >= 2
    assert np.abs(onsets(whole, times[times < 17])).max() < tolerance
    np.testing.assert_allclose(onsets(late, inside - 13.1), onsets(whole, inside), atol=0.0015)


def test_sound_shorter_than_its_clip_goes_on_as_silence(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", tone(1.0, 500.0))

    heard = decoded(wav, 0.5, 3)

    assert level(heard[: RATE // 2]) == pytest.approx(0.5, abs=0.01)
    assert not heard[RATE // 2 + 100 :].any()
    assert not decoded(wav, 30, 1).any()
    assert not decoded(wav, -3, 1).any()


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_behind_the_end_of_a_sound_track_there_is_silence(suffix: str, tmp_path: Path) -> None:
    video = with_picture(tmp_path / f"a.{suffix}", write_wav(tmp_path / "a.wav", tone(3.0, 500.0)), seconds=40)

    assert not decoded(video, 30, 2, index=1).any()
    assert level(decoded(video, 2, 2, index=1)) > 0.4


def test_reels_without_sound_are_silent_and_complete() -> None:
    silent = SoundPiece(
        None, None, Fraction(0), TimeMap.identity(Fraction(2)), Fraction(0), Fraction(2), time_zero=Fraction(0)
    )

    heard = np.concatenate(list(mix_sound([silent], duration=Fraction(1001, 500))))

    assert heard.shape == (96_096, 2)
    assert not heard.any()
    assert sum(map(len, mix_sound([], duration=Fraction(1)))) == RATE


def damage(video: Path, ordinals: range) -> list[Fraction]:
    """Overwrite packets of the sound with rubbish; returns when they begin."""
    data = bytearray(video.read_bytes())
    times = []
    with av.open(str(video)) as container:
        for n, packet in enumerate(container.demux(audio=0)):
            if n in ordinals and packet.pos is not None and packet.pts is not None:
                data[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
                times.append(packet.pts * packet.time_base)
    video.write_bytes(data)
    return times


def test_damaged_packets_are_silent_reported_and_move_nothing_behind_them(tmp_path: Path) -> None:
    sound, times = bursts(6.0)
    video = with_picture(tmp_path / "a.mp4", write_wav(tmp_path / "a.wav", sound), seconds=6)
    lost = damage(video, range(100, 105))
    log = DamageLog()

    heard = decoded(video, 0, 6, index=1, log=log)

    assert len(lost) == 5
    assert log.packets == {(str(video), 1): 5}
    assert "5 packets of sound (stream 1) cannot be decoded" in log.messages[0]
    begin, end = round(float(lost[0]) * RATE), round((float(lost[-1]) + 1024 / RATE) * RATE)
    assert not heard[begin + 1100 : end - 1100].any()
    whole = times[(times < float(lost[0]) - 0.2) | (times > float(lost[-1]) + 0.1)]
    assert np.abs(onsets(heard, whole)).max() < 0.003


def test_sound_of_which_nothing_can_be_decoded_is_an_error_that_says_so(tmp_path: Path) -> None:
    video = with_picture(tmp_path / "a.mp4", write_wav(tmp_path / "a.wav", tone(3.0, 500.0)), seconds=3)
    damage(video, range(1000))

    with pytest.raises(DecodeError, match=r"none of the \d+ packets of sound \(stream 1\).*audio=False"):
        decoded(video, 0, 2, index=1)


def test_a_truncated_file_is_heard_as_far_as_it_goes(tmp_path: Path) -> None:
    video = with_picture(tmp_path / "a.mkv", write_wav(tmp_path / "a.wav", tone(8.0, 500.0)), seconds=8)
    video.write_bytes(video.read_bytes()[: video.stat().st_size // 2])

    heard = decoded(video, 0, 8, index=1)

    assert len(heard) == 8 * RATE
    assert level(heard[RATE : 2 * RATE]) > 0.4
    assert not heard[7 * RATE :].any()


def test_sound_that_changes_its_layout_and_rate_in_the_middle_stays_in_place(tmp_path: Path) -> None:
    sound, times = bursts(4.0)
    one = write_wav(tmp_path / "one.wav", np.repeat(sound[: 2 * RATE], 2, axis=1))
    two = write_wav(tmp_path / "two.wav", sound[2 * RATE :])
    for name, wav, options in (("one", one, ["-ac", "2"]), ("two", two, ["-ac", "1", "-ar", "32000"])):
        offset = "2" if name == "two" else "0"
        run_ffmpeg(
            *("-i", str(wav), *options, "-c:a", "mp2", "-output_ts_offset", offset),
            *("-muxdelay", "0", "-muxpreload", "0", str(tmp_path / f"{name}.ts")),
        )
    both = tmp_path / "both.ts"
    both.write_bytes((tmp_path / "one.ts").read_bytes() + (tmp_path / "two.ts").read_bytes())

    heard = decoded(both, 0, 4)

    away = times[np.abs(times - 2) > 0.25]
    assert len(heard) == 4 * RATE
    assert np.abs(onsets(heard, away) - np.median(onsets(heard, away))).max() < 0.03
    assert level(heard[3 * RATE :]) == pytest.approx(0.5, abs=0.06)


def test_wild_float_samples_do_not_get_through(tmp_path: Path) -> None:
    raw = tone(1.0, 500.0)
    raw[1000:2000] = np.nan
    raw[2000:3000] = np.inf
    raw[3000:4000] = 1e30
    (tmp_path / "raw").write_bytes(raw.astype("<f4").tobytes())
    run_ffmpeg(
        *("-f", "f32le", "-ar", "48000", "-ac", "1", "-i", str(tmp_path / "raw")),
        *("-c:a", "pcm_f32le", str(tmp_path / "a.wav")),
    )

    heard = decoded(tmp_path / "a.wav", 0, 1)

    assert np.isfinite(heard).all()
    assert level(heard[5000:]) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("name", ['it\'s 100% "good".wav', "new\nline.wav", "-dash.wav", "http:x.wav", "[a];b,c.wav"])
def test_awkward_file_names_are_names(name: str, tmp_path: Path) -> None:
    heard = decoded(write_wav(tmp_path / name, tone(0.5, 500.0)), 0, 0.5)

    assert pitch(heard) == pytest.approx(500, rel=0.01)


def test_wrong_sources_are_typed_errors(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", tone(0.2, 500.0))
    (tmp_path / "text.mp4").write_text("no media")

    with pytest.raises(ObjectNotFoundError, match="missing"):
        decoded(tmp_path / "missing.mp4", 0, 1)
    with pytest.raises(ProbeError, match=r"text\.mp4"):
        decoded(tmp_path / "text.mp4", 0, 1)
    with pytest.raises(DecodeError, match="no audio stream 3, expected one of"):
        decoded(wav, 0, 1, index=3)


@pytest.mark.footage
@pytest.mark.parametrize(
    ("name", "index", "seconds", "ends"),
    [
        ("fire2.mp4", 1, 2.379767, 2.4165),
        ("chaplin.mp4", 1, 9.64, 9.6139),
        ("edts.mp4", 1, 9.0, 9.0040),
        ("nasa_13013.mp4", 1, 13.0, 13.056),
        ("no-initial-keyframe.ts", 1, 2.635, 2.6486),
    ],
)
def test_real_footage_is_heard_to_its_end(footage: Path, name: str, index: int, seconds: float, ends: float) -> None:
    path = footage / name
    info = probe(path)
    assert info.video is not None
    zero = float(info.video.start_pts * info.video.time_base)

    heard = decoded(path, zero, seconds + 1, index=index)
    late = decoded(path, zero + 1.5, 0.5, index=index)

    sounding = np.nonzero(np.abs(heard).max(axis=1))[0]
    assert sounding[-1] / RATE == pytest.approx(ends, abs=0.002)
    # the same up to half a sample, since each run of packets is placed on the nearest one
    np.testing.assert_allclose(late, heard[round(1.5 * RATE) : round(2.0 * RATE)], atol=0.05)


@pytest.mark.footage
def test_the_gap_at_the_start_of_a_phone_clip_stays_a_gap(footage: Path) -> None:
    heard = decoded(footage / "fire2.mp4", 0, 2, index=1)

    # the second packet's timestamp is 8471, 155 ms after the first one ends
    assert not heard[1100:8400].any()
    assert heard[10_000:20_000].any()
