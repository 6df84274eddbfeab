"""Tell whether this machine is quiet enough to be measured.

Two readings decide. The load average says how many processes wanted a processor during the last minute; it counts
before the first measurement only, since the measurements raise it. A *pulse* keeps every core busy for a moment, and
compares the processor time that it got with the wall time that passed: on a quiet machine the two are equal.
"""

from __future__ import annotations

import hashlib
import math
import os
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from reelproc.errors import BackendError
from reelproc.machine.cores import usable_cores

MAX_LOAD_PER_CORE = 0.5
"""A load average above this much for each of the machine's processors is that of a busy machine."""

MIN_CORE_SHARE = 0.8
"""The least share of its cores that a measurement must get. One busy process on two cores leaves two thirds."""

MIN_PULSES = 3
"""Pulses whose median is judged: a single one may meet a process that runs for a moment."""

PULSE_SECONDS = 0.03
"""Several time slices of the scheduler, and short beside what is measured."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How busy the machine was at one moment.

    Attributes:
        load: the load average of the last minute, for each of the machine's processors; None where the system has none.
        share: the processor time that a pulse got, of what the cores could have given: 0 to 1.
    """

    load: float | None
    share: float


def is_loaded(load: float) -> bool:
    """Return whether a load average of this machine is that of a busy one."""
    return load / (os.cpu_count() or 1) > MAX_LOAD_PER_CORE


def read_machine() -> Reading:
    """Return a reading of this machine, now; it takes a thirtieth of a second."""
    try:
        load: float | None = os.getloadavg()[0] / (os.cpu_count() or 1)
    except (OSError, AttributeError):
        load = None
    return Reading(load, _core_share(usable_cores()))


def _core_share(cores: float) -> float:
    """Return the share of ``cores`` that threads get which hash for a moment, one on each (hashing frees the GIL)."""
    count = max(1, math.ceil(cores))
    data = bytes(1 << 20)
    together = threading.Barrier(count)
    shares = [0.0] * count

    def work(number: int) -> None:
        together.wait()
        wall, cpu = time.perf_counter(), time.thread_time()
        while (passed := time.perf_counter() - wall) < PULSE_SECONDS:
            hashlib.sha256(data)
        shares[number] = (time.thread_time() - cpu) / passed

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return min(1.0, sum(shares) / cores)


@dataclass
class Watch:
    """Take readings while something is measured, and refuse a busy machine.

    Attributes:
        anyway: go on where the machine is busy; :attr:`busy` then says so.
        read: gives a reading.
        busy: why the machine is too busy to be measured; None while it is quiet.
    """

    anyway: bool = False
    read: Callable[[], Reading] = field(default_factory=lambda: read_machine)
    busy: str | None = None
    _shares: list[float] = field(default_factory=list)

    def begin(self) -> None:
        """Judge the machine before the first measurement; once, since what is done after it raises the load.

        Raises:
            BackendError: it is busy (``transient``).
        """
        if self._shares:
            return
        readings = [self.read() for _ in range(MIN_PULSES)]
        load = readings[0].load
        self._shares += [reading.share for reading in readings]
        self._judge()
        if load is not None and load > MAX_LOAD_PER_CORE:
            self._found(f"its load average is {load:.2g} per core, above {MAX_LOAD_PER_CORE:g}")

    def look(self) -> None:
        """Judge it again, between measurements.

        Raises:
            BackendError: others took its processors meanwhile (``transient``).
        """
        self._shares.append(self.read().share)
        self._judge()

    def _judge(self) -> None:
        share = statistics.median_high(self._shares)
        if share < MIN_CORE_SHARE:
            self._found(f"other processes leave {share:.0%} of its cores, less than {MIN_CORE_SHARE:.0%}")

    def _found(self, why: str) -> None:
        self.busy = why
        if not self.anyway:
            raise BackendError(
                f"this machine is busy: {why}; nothing was stored. Wait until nothing else runs and measure again, or "
                "measure anyway ('reelproc calibrate --anyway', anyway=True): the figures then count as predicted",
                transient=True,
            )
