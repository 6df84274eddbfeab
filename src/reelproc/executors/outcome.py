"""How a job ended, as JSON and back: results and errors keep their types and attributes."""

from __future__ import annotations

import traceback
from typing import Any

from reelproc import errors
from reelproc.errors import (
    ExecutorError,
    JobCancelledError,
    JobTimeoutError,
    MediaError,
    MissingDependencyError,
    OutOfMemoryError,
    ReelprocError,
    SpecError,
    StorageError,
    WorkerTraceback,
    redact,
)
from reelproc.jobs import JOBS
from reelproc.results import JobResult

_EXPECTED = (
    SpecError,
    MediaError,
    StorageError,
    MissingDependencyError,
    OutOfMemoryError,
    JobCancelledError,
    JobTimeoutError,
)
"""Errors whose message says what was got, what was expected and what to do: nobody needs to know the line of code."""


def as_reelproc_error(error: BaseException) -> ReelprocError:
    """``error`` itself where it is ours, else one of ours that says what happened; the original becomes its cause."""
    if isinstance(error, ReelprocError):
        return error
    ours: ReelprocError
    if isinstance(error, MemoryError):
        ours = OutOfMemoryError("the job needs more memory than there is; use a smaller output or fewer workers")
    elif isinstance(error, OSError):
        ours = StorageError(f"the system refused: {error}")
    else:
        ours = ExecutorError(
            f"the job failed with {type(error).__name__}: {error}; reelproc did not expect that, please report it"
        )
    ours.__cause__ = error
    return ours


def outcome_to_data(outcome: JobResult | BaseException, kind: str = "") -> dict[str, Any]:
    """Return what :func:`outcome_from_data` reads; ready for JSON.

    Args:
        outcome: a result or an error.
        kind: of the job that has this result; an error needs none.
    """
    if not isinstance(outcome, BaseException):
        return {"result": kind, "value": outcome.model_dump(mode="json")}
    error = as_reelproc_error(outcome)
    return {
        # all its types, most special first: a subclass made by a plug-in comes back as the nearest of ours
        "error": [cls.__name__ for cls in type(error).__mro__ if getattr(errors, cls.__name__, None) is cls],
        "message": str(error.args[0]) if error.args else "",
        "attributes": {name: value for name, value in vars(error).items() if _is_plain(value)},
        "traceback": error.worker_traceback or redact("".join(traceback.format_exception(error))),
        "expected": error is outcome and isinstance(error, _EXPECTED),
    }


def outcome_from_data(data: dict[str, Any]) -> JobResult | ReelprocError:
    """Return the result or the error that ``data`` holds.

    An error has its traceback as ``worker_traceback``. Where the message does not say it all, it is the cause as well,
    and so is printed with it.

    Raises:
        LookupError: it holds neither, or an error of a type that this version does not know.
        SpecError: it holds a result of an unknown kind of job, or one that this version does not understand.
    """
    if "result" in data:
        result: JobResult = JOBS.get(data["result"]).result_type().model_validate(data["value"])
        return result
    cls: type[ReelprocError] = getattr(errors, data["error"][0])
    # The constructor would put together once more what the message already holds.
    error = cls.__new__(cls)
    Exception.__init__(error, data["message"])
    for name, value in data["attributes"].items():
        setattr(error, name, tuple(value) if isinstance(value, list) and name != "__notes__" else value)
    error.__context__ = WorkerTraceback(data["traceback"])
    if data.get("expected"):
        error.__suppress_context__ = True  # kept, and not printed
    else:
        error.__cause__ = error.__context__
    return error


def _is_plain(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_plain(item) for item in value)
    return value is None or isinstance(value, (str, int, float, bool))
