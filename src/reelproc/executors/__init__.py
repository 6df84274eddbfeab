"""Where jobs run: ``executor("local")`` and its kin."""

from __future__ import annotations

import inspect
from typing import Any

from reelproc.errors import SpecError
from reelproc.executors.base import Executor, Hardware, executors
from reelproc.executors.handle import JobHandle, JobState
from reelproc.suggestions import did_you_mean

__all__ = ["Executor", "Hardware", "JobHandle", "JobState", "executor", "executors"]


def executor(name: str = "local", /, **options: Any) -> Executor:
    """Make the executor called ``name``; use it in a ``with`` statement.

    Args:
        name: ``"local"`` (worker processes on this machine), ``"modal-t4"``, ``"modal-l4"``, ``"modal-cpu"``
            (containers on Modal, extra ``modal``), ``"mock"`` (for tests), or one that a package registered.
        **options: what that executor takes, e.g. ``workers=2``.

    Raises:
        SpecError: no executor has that name, or it takes no such option.
        MissingDependencyError: it needs an extra that is not installed.

    >>> with executor("mock") as ex:
    ...     ex.hardware.name
    'mock'
    """
    factory = executors.get(name)
    signature = inspect.signature(factory)
    try:
        signature.bind(**options)
    except TypeError as error:
        known = ", ".join(str(p) for p in signature.parameters.values())
        strange = next((option for option in options if option not in signature.parameters), None)
        meant = "" if strange is None else did_you_mean(strange, signature.parameters)
        raise SpecError(f"executor {name!r}: {error}; its options are: {known}{meant}") from None
    return factory(**options)
