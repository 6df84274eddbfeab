"""How glibc's ``malloc`` serves a process that runs networks on a CPU.

Every layer of a network asks for blocks of tens of megabytes and gives them back a moment later. glibc takes such
blocks from the system (``mmap``), which clears each page of them, every time: a 540x960 picture through
``realesr-general-x4v3`` took 2.2 million page faults, a third of its time. Told to, glibc keeps them: see its manual,
"Malloc Tunable Parameters". Only its main arena has room for them, and a thread may be given another one; so a worker
process has one arena, from its start.

Where the environment says how ``malloc`` is to work (``MALLOC_ARENA_MAX=...``, ``GLIBC_TUNABLES=glibc.malloc...``), or
this is not glibc, nothing is changed.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
import threading
from typing import Any

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h
_MALLOC_VARIABLES = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_ARENA_MAX")
_keeps_large_blocks = threading.Event()


def use_one_arena() -> None:
    """Serve all threads that start from now on from the main arena; call it before the first one starts."""
    if (libc := _adjustable_glibc()) is not None:
        libc.mallopt(_M_ARENA_MAX, 1)


def keep_large_blocks() -> None:
    """Have this process keep the large blocks of memory that it frees, until :func:`release_free_memory`."""
    if (libc := _adjustable_glibc()) is not None:
        use_one_arena()
        libc.mallopt(_M_MMAP_THRESHOLD, 1 << 30)
        libc.mallopt(_M_TRIM_THRESHOLD, (1 << 31) - 1)
        _keeps_large_blocks.set()


def release_free_memory() -> None:
    """Return free memory that is kept to the system; the next picture takes its page faults once more."""
    if _keeps_large_blocks.is_set() and (libc := _adjustable_glibc()) is not None:
        libc.malloc_trim(0)


@functools.cache
def _adjustable_glibc() -> Any:
    """Return the C library if it is glibc and the environment does not set its ``malloc``; else None."""
    is_set = any(name in os.environ for name in _MALLOC_VARIABLES)
    if is_set or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", "") or sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return libc if all(hasattr(libc, name) for name in ("gnu_get_libc_version", "mallopt", "malloc_trim")) else None
