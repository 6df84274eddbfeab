"""Peak memory: of this process and its children, and of this job alone."""

from __future__ import annotations

import mmap
import subprocess
import sys

from reelproc.machine.memory import MemoryWatch, peak_memory_bytes
from waiting import eventually

MIB = 1 << 20


def test_a_watch_sees_this_process_and_its_children() -> None:
    with MemoryWatch() as idle:
        pass
    with MemoryWatch() as own:
        # fresh pages, whatever memory the process has freed and kept before
        with mmap.mmap(-1, 80 * MIB) as ballast:
            ballast[::4096] = b"x" * len(ballast[::4096])
    assert own.peak_bytes > idle.peak_bytes + 60 * MIB
    with MemoryWatch() as family:
        code = "import sys; x = bytearray(80 << 20); x[::4096] = b'x' * len(x[::4096]); sys.stdin.read()"
        with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE):
            eventually(lambda: family.peak_bytes > idle.peak_bytes + 60 * MIB)
    assert family.peak_bytes > idle.peak_bytes + 60 * MIB
    with MemoryWatch() as again:
        pass
    assert again.peak_bytes < own.peak_bytes - 40 * MIB, "a former peak is not this one's"


def test_a_process_has_a_peak() -> None:
    assert peak_memory_bytes() > MIB
