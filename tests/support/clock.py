"""A clock that only goes on where somebody sleeps by it: pauses and deadlines are exact, and take no time."""

from __future__ import annotations

import time


class Clock:
    """Stands in for the module ``time`` in one module; see the fixture ``clock``.

    Attributes:
        now: seconds.
    """

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """``now``."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let ``now`` be later by so much."""
        self.now += seconds

    time = staticmethod(time.time)
