"""What a restarted backend asks of a call by its id: how far it is, its result; or it cancels it."""

from __future__ import annotations

import asyncio
import os
from typing import Literal

from reelproc.compat.calls import Result, failure_data, outcome_of, success_data
from reelproc.compat.keys import Keys
from reelproc.compat.shared_executors import chosen_executor
from reelproc.errors import ExecutorError, JobTimeoutError, ReelprocError, SpecError
from reelproc.executors.base import Executor
from reelproc.executors.handle import JobHandle

CallStatus = Literal["running", "complete", "error", "expired", "unknown"]
"""The app's words. ``unknown`` is no verdict: nothing is known *here*, or Modal cannot be asked now. Ask again."""

_APP_STATUS: dict[str, CallStatus] = {
    "queued": "running",
    "running": "running",
    "complete": "complete",
    "error": "error",
    "cancelled": "error",
    "expired": "expired",
    "unknown": "unknown",
}


def status(call_id: str, *, executor: str | Executor | None = None) -> CallStatus:
    """Return how far a call is.

    A local job that was cut short when its process died goes on from its finished segments once it is asked for, and
    counts as running.

    Args:
        call_id: what ``call_id_callback`` was given.
        executor: None: the one that the id names; an object, where that needs options.

    Raises:
        SpecError: it is no call id.
    """
    try:
        return _APP_STATUS[_handle(call_id, executor).status()]
    except ExecutorError:  # not an answer about the call: the executor cannot be asked
        return "unknown"


def result(
    call_id: str,
    *,
    timeout: float | None = None,
    executor: str | Executor | None = None,
    root: str | os.PathLike[str] | None = None,
) -> Result:
    """Return the call's result dictionary; ``{"status": "running"}`` before it ends. See also :func:`status`.

    A detection's is that of ``detect_players_batch``.

    Args:
        call_id: what ``call_id_callback`` was given.
        timeout: seconds to wait for its end; None: as long as it takes.
        executor: as for :func:`status`.
        root: as for the function that was called.

    Raises:
        SpecError: it is no call id.
    """
    keys = Keys(root)
    try:
        handle = _handle(call_id, executor)
        try:
            state = handle.wait(timeout)
        except JobTimeoutError:
            return {"status": "running"}
    except ExecutorError as error:
        return {**failure_data(error), "status": "unknown"}
    outcome = outcome_of(state)
    if not isinstance(outcome, ReelprocError):
        return success_data(outcome, keys)
    word = _APP_STATUS[state.status]
    return {**failure_data(outcome), "status": word if word in ("expired", "unknown") else "error"}


def cancel(call_id: str, *, executor: str | Executor | None = None) -> None:
    """Ask the call to stop; it ends as an error whose ``error_type`` is ``JobCancelledError``.

    Raises:
        SpecError: it is no call id.
        ExecutorError: the executor cannot be reached.
    """
    _handle(call_id, executor).cancel()


async def status_async(call_id: str, *, executor: str | Executor | None = None) -> CallStatus:
    """:func:`status` for asyncio."""
    return await asyncio.to_thread(status, call_id, executor=executor)


async def result_async(
    call_id: str,
    *,
    timeout: float | None = None,
    executor: str | Executor | None = None,
    root: str | os.PathLike[str] | None = None,
) -> Result:
    """:func:`result` for asyncio."""
    return await asyncio.to_thread(result, call_id, timeout=timeout, executor=executor, root=root)


async def cancel_async(call_id: str, *, executor: str | Executor | None = None) -> None:
    """:func:`cancel` for asyncio."""
    await asyncio.to_thread(cancel, call_id, executor=executor)


def _handle(call_id: str, executor: str | Executor | None) -> JobHandle:
    name, colon, job = call_id.partition(":")
    if not colon:
        raise SpecError(f"call_id: got {call_id!r}, expected what call_id_callback was given, like 'local:name'")
    return chosen_executor(executor or name)[1].attach(job)
