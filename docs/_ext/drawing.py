"""Draws the documentation's pictures: code on a page, run on the demo's match."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

import reelproc as rp
from reelproc.demo.match import MATCH_CLIP, match_tracks
from reelproc.demo.reel import match_reel

GAP, CAPTION = 8, 26


def beside(pictures: dict[str, Image.Image]) -> Image.Image:
    """Pictures of one height side by side, each over its caption."""
    font = ImageFont.load_default(size=15)
    width = sum(picture.width for picture in pictures.values()) + GAP * (len(pictures) - 1)
    height = max(picture.height for picture in pictures.values())
    whole = Image.new("RGB", (width, height + CAPTION), "#ffffff")
    draw, left = ImageDraw.Draw(whole), 0
    for caption, picture in pictures.items():
        whole.paste(picture, (left, 0))
        middle = left + picture.width / 2
        draw.text((middle, height + CAPTION / 2), caption, fill="#333333", font=font, anchor="mm")
        left += picture.width + GAP
    return whole


def drawn(code: str, folder: Path) -> Image.Image:
    """Run ``code`` and return its ``picture``.

    It is run in ``folder``, where ``game.mp4`` is the drawn match, and finds ``rp``, ``beside``, the demo's ``reel``,
    and the match's ``hero`` with ``time``, ``x``, ``y`` and ``height`` at every frame.
    """
    match = match_tracks()
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(MATCH_CLIP, folder / "game.mp4")
    names: dict[str, Any] = {
        "rp": rp,
        "beside": beside,
        "hero": match.hero,
        "reel": match_reel(match, "game.mp4"),
    }
    with inside(folder):
        exec(compile(code, "<picture>", "exec"), names)  # noqa: S102 - our own pages
    picture = names["picture"]
    if not isinstance(picture, Image.Image):
        raise TypeError(f"the code must leave a Pillow image called 'picture', got {picture!r}")
    return picture


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Make ``folder`` the current one for the block."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
