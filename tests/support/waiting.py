"""Waiting for what happens in other threads and processes.

A wait ends with an event. Its deadline is a guard against a hang and asserts nothing: a machine under load is slow.
That something happens *soon* is shown by what it comes before: a limit that is far off, or work that is not done.
"""

from __future__ import annotations

import time
from collections.abc import Callable

LONG = 300.0
"""Seconds until a wait is given up: far more than anything takes, and less than ``timeout`` in ``pyproject.toml``."""


def eventually(condition: Callable[[], object], within: float = LONG) -> bool:
    """Whether ``condition`` comes to hold within so many seconds."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
