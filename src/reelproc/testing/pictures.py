"""Draw pictures that are known as functions, so that any window of them at any size is known too.

::

    scene = Scene(texture)
    frame = scene.frame(320, 180, "yuv420p")
    wanted = scene.frame(90, 160, "yuv420p", window=Window(20.3, 10.7, 45, 80))

A scene gives three values (Y, U, V or B, G, R) at every point of the picture, in edge coordinates of its luma. Chroma
is evaluated where its samples are sited, so a shift between brightness and colour shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from reelproc.pixels.frame import Frame, PixelFormat, Window

__all__ = ["Floats", "Points", "Scene", "blob", "centroid", "flat", "noise", "psnr", "texture"]

Floats = NDArray[np.float64]
Points = Callable[[Floats, Floats], Floats]


class Scene:
    """Three functions of (x, y), values 0 to 255."""

    def __init__(self, *planes: Points) -> None:
        self._planes: Sequence[Points] = planes if len(planes) == 3 else planes * 3

    def frame(self, width: int, height: int, pix_fmt: PixelFormat = "yuv420p", window: Window | None = None) -> Frame:
        """Return the scene, point-sampled; ``window`` is the part of it that fills the frame."""
        x0, y0, part_width, part_height = window or Window(0, 0, width, height)
        frame = Frame.empty(width, height, pix_fmt)
        for number, plane in enumerate(frame.planes):
            rows, columns = np.mgrid[: plane.shape[0], : plane.shape[1]].astype(np.float64)
            # left siting: chroma sample (j, i) lies at luma sample 2j, between luma rows 2i and 2i + 1
            if pix_fmt == "yuv420p" and number:
                x, y = 2 * columns + 0.5, 2 * rows + 1.0
            else:
                x, y = columns + 0.5, rows + 0.5
            x, y = x0 + x * part_width / width, y0 + y * part_height / height
            if plane.ndim == 3:
                plane[...] = np.rint(np.stack([f(x, y) for f in self._planes], axis=-1))
            else:
                plane[...] = np.rint(self._planes[number](x, y))
        return frame


def texture(x: Floats, y: Floats) -> Floats:
    """Return smooth detail in all directions: periods of 9 pixels and more, levels 48 to 208."""
    waves = np.sin(x * 0.61 + y * 0.17) + np.sin(y * 0.53 - x * 0.23 + 1) + np.sin((x + y) * 0.11 + 2)
    return np.asarray(128 + 80 / 3 * waves)


def blob(x: float, y: float, radius: float = 6.0, background: float = 40.0) -> Points:
    """Return a spot at (x, y), 120 levels brighter than the background."""
    return lambda px, py: background + 120 * np.exp(-((px - x) ** 2 + (py - y) ** 2) / (2 * radius**2))


def centroid(plane: NDArray[np.uint8], background: float = 40.0) -> tuple[float, float]:
    """Return the centre of what is brighter than ``background``, in edge coordinates of the plane."""
    weight = np.clip(plane.astype(np.float64) - background - 4, 0, None)
    rows, columns = np.mgrid[: plane.shape[0], : plane.shape[1]]
    total = weight.sum()
    return float((weight * (columns + 0.5)).sum() / total), float((weight * (rows + 0.5)).sum() / total)


def noise(width: int, height: int, pix_fmt: PixelFormat = "yuv420p", seed: int = 0) -> Frame:
    """Return random samples, in which no change goes unnoticed."""
    frame = Frame.empty(width, height, pix_fmt)
    frame.data[:] = np.random.default_rng(seed).integers(0, 256, frame.data.size, dtype=np.uint8)
    return frame


def flat(width: int, height: int, pix_fmt: PixelFormat, levels: Sequence[int]) -> Frame:
    """Return a frame with one level per plane, or per channel."""
    frame = Frame.empty(width, height, pix_fmt)
    for number, plane in enumerate(frame.planes):
        plane[...] = levels if plane.ndim == 3 else levels[number]
    return frame


def psnr(one: Frame, two: Frame, *, margin: int = 0) -> float:
    """Return the peak signal-to-noise ratio of the worst plane, dB, without ``margin`` samples at each border."""
    worst = np.inf
    for a, b in zip(one.planes, two.planes, strict=True):
        inner = (slice(margin, a.shape[0] - margin), slice(margin, a.shape[1] - margin))
        error = np.mean((a[inner].astype(np.float64) - b[inner]) ** 2)
        worst = min(worst, np.inf if error == 0 else 10 * np.log10(255**2 / error))
    return float(worst)
