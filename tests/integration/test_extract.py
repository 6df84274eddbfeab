"""What is cut out of a source: the frames that were asked for, with their sound, and a result that says so truly."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

import reelproc as rp
from media_factory import numbered_video, read_number, run_ffmpeg, tone
from reelproc.jobs import JobContext, run_job
from reelproc.results import ExtractResult

FRAMES, GROUP = 150, 30
KINDS = {
    "mp4": ("a.mp4", ()),
    "matroska": ("b.mkv", ()),
    "transport stream": ("c.ts", ()),
    "open groups": ("d.mp4", ("-x264-params", "open-gop=1")),
    "open groups in matroska": ("e.mkv", ("-x264-params", "open-gop=1")),
    "hevc": ("f.mp4", ("-c:v", "libx265", "-x265-params", "log-level=error:keyint=30:min-keyint=30:scenecut=0")),
}


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("numbers") / "numbers.mkv"
    return numbered_video(path, frame_count=FRAMES, sound=tone(FRAMES / 30)).path


@pytest.fixture(scope="module", params=KINDS)
def source(request: pytest.FixtureRequest, numbers: Path) -> Path:
    name, options = KINDS[str(request.param)]
    path = numbers.with_name(name)
    coded = ("-c:v", "libx264", "-bf", "3", "-g", str(GROUP), "-keyint_min", str(GROUP), "-sc_threshold", "0", *options)
    run_ffmpeg("-i", str(numbers), *coded, "-preset", "fast", "-c:a", "aac", str(path))
    return path


def extract(source: Path, output: Path, **options: float | bool | None) -> ExtractResult:
    result = run_job(rp.ExtractJob.model_validate({"source": source, "output": output, **options}), JobContext())
    assert isinstance(result, ExtractResult)
    return result


def shown(path: Path) -> list[int]:
    with rp.open_video(path, pix_fmt="yuv420p") as video:
        found = [read_number(frame) for frame in video]
        assert video.damage == ()
    return found


@pytest.mark.parametrize("start", [0.0, 1.5, 1.95, 1.99, 2.0])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_copy_begins_at_the_key_frame_at_or_before_the_start(
    source: Path, tmp_path: Path, start: float, suffix: str
) -> None:
    key = int(start) * 30
    result = extract(source, tmp_path / f"o{suffix}", start=start, end=start + 1.5, copy_codec=True)
    assert result.start_seconds == pytest.approx(key / 30, abs=0.001)
    numbers = shown(tmp_path / f"o{suffix}")
    assert numbers == list(range(key, key + len(numbers)))
    assert result.frame_count == len(numbers)
    assert numbers[-1] >= round((start + 1.5) * 30) - 1
    with av.open(str(tmp_path / f"o{suffix}")) as container:
        assert next(container.decode(video=0)).time == pytest.approx(0, abs=0.001)
        times = [packet.dts for packet in container.demux(video=0) if packet.dts is not None]
    assert times == sorted(set(times))


def test_a_short_copy_from_the_very_start_has_its_frames(source: Path, tmp_path: Path) -> None:
    extract(source, tmp_path / "o.mkv", start=0, end=0.5, copy_codec=True)
    assert shown(tmp_path / "o.mkv")[:15] == list(range(15))


@pytest.mark.parametrize("copy", [True, False])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_sound_that_goes_on_ends_with_the_picture(tmp_path: Path, suffix: str, copy: bool) -> None:
    made = numbered_video(tmp_path / f"a{suffix}", frame_count=90, gop_size=30, sound=tone(6.0))
    result = extract(made.path, tmp_path / "o.mp4", copy_codec=copy)
    assert result.duration_seconds == pytest.approx(3.0, abs=0.01)
    with av.open(str(tmp_path / "o.mp4")) as container:
        last = max(frame.time + frame.samples / frame.sample_rate for frame in container.decode(audio=0))
    assert 2.9 < last <= 3 + 1 / 30


def test_an_exact_cut_says_where_its_first_frame_lies(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "a.mp4", pts=[0, 33, 66, 5000, 5033, 5066, 12000, 12033], gop_size=60)
    result = extract(made.path, tmp_path / "o.mp4", start=1.0, end=6.0)
    assert (result.start_seconds, result.end_seconds, result.duration_seconds) == (5.0, 6.0, 1.0)
    assert shown(tmp_path / "o.mp4") == [3, 4, 5]


def test_where_nothing_is_held_the_warning_does_not_say_so(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "a.mp4", frame_count=90, gop_size=30)
    result = extract(made.path, tmp_path / "o.mp4", start=1.0, end=3.8)
    assert result.frame_count == 60
    assert "the result ends there" in result.warnings[0]


def test_mp3_is_copied_as_it_is(numbers: Path, tmp_path: Path) -> None:
    source = tmp_path / "a.mp4"
    run_ffmpeg("-i", str(numbers), "-c:v", "libx264", "-g", "30", "-c:a", "libmp3lame", str(source))
    audio = rp.probe(source).audio
    assert audio is not None
    assert audio.codec == "mp3"
    result = extract(source, tmp_path / "o.mp4")
    assert result.frame_count == FRAMES
    packets = []
    for path in (source, tmp_path / "o.mp4"):
        with av.open(str(path)) as container:
            packets.append([bytes(packet) for packet in container.demux(audio=0) if packet.size])
    assert np.array_equal(packets[0][: len(packets[1])], packets[1])


@pytest.mark.parametrize("copy", [True, False])
def test_nothing_is_cut_from_behind_the_end(source: Path, tmp_path: Path, *, copy: bool) -> None:
    ends = FRAMES / 30
    for start in (ends, 100.0, 1e300):
        with pytest.raises(rp.SpecError, match=f"its source ends at|ends at {ends:.3f} s; start earlier"):
            extract(source, tmp_path / "o.mkv", start=start, copy_codec=copy)
    assert not list(tmp_path.iterdir())
    result = extract(source, tmp_path / "o.mkv", start=ends - 0.04, copy_codec=copy)
    assert shown(tmp_path / "o.mkv")[-1] == FRAMES - 1
    assert result.end_seconds == pytest.approx(ends, abs=0.002)
