"""Ways to find players in a picture, by name; the networks come with the extra ``detect``."""

from __future__ import annotations

from reelproc.detectors.base import Detector
from reelproc.registry import Registry

__all__ = ["DETECTORS"]

DETECTORS: Registry[Detector] = Registry("detector", group="reelproc.detectors")
"""What ``DetectJob.backend`` may name. An entry is a :class:`~reelproc.detectors.base.Detector`, not a class."""

DETECTORS.register("ultralytics", "reelproc.detectors.yolo:ULTRALYTICS", extra="detect")
