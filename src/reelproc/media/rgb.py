"""From 8-bit limited-range 4:2:0 to RGB in this process: half the bytes cross the decoder's pipe.

swscale does it, as it does in OpenCV and in ffmpeg itself, by the fast code that it has for this case: chroma is
repeated, not interpolated, and values are cut to whole levels, not rounded, so that greys come out up to one level too
dark. Who wants it more exact asks the reader for the planes.
"""

from __future__ import annotations

from typing import Any, cast

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from reelproc.media.frame import PixelFormat

__all__ = ["RGBConverter", "packed"]

_MATRICES = {
    "bt709": Colorspace.ITU709,
    "fcc": Colorspace.FCC,
    "bt470bg": Colorspace.ITU601,
    "smpte170m": Colorspace.SMPTE170M,
    "smpte240m": Colorspace.SMPTE240M,
}


class RGBConverter:
    """Converts frames of one stream.

    Args:
        matrix: of the YUV, as :class:`~reelproc.media.colour.ColourInfo` names it.
        pix_fmt: ``"bgr24"`` or ``"rgb24"``.
    """

    def __init__(self, matrix: str, pix_fmt: PixelFormat) -> None:
        self._matrix = _MATRICES[matrix]
        self._pix_fmt = pix_fmt
        self._reformatter = VideoReformatter()

    @staticmethod
    def can(matrix: str) -> bool:
        """Whether YUV of this matrix can be converted."""
        return matrix in _MATRICES

    def frame(self, yuv: VideoFrame) -> NDArray[np.uint8]:
        """The packed RGB bytes of a yuv420p frame, in an array of their own."""
        rgb = self._reformatter.reformat(
            yuv,
            format=self._pix_fmt,
            src_colorspace=self._matrix,
            dst_colorspace=self._matrix,
            src_color_range=ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
            interpolation=Interpolation.BICUBIC,
            threads=1,
        )
        return packed(rgb, ((rgb.height, rgb.width * 3),))

    def planes(self, data: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
        """The packed RGB bytes of yuv420p planes that lie one behind the other; width and height are even."""
        if height % 4 == 0:  # PyAV takes the height for a multiple of four where it shares the array's memory
            return self.frame(av.VideoFrame.from_numpy_buffer(data.reshape(height * 3 // 2, width), format="yuv420p"))
        frame = VideoFrame(width, height, "yuv420p")
        offset = 0
        for plane, across in zip(frame.planes, (width, width // 2, width // 2), strict=True):
            down = height * across // width
            stored = np.frombuffer(cast(Any, plane), np.uint8).reshape(-1, plane.line_size)
            stored[:down, :across] = data[offset : offset + down * across].reshape(down, across)
            offset += down * across
        return self.frame(frame)


def packed(frame: VideoFrame, shapes: tuple[tuple[int, int], ...]) -> NDArray[np.uint8]:
    """The planes of ``frame`` without padding, one behind the other.

    Args:
        frame: a decoded or converted frame.
        shapes: (rows, bytes of a row) of each plane.
    """
    stored = [
        np.frombuffer(cast(Any, plane), np.uint8).reshape(-1, plane.line_size)[:rows, :row_bytes]
        for plane, (rows, row_bytes) in zip(frame.planes, shapes, strict=True)
    ]
    if len(stored) == 1 and stored[0].flags.c_contiguous:
        return stored[0].reshape(-1)  # shares the frame's memory, which nothing else refers to
    return np.concatenate([plane.reshape(-1) for plane in stored])
