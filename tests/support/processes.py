"""What runs at this moment, as /proc tells: children, threads, open files. Linux only.

Whatever is listed may have ended before it is looked at: a thread that was joined is still listed for an instant.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def children(pid: int | None = None) -> set[int]:
    """Processes below ``pid`` (default: this one), their own children and zombies included."""
    found: set[int] = set()
    for child in _own_children(pid or os.getpid()):
        found |= {child} | children(child)
    return found


class Family:
    """Programs that a test starts and all their descendants, orphans included; a context manager.

    This process adopts the orphans (``PR_SET_CHILD_SUBREAPER``), so that all are found below it. Nobody else's
    processes are looked at: to read another process's memory, its command line or environment say, takes as long as
    that one keeps it locked. At the end all are killed and reaped, and their pipes closed, whatever the test came to.
    """

    def __enter__(self) -> Self:
        self._others = set(_own_children(os.getpid()))
        self._programs: list[subprocess.Popen[Any]] = []
        _adopt_orphans(True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            while alive := self.living():
                for pid in alive:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                time.sleep(0.01)
            for program in self._programs:
                with program:  # its pipes are closed
                    pass
        finally:
            _adopt_orphans(False)
        for orphan in self._roots():
            with suppress(ChildProcessError):
                os.waitpid(orphan, 0)

    def start(self, argv: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
        """Start a program; ``options`` are those of :class:`subprocess.Popen`."""
        program = subprocess.Popen(argv, **options)
        self._programs.append(program)
        return program

    def living(self) -> dict[int, str]:
        """Those that run now, zombies not, and their command lines."""
        seen = self._members()
        while (again := self._members()) != seen:  # an orphan changes its parent, maybe to one that was asked before
            seen = again
        return {pid: command_line(pid) for pid in seen}

    def _roots(self) -> set[int]:
        return set(_own_children(os.getpid())) - self._others

    def _members(self) -> set[int]:
        roots = self._roots()
        return {pid for pid in roots.union(*map(children, roots)) if lives(pid)}


def _adopt_orphans(adopt: bool) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, int(adopt), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "orphans cannot be adopted")


def command_line(pid: int) -> str:
    """A process's program and arguments, each followed by a NUL; empty for one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def lives(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def threads() -> set[threading.Thread]:
    """This process's, but for those of other tests' servers: their requests come and go."""
    return {t for t in threading.enumerate() if t.is_alive() and "process_request_thread" not in t.name}


def open_files() -> int:
    """How many files this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _own_children(pid: int) -> list[int]:
    """A thread's children go to another when it ends, maybe to one that was asked before: then all are asked again."""
    for _ in range(100):
        try:
            tasks = [task.read_text() for task in Path(f"/proc/{pid}/task").glob("*/children")]
        except OSError:
            continue
        return [int(child) for listed in tasks for child in listed.split()]
    raise AssertionError(f"the threads of process {pid} end faster than they can be counted")
