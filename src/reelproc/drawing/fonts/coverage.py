"""Read from a font file's ``cmap`` table which characters it has glyphs for.

Pillow does not tell, and drawing first and looking for empty boxes afterwards is guesswork. Tables are those of the
OpenType specification 1.9: table directory, ``cmap`` formats 4 and 12, TrueType collections.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from reelproc.errors import SpecError

_OUTLINES = {b"glyf", b"CFF ", b"CFF2"}
_HEADER_LIMIT = 4096
_UNICODE_TABLES = {(3, 10): 3, (0, 6): 3, (0, 4): 3, (3, 1): 2, (0, 3): 2, (0, 2): 1, (0, 1): 1, (0, 0): 1}
"""(platform, encoding) of the cmap subtables that are keyed by Unicode, the greater number preferred."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """The characters of one font.

    Attributes:
        codepoints: those with a glyph.
    """

    codepoints: frozenset[int]

    def has(self, text: str) -> bool:
        """Return whether every character of ``text`` has a glyph.

        >>> Coverage(frozenset(map(ord, "abc"))).has("cab")
        True
        """
        return all(ord(character) in self.codepoints for character in text)


@lru_cache(maxsize=512)
def read_coverage(path: str, index: int = 0) -> Coverage:
    """Return the coverage of a font file.

    Args:
        path: a ``.ttf``, ``.otf``, ``.ttc`` or ``.otc`` file.
        index: of the font within a collection.

    Raises:
        SpecError: the file cannot be read, is cut off, is no such font, or has no scalable outlines (colour bitmaps).
    """
    try:
        with Path(path).open("rb") as file:
            head = file.read(_HEADER_LIMIT)
            start = 0
            if head[:4] == b"ttcf":
                (count,) = struct.unpack_from(">I", head, 8)
                if index >= count:
                    raise SpecError(f"{path} holds {count} fonts, there is no number {index}")
                (start,) = struct.unpack_from(">I", head, 12 + 4 * index)
                file.seek(start)
                head = file.read(_HEADER_LIMIT)
            elif head[:4] not in (b"\x00\x01\x00\x00", b"OTTO", b"true"):
                raise SpecError(f"{path} is not a TrueType or OpenType font; give a .ttf, .otf or .ttc file")
            tables = _directory(head)
            if not _OUTLINES & tables.keys():
                raise SpecError(f"{path} has no outlines, only bitmaps, and cannot be drawn at any size")
            if any(offset + length > os.fstat(file.fileno()).st_size for offset, length in tables.values()):
                raise SpecError(f"the font {path} is cut off; get the file again")
            offset, length = tables[b"cmap"]
            file.seek(offset)
            return Coverage(frozenset(_cmap(file.read(length))))
    except OSError as error:
        raise SpecError(f"the font {path} cannot be read: {error.strerror or error}") from error
    except (struct.error, KeyError) as error:
        raise SpecError(f"the font {path} is damaged or has no character map") from error


def _directory(head: bytes) -> dict[bytes, tuple[int, int]]:
    (count,) = struct.unpack_from(">H", head, 4)
    tables = {}
    for i in range(count):
        tag, _, offset, length = struct.unpack_from(">4sIII", head, 12 + 16 * i)
        tables[tag] = (offset, length)
    return tables


def _cmap(table: bytes) -> set[int]:
    (count,) = struct.unpack_from(">H", table, 2)
    best: tuple[int, int] = (0, 0)
    for i in range(count):
        platform, encoding, offset = struct.unpack_from(">HHI", table, 4 + 8 * i)
        (form,) = struct.unpack_from(">H", table, offset)
        if form in (4, 12):
            best = max(best, (_UNICODE_TABLES.get((platform, encoding), 0), offset))
    rank, offset = best
    if not rank:
        return set()
    (form,) = struct.unpack_from(">H", table, offset)
    return _format_12(table, offset) if form == 12 else _format_4(table, offset)


def _format_12(table: bytes, at: int) -> set[int]:
    (groups,) = struct.unpack_from(">I", table, at + 12)
    found: set[int] = set()
    for first, last, _ in struct.iter_unpack(">III", table[at + 16 : at + 16 + 12 * groups]):
        found.update(range(first, min(last, 0x10FFFF) + 1))
    return found


def _format_4(table: bytes, at: int) -> set[int]:
    (double,) = struct.unpack_from(">H", table, at + 6)
    segments = double // 2
    ends = struct.unpack_from(f">{segments}H", table, at + 14)
    starts = struct.unpack_from(f">{segments}H", table, at + 16 + double)
    deltas = struct.unpack_from(f">{segments}H", table, at + 16 + 2 * double)
    ranges_at = at + 16 + 3 * double
    offsets = struct.unpack_from(f">{segments}H", table, ranges_at)
    found: set[int] = set()
    for i, (start, end, delta, offset) in enumerate(zip(starts, ends, deltas, offsets, strict=True)):
        for code in range(start, end + 1):
            if code == 0xFFFF:
                continue
            glyph = code
            if offset:
                (glyph,) = struct.unpack_from(">H", table, ranges_at + 2 * i + offset + 2 * (code - start))
                if not glyph:
                    continue
            if (glyph + delta) & 0xFFFF:
                found.add(code)
    return found
