"""How much memory this process and its children take at most.

``getrusage`` cannot say: its figure for children includes the parent's own memory at the moment of the fork (measured:
200 MiB for ``/bin/true``), and neither figure can be reset between two jobs of one process. Linux's ``VmHWM`` can.
"""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from reelproc.machine.posix import resource

_SAMPLE_SECONDS = 0.25


def peak_memory_bytes() -> int:
    """Greatest resident memory of this process plus that of each of its living children, in bytes.

    Where the system keeps no such account (outside Linux), this process's share alone.
    """
    own = _peak_of("self")
    if own is None:
        scale = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale
    return own + sum(_peak_of(pid) or 0 for pid in _children())


class MemoryWatch:
    """Watches :func:`peak_memory_bytes` while a block runs; a thread samples it four times a second.

    Attributes:
        peak_bytes: the greatest figure seen; final when the block has ended.
    """

    def __init__(self) -> None:
        self.peak_bytes = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory-watch", daemon=True)

    def __enter__(self) -> Self:
        try:
            Path("/proc/self/clear_refs").write_text("5")  # man 5 proc: resets the high-water mark
        except OSError:  # not Linux, or not allowed: the mark then counts from the process's start
            self.peak_bytes = 0
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._sample()

    def _run(self) -> None:
        while not self._stop.wait(_SAMPLE_SECONDS):
            self._sample()

    def _sample(self) -> None:
        self.peak_bytes = max(self.peak_bytes, peak_memory_bytes())


def _peak_of(pid: str) -> int | None:
    try:
        for line in Path("/proc", pid, "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:  # no /proc, or the process has just ended
        return None
    return None


def _children() -> list[str]:
    pids: list[str] = []
    for thread in Path("/proc/self/task").glob("*/children"):  # none where the kernel keeps no such list
        with suppress(OSError):  # a thread that has just ended
            pids += thread.read_text().split()
    return pids
