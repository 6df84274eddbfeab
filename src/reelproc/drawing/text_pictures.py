"""Draw a text as a picture, and find out beforehand whether it can be drawn, and with which fonts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import PIL

from reelproc.drawing.options import Align
from reelproc.drawing.typeset.clusters import clean
from reelproc.drawing.typeset.layout import Fonts, set_text, shaping_available
from reelproc.drawing.typeset.paragraph import FontRun, Paragraph, check_shaping
from reelproc.drawing.typeset.picture import Picture, Style, draw_block, draw_displayed
from reelproc.files import sha256_of

SQUARE = Fraction(1)
_CHECK_EM = 24.0
"""Pixels: the size at which a text is checked; the fonts that it needs do not depend on it."""
_CHECKED_CHARACTERS = 200
"""Characters of a run that are tried before it is drawn."""


def check_text(text: str, font: str) -> None:
    """Check, without drawing, that a text can be drawn on this machine.

    Raises:
        SpecError: there is no such font, its file is damaged, or none has one of the characters.
        MissingDependencyError: the text needs complex layout, which this machine's Pillow cannot do.
    """
    text = clean(text)
    check_shaping(text, available=shaping_available())
    fonts = Fonts(font, _CHECK_EM)
    for run in _runs(text, fonts):
        if not run.face.is_shipped:
            fonts.ink(run._replace(text=run.text[:_CHECKED_CHARACTERS]))


def fonts_fingerprint(texts: Iterable[tuple[str, str]]) -> str:
    """Return a digest of the font files of this machine and the Pillow that (text, font) pairs are drawn with."""
    shaping = shaping_available()
    seen = {f"pillow {PIL.__version__} {shaping}"}
    for text, font in texts:
        runs = _runs(clean(text), Fonts(font, _CHECK_EM))
        seen |= {f"{_digest(run.face.path)} {run.face.embolden}" for run in runs if not run.face.is_shipped}
    return hashlib.sha256("\n".join(sorted(seen)).encode()).hexdigest()[:16]


def _runs(text: str, fonts: Fonts) -> Iterator[FontRun]:
    for line in text.split("\n"):
        yield from Paragraph(line, fonts.chain).runs(0, len(line))


def _digest(path: str) -> str:
    info = Path(path).stat()
    return _digest_of(path, (info.st_size, info.st_mtime_ns))


@lru_cache(maxsize=64)
def _digest_of(path: str, _stamp: tuple[int, int]) -> str:
    return sha256_of(Path(path))


def draw_text(
    text: str,
    *,
    font: str,
    size: float,
    style: Style,
    x: float,
    y: float,
    max_width: float,
    align: Align,
    width: int,
    height: int,
    aspect: Fraction = SQUARE,
) -> Picture:
    """Draw a text for frames of one size, moved so that it stays inside.

    Args:
        text: what is said.
        font: see :func:`~reelproc.drawing.fonts.library.font_chain`.
        size: of one em, pixels.
        style: how its letters look.
        x, y: of its anchor, fractions of the frame's sides.
        max_width: of a line, a fraction of the frame's width.
        align: of the lines, and of the block to its anchor.
        width, height: of the frames, pixels.
        aspect: the width of their pixels over its height: letters have their shape when displayed.

    Raises:
        SpecError: there is no such font, its file is damaged, or none has one of the characters.
        MissingDependencyError: the text needs complex layout, which this machine's Pillow cannot do.
    """

    def draw(displayed: int) -> Picture:
        fonts = Fonts(font, size)
        # Hinting and rounding move an edge by up to a pixel.
        reach = style.scaled(fonts.size).stroke_width + 1
        block = set_text(
            text,
            fonts,
            max_width=max(min(max_width * displayed, displayed) - 2 * reach, 1.0),
            max_height=max(height - 2 * reach, 1.0),
            align=align,
        )
        ink = block.ink.grown(reach)
        left = _inside(x * displayed, ink.left, ink.right, displayed)
        top = _inside(y * height, ink.top, ink.bottom, height)
        return draw_block(block, fonts, style, x=left, y=top, size=(displayed, height))

    return draw_displayed(width, aspect, draw)


def _inside(at: float, low: float, high: float, length: int) -> float:
    """Return the place of an anchor nearest ``at`` that keeps ``low`` to ``high`` around it within ``length``."""
    return max(min(at, length - high), -low)
