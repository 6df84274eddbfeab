"""HEVC's parameter sets: those that a stream's header lists, and those that stand among its pictures.

Formats: ISO/IEC 14496-15, 8.3.3.1 (the ``hvcC`` record) and ITU-T H.265, 7.3.1.2 and annex B (NAL units).
"""

from __future__ import annotations

from collections.abc import Iterator

from reelproc.media.bitstream.avc import nal_units

_SET_KINDS = (32, 33, 34)
"""Video, sequence and picture parameter sets."""

_ARRAYS_AT = 22
"""Where a record says how many arrays of sets it has."""


def listed_sets(header: bytes) -> frozenset[bytes]:
    """Return the sets of a stream's header; none of one that is cut off, or lists none."""
    if header[:1] != b"\x01":  # not hvcC but the sets themselves, as in MPEG-TS
        return frozenset(_sets(_divided(header)))
    found: list[bytes] = []
    at = _ARRAYS_AT + 1
    for _ in range(sum(header[_ARRAYS_AT:at])):
        count = int.from_bytes(header[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            size = int.from_bytes(header[at : at + 2], "big")
            found.append(header[at + 2 : at + 2 + size])
            at += 2 + size
    return frozenset(_sets(iter(found)))


def sets_among_pictures(packet: memoryview, header: bytes) -> frozenset[bytes]:
    """Return the sets that stand in a packet of a stream with such a header."""
    if header[:1] == b"\x01" and len(header) > _ARRAYS_AT:
        units = nal_units(packet, (header[21] & 3) + 1) or ()
        return frozenset(_sets(bytes(unit) for unit in units if unit[0] >> 1 in _SET_KINDS))
    return frozenset(_sets(_divided(bytes(packet))))


def _divided(data: bytes) -> Iterator[bytes]:
    """Yield the units of a byte stream."""
    return iter(data.split(b"\0\0\1")[1:])


def _sets(units: Iterator[bytes]) -> Iterator[bytes]:
    """Yield those of ``units`` that are sets of the base layer, without the zeros that may follow them."""
    for unit in units:
        if len(unit) > 2 and unit[0] >> 1 in _SET_KINDS and not unit[0] & 1 and not unit[1] >> 3:
            yield unit.rstrip(b"\0")
