"""What follows a job: :class:`JobHandle`, over :class:`JobState`, which says all that is known of it at one moment."""

from __future__ import annotations

import abc
import asyncio
import math
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Generic, cast

from reelproc.errors import ExecutorError, JobTimeoutError, ReelprocError
from reelproc.results import JobResult, JobStatus, Progress, ResultT_co

_POLL_SECONDS = 1.0
_ASYNC_FIRST_SECONDS, _ASYNC_LONGEST_SECONDS = 0.02, 0.25


@dataclass(frozen=True, slots=True)
class JobState:
    """What is known of a job at one moment.

    Attributes:
        status: ``queued``, ``running``, or how it ended: ``complete``, ``error``, ``cancelled``, ``expired`` (its
            result is no longer kept) or ``unknown`` (nothing is known of it).
        outcome: the result of a complete job; the error of one that ended otherwise; None before the end.
        events: those after the cursor that was asked for. In a state that has ended they are all that will ever come.
        cursor: where to go on; it means something to the handle alone.
    """

    status: JobStatus
    outcome: JobResult | ReelprocError | None = None
    events: tuple[Progress, ...] = field(default=(), repr=False)
    cursor: int = 0

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.status not in ("queued", "running")

    def result(self) -> JobResult:
        """Return the outcome of an ended job, or raise it if it is an error."""
        if self.outcome is None:
            raise ExecutorError(f"there is no result: the job is {self.status}")
        if isinstance(self.outcome, ReelprocError):
            raise self.outcome.with_traceback(None)  # one error may be raised in several places
        return self.outcome


class JobHandle(abc.ABC, Generic[ResultT_co]):
    """Follows one job. Handles are cheap, may be shared by threads, and outlive the ``with`` block of their executor.

    To type checkers the handle of a job knows the type of its result; one by ``attach`` does not (``Any``).

    Attributes:
        id: names the job for :meth:`Executor.attach`, in other processes too.
    """

    id: str

    @abc.abstractmethod
    def poll(self, cursor: int | None = None, timeout: float = 0.0) -> JobState:
        """Return the job's snapshot, at the latest after ``timeout`` seconds.

        Args:
            cursor: return as soon as there are events after it (0: from the first), and with them; None: events are
                not wanted, return when the job has ended.
            timeout: seconds to wait for that.
        """

    @abc.abstractmethod
    def cancel(self) -> None:
        """Ask the job to stop, and return at once. It ends as ``cancelled``, unless it ends before by itself."""

    def status(self) -> JobStatus:
        """How far the job is."""
        return self.poll().status

    def result(self, timeout: float | None = None) -> ResultT_co:
        """Wait for the job's end.

        Args:
            timeout: seconds to wait; None: as long as it takes. The job's own time limit is given to ``submit``.

        Raises:
            JobTimeoutError: it has not ended yet (it goes on), or its own time limit ended it.
            JobCancelledError: it was cancelled.
            JobLostError: its worker died, or nothing is known of it.
            ReelprocError: what went wrong in it, in its own type.
        """
        return cast("ResultT_co", self.wait(timeout).result())

    def wait(self, timeout: float | None = None) -> JobState:
        """Like :meth:`result`, but gives back how the job ended, an error as a value.

        Raises:
            JobTimeoutError: it has not ended within ``timeout`` seconds; it goes on.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while not (state := self.poll(None, min(_POLL_SECONDS, _left(deadline)))).ended:
            self._check(deadline, timeout, state)
        return self._settled(state)

    def events(self) -> Iterator[Progress]:
        """Iterate over the job's progress from its beginning until its end. Call again for a replay.

        A job that fails ends its events, too: :meth:`result` says how it went.
        """
        cursor = 0
        while True:
            state = self.poll(cursor, _POLL_SECONDS)
            yield from state.events
            if state.ended:
                return
            cursor = state.cursor

    async def result_async(self, timeout: float | None = None) -> ResultT_co:
        """:meth:`result` for asyncio. Cancelling the task that awaits it does not cancel the job."""
        return cast("ResultT_co", (await self.wait_async(timeout)).result())

    async def wait_async(self, timeout: float | None = None) -> JobState:
        """:meth:`wait` for asyncio."""
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = _ASYNC_FIRST_SECONDS
        while not (state := await asyncio.to_thread(self.poll)).ended:
            self._check(deadline, timeout, state)
            # short sleeps here and no long waits in threads: the loop's few threads would be taken by a few jobs
            await asyncio.sleep(min(pause, _left(deadline)))
            pause = min(2 * pause, _ASYNC_LONGEST_SECONDS)
        return await asyncio.to_thread(self._settled, state)

    async def events_async(self) -> AsyncIterator[Progress]:
        """:meth:`events` for asyncio."""
        cursor, pause = 0, _ASYNC_FIRST_SECONDS
        while True:
            state = await asyncio.to_thread(self.poll, cursor)
            for event in state.events:
                yield event
            if state.ended:
                return
            pause = _ASYNC_FIRST_SECONDS if state.events else min(2 * pause, _ASYNC_LONGEST_SECONDS)
            cursor = state.cursor
            await asyncio.sleep(pause)

    async def cancel_async(self) -> None:
        """:meth:`cancel` for asyncio."""
        await asyncio.to_thread(self.cancel)

    def _settled(self, state: JobState) -> JobState:
        """``state``, the job's last, when somebody waited for it: the moment for what asking for it must not do."""
        return state

    def _check(self, deadline: float | None, timeout: float | None, state: JobState) -> None:
        if not _left(deadline):
            raise JobTimeoutError(
                f"job {self.id} is still {state.status} after a wait of {timeout:g} s and goes on; "
                "wait again or cancel it"
            )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"


def _left(deadline: float | None) -> float:
    return math.inf if deadline is None else max(0.0, deadline - time.monotonic())
