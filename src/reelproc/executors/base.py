"""What runs jobs: an :class:`Executor` takes them; a :class:`~reelproc.executors.handle.JobHandle` follows one.

An implementation writes ``submit``, ``attach`` and ``close`` of the executor, ``poll`` and ``cancel`` of its handles.
All else (waiting, event streams, order in ``map``, the async twins) is derived from them here, once.
"""

from __future__ import annotations

import abc
import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from reelproc.errors import ReelprocError, SpecError
from reelproc.executors.handle import JobHandle, JobState
from reelproc.registry import Registry
from reelproc.results import ResultT
from reelproc.schema import Schema

if TYPE_CHECKING:
    from reelproc.jobs import Job

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Hardware(Schema):
    """What jobs run on.

    Attributes:
        name: as results carry it, e.g. ``"local"`` or ``"modal-t4"``.
        gpu: the device's name; None: none is used.
        cores: processor cores that a job may keep busy.
        memory_bytes: what the system, or its limit on this process, allows.
        usd_per_second: what a second costs; 0.0 on your own machine.
    """

    name: str
    gpu: str | None = None
    cores: float
    memory_bytes: int
    usd_per_second: float = 0.0


class Executor(abc.ABC):
    """Runs jobs somewhere; a context manager.

    Leaving the ``with`` block waits for the jobs that were submitted; leaving it by an exception (Ctrl-C among them)
    cancels them.
    """

    @property
    @abc.abstractmethod
    def hardware(self) -> Hardware:
        """What jobs run on."""

    @abc.abstractmethod
    def submit(self, job: Job[ResultT], *, id: str | None = None, timeout: float | None = None) -> JobHandle[ResultT]:
        """Have ``job`` run, and return at once. What is wrong with the job is raised by the handle's ``result``.

        A job that runs already (same content, same sources) is joined, not run twice.

        Args:
            job: what to do.
            id: a name for the job: submitted again under it, a job that is complete is not repeated, and its result is
                given back. None: a name by content, and a run of its own.
            timeout: seconds that the job may run, time in the queue not counted; then it ends with JobTimeoutError.

        Raises:
            SpecError: the id is malformed or belongs to another job.
            ExecutorError: the executor is closed or cannot be reached.
        """

    @abc.abstractmethod
    def attach(self, id: str) -> JobHandle:
        """Return the handle of a job submitted before, perhaps by another process.

        An id of which nothing is known gives a handle whose status is ``unknown`` and whose ``result`` raises
        JobLostError.
        """

    @abc.abstractmethod
    def close(self, *, cancel: bool = False) -> None:
        """Wait for all submitted jobs, or cancel them, and give back what the executor holds. Safe to call again."""

    def detach(self) -> None:
        """Give back what the executor holds at once, and leave its jobs to whoever attaches to them next.

        For a server that stops: jobs that run elsewhere go on; those that run on this machine are cut short, and
        :meth:`attach`, in the next process, resumes them. An executor that cannot do that closes, and so waits for its
        jobs. Safe to call again.
        """
        self.close()

    def map(
        self, jobs: Iterable[Job[ResultT]], *, timeout: float | None = None, return_exceptions: bool = False
    ) -> Iterator[ResultT | ReelprocError]:
        """Submit all ``jobs`` now; their results come in the order of the jobs.

        Args:
            jobs: what to do.
            timeout: seconds that each may run.
            return_exceptions: a failed job yields its error in its place. Otherwise the error is raised there, and the
                jobs after it are cancelled, as they are when the iterator is given up.
        """
        handles = [self.submit(job, timeout=timeout) for job in jobs]

        def results() -> Iterator[ResultT | ReelprocError]:
            waiting = list(handles)
            try:
                for handle in handles:
                    state = handle.wait()
                    waiting.remove(handle)
                    yield _outcome(state, return_exceptions)
            finally:
                for handle in waiting:
                    handle.cancel()

        return results()

    async def submit_async(
        self, job: Job[ResultT], *, id: str | None = None, timeout: float | None = None
    ) -> JobHandle[ResultT]:
        """:meth:`submit` for asyncio."""
        return await asyncio.to_thread(self.submit, job, id=id, timeout=timeout)

    async def map_async(
        self, jobs: Iterable[Job[ResultT]], *, timeout: float | None = None, return_exceptions: bool = False
    ) -> AsyncIterator[ResultT | ReelprocError]:
        """:meth:`map` for asyncio. The jobs are submitted when the first result is asked for."""
        handles = [await self.submit_async(job, timeout=timeout) for job in jobs]
        waiting = list(handles)
        try:
            for handle in handles:
                state = await handle.wait_async()
                waiting.remove(handle)
                yield _outcome(state, return_exceptions)
        finally:
            for handle in waiting:
                handle.cancel()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close(cancel=kind is not None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close, cancel=kind is not None)


def check_id(id: str) -> str:
    """``id`` itself, if it may name a job: it must do as a folder's name and as part of an object's key.

    Raises:
        SpecError: it may not.
    """
    if not _ID.fullmatch(id):
        raise SpecError(
            f"a job id is up to 100 letters, digits, '.', '_' and '-', the first a letter or digit, got {id!r}"
        )
    return id


def check_timeout(timeout: float | None) -> float | None:
    """``timeout`` itself, if it may be a job's time limit.

    Raises:
        SpecError: it is not positive.
    """
    if timeout is not None and not timeout > 0:
        raise SpecError(f"a time limit is a positive number of seconds or None, got {timeout!r}")
    return timeout


def _outcome(state: JobState, return_exceptions: bool) -> Any:  # of whichever job
    if return_exceptions and isinstance(state.outcome, ReelprocError):
        return state.outcome
    return state.result()


executors: Registry[Callable[..., Executor]] = Registry("executor", group="reelproc.executors")
"""Executors by name; third parties add theirs under the entry point group ``reelproc.executors``."""
executors.register("local", "reelproc.executors.local.executor:LocalExecutor")
executors.register("mock", "reelproc.testing.mock:MockExecutor")
for _preset in ("t4", "l4", "cpu"):
    executors.register(f"modal-{_preset}", f"reelproc.executors.modal.client:modal_{_preset}", extra="modal")
