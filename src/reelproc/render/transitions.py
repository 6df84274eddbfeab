"""Make the frames of transitions: two frames mixed, or one darkened."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from reelproc.pixels.colour import BLACK
from reelproc.pixels.frame import Frame

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def mix(a: Frame, b: Frame, weight: Fraction) -> Frame:
    """Return ``a * (1 - weight) + b * weight``, rounded: a dissolve."""
    import cv2

    out = a.like(a.width, a.height)
    cv2.addWeighted(_row(a), float(1 - weight), _row(b), float(weight), 0.0, dst=_row(out))
    return out


def darken(frame: Frame, gain: Fraction) -> Frame:
    """Return ``frame`` with its light (limited range BT.709) times ``gain``; 0 is black."""
    import cv2
    import numpy as np

    out = frame.like(frame.width, frame.height)
    for source, target, zero in zip(frame.planes, out.planes, BLACK[frame.pix_fmt], strict=True):
        table = np.rint(zero + (np.arange(256) - zero) * float(gain)).clip(0, 255).astype(np.uint8)
        cv2.LUT(source, table, dst=target)
    return out


def _row(frame: Frame) -> NDArray[np.uint8]:
    return frame.data.reshape(1, -1)
