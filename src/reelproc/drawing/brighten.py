"""Brighten YUV planes as R'G'B' would be: scaled, and each of R', G', B' clipped at white.

Scaling alone is linear in YUV. What the clip takes away is computed in R'G'B' and carried over as a difference, so that
pixels that do not clip are exact and never make the round trip.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from reelproc.drawing.ellipse import PixelBox
from reelproc.pixels.blend import halve
from reelproc.pixels.colour import RGB_TO_YUV, YUV_BLACK, YUV_TO_RGB

F32 = NDArray[np.float32]

_GREATEST_CHROMA = float(np.abs(YUV_TO_RGB[:, 1:]).sum(axis=1).max())
"""The most that one code of chroma, in both planes, adds to a channel."""


def brightened(planes: Sequence[NDArray[np.uint8]], boxes: Sequence[PixelBox], gain: float) -> list[F32]:
    """Return the codes in ``boxes`` with R'G'B' times ``gain``, clipped at white (or where they were, if beyond it).

    Args:
        planes: Y', Cb, Cr of a yuv420p or yuv444p frame.
        boxes: the part of each plane to compute; they cover the same pairs of luma rows and columns.
        gain: at least 1.

    Returns:
        For each plane, (H, W) float32 in [0, 255], unrounded: rounding to nearest is for the caller.
    """
    luma, full = boxes[0], planes[0].shape == planes[1].shape
    # a 4:2:0 sample of chroma lies between luma columns, the first of a box on what is left of it
    seen = luma if full else luma._replace(left=max(luma.left - 2, 0))
    parts = [
        plane[box.slices].astype(np.float32) - np.float32(black)
        for plane, box, black in zip(planes, (seen, *boxes[1:]), YUV_BLACK, strict=True)
    ]
    chroma = parts[1:] if full else [_at_luma(plane, seen) for plane in planes[1:]]
    before = luma.left - seen.left
    result = [part * np.float32(gain) for part in (parts[0][:, before:], *parts[1:])]
    if _may_clip([parts[0], *chroma], gain):
        lost = _clipped_away(parts[0], chroma, gain)
        result[0] += lost[0][:, before:]
        for i in (1, 2):
            result[i] += lost[i] if full else _at_chroma(lost[i], seen, boxes[i])
    return [np.clip(values + np.float32(black), 0, 255) for values, black in zip(result, YUV_BLACK, strict=True)]


def _may_clip(parts: Sequence[F32], gain: float) -> bool:
    brightest = float(parts[0].max(initial=0))
    most_chroma = max(float(np.abs(plane).max(initial=0)) for plane in parts[1:])
    return (float(YUV_TO_RGB[0, 0]) * brightest + _GREATEST_CHROMA * most_chroma) * gain > 1


def _clipped_away(luma: F32, chroma: Sequence[F32], gain: float) -> list[F32]:
    """Return what clipping adds to Y', Cb and Cr, at luma resolution."""
    before: F32 = np.asarray(cv2.transform(cv2.merge([luma, *chroma]), YUV_TO_RGB.astype(np.float32)), np.float32)
    excess = np.maximum(before, 1)
    before *= np.float32(gain)
    excess -= before
    np.minimum(excess, 0, out=excess)
    return [np.asarray(lost, np.float32) for lost in cv2.split(cv2.transform(excess, RGB_TO_YUV.astype(np.float32)))]


def _at_luma(plane: NDArray[np.uint8], luma: PixelBox) -> F32:
    """Interpolate a 4:2:0 chroma plane, less its black, linearly to the luma samples of ``luma``.

    ``luma`` begins on an even row and column; the plane's edges are held.
    """
    height, width = luma.shape
    rows = np.clip(np.arange(luma.top // 2 - 1, (luma.bottom + 1) // 2 + 1), 0, plane.shape[0] - 1)
    columns = np.clip(np.arange(luma.left // 2, (luma.right + 1) // 2 + 1), 0, plane.shape[1] - 1)
    part = plane[rows][:, columns].astype(np.float32) - np.float32(YUV_BLACK[1])
    tall = np.empty((2 * (len(rows) - 2), len(columns)), np.float32)
    middle = part[1:-1] * np.float32(0.75)
    tall[0::2] = middle + part[:-2] * np.float32(0.25)
    tall[1::2] = middle + part[2:] * np.float32(0.25)
    wide = np.empty((len(tall), 2 * (len(columns) - 1)), np.float32)
    wide[:, 0::2] = tall[:, :-1]
    wide[:, 1::2] = (tall[:, :-1] + tall[:, 1:]) * np.float32(0.5)
    return np.ascontiguousarray(wide[:height, :width])


def _at_chroma(values: F32, seen: PixelBox, box: PixelBox) -> F32:
    """Sample values at the luma samples of ``seen`` at the chroma sites of ``box``; the picture's edges are held."""
    rows, columns = box.shape
    # One pair of columns on the left, for the filter's first tap; on an odd edge, one row or column more.
    left = 2 if 2 * box.left == seen.left else 0
    padding = ((0, 2 * rows - values.shape[0]), (left, 2 * (columns + 1) - left - values.shape[1]))
    return halve(np.pad(values, padding, mode="edge"))[:, 1:]
