"""A frame with the boxes of the people who were found on it, for the eye."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from reelproc.errors import SpecError, StorageError
from reelproc.files import whole_file
from reelproc.media.read.reader import open_video
from reelproc.results import FrameDetections
from reelproc.storage import resolve

if TYPE_CHECKING:
    from PIL.Image import Image

_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
_BOX_COLOUR, _TEXT_COLOUR = "#facc15", "#111827"


def draw_detections(
    source: str | os.PathLike[str], found: FrameDetections, path: str | os.PathLike[str]
) -> tuple[int, int]:
    """Write a picture of a frame with everybody's box, number and confidence; the numbers count from 1.

    Args:
        source: the footage.
        found: what was found in one of its frames.
        path: of the picture, PNG or JPEG by its ending; it appears when it is whole.

    Returns:
        Its width and height, pixels.

    Raises:
        SpecError: another ending, or the source has no such frame.
        StorageError: the picture cannot be written.
    """
    destination = Path(path)
    kind = _FORMATS.get(destination.suffix.lower())
    if kind is None:
        raise SpecError(f"a picture is a .png or .jpg file, got {destination.name!r}")
    picture = _frame(source, found)
    _draw(picture, found)
    data = io.BytesIO()
    picture.save(data, kind, quality=95, subsampling=0)  # thin lines keep their colour; PNG knows neither
    try:
        with whole_file(destination) as partial:
            partial.write_bytes(data.getvalue())
    except OSError as error:
        raise StorageError(f"{destination} cannot be written: {error}") from error
    return picture.width, picture.height


def _frame(source: str | os.PathLike[str], found: FrameDetections) -> Image:
    from PIL.Image import fromarray

    with open_video(resolve(source), pix_fmt="rgb24", start=max(0.0, found.time - 0.01)) as reader:
        for frame in reader:
            if frame.pts == found.pts:
                return fromarray(frame.image)
            if frame.pts > found.pts:
                break
    raise SpecError(f"{os.fspath(source)} has no frame at {found.time:.3f} s with the timestamp {found.pts}")


def _draw(picture: Image, found: FrameDetections) -> None:
    from PIL import ImageDraw, ImageFont

    pen = ImageDraw.Draw(picture)
    line = max(1, round(picture.height / 360))
    font = ImageFont.load_default(size=max(10, picture.height // 45))
    for number, seen in reversed(list(enumerate(found.detections, start=1))):  # the surest on top
        left, top, right, bottom = seen.corners
        pen.rectangle((left, top, right, bottom), outline=_BOX_COLOUR, width=line)
        label = f"{number} {seen.label} {seen.confidence:.2f}"
        _, _, wide, high = pen.textbbox((0, 0), label, font=font)
        x, y = min(left, picture.width - wide - 4), max(0.0, top - high - 4)
        pen.rectangle((x, y, x + wide + 4, y + high + 4), fill=_BOX_COLOUR)
        pen.text((x + 2, y + 1), label, fill=_TEXT_COLOUR, font=font)
