"""The reader in this process: PyAV decodes; the filters that convert and turn are those of the ffmpeg backend."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

from reelproc.errors import DecodeError
from reelproc.media.decode.decoding import carefully_decoded_frames, decoded_frames
from reelproc.media.decode.frame_order import frame_pts
from reelproc.media.decode.interlaced import whole_pictures
from reelproc.media.read.reader import Damage, VideoReader
from reelproc.media.stream_colour import Conversion
from reelproc.pixels.frame import Frame, PixelFormat, plane_shapes
from reelproc.pixels.rgb import RGBConverter, packed
from reelproc.storage.source import SourceLike

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


class PyAVReader(VideoReader):
    """Frames decoded in this process; see :class:`~reelproc.media.read.reader.VideoReader`."""

    def _decode(self) -> Generator[Frame]:
        for seek in self._seek_points():
            with closing(decoded_frames(self.source, self.video.index, seek_pts=seek)) as decoded:
                frames = self._wanted(decoded)
                first = next(frames, None)
                if seek is not None and not self._is_first(first.pts if first else None):
                    continue  # the seek missed: frames that the packets promise did not come; begin further back
                if first is not None:
                    yield first
                    yield from frames
                return

    def _seek_points(self) -> tuple[int | None, ...]:
        """Yield the timestamps to seek to, best first; the next one is for missing frames. None: the beginning."""
        aim = self._approach.seek_pts
        if aim is None:
            return (None,)
        earlier = (aim - ceil(seconds / self.video.time_base) for seconds in (0, 5, 30))
        return (*(pts for pts in earlier if pts > self.video.start_pts), None)

    def _wanted(self, decoded: Iterable[VideoFrame]) -> Generator[Frame]:
        """Yield those of the wanted span, converted."""
        convert = Converter(self.conversion, self.pix_fmt, (self.video.coded_width, self.video.coded_height))
        try:
            for each in whole_pictures(decoded, self.video):
                pts = frame_pts(each)
                if pts is None or (self._low is not None and pts < self._low):
                    if each.is_corrupt and not self._known_damage:
                        self._known_damage.append(Damage(None, "an earlier frame is faulty, and may leave traces"))
                    continue
                if self._high is not None and pts >= self._high:
                    return
                if each.is_corrupt:
                    self._known_damage.append(Damage(pts, "decoded with errors"))
                yield self._stamp(Frame(convert(each), self.video.width, self.video.height, self.pix_fmt), pts)
        except av.FFmpegError as error:
            raise DecodeError(f"{self.path!r} cannot be decoded: {error}") from error


class CarefulReader(PyAVReader):
    """The frames after a timestamp, decoded slowly and exactly: where another decoder has lost its way.

    Args:
        path, options: as any reader's.
        after: the timestamp of the last frame that is not wanted again; None: none.
    """

    def __init__(self, path: SourceLike, *, after: int | None, **options: Any) -> None:
        super().__init__(path, **options)
        self._after = after
        if after is not None:
            self._low = after + 1

    def _decode(self) -> Generator[Frame]:
        seek = self._approach.seek_pts if self._after is None else self._times_at(self._after).seek_pts
        decoded = carefully_decoded_frames(self.source, self.video.index, seek_pts=seek)
        with closing(decoded):
            yield from self._wanted(decoded)


_TIME_BASE = Fraction(1, 1000)  # a filter graph wants one; nothing that is done here depends on time


class Converter:
    """Decoded frames to the bytes of a pipeline frame.

    Args:
        conversion: what is to be done to them.
        pix_fmt: what is to come out.
        size: (width, height) of a decoded frame; one of another size is scaled to it first.
    """

    def __init__(self, conversion: Conversion, pix_fmt: PixelFormat, size: tuple[int, int]) -> None:
        self._filters = conversion.filters
        self._rgb = RGBConverter(conversion.rgb_matrix, pix_fmt) if conversion.rgb_matrix else None
        self._planes: PixelFormat = "yuv420p" if self._rgb else pix_fmt
        self._size = size
        self._graph: Graph | None = None
        self._graph_is_for: tuple[object, ...] = ()

    def __call__(self, decoded: VideoFrame) -> NDArray[np.uint8]:
        """Return the planes, one after the other, in an array of their own."""
        wanted = (decoded.width, decoded.height) == self._size and decoded.format.name == self._planes
        if self._filters or not wanted:
            decoded = self._filtered(decoded)
        if self._rgb is not None:
            return self._rgb.frame(decoded)
        shapes = plane_shapes(self._planes, decoded.width, decoded.height)
        return packed(decoded, tuple((shape[0], shape[1] * (shape[2] if len(shape) > 2 else 1)) for shape in shapes))

    def _filtered(self, decoded: VideoFrame) -> VideoFrame:
        shape = (decoded.width, decoded.height, decoded.format.name, decoded.colorspace, decoded.color_range)
        if self._graph is None or self._graph_is_for != shape:  # the first frame, or the stream changed on the way
            self._graph, self._graph_is_for = self._build(decoded), shape
        self._graph.vpush(decoded)
        return self._graph.vpull()

    def _build(self, decoded: VideoFrame) -> Graph:
        graph = Graph()
        width, height = decoded.width, decoded.height
        nodes = [graph.add_buffer(width=width, height=height, format=decoded.format, time_base=_TIME_BASE)]
        filters = list(self._filters)
        if (width, height) != self._size:
            filters.insert(0, "scale=w={}:h={}:flags=bicubic".format(*self._size))
        if not filters or not filters[-1].startswith("format="):
            filters.append(f"format={self._planes}")
        for each in filters:
            name, _, arguments = each.partition("=")
            nodes.append(graph.add(name, arguments or None))
        nodes.append(graph.add("buffersink"))
        graph.link_nodes(*nodes)
        graph.configure()
        return graph
