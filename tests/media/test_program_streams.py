"""MPEG program streams (DVDs, ``.vob``; older camcorders, ``.mpg``), in which most pictures do not say their times."""

from __future__ import annotations

from pathlib import Path

import pytest

import reelproc as rp
from media_factory import numbered_video, read_number, run_ffmpeg
from reelproc.errors import ProbeError
from reelproc.job_context import JobContext
from reelproc.jobs import run_job
from reelproc.pixels.frame import Frame

FRAMES = 260
PACKET = b"\0\0\1\xe0"
"""How a packet of the first video stream begins (ISO/IEC 13818-1, 2.4.3.6)."""


def with_fewer_times(stream: bytes, every: int) -> bytes:
    """The same program stream, or transport stream, with the times of one packet in ``every`` that says any."""
    data = bytearray(stream)
    said, at = 0, stream.find(PACKET)
    while at >= 0:
        flags = data[at + 7] >> 6  # PTS_DTS_flags
        if flags and said % every:
            data[at + 7] &= 0x3F
            length = 10 if flags == 3 else 5
            data[at + 9 : at + 9 + length] = b"\xff" * length  # stuffing
        said += bool(flags)
        at = stream.find(PACKET, at + 4)
    return bytes(data)


@pytest.fixture(scope="module", params=["a.vob, every", "a.vob, 1 of 5", "b.vob, 1 of 12", "b.ts, 1 of 12"])
def stream(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    name, _, rest = str(request.param).partition(", ")
    folder = tmp_path_factory.mktemp("program")
    made = numbered_video(folder / "numbers.mkv", frame_count=FRAMES, fps=25)
    reordered = ("-bf", "2") if name.startswith("b") else ()
    path = folder / name
    run_ffmpeg("-i", str(made.path), "-c:v", "mpeg2video", "-q:v", "2", "-g", "12", *reordered, str(path))
    every = int(rest.rpartition(" ")[2]) if rest != "every" else 1
    path.write_bytes(with_fewer_times(path.read_bytes(), every))
    return path


def read(path: Path, backend: str) -> list[Frame]:
    with rp.open_video(path, backend, "yuv420p") as video:
        frames = list(video)
        assert video.damage == ()
    return frames


def test_every_frame_comes_at_its_time(stream: Path) -> None:
    frames = read(stream, "ffmpeg")
    assert [read_number(frame) for frame in frames] == list(range(FRAMES))
    assert [frame.pts - frames[0].pts for frame in frames] == [3600 * n for n in range(FRAMES)]
    assert [frame.pts for frame in read(stream, "pyav")] == [frame.pts for frame in frames]


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
def test_behind_a_seek_every_picture_has_its_own_time(stream: Path, backend: str) -> None:
    """libavformat gives the first time behind a seek to the picture before, and counts on from there."""
    whole = read(stream, "pyav")
    seeks = 0
    for wanted in whole[1::12]:
        start = (wanted.pts - wanted.start_pts) * wanted.time_base
        with rp.open_video(stream, backend, "yuv420p", start=start) as video:
            first = next(video)
            seeks += video._approach.seek_pts is not None
        assert (first.pts, read_number(first)) == (wanted.pts, read_number(wanted))
    assert seeks > 10


def test_frames_that_carry_no_time_are_missed_aloud(tmp_path: Path) -> None:
    """Of H.264, libavformat works no times out."""
    made = numbered_video(tmp_path / "numbers.mkv", frame_count=100, fps=25)
    path = tmp_path / "a.ts"
    run_ffmpeg("-i", str(made.path), "-c:v", "libx264", "-bf", "0", "-g", "25", str(path))
    path.write_bytes(with_fewer_times(path.read_bytes(), 3))
    clip = rp.Clip(source=path, start=1.0, end=3.0)
    reel = rp.Reel(clips=[clip], output=rp.Output(width=None, height=None, fps=25, audio=False))
    result = run_job(rp.RenderJob(reel=reel, output=tmp_path / "out.mp4"), JobContext())
    assert result.frame_count == 50
    assert any("frames carry no timestamp, and are left out" in warning for warning in result.warnings)
    job = rp.ExtractJob(source=path, output=tmp_path / "copy.mkv", start=1.0, end=3.0, copy_codec=True)
    copied = run_job(job, JobContext())
    assert any("packets of the picture carry no timestamp, and are left out" in said for said in copied.warnings)


def test_a_clip_from_the_middle_shows_what_was_asked_for(stream: Path, tmp_path: Path) -> None:
    clip = rp.Clip(source=stream, start=6.0, end=8.0)
    reel = rp.Reel(clips=[clip], output=rp.Output(width=None, height=None, fps=25, audio=False))
    run_job(rp.RenderJob(reel=reel, output=tmp_path / "out.mp4"), JobContext())
    assert [read_number(frame) for frame in read(tmp_path / "out.mp4", "ffmpeg")] == list(range(150, 200))


@pytest.mark.parametrize("b_frames", [0, 2])
def test_h264_whose_pictures_do_not_say_their_times_is_refused(b_frames: int, tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "numbers.mkv", frame_count=40, fps=25)
    path = tmp_path / "a.mpg"
    run_ffmpeg("-i", str(made.path), "-c:v", "libx264", "-bf", str(b_frames), str(path))
    with pytest.raises(ProbeError, match=r"of its first 20 pictures do not say when they are shown.*ffmpeg -i IN"):
        rp.probe(path)


def test_h264_whose_pictures_say_their_times_is_read(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "numbers.mkv", frame_count=40, fps=25, width=640, height=360)
    path = tmp_path / "a.mpg"
    large = ("-c:v", "libx264", "-bf", "2", "-qp", "1", "-vf", "noise=alls=8")  # each picture fills several packets
    run_ffmpeg("-i", str(made.path), *large, str(path))
    for backend in ("ffmpeg", "pyav"):
        frames = read(path, backend)
        assert [frame.pts - frames[0].pts for frame in frames] == [3600 * n for n in range(40)]
