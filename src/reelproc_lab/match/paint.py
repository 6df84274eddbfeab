"""What the demo paints with: colours, two brushes (polygons and capsules), and patches that are laid over a frame."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from reelproc.pixels.colour import RGB_TO_YUV, YUV_BLACK, hex_to_rgb, rgb_to_yuv

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from reelproc import Frame

    Array = NDArray[np.float64]
    Image = NDArray[np.uint8]

Colour = tuple[float, float, float, float]
"""Y, U, V and opacity, premultiplied, 0 to 255."""

SHIFT = 4
"""Fractional bits of the coordinates given to OpenCV's brushes: 1/16 pixel."""

SUN = (0.42, 0.5)
"""Metres along x and y that a shadow falls for each metre of height."""

LARGER = 2
"""What moves is painted this many times larger and then reduced, for soft edges."""

SHADOW: Colour = (16 * 0.42, 128 * 0.42, 128 * 0.42, 255 * 0.42)
"""Black, 42 % opaque."""


def bgr(colour: str) -> tuple[int, int, int]:
    """``"#rrggbb"`` for painting on a BGR picture."""
    return int(colour[5:7], 16), int(colour[3:5], 16), int(colour[1:3], 16)


@cache
def shade(colour: str, factor: float) -> str:
    """``colour`` made darker (below 1) or lighter (above 1, towards white)."""
    mixed = [c * factor if factor <= 1 else c + (1 - c) * (factor - 1) for c in hex_to_rgb(colour)]
    return "#" + "".join(f"{round(255 * min(1.0, max(0.0, c))):02x}" for c in mixed)


@cache
def yuv(colour: str) -> Colour:
    """``"#rrggbb"`` as Y, U, V and full opacity, for painting on a four-channel picture."""
    y, u, v = rgb_to_yuv(hex_to_rgb(colour)).tolist()
    return y, u, v, 255.0


def to_yuv(image: Image) -> tuple[Image, Image, Image]:
    """Convert a BGR picture of even size to Y (H, W), U and V (H/2, W/2), chroma between its four luma pixels."""
    import cv2
    import numpy as np

    height, width, _ = image.shape
    matrix = np.column_stack([RGB_TO_YUV[:, ::-1] / 255, YUV_BLACK])
    full = cv2.transform(image, matrix)
    half = cv2.resize(full, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return (
        np.ascontiguousarray(full[..., 0], np.uint8),
        np.ascontiguousarray(half[..., 1], np.uint8),
        np.ascontiguousarray(half[..., 2], np.uint8),
    )


def fixed(points: NDArray[np.floating]) -> NDArray[np.int32]:
    """Pixel coordinates in the fixed-point form that OpenCV's ``shift=SHIFT`` wants."""
    import numpy as np

    scaled: NDArray[np.int32] = np.rint(points * (1 << SHIFT)).astype(np.int32)
    return scaled


def polygon(image: Image, points: NDArray[np.floating], colour: Sequence[float]) -> None:
    """Fill a polygon, (N, 2) pixels, with soft edges."""
    import cv2

    cv2.fillPoly(image, [fixed(points)], colour, lineType=cv2.LINE_AA, shift=SHIFT)


def capsule(image: Image, start: tuple[int, int], end: tuple[int, int], width: float, colour: Sequence[float]) -> None:
    """Draw a line with round ends; ``start`` and ``end`` in the fixed point of :func:`fixed`, ``width`` in pixels."""
    import cv2

    cv2.line(image, start, end, colour, max(1, round(width)), cv2.LINE_AA, SHIFT)


class Patch:
    """A piece of the frame, painted larger, as premultiplied Y, U, V and opacity."""

    def __init__(self, frame: Frame, points: Array, pad: float) -> None:
        import numpy as np

        low, high = points.min(0) - pad, points.max(0) + pad
        self._frame = frame
        self.x, self.y = max(0, int(low[0]) // 2 * 2), max(0, int(low[1]) // 2 * 2)
        right, bottom = min(frame.width, int(high[0]) // 2 * 2 + 2), min(frame.height, int(high[1]) // 2 * 2 + 2)
        self.width, self.height = right - self.x, bottom - self.y
        self.seen = self.width >= 2 and self.height >= 2
        self.image = np.zeros((max(0, self.height) * LARGER, max(0, self.width) * LARGER, 4), np.uint8)

    def place(self, points: Array) -> Array:
        """Frame pixels to pixels of the patch."""
        import numpy as np

        return np.asarray((points - [self.x, self.y] + 0.5) * LARGER - 0.5)

    def stamp(self) -> None:
        """Lay the patch over the frame."""
        import cv2

        full = cv2.resize(self.image, (self.width, self.height), interpolation=cv2.INTER_AREA)
        half = cv2.resize(full, (self.width // 2, self.height // 2), interpolation=cv2.INTER_AREA)
        x, y = self.x, self.y
        for index, (plane, picture) in enumerate(zip(self._frame.planes, (full, half, half), strict=True)):
            if index == 1:
                x, y = x // 2, y // 2
            there = plane[y : y + picture.shape[0], x : x + picture.shape[1]]
            clear = cv2.bitwise_not(cv2.extractChannel(picture, 3))
            cv2.multiply(there, clear, dst=there, scale=1 / 255)
            cv2.add(there, cv2.extractChannel(picture, index), dst=there)
