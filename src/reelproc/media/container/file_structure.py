"""How long a file says that it is: sizes in its own outermost structure, against which a cut-off file is found out.

Players and demultiplexers read what is there and say nothing of what is not. But MP4 and MOV (a chain of
boxes), AVI (RIFF chunks) and Matroska (one segment) state sizes in bytes, and a file that was cut off is
shorter than they add up to.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

from reelproc.storage.source import Source

_MAX_BOXES = 100_000
"""Of a file's outermost ones; a fragmented recording has two per fragment."""

_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"
_MAX_HEADER_BYTES = 1 << 20
"""Of Matroska's head; after a longer one no file would be known for one, and a place beyond 2^63 is none."""


def promised_size(source: Source) -> int | None:
    """Return the bytes that a file must have for its own structure to be whole; None where its kind does not say.

    Less than its real size is no sign of damage: many files have something after their end.
    """
    with source.open() as file:
        head = file.read(12)
        file.seek(0)
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp"):
            return max(_box_ends(file), default=None)
        if head[:4] == b"RIFF":
            return max(_riff_ends(file), default=None)
        if head[:4] == _EBML:
            return _segment_end(file)
    return None


def _box_ends(file: BinaryIO) -> Iterator[int]:
    """Yield where each outermost box of an ISO file ends (ISO/IEC 14496-12, 4.2)."""
    begin, held = 0, file.seek(0, os.SEEK_END)
    for _ in range(_MAX_BOXES):
        file.seek(begin)
        head = file.read(16)
        if len(head) < 8 or not head[4:8].isalnum():  # the end, or something after it that is no box
            return
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size < 8:  # 0: up to the end, however long the file is
            return
        begin += size
        yield begin
        if begin > held:
            return


def _riff_ends(file: BinaryIO) -> Iterator[int]:
    """Where each RIFF chunk ends; AVI files over 1 GB have several. A recording that was never finished says 0."""
    begin = 0
    for _ in range(_MAX_BOXES):
        file.seek(begin)
        head = file.read(8)
        size = int.from_bytes(head[4:8], "little")
        if head[:4] != b"RIFF" or not size:
            return
        begin += 8 + size + size % 2
        yield begin


def _segment_end(file: BinaryIO) -> int | None:
    """Return where a Matroska file's segment ends (RFC 8794, RFC 9559); a live recording does not know."""
    file.seek(len(_EBML))
    header = _ebml_size(file)
    if header is None or header > _MAX_HEADER_BYTES:
        return None
    file.seek(header, os.SEEK_CUR)
    if file.read(4) != _SEGMENT:
        return None
    size = _ebml_size(file)
    return None if size is None else file.tell() + size


def _ebml_size(file: BinaryIO) -> int | None:
    """Return the variable-length integer at the file's position; None where all its bits are set: unknown."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    length = 9 - first[0].bit_length()
    value = int.from_bytes(bytes([first[0] & (1 << (8 - length)) - 1]) + file.read(length - 1), "big")
    return None if value == (1 << 7 * length) - 1 else value
