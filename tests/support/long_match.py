"""A 3 GB match that takes a few megabytes of disk: real packets, each chunk of them far from the next.

A short clip is repeated for an hour and a half, then every chunk is moved apart in proportion, so that each second of
the match lies where it would in a recording of 4.4 Mbit/s. What lies between the chunks is a hole.
"""

from __future__ import annotations

import struct
from pathlib import Path

from broken_media import boxes
from media_factory import run_ffmpeg

SECONDS = 5400


def long_match(folder: Path, size: int = 3_000_000_000) -> Path:
    """Make ``folder/match.mp4``, of ``size`` bytes.

    Its pictures are as large as a recording's, so that a decoder gets no further ahead than it would there.
    """
    clip, whole, match = (folder / name for name in ("clip.mp4", "whole.mp4", "match.mp4"))
    pictures = ["-f", "lavfi", "-i", "testsrc=s=1280x720:r=25:d=20", "-f", "lavfi", "-i", "sine=d=20"]
    encode = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "40", "-g", "50", "-pix_fmt", "yuv420p"]
    run_ffmpeg(*pictures, *encode, "-c:a", "aac", "-b:a", "32k", "-shortest", str(clip))
    loop = ["-stream_loop", str(SECONDS // 20), "-i", str(clip), "-t", str(SECONDS), "-c", "copy"]
    run_ffmpeg(*loop, "-movflags", "+faststart", str(whole))
    spread(whole, match, size)
    return match


def spread(source: Path, destination: Path, size: int) -> None:
    """Copy an mp4 with its index in front to a sparse file of ``size`` bytes, its chunks evenly apart."""
    data = bytearray(source.read_bytes())
    found = list(boxes(bytes(data)))
    begin = next(box.begin for box in found if box.name == b"mdat")
    factor = (size - begin - 1_000_000) / (len(data) - begin)
    offsets: list[tuple[int, int]] = []  # where in the tables, and the chunk's place
    for table in (box for box in found if box.name == b"stco"):
        count = struct.unpack_from(">I", data, table.begin + 4)[0]
        entries = range(table.begin + 8, table.begin + 8 + 4 * count, 4)
        offsets += [(at, struct.unpack_from(">I", data, at)[0]) for at in entries]
    places = sorted(place for _, place in offsets)
    ends = dict(zip(places, [*places[1:], len(data)], strict=True))
    moved = {place: begin + 8 + int((place - begin) * factor) for place in places}
    head = data[: begin - 8]
    for at, place in offsets:
        struct.pack_into(">I", head, at, moved[place])
    with destination.open("wb") as file:
        file.write(head)
        file.write(struct.pack(">I4sQ", 1, b"mdat", size - len(head)))
        for place in places:
            file.seek(moved[place])
            file.write(data[place : ends[place]])
        file.truncate(size)
