"""What decoders attach to a frame beside its pixels: display matrix, light levels.

PyAV names the types of side data that it knows, and refuses a frame's whole collection where one has another type: what
iPhones write for two eyes, a photograph's EXIF. So types without a name are taken out first.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_TIME_BASE = Fraction(1, 1000)  # a filter graph wants one; nothing depends on it here

_TYPES = 128
"""More than ffmpeg has types of side data, which it numbers from 0: 32 in version 9."""


def side_data(frame: VideoFrame, name: str) -> bytes:
    """Return the frame's side data of a type.

    Args:
        frame: as decoded.
        name: of the type, as PyAV spells it.

    Returns:
        Empty where there is none.
    """
    from av.sidedata.sidedata import Type

    try:
        held: Any = frame.side_data
    except ValueError:  # one is of a type that PyAV does not know
        held = _named_only(frame).side_data
    found = held.get(Type[name])
    return b"" if found is None else bytes(found)


def _named_only(frame: VideoFrame) -> VideoFrame:
    """Return the frame without the side data that PyAV has no name for; its pixels are not copied."""
    from av.filter import Graph
    from av.sidedata.sidedata import Type

    graph = Graph()
    named: set[Any] = {each.value for each in Type}
    nodes = [
        graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=_TIME_BASE),
        *(graph.add("sidedata", f"mode=delete:type={number}") for number in range(_TYPES) if number not in named),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*nodes)
    graph.configure()
    graph.vpush(frame)
    return graph.vpull()
