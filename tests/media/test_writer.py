"""The writer: whole or not at all, exact, tagged, and nothing left behind."""

from __future__ import annotations

import os
import stat
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from processes import children, threads
from reelproc import BackendError, EncodeError, Frame, SpecError
from reelproc.media.ffmpeg_build import _encoders, _find
from reelproc.media.write.encoders import ENCODERS, EncoderSettings, check_encoder
from reelproc.media.write.writer import VideoWriter
from reelproc.pixels.frame import PixelFormat


def picture(number: int, width: int = 64, height: int = 48, pix_fmt: PixelFormat = "yuv420p") -> Frame:
    frame = Frame.empty(width, height, pix_fmt)
    luma, *chroma = frame.planes
    luma[:] = 40 + 10 * (number % 15)
    for plane in chroma:
        plane[:] = 128
    return frame


@pytest.fixture
def nothing_left(tmp_path: Path):  # type: ignore[no-untyped-def]
    before = children(), threads()
    yield
    assert children() <= before[0]
    assert threads() <= before[1]
    assert not [p for p in tmp_path.rglob("*") if ".part" in p.name]


def write(path: Path, count: int, settings: EncoderSettings | None = None, fps: Fraction = Fraction(30)) -> VideoWriter:
    settings = settings or EncoderSettings()
    with VideoWriter(path, width=64, height=48, fps=fps, settings=settings) as writer:
        for n in range(count):
            writer.write(picture(n, pix_fmt=settings.pix_fmt))
        assert not path.exists()
        writer.finish()
    return writer


def luma(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        return [round(float(f.to_ndarray(format="yuv420p")[:48].mean())) for f in container.decode(video=0)]


@pytest.mark.usefixtures("nothing_left")
def test_a_lossless_file_holds_exactly_what_was_written(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", 37, EncoderSettings(crf=0))
    assert luma(tmp_path / "a.mp4") == [40 + 10 * (n % 15) for n in range(37)]


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("fps", [Fraction(30), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(59)])
def test_frames_are_stamped_on_the_grid(tmp_path: Path, fps: Fraction) -> None:
    write(tmp_path / "a.mp4", 20, fps=fps)
    with av.open(str(tmp_path / "a.mp4")) as container:
        times = [f.pts * f.time_base for f in container.decode(video=0)]  # type: ignore[operator]
    assert times == [n / fps for n in range(20)]


def test_the_file_is_tagged_bt709_limited(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", 3)
    with av.open(str(tmp_path / "a.mp4")) as container:
        frame = next(container.decode(video=0))
        assert (frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc) == (1, 1, 1, 1)
        assert container.streams.video[0].codec_context.name == "h264"


@pytest.mark.usefixtures("nothing_left")
def test_key_frames_come_every_two_seconds(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", 130)
    with av.open(str(tmp_path / "a.mp4")) as container:
        keys = [n for n, p in enumerate(container.demux(video=0)) if p.size and p.is_keyframe]
    assert {0, 60, 120} <= set(keys)


@pytest.mark.parametrize("name", [n for n, e in ENCODERS.items() if e.hardware is None])
def test_software_encoders_encode(tmp_path: Path, name: str) -> None:
    settings = EncoderSettings(name, preset={"libsvtav1": "12"}.get(name, "ultrafast"))
    check_encoder(settings)
    write(tmp_path / "a.mp4", 12, settings)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert sum(1 for p in container.demux(video=0) if p.size) == 12


@pytest.mark.parametrize("name", [n for n, e in ENCODERS.items() if e.hardware is not None])
def test_missing_hardware_is_a_clear_error(name: str) -> None:
    if Path("/dev/nvidia0").exists():
        check_encoder(EncoderSettings(name))
        return
    with pytest.raises(BackendError, match="needs an NVIDIA GPU"):
        check_encoder(EncoderSettings(name))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (EncoderSettings("libx266"), "no encoder is called"),
        (EncoderSettings(preset="p4"), "no preset 'p4'"),
        (EncoderSettings(crf=60), "crf from 0 to 51"),
        (EncoderSettings("libsvtav1", pix_fmt="yuv444p"), "not yuv444p"),
    ],
)
def test_impossible_settings_are_refused(settings: EncoderSettings, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        check_encoder(settings)


@pytest.mark.usefixtures("nothing_left")
def test_an_error_in_the_block_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), VideoWriter(tmp_path / "a.mp4", width=64, height=48, fps=Fraction(30)) as writer:
        writer.write(picture(0))
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("nothing_left")
def test_a_frame_of_another_size_is_refused(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", width=64, height=48, fps=Fraction(30)) as writer:
        with pytest.raises(SpecError, match="64x48"):
            writer.write(picture(0, width=32))


@pytest.mark.usefixtures("nothing_left")
def test_a_killed_encoder_is_an_encode_error(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", width=64, height=48, fps=Fraction(30)) as writer:
        writer.write(picture(0))
        os.kill(writer._process.pid, 9)
        with pytest.raises(EncodeError):
            for n in range(500):
                writer.write(picture(n))
            writer.finish()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def fake_ffmpeg(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Replace ffmpeg by a shell script."""
    _encoders.cache_clear()

    def install(body: str) -> None:
        script = tmp_path_factory.mktemp("fake") / "ffmpeg"
        script.write_text(f'#!/bin/sh\nif [ "$1" = -version ]; then echo "ffmpeg version 9.0"; exit; fi\n{body}\n')
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("REELPROC_FFMPEG", str(script))

    yield install
    _find.cache_clear()


@pytest.mark.usefixtures("nothing_left")
def test_an_encoder_that_talks_a_megabyte_and_fails_does_not_hang(tmp_path: Path, fake_ffmpeg) -> None:  # type: ignore[no-untyped-def]
    fake_ffmpeg("head -c 1000000 /dev/zero | tr '\\0' 'x' >&2; echo disk full >&2; exit 1")
    with pytest.raises(EncodeError, match="disk full") as caught:
        write(tmp_path / "a.mp4", 400)
    assert caught.value.returncode == 1


@pytest.mark.usefixtures("nothing_left")
def test_an_encoder_that_takes_nothing_is_given_up(
    tmp_path: Path,
    fake_ffmpeg,  # type: ignore[no-untyped-def]
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("reelproc.media.ffmpeg.STALL_SECONDS", 0.3)
    fake_ffmpeg("exec sleep 60")
    with pytest.raises(EncodeError, match="took no data"):
        with VideoWriter(tmp_path / "a.mp4", width=640, height=480, fps=Fraction(30)) as writer:
            for n in range(400):
                writer.write(picture(n, 640, 480))


def test_leftovers_of_killed_processes_are_swept_up(tmp_path: Path) -> None:
    stale = tmp_path / ".a.999999999-3.part.mp4"
    stale.write_bytes(b"half")
    other = tmp_path / ".ab.999999999-3.part.mp4"
    other.write_bytes(b"somebody else's")
    write(tmp_path / "a.mp4", 3)
    assert sorted(p.name for p in tmp_path.iterdir()) == [other.name, "a.mp4"]


def test_names_that_look_like_patterns_are_files(tmp_path: Path) -> None:
    name = "-a %d 'b'\n\"é\" concat:x.mp4"
    write(tmp_path / name, 3)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_444_is_kept(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", 3, EncoderSettings(crf=0, pix_fmt="yuv444p"))
    with av.open(str(tmp_path / "a.mp4")) as container:
        frame = next(container.decode(video=0))
        assert frame.format.name == "yuv444p"
        assert np.all(frame.to_ndarray()[0] == 40)


def test_one_behind_another_gets_its_frames_when_that_one_has_ended(tmp_path: Path, nothing_left: None) -> None:
    settings = EncoderSettings()
    with VideoWriter(tmp_path / "a.mp4", width=64, height=48, fps=Fraction(30), settings=settings) as first:
        first.write(picture(0))
        with VideoWriter(
            tmp_path / "b.mp4", width=64, height=48, fps=Fraction(30), settings=settings, waits_for=first
        ) as second:
            second.write(picture(1))
            second.end()
            time.sleep(0.2)
            assert second.busy_seconds == 0, "it was fed beside the first"
            first.finish()
            second.finish()
    for name in ("a.mp4", "b.mp4"):
        with av.open(str(tmp_path / name)) as container:
            assert len(list(container.decode(video=0))) == 1


def test_one_behind_another_can_be_closed(tmp_path: Path, nothing_left: None) -> None:
    with VideoWriter(tmp_path / "a.mp4", width=64, height=48, fps=Fraction(30)) as first:
        first.write(picture(0))
        with VideoWriter(tmp_path / "b.mp4", width=64, height=48, fps=Fraction(30), waits_for=first) as second:
            second.write(picture(1))
    assert not list(tmp_path.iterdir())
