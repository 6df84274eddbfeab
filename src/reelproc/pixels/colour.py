"""Colours of the pipeline's frames: BT.709, limited range, 8 bit for planes; full-range RGB else.

Luma takes 16 to 235, chroma 16 to 240 about 128 (ITU-R BT.709-6, items 3.2 to 3.5). The conversion is affine, so that
blending in YUV with one alpha is blending in R'G'B' with the same alpha.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reelproc.pixels.frame import PixelFormat

_RED, _BLUE = 0.2126, 0.0722
_GREEN = 1 - _RED - _BLUE
_CB, _CR = 2 * (1 - _BLUE), 2 * (1 - _RED)
"""B less luma, and R less luma, of a chroma of 1."""

_LEVELS = np.array([219.0, 224.0, 224.0])
"""Levels that a span of 1 takes, for luma and both chroma."""

RGB_TO_YUV: NDArray[np.float64] = (
    np.array([[_RED, _GREEN, _BLUE], [-_RED / _CB, -_GREEN / _CB, 0.5], [0.5, -_GREEN / _CR, -_BLUE / _CR]])
    * _LEVELS[:, None]
)
"""(3, 3): R'G'B' in [0, 1] to Y', Cb, Cr codes, before :data:`YUV_BLACK` is added."""

YUV_TO_RGB: NDArray[np.float64] = (
    np.array([[1.0, 0.0, _CR], [1.0, -_CB * _BLUE / _GREEN, -_CR * _RED / _GREEN], [1.0, _CB, 0.0]]) / _LEVELS
)
"""(3, 3): the inverse, from codes less :data:`YUV_BLACK` to R'G'B' in [0, 1]."""

YUV_BLACK: tuple[float, float, float] = (16.0, 128.0, 128.0)
"""Y', Cb and Cr codes of black; a scaling of R'G'B' leaves them in place."""

BLACK: dict[PixelFormat, tuple[int, ...]] = {
    "yuv420p": (16, 128, 128),
    "yuv444p": (16, 128, 128),
    "bgr24": (0, 0, 0),
    "rgb24": (0, 0, 0),
}
"""The levels of black by pixel format, plane by plane or channel by channel."""


def rgb_to_yuv(rgb: Sequence[float] | NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the Y', Cb, Cr codes of R'G'B'.

    Args:
        rgb: (..., 3) in [0, 1].

    Returns:
        (..., 3) float64, unrounded.

    >>> rgb_to_yuv([[0, 0, 0], [1, 1, 1], [1, 0, 0]]).round().tolist()
    [[16.0, 128.0, 128.0], [235.0, 128.0, 128.0], [63.0, 102.0, 240.0]]
    """
    return np.asarray(np.asarray(rgb, np.float64) @ RGB_TO_YUV.T + np.array(YUV_BLACK), np.float64)


def hex_to_rgb(colour: str) -> tuple[float, float, float]:
    """Return the R'G'B' in [0, 1] of ``"#rrggbb"``.

    >>> hex_to_rgb("#ff0033")
    (1.0, 0.0, 0.2)
    """
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255
