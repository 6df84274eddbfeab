"""Being asked to end, by Ctrl-C or SIGTERM: an exception, so that everybody cleans up, and a memory of it.

The memory is for where the exception got lost: an import wraps it in an error of its own, a callback drops it.
"""

from __future__ import annotations

import signal
import sys
from types import FrameType

from reelproc.cli.failures import INTERRUPTED, TERMINATED

_exit_codes: list[int] = []


def listen() -> None:
    """Take over the process's signals."""
    signal.signal(signal.SIGINT, _on_signal)
    signal.signal(signal.SIGTERM, _on_signal)


def requested_exit_code() -> int | None:
    """Return the exit code for what was asked first; None: nothing was."""
    return _exit_codes[0] if _exit_codes else None


def end_if_requested() -> None:
    """Raise what was asked for once more, should it have been lost.

    Raises:
        KeyboardInterrupt: after Ctrl-C.
        SystemExit: after SIGTERM.
    """
    code = requested_exit_code()
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if code is not None:
        sys.exit(code)


def _on_signal(number: int, _: FrameType | None) -> None:
    _exit_codes.append(INTERRUPTED if number == signal.SIGINT else TERMINATED)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(TERMINATED)
