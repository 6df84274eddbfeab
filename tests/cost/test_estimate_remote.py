"""Estimates of jobs whose sources are elsewhere: the same work as of local files, and only indexes are moved."""

from __future__ import annotations

from pathlib import Path

import pytest

import reelproc as rp
from file_server import FileServer
from media_factory import run_ffmpeg
from reelproc.cost.calibration import Calibration
from reelproc.cost.job_work import work_of
from reelproc.storage.remote import SMALL_BYTES


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 s of footage, large enough to be read by ranges."""
    folder = tmp_path_factory.mktemp("shelf")
    pictures = ["-f", "lavfi", "-i", "testsrc2=s=640x360:r=30:d=40", "-f", "lavfi", "-i", "sine=d=40"]
    encode = ["-c:v", "libx264", "-preset", "ultrafast", "-b:v", "4M", "-minrate", "4M", "-maxrate", "4M", "-g", "60"]
    padded = ["-bufsize", "1M", "-x264-params", "nal-hrd=cbr", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    run_ffmpeg(*pictures, *encode, *padded, str(folder / "game.mp4"))
    assert (folder / "game.mp4").stat().st_size > 2 * SMALL_BYTES
    return folder


def cropped(source: str | Path) -> rp.Reel:
    """All of it, cropped: a plan that would download its source."""
    crop = rp.Crop(keyframes=[rp.CropKeyframe(time=0, x=100, y=20, width=180, height=320)])
    return rp.Reel(clips=[rp.Clip(source=source, stages=[crop])], output=rp.Output(width=180, height=320))


def test_only_the_index_is_read(shelf: Path) -> None:
    size = (shelf / "game.mp4").stat().st_size
    with FileServer(shelf, secret="X-Amz-Signature=abcdef") as server:
        work = work_of(cropped(server.url("game.mp4")))
        moved = server.proxy.moved_bytes
    local = work_of(cropped(shelf / "game.mp4"))
    assert moved < size / 4
    assert work.whole == local.whole
    assert any("constant rate" in said for said in work.warnings)
    assert work.remote_megabytes == work.source_megabytes == pytest.approx(size / 1e6)
    assert local.remote_megabytes == 0


def test_a_remote_checkpoint_is_fetched_whole(shelf: Path) -> None:
    (shelf / "yolov8x.pt").write_bytes(bytes(1_500_000))
    with FileServer(shelf, secret="X-Amz-Signature=abcdef") as server:
        work = work_of(rp.DetectJob(source=shelf / "game.mp4", times=[1], model=server.url("yolov8x.pt")))
        both = work_of(rp.DetectJob(source=server.url("game.mp4"), times=[1], model=server.url("yolov8x.pt")))
    named = work_of(rp.DetectJob(source=shelf / "game.mp4", times=[1]))
    assert work.whole == named.whole, "it is known by the name of the file"
    assert (named.remote_megabytes, work.remote_megabytes) == (0, 1.5)
    assert both.remote_megabytes == pytest.approx(1.5 + named.source_megabytes)


def test_what_a_local_machine_must_fetch_is_in_its_estimate(shelf: Path) -> None:
    with FileServer(shelf) as server:
        made = rp.estimate(cropped(server.url("game.mp4")), ["local", "modal-t4"], calibration=Calibration())
    here = rp.estimate(cropped(shelf / "game.mp4"), ["local", "modal-t4"], calibration=Calibration())
    assert made.option("local").phases["download"] > 0
    assert "download" not in here.option("local").phases
    assert here.option("modal-t4").phases["download"] > 0


def test_what_might_be_copied_is_said_to_be_an_upper_bound(shelf: Path) -> None:
    key = rp.HighlightKeyframe(time=1, x=100, y=90, radius_x=20, radius_y=30)
    overlay = rp.Overlay(regions=[rp.HighlightRegion(start_time=1, end_time=2, keyframes=[key])])
    output = rp.Output(width=640, height=360)
    with FileServer(shelf) as server:
        clip = rp.Clip(source=server.url("game.mp4"), stages=[overlay])
        work = work_of(rp.Reel(clips=[clip], output=output))
        moved = server.proxy.moved_bytes
    assert work.copied_frames == 0
    assert any("upper bound" in said for said in work.warnings)
    assert moved < (shelf / "game.mp4").stat().st_size / 4


def test_a_source_that_is_not_there_is_a_storage_error_without_its_signature(shelf: Path) -> None:
    with FileServer(shelf, secret="X-Amz-Signature=abcdef") as server, pytest.raises(rp.StorageError) as raised:
        work_of(cropped(server.url("lost.mp4")))
    assert "abcdef" not in str(raised.value)
