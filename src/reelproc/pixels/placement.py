"""Where a picture goes on a canvas: the one place that answers for aspect ratios, bars and cut edges.

Coordinates are edges: pixel i of a picture spans [i, i + 1], a whole picture is the window (0, 0, width, height).

Chroma of ``yuv420p`` is sited left, as in MPEG-2 and by H.264's default (ITU-T H.264, figure E-1, type 0): luma x is
chroma x / 2 + 1/4, luma y is chroma y / 2. Scaling and turning must keep that, or colours leave their objects.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, NamedTuple

from reelproc.errors import SpecError
from reelproc.pixels.frame import Window
from reelproc.timing import round_half_up

Fit = Literal["contain", "cover", "stretch"]
"""How a picture of one aspect ratio meets a canvas of another: bars, cut edges, or distortion."""

CHROMA_SITING = 0.25
"""The chroma column at which luma column 0 begins, ``yuv420p``."""

SMALLEST_BAR = 2
"""Pixels that a picture may fall short of its canvas without getting bars: what rounding to even sizes costs."""


class Rectangle(NamedTuple):
    """Whole pixels of a canvas."""

    x: int
    y: int
    width: int
    height: int


class Placement(NamedTuple):
    """What is shown of a picture, and where.

    Attributes:
        window: the part of the picture, pixels, floats.
        destination: the pixels of the canvas that it fills; all others are black.
    """

    window: Window
    destination: Rectangle


def whole(width: int, height: int) -> Window:
    """Return the window that shows all of a picture."""
    return Window(0.0, 0.0, float(width), float(height))


def even_near(value: Fraction | float, limit: int | None = None) -> int:
    """Return the even number nearest to ``value``, the greater on a tie, at least 2 and at most ``limit``.

    >>> [even_near(v) for v in (540, 541, 540.9, 607.5, 0.3)]
    [540, 542, 540, 608, 2]
    >>> even_near(161, limit=161)
    160
    """
    even = max(2, 2 * round_half_up(Fraction(value) / 2))
    return even if limit is None else max(2, min(even, limit - limit % 2))


def fit(
    width: int,
    height: int,
    sample_aspect_ratio: Fraction,
    target_width: int,
    target_height: int,
    mode: Fit,
) -> Placement:
    """Place a picture on a canvas of square pixels.

    ``contain`` shows all of it between bars of one size (or 2 pixels apart: the destination lies on even pixels, as
    4:2:0 needs); bars of less than 2 pixels together are left out, the picture being stretched over them. ``cover``
    fills the canvas and cuts both edges equally. ``stretch`` fills the canvas with all of it, distorted.

    Args:
        width, height: of the picture, pixels.
        sample_aspect_ratio: width of one of its pixels over its height, above 0.
        target_width, target_height: of the canvas, pixels.
        mode: ``"contain"``, ``"cover"`` or ``"stretch"``.

    Raises:
        SpecError: a side that is not above 0, or an unknown mode.

    >>> fit(1920, 1080, Fraction(1), 810, 1440, "contain").destination
    Rectangle(x=0, y=492, width=810, height=456)
    >>> fit(1920, 1080, Fraction(1), 810, 1440, "cover").window
    Window(x=656.25, y=0.0, width=607.5, height=1080.0)
    """
    if min(width, height, target_width, target_height) <= 0 or sample_aspect_ratio <= 0:
        raise SpecError(
            f"a picture and its canvas have sides above 0, got {width}x{height} (pixel aspect {sample_aspect_ratio}) "
            f"onto {target_width}x{target_height}"
        )
    canvas = Rectangle(0, 0, target_width, target_height)
    if mode == "stretch":
        return Placement(whole(width, height), canvas)
    shown_width = width * sample_aspect_ratio  # in units of the pixel's height
    if mode == "cover":
        scale = max(target_width / shown_width, Fraction(target_height, height))
        part_width, part_height = target_width / scale / sample_aspect_ratio, target_height / scale
        x, y = (width - part_width) / 2, (height - part_height) / 2
        return Placement(Window(float(x), float(y), float(part_width), float(part_height)), canvas)
    if mode == "contain":
        scale = min(target_width / shown_width, Fraction(target_height, height))
        left, across = _beside_bars(shown_width * scale, target_width)
        top, down = _beside_bars(height * scale, target_height)
        return Placement(whole(width, height), Rectangle(left, top, across, down))
    raise SpecError(f"fit is 'contain', 'cover' or 'stretch', got {mode!r}")


def _beside_bars(length: Fraction, room: int) -> tuple[int, int]:
    """Start and length, both even, of a side of ``length`` pixels in the middle of ``room``."""
    if room - length < SMALLEST_BAR:
        return 0, room
    taken = even_near(length, room)
    return (room - taken) // 4 * 2, taken


def inside(window: Window, width: int, height: int) -> Window:
    """Bring ``window`` inside a picture: shrink it about its centre until it is no larger, then move it.

    >>> inside(Window(-10, 5, 100, 50), 200, 100)
    Window(x=0.0, y=5.0, width=100.0, height=50.0)
    >>> inside(Window(0, 0, 400, 100), 200, 100)
    Window(x=0.0, y=25.0, width=200.0, height=50.0)
    """
    shrink = min(1.0, width / window.width, height / window.height)
    part_width, part_height = min(window.width * shrink, float(width)), min(window.height * shrink, float(height))
    x = window.x + (window.width - part_width) / 2
    y = window.y + (window.height - part_height) / 2
    return Window(min(max(x, 0.0), width - part_width), min(max(y, 0.0), height - part_height), part_width, part_height)


def compose(inner: Window, outer: Window, width: int, height: int) -> Window:
    """Return the window of a window: where ``inner`` lies on the picture that ``outer`` is a part of.

    Args:
        inner: on the picture that ``outer`` stands for, which is ``width`` times ``height`` pixels large.
        outer: the part of the picture beneath.
        width, height: the nominal size of ``outer``.

    >>> compose(Window(10, 20, 40, 40), Window(100, 0, 50, 100), width=100, height=100)
    Window(x=105.0, y=20.0, width=20.0, height=40.0)
    """
    across, down = outer.width / width, outer.height / height
    return Window(outer.x + inner.x * across, outer.y + inner.y * down, inner.width * across, inner.height * down)
