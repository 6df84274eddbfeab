"""From 8-bit limited-range 4:2:0 to RGB in this process: half the bytes cross the decoder's pipe.

swscale does it, as it does in OpenCV and in ffmpeg itself, by the fast code that it has for this case: chroma is
repeated, not interpolated, and values are cut to whole levels, not rounded, so that greys come out up to one level too
dark. Who wants it more exact asks the reader for the planes.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, cast

import numpy as np
from av.filter import Graph
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from reelproc.pixels.frame import PixelFormat


class RGBConverter:
    """Converts frames of one stream.

    Args:
        matrix: of the YUV, as :class:`~reelproc.media.stream_colour.ColourInfo` names it.
        pix_fmt: ``"bgr24"`` or ``"rgb24"``.
    """

    def __init__(self, matrix: str, pix_fmt: PixelFormat) -> None:
        self._filters = (
            ("scale", f"in_color_matrix={matrix}:in_range=limited:out_range=full:flags=bicubic"),
            ("format", pix_fmt),
            ("buffersink", None),
        )
        self._graph: Graph | None = None

    def frame(self, yuv: VideoFrame) -> NDArray[np.uint8]:
        """Return the packed RGB bytes of a yuv420p frame, in an array of their own. All frames have one size."""
        if self._graph is None:
            # A filter graph takes its frames' memory from a pool; a new block per frame costs more than the conversion.
            self._graph = Graph()
            self._graph.threads = 1
            base = Fraction(1, 1000)
            source = self._graph.add_buffer(
                width=yuv.width, height=yuv.height, format=VideoFormat("yuv420p"), time_base=base
            )
            self._graph.link_nodes(source, *(self._graph.add(*each) for each in self._filters)).configure()
        self._graph.vpush(yuv)
        rgb = self._graph.vpull()
        return packed(rgb, ((rgb.height, rgb.width * 3),))

    def planes(self, data: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
        """Return the packed RGB bytes of yuv420p planes that lie one after the other; width and height are even."""
        if height % 4 == 0:  # PyAV takes the height for a multiple of four where it shares the array's memory
            return self.frame(VideoFrame.from_numpy_buffer(data.reshape(height * 3 // 2, width), format="yuv420p"))
        frame = VideoFrame(width, height, "yuv420p")
        offset = 0
        for plane, across in zip(frame.planes, (width, width // 2, width // 2), strict=True):
            down = height * across // width
            stored = np.frombuffer(cast(Any, plane), np.uint8).reshape(-1, plane.line_size)
            stored[:down, :across] = data[offset : offset + down * across].reshape(down, across)
            offset += down * across
        return self.frame(frame)


def packed(frame: VideoFrame, shapes: tuple[tuple[int, int], ...]) -> NDArray[np.uint8]:
    """Return the planes of ``frame`` without padding, one after the other.

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
