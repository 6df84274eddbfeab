"""The local executor's processes: warm, killed, orphaned, followed and resumed. The jobs are stand-ins."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from processes import lives
from reelproc.errors import (
    ExecutorError,
    JobCancelledError,
    JobLostError,
    JobTimeoutError,
    SpecError,
    StorageError,
)
from reelproc.executors.local.executor import LocalExecutor
from reelproc.jobs import ExtractJob
from reelproc.results import JobResult
from waiting import LONG, eventually

"""Seconds that nothing here takes, even on a busy machine."""
STAND_INS = Path(__file__).parent / "stand_ins"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the jobs' folders are, in this process and in those that tests start."""
    monkeypatch.setenv("PYTHONPATH", str(STAND_INS))
    monkeypatch.setenv("REELPROC_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def make(home: Path) -> Callable[..., LocalExecutor]:
    def make(**options: Any) -> LocalExecutor:
        return LocalExecutor(**{"grace_seconds": 0.3, **options})

    return make


@pytest.fixture
def ex(make: Callable[..., LocalExecutor]) -> Iterator[LocalExecutor]:
    with make() as ex:
        yield ex


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., ExtractJob]:
    def make(behaviour: str, number: int = 0) -> ExtractJob:
        return ExtractJob(source=str(tmp_path / "game.mp4"), output=str(tmp_path / f"{behaviour}.{number}.mp4"))

    return make


Jobs = Callable[..., ExtractJob]
Make = Callable[..., LocalExecutor]


def pids(job: ExtractJob) -> list[int]:
    """The worker of a ``deaf`` job, and its child."""
    file = Path(job.output).with_suffix(".pids")
    assert eventually(lambda: file.exists() and len(file.read_text().split()) == 2)
    return [int(pid) for pid in file.read_text().split()]


def spoken(result: JobResult) -> list[str]:
    return list(result.warnings)


# ---- warm workers


def test_a_worker_stays_warm_between_jobs(ex: LocalExecutor, job: Jobs) -> None:
    first, second = (ex.submit(job("whoami", n)).result(LONG) for n in range(2))
    assert spoken(first)[0] == spoken(second)[0] != str(os.getpid())
    assert first.phases["startup"] > 0
    assert second.phases["startup"] == 0
    assert first.phases["encode"] == 0.5, "what the job measured is kept"


def test_workers_run_side_by_side_and_further_jobs_wait_in_order(make: Make, job: Jobs) -> None:
    with make(workers=2) as ex:
        handles = [ex.submit(job("gate", n)) for n in range(4)]
        assert eventually(lambda: [h.status() for h in handles] == ["running", "running", "queued", "queued"])
        assert eventually(lambda: len(set(ex.worker_pids)) == 2)
        Path(job("gate", 1).output).with_suffix(".open").touch()
        assert eventually(lambda: [h.status() for h in handles] == ["running", "complete", "running", "queued"])
        for n in range(4):
            Path(job("gate", n).output).with_suffix(".open").touch()
    assert ex.worker_pids == ()


def test_a_queued_job_is_cancelled_at_once(ex: LocalExecutor, job: Jobs) -> None:
    running, queued = ex.submit(job("hang", 1)), ex.submit(job("hang", 2))
    assert eventually(lambda: running.status() == "running")
    queued.cancel()
    assert queued.status() == "cancelled"
    assert list(queued.events()) == []
    assert running.status() == "running"
    running.cancel()


def test_a_worker_that_dies_idle_is_replaced_unnoticed(ex: LocalExecutor, job: Jobs) -> None:
    pid = int(spoken(ex.submit(job("whoami", 1)).result(LONG))[0])
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not lives(pid))
    assert int(spoken(ex.submit(job("whoami", 2)).result(LONG))[0]) != pid


def test_a_worker_stays_warm_after_a_job_that_stopped_when_asked(ex: LocalExecutor, job: Jobs) -> None:
    before = spoken(ex.submit(job("whoami", 1)).result(LONG))
    hanging = ex.submit(job("hang"))
    assert eventually(lambda: hanging.status() == "running")
    hanging.cancel()
    assert spoken(ex.submit(job("whoami", 2)).result(LONG)) == before


def test_relative_paths_count_from_where_the_job_was_submitted(
    ex: LocalExecutor, job: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ex.submit(job("ok")).result(LONG)  # the worker has started, here
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    handle = ex.submit(ExtractJob(source="game.mp4", output="whoami.mp4"), id="relative")
    monkeypatch.chdir(tmp_path)
    assert spoken(handle.result(LONG))[1] == str(tmp_path / "there")
    assert (tmp_path / "there" / "whoami.mp4").exists()


def test_what_a_job_prints_goes_into_its_log_and_disturbs_nothing(ex: LocalExecutor, job: Jobs) -> None:
    handle = ex.submit(job("noise"))
    assert handle.result(LONG).frame_count == 60
    assert (ex.folder / handle.id / "log.txt").stat().st_size > 1_000_000


def test_of_many_events_few_are_kept_and_always_the_last(ex: LocalExecutor, job: Jobs) -> None:
    events = list(ex.submit(job("many_events")).events())
    assert len(events) < 200
    assert [e.done for e in events if e.phase == "render"][-1] == 5000
    assert events[-1].phase == "done"


# ---- what goes wrong in a job


def test_a_typed_error_keeps_its_attributes_and_its_traceback_which_is_not_printed(
    ex: LocalExecutor, job: Jobs
) -> None:
    with pytest.raises(SpecError, match="no such stage") as caught:
        ex.submit(job("spec_error")).result(LONG)
    assert caught.value.path == ("reel", "clips", 0)
    assert "fake_jobs.py" in caught.value.worker_traceback
    printed = "".join(traceback.format_exception(caught.value))
    assert "fake_jobs.py" not in printed
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("behaviour", "error", "words"),
    [
        ("bug", ExecutorError, "KeyError: 'frame'"),
        ("exits", ExecutorError, "SystemExit: 3"),
        ("disk_full", StorageError, "No space left"),
    ],
)
def test_whatever_a_job_raises_becomes_one_of_our_errors(
    ex: LocalExecutor, job: Jobs, behaviour: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        ex.submit(job(behaviour)).result(LONG)
    assert ex.submit(job("ok")).result(LONG).frame_count == 60


def test_a_killed_worker_is_a_lost_job_and_the_next_gets_another(ex: LocalExecutor, job: Jobs) -> None:
    handle = ex.submit(job("killed"))
    with pytest.raises(JobLostError, match=r"signal 9[\s\S]*last words: about to be killed") as caught:
        handle.result(LONG)
    assert caught.value.transient
    assert handle.status() == "error"
    assert ex.submit(job("ok")).result(LONG).frame_count == 60


def test_a_crash_shows_where_it_was(ex: LocalExecutor, job: Jobs) -> None:
    with pytest.raises(JobLostError, match=r"signal 11[\s\S]*fake_jobs.py"):
        ex.submit(job("segfault")).result(LONG)


def test_a_worker_that_cannot_start_says_why(make: Make, job: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AT_START", "broken")
    with make() as ex, pytest.raises(ExecutorError, match="no_such_module") as caught:
        ex.submit(job("ok")).result(LONG)
    assert not caught.value.transient


def test_a_place_that_cannot_be_written_is_a_storage_error(make: Make, job: Jobs, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with make(folder=tmp_path / "file" / "jobs") as ex, pytest.raises(StorageError, match="folder="):
        ex.submit(job("ok"))


def test_an_outcome_that_cannot_be_written_down_still_reaches_who_waits(ex: LocalExecutor, job: Jobs) -> None:
    handle = ex.submit(job("gate"))
    assert eventually(lambda: handle.status() == "running")
    (ex.folder / handle.id / ".result.json.part").mkdir()  # what a full disk would do
    Path(job("gate").output).with_suffix(".open").touch()
    assert handle.result(LONG).frame_count == 60
    assert handle.status() == "complete"


# ---- cancel, time limit, interrupt


def test_a_job_that_does_not_listen_is_killed_with_its_children(ex: LocalExecutor, job: Jobs) -> None:
    handle = ex.submit(job("deaf"))
    family = pids(job("deaf"))
    assert all(lives(pid) for pid in family)
    handle.cancel()
    with pytest.raises(JobCancelledError):
        handle.result(LONG)
    assert eventually(lambda: not any(lives(pid) for pid in family))
    assert ex.submit(job("ok")).result(LONG).frame_count == 60


def test_at_its_time_limit_a_job_is_killed_with_its_children(ex: LocalExecutor, job: Jobs) -> None:
    handle = ex.submit(job("deaf"), timeout=2)
    family = pids(job("deaf"))
    with pytest.raises(JobTimeoutError, match="time limit of 2 s"):
        handle.result(LONG)
    assert eventually(lambda: not any(lives(pid) for pid in family))


def test_an_executors_time_limit_holds_for_its_jobs(make: Make, job: Jobs) -> None:
    with make(timeout=0.5) as ex, pytest.raises(JobTimeoutError, match=r"time limit of 0\.5 s"):
        ex.submit(job("hang")).result(LONG)


# ---- one job, one result


def test_the_same_job_again_is_done_again(ex: LocalExecutor, job: Jobs) -> None:
    first = ex.submit(job("segments"))
    Path(job("segments").output).with_suffix(".open").touch()
    assert spoken(first.result(LONG)) == ["0", "1", "2", "3"]
    assert not (ex.folder / first.id / "segments").exists(), "a complete job leaves no intermediate files"
    second = ex.submit(job("segments"))
    assert second.id == first.id
    assert spoken(second.result(LONG)) == ["0", "1", "2", "3"]


def test_under_an_id_a_complete_job_is_not_done_again_while_its_output_stands(ex: LocalExecutor, job: Jobs) -> None:
    def again() -> float:
        ex.submit(job("ok"), id="mine").result(LONG)
        return output.stat().st_mtime_ns

    output = Path(job("ok").output)
    ex.submit(job("ok"), id="mine").result(LONG)
    made = output.stat().st_mtime_ns
    assert again() == made
    output.unlink()
    assert again() > made


def test_a_failed_job_is_tried_again_under_its_id(ex: LocalExecutor, job: Jobs) -> None:
    for _ in range(2):
        handle = ex.submit(job("whoami"), id="mine")
        Path(job("whoami").output).unlink(missing_ok=True)
        assert handle.result(LONG)
    assert ex.submit(job("killed"), id="other").wait(LONG).status == "error"
    assert ex.submit(job("killed"), id="other").wait(LONG).status == "error"


def test_a_changed_source_is_another_job(ex: LocalExecutor, job: Jobs, tmp_path: Path) -> None:
    before = ex.submit(job("ok")).id
    (tmp_path / "game.mp4").write_bytes(b"footage")
    assert ex.submit(job("ok")).id != before


def test_a_handle_keeps_its_own_runs_outcome(ex: LocalExecutor, job: Jobs) -> None:
    first = ex.submit(job("gate"))
    Path(job("gate").output).with_suffix(".open").touch()
    result = first.result(LONG)
    Path(job("gate").output).with_suffix(".open").unlink()
    second = ex.submit(job("gate"))
    assert second.id == first.id
    assert (first.status(), first.result(0)) == ("complete", result)
    assert second.status() in ("queued", "running")
    second.cancel()


def test_old_jobs_are_forgotten(make: Make, job: Jobs) -> None:
    with make() as ex:
        old, new = ex.submit(job("ok", 1)), ex.submit(job("ok", 2))
    os.utime(ex.folder / old.id / "job.json", (1, 1))
    with make() as ex:
        ex.submit(job("ok", 3))
        assert ex.attach(old.id).status() == "unknown"
        assert ex.attach(new.id).status() == "complete"


# ---- other processes

SCRIPT = """
import sys, time
from reelproc.executors import executor
from reelproc.jobs import job_from_json
with executor("local", grace_seconds=0.3) as ex:
    handle = ex.submit(job_from_json(sys.argv[1]))
    print(handle.id, flush=True)
    {then}
"""


@pytest.fixture
def start(home: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[str], str]]]:
    """Starts a process that submits a job to the executor in the same home; returns it and the job's id."""
    started = []

    def start(job: ExtractJob, then: str = "handle.result()") -> tuple[subprocess.Popen[str], str]:
        code = textwrap.dedent(SCRIPT).replace("{then}", then)
        process = subprocess.Popen(
            [sys.executable, "-c", code, job.model_dump_json()],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # a fork of it, too
        process.communicate()


Start = Callable[..., tuple[subprocess.Popen[str], str]]


def cut_short(process: subprocess.Popen[str], job: ExtractJob) -> None:
    """Kill the process of a ``segments`` job that has made two of its four; the job's next run may make the others."""
    family = pids(job)
    assert eventually(lambda: any(Path(job.output).parent.glob("home/jobs/*/segments/1.seg")))
    process.kill()
    process.wait()
    assert eventually(lambda: not any(lives(pid) for pid in family))
    Path(job.output).with_suffix(".open").touch()


def test_a_fresh_process_finds_a_finished_job(make: Make, job: Jobs, start: Start) -> None:
    process, name = start(job("ok"))
    assert process.wait(LONG) == 0
    with make() as ex:
        handle = ex.attach(name)
        assert handle.status() == "complete"
        assert handle.result(0).output == job("ok").output
        assert [e.phase for e in handle.events()][-1] == "done"


def test_a_fresh_process_follows_a_running_job(make: Make, job: Jobs, start: Start) -> None:
    _, name = start(job("gate"))
    with make() as ex:
        attached, submitted = ex.attach(name), ex.submit(job("gate"))
        assert submitted.id == name, "submitting it here joins the run there"
        events = attached.events()
        assert [next(events).phase, next(events).phase] == ["probe", "render"]
        assert attached.status() == "running"
        assert ex.worker_pids == ()
        Path(job("gate").output).with_suffix(".open").touch()
        assert [e.phase for e in events] == ["done"]
        assert attached.result(LONG) == submitted.result(LONG)


def test_a_fresh_process_cancels_a_running_job(make: Make, job: Jobs, start: Start) -> None:
    process, name = start(job("hang"), then="print(handle.wait().status)")
    with make() as ex:
        handle = ex.attach(name)
        assert next(handle.events()).phase == "probe"
        handle.cancel()
        with pytest.raises(JobCancelledError):
            handle.result(LONG)
    assert process.communicate(timeout=LONG)[0].strip() == "cancelled"


def test_workers_and_their_children_die_with_a_killed_parent(job: Jobs, start: Start) -> None:
    process, _ = start(job("deaf"))
    family = pids(job("deaf"))
    process.kill()
    assert eventually(lambda: not any(lives(pid) for pid in family))


def test_who_follows_a_job_takes_it_over_when_its_process_is_killed(make: Make, job: Jobs, start: Start) -> None:
    process, name = start(job("segments"))
    with make() as ex:
        follower = ex.attach(name)
        assert any(e.phase == "render" for e in follower.events())
        cut_short(process, job("segments"))
        assert spoken(follower.result(LONG)) == ["2", "3"], "and goes on from the two segments that were there"


def test_attaching_resumes_a_job_that_was_cut_short(make: Make, job: Jobs, start: Start) -> None:
    process, name = start(job("segments"))
    cut_short(process, job("segments"))
    with make() as ex:
        assert spoken(ex.attach(name).result(LONG)) == ["2", "3"]
    closed = make()
    closed.close()
    assert closed.attach(name).status() == "complete"


def test_a_closed_executor_does_not_resume(make: Make, job: Jobs, start: Start) -> None:
    process, name = start(job("hang"))
    process.kill()
    process.wait()
    closed = make()
    closed.close()
    handle = closed.attach(name)
    assert eventually(lambda: handle.status() == "unknown"), (
        "a worker just being started holds the lock a moment longer"
    )
    with pytest.raises(JobLostError, match="closed"):
        handle.result(LONG)


def test_a_worker_that_is_killed_before_it_begins_is_worth_another_try(
    make: Make, job: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AT_START", "killed")
    with make() as ex:
        with pytest.raises(ExecutorError, match=r"killed by signal 9 .* before it could begin") as caught:
            ex.submit(job("ok")).result(LONG)
        assert caught.value.transient
    monkeypatch.setenv("AT_START", "broken")
    with make() as ex:
        with pytest.raises(ExecutorError, match="ended with status 1 before it could begin") as caught:
            ex.submit(job("ok")).result(LONG)
        assert not caught.value.transient


def test_a_detached_executor_leaves_its_jobs_to_the_next(make: Make, job: Jobs) -> None:
    ex = make()
    running, queued = ex.submit(job("segments")), ex.submit(job("ok"))
    next(e for e in running.events() if e.phase == "render")
    ex.detach()
    for handle in (running, queued):
        with pytest.raises(JobLostError, match="detached"):
            handle.result(LONG)
    ex.detach()
    ex.close()
    assert ex.worker_pids == ()
    Path(job("segments").output).with_suffix(".open").touch()
    with make() as other:
        assert spoken(other.attach(running.id).result(LONG)) == ["2", "3"], "from its finished segments"
        assert other.attach(queued.id).result(LONG).frame_count == 60


def test_detaching_ends_a_job_that_does_not_listen_and_its_children(make: Make, job: Jobs) -> None:
    ex = make()
    handle = ex.submit(job("deaf"))
    family = pids(job("deaf"))
    ex.detach()
    assert eventually(lambda: not any(lives(pid) for pid in family))
    assert not (ex.folder / handle.id / "error.json").exists()


def test_submitting_a_job_that_was_cut_short_resumes_it(make: Make, job: Jobs, start: Start) -> None:
    process, name = start(job("segments"))
    cut_short(process, job("segments"))
    with make() as ex:
        handle = ex.submit(job("segments"))
        assert handle.id == name
        assert spoken(handle.result(LONG)) == ["2", "3"]


def test_ctrl_c_ends_everything_soon(job: Jobs, start: Start) -> None:
    process, _ = start(job("deaf"))
    family = pids(job("deaf"))
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=LONG)[1].rstrip().endswith("KeyboardInterrupt")
    assert not any(lives(pid) for pid in family)


def test_a_program_that_forgets_to_close_leaves_no_process(job: Jobs, start: Start) -> None:
    then = "[e for e in handle.events() if e.phase == 'render' and __import__('os')._exit(0)]"
    process, _ = start(job("deaf"), then=then)
    family = pids(job("deaf"))
    process.wait(LONG)
    assert eventually(lambda: not any(lives(pid) for pid in family))


def test_a_fork_can_neither_use_the_executor_nor_hold_its_jobs(make: Make, job: Jobs, start: Start) -> None:
    fork = """
    import os, warnings
    warnings.simplefilter("ignore")
    next(e for e in handle.events() if e.phase == "render")  # forking while another thread starts a process hangs that
    if os.fork() == 0:
        try:
            ex.submit(job_from_json(sys.argv[1]))
        except Exception as error:
            print(type(error).__name__, error, flush=True)
        time.sleep(60)
    handle.result()
    """
    then = textwrap.indent(textwrap.dedent(fork), "    ").strip()
    process, name = start(job("segments"), then=then)
    assert process.stdout is not None
    assert "ExecutorError the executor was made before this process forked" in process.stdout.readline()
    cut_short(process, job("segments"))
    with make() as ex:
        assert spoken(ex.attach(name).result(LONG)) == ["2", "3"], "though the fork lives on"
