"""What runs at this moment, as /proc tells: children, threads, open files. Linux only.

Whatever is listed may have ended before it is looked at: a thread that was joined is still listed for an instant.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path


def children(pid: int | None = None) -> set[int]:
    """Processes below ``pid`` (default: this one), their own children and zombies included."""
    found: set[int] = set()
    for child in _own_children(pid or os.getpid()):
        found |= {child} | children(child)
    return found


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
