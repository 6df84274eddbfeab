"""A picture of a result: one output frame as the encoder gets it. It can be saved as an image file."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelproc.errors import SpecError, StorageError
from reelproc.files import whole_file
from reelproc.pixels.frame import Frame, Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

IMAGE_FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    ".png": ("PNG", {}),
    ".jpg": ("JPEG", {"quality": 92}),
    ".jpeg": ("JPEG", {"quality": 92}),
    ".webp": ("WEBP", {"quality": 90}),
}
"""By a file name's ending, Pillow's name of the format and its options."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Still:
    """One output frame of a reel; :func:`reelproc.preview` makes it. A notebook shows it as a picture.

    Attributes:
        index: the number of the output frame.
        time: when it is shown, seconds from the start of the result, exact.
        frame: the pixels that the encoder gets; never to be changed.
        sample_aspect_ratio: width of a pixel over its height.
        warnings: what was concealed to make it, one sentence each.
    """

    index: int
    time: Fraction
    frame: Frame
    sample_aspect_ratio: Fraction = Fraction(1)
    warnings: tuple[str, ...] = ()

    @property
    def time_seconds(self) -> float:
        """:attr:`time` as a float."""
        return float(self.time)

    @property
    def width(self) -> int:
        """Pixels of the output."""
        return self.frame.width

    @property
    def height(self) -> int:
        """Pixels of the output."""
        return self.frame.height

    @property
    def pix_fmt(self) -> str:
        """``"yuv420p"`` or ``"yuv444p"``, limited range BT.709."""
        return self.frame.pix_fmt

    @property
    def planes(self) -> tuple[NDArray[np.uint8], ...]:
        """Y, Cb and Cr, (H, W) uint8 each; of ``yuv420p`` Cb and Cr are (H/2, W/2). The encoder gets these bytes."""
        return self.frame.planes

    def to_image(self, *, width: int | None = None) -> Image:
        """Return the picture as RGB for people: with square pixels, chroma interpolated at its sites.

        Args:
            width: of the picture, in pixels; the height follows. None: the frame's own.
        """
        from PIL import Image as Images

        from reelproc.pixels.resample import resample
        from reelproc.upscalers.host_picture import rgb_of

        rgb = rgb_of(self.frame)
        wide = self.width * self.sample_aspect_ratio
        shown = round(wide) if width is None else width
        tall = self.height if width is None else max(1, round(width * self.height / wide))
        if (shown, tall) != (self.width, self.height):
            whole = Window(0, 0, self.width, self.height)
            rgb = resample(Frame.from_image(rgb, "rgb24"), whole, shown, tall).image
        return Images.fromarray(rgb)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to an image file, whole or not at all; its ending says the format.

        Args:
            path: ``*.png`` (without loss), ``*.jpg`` or ``*.webp``. A file that is there is replaced.

        Raises:
            SpecError: another ending.
            StorageError: it cannot be written.
        """
        save_image(self.to_image(), path)

    def __repr__(self) -> str:
        return f"Still(index={self.index}, time_seconds={float(self.time):.3f}, {self.width}x{self.height})"

    def _repr_png_(self) -> bytes:
        data = io.BytesIO()
        self.to_image().save(data, format="PNG")
        return data.getvalue()


def save_image(image: Image, path: str | os.PathLike[str]) -> None:
    """Write ``image`` whole or not at all; see :meth:`Still.save`."""
    destination = Path(path)
    kind, options = image_format(destination)
    if not destination.parent.is_dir():
        raise StorageError(
            f"there is no folder {destination.parent} for {destination.name}; create it first", bad_input=True
        )
    try:
        with whole_file(destination) as partial:
            image.save(partial, format=kind, **options)
    except (OSError, ValueError) as error:  # ValueError: no name that a file could have
        raise StorageError(f"{os.fspath(path)!r} cannot be written: {error}") from error


def image_format(path: str | os.PathLike[str]) -> tuple[str, dict[str, Any]]:
    """Return the format of an image file, by its ending.

    Raises:
        SpecError: it is none that can be written.
    """
    try:
        return IMAGE_FORMATS[Path(path).suffix.lower()]
    except KeyError:
        raise SpecError(
            f"a picture's name ends in one of {', '.join(IMAGE_FORMATS)}, got {os.fspath(path)!r}"
        ) from None
