"""A contact sheet: a video at a dozen moments on one picture, each with its time."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reelproc.errors import StorageError
from reelproc.media.blend import BLACK, YUV_TO_RGB
from reelproc.media.reader import open_video
from reelproc.partial import partial_path

if TYPE_CHECKING:
    from PIL.Image import Image

    from reelproc.media.frame import Frame

__all__ = ["contact_sheet"]

_BACK, _TEXT, _DIM = "#14171c", "#f3f4f6", "#9aa4b2"
_GAP, _CAPTION, _TITLE = 10, 24, 44


def contact_sheet(
    video: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    title: str = "",
    captions: Callable[[float], str] = lambda _: "",
    columns: int = 6,
    rows: int = 2,
    tile_width: int = 240,
    check: Callable[[], None] = lambda: None,
) -> tuple[float, ...]:
    """Write a PNG that shows ``video`` at ``columns * rows`` evenly spaced moments.

    Args:
        video: a local file.
        path: of the picture; it appears when it is whole.
        title: stands above the tiles.
        captions: what stands below a tile, beside its time; given seconds.
        columns, rows: how many tiles.
        tile_width: pixels.
        check: called before every frame; raises to stop.

    Returns:
        The times of the frames shown, seconds.

    Raises:
        DecodeError: the video cannot be read.
        StorageError: the picture cannot be written.
    """
    shown: list[tuple[float, Image]] = []
    with open_video(video, pix_fmt="yuv420p") as reader:
        count = columns * rows
        duration = float(reader.info.duration)
        wanted = [duration * (k + 0.5) / count for k in range(count)]
        shape = float(reader.info.require_video().sample_aspect_ratio) * reader.width / reader.height
        size = (tile_width, max(1, round(tile_width / shape)))
        last: Frame | None = None
        for frame in itertools.chain(reader, [None]):
            check()
            tile: Image | None = None
            # What is seen at a moment is the last frame that came before it.
            while last and len(shown) < count and (frame is None or frame.time > wanted[len(shown)]):
                tile = tile or _reduced(last, size)
                shown.append((last.time, tile))
            last = frame
    sheet = _arrange(shown, size, columns, title, captions)
    destination = Path(path)
    partial = partial_path(destination)
    try:
        sheet.save(partial, format="PNG")
        partial.replace(destination)
    except OSError as error:
        raise StorageError(f"{destination} cannot be written: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return tuple(time for time, _ in shown)


def _reduced(frame: Frame, size: tuple[int, int]) -> Image:
    """A yuv420p frame as a small picture."""
    import cv2
    import numpy as np
    from PIL import Image as Pictures

    planes = [cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in frame.planes]
    codes = np.stack(planes, -1).astype(np.float64) - BLACK
    return Pictures.fromarray(np.clip(np.rint(codes @ YUV_TO_RGB.T * 255), 0, 255).astype(np.uint8))


def _arrange(
    shown: Sequence[tuple[float, Image]],
    size: tuple[int, int],
    columns: int,
    title: str,
    captions: Callable[[float], str],
) -> Image:
    from PIL import Image as Pictures
    from PIL import ImageDraw, ImageFont

    small, large = ImageFont.load_default(size=15), ImageFont.load_default(size=20)
    wide, tall = size
    rows = -(-len(shown) // columns)
    sheet = Pictures.new("RGB", (_GAP + columns * (wide + _GAP), _TITLE + rows * (tall + _CAPTION + _GAP)), _BACK)
    draw = ImageDraw.Draw(sheet)
    draw.text((_GAP, _TITLE / 2), title, fill=_TEXT, font=large, anchor="lm")
    for number, (time, picture) in enumerate(shown):
        x = _GAP + number % columns * (wide + _GAP)
        y = _TITLE + number // columns * (tall + _CAPTION + _GAP)
        sheet.paste(picture, (x, y))
        draw.text((x, y + tall + _CAPTION / 2), timecode(time), fill=_TEXT, font=small, anchor="lm")
        draw.text((x + wide, y + tall + _CAPTION / 2), captions(time), fill=_DIM, font=small, anchor="rm")
    return sheet


def timecode(seconds: float) -> str:
    """Minutes, seconds and hundredths.

    >>> timecode(63.505)
    '1:03.51'
    """
    hundredths = int(seconds * 100 + 0.5)
    return f"{hundredths // 6000}:{hundredths // 100 % 60:02d}.{hundredths % 100:02d}"
