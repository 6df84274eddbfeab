"""Executors by name, one of each for the life of the process, so that an answered request leaves its job running."""

from __future__ import annotations

import os
import threading

from reelproc.executors import executor as make_executor
from reelproc.executors.base import Executor

EXECUTOR_VARIABLE = "REELPROC_COMPAT_EXECUTOR"
MODAL = "modal"

_lock = threading.Lock()
_shared: dict[tuple[int, str], Executor] = {}


def chosen_executor(executor: str | Executor | None, preset: str = "local") -> tuple[str, Executor]:
    """Return the executor that is meant, and its name.

    One that is asked for by name is never closed: a process that ends leaves its local jobs cut short, not cancelled,
    and whoever asks for them next resumes them from their finished segments.

    Args:
        executor: an object, a name, or None: ``REELPROC_COMPAT_EXECUTOR``, or ``"local"``.
        preset: what ``"modal"`` means.

    Raises:
        SpecError: no executor has that name.
        MissingDependencyError: it needs an extra that is not installed.
    """
    if isinstance(executor, Executor):
        return executor.hardware.name, executor
    name = executor or os.environ.get(EXECUTOR_VARIABLE) or "local"
    name = preset if name == MODAL else name
    place = os.getpid(), name  # a forked process has none of the threads of its parent's executors
    with _lock:
        if place not in _shared:
            _shared[place] = make_executor(name)
        return name, _shared[place]
