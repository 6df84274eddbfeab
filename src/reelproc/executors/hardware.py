"""What this machine lets us use."""

from __future__ import annotations

import os

from reelproc.executors.base import Hardware
from reelproc.machine.cores import cgroup_number, usable_cores


def this_machine() -> Hardware:
    """Return this machine's cores and memory, within the limits of the process's affinity and its container."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in (cgroup_number("memory.max"), cgroup_number("memory/memory.limit_in_bytes")):  # version 2, version 1
        memory = min(memory, limit or memory)
    return Hardware(name="local", cores=usable_cores(), memory_bytes=memory)
