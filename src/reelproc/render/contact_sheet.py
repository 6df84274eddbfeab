"""A contact sheet: a result at a dozen moments on one picture, each with its time, without rendering it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from reelproc.errors import SpecError
from reelproc.render.preview import Look, Subject, looking_at
from reelproc.render.still import Still, image_format, save_image

if TYPE_CHECKING:
    from PIL.Image import Image

    from reelproc.job_context import OnDamage

_BACK, _TEXT, _DIM = "#14171c", "#f3f4f6", "#9aa4b2"
_GAP, _CAPTION, _TITLE = 10, 24, 44
_MOST_PIXELS = 16384
"""The most pixels that a side of the sheet has."""


def contact_sheet(
    what: Subject,
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
    columns: int = 6,
    rows: int = 2,
    tile_width: int = 240,
    on_damage: OnDamage = "raise",
    check: Callable[[], None] = lambda: None,
) -> tuple[float, ...]:
    """Write a picture that shows a result at ``columns * rows`` evenly spaced moments, each with its time and clip.

    Nothing is rendered but these frames; each is the one that a render makes (see :func:`reelproc.preview`).

    Args:
        what: a reel, its plan, or a video file.
        path: of the picture, ``*.png``, ``*.jpg`` or ``*.webp``; it appears when it is whole.
        title: stands above the tiles, before the size and length; None: a video file's name.
        columns, rows: how many tiles.
        tile_width: pixels; the height follows.
        on_damage: see :func:`reelproc.preview`.
        check: called before each frame; raises to stop.

    Returns:
        The times of the frames shown, seconds.

    Raises:
        SpecError: no such picture can be made, or the reel is not possible with its sources.
        StorageError: the picture cannot be written.
        ReelprocError: as for :func:`reelproc.preview`.
    """
    with looking_at(what, on_damage=on_damage, check=check) as look:
        return draw_sheet(look, path, title=title, columns=columns, rows=rows, tile_width=tile_width)


def draw_sheet(
    look: Look,
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
    columns: int = 6,
    rows: int = 2,
    tile_width: int = 240,
) -> tuple[float, ...]:
    """Write the contact sheet of what is open to be looked at; see :func:`contact_sheet`."""
    count = columns * rows
    image_format(path)
    if min(columns, rows, tile_width) < 1 or columns * (tile_width + _GAP) > _MOST_PIXELS:
        raise SpecError(
            f"a sheet has columns, rows and tiles of at least 1 and is at most {_MOST_PIXELS} pixels wide, got "
            f"{columns} columns and {rows} rows of {tile_width} pixels"
        )
    stills = look.stills([look.duration * (2 * k + 1) / (2 * count) for k in range(count)])
    if title is None:
        title = look.title
    save_image(_arranged(stills, look, columns, tile_width, title), path)
    return tuple(still.time_seconds for still in stills)


def _arranged(stills: Sequence[Still], look: Look, columns: int, tile_width: int, title: str) -> Image:
    from PIL import Image as Pictures
    from PIL import ImageDraw, ImageFont

    small, large = ImageFont.load_default(size=15), ImageFont.load_default(size=20)
    tiles = [still.to_image(width=tile_width) for still in stills]
    wide, tall = tiles[0].size
    rows = -(-len(stills) // columns)
    sheet = Pictures.new("RGB", (_GAP + columns * (wide + _GAP), _TITLE + rows * (tall + _CAPTION + _GAP)), _BACK)
    draw = ImageDraw.Draw(sheet)
    draw.text(
        (_GAP, _TITLE / 2), "   ".join(filter(None, [title, look.describe()])), fill=_TEXT, font=large, anchor="lm"
    )
    for number, (still, tile) in enumerate(zip(stills, tiles, strict=True)):
        x = _GAP + number % columns * (wide + _GAP)
        y = _TITLE + number // columns * (tall + _CAPTION + _GAP)
        sheet.paste(tile, (x, y))
        draw.text((x, y + tall + _CAPTION / 2), timecode(still.time), fill=_TEXT, font=small, anchor="lm")
        draw.text((x + wide, y + tall + _CAPTION / 2), look.caption(still), fill=_DIM, font=small, anchor="rm")
    return sheet


def timecode(seconds: float | Fraction) -> str:
    """Return minutes, seconds and hundredths.

    >>> timecode(63.505)
    '1:03.51'
    """
    hundredths = int(seconds * 100 + 0.5)
    return f"{hundredths // 6000}:{hundredths // 100 % 60:02d}.{hundredths % 100:02d}"
