"""Let the picture of an MP4 or MOV file end before its last packets do: they are decoded, and not shown."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from reelproc.media.container.mp4_tracks import Mp4Box, boxes_inside


def end_pictures(path: Path, seconds: Fraction) -> None:
    """Write into the edit list of a file's first picture that it lasts for ``seconds``, and no longer.

    Args:
        path: a file as ffmpeg writes it: a track's edit list has one edit that shows something, the last.
        seconds: from the first picture on.

    Raises:
        ValueError: it is none.
    """
    with path.open("r+b") as file:
        film: Mp4Box | None = None
        head: Mp4Box | None = None
        units, lasts = 0, []
        edits: list[Mp4Box] = []
        picture: tuple[Mp4Box, Mp4Box] | None = None
        for box in boxes_inside(file, path.stat().st_size):
            if box.name == b"mvhd":
                film, units = box, _number(file, box, 12, 20)
            elif box.name == b"tkhd":
                head, edits = box, []
                lasts.append(box)
            elif box.name == b"elst":
                edits.append(box)
            elif box.name == b"hdlr" and picture is None and head is not None and edits:
                file.seek(box.begin + 8)
                if file.read(4) == b"vide":
                    picture = head, edits[0]
        if film is None or picture is None or not units:
            raise ValueError(f"{path.name} has no picture with an edit list")
        length = int(seconds * units)
        _write_edit(file, picture[1], length)
        _write(file, picture[0], 20, 28, length)
        _write(file, film, 16, 24, max(_number(file, box, 20, 28) for box in lasts))


def _number(file: BinaryIO, box: Mp4Box, narrow: int, wide: int) -> int:
    """Read a number of a full box, at its place in version 0 or 1 (there, a duration has eight bytes)."""
    file.seek(box.begin)
    version = file.read(1)[0]
    file.seek(box.begin + (wide if version else narrow))
    return int.from_bytes(file.read(8 if version and wide in (24, 28) else 4), "big")


def _write(file: BinaryIO, box: Mp4Box, narrow: int, wide: int, value: int) -> None:
    file.seek(box.begin)
    version = file.read(1)[0]
    file.seek(box.begin + (wide if version else narrow))
    file.write(value.to_bytes(8 if version else 4, "big"))


def _write_edit(file: BinaryIO, elst: Mp4Box, length: int) -> None:
    """Write the length of the last edit."""
    file.seek(elst.begin)
    head = file.read(8)
    width = 8 if head[0] else 4
    file.seek(elst.begin + 8 + (int.from_bytes(head[4:], "big") - 1) * (2 * width + 4))
    file.write(length.to_bytes(width, "big"))
