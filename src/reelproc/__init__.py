"""reelproc: cut, follow, upscale, spotlight and join game footage into highlight reels.

The public names, flat and lazy: ``import reelproc`` loads none of numpy, OpenCV, PyAV or pydantic; a name is imported
from its module when it is first used.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_NAMES = {
    "reelproc.cost.calibration": ("Calibration",),
    "reelproc.cost.estimate": ("Estimate", "estimate"),
    "reelproc.errors": (
        "BackendError",
        "DecodeError",
        "EncodeError",
        "ExecutorError",
        "JobCancelledError",
        "JobLostError",
        "JobTimeoutError",
        "MediaError",
        "MissingDependencyError",
        "ObjectNotFoundError",
        "OutOfMemoryError",
        "ProbeError",
        "ReelprocError",
        "SpecError",
        "StorageError",
    ),
    "reelproc.executors": ("Executor", "Hardware", "JobHandle", "executor"),
    "reelproc.jobs": ("DetectJob", "ExtractJob", "RenderJob"),
    "reelproc.pixels.frame": ("Frame",),
    "reelproc.media.probe.probe": ("AudioStream", "MediaInfo", "VideoStream", "probe"),
    "reelproc.media.read.reader": ("Damage", "VideoReader", "open_video"),
    "reelproc.players.camera": ("Framing",),
    "reelproc.players.detect": ("detect_players",),
    "reelproc.players.follow": ("follow_player",),
    "reelproc.players.result": ("FollowResult", "LostSpan", "Sighting"),
    "reelproc.reel": ("Clip", "Output", "Reel"),
    "reelproc.reel_file": ("read_reel", "write_reel"),
    "reelproc.render.plan": ("Plan",),
    "reelproc.render.preview": ("preview",),
    "reelproc.render.contact_sheet": ("contact_sheet",),
    "reelproc.render.plan_reel": ("plan",),
    "reelproc.render.still": ("Still",),
    "reelproc.results": (
        "ClipSpan",
        "DetectResult",
        "Detection",
        "ExtractResult",
        "FrameDetections",
        "Progress",
        "RenderResult",
    ),
    "reelproc.shortcuts": ("extract",),
    "reelproc.stages.banner": ("Banner",),
    "reelproc.stages.base": ("Stage",),
    "reelproc.stages.concat": ("Concat",),
    "reelproc.stages.crop": ("Crop", "CropKeyframe"),
    "reelproc.stages.overlay": ("HighlightKeyframe", "HighlightRegion", "Overlay"),
    "reelproc.stages.rotate": ("Rotate",),
    "reelproc.stages.speed": ("Speed", "SpeedSegment"),
    "reelproc.stages.text": (
        "Text",
        "TextElement",
        "TextPosition",
        "TextRegion",
        "TextShadow",
        "TextSpec",
        "TextStroke",
    ),
    "reelproc.stages.upscale": ("Upscale",),
}
_ROOMS = ("render",)  # a module that is a name of its own: rp.render(...)
_HOME = {name: module for module, names in _NAMES.items() for name in names}

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
