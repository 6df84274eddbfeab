"""The processor: how many of its cores this process may use, and what it is called."""

from __future__ import annotations

import functools
import os
import platform
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def usable_cores() -> float:
    """Return the cores that the process's affinity and its container allow; a container's share may be a fraction."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = float(len(affinity(0)) if affinity else os.cpu_count() or 1)
    quota = _quota()
    return min(cores, quota) if quota else cores


@functools.cache
def has_bfloat16() -> bool:
    """Return whether the processor says that it multiplies bfloat16 by itself: AVX512-BF16, AMX-BF16 or Arm's BF16.

    False where it cannot be asked, that is, on other systems than Linux.
    """
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return False
    told = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(told.partition(":")[2].split())


@functools.cache
def cpu_name() -> str:
    """Return the processor's model, as the system calls it; its architecture where it says no more."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _quota() -> float | None:
    """Processor time that the container gets per second, or None where it is not limited."""
    try:
        quota, period = (CGROUP / "cpu.max").read_text().split()  # cgroup version 2
    except (OSError, ValueError):
        quota_us, period_us = cgroup_number("cpu/cpu.cfs_quota_us"), cgroup_number("cpu/cpu.cfs_period_us")
        return quota_us / period_us if quota_us and period_us else None
    return int(quota) / int(period) if quota != "max" else None


def cgroup_number(name: str) -> int | None:
    """Return what a file of the container's limits says; None where there is none, or no limit."""
    try:
        value = int((CGROUP / name).read_text())
    except (OSError, ValueError):  # not there, or "max"
        return None
    return value if value > 0 else None
