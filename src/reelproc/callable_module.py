"""Let a module be a function as well: ``reelproc.render`` is a package, and ``rp.render(...)`` a call."""

from __future__ import annotations

from importlib import import_module
from inspect import Signature, signature
from types import ModuleType
from typing import Any


class RenderRoom(ModuleType):
    """The module ``reelproc.render``; a call of it is :func:`reelproc.shortcuts.render`."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Render a reel; see :func:`reelproc.shortcuts.render`."""
        return import_module("reelproc.shortcuts").render(*arguments, **options)

    @property
    def __signature__(self) -> Signature:
        """The signature of :func:`reelproc.shortcuts.render`."""
        return signature(import_module("reelproc.shortcuts").render)
