"""Interlaced pictures: two fields in one frame, the even lines and the odd, taken one after the other.

Shown as they are stored, whatever moves is combed, and a network that enlarges it enlarges the comb. So readers make a
whole picture of each frame, at its own time, by ffmpeg's ``bwdif`` (Bob Weaver's deinterlacer: where nothing moves both
fields are kept, elsewhere the second is interpolated from the first, in space and time). Frames that are marked as
progressive pass untouched. A frame's neighbours are looked at too, so a reader begins one frame before what is wanted.
Where there is none before (the start of a file, damage), the picture is made of one field.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING

from reelproc.media.decode.frame_order import frame_pts

if TYPE_CHECKING:
    from av.filter import Graph
    from av.video.frame import VideoFrame

    from reelproc.media.info import VideoStream

_MIN_SIDE_PIXELS = 16
"""Pixels: ``bwdif`` refuses planes of fewer than three lines."""


def field_filters(video: VideoStream) -> tuple[str, ...]:
    """Return the ffmpeg filters that make whole pictures of fields, timestamps kept; none if frames are whole.

    The graph must not be made again where the stream changes on its way: ``bwdif`` holds a frame back, which would be
    lost. So what changes is first brought to the size and format that the stream began with, each field by itself.
    """
    width, height = video.coded_width, video.coded_height
    if not video.interlaced or min(width, height) < _MIN_SIDE_PIXELS:
        return ()
    return (
        f"scale=w={width}:h={height}:flags=bicubic:interl=-1",
        "bwdif=mode=send_frame:parity=auto:deint=interlaced",
        f"settb={video.time_base}",  # bwdif halves the time base, since it could give a picture for each field
    )


def whole_pictures(frames: Iterable[VideoFrame], video: VideoStream) -> Generator[VideoFrame]:
    """Yield ``frames`` of ``video`` with :func:`field_filters` applied: as many, with the timestamps they had.

    A frame without any timestamp is left out.

    Raises:
        av.FFmpegError: a frame of a kind that the filters do not know.
    """
    filters = field_filters(video)
    if not filters:
        yield from frames
        return
    graph: Graph | None = None
    for frame in frames:
        frame.pts = frame_pts(frame)
        if frame.pts is not None:
            graph = graph or _graph(frame, video, filters)
            yield from _taken(graph, frame)
    if graph is not None:
        yield from _taken(graph, None)


def _graph(frame: VideoFrame, video: VideoStream, filters: tuple[str, ...]) -> Graph:
    from av.filter import Graph

    graph = Graph()
    nodes = [
        graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=video.time_base),
        *(graph.add(name, arguments) for name, _, arguments in (each.partition("=") for each in filters)),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*nodes)
    graph.configure()
    return graph


def _taken(graph: Graph, frame: VideoFrame | None) -> Generator[VideoFrame]:
    """Yield what comes out once ``frame`` has gone in; None: the end."""
    graph.vpush(frame)
    while True:
        try:
            yield graph.vpull()
        except (BlockingIOError, EOFError):
            return
