"""The suite of all executors, run on each of ours; and what is particular to the mock."""

from __future__ import annotations

import math
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reelproc.errors import DecodeError, ExecutorError, JobCancelledError, ReelprocError, SpecError
from reelproc.executors import Executor, executor, executors
from reelproc.jobs import ExtractJob, Job, RenderJob
from reelproc.reel import Clip, Reel
from reelproc.results import ExtractResult, RenderResult
from reelproc.testing import ExecutorSuite, MockExecutor, Scripted
from waiting import LONG

if TYPE_CHECKING:
    from modal_service import ModalService


class TestLocalExecutor(ExecutorSuite):
    """Worker processes, warm between jobs; the jobs are stand-ins."""

    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = tmp_path / "jobs"
        monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent / "stand_ins"))

    def make(self, **options: Any) -> Executor:
        return executor("local", folder=self.folder, **options)


class ModalSuite(ExecutorSuite):
    """Containers on Modal, on the loopback one unless REELPROC_MODAL_LIVE=1; the jobs are stand-ins."""

    name: str

    @pytest.fixture(autouse=True)
    def _service(self, modal_service: ModalService) -> None:
        self.service = modal_service

    @pytest.fixture
    def job(self, tmp_path: Path) -> Any:
        own = f"{self.name}-{uuid.uuid4().hex}"

        def make(behaviour: str, number: int = 0) -> RenderJob:
            reel = Reel(clips=[Clip(source=self.service.address(own, "game.mp4"), end=2)])
            return RenderJob(reel=reel, output=self.service.address(own, f"{behaviour}.{number}.mp4"))

        return make

    def make(self, **options: Any) -> Executor:
        return executor(self.name, **options)

    def test_a_detached_executor_leaves_its_jobs_running(self, job: Any) -> None:
        ex = self.make()
        handle = ex.submit(job("hang"))
        assert next(handle.events()).phase == "probe"
        ex.detach()
        ex.detach()
        with pytest.raises(ExecutorError, match="closed"):
            ex.submit(job("ok"))
        ex.close(cancel=True)
        with self.make() as other:
            found = other.attach(handle.id)
            assert found.status() == "running"
            found.cancel()
            with pytest.raises(JobCancelledError):
                found.result(LONG)


class TestModalCpu(ModalSuite):
    name = "modal-cpu"


class TestModalT4(ModalSuite):
    name = "modal-t4"


class TestModalL4(ModalSuite):
    name = "modal-l4"


class TestMockExecutor(ExecutorSuite):
    """The executor that users get for their own tests."""

    def make(self, **options: Any) -> Executor:
        return executor("mock", results=self.script, **options)

    @staticmethod
    def script(job: Job) -> Scripted | ReelprocError:
        match Path(job.output).name.split(".")[0]:
            case "hang":
                return Scripted(seconds=math.inf)
            case "decode_error":
                return DecodeError(
                    "frame 7 is damaged", argv=("ffmpeg", "-i", "a.mp4"), returncode=1, stderr_tail="invalid NAL"
                )
        return Scripted()

    def test_it_takes_results_in_order_and_keeps_the_jobs(self, job: Any) -> None:
        result = RenderResult(output="x.mp4", frame_count=1, duration_seconds=1, fps="1", width=2, height=2)
        ex = MockExecutor([result, DecodeError("no")])
        jobs = [job("ok", 1), job("ok", 2)]
        assert [type(r) for r in ex.map(jobs, return_exceptions=True)] == [RenderResult, DecodeError]
        assert ex.jobs == jobs
        with pytest.raises(SpecError, match="results for 2 jobs"):
            ex.submit(job("ok", 3))

    def test_its_results_fit_the_job(self, job: Any, tmp_path: Path) -> None:
        extract = ExtractJob(source="a.mp4", output="b.mp4", start=1, end=5)
        with executor("mock") as ex:
            result = ex.submit(extract).result()
            assert isinstance(result, ExtractResult)
            assert (result.start_seconds, result.end_seconds) == (1, 5)
            rendered = ex.submit(job("ok")).result()
            assert (rendered.width, rendered.height, rendered.fps) == (810, 1440, "30")


def test_executors_are_made_by_name() -> None:
    assert set(executors.names()) >= {"local", "mock"}
    with pytest.raises(SpecError, match=r"no executor is called 'moon'; there are: .*local"):
        executor("moon")
    with pytest.raises(SpecError, match=r"'local'.*'wrokers'.*workers"):
        executor("local", wrokers=2)
    for workers in (0, 1.5, float("nan")):
        with pytest.raises(SpecError, match="workers from 1 up"):
            executor("local", workers=workers)
    for options in ({"grace_seconds": float("nan")}, {"keep_days": -1}, {"timeout": float("nan")}):
        with pytest.raises(SpecError, match=f"{next(iter(options.values()))!r}$"):
            executor("local", **options)
    executor("local", keep_days=float("inf")).close()  # for ever
    with executor("local") as ex, pytest.raises(SpecError, match="got a Reel"):
        ex.submit(Reel(clips=[Clip(source="a.mp4")]))  # type: ignore[call-overload]
