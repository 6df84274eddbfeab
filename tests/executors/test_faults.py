"""Whatever breaks while a job runs: a typed error within seconds, nothing left behind, a second run that completes."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest

import reelproc as rp
from fuzz.kills import frames_in, make_reel, one_kill
from hostile import attempt, nothing_left, run, shown_numbers
from media_factory import MadeVideo, numbered_video, tone
from processes import Family, children, command_line, lives, open_files
from reelproc.errors import (
    DecodeError,
    EncodeError,
    JobCancelledError,
    JobLostError,
    ObjectNotFoundError,
    ReelprocError,
    StorageError,
)
from reelproc.executors.local.executor import LocalExecutor
from reelproc.job_context import JobContext
from reelproc.jobs import run_job
from reelproc.media.container.containers import create_container
from reelproc.media.read import frame_pipe
from reelproc.media.write.writer import VideoWriter
from reelproc.results import Progress
from reelproc.stages import rotate
from waiting import LONG, eventually

COUNT = 60


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> MadeVideo:
    """Two seconds with sound, large enough that a decoder is not done before its first frames are taken."""
    path = tmp_path_factory.mktemp("game") / "game.mp4"
    return numbered_video(path, frame_count=COUNT, width=320, height=180, sound=tone(2.0))


def render_job(game: MadeVideo, output: Path, **settings: Any) -> rp.RenderJob:
    made = {"width": 160, "height": 90, "preset": "ultrafast", "crf": 12, **settings}
    reel = rp.Reel(clips=[rp.Clip(source=game.path)], output=rp.Output.model_validate(made))
    return rp.RenderJob(reel=reel, output=output)


def ffmpegs(role: str) -> set[int]:
    """This process's ffmpeg children that decode or encode pictures."""
    mark = {"decoder": "-stats_enc_pre", "encoder": "-video_track_timescale"}[role]
    return {pid for pid in children() if mark in command_line(pid)}


@pytest.fixture
def at_frame(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], object]], None]:
    """Arranges for something to happen once, when so many frames were given to the encoder."""

    def arrange(number: int, act: Callable[[], object]) -> None:
        real = VideoWriter.write
        happened: list[bool] = []

        def write(self: VideoWriter, frame: rp.Frame) -> None:
            if self.frame_count == number and not happened:
                happened.append(True)
                act()
            real(self, frame)

        monkeypatch.setattr(VideoWriter, "write", write)

    return arrange


@pytest.fixture(autouse=True)
def _no_deadline_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever dies is noticed as it dies, and not for its long silence: the tests' time limit is shorter than that."""
    monkeypatch.setattr(frame_pipe, "STALL_SECONDS", 100 * LONG)


# ---- ffmpeg dies


@pytest.mark.parametrize(
    ("sent", "number", "on_damage"),
    [
        (signal.SIGKILL, 0, "raise"),
        (signal.SIGKILL, 1, "conceal"),
        (signal.SIGTERM, 17, "raise"),
        (signal.SIGSEGV, 17, "conceal"),
    ],
)
@pytest.mark.parametrize("role", ["decoder", "encoder"])
def test_a_killed_ffmpeg_is_an_error_of_its_kind_and_never_concealed(
    role: str, sent: signal.Signals, number: int, on_damage: str, game: MadeVideo, tmp_path: Path, at_frame: Any
) -> None:
    at_frame(number, lambda: [os.kill(pid, sent) for pid in ffmpegs(role)])
    job = render_job(game, tmp_path / "out.mp4").model_copy(update={"on_damage": on_damage})
    with nothing_left(tmp_path):
        error = run(job).error
    assert isinstance(error, DecodeError if role == "decoder" else EncodeError), error
    assert error.returncode == (255 if sent == signal.SIGTERM else -sent)
    assert error.transient is (sent != signal.SIGSEGV)
    with nothing_left(tmp_path, "out.mp4"):
        assert run(job).numbers == list(range(COUNT))


def test_a_decoder_that_hangs_is_given_up(game: MadeVideo, tmp_path: Path, at_frame: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(frame_pipe, "STALL_SECONDS", 1.0)
    at_frame(5, lambda: [os.kill(pid, signal.SIGSTOP) for pid in ffmpegs("decoder")])
    with nothing_left(tmp_path):
        outcome = run(render_job(game, tmp_path / "out.mp4"))
    assert isinstance(outcome.error, DecodeError)
    assert "sent nothing for 1 s" in str(outcome.error)


# ---- a worker dies


def test_a_killed_worker_is_a_lost_job_and_the_same_job_again_completes(game: MadeVideo, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    with nothing_left(folder, "out.mp4"), LocalExecutor(folder=tmp_path / "jobs") as executor:
        job = render_job(game, folder / "out.mp4", width=480, height=270)
        handle = executor.submit(job)
        for event in handle.events():
            if event.phase == "render":
                break
        worker = executor.worker_pids[0]
        family = children(worker)
        os.kill(worker, signal.SIGKILL)
        with pytest.raises(JobLostError, match="killed by signal 9") as lost:
            handle.result(timeout=LONG)
        assert lost.value.transient
        assert eventually(lambda: not any(lives(pid) for pid in family)), "its ffmpegs died with it"
        assert not (folder / "out.mp4").exists()
        assert executor.submit(job).result(timeout=LONG).frame_count == COUNT
        assert shown_numbers(folder / "out.mp4") == list(range(COUNT))


# ---- our own code fails, or is left


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        (RuntimeError, 0),
        (MemoryError, 17),
        (KeyboardInterrupt, 17),
        (DecodeError, COUNT - 1),
        (JobCancelledError, COUNT - 1),
    ],
)
def test_an_error_in_the_middle_leaves_nothing(
    kind: type[BaseException], number: int, game: MadeVideo, tmp_path: Path, at_frame: Any
) -> None:
    def fail() -> None:
        raise kind("in the middle")

    at_frame(number, fail)
    job = render_job(game, tmp_path / "out.mp4")
    with nothing_left(tmp_path):
        expected: type[BaseException] = rp.OutOfMemoryError if kind is MemoryError else kind
        with pytest.raises(expected):
            run_job(job)
    assert run(job).numbers == list(range(COUNT))


def test_a_stage_that_fails_takes_its_readers_and_writers_with_it(
    game: MadeVideo, tmp_path: Path, monkeypatch: Any
) -> None:
    def broken(self: object, frame: rp.Frame, time: float) -> rp.Frame:
        if time > 0.5:
            raise ZeroDivisionError("a third party's stage")
        return frame

    monkeypatch.setattr(rotate._RotateWork, "__call__", broken)
    with nothing_left(tmp_path), pytest.raises(ZeroDivisionError):
        attempt(game.path, tmp_path / "out.mp4", stages=(rp.Rotate(degrees=5),))


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav", "opencv"])
def test_a_consumer_may_leave_early_in_any_way(backend: str, game: MadeVideo, tmp_path: Path) -> None:
    with nothing_left(tmp_path):
        with rp.open_video(game.path, backend=backend) as video:
            next(iter(video))
        with pytest.raises(ZeroDivisionError), rp.open_video(game.path, backend=backend) as video:
            for frame in video:
                _ = 1 // (3 - frame.index)
        rp.open_video(game.path, backend=backend).close()
        video = rp.open_video(game.path, backend=backend)
        next(video)
        del video  # without a with block, and without close


def test_a_forgotten_executor_and_unread_events_leave_nothing(game: MadeVideo, tmp_path: Path) -> None:
    before = children()
    with pytest.raises(ZeroDivisionError), LocalExecutor(folder=tmp_path / "jobs", grace_seconds=1.0) as executor:
        handle = executor.submit(render_job(game, tmp_path / "out.mp4", width=480, height=270))
        for event in handle.events():
            if event.phase == "render":
                raise ZeroDivisionError
    assert eventually(lambda: not children() - before)
    assert not (tmp_path / "out.mp4").exists()
    assert not list(tmp_path.glob(".*part*"))


@pytest.mark.parametrize("phase", ["probe", "render", "audio", "assemble"])
def test_a_cancelled_job_ends_soon_in_every_phase(phase: str, game: MadeVideo, tmp_path: Path) -> None:
    context = JobContext()

    def cancel(event: Progress) -> None:
        if event.phase == phase:
            context.cancelled.set()

    context.progress = cancel
    with nothing_left(tmp_path, *(["out.mp4"] if phase == "assemble" else [])), suppress(JobCancelledError):
        run_job(render_job(game, tmp_path / "out.mp4"), context)
        assert phase == "assemble", "too late to stop"


def test_a_source_that_vanishes_on_the_way_is_an_error(game: MadeVideo, tmp_path: Path, at_frame: Any) -> None:
    source = tmp_path / "moving.mp4"
    source.write_bytes(game.path.read_bytes())
    at_frame(5, source.unlink)
    clips = [rp.Clip(source=source, start=start, end=start + 1) for start in (0, 1)]  # the second opens it again
    output = rp.Output(width=160, height=90, preset="ultrafast", audio=False)
    with nothing_left(tmp_path):
        outcome = run(rp.RenderJob(reel=rp.Reel(clips=clips, output=output), output=tmp_path / "out.mp4"))
        source.write_bytes(game.path.read_bytes())
    assert isinstance(outcome.error, (ObjectNotFoundError, DecodeError)), str(outcome)


@pytest.mark.parametrize("how", ["renamed over", "linked elsewhere", "written over"])
def test_a_source_that_is_replaced_on_the_way_gives_no_mixture(tmp_path: Path, how: str) -> None:
    old, new = (
        numbered_video(tmp_path / f"{name}.mp4", frame_count=300, fps=10, width=96, height=54, first_number=first).path
        for name, first in (("old", 0), ("new", 1000))
    )
    source = tmp_path / "game.mp4"
    if how == "linked elsewhere":
        source.symlink_to(old)
    else:
        source.write_bytes(old.read_bytes())

    def progress(event: rp.Progress) -> None:
        if event.phase != "sound" and event.done and not replaced:
            replaced.append(event.done)
            if how == "linked elsewhere":
                (tmp_path / "link").symlink_to(new)
                (tmp_path / "link").replace(source)
            elif how == "renamed over":
                new.replace(source)
            else:
                source.write_bytes(new.read_bytes()[: source.stat().st_size])

    replaced: list[int] = []
    clips = [rp.Clip(source=source, start=start, end=end, stages=[rp.Crop()]) for start, end in ((0, 12), (12, 30))]
    job = rp.RenderJob(reel=rp.Reel(clips=clips, output=rp.Output(width=96, height=54)), output=tmp_path / "out.mp4")
    with pytest.raises(rp.MediaError, match="cut off" if how == "written over" else "was replaced or changed while"):
        run_job(job, JobContext(folder=tmp_path / "job", progress=progress))
    assert replaced
    assert not (tmp_path / "out.mp4").exists()
    assert how == "written over" or not list((tmp_path / "job").rglob("*.mp4"))


@pytest.mark.parametrize("how", ["touched", "copied over itself", "replaced by its copy", "read"])
@pytest.mark.parametrize("copied", [False, True])
def test_a_source_whose_bytes_stay_is_the_same_source(
    game: MadeVideo, tmp_path: Path, how: str, *, copied: bool
) -> None:
    source = tmp_path / "moving.mp4"
    source.write_bytes(game.path.read_bytes())

    def progress(event: rp.Progress) -> None:
        if event.phase not in phases:
            phases.append(event.phase)
            if event.phase == "render":
                if how == "touched":
                    os.utime(source)
                elif how == "copied over itself":
                    with source.open("r+b") as file:  # as rsync --inplace does: never shorter meanwhile
                        file.write(game.path.read_bytes())
                elif how == "replaced by its copy":
                    (tmp_path / "copy").write_bytes(game.path.read_bytes())
                    (tmp_path / "copy").replace(source)
                else:
                    source.read_bytes()

    phases: list[str] = []
    job: rp.RenderJob | rp.ExtractJob = render_job(replace(game, path=source), tmp_path / "out.mp4")
    if copied:
        job = rp.ExtractJob(source=source, output=tmp_path / "out.mp4", start=0.5)
    outcome = run(job, JobContext(progress=progress))
    assert outcome.numbers == list(range(15 if copied else 0, COUNT)), str(outcome)
    assert (f"{source} was touched or replaced while it was read" in outcome.warnings) == (how != "read")


def test_a_folder_that_vanishes_on_the_way_is_an_error(game: MadeVideo, tmp_path: Path, at_frame: Any) -> None:
    folder = tmp_path / "out"
    folder.mkdir()

    def vanish() -> None:
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        folder.rmdir()

    at_frame(40, vanish)
    with nothing_left(tmp_path):
        folder_again = tmp_path / "out"
        outcome = run(render_job(game, folder / "out.mp4"))
        folder_again.mkdir(exist_ok=True)
    assert isinstance(outcome.error, (EncodeError, StorageError)), str(outcome)


def test_two_at_once_with_one_destination_leave_one_whole_file(game: MadeVideo, tmp_path: Path) -> None:
    outcomes: list[object] = []

    def render() -> None:
        try:
            outcomes.append(run_job(render_job(game, tmp_path / "out.mp4")))
        except ReelprocError as error:
            outcomes.append(error)

    with nothing_left(tmp_path, "out.mp4"):
        threads = [threading.Thread(target=render) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONG)
    assert [type(o) for o in outcomes] == [rp.RenderResult] * 2, outcomes
    assert shown_numbers(tmp_path / "out.mp4") == list(range(COUNT))


# ---- no room, no right to write


def mount(folder: Path, *options: str) -> None:
    folder.mkdir()
    try:
        subprocess.run(
            ["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)], check=True, capture_output=True, timeout=LONG
        )
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a small file system cannot be mounted here: {error}")


def unmount(folder: Path) -> None:
    subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True, timeout=LONG)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    folder = tmp_path / "disk"
    mount(folder, "-o", "size=2m")
    yield folder
    unmount(folder)


@pytest.fixture
def read_only_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that nobody can write to, root included."""
    folder = tmp_path / "disk"
    mount(folder, "-o", "size=1m,ro")
    yield folder
    unmount(folder)


def fill(folder: Path, left: int) -> Path:
    """A file that leaves so many bytes of the folder's file system."""
    filler = folder / "filler"
    state = os.statvfs(folder)
    filler.write_bytes(b"\0" * max(0, state.f_bavail * state.f_frsize - left))
    return filler


@pytest.mark.parametrize("share", [0.0, 0.6, 1.1, 1.9])
def test_a_full_disk_is_an_error_that_says_so_and_leaves_what_was_there(
    share: float, game: MadeVideo, small_disk: Path, tmp_path: Path
) -> None:
    """Segments, sound and the finished file need room one after the other: it runs out in each of them."""
    job = render_job(game, small_disk / "out.mp4", crf=23)
    assert run(job).error is None
    size = (small_disk / "out.mp4").stat().st_size
    (small_disk / "out.mp4").write_bytes(b"what was there before")
    filler = fill(small_disk, round(share * size))
    with nothing_left(small_disk, still_open=1):  # PyAV 18 does not close a file whose very header does not fit
        kind, said = failure(job)
    assert issubclass(kind, (EncodeError, StorageError)), said
    assert re.search(r"No space left|Errno 28", said), said
    assert (small_disk / "out.mp4").read_bytes() == b"what was there before"
    filler.unlink()
    assert run(job).numbers == list(range(COUNT))


def failure(job: rp.RenderJob) -> tuple[type[ReelprocError], str]:
    """How ``job`` fails; not the error itself, whose traceback would hold the unfinished file open."""
    with pytest.raises(ReelprocError) as caught:
        run_job(job)
    return caught.type, str(caught.value)


def test_a_full_disk_under_the_jobs_folder_is_an_error(game: MadeVideo, small_disk: Path, tmp_path: Path) -> None:
    with LocalExecutor(folder=small_disk / "jobs") as executor:
        job = render_job(game, tmp_path / "out.mp4")
        filler = fill(small_disk, 30_000)
        with pytest.raises((EncodeError, StorageError)):
            executor.submit(job).result(timeout=LONG)
        assert not (tmp_path / "out.mp4").exists()
        filler.unlink()
        assert executor.submit(job).result(timeout=LONG).frame_count == COUNT


@pytest.mark.parametrize("limit", [0, 20_000])
def test_a_quota_is_an_error_as_well(limit: int, game: MadeVideo, tmp_path: Path) -> None:
    """RLIMIT_FSIZE holds for every process and needs no rights to set."""
    script = textwrap.dedent(f"""
        import resource, signal
        import reelproc as rp
        from reelproc.jobs import job_from_json, run_job
        from reelproc.media.write.encoders import EncoderSettings, check_encoder
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        job = job_from_json({render_job(game, tmp_path / "out.mp4").model_dump_json()!r})
        resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
        try:
            run_job(job)
        except (rp.EncodeError, rp.StorageError, rp.BackendError) as error:
            print(type(error).__name__)
    """)
    with nothing_left(tmp_path):
        ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=LONG, check=False)
    assert ran.stdout.strip() in ("EncodeError", "StorageError"), ran.stdout + ran.stderr


def test_a_read_only_folder_is_refused_before_the_work(game: MadeVideo, read_only_disk: Path, tmp_path: Path) -> None:
    events: list[Progress] = []
    with nothing_left(tmp_path), pytest.raises(StorageError, match="read-only"):
        run_job(render_job(game, read_only_disk / "out.mp4"), JobContext(progress=events.append))
    assert events == []


def test_read_only_places_for_jobs_and_extracts_are_refused(
    game: MadeVideo, read_only_disk: Path, tmp_path: Path
) -> None:
    with LocalExecutor(folder=read_only_disk / "jobs") as executor, pytest.raises(StorageError, match="jobs"):
        executor.submit(render_job(game, tmp_path / "out.mp4"))
    for copy in (True, False):
        job = rp.ExtractJob(source=game.path, output=read_only_disk / "out.mp4", end=1, copy_codec=copy)
        with nothing_left(tmp_path), pytest.raises(StorageError):
            run_job(job)


def test_places_where_nothing_can_be_are_refused(game: MadeVideo, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.mp4").mkdir()
    for place in ("file/out.mp4", "missing/out.mp4", "folder.mp4", "x" * 300 + ".mp4"):
        with nothing_left(tmp_path):
            outcome = run(render_job(game, tmp_path / place))
        assert isinstance(outcome.error, (StorageError, EncodeError)), place


# ---- the program


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_reel(tmp_path_factory.mktemp("reel"))


@pytest.mark.parametrize("seed", range(3))
def test_a_random_kill_leaves_nothing_and_a_second_run_completes(seed: int, reel: Path) -> None:
    one_kill(reel, seed, within=1.5)


@pytest.mark.parametrize("after", [0.05, 0.3, 0.8])
def test_ctrl_c_at_any_moment_is_a_clean_exit(after: float, reel: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    with Family() as family:
        program = family.start(
            [sys.executable, "-c", "from reelproc.cli import main; main()", "render", str(reel), str(out), "--json"],
            env={**os.environ, "REELPROC_HOME": str(tmp_path / "home")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        time.sleep(after)
        program.send_signal(signal.SIGINT)
        said, complained = program.communicate(timeout=LONG)
        assert eventually(lambda: not family.living())
    assert program.returncode in (0, 130, -signal.SIGINT), complained
    if program.returncode == 130:
        assert json.loads(said)["error"]["type"] == "Interrupted"
    if out.exists():
        assert program.returncode == 0
        assert frames_in(out) == json.loads(said)["frame_count"]
    assert {path.name for path in tmp_path.iterdir()} <= {"home", "out.mp4"}


def test_a_killed_process_is_swept_up_after_by_the_next_run(game: MadeVideo, tmp_path: Path) -> None:
    """A render without an executor, killed: its ffmpegs die by themselves, its partial files go with the next run."""
    job = render_job(game, tmp_path / "out.mp4", width=480, height=270)
    script = f"from reelproc.jobs import *; run_job(job_from_json({job.model_dump_json()!r}))"
    with Family() as family:
        process = family.start([sys.executable, "-c", script])
        assert eventually(lambda: len(family.living()) >= 3), "itself, a decoder, an encoder"
        process.kill()
        assert eventually(lambda: not family.living())
    assert not (tmp_path / "out.mp4").exists()
    assert list(tmp_path.iterdir()), "partial files were there"
    assert run(job).numbers == list(range(COUNT))
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_a_header_that_cannot_be_written_leaves_no_file_open(tmp_path: Path) -> None:
    with (
        nothing_left(tmp_path, "a.mp4"),
        pytest.raises(av.ArgumentError),
        create_container(tmp_path / "a.mp4", "mp4", {"movflags": "nonsense"}) as container,
    ):
        container.add_stream("mpeg4", width=64, height=64)
        container.start_encoding()


def test_open_files_do_not_pile_up(game: MadeVideo, tmp_path: Path) -> None:
    """A hundred failures with few descriptors to spare."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_files() + 60, hard))
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(game.path.read_bytes()[:5000])
    try:
        for _ in range(100):
            assert attempt(broken, tmp_path / "out.mp4").error is not None
        for _ in range(10):
            with rp.open_video(game.path) as video:
                next(iter(video))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
