"""Work out the anti-aliased coverage of ellipses and elliptic rings from their analytic distance.

Coordinates are luma pixels in edge coordinates: pixel i spans [i, i + 1], its centre lies at i + 0.5. A coverage is the
share of a sample's footprint that lies inside, with the edge taken for straight across the footprint; it is a smooth
function of the ellipse's position and size, so that nothing jitters when an ellipse moves by a fraction of a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, hypot, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

_BAND_PAIRS = 96
"""Pairs of rows in a tile: fewer tiles are fewer calls of numpy, larger ones no longer fit the cache."""

_INSIDE_PAIRS = 32
"""Pairs of columns for which an inside is worth a tile of its own."""

_INSIDE_SLACK = 4.0
"""Pixels: half a chroma sample's footprint, and what the curvature may take."""

_FLOAT32_RADIUS = 16384.0
"""Up to this radius, float32 keeps the distance exact to a thousandth of a pixel."""

_TINY = 1e-12


class Ellipse(NamedTuple):
    """An axis-parallel ellipse: centre and half axes."""

    x: float
    y: float
    radius_x: float
    radius_y: float


class PixelBox(NamedTuple):
    """Columns ``left`` to ``right`` and rows ``top`` to ``bottom``, half-open."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it."""
        return self.right <= self.left or self.bottom <= self.top

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return max(self.bottom - self.top, 0), max(self.right - self.left, 0)

    @property
    def slices(self) -> tuple[slice, slice]:
        """For indexing a plane."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def within(self, outer: PixelBox) -> tuple[slice, slice]:
        """Return what indexes it in an array that covers ``outer``."""
        return (
            slice(self.top - outer.top, self.bottom - outer.top),
            slice(self.left - outer.left, self.right - outer.left),
        )


class EllipseTile(NamedTuple):
    """A piece of what an ellipse touches.

    Attributes:
        pairs: in pairs of luma columns and rows, so that it means the same on every plane.
        inside: wholly covered, out of reach of the edge.
    """

    pairs: PixelBox
    inside: bool


def on_the_ground(body: Ellipse) -> Ellipse:
    """Return the flat ellipse under the feet of a player whom ``body`` surrounds at 1.3 times their size."""
    return Ellipse(body.x, body.y + body.radius_y / 1.3, body.radius_x * 2 / 1.3, body.radius_y * 0.3)


_SAMPLE = 0.5
"""Pixels from a sample's centre to its edge: how far from an edge something of a sample is covered."""


_BOX_SLACK = 4.0
"""Pixels by which :func:`bounds` reaches beyond what it is told at most: 2, and up to a pair of pixels."""


def gap(ellipse: Ellipse, width: float, height: float, *, reach: float = 0.0) -> float:
    """Return how many pixels an ellipse is away from a frame, on the line from its centre; 0 if it covers some of it.

    Args:
        ellipse: in luma pixels.
        width, height: of the frame.
        reach: pixels beyond the edge that something is drawn on.
    """
    # from the nearest sample's centre, in units of the radii: the nearest point of a box whichever way it is scaled
    x = max(_SAMPLE - ellipse.x, 0.0, ellipse.x - (width - _SAMPLE))
    y = max(_SAMPLE - ellipse.y, 0.0, ellipse.y - (height - _SAMPLE))
    radii = hypot(x / (ellipse.radius_x + reach + _SAMPLE), y / (ellipse.radius_y + reach + _SAMPLE))
    if radii < 1:
        return 0.0
    if x <= ellipse.radius_x + reach + _BOX_SLACK and y <= ellipse.radius_y + reach + _BOX_SLACK:
        # beside a flat ellipse, the first-order distance that is drawn by is less than the true one
        column, row = min(max(ellipse.x, _SAMPLE), width - _SAMPLE), min(max(ellipse.y, _SAMPLE), height - _SAMPLE)
        beside = signed_distance(ellipse, np.array([column]), np.arange(_SAMPLE, height))
        above = signed_distance(ellipse, np.arange(_SAMPLE, width), np.array([row]))
        if min(beside.min(), above.min()) < reach + _SAMPLE:
            return 0.0
    return hypot(x, y) * (1 - 1 / radii)


def encloses(ellipse: Ellipse, width: int, height: int) -> bool:
    """Return whether every sample of a frame lies wholly inside an ellipse."""
    rx, ry = ellipse.radius_x - _SAMPLE, ellipse.radius_y - _SAMPLE
    if rx <= 0 or ry <= 0:
        return False
    x = max(ellipse.x - _SAMPLE, width - _SAMPLE - ellipse.x)
    y = max(ellipse.y - _SAMPLE, height - _SAMPLE - ellipse.y)
    return hypot(x / rx, y / ry) <= 1


def bounds(ellipse: Ellipse, margin: float, width: int, height: int) -> PixelBox:
    """Return what an ellipse grown by ``margin`` pixels can touch, in pairs of luma columns and rows."""
    reach = margin + 2

    def pair(at: float, end: int) -> int:
        return int(min(max(at / 2, 0), (end + 1) // 2))

    return PixelBox(
        pair(ellipse.x - ellipse.radius_x - reach, width),
        pair(ellipse.y - ellipse.radius_y - reach, height),
        pair(ellipse.x + ellipse.radius_x + reach + 2, width),
        pair(ellipse.y + ellipse.radius_y + reach + 2, height),
    )


def tiles(ellipse: Ellipse, margin: float, width: int, height: int) -> list[EllipseTile]:
    """Divide :func:`bounds` into bands of rows that fit the cache, and keep the inside of the ellipse apart.

    Args:
        ellipse: in luma pixels.
        margin: pixels about the edge, on either side, that something is drawn on.
        width, height: of the frame.
    """
    box = bounds(ellipse, margin, width, height)
    rx, ry = ellipse.radius_x, ellipse.radius_y
    # Shrinking both radii by r moves the edge inwards by at least r * 2 sqrt(rx ry) / (rx + ry), up to its curvature.
    reach = (margin + _INSIDE_SLACK) * (rx + ry) / (2 * sqrt(rx) * sqrt(ry))
    inner = Ellipse(ellipse.x, ellipse.y, rx - reach, ry - reach)
    found = []
    for top in range(box.top, box.bottom, _BAND_PAIRS):
        band = box._replace(top=top, bottom=min(top + _BAND_PAIRS, box.bottom))
        half = min(_half_width(inner, 2 * band.top), _half_width(inner, 2 * band.bottom))
        left = min(max(ceil((ellipse.x - half) / 2), box.left), box.right)
        right = max(min(floor((ellipse.x + half) / 2), box.right), left)
        if right - left < _INSIDE_PAIRS:
            found.append(EllipseTile(band, False))
            continue
        pieces = (
            EllipseTile(band._replace(right=left), False),
            EllipseTile(band._replace(left=left, right=right), True),
            EllipseTile(band._replace(left=right), False),
        )
        found += [tile for tile in pieces if not tile.pairs.empty]
    return found


def _half_width(ellipse: Ellipse, y: float) -> float:
    """Return half the width of an ellipse at a height; 0 where it does not reach."""
    if ellipse.radius_x <= 0 or ellipse.radius_y <= 0:
        return 0.0
    return ellipse.radius_x * sqrt(max(1 - ((y - ellipse.y) / ellipse.radius_y) ** 2, 0.0))


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the samples of a plane lie.

    Attributes:
        step: luma pixels per sample: 1 for luma and 4:4:4 chroma, 2 for 4:2:0 chroma.
        width, height: samples.
    """

    step: int
    width: int
    height: int

    def samples(self, pairs: PixelBox) -> PixelBox:
        """Return the samples of pairs of luma columns and rows."""
        each = 2 // self.step
        return PixelBox(
            pairs.left * each,
            pairs.top * each,
            min(pairs.right * each, self.width),
            min(pairs.bottom * each, self.height),
        )

    def positions(self, box: PixelBox) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the x of each column and the y of each row; 4:2:0 chroma lies on luma columns, between luma rows."""
        x = np.arange(box.left, box.right, dtype=np.float64) * self.step + 0.5
        y = np.arange(box.top, box.bottom, dtype=np.float64) * self.step + self.step / 2
        return np.asarray(x), np.asarray(y)


def signed_distance(ellipse: Ellipse, x: NDArray[np.float64], y: NDArray[np.float64]) -> F32:
    """Return the distance from the ellipse's edge in pixels, negative inside.

    To first order, (f^2 - f) / |grad (f^2 / 2)|, with f the distance from the centre in units of the radius in that
    direction (after G. Taubin, "Distance approximations for rasterizing implicit curves", 1994): exact on a circle and
    on the axes, and everywhere in the limit at the edge, which is where coverage needs it.

    Args:
        x: (W,) columns.
        y: (H,) rows.

    Returns:
        (H, W) float32.
    """
    rx, ry = ellipse.radius_x, ellipse.radius_y
    dtype = np.float32 if max(rx, ry) <= _FLOAT32_RADIUS else np.float64
    # The tiny term keeps the centre, where 0 / 0 would stand, at one (the shorter) radius from the edge.
    u = (((x - ellipse.x) / rx) ** 2 + _TINY)[None, :]
    v = (((y - ellipse.y) / ry) ** 2)[:, None]
    f = np.sqrt(u.astype(dtype) + v.astype(dtype))
    slope = np.sqrt(((u - _TINY) / rx**2 + _TINY / min(rx, ry) ** 2).astype(dtype) + (v / ry**2).astype(dtype))
    distance = f - 1
    distance *= f
    distance /= slope
    return np.asarray(distance, np.float32)


def covered(distance: F32, footprint: float, *, grow: float = 0.0) -> F32:
    """Return the share of each sample that lies inside the edge moved outwards by ``grow`` pixels.

    Args:
        distance: see :func:`signed_distance`.
        footprint: width of a sample in luma pixels.

    Returns:
        float32 in [0, 1].
    """
    share = distance * np.float32(-1 / footprint)
    share += np.float32(0.5 + grow / footprint)
    return np.clip(share, 0, 1, out=share)


def ring(distance: F32, footprint: float, width: float) -> F32:
    """Return the share of each sample that a line of ``width`` pixels, centred on the edge, covers."""
    share = covered(distance, footprint, grow=width / 2)
    share -= covered(distance, footprint, grow=-width / 2)
    return share


def open_ring(
    ellipse: Ellipse,
    distance: F32,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    footprint: float,
    width: float,
) -> F32:
    """Return :func:`ring` open at the top: the arc from -30 to 210 degrees, with round ends.

    Angles are the ellipse's parameter t of (x + radius_x cos t, y + radius_y sin t) and run clockwise on the screen
    from the right: the arc passes through the bottom, and the third that is missing lies behind the player.
    """
    rx, ry = ellipse.radius_x, ellipse.radius_y
    cosine, sine = sqrt(3) / 2, -0.5  # of -30 degrees
    # The rays from the centre to both ends are lines in units of the radii; this is the distance from the nearer one.
    unit = 1 / sqrt((sine / rx) ** 2 + (cosine / ry) ** 2)
    across_x = (np.abs(x - ellipse.x) / rx * sine * unit).astype(np.float32)
    across_y = ((y - ellipse.y) / ry * cosine * unit).astype(np.float32)
    gap = across_x[None, :] - across_y[:, None]
    share = ring(distance, footprint, width)
    share *= covered(gap, footprint)
    reach = width / 2 + footprint
    dy = y - (ellipse.y + ry * sine)
    rows = slice(*np.searchsorted(dy, (-reach, reach)))
    for side in (-1, 1):
        dx = x - (ellipse.x + side * rx * cosine)
        columns = slice(*np.searchsorted(dx, (-reach, reach)))
        end = np.asarray(np.hypot(dx[None, columns], dy[rows, None]) - width / 2, np.float32)
        np.maximum(share[rows, columns], covered(end, footprint), out=share[rows, columns])
    return share
