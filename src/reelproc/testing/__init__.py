"""Test what uses reelproc, and what extends it.

The mock executor runs nothing and needs nothing. The conformance suites need pytest (``pip install
'reelproc[testing]'``): inherit one in a test module, say how yours is made, and pytest runs all that reelproc relies
on. See "Test your extension" in docs/reference/extending.md.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from reelproc.errors import MissingDependencyError

if TYPE_CHECKING:
    from reelproc.testing.executors import ExecutorSuite
    from reelproc.testing.mock import MockExecutor, Scripted, plausible_result
    from reelproc.testing.stages import StageSuite
    from reelproc.testing.storages import StorageSuite
    from reelproc.testing.upscalers import UpscalerSuite

__all__ = [
    "ExecutorSuite",
    "MockExecutor",
    "Scripted",
    "StageSuite",
    "StorageSuite",
    "UpscalerSuite",
    "plausible_result",
]

_DOUBLES = dict.fromkeys(("MockExecutor", "Scripted", "plausible_result"), "reelproc.testing.mock")
_SUITES = {
    "ExecutorSuite": "reelproc.testing.executors",
    "StageSuite": "reelproc.testing.stages",
    "StorageSuite": "reelproc.testing.storages",
    "UpscalerSuite": "reelproc.testing.upscalers",
}


def __getattr__(name: str) -> Any:
    if name in _SUITES:
        _prepare(_SUITES[name])
    elif name not in _DOUBLES:
        raise AttributeError(f"module 'reelproc.testing' has no attribute {name!r}")
    return getattr(import_module({**_DOUBLES, **_SUITES}[name]), name)


def _prepare(module: str) -> None:
    """Have pytest show the values of assertions that fail in a suite's module, which is about to be imported."""
    try:
        import pytest
    except ImportError as error:
        raise MissingDependencyError(
            "the conformance suites need pytest, which is not installed; pip install 'reelproc[testing]'"
        ) from error
    if module not in sys.modules:
        pytest.register_assert_rewrite(module)
