"""reelproc: cut, follow, upscale, spotlight and join game footage into highlight reels.

The public names, flat and lazy: ``import reelproc`` loads none of numpy, OpenCV, PyAV or pydantic; a name is imported
from its module when it is first used.
"""

from __future__ import annotations

import logging
import os
import re
from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_ROOMS = ("render",)  # a module that is a name of its own: rp.render(...)


def _homes() -> dict[str, str]:
    """Read the module of each public name from the stub, which is the one list of them."""
    with open(os.path.splitext(__file__)[0] + ".pyi", encoding="utf-8") as stub:  # noqa: PTH122, PTH123 - pathlib takes time
        names = re.findall(r"^from (\S+) import \w+ as (\w+)$", stub.read(), re.MULTILINE)
    return {name: module for module, name in names if name not in _ROOMS}


_HOME = _homes()

logging.getLogger(__name__).addHandler(logging.NullHandler())  # whoever wants to read what is logged says where to

__all__ = ["__version__", *sorted((*_HOME, *_ROOMS))]  # noqa: PLE0604 - the literal list is __init__.pyi


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"reelproc.{name}")
    try:
        module = _HOME[name]
    except KeyError:
        raise AttributeError(f"module 'reelproc' has no attribute {name!r}") from None
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
