"""The one retry policy: what can be helped by trying again is tried again, with growing, random pauses, for a while.

What can be helped is what an error says of itself (:attr:`~reelproc.errors.ReelprocError.transient`). Pauses are drawn
from ``[0, 0.2 s × 2^n]``, capped: many clients that failed together do not come back together. After the deadline the
last error is raised as it is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from reelproc.errors import ReelprocError

__all__ = ["DEADLINE_SECONDS", "retried"]

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")

_log = logging.getLogger(__name__)

DEADLINE_SECONDS = 45.0
"""No new attempt begins later than this. Less than the minute after which a reader calls a silent ffmpeg stalled."""

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 8.0
_LOOK_SECONDS = 0.1


def retried(
    call: Callable[[], T], *, check: Callable[[], None] = lambda: None, deadline_seconds: float | None = None
) -> T:
    """What ``call`` returns, at the first attempt that does not fail with a transient error.

    Args:
        call: does the work; it must be safe to call again after it failed.
        check: called before each attempt and ten times a second in the pauses; what it raises ends them.
        deadline_seconds: no new attempt begins later than this; None: :data:`DEADLINE_SECONDS`.

    Raises:
        ReelprocError: one that is not transient, at once; the last transient one after the deadline.

    >>> retried(lambda: 42)
    42
    """
    import tenacity

    def sleep(seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            check()
            time.sleep(min(left, _LOOK_SECONDS))

    def attempt() -> T:
        check()
        return call()

    policy = tenacity.Retrying(
        retry=tenacity.retry_if_exception(lambda error: isinstance(error, ReelprocError) and error.transient),
        wait=tenacity.wait_random_exponential(multiplier=FIRST_PAUSE_SECONDS, max=LONGEST_PAUSE_SECONDS),
        stop=tenacity.stop_before_delay(DEADLINE_SECONDS if deadline_seconds is None else deadline_seconds),
        sleep=sleep,
        before_sleep=_tell,
        reraise=True,
    )
    return policy(attempt)


def _tell(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome is not None else None
    _log.warning("attempt %d failed, the next is in %.1f s: %s", state.attempt_number, state.upcoming_sleep, error)
