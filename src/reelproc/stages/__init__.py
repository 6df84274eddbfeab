"""List by name what can be done to a clip. Each stage holds its data and its work."""

from __future__ import annotations

from reelproc.registry import Registry
from reelproc.stages.base import Stage

__all__ = ["STAGES"]

STAGES: Registry[type[Stage]] = Registry("stage", group="reelproc.stages")
"""The stages that a clip in JSON may name. An entry is a :class:`~reelproc.Stage` class."""

for _name, _class in (
    ("crop", "Crop"),
    ("rotate", "Rotate"),
    ("speed", "Speed"),
    ("upscale", "Upscale"),
    ("overlay", "Overlay"),
    ("text", "Text"),
    ("banner", "Banner"),
):
    STAGES.register(_name, f"reelproc.stages.{_name}:{_class}")
