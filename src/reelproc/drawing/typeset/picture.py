"""Paint text in colour: letters over their outline over their shadow, as a picture with alpha."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from reelproc.drawing.typeset.layout import Block, Fonts, TextBox, font_errors

F32 = NDArray[np.float32]
Rgb = tuple[float, float, float]


class Style(NamedTuple):
    """How letters look; lengths in em, colours and opacities in [0, 1]."""

    color: Rgb
    opacity: float = 1.0
    stroke_width: float = 0.0
    stroke_color: Rgb = (0.0, 0.0, 0.0)
    shadow_opacity: float = 0.0
    shadow_color: Rgb = (0.0, 0.0, 0.0)
    shadow_offset: tuple[float, float] = (0.0, 0.0)
    shadow_blur: float = 0.0

    def scaled(self, em: float) -> Style:
        """Return the same style with its lengths in pixels, for letters of ``em`` pixels."""
        return self._replace(
            stroke_width=self.stroke_width * em,
            shadow_offset=(self.shadow_offset[0] * em, self.shadow_offset[1] * em),
            shadow_blur=self.shadow_blur * em,
        )

    @property
    def margin(self) -> float:
        """Return how far the shadow and the outline reach beyond the letters at most."""
        reach = max(map(abs, self.shadow_offset)) + 2 * self.shadow_blur if self.shadow_opacity else 0.0
        return self.stroke_width + reach


class Picture(NamedTuple):
    """A picture and where it goes.

    Attributes:
        rgba: (H, W, 4) float32 in [0, 1], R'G'B' premultiplied by alpha.
        x, y: of its top left pixel on the frame.
    """

    rgba: F32
    x: int
    y: int


def over(rgba: F32, color: Rgb, alpha: F32) -> None:
    """Paint ``color`` with ``alpha`` (H, W) over a premultiplied picture, in place."""
    rest = (1 - alpha)[..., None]
    rgba *= rest
    rgba += alpha[..., None] * np.array((*color, 1), np.float32)


def draw_displayed(width: int, aspect: Fraction, draw: Callable[[int], Picture]) -> Picture:
    """Draw at the width at which frames are displayed, and bring the columns to those that are stored.

    Args:
        width: of the frames as stored, pixels.
        aspect: the width of their pixels over its height.
        draw: given the displayed width, makes the picture.
    """
    displayed = max(round(width * aspect), 1)
    picture = draw(displayed)
    if displayed == width:
        return picture
    by = width / displayed
    size = max(round(picture.rgba.shape[1] * by), 1), picture.rgba.shape[0]
    rgba = cv2.resize(picture.rgba, size, interpolation=cv2.INTER_AREA if by < 1 else cv2.INTER_LINEAR)
    return Picture(np.asarray(rgba, np.float32), round(picture.x * by), picture.y)


def draw_block(block: Block, fonts: Fonts, style: Style, *, x: float, y: float, size: tuple[float, float]) -> Picture:
    """Draw a block with its anchor at (x, y) of the frame.

    Args:
        block: from :func:`~reelproc.drawing.typeset.layout.set_text`.
        fonts: those it was set with.
        style: how its letters look.
        size: (width, height) of the frame, pixels; what lies further outside of it than the margin is left out.

    Raises:
        SpecError: a font's file is damaged.
    """
    style = style.scaled(fonts.size)
    reach = style.margin + 2
    area = block.ink.moved(x, y).grown(reach).within(TextBox(0, 0, *size).grown(reach))
    left, top = floor(area.left), floor(area.top)
    width, height = max(ceil(area.right) - left, 1), max(ceil(area.bottom) - top, 1)

    def mask(stroke: float) -> F32:
        image = Image.new("L", (width, height))
        draw = ImageDraw.Draw(image)
        for run, run_x, run_y in block.runs:
            with font_errors(run.face):
                draw.text(
                    (x + run_x - left, y + run_y - top),
                    run.text,
                    fill=255,
                    font=fonts.load(run.face),
                    anchor="ls",
                    direction=fonts.direction(run),
                    stroke_width=stroke + run.face.embolden * fonts.size,
                )
        return np.asarray(image, np.float32) / np.float32(255)

    letters = mask(0.0)
    outlined = np.maximum(mask(style.stroke_width), letters) if style.stroke_width > 0 else letters
    rgba = np.zeros((height, width, 4), np.float32)
    if style.shadow_opacity:
        over(rgba, style.shadow_color, _shadow(outlined, style))
    if style.stroke_width > 0:
        over(rgba, style.stroke_color, outlined)
    over(rgba, style.color, letters)
    rgba *= np.float32(style.opacity)
    return Picture(rgba, left, top)


def _shadow(mask: F32, style: Style) -> F32:
    """Move and blur the mask as CSS does it: a Gaussian whose standard deviation is half the blur length."""
    dx, dy = style.shadow_offset
    shift = np.array([[1, 0, dx], [0, 1, dy]])
    moved = cv2.warpAffine(mask, shift, (mask.shape[1], mask.shape[0]))
    if style.shadow_blur > 0:
        moved = cv2.GaussianBlur(moved, (0, 0), style.shadow_blur / 2)
    return np.asarray(moved * style.shadow_opacity, np.float32)
