"""A result may be put at further places, as part of the job that makes it."""

from __future__ import annotations

from pathlib import Path

import pytest

import reelproc as rp
from media_factory import numbered_video
from reelproc.executors.modal.staging import Staging
from reelproc.job_context import JobContext
from reelproc.jobs import run_job


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


def test_a_job_is_done_when_its_copies_are_made(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "in.mp4", frame_count=5)
    was_there: list[bool] = []

    def progress(event: rp.Progress) -> None:
        if event.phase == "done":
            was_there.append((tmp_path / "copy.mp4").exists())

    run_job(job(made.path, tmp_path / "out.mp4", tmp_path / "copy.mp4"), JobContext(progress=progress))
    assert was_there == [True]


def test_a_place_that_cannot_be_written_is_known_before_the_work(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "in.mp4", frame_count=5)
    with pytest.raises(rp.StorageError, match="nowhere"):
        run_job(job(made.path, tmp_path / "out.mp4", tmp_path / "nowhere" / "a.mp4"))
    with pytest.raises(rp.SpecError, match="a source only"):
        run_job(job(made.path, tmp_path / "out.mp4", "https://example.org/a.mp4"))
    assert not (tmp_path / "out.mp4").exists()


def test_a_copy_at_the_output_is_the_output(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "in.mp4", frame_count=5)
    run_job(job(made.path, tmp_path / "out.mp4", f"file://{tmp_path}/out.mp4"))
    assert rp.probe(tmp_path / "out.mp4", exact=True).frame_count == 5


@pytest.mark.parametrize(
    "spelled", ["{0}/in.mp4", "{0}/./x/../in.mp4", "file://{0}/in.mp4", "{0}/soft.mp4", "{0}/hard.mp4"]
)
@pytest.mark.parametrize("is_copy", [False, True])
def test_no_source_is_written_over_however_it_is_spelled(tmp_path: Path, spelled: str, *, is_copy: bool) -> None:
    made = numbered_video(tmp_path / "in.mp4", frame_count=5)
    before = made.path.read_bytes()
    (tmp_path / "x").mkdir()
    (tmp_path / "soft.mp4").symlink_to(made.path)
    (tmp_path / "hard.mp4").hardlink_to(made.path)
    place = spelled.format(tmp_path)
    asked = job(made.path, tmp_path / "out.mp4", place) if is_copy else job(made.path, place)
    with pytest.raises(rp.SpecError, match="is a source of the job") as caught:
        run_job(asked)
    assert caught.value.path == (("copies", 0) if is_copy else ("output",))
    assert made.path.read_bytes() == before
    assert not (tmp_path / "out.mp4").exists()


def test_modal_does_not_fetch_a_result_over_its_source(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "in.mp4", frame_count=5)
    with pytest.raises(rp.SpecError, match="is a source of the job"):
        Staging("s3://bucket/staging").staged(job(made.path, f"file://{made.path}"), "j")


def test_where_the_copies_go_is_part_of_the_job() -> None:
    assert job("a.mp4", "b.mp4").content_hash() != job("a.mp4", "b.mp4", "c.mp4").content_hash()


def test_modal_makes_no_copy_on_this_machine() -> None:
    with pytest.raises(rp.SpecError, match=r"copies\[0\].*cannot reach") as caught:
        Staging("s3://bucket/staging").staged(job("s3://b/a.mp4", "s3://b/out.mp4", "here.mp4"), "j")
    assert caught.value.path == ("copies", 0)
