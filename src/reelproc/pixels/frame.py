"""One video frame: its pixels, and exactly when it is shown.

Frames are 8-bit, limited range BT.709 unless said otherwise, and planar where they can be: ``yuv420p`` is half the
bytes of ``bgr24``, decodes without a conversion, and a spotlight needs no RGB at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, NamedTuple

from reelproc.errors import SpecError
from reelproc.suggestions import did_you_mean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PixelFormat = Literal["yuv420p", "yuv444p", "bgr24", "rgb24"]
"""The pixel formats that frames come in."""

PIXEL_FORMATS: tuple[PixelFormat, ...] = ("yuv420p", "yuv444p", "bgr24", "rgb24")


def plane_shapes(pix_fmt: PixelFormat, width: int, height: int) -> tuple[tuple[int, ...], ...]:
    """Return the array shape of each plane; the chroma of an odd size is rounded up, as ffmpeg does.

    Raises:
        SpecError: another pixel format.

    >>> plane_shapes("yuv420p", 5, 3)
    ((3, 5), (2, 3), (2, 3))
    >>> plane_shapes("bgr24", 5, 3)
    ((3, 5, 3),)
    """
    if pix_fmt == "yuv420p":
        chroma = ((height + 1) // 2, (width + 1) // 2)
        return ((height, width), chroma, chroma)
    if pix_fmt == "yuv444p":
        return ((height, width),) * 3
    if pix_fmt in ("bgr24", "rgb24"):
        return ((height, width, 3),)
    raise SpecError(
        f"pix_fmt is one of {', '.join(PIXEL_FORMATS)}, got {pix_fmt!r}{did_you_mean(pix_fmt, PIXEL_FORMATS)}"
    )


def frame_bytes(pix_fmt: PixelFormat, width: int, height: int) -> int:
    """Return the bytes of one frame, planes one after the other without padding.

    >>> frame_bytes("yuv420p", 1920, 1080)
    3110400
    """
    total = 0
    for shape in plane_shapes(pix_fmt, width, height):
        size = 1
        for n in shape:
            size *= n
        total += size
    return total


class Window(NamedTuple):
    """A rectangle of a frame that a later stage is to sample: floats, pixels, edges (pixel i spans [i, i + 1])."""

    x: float
    y: float
    width: float
    height: float


@dataclass(slots=True, eq=False)
class Frame:
    """A decoded frame.

    Attributes:
        data: the pixels, one contiguous (N,) uint8 array, planes one after the other.
        width, height: pixels, after rotation by the display matrix; pixels need not be square.
        pix_fmt: ``"yuv420p"``, ``"yuv444p"``, ``"bgr24"`` or ``"rgb24"``.
        index: ordinal among the frames that the reader returned; never used to name a frame.
        pts: presentation timestamp in ``time_base`` units, as the container says it.
        time_base: seconds per unit of ``pts``.
        start_pts: the ``pts`` of time zero, the video stream's start after its edit list.
    """

    data: NDArray[np.uint8]
    width: int
    height: int
    pix_fmt: PixelFormat
    index: int = 0
    pts: int = 0
    time_base: Fraction = Fraction(1)
    start_pts: int = 0

    @classmethod
    def empty(cls, width: int, height: int, pix_fmt: PixelFormat) -> Frame:
        """Return a frame with uninitialised pixels."""
        import numpy as np

        return cls(np.empty(frame_bytes(pix_fmt, width, height), np.uint8), width, height, pix_fmt)

    @classmethod
    def from_image(cls, image: NDArray[np.uint8], pix_fmt: Literal["bgr24", "rgb24"] = "bgr24") -> Frame:
        """Return a frame around an (H, W, 3) uint8 image; shares memory where the image is contiguous."""
        import numpy as np

        height, width, _ = image.shape
        return cls(np.ascontiguousarray(image).reshape(-1), width, height, pix_fmt)

    @property
    def time(self) -> float:
        """Seconds since the start of the video stream (the clock of ``Clip.start``)."""
        return float((self.pts - self.start_pts) * self.time_base)

    @property
    def exact_time(self) -> Fraction:
        """:attr:`time`, exactly."""
        return (self.pts - self.start_pts) * self.time_base

    @property
    def planes(self) -> tuple[NDArray[np.uint8], ...]:
        """Writable views of the planes: (H, W) luma, and (ceil(H/2), ceil(W/2)) chroma twice for yuv420p."""
        views = []
        offset = 0
        for shape in plane_shapes(self.pix_fmt, self.width, self.height):
            size = shape[0] * shape[1] * (shape[2] if len(shape) > 2 else 1)
            views.append(self.data[offset : offset + size].reshape(shape))
            offset += size
        return tuple(views)

    @property
    def image(self) -> NDArray[np.uint8]:
        """A writable (H, W, 3) uint8 view, channels in the order that ``pix_fmt`` names.

        Raises:
            SpecError: a planar frame has no such view; use ``planes`` or ask the reader for ``bgr24``.
        """
        if self.pix_fmt not in ("bgr24", "rgb24"):
            raise SpecError(f"a {self.pix_fmt} frame has planes, not an image; open the video with pix_fmt='bgr24'")
        return self.planes[0]

    def like(self, width: int, height: int) -> Frame:
        """Return an uninitialised frame of another size with this one's format and timestamps."""
        frame = Frame.empty(width, height, self.pix_fmt)
        frame.index, frame.pts, frame.time_base, frame.start_pts = (
            self.index,
            self.pts,
            self.time_base,
            self.start_pts,
        )
        return frame

    def part(self, x: int, y: int, width: int, height: int) -> Frame:
        """Return a copy of a rectangle of whole pixels inside the frame; of yuv420p it begins on even ones.

        Its sides are even as well there, unless it reaches to an odd edge of the frame.
        """
        import numpy as np

        part = self.like(width, height)
        halves = self.pix_fmt == "yuv420p"
        for number, (plane, target) in enumerate(zip(self.planes, part.planes, strict=True)):
            step = 2 if halves and number else 1
            rows, columns = -(-(y + height) // step), -(-(x + width) // step)
            np.copyto(target, plane[y // step : rows, x // step : columns])
        return part

    def copy(self) -> Frame:
        """Return a frame with its own pixels."""
        other = self.like(self.width, self.height)
        other.data[:] = self.data
        return other

    def __repr__(self) -> str:
        return (
            f"Frame(index={self.index}, pts={self.pts}, time_base={self.time_base}, time={self.time:.6f}, "
            f"{self.width}x{self.height} {self.pix_fmt})"
        )
