"""Painting on planar YUV: pictures, converted once, blended only where they are.

Chroma of yuv420p is sited as in MPEG-2 ("left"): column j lies on luma column 2j, row i between luma rows 2i and
2i + 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reelproc.pixels.colour import RGB_TO_YUV, YUV_BLACK
from reelproc.pixels.frame import PixelFormat

F32 = NDArray[np.float32]


def mix(target: NDArray[np.uint8], keep: F32, paint: F32) -> None:
    """``target = target * keep + paint`` in place, rounded to nearest.

    Args:
        target: (H, W) codes; a view is fine.
        keep: (H, W) in [0, 1]: how much of the target stays.
        paint: (H, W) premultiplied codes, at most ``(1 - keep) * 255``, so that nothing can overflow.
    """
    result = target.astype(np.float32)
    result *= keep
    result += paint
    result += 0.5
    target[...] = result


def halve(values: F32) -> F32:
    """Return a luma-sized array sampled at the chroma sites: [1 2 1] / 4 across, [1 1] / 2 down.

    Args:
        values: (H, W) with even H and W, its first column and row on even luma coordinates; zero beyond the edges.

    Returns:
        (H/2, W/2).
    """
    rows = values[0::2] + values[1::2]
    result: F32 = rows[:, 0::2] * 0.5
    odd = rows[:, 1::2] * 0.25
    result += odd
    result[:, 1:] += odd[:, :-1]
    result *= 0.5
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """What a picture does to one plane: see :func:`mix`. ``x``, ``y`` are in pixels of that plane."""

    x: int
    y: int
    keep: F32
    paint: F32

    def draw(self, plane: NDArray[np.uint8], strength: float) -> None:
        """Blend into ``plane``; what lies outside it is cut."""
        height, width = self.keep.shape
        left, top = max(-self.x, 0), max(-self.y, 0)
        right, bottom = min(width, plane.shape[1] - self.x), min(height, plane.shape[0] - self.y)
        if right <= left or bottom <= top:
            return
        target = plane[self.y + top : self.y + bottom, self.x + left : self.x + right]
        keep, paint = self.keep[top:bottom, left:right], self.paint[top:bottom, left:right]
        if strength < 1:
            keep, paint = 1 - (1 - keep) * np.float32(strength), paint * np.float32(strength)
        mix(target, keep, paint)


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """A picture with alpha, ready to be blended into frames of one pixel format.

    Attributes:
        layers: one per plane.
    """

    layers: tuple[Layer, ...]

    @classmethod
    def from_rgba(cls, rgba: F32, *, x: int, y: int, pix_fmt: PixelFormat) -> Sprite:
        """Convert a picture once.

        Args:
            rgba: (H, W, 4) float32 in [0, 1], R'G'B' premultiplied by alpha.
            x, y: where its top left pixel goes, luma pixels of the frame, possibly outside.
            pix_fmt: ``"yuv420p"`` or ``"yuv444p"``.
        """
        alpha = rgba[..., 3]
        codes = [
            np.asarray(rgba[..., :3] @ RGB_TO_YUV[i].astype(np.float32) + alpha * np.float32(YUV_BLACK[i]), np.float32)
            for i in range(3)
        ]
        if pix_fmt == "yuv444p":
            return cls(tuple(Layer(x, y, 1 - alpha, code) for code in codes))
        # Chroma needs an even grid, and a column of its own for what the filter spreads past the right edge.
        height, width = alpha.shape
        dx, dy = x % 2, y % 2
        padding = ((dy, (height + dy) % 2), (dx, 2 - (width + dx) % 2))
        keep = 1 - halve(np.pad(alpha, padding))
        chroma = [Layer((x - dx) // 2, (y - dy) // 2, keep, halve(np.pad(code, padding))) for code in codes[1:]]
        return cls((Layer(x, y, 1 - alpha, codes[0]), *chroma))

    def draw(self, planes: Sequence[NDArray[np.uint8]], strength: float = 1.0) -> None:
        """Blend into the planes of a frame, in place.

        Args:
            planes: of the pixel format that the sprite was made for.
            strength: 0 to 1, multiplies the alpha.
        """
        for layer, plane in zip(self.layers, planes, strict=True):
            layer.draw(plane, strength)


def subsampling(pix_fmt: PixelFormat) -> tuple[int, int, int]:
    """Luma pixels per sample, along either axis, of each plane.

    >>> subsampling("yuv420p")
    (1, 2, 2)
    """
    return (1, 2, 2) if pix_fmt == "yuv420p" else (1, 1, 1)
