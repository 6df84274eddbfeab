"""The pictures of captions: a text, and the banner's plate with its lines."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from math import inf
from pathlib import Path

import cv2
import numpy as np
import PIL
from numpy.typing import NDArray

from reelproc.pixels.blend import hex_to_rgb
from reelproc.ratings import RATINGS
from reelproc.stages.banner import Banner
from reelproc.stages.text import TextSpec
from reelproc.stages.typeset.clusters import clean
from reelproc.stages.typeset.layout import Block, Fonts, set_text, shaping_available
from reelproc.stages.typeset.paragraph import Paragraph, Run, check_shaping
from reelproc.stages.typeset.picture import Picture, Style, draw_block

__all__ = ["check_text", "draw_banner", "draw_text", "fonts_fingerprint"]

SQUARE = Fraction(1)
_PLATE_OPACITY = 0.95
_PLATE_WIDTH = 0.8
_INK = "#111827"
_TOP, _HEIGHT, _HEIGHT_WITH_NOTES, _BORDER, _PADDING = 10, 50, 80, 4, 10
_TITLE, _TITLE_LEAST, _NOTES, _NOTES_LEAST = 24.0, 16.0, 16.0, 12.0
_TITLE_CENTRE, _NOTES_CENTRE = 29, 57
_ENOUGH = 200
"""Characters of a run that are tried before it is drawn."""


def check_text(text: str, font: str) -> None:
    """Find out, without drawing, whether a text can be drawn on this machine.

    Raises:
        SpecError: there is no such font, its file is damaged, or none has one of the characters.
        MissingDependencyError: the text needs complex layout, which this machine's Pillow cannot do.
    """
    text = clean(text)
    check_shaping(text, available=shaping_available())
    fonts = Fonts(font, _TITLE)
    for run in _runs(text, fonts):
        if not run.face.is_shipped:
            fonts.ink(run._replace(text=run.text[:_ENOUGH]))


def fonts_fingerprint(texts: Iterable[tuple[str, str]]) -> str:
    """A digest of what decides the look of (text, font) pairs beyond themselves: font files of this machine, Pillow."""
    shaping = shaping_available()
    seen = {f"pillow {PIL.__version__} {shaping}"}
    for text, font in texts:
        runs = _runs(clean(text), Fonts(font, _TITLE))
        seen |= {f"{_digest(run.face.path)} {run.face.embolden}" for run in runs if not run.face.is_shipped}
    return hashlib.sha256("\n".join(sorted(seen)).encode()).hexdigest()[:16]


def _runs(text: str, fonts: Fonts) -> Iterator[Run]:
    for line in text.split("\n"):
        yield from Paragraph(line, fonts.chain).runs(0, len(line))


def _digest(path: str) -> str:
    info = Path(path).stat()
    return _digest_of(path, (info.st_size, info.st_mtime_ns))


@lru_cache(maxsize=64)
def _digest_of(path: str, _stamp: tuple[int, int]) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def draw_text(spec: TextSpec, width: int, height: int, aspect: Fraction = SQUARE) -> Picture:
    """A text for frames of one size.

    Args:
        spec: the text.
        width, height: of the frames, pixels.
        aspect: the width of their pixels over its height: letters are drawn as they will be seen.

    Raises:
        SpecError: there is no such font, its file is damaged, or none has one of the characters.
        MissingDependencyError: the text needs complex layout, which this machine's Pillow cannot do.
    """
    return _as_seen(width, aspect, lambda seen: _text(spec, seen, height))


def _text(spec: TextSpec, width: int, height: int) -> Picture:
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
    return draw_block(block, fonts, style, x=x, y=y, size=(width, height))


def _as_seen(width: int, aspect: Fraction, draw: Callable[[int], Picture]) -> Picture:
    """What ``draw`` makes for the width at which frames are seen, its columns brought to those that are stored."""
    seen = max(round(width * aspect), 1)
    picture = draw(seen)
    if seen == width:
        return picture
    by = width / seen
    size = max(round(picture.rgba.shape[1] * by), 1), picture.rgba.shape[0]
    rgba = cv2.resize(picture.rgba, size, interpolation=cv2.INTER_AREA if by < 1 else cv2.INTER_LINEAR)
    return Picture(np.asarray(rgba, np.float32), round(picture.x * by), picture.y)


def _inside(at: float, low: float, high: float, length: int) -> float:
    """Where an anchor goes so that what reaches from ``low`` to ``high`` about it stays within ``length``."""
    return max(min(at, length - high), -low)


def draw_banner(banner: Banner, width: int, scale: float, aspect: Fraction = SQUARE) -> Picture:
    """A banner for frames of one width, its pixels multiplied by ``scale``.

    Args:
        banner: what it says.
        width: of the frames, pixels.
        scale: of the banner.
        aspect: as for :func:`draw_text`.

    Raises:
        SpecError: no font has one of the characters.
        MissingDependencyError: a text needs complex layout, which this machine's Pillow cannot do.
    """
    return _as_seen(width, aspect, lambda seen: _banner(banner, seen, scale))


def _banner(banner: Banner, width: int, scale: float) -> Picture:
    notes = banner.second_line
    plate_width = max(round(width * _PLATE_WIDTH), 1)
    plate_height = round((_HEIGHT_WITH_NOTES if notes else _HEIGHT) * scale)
    border = max(round(_BORDER * scale), 1)
    rgba = np.zeros((plate_height, plate_width, 4), np.float32)
    frame = hex_to_rgb(RATINGS[banner.rating].color)
    rgba[...] = np.array((*frame, 1), np.float32)
    rgba[border:-border, border:-border] = np.float32(_PLATE_OPACITY)
    plate = plate_width, plate_height
    room = plate_width - 2 * (border + _PADDING * scale)
    lines = [(banner.title, "sans-bold", _TITLE, _TITLE_LEAST, _TITLE_CENTRE if notes else _HEIGHT / 2)]
    if notes:
        lines.append((notes, "sans", _NOTES, _NOTES_LEAST, _NOTES_CENTRE))
    for text, font, size, least, centre in lines:
        fonts, block = _shrunk(text, font, size * scale, least * scale, room)
        line = draw_block(block, fonts, Style(hex_to_rgb(_INK)), x=plate_width / 2, y=centre * scale, size=plate)
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
