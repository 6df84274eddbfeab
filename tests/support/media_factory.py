"""Make videos for the tests: those of numbered frames, damage to them, and what was encoded."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from reelproc.testing.numbered_video import (
    ROTATIONS,
    MadeVideo,
    draw,
    frame_of_planes,
    numbered_video,
    read_number,
    run_ffmpeg,
    shows_number,
    tone,
    with_edit_list,
)

__all__ = [
    "ROTATIONS",
    "MadeVideo",
    "damage_packet",
    "draw",
    "frame_of_planes",
    "numbered_video",
    "planes_of",
    "read_number",
    "run_ffmpeg",
    "shows_number",
    "tone",
    "with_edit_list",
]


def damage_packet(source: MadeVideo, path: str | os.PathLike[str], ordinal: int, *, filling: bytes = b"\xff") -> int:
    """A copy of an mp4 or mkv whose packet ``ordinal`` (in decoding order) holds rubbish; returns that packet's pts."""
    data = bytearray(source.path.read_bytes())
    with av.open(str(source.path)) as container:
        packet = next(itertools.islice(container.demux(video=0), ordinal, None))
        content, begin, pts = bytes(packet), packet.pos, packet.pts
    if begin is None or pts is None:
        raise ValueError("the container does not say where its packets are")
    position = data.index(content, begin)  # Matroska says where the head of its block is
    data[position : position + len(content)] = filling * len(content)
    Path(path).write_bytes(data)
    return pts


def planes_of(path: Path) -> list[tuple[NDArray[np.uint8], ...]]:
    """Return Y, Cb and Cr of each frame of a yuv420p video, as they were encoded."""
    found = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            wide, tall = frame.width, frame.height
            flat = frame.to_ndarray(format="yuv420p").reshape(-1)
            size, quarter = wide * tall, wide * tall // 4
            halves = (flat[size + n * quarter : size + (n + 1) * quarter].reshape(tall // 2, wide // 2) for n in (0, 1))
            found.append((flat[:size].reshape(tall, wide), *halves))
    return found
