"""From what Modal's client raises to our errors: how a call ended, and why Modal cannot be asked."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import modal
import modal.exception as modal_errors

from reelproc.errors import (
    ExecutorError,
    JobCancelledError,
    JobLostError,
    JobTimeoutError,
    ReelprocError,
)
from reelproc.executors.handle import JobState
from reelproc.executors.outcome import as_reelproc_error, outcome_from_data
from reelproc.results import JobResult

P = ParamSpec("P")
T = TypeVar("T")

Outcome = JobResult | ReelprocError | modal_errors.Error


def outcome_of(call: str, wait: float) -> Outcome | None:
    """How the call ended: what it returned, or what was raised in it or about it; None: it has not.

    Args:
        call: its id.
        wait: seconds to wait for its end.

    Raises:
        modal.exception.Error: Modal cannot be asked.
    """
    try:
        text = modal.FunctionCall.from_id(call).get(timeout=wait)
    except (modal_errors.FunctionTimeoutError, modal_errors.RemoteError, modal_errors.InternalFailure) as error:
        return error
    except (modal_errors.OutputExpiredError, modal_errors.NotFoundError) as error:
        return error
    except (modal_errors.Error, ConnectionError):
        raise
    except TimeoutError as error:
        if isinstance(error, ReelprocError):  # the job's own, raised in the container
            return error
        return None
    except Exception as error:  # noqa: BLE001 - whatever was raised in the container comes out here, in its own type
        return as_reelproc_error(error)
    try:
        return outcome_from_data(json.loads(text))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        return JobLostError(f"the result on Modal is not readable by this reelproc: {error}", transient=False)


def ended_state(id: str, outcome: Outcome, *, cancelled: Callable[[], bool]) -> JobState:
    """Return the state of a job whose call has ended.

    Args:
        id: the job's.
        outcome: of :func:`outcome_of`.
        cancelled: asks whether somebody wanted the job stopped.
    """
    match outcome:
        case modal_errors.FunctionTimeoutError():
            error: ReelprocError = JobTimeoutError(
                f"job {id} was ended by Modal at the preset's time limit; divide it with chunks"
            )
        case modal_errors.OutputExpiredError():
            return JobState("expired", JobLostError(f"Modal no longer keeps the result of job {id}", transient=False))
        case modal_errors.NotFoundError():
            return JobState("unknown", JobLostError(f"Modal knows nothing of job {id} any more", transient=False))
        case modal_errors.InternalFailure():
            error = JobLostError(
                f"Modal lost job {id} ({outcome}); submit it again, and it goes on from its finished segments; if it "
                "recurs, it may need more memory than its container has"
            )
        case modal_errors.RemoteError():
            if cancelled() or "cancel" in str(outcome).lower():
                return JobState("cancelled", JobCancelledError(f"job {id} was cancelled"))
            error = ExecutorError(f"the container of job {id} failed: {outcome}; see 'modal app logs'")
        case ReelprocError():
            error = outcome
        case modal_errors.Error():
            error = ExecutorError(f"job {id} ended with {type(outcome).__name__}: {outcome}")
        case _:
            return JobState("complete", outcome)
    return JobState("cancelled" if isinstance(error, JobCancelledError) else "error", error)


def in_thread(function: Callable[P, T]) -> Callable[P, T]:
    """Call ``function``, from a coroutine in a thread of its own: Modal's client refuses event loops."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return function(*args, **kwargs)
        with ThreadPoolExecutor(1, thread_name_prefix="modal-call") as pool:
            return pool.submit(function, *args, **kwargs).result()

    return call


@contextmanager
def modal_failures(app: str) -> Iterator[None]:
    """Turn what Modal's client raises in the block into ExecutorErrors.

    Args:
        app: the app's name, for the message.
    """
    try:
        yield
    except modal_errors.NotFoundError as error:
        raise ExecutorError(
            f"the app {app!r} is not on Modal, or not as this reelproc deploys it ({error}); "
            "run 'reelproc modal deploy'"
        ) from error
    except modal_errors.AuthError as error:
        raise ExecutorError(
            f"Modal does not accept this account's token ({error}); run 'modal token new', or set MODAL_TOKEN_ID and "
            "MODAL_TOKEN_SECRET"
        ) from error
    except (modal_errors.Error, ConnectionError) as error:
        raise ExecutorError(f"Modal cannot be asked: {type(error).__name__}: {error}", transient=True) from error
