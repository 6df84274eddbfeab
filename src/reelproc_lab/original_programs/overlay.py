"""The original's overlay: OpenCV frame by frame, and the whole frame multiplied in float64."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from reelproc import HighlightRegion, Overlay, SpecError
from reelproc.keyframes import Curve
from reelproc_lab.original_programs.encoding import Capture, RawEncoder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reelproc.job_context import JobContext
    from reelproc.results import PhaseClock


def overlay(source: Path, stage: Overlay, path: Path, context: JobContext, clock: PhaseClock) -> int:
    """Draw ``stage`` over all of ``source`` into the silent video ``path``; returns the frames written.

    Raises:
        SpecError: it asks for what the original could not draw.
        DecodeError, EncodeError: OpenCV or ffmpeg failed.
    """
    if stage.effect == "original" or stage.stroke_width or stage.fill or stage.shape != "body":
        raise SpecError("the original drew dark_overlay and brightness_boost on the body, without ring and tint")
    regions = [(r, _path(r)) for r in stage.drawn_regions()]
    written = 0
    with Capture(source) as capture, RawEncoder(path, capture.width, capture.height, capture.fps) as encoder:
        while True:
            context.check()
            with clock("decode"):
                frame = capture.read()
            if frame is None:
                break
            time = written / capture.fps
            with clock("stages"):
                now = next((p for r, p in regions if r.start_time <= time <= r.end_time), None)
                if now is not None:
                    frame = draw(frame, now.at(time), stage.effect == "brightness_boost")
            with clock("encode"):
                encoder.write(frame)
            written += 1
        with clock("encode"):
            encoder.finish()
    return written


def _path(region: HighlightRegion) -> Curve:
    keyframes = sorted(region.keyframes, key=lambda k: k.time)
    return Curve([k.time for k in keyframes], [(k.x, k.y, k.radius_x, k.radius_y, k.opacity) for k in keyframes])


def draw(frame: NDArray[np.uint8], ellipse: NDArray[np.float64], brighten: bool) -> NDArray[np.uint8]:
    """Return a (H, W, 3) frame with everything outside of the ellipse darker, or its inside brighter.

    Args:
        frame: BGR; not changed.
        ellipse: x, y, the two radii, and the opacity.
        brighten: the inside, instead of darkening the outside.
    """
    x, y, radius_x, radius_y, opacity = ellipse.tolist()
    mask = np.zeros(frame.shape[:2], np.uint8)
    cv2.ellipse(mask, (int(x), int(y)), (int(radius_x), int(radius_y)), 0, 0, 360, 255, -1)
    inside = mask[:, :, None] == 255
    changed = frame * (1 + opacity if brighten else 1 - opacity)  # float64, all of it
    out = np.where(inside, changed, frame) if brighten else np.where(inside, frame, changed)
    return np.clip(out, 0, 255).astype(np.uint8)
