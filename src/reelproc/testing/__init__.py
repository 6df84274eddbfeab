"""Test what uses reelproc, and what extends it.

The mock executor runs nothing and needs nothing. The conformance suites need pytest and hypothesis (``pip install
'reelproc[testing]'``): inherit one in a test module and say how yours is made, and pytest checks all that reelproc
relies on. See "Test your extension" in docs/reference/extending.md.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from reelproc.errors import MissingDependencyError

if TYPE_CHECKING:
    from reelproc.testing.executors import ExecutorSuite
    from reelproc.testing.mock import MockExecutor, Scripted, plausible_result
    from reelproc.testing.readers import ReaderSuite
    from reelproc.testing.stages import StageSuite
    from reelproc.testing.storages import StorageSuite
    from reelproc.testing.upscalers import UpscalerSuite

__all__ = [
    "ExecutorSuite",
    "MockExecutor",
    "ReaderSuite",
    "Scripted",
    "StageSuite",
    "StorageSuite",
    "UpscalerSuite",
    "plausible_result",
]

_DOUBLES = dict.fromkeys(("MockExecutor", "Scripted", "plausible_result"), "reelproc.testing.mock")
_SUITES = {
    "ExecutorSuite": "reelproc.testing.executors",
    "ReaderSuite": "reelproc.testing.readers",
    "StageSuite": "reelproc.testing.stages",
    "StorageSuite": "reelproc.testing.storages",
    "UpscalerSuite": "reelproc.testing.upscalers",
}


def __getattr__(name: str) -> Any:
    if name in _DOUBLES:
        return getattr(import_module(_DOUBLES[name]), name)
    if name in _SUITES:
        return getattr(_suite(_SUITES[name]), name)
    raise AttributeError(f"module 'reelproc.testing' has no attribute {name!r}")


def _suite(module: str) -> ModuleType:
    """Import a module of suites, such that pytest shows the values of assertions that fail in it."""
    try:
        import hypothesis  # noqa: F401 - some suites draw examples
        import pytest
    except ImportError as error:
        raise MissingDependencyError(
            f"the conformance suites need {error.name}, which is not installed; pip install 'reelproc[testing]'"
        ) from error
    if module not in sys.modules:
        pytest.register_assert_rewrite(module)
    return import_module(module)
