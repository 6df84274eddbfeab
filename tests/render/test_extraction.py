"""What is cut out of a source: the frames that were asked for, with their sound, and a result that says so truly."""

from __future__ import annotations

import math
from pathlib import Path

import av
import numpy as np
import pytest

import reelproc as rp
from media_factory import numbered_video, read_number, run_ffmpeg, tone
from mp4_edits import joined
from reelproc.errors import SpecError
from reelproc.job_context import JobContext
from reelproc.jobs import run_job
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
    end = min(FRAMES, math.ceil(round((start + 1.5) * 30, 6)))
    assert [number for number in numbers if number < end] == list(range(key, end))
    assert result.frame_count == len(numbers)
    surplus = [number for number in numbers if number >= end]
    assert len(surplus) <= 3  # B-frames between two that are referred to
    assert not surplus or suffix == ".mkv"  # which cannot hide them
    assert any("behind the end" in warning for warning in result.warnings) == bool(surplus)
    with av.open(str(tmp_path / f"o{suffix}")) as container:
        assert next(container.decode(video=0)).time == pytest.approx(0, abs=0.001)
        times = [packet.dts for packet in container.demux(video=0) if packet.dts is not None]
    assert times == sorted(set(times))


def test_a_short_copy_from_the_very_start_has_its_frames(source: Path, tmp_path: Path) -> None:
    extract(source, tmp_path / "o.mkv", start=0, end=0.5, copy_codec=True)
    assert shown(tmp_path / "o.mkv")[:15] == list(range(15))


PATTERNS = {"b-pyramid=none": 31, "b-pyramid=normal": 32}
"""What decoding the frames of a second needs, where three B-frames stand between two others."""


@pytest.fixture(scope="module", params=[(p, s) for p in PATTERNS for s in ("mp4", "mov", "mkv", "ts", "flv")], ids=str)
def b_frames(request: pytest.FixtureRequest, numbers: Path) -> tuple[Path, int]:
    """A source with key frames every two seconds, and how many packets its first second takes."""
    pattern, suffix = request.param
    path = numbers.with_name(f"{pattern}.{suffix}".replace("=", "-"))
    gop = f"keyint=60:min-keyint=60:scenecut=0:bframes=3:b-adapt=0:{pattern}"
    run_ffmpeg("-i", str(numbers), "-c:v", "libx264", "-x264-params", gop, "-c:a", "aac", str(path))
    return path, PATTERNS[pattern]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_a_copy_ends_with_what_its_last_frame_needs(b_frames: tuple[Path, int], tmp_path: Path, suffix: str) -> None:
    source, needed = b_frames
    output = tmp_path / f"o{suffix}"
    result = extract(source, output, start=0, end=1, copy_codec=True)
    with av.open(str(output)) as container:
        assert sum(packet.size > 0 for packet in container.demux(video=0)) == needed
    numbers = shown(output)
    assert numbers[:30] == list(range(30)) or suffix == ".mkv"
    assert [number for number in numbers if number < 30] == list(range(30))
    assert result.frame_count == len(numbers) == rp.probe(output, exact=True).frame_count
    if suffix == ".mkv":
        assert len(numbers) == needed
        assert "refer to" in result.warnings[0]
        assert result.end_seconds == pytest.approx(33 / 30, abs=0.001)
    else:
        assert len(numbers) == 30
        assert result.warnings == ()
        assert (result.end_seconds, result.duration_seconds) == (pytest.approx(1, abs=0.001),) * 2
        assert float(rp.probe(output).duration) == pytest.approx(1, abs=0.001)
    with av.open(str(output)) as container:
        ends = max(frame.time + frame.samples / frame.sample_rate for frame in container.decode(audio=0))
    assert result.duration_seconds <= ends < result.duration_seconds + 0.03


@pytest.mark.parametrize("end", [None, 2.0])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("kind", ["ts", "flv", "mkv"])
@pytest.mark.parametrize("b_frame_count", ["0", "3"])
def test_the_last_frame_lasts_as_long_as_the_one_before(
    numbers: Path, tmp_path: Path, kind: str, suffix: str, b_frame_count: str, end: float | None
) -> None:
    path = tmp_path / f"a.{kind}"
    coded = ("-t", "2", "-r", "24", "-c:v", "libx264", "-bf", b_frame_count)
    silent = ("-bsf:v", "h264_metadata=delete_filler=1", "-an")
    run_ffmpeg("-i", str(numbers), *coded, "-x264-params", "force-cfr=0:keyint=48", *silent, str(path))
    result = extract(path, tmp_path / f"o{suffix}", start=0, end=end, copy_codec=True)
    assert (result.frame_count, result.end_seconds) == (48, pytest.approx(2, abs=0.0011))
    info = rp.probe(tmp_path / f"o{suffix}", exact=True)
    assert (info.frame_count, float(info.duration)) == (48, pytest.approx(2, abs=0.0011))


@pytest.mark.footage
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_copy_begins_with_what_is_shown_before_the_first_key_frame(assets: Path, tmp_path: Path, suffix: str) -> None:
    source = assets / "cases" / "avchd_leading_pictures.mts"
    result = extract(source, tmp_path / f"o{suffix}", start=0, copy_codec=True)
    assert (result.frame_count, result.start_seconds, result.warnings) == (3, 0.0, ())
    with rp.open_video(source) as video, rp.open_video(tmp_path / f"o{suffix}") as copy:
        pictures = [[frame.image for frame in each] for each in (video, copy)]
    assert len(pictures[0]) == len(pictures[1]) == 3
    assert all(np.array_equal(a, b) for a, b in zip(*pictures, strict=True))


@pytest.mark.footage
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_the_case_without_lengths_lasts_two_seconds(assets: Path, tmp_path: Path, suffix: str) -> None:
    result = extract(assets / "cases" / "hls_no_vui_timing.ts", tmp_path / f"o{suffix}", copy_codec=True)
    assert (result.frame_count, result.end_seconds) == (48, pytest.approx(2, abs=0.001))
    assert float(rp.probe(tmp_path / f"o{suffix}").duration) == pytest.approx(2, abs=0.001)


def with_hole(path: Path, codec: str, rate: int = 48_000) -> Path:
    """Sound that is quiet but for a beep from 1.5 s on; what lies between 1.0 and 1.3 s is not there."""
    wave = np.zeros((3 * rate, 1), np.float32)
    wave[round(1.5 * rate) : round(1.6 * rate)] = 0.5
    made = numbered_video(path.with_name("sound.mkv"), frame_count=90, gop_size=30, sound=wave, sample_rate=rate)
    drop = "noise=drop='between(pts*tb,1.0,1.29)'"
    coded = ("-c:v", "copy", "-c:a", codec, "-bsf:a", drop)
    run_ffmpeg("-i", str(made.path), *coded, str(path))
    return path


def beep(path: Path) -> float:
    """When the sound first is loud, seconds."""
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            level = frame.to_ndarray().astype(np.float64)
            level = level - (128 if frame.format.name.startswith("u8") else 0)
            full = {"u8": 128, "s16": 2**15, "s32": 2**31}.get(frame.format.packed.name, 1)
            loud = np.nonzero(np.abs(level.ravel()) > full * 0.25)[0]
            if loud.size:
                return float(frame.time + loud[0] / frame.layout.nb_channels / frame.sample_rate)
    raise AssertionError("there is no beep")


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize(
    ("codec", "suffix"),
    [
        *(("pcm_s16le", suffix) for suffix in (".mp4", ".mov", ".mkv")),
        *(("pcm_s24le", ".mp4"), ("pcm_f32le", ".mov"), ("aac", ".mp4"), ("flac", ".mp4"), ("ac3", ".mp4")),
    ],
)
def test_sound_behind_a_hole_keeps_its_time(tmp_path: Path, codec: str, suffix: str, start: int) -> None:
    source = with_hole(tmp_path / "a.mkv", codec)
    result = extract(source, tmp_path / f"o{suffix}", start=start, end=2.5, copy_codec=True)
    assert result.start_seconds == start
    assert beep(source) == pytest.approx(1.5, abs=0.05)
    assert beep(tmp_path / f"o{suffix}") == pytest.approx(beep(source) - start, abs=0.003)


@pytest.mark.footage
def test_the_case_with_a_hole_keeps_its_beep(assets: Path, tmp_path: Path) -> None:
    source = assets / "cases" / "pcm_gap.mkv"
    extract(source, tmp_path / "o.mp4", start=0, copy_codec=True)
    with av.open(str(tmp_path / "o.mp4")) as container:
        assert container.duration == pytest.approx(3_000_000, abs=1000)
    loud = []
    for path in (source, tmp_path / "o.mp4"):
        with av.open(str(path)) as container:
            frames = [(f.time, f.to_ndarray().ravel()) for f in container.decode(audio=0)]
            loud.append([t + np.nonzero(np.abs(w) > 1000)[0][0] / 48_000 for t, w in frames if np.abs(w).max() > 1000])
    assert loud[1][-1] == pytest.approx(loud[0][-1], abs=0.03)
    late = [next(t for t in found if t > 1.2) for found in loud]
    assert late == [pytest.approx(1.5, abs=0.005)] * 2


def described_anew(folder: Path, kind: str) -> Path:
    """Two seconds of HEVC or H.264 and two of another size, by other sets in band or by another description."""
    encoder = "libx264" if "h264" in kind else "libx265"
    coded = (
        "-c:v",
        encoder,
        "-preset",
        "ultrafast",
        *(() if encoder == "libx264" else ("-x265-params", "log-level=1")),
    )
    pieces = []
    for name, width in (("a", 160), ("b", 320)):
        made = numbered_video(folder / f"{name}.mkv", frame_count=60, width=width, height=width * 3 // 5)
        pieces.append(folder / f"{name}.{'mp4' if 'descriptions' in kind else 'ts'}")
        run_ffmpeg("-i", str(made.path), *coded, str(pieces[-1]))
    if "descriptions" in kind:
        return joined(*pieces, folder / "joined.mp4")
    (folder / "list.txt").write_text("file a.ts\nfile b.ts\n")
    path = folder / f"joined.{'ts' if 'ts' in kind else 'mkv'}"
    run_ffmpeg("-f", "concat", "-i", str(folder / "list.txt"), "-c", "copy", str(path))
    return path


@pytest.mark.parametrize("kind", ["hevc in ts", "hevc in matroska", "hevc, two descriptions", "h264, two descriptions"])
def test_what_is_described_anew_is_not_copied_under_one_description(tmp_path: Path, kind: str) -> None:
    source = described_anew(tmp_path, kind)
    with pytest.raises(SpecError, match=r"are described anew at 2\.\d+ s .*extract without copying"):
        extract(source, tmp_path / "o.mp4", start=0, copy_codec=True)
    assert not (tmp_path / "o.mp4").exists()
    extract(source, tmp_path / "o.mp4", start=0, end=1.5, copy_codec=True)
    assert shown(tmp_path / "o.mp4") == list(range(45))


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
