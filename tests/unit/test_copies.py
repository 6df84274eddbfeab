"""A result may be put at further places, as part of the job that makes it."""

from __future__ import annotations

from pathlib import Path

import pytest

import reelproc as rp
from media_factory import numbered_video
from reelproc.executors.modal_staging import Staging
from reelproc.jobs import job_hash, run_job


def job(source: Path | str, output: Path | str, *copies: Path | str) -> rp.RenderJob:
    reel = rp.Reel(clips=[rp.Clip(source=source)], output=rp.Output(width=96, height=54))
    return rp.RenderJob(reel=reel, output=output, copies=copies)


def test_the_copies_are_the_result(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "in.mp4", frame_count=5)
    (tmp_path / "gallery").mkdir()
    places = [tmp_path / "gallery" / name for name in ("a.mp4", "b.mp4")]
    result = run_job(job(made.path, tmp_path / "out.mp4", *places))
    assert isinstance(result, rp.RenderResult)
    assert result.output == str(tmp_path / "out.mp4")
    whole = (tmp_path / "out.mp4").read_bytes()
    assert [place.read_bytes() for place in places] == [whole, whole]


def test_a_place_that_cannot_be_written_is_known_before_the_work(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "in.mp4", frame_count=5)
    with pytest.raises(rp.StorageError, match="nowhere"):
        run_job(job(made.path, tmp_path / "out.mp4", tmp_path / "nowhere" / "a.mp4"))
    with pytest.raises(rp.SpecError, match="a source of the reel"):
        run_job(job(made.path, tmp_path / "out.mp4", made.path))
    assert not (tmp_path / "out.mp4").exists()


def test_where_the_copies_go_is_part_of_the_job() -> None:
    assert job_hash(job("a.mp4", "b.mp4")) != job_hash(job("a.mp4", "b.mp4", "c.mp4"))


def test_modal_makes_no_copy_on_this_machine() -> None:
    with pytest.raises(rp.SpecError, match=r"copies\[0\].*cannot reach") as caught:
        Staging("s3://bucket/staging").staged(job("s3://b/a.mp4", "s3://b/out.mp4", "here.mp4"), "j")
    assert caught.value.path == ("copies", 0)
