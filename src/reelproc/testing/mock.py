"""An executor for the tests of programs that use reelproc: it runs nothing, and jobs end as the test says.

>>> from reelproc.executors import executor
>>> from reelproc.testing import Scripted
>>> from reelproc.errors import DecodeError
>>> from reelproc.jobs import ExtractJob
>>> ex = executor("mock", results=[Scripted(), DecodeError("packet 7 is damaged")])
>>> jobs = [ExtractJob(source="game.mp4", output=name) for name in ("a.mp4", "b.mp4")]
>>> [type(outcome).__name__ for outcome in ex.map(jobs, return_exceptions=True)]
['ExtractResult', 'DecodeError']
>>> ex.jobs == jobs
True
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reelproc.errors import ExecutorError, JobCancelledError, JobLostError, JobTimeoutError, ReelprocError, SpecError
from reelproc.executors.base import Executor, Hardware, check_id, check_timeout
from reelproc.executors.handle import JobHandle, JobState
from reelproc.jobs import Job, checked_job
from reelproc.results import JobResult, JobStatus, Progress, ResultT, ResultT_co

__all__ = ["MockExecutor", "MockJob", "Scripted", "plausible_result"]

_WAIT_SECONDS = 1.0

_EVENTS = (
    Progress(phase="probe", message="reading the sources"),
    Progress(phase="render", done=30, total=60),
    Progress(phase="render", done=60, total=60),
    Progress(phase="done", done=60, total=60),
)


@dataclass(frozen=True)
class Scripted:
    """What becomes of a job.

    Attributes:
        outcome: the result, or the error that ``result()`` raises; None: :func:`plausible_result`.
        events: its progress.
        seconds: how long it runs; ``math.inf``: until it is cancelled or its time limit ends it.
    """

    outcome: JobResult | ReelprocError | None = None
    events: tuple[Progress, ...] = _EVENTS
    seconds: float = 0.0


Script = Scripted | JobResult | ReelprocError


def plausible_result(job: Job[ResultT]) -> ResultT:
    """Return a result such as ``job`` could have: its output, size and rate, two seconds long; a player in every frame.

    Raises:
        SpecError: its kind says none.
    """
    return job.plausible_result().model_copy(update={"hardware": "mock"})


class MockExecutor(Executor):
    """Keeps the interface's promises without doing any work; jobs run side by side, by the clock.

    Args:
        results: what becomes of the jobs, in the order of submission: a :class:`Scripted`, a result, or an error; or a
            function that says so for a job. None: all jobs succeed.
        hardware: what it pretends to be.

    Attributes:
        jobs: all that were submitted.
    """

    def __init__(
        self,
        results: Iterable[Script] | Callable[[Job], Script] | None = None,
        *,
        hardware: Hardware | None = None,
    ) -> None:
        self.jobs: list[Job] = []
        self._choose = results if callable(results) else None
        self._results = None if results is None or callable(results) else iter(results)
        self._hardware = hardware or Hardware(name="mock", cores=1, memory_bytes=1 << 30)
        self._changed = threading.Condition()
        self._runs: dict[str, _Run] = {}
        self._closed = False

    def __repr__(self) -> str:
        return f"<MockExecutor: {len(self.jobs)} jobs>"

    @property
    def hardware(self) -> Hardware:
        """What it pretends to be."""
        return self._hardware

    def submit(self, job: Job[ResultT], *, id: str | None = None, timeout: float | None = None) -> MockJob[ResultT]:
        """Take ``job``; see :meth:`Executor.submit`.

        Raises:
            SpecError: the id is malformed or belongs to another job, or the script has no result left for this one.
            ExecutorError: the executor is closed.
        """
        name = check_id(id or f"{job.job}-{checked_job(job).content_hash()}")
        check_timeout(timeout)
        with self._changed:
            if self._closed:
                raise ExecutorError("the executor is closed; submit within its with block, or make a new one")
            self.jobs.append(job)
            run = self._runs.get(name)
            if run is not None and run.job != job:
                raise SpecError(f"the id {name!r} belongs to another job; choose another id, or none")
            status = run.status() if run else None
            if run is None or not (status == "running" or (status == "complete" and id is not None)):
                run = self._runs[name] = _Run(name, job, self._script(job), timeout)
            return MockJob(name, run, self._changed)

    def attach(self, id: str) -> MockJob:
        """Return the handle of a job submitted to this object; it knows no others."""
        with self._changed:
            return MockJob(check_id(id), self._runs.get(id), self._changed)

    def close(self, *, cancel: bool = False) -> None:
        """Wait until the clock has ended all jobs, or cancel them."""
        with self._changed:
            self._closed = True
            for run in self._runs.values():
                if cancel:
                    run.cancelled = run.cancelled or run.status() == "running"
                while (left := run.left()) > 0:
                    self._changed.wait(min(left, _WAIT_SECONDS))
            self._changed.notify_all()

    def _script(self, job: Job) -> Scripted:
        script: Script
        if self._choose is not None:
            script = self._choose(job)
        elif self._results is not None:
            try:
                script = next(self._results)
            except StopIteration:
                raise SpecError(f"the mock executor was given results for {len(self.jobs) - 1} jobs only") from None
        else:
            script = Scripted()
        return script if isinstance(script, Scripted) else Scripted(outcome=script)


class _Run:
    """One run of a job, by the clock."""

    def __init__(self, id: str, job: Job, script: Scripted, timeout: float | None) -> None:
        self.id = id
        self.job = job
        self.script = script
        self.cancelled = False
        self._timeout = math.inf if timeout is None else timeout
        self._end = time.monotonic() + min(script.seconds, self._timeout)

    def left(self) -> float:
        """Seconds until it ends by itself; 0.0 when it has ended."""
        return 0.0 if self.cancelled else max(0.0, self._end - time.monotonic())

    def outcome(self) -> JobResult | ReelprocError | None:
        if self.cancelled:
            return JobCancelledError(f"job {self.id} was cancelled")
        if self.left() > 0:
            return None
        if self.script.seconds > self._timeout:
            return JobTimeoutError(f"job {self.id} was stopped at its time limit of {self._timeout:g} s")
        return self.script.outcome or plausible_result(self.job)

    def status(self) -> JobStatus:
        match self.outcome():
            case None:
                return "running"
            case JobCancelledError():
                return "cancelled"
            case ReelprocError():
                return "error"
            case _:
                return "complete"


class MockJob(JobHandle[ResultT_co]):
    """The handle of a mock executor's job."""

    def __init__(self, id: str, run: _Run | None, changed: threading.Condition) -> None:
        self.id = id
        self._run = run
        self._changed = changed

    def poll(self, cursor: int | None = None, timeout: float = 0.0) -> JobState:
        """Return the state by the clock and the script."""
        run = self._run
        if run is None:
            return JobState("unknown", JobLostError(f"nothing is known of a job {self.id!r}", transient=False))
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                events = () if cursor is None else run.script.events[cursor:]
                left = min(run.left(), deadline - time.monotonic())
                if events or left <= 0:
                    return JobState(run.status(), run.outcome(), events, len(run.script.events))
                self._changed.wait(min(left, _WAIT_SECONDS))

    def cancel(self) -> None:
        """End the job as cancelled if it still runs."""
        with self._changed:
            if self._run is not None and self._run.status() == "running":
                self._run.cancelled = True
            self._changed.notify_all()
