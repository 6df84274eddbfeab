"""The promises of every executor: inherit :class:`ExecutorSuite`."""

from __future__ import annotations

import asyncio
import math
import pickle
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reelproc.errors import DecodeError, ExecutorError, JobCancelledError, JobLostError, JobTimeoutError, SpecError
from reelproc.executors import Executor, Hardware, JobHandle
from reelproc.jobs import RenderJob
from reelproc.reel import Clip, Reel
from reelproc.results import Progress, RenderResult

__all__ = ["ExecutorSuite"]

LONG = 300.0
"""Seconds until a wait is given up: a guard against a hang, far more than anything takes."""


def _threads() -> set[threading.Thread]:
    """Return the threads of this process, without those that answer requests to a server of the tests."""
    return {t for t in threading.enumerate() if t.is_alive() and "process_request_thread" not in t.name}


class ExecutorSuite:
    """Check that an executor keeps the promises of :class:`~reelproc.Executor`.

    Override :meth:`make`. Have its jobs behave by the name of their output: ``ok.0.mp4`` reports 60 frames and
    succeeds, ``decode_error.0.mp4`` raises the DecodeError that the suite names, ``hang.0.mp4`` runs until it is
    cancelled.
    Override the fixture ``job`` where the executor cannot read or write paths of this machine.
    """

    def make(self, **options: Any) -> Executor:
        """Return a new executor of the same jobs as the one before: on the same folder or service."""
        raise NotImplementedError

    @pytest.fixture
    def ex(self) -> Iterator[Executor]:
        with self.make() as ex:
            yield ex

    @pytest.fixture
    def job(self, tmp_path: Path) -> Any:
        """Make the job that behaves as named; equal names with equal numbers are equal jobs."""

        def make(behaviour: str, number: int = 0) -> RenderJob:
            reel = Reel(clips=[Clip(source=str(tmp_path / "game.mp4"), end=2)])
            return RenderJob(reel=reel, output=str(tmp_path / f"{behaviour}.{number}.mp4"))

        return make

    def test_a_job_gives_its_result(self, ex: Executor, job: Any) -> None:
        handle = ex.submit(job("ok"))
        result = handle.result(LONG)
        assert isinstance(result, RenderResult)
        assert result.output == job("ok").output
        assert result.frame_count == 60
        assert handle.status() == "complete"
        assert handle.result(0) == result, "and gives it again"

    def test_events_come_in_order_and_end_with_the_job(self, ex: Executor, job: Any) -> None:
        handle = ex.submit(job("ok"))
        events = list(handle.events())
        assert all(isinstance(event, Progress) for event in events)
        assert events[0].phase == "probe"
        assert events[-1].phase == "done"
        assert events[-1].fraction == 1.0
        rendered = [event.done for event in events if event.phase == "render"]
        assert rendered == sorted(rendered)
        assert rendered[-1] == 60
        assert handle.status() == "complete"

    def test_a_second_iterator_replays_the_events(self, ex: Executor, job: Any) -> None:
        handle = ex.submit(job("ok"))
        first = list(handle.events())
        assert list(handle.events()) == first

    def test_events_arrive_while_the_job_runs(self, ex: Executor, job: Any) -> None:
        handle = ex.submit(job("hang"))
        assert next(handle.events()).phase == "probe"
        assert handle.status() == "running"
        handle.cancel()

    def test_an_error_comes_back_as_itself(self, ex: Executor, job: Any) -> None:
        handle = ex.submit(job("decode_error"))
        list(handle.events())
        with pytest.raises(DecodeError, match="frame 7 is damaged") as caught:
            handle.result(LONG)
        assert caught.value.argv == ("ffmpeg", "-i", "a.mp4")
        assert caught.value.returncode == 1
        assert caught.value.stderr_tail == "invalid NAL"
        assert not caught.value.transient
        assert "secret" not in str(caught.value)
        assert handle.status() == "error"
        again = pickle.loads(pickle.dumps(caught.value))
        assert (type(again), str(again)) == (DecodeError, str(caught.value))

    def test_cancel_ends_a_running_job(self, ex: Executor, job: Any) -> None:
        handle = ex.submit(job("hang"))
        assert next(handle.events()).phase == "probe"
        handle.cancel()
        with pytest.raises(JobCancelledError):
            handle.result(LONG)
        assert handle.status() == "cancelled"
        list(handle.events())
        handle.cancel()
        assert handle.status() == "cancelled", "cancelling again changes nothing"

    def test_cancel_does_not_touch_a_complete_job(self, ex: Executor, job: Any) -> None:
        handle = ex.submit(job("ok"))
        result = handle.result(LONG)
        handle.cancel()
        assert handle.result(LONG) == result

    def test_a_job_ends_at_its_time_limit(self, ex: Executor, job: Any) -> None:
        handle = ex.submit(job("hang"), timeout=0.5)
        with pytest.raises(JobTimeoutError, match=r"time limit of 0\.5 s") as caught:
            handle.result(LONG)
        assert isinstance(caught.value, TimeoutError)
        assert handle.status() == "error"

    def test_waiting_no_longer_than_asked_leaves_the_job_running(self, ex: Executor, job: Any) -> None:
        handle = ex.submit(job("hang"))
        with pytest.raises(JobTimeoutError, match="goes on"):
            handle.result(timeout=0.05)
        assert handle.status() in ("queued", "running")
        handle.cancel()

    @pytest.mark.parametrize("timeout", [0, -1, math.nan])
    def test_a_time_limit_is_positive(self, ex: Executor, job: Any, timeout: float) -> None:
        with pytest.raises(SpecError, match="time limit"):
            ex.submit(job("ok"), timeout=timeout)

    def test_attach_gives_the_handle_back(self, ex: Executor, job: Any) -> None:
        handle = ex.submit(job("ok"))
        again = ex.attach(handle.id)
        assert again.id == handle.id
        assert again.result(LONG) == handle.result(LONG)
        assert list(again.events()) == list(handle.events())

    def test_nothing_is_known_of_an_unknown_id(self, ex: Executor) -> None:
        handle = ex.attach("never-heard-of")
        assert handle.status() == "unknown"
        assert list(handle.events()) == []
        with pytest.raises(JobLostError, match="never-heard-of") as caught:
            handle.result(LONG)
        assert not caught.value.transient, "asking again does not help"
        handle.cancel()

    def test_a_job_that_runs_is_joined(self, ex: Executor, job: Any) -> None:
        first, second = ex.submit(job("hang")), ex.submit(job("hang"))
        assert first.id == second.id
        second.cancel()
        with pytest.raises(JobCancelledError):
            first.result(LONG)

    def test_a_job_can_be_submitted_again_after_it_was_cancelled(self, ex: Executor, job: Any) -> None:
        first = ex.submit(job("hang"))
        first.cancel()
        second = ex.submit(job("hang"))
        with pytest.raises(JobCancelledError):
            first.result(LONG)
        assert second.status() in ("queued", "running")
        second.cancel()

    def test_an_id_names_a_job_once(self, ex: Executor, job: Any) -> None:
        name = f"game-{uuid.uuid4().hex}"
        first = ex.submit(job("ok"), id=name)
        assert first.id == name
        result = first.result(LONG)
        assert ex.submit(job("ok"), id=name).result(LONG) == result
        with pytest.raises(SpecError, match="belongs to another job"):
            ex.submit(job("ok", 2), id=name)

    @pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "-x", "a b", "ä" * 3, "x" * 101, "a\0b"])
    def test_an_id_is_safe_as_a_folder_name(self, ex: Executor, job: Any, name: str) -> None:
        with pytest.raises(SpecError, match="job id"):
            ex.submit(job("ok"), id=name)
        with pytest.raises(SpecError, match="job id"):
            ex.attach(name)

    def test_map_keeps_the_order_of_the_jobs(self, ex: Executor, job: Any) -> None:
        jobs = [job("ok", n) for n in range(4)]
        assert [r.output for r in ex.map(jobs)] == [j.output for j in jobs]  # type: ignore[union-attr]

    def test_map_raises_a_failed_jobs_error_in_its_place_and_cancels_the_rest(self, ex: Executor, job: Any) -> None:
        results = ex.map([job("ok"), job("decode_error"), job("hang")])
        assert isinstance(next(results), RenderResult)
        with pytest.raises(DecodeError):
            next(results)
        with pytest.raises(StopIteration):
            next(results)

    def test_map_yields_errors_where_they_are_asked_for(self, ex: Executor, job: Any) -> None:
        jobs = [job("ok", 1), job("decode_error"), job("ok", 2)]
        results = list(ex.map(jobs, return_exceptions=True))
        assert [type(r) for r in results] == [RenderResult, DecodeError, RenderResult]

    def test_map_that_is_given_up_cancels_what_is_left(self, job: Any) -> None:
        with self.make() as ex:  # leaving the block waits for what is not cancelled
            results = ex.map([job("ok"), job("hang", 1), job("hang", 2)])
            next(results)
            results.close()  # type: ignore[attr-defined]

    def test_leaving_the_block_waits_for_the_jobs(self, job: Any) -> None:
        with self.make() as ex:
            handles = [ex.submit(job("ok", n)) for n in range(3)]
        assert [handle.status() for handle in handles] == ["complete"] * 3

    def test_leaving_the_block_by_an_exception_cancels_the_jobs(self, job: Any) -> None:
        handles: list[JobHandle] = []

        def interrupted() -> None:
            with self.make() as ex:
                handles.extend(ex.submit(job("hang", n)) for n in range(3))
                next(handles[0].events())
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert [handle.status() for handle in handles] == ["cancelled"] * 3

    def test_a_closed_executor_takes_no_jobs(self, job: Any) -> None:
        with self.make() as ex:
            pass
        with pytest.raises(ExecutorError, match="closed"):
            ex.submit(job("ok"))
        ex.close()

    def test_hardware_says_what_jobs_run_on(self, ex: Executor) -> None:
        assert isinstance(ex.hardware, Hardware)
        assert ex.hardware.cores > 0
        assert ex.hardware.memory_bytes > 0
        assert ex.hardware.usd_per_second >= 0

    def test_threads_may_share_an_executor(self, ex: Executor, job: Any) -> None:
        outputs: list[str] = []

        def work(n: int) -> None:
            outputs.append(ex.submit(job("ok", n)).result(LONG).output)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONG)
        assert sorted(outputs) == sorted(job("ok", n).output for n in range(6))

    def test_no_thread_is_left_behind(self, job: Any) -> None:
        before = _threads()
        with self.make() as ex:
            ex.submit(job("ok"))
        assert _threads() <= before

    def test_everything_has_its_twin_for_asyncio(self, job: Any) -> None:
        async def scenario() -> None:
            async with self.make() as ex:
                handle = await ex.submit_async(job("ok"))
                events = [event async for event in handle.events_async()]
                assert events[-1].phase == "done"
                assert (await handle.result_async(LONG)).frame_count == 60
                results = [r async for r in ex.map_async([job("ok", 1), job("decode_error")], return_exceptions=True)]
                assert [type(r) for r in results] == [RenderResult, DecodeError]
                with pytest.raises(DecodeError):
                    _ = [r async for r in ex.map_async([job("decode_error", 1), job("ok", 2)])]
                hanging = await ex.submit_async(job("hang"))
                with pytest.raises(JobTimeoutError, match="goes on"):
                    await hanging.result_async(timeout=0.05)
                waiting = asyncio.ensure_future(hanging.result_async())
                await asyncio.sleep(0.05)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
                assert hanging.status() in ("queued", "running"), "giving up the wait does not cancel the job"
                await hanging.cancel_async()
                with pytest.raises(JobCancelledError):
                    await hanging.result_async(LONG)

        asyncio.run(asyncio.wait_for(scenario(), LONG))
