"""Real renders through the local executor: finished, cancelled, killed, resumed. Nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

import reelproc as rp
from processes import Family
from reelproc.executors.local.executor import LocalExecutor
from reelproc.job_context import JobContext
from reelproc.jobs import run_job
from reelproc.media.ffmpeg_build import ffmpeg_path
from waiting import LONG, eventually

FRAMES = 750
"""25 s at 30 frames a second: three segments."""
SEGMENT = FRAMES // 3


@pytest.fixture
def family() -> Iterator[Family]:
    """Workers and their ffmpegs, all that come of a test, orphans too."""
    with Family() as family:
        yield family


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """25 s of moving picture and a tone."""
    path = tmp_path_factory.mktemp("game") / "game.mp4"
    seconds = FRAMES // 30
    argv = ["-f", "lavfi", "-i", f"testsrc2=s=640x360:r=30:d={seconds}", "-f", "lavfi", "-i", f"sine=d={seconds}"]
    encode = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", str(path)]
    subprocess.run([ffmpeg_path(), "-v", "error", "-nostdin", *argv, *encode], check=True, timeout=LONG)
    return path


@pytest.fixture
def job(game: Path, tmp_path: Path) -> rp.RenderJob:
    """A render that takes some seconds on two cores."""
    clip = rp.Clip(source=str(game), stages=[rp.Crop(), rp.Upscale(model="lanczos")])
    output = rp.Output(width=270, height=480, fps=Fraction(30), preset="medium")
    (tmp_path / "out").mkdir()
    return rp.RenderJob(reel=rp.Reel(clips=[clip], output=output), output=str(tmp_path / "out" / "reel.mp4"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REELPROC_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def ex(home: Path, family: Family) -> Iterator[LocalExecutor]:
    with LocalExecutor(grace_seconds=5) as ex:
        yield ex


def rendered(handle: rp.JobHandle) -> Iterator[int]:
    """Frames that are done, as the job says it."""
    return (event.done for event in handle.events() if event.phase == "render")


def first_segment(jobs: Path, name: str) -> bool:
    """Whether the first segment of a job, and its notes, have been written by now."""
    return eventually(lambda: list((jobs / name / "segments").glob("[!.]*.json")))


def outputs(job: rp.RenderJob) -> list[str]:
    return sorted(path.name for path in Path(job.output).parent.iterdir())


def test_a_render_gives_what_the_same_job_gives_in_process(
    ex: LocalExecutor, job: rp.RenderJob, tmp_path: Path
) -> None:
    clip = job.reel.clips[0].model_copy(update={"start": 1.0, "end": 3.0})
    job = job.model_copy(update={"reel": job.reel.model_copy(update={"clips": (clip,)})})
    handle = ex.submit(job)
    phases = list(dict.fromkeys(event.phase for event in handle.events()))
    result = handle.result(LONG)
    assert phases == ["probe", "render", "audio", "assemble", "done"]
    assert (result.frame_count, result.fps, result.output) == (60, "30", job.output)
    assert result.phases["startup"] > 0
    assert result.phases["encode"] > 0
    assert result.peak_memory_bytes > 50 << 20
    assert outputs(job) == ["reel.mp4"]
    assert not (ex.folder / handle.id / "segments").exists()
    here = job.model_copy(update={"output": str(tmp_path / "here.mp4")})
    direct = run_job(here, JobContext())
    assert (direct.frame_count, direct.duration_seconds) == (result.frame_count, result.duration_seconds)
    assert abs(Path(here.output).stat().st_size - Path(job.output).stat().st_size) < 1000


def test_an_error_in_a_render_comes_back_typed(ex: LocalExecutor, job: rp.RenderJob, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    reel = rp.Reel(clips=[rp.Clip(source=str(tmp_path / "text.mp4"), end=1)])
    with pytest.raises(rp.ProbeError, match=r"text\.mp4"):
        ex.submit(rp.RenderJob(reel=reel, output=job.output)).result(LONG)
    reel = rp.Reel(clips=[rp.Clip(source=str(tmp_path / "missing.mp4"), end=1)])
    with pytest.raises(rp.ObjectNotFoundError, match=r"missing\.mp4"):
        ex.submit(rp.RenderJob(reel=reel, output=job.output)).result(LONG)


def test_cancel_in_the_middle_leaves_no_process_and_no_file(
    ex: LocalExecutor, job: rp.RenderJob, family: Family
) -> None:
    handle = ex.submit(job)
    assert any(done > 0 for done in rendered(handle))
    (worker,) = ex.worker_pids
    assert len(family.living()) > 1, "ffmpeg runs"
    handle.cancel()
    with pytest.raises(rp.JobCancelledError):
        handle.result(LONG)
    assert eventually(lambda: set(family.living()) <= {worker}), "the worker itself stays warm"
    assert outputs(job) == []


def test_the_time_limit_in_the_middle_leaves_no_process_and_no_file(
    ex: LocalExecutor, job: rp.RenderJob, family: Family
) -> None:
    handle = ex.submit(job, timeout=1.5)
    with pytest.raises(rp.JobTimeoutError):
        handle.result(LONG)
    assert eventually(lambda: all("local.worker" in line for line in family.living().values()))
    assert outputs(job) == []


def test_a_killed_worker_loses_the_job_and_the_next_run_goes_on_from_its_segments(
    ex: LocalExecutor, job: rp.RenderJob, family: Family
) -> None:
    handle = ex.submit(job)
    assert first_segment(ex.folder, handle.id)
    (worker,) = ex.worker_pids
    os.kill(worker, signal.SIGKILL)
    with pytest.raises(rp.JobLostError, match="signal 9"):
        handle.result(LONG)
    assert eventually(lambda: not family.living()), "ffmpeg is gone with it"
    assert outputs(job) == []
    again = ex.submit(job)
    assert again.id == handle.id
    assert next(rendered(again)) >= SEGMENT, "the first segment is not done again"
    assert again.result(LONG).frame_count == FRAMES
    assert outputs(job) == ["reel.mp4"]


def test_a_killed_program_leaves_nothing_and_attach_finishes_its_render(
    home: Path, job: rp.RenderJob, family: Family
) -> None:
    code = (
        "import sys, reelproc as rp\n"
        "with rp.executor('local') as ex:\n"
        "    handle = ex.submit(rp.RenderJob.model_validate_json(sys.argv[1]))\n"
        "    print(handle.id, flush=True)\n"
        "    handle.wait()\n"
    )
    process = family.start([sys.executable, "-c", code, job.model_dump_json()], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    name = process.stdout.readline().strip()
    assert first_segment(home / "jobs", name)
    assert len(family.living()) > 2, "itself, a worker, ffmpeg"
    process.kill()
    assert eventually(lambda: not family.living())
    assert outputs(job) == []
    with LocalExecutor() as ex:
        handle = ex.attach(name)
        assert handle.result(LONG).frame_count == FRAMES
        assert list(rendered(handle)).count(0) == 1, "only the first run began at nothing"
    assert outputs(job) == ["reel.mp4"]


# ---- chunks


@pytest.mark.parametrize("chunks", [2, 3, 9])
def test_a_render_in_chunks_equals_one_in_one_piece(chunks: int, game: Path, tmp_path: Path) -> None:
    crop = rp.Crop(keyframes=[rp.CropKeyframe(time=0, x=100, y=10, width=90, height=160)])
    reel = rp.Reel(clips=[rp.Clip(source=str(game), stages=[crop])], output=rp.Output(width=90, height=160, crf=0))
    whole = run_job(rp.RenderJob(reel=reel, output=str(tmp_path / "whole.mp4")))
    job = rp.RenderJob(reel=reel, output=str(tmp_path / "chunks.mp4"), chunks=chunks)
    with LocalExecutor(folder=tmp_path / "jobs") as ex:
        handle = ex.submit(job)
        events = list(handle.events())
        result = handle.result(LONG)
    assert any(f"{min(chunks, 3)} chunks" in event.message for event in events)
    rendered = [event.done for event in events if event.phase == "render"]
    assert rendered == sorted(rendered)
    assert (result.frame_count, result.duration_seconds) == (whole.frame_count, whole.duration_seconds)
    for one, other in zip(rp.open_video(whole.output), rp.open_video(result.output), strict=True):
        assert one.pts == other.pts
        assert (one.image == other.image).all()
    assert list((tmp_path / "jobs").rglob("*.seg")) == list((tmp_path / "jobs").rglob("chunks/*")) == []


def test_a_chunked_job_that_is_cancelled_leaves_nothing_running(game: Path, tmp_path: Path, family: Family) -> None:
    reel = rp.Reel(clips=[rp.Clip(source=str(game))], output=rp.Output(width=1080, height=608))
    with LocalExecutor(folder=tmp_path / "jobs") as ex:
        handle = ex.submit(rp.RenderJob(reel=reel, output=str(tmp_path / "out.mp4"), chunks=3))
        assert eventually(lambda: list((tmp_path / "jobs").rglob("chunks/*/log.txt")))
        handle.cancel()
        with pytest.raises(rp.JobCancelledError):
            handle.result(LONG)
    assert not (tmp_path / "out.mp4").exists()
    assert eventually(lambda: not family.living())
