"""What this machine lets us use."""

from __future__ import annotations

import os
from pathlib import Path

from reelproc.executors.base import Hardware

__all__ = ["this_machine"]

_CGROUP = Path("/sys/fs/cgroup")


def this_machine() -> Hardware:
    """This machine's cores and memory, within the limits of the process's affinity and of its container."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = float(len(affinity(0)) if affinity else os.cpu_count() or 1)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if quota := _quota():
        cores = min(cores, quota)
    for limit in (_number("memory.max"), _number("memory/memory.limit_in_bytes")):  # cgroup version 2, version 1
        memory = min(memory, limit or memory)
    return Hardware(name="local", cores=cores, memory_bytes=memory)


def _quota() -> float | None:
    """Processor time that the container gets per second, or None where it is not limited."""
    try:
        quota, period = (_CGROUP / "cpu.max").read_text().split()  # cgroup version 2
    except (OSError, ValueError):
        quota_us, period_us = _number("cpu/cpu.cfs_quota_us"), _number("cpu/cpu.cfs_period_us")
        return quota_us / period_us if quota_us and period_us else None
    return int(quota) / int(period) if quota != "max" else None


def _number(name: str) -> int | None:
    try:
        value = int((_CGROUP / name).read_text())
    except (OSError, ValueError):  # not there, or "max"
        return None
    return value if value > 0 else None
