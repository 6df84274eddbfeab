"""Draw the banner of a rated clip: a white plate with a coloured border, a title and notes."""

from __future__ import annotations

from fractions import Fraction
from math import inf

import numpy as np
from numpy.typing import NDArray

from reelproc.drawing.typeset.layout import Block, Fonts, set_text
from reelproc.drawing.typeset.picture import Picture, Style, draw_block, draw_displayed
from reelproc.pixels.colour import hex_to_rgb

SQUARE = Fraction(1)
_PLATE_OPACITY = 0.95
_PLATE_WIDTH = 0.8
_INK = "#111827"
_TOP, _HEIGHT, _HEIGHT_WITH_NOTES, _BORDER, _PADDING = 10, 50, 80, 4, 10
_TITLE, _TITLE_LEAST, _NOTES, _NOTES_LEAST = 24.0, 16.0, 16.0, 12.0
_TITLE_CENTRE, _NOTES_CENTRE = 29, 57


def draw_banner(title: str, notes: str, color: str, *, width: int, scale: float, aspect: Fraction = SQUARE) -> Picture:
    """Draw a banner for frames of one width, its pixels multiplied by ``scale``.

    Args:
        title: its first line.
        notes: its second line; "": it has one line.
        color: of its border, ``"#rrggbb"``.
        width: of the frames, pixels.
        scale: of the banner.
        aspect: the width of the frames' pixels over its height.

    Raises:
        SpecError: no font has one of the characters.
        MissingDependencyError: a text needs complex layout, which this machine's Pillow cannot do.
    """
    return draw_displayed(width, aspect, lambda displayed: _plate(title, notes, color, displayed, scale))


def _plate(title: str, notes: str, color: str, width: int, scale: float) -> Picture:
    plate_width = max(round(width * _PLATE_WIDTH), 1)
    plate_height = round((_HEIGHT_WITH_NOTES if notes else _HEIGHT) * scale)
    border = max(round(_BORDER * scale), 1)
    rgba = np.zeros((plate_height, plate_width, 4), np.float32)
    rgba[...] = np.array((*hex_to_rgb(color), 1), np.float32)
    rgba[border:-border, border:-border] = np.float32(_PLATE_OPACITY)
    plate = plate_width, plate_height
    room = plate_width - 2 * (border + _PADDING * scale)
    lines = [(title, "sans-bold", _TITLE, _TITLE_LEAST, _TITLE_CENTRE if notes else _HEIGHT / 2)]
    if notes:
        lines.append((notes, "sans", _NOTES, _NOTES_LEAST, _NOTES_CENTRE))
    for text, font, size, least, centre in lines:
        fonts, block = _shrunk(text, font, size * scale, least * scale, room)
        line = draw_block(block, fonts, Style(hex_to_rgb(_INK)), x=plate_width / 2, y=centre * scale, size=plate)
        _paste(rgba, line)
    return Picture(rgba, (width - plate_width) // 2, round(_TOP * scale))


def _shrunk(text: str, font: str, size: float, least: float, room: float) -> tuple[Fonts, Block]:
    """Set one line as large as fits, from ``size`` down to ``least`` pixels; cut it if even that is too wide."""
    while True:
        fonts = Fonts(font, size)
        block = set_text(text, fonts, max_width=max(room, 1.0), max_height=inf, max_lines=1)
        if block.complete or size <= least:
            return fonts, block
        size = max(size * 0.95, least)


def _paste(rgba: NDArray[np.float32], picture: Picture) -> None:
    """Paint the part of a picture that lies within ``rgba`` over it; both premultiplied."""
    height, width = rgba.shape[:2]
    top, left = max(picture.y, 0), max(picture.x, 0)
    bottom, right = min(picture.y + picture.rgba.shape[0], height), min(picture.x + picture.rgba.shape[1], width)
    if top >= bottom or left >= right:
        return
    part = picture.rgba[top - picture.y : bottom - picture.y, left - picture.x : right - picture.x]
    target = rgba[top:bottom, left:right]
    target *= 1 - part[..., 3:]
    target += part
