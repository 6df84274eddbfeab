"""A job's folder survives crashes: torn lines, foreign files, two that want to own it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reelproc.errors import DecodeError, JobCancelledError, JobLostError, ReelprocError, SpecError
from reelproc.executors.local.executor import LocalExecutor
from reelproc.executors.local.job_folder import JobFolder, JobRequest, prune
from reelproc.executors.outcome import outcome_from_data, outcome_to_data
from reelproc.jobs import RenderJob
from reelproc.reel import Clip, Reel
from reelproc.results import ExtractResult, JobResult, Progress, RenderResult

JOB = RenderJob(reel=Reel(clips=[Clip(source="/nowhere/game.mp4")]), output="/nowhere/reel.mp4")
REQUEST = JobRequest(id="a", identity="x", job=JOB, cwd="/")
RESULT = RenderResult(output="/nowhere/reel.mp4", frame_count=1, duration_seconds=1, fps="1", width=2, height=2)


@pytest.fixture
def folder(tmp_path: Path) -> JobFolder:
    folder = JobFolder(tmp_path, "a")
    assert folder.lock()
    folder.begin(REQUEST)
    return folder


def test_the_state_follows_what_is_written(folder: JobFolder) -> None:
    assert folder.state(0).status == "queued"
    folder.append()
    assert folder.state(0).status == "running"
    folder.append(Progress(phase="probe"))
    state = folder.state(0)
    assert [e.phase for e in state.events] == ["probe"]
    folder.append(Progress(phase="render"))
    assert [e.phase for e in folder.state(state.cursor).events] == ["render"]
    folder.end(RESULT)
    assert folder.state().status == "complete"
    assert folder.state().outcome == RESULT
    assert [e.phase for e in folder.state(0).events] == ["probe", "render"]


def test_events_that_are_torn_are_left_out(folder: JobFolder) -> None:
    folder.append(Progress(phase="probe"))
    events = folder.path / "events.jsonl"
    with events.open("ab") as file:
        file.write(b'{"phase": "ren')
    state = folder.state(0)
    assert [e.phase for e in state.events] == ["probe"], "the line may be in the making"
    with events.open("ab") as file:
        file.write(b'\n{"phase": "done"}\n')
    assert [e.phase for e in folder.state(state.cursor).events] == ["done"], "it was torn; a new run wrote behind it"


def test_a_cursor_into_a_former_run_begins_anew(folder: JobFolder) -> None:
    folder.append(Progress(phase="a former and longer run"))
    cursor = folder.state(0).cursor
    folder.begin(REQUEST)
    folder.append(Progress(phase="probe"))
    assert [e.phase for e in folder.state(cursor).events] == ["probe"]


def test_a_new_run_forgets_the_former_outcome_and_keeps_its_segments(folder: JobFolder) -> None:
    (folder.path / "segments").mkdir()
    (folder.path / "segments" / "0.mp4").touch()
    folder.request_cancel()
    folder.end(JobCancelledError("no"))
    assert folder.state().status == "cancelled"
    folder.begin(REQUEST)
    assert folder.state().status == "queued"
    assert not folder.cancel_requested()
    assert (folder.path / "segments" / "0.mp4").exists()
    folder.end(RESULT)
    assert not (folder.path / "segments").exists()


def test_there_is_one_owner(folder: JobFolder, tmp_path: Path) -> None:
    other = JobFolder(tmp_path, "a")
    assert not other.lock()
    assert not folder.lock(), "not even for itself a second time"
    folder.unlock()
    assert other.lock()
    other.unlock()


@pytest.mark.parametrize(
    "record", [b"", b"not json", b"[]", b"5", b"\xff\xfe", b'{"result": "Moon", "value": {}}', b'{"error": []}']
)
def test_a_record_that_cannot_be_read_is_a_lost_job(folder: JobFolder, record: bytes) -> None:
    (folder.path / "result.json").write_bytes(record)
    state = folder.state()
    assert isinstance(state.outcome, JobLostError)
    assert state.status == "error"
    assert not folder.is_complete()


@pytest.mark.parametrize("request_text", [b"\xff\xfe", b"{}", b'{"version": 2}'])
def test_a_request_that_cannot_be_read_is_a_lost_job_and_locks_nobody_out(tmp_path: Path, request_text: bytes) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "job.json").write_bytes(request_text)
    with LocalExecutor(folder=tmp_path) as ex:
        for _ in range(2):
            with pytest.raises(JobLostError, match="not readable"):
                ex.attach("a").result(10)
    assert JobFolder(tmp_path, "a").lock()


def test_pruning_takes_what_is_old_and_owned_by_nobody(folder: JobFolder, tmp_path: Path) -> None:
    other = JobFolder(tmp_path, "b")
    assert other.lock()
    other.begin(REQUEST)
    other.unlock()
    (tmp_path / "not ours").mkdir()
    (tmp_path / "not ours" / "job.json").touch()
    for request in tmp_path.glob("*/job.json"):
        os.utime(request, (1, 1))
    prune(tmp_path, keep_seconds=60)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "not ours"]
    folder.unlock()
    prune(tmp_path, keep_seconds=60)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["not ours"]
    assert folder.state().status == "unknown"


def test_a_lock_that_was_pruned_while_it_was_waited_for_is_taken_again(
    folder: JobFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.unlock()
    real, opened = os.open, []

    def open_and_prune(path: Path, *rest: int) -> int:
        fd = real(path, *rest)
        if not opened:
            path.unlink()  # between our opening the lock and our locking it
        opened.append(path)
        return fd

    monkeypatch.setattr(os, "open", open_and_prune)
    assert folder.lock()
    assert len(opened) == 2
    assert (tmp_path / "a" / "owner.lock").exists()
    folder.unlock()


OUTCOMES: list[JobResult | ReelprocError] = [
    RESULT,
    ExtractResult(**{**RESULT.model_dump(), "start_seconds": 1.0, "end_seconds": 2.0, "copied": True}),
    DecodeError("frame 7", argv=["ffmpeg", "-i"], returncode=-9, stderr_tail="bad", transient=True),
    SpecError("no", path=("clips", 0)),
]


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda o: type(o).__name__)
def test_an_outcome_survives_the_way_through_a_file(outcome: JobResult | ReelprocError) -> None:
    kind = "extract" if isinstance(outcome, ExtractResult) else "render"
    again = outcome_from_data(outcome_to_data(outcome, kind))
    assert type(again) is type(outcome)
    if isinstance(outcome, ReelprocError):
        assert str(again) == str(outcome)
        assert vars(again) == vars(outcome)
        assert outcome_to_data(again) == outcome_to_data(again)
    else:
        assert again == outcome


def test_an_error_of_a_plug_in_comes_back_as_the_nearest_of_ours() -> None:
    class LensError(DecodeError):
        pass

    error = LensError("fog", returncode=1)
    error.add_note("wipe it")
    error.lens = object()  # type: ignore[attr-defined]
    again = outcome_from_data(outcome_to_data(error))
    assert type(again) is DecodeError
    assert (str(again), again.returncode, again.__notes__) == ("fog", 1, ["wipe it"])


def test_a_traceback_shows_no_secret() -> None:
    try:
        raise KeyError("https://me:hunter2@host/a.mp4?signature=hunter2")
    except KeyError as error:
        again = outcome_from_data(outcome_to_data(error))
    assert "hunter2" not in f"{again}{again.__cause__}"  # type: ignore[union-attr]
    assert "test_job_folder.py" in str(again.__cause__)  # type: ignore[union-attr]
