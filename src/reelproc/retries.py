"""The one retry policy: what can be helped by trying again is tried again, with growing, random pauses, for a while.

What can be helped is what an error says of itself (:attr:`~reelproc.errors.ReelprocError.transient`). Pauses are drawn
from ``[0, 0.2 s × 2^n]``, capped: many clients that failed together do not come back together. Where a server says for
how long it wants to be left alone (``Retry-After``), the pause is longer by that, up to :data:`LONGEST_ASKED_SECONDS`.
After the deadline the last error is raised as it is.
"""

from __future__ import annotations

import email.utils
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from reelproc.errors import ReelprocError, StorageError

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")

_log = logging.getLogger(__name__)

DEADLINE_SECONDS = 45.0
"""No new attempt begins later than this. Less than the minute after which a reader calls a silent ffmpeg stalled."""

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 8.0

LONGEST_ASKED_SECONDS = 20.0
"""What a server asks for beyond this is not waited for: there is time for another attempt before the deadline."""

_CHECK_SECONDS = 0.1


def retried(
    call: Callable[[], T],
    *,
    check: Callable[[], None] = lambda: None,
    deadline_seconds: float | None = None,
    attempts: int | None = None,
) -> T:
    """Return what ``call`` returns, at the first attempt that does not fail with a transient error.

    Args:
        call: does the work; it must be safe to call again after it failed.
        check: called before each attempt and ten times a second in the pauses; what it raises ends them.
        deadline_seconds: no new attempt begins later than this; None: :data:`DEADLINE_SECONDS`.
        attempts: for work whose attempts may each take long: this many, and no deadline.

    Raises:
        ReelprocError: one that is not transient, at once; the last transient one after the deadline or last attempt.

    >>> retried(lambda: 42)
    42
    """
    import tenacity

    def sleep(seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            check()
            time.sleep(min(left, _CHECK_SECONDS))

    def attempt() -> T:
        check()
        return call()

    begin = time.monotonic()
    deadline = DEADLINE_SECONDS if deadline_seconds is None else deadline_seconds
    drawn = tenacity.wait_random_exponential(multiplier=FIRST_PAUSE_SECONDS, max=LONGEST_PAUSE_SECONDS)
    policy = tenacity.Retrying(
        retry=tenacity.retry_if_exception(lambda error: isinstance(error, ReelprocError) and error.transient),
        wait=lambda state: _server_pause(state) + drawn(state),
        stop=(
            tenacity.stop_after_attempt(attempts)
            if attempts is not None
            else lambda state: time.monotonic() - begin + state.upcoming_sleep >= deadline
        ),
        sleep=sleep,
        before_sleep=_log_pause,
        reraise=True,
    )
    return policy(attempt)


def asked_pause(retry_after: str | None, date: str | None = None) -> float | None:
    """Return the seconds for which a server asks to be left alone; None where it does not say.

    Args:
        retry_after: the header ``Retry-After``: seconds or a date (RFC 9110, section 10.2.3).
        date: the header ``Date``, from which a date counts, so that this machine's clock does not matter.

    >>> asked_pause("120"), asked_pause("Fri, 31 Dec 1999 23:59:59 GMT", "Fri, 31 Dec 1999 23:59:29 GMT")
    (120.0, 30.0)
    """
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    until, now = _seconds_of(retry_after), _seconds_of(date)
    return None if until is None else max(0.0, until - (time.time() if now is None else now))


def _seconds_of(date: str | None) -> float | None:
    try:
        return None if date is None else email.utils.parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):  # it is none
        return None


def _server_pause(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    asked = error.retry_after_seconds if isinstance(error, StorageError) else None
    return min(asked or 0.0, LONGEST_ASKED_SECONDS)


def _log_pause(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome is not None else None
    _log.warning("attempt %d failed, the next is in %.1f s: %s", state.attempt_number, state.upcoming_sleep, error)
