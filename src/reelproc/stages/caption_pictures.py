"""The pictures of captions: a text, and the banner's plate with its lines."""

from __future__ import annotations

from math import inf

import numpy as np
from numpy.typing import NDArray

from reelproc.fonts.library import font_chain
from reelproc.media.blend import hex_to_rgb
from reelproc.ratings import RATINGS
from reelproc.stages.banner import Banner
from reelproc.stages.text import TextSpec
from reelproc.stages.typeset.clusters import clean
from reelproc.stages.typeset.layout import Block, Fonts, set_text, shaping_available
from reelproc.stages.typeset.paragraph import Paragraph, check_shaping
from reelproc.stages.typeset.picture import Picture, Style, draw_block

__all__ = ["check_text", "draw_banner", "draw_text"]

_PLATE_OPACITY = 0.95
_PLATE_WIDTH = 0.8
_INK = "#111827"
_TOP, _HEIGHT, _HEIGHT_WITH_NOTES, _BORDER, _PADDING = 10, 50, 80, 4, 10
_TITLE, _TITLE_LEAST, _NOTES, _NOTES_LEAST = 24.0, 16.0, 16.0, 12.0
_TITLE_CENTRE, _NOTES_CENTRE = 29, 57


def check_text(text: str, font: str) -> None:
    """Find out, without drawing, whether a text can be drawn on this machine.

    Raises:
        SpecError: there is no such font, or none has one of the characters.
        MissingDependencyError: the text needs complex layout, which this machine's Pillow cannot do.
    """
    text = clean(text)
    check_shaping(text, available=shaping_available())
    chain = font_chain(font)
    for line in text.split("\n"):
        Paragraph(line, chain)


def draw_text(spec: TextSpec, width: int, height: int) -> Picture:
    """A text for frames of one size.

    Raises:
        SpecError: there is no such font, or none has one of the characters.
        MissingDependencyError: the text needs complex layout, which this machine's Pillow cannot do.
    """
    fonts = Fonts(spec.font, spec.size * height)
    em = fonts.size
    style = Style(color=hex_to_rgb(spec.color), opacity=spec.opacity)
    if spec.stroke:
        style = style._replace(stroke_width=spec.stroke.width * em, stroke_color=hex_to_rgb(spec.stroke.color))
    if spec.shadow:
        style = style._replace(
            shadow_opacity=spec.shadow.opacity,
            shadow_color=hex_to_rgb(spec.shadow.color),
            shadow_offset=(spec.shadow.offset_x * em, spec.shadow.offset_y * em),
            shadow_blur=spec.shadow.blur * em,
        )
    # Hinting and rounding move an edge by up to a pixel.
    reach = style.stroke_width + 1
    block = set_text(
        spec.text,
        fonts,
        max_width=max(min(spec.max_width * width, width) - 2 * reach, 1.0),
        max_height=max(height - 2 * reach, 1.0),
        align=spec.align,
    )
    ink = block.ink.grown(reach)
    x = _inside(spec.position.x * width, ink.left, ink.right, width)
    y = _inside(spec.position.y * height, ink.top, ink.bottom, height)
    return draw_block(block, fonts, style, x=x, y=y)


def _inside(at: float, low: float, high: float, length: int) -> float:
    """Where an anchor goes so that what reaches from ``low`` to ``high`` about it stays within ``length``."""
    return max(min(at, length - high), -low)


def draw_banner(banner: Banner, width: int, scale: float) -> Picture:
    """A banner for frames of one width, its pixels multiplied by ``scale``.

    Raises:
        SpecError: no font has one of the characters.
        MissingDependencyError: a text needs complex layout, which this machine's Pillow cannot do.
    """
    notes = banner.second_line
    plate_width = max(round(width * _PLATE_WIDTH), 1)
    plate_height = round((_HEIGHT_WITH_NOTES if notes else _HEIGHT) * scale)
    border = max(round(_BORDER * scale), 1)
    rgba = np.zeros((plate_height, plate_width, 4), np.float32)
    frame = hex_to_rgb(RATINGS[banner.rating].color)
    rgba[...] = np.array((*frame, 1), np.float32)
    rgba[border:-border, border:-border] = np.float32(_PLATE_OPACITY)
    room = plate_width - 2 * (border + _PADDING * scale)
    lines = [(banner.title, "sans-bold", _TITLE, _TITLE_LEAST, _TITLE_CENTRE if notes else _HEIGHT / 2)]
    if notes:
        lines.append((notes, "sans", _NOTES, _NOTES_LEAST, _NOTES_CENTRE))
    for text, font, size, least, centre in lines:
        fonts, block = _shrunk(text, font, size * scale, least * scale, room)
        line = draw_block(block, fonts, Style(hex_to_rgb(_INK)), x=plate_width / 2, y=centre * scale)
        _paste(rgba, line)
    return Picture(rgba, (width - plate_width) // 2, round(_TOP * scale))


def _shrunk(text: str, font: str, size: float, least: float, room: float) -> tuple[Fonts, Block]:
    """One line, as large as fits, from ``size`` down to ``least`` pixels; cut if even that is too wide."""
    while True:
        fonts = Fonts(font, size)
        block = set_text(text, fonts, max_width=max(room, 1.0), max_height=inf, max_lines=1)
        if block.complete or size <= least:
            return fonts, block
        size = max(size * 0.95, least)


def _paste(rgba: NDArray[np.float32], picture: Picture) -> None:
    """Put a picture over another, as far as it lies within; both premultiplied."""
    height, width = rgba.shape[:2]
    top, left = max(picture.y, 0), max(picture.x, 0)
    bottom, right = min(picture.y + picture.rgba.shape[0], height), min(picture.x + picture.rgba.shape[1], width)
    if top >= bottom or left >= right:
        return
    part = picture.rgba[top - picture.y : bottom - picture.y, left - picture.x : right - picture.x]
    target = rgba[top:bottom, left:right]
    target *= 1 - part[..., 3:]
    target += part
