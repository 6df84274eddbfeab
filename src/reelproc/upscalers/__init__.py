"""Ways to scale a picture, by name: classical resamplers, and networks where their extras are installed."""

from __future__ import annotations

from reelproc.registry import Registry
from reelproc.upscalers.base import Upscaler

__all__ = ["UPSCALERS"]

UPSCALERS: Registry[Upscaler] = Registry("upscaler", group="reelproc.upscalers")
"""What ``Upscale.model`` may name. An entry is an :class:`~reelproc.upscalers.base.Upscaler`, not a class."""

for _name in ("lanczos", "bicubic", "area"):
    UPSCALERS.register(_name, f"reelproc.upscalers.resample:{_name.upper()}")
