"""A module that is a function as well: ``reelproc.render`` is a room of the house, and ``rp.render(...)`` a call."""

from __future__ import annotations

from importlib import import_module
from inspect import Signature, signature
from types import ModuleType
from typing import Any

__all__ = ["RenderRoom"]


class RenderRoom(ModuleType):
    """What ``reelproc.render`` is: a module, and when it is called, :func:`reelproc.shortcuts.render`."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return import_module("reelproc.shortcuts").render(*arguments, **options)

    @property
    def __signature__(self) -> Signature:
        return signature(import_module("reelproc.shortcuts").render)
