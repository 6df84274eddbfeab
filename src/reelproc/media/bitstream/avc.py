"""H.264 as MP4 stores it: parameter sets in the ``avcC`` record, NAL units after their length.

Only what joining two encoders' pictures in one stream needs: which parameter sets there are, a record that lists both
encoders', and what NAL units a packet holds; and the bits in them. Formats: ISO/IEC 14496-15 section 5.3.3 (avcC) and
ITU-T H.264 sections 7.3 and 9.1 (NAL units, Exp-Golomb codes).
"""

from __future__ import annotations

from dataclasses import dataclass

NAL_IDR = 5
"""The type of a slice of an IDR picture, before which nothing needs to be known to decode what follows."""

NAL_SPS, NAL_PPS = 7, 8


@dataclass(frozen=True, slots=True)
class AvcConfiguration:
    """An ``avcC`` record.

    Attributes:
        head: version, profile, compatibility, level and length size: its first five bytes.
        sequence_sets, picture_sets: NAL units.
        tail: what profiles above Main add (chroma format and bit depths).
    """

    head: bytes
    sequence_sets: tuple[bytes, ...]
    picture_sets: tuple[bytes, ...]
    tail: bytes = b""

    @classmethod
    def parse(cls, record: bytes) -> AvcConfiguration | None:
        """Return the record, or None where ``record`` is none (H.264 in a transport stream has none)."""
        if len(record) < 7 or record[0] != 1:
            return None
        try:
            sequence_sets, at = _units(record, 6, record[5] & 0x1F)
            picture_sets, at = _units(record, at + 1, record[at])
        except IndexError:
            return None
        return cls(record[:5], sequence_sets, picture_sets, record[at:])

    @property
    def length_bytes(self) -> int:
        """Bytes of the length before each NAL unit: 1, 2 or 4."""
        return (self.head[4] & 3) + 1

    @property
    def set_ids(self) -> frozenset[int]:
        """The ids of all sequence and picture parameter sets."""
        return frozenset(_set_id(unit)[1] for unit in (*self.sequence_sets, *self.picture_sets))

    def joined(self, other: AvcConfiguration) -> bytes:
        """Return a record that lists the parameter sets of both; level and profile are the greater ones."""
        level = max(self.head[3], other.head[3])
        profile = max(self.head[1], other.head[1])
        head = bytes([self.head[0], profile, self.head[2] & other.head[2], level, self.head[4]])
        sequence_sets = self.sequence_sets + other.sequence_sets
        picture_sets = self.picture_sets + other.picture_sets
        return b"".join(
            [
                head,
                bytes([0xE0 | len(sequence_sets)]),
                *(len(u).to_bytes(2, "big") + u for u in sequence_sets),
                bytes([len(picture_sets)]),
                *(len(u).to_bytes(2, "big") + u for u in picture_sets),
                self.tail or other.tail,
            ]
        )


class ParameterSets:
    """The parameter sets that a decoder has at a place in a stream: those of the record, and what has come since.

    Args:
        configuration: the record that the stream begins with.
    """

    def __init__(self, configuration: AvcConfiguration) -> None:
        self._first = self._by_id(configuration)
        self._held = dict(self._first)

    @property
    def are_the_first(self) -> bool:
        """Whether they are those that the stream begins with, neither more nor others."""
        return self._held == self._first

    def replace(self, configuration: AvcConfiguration) -> None:
        """Take another record, as where a file goes over to another sample description."""
        self._held = self._by_id(configuration)

    def take(self, packet: memoryview, length_bytes: int) -> None:
        """Take those that stand in a packet."""
        for unit in nal_units(packet, length_bytes) or ():
            if unit[0] & 0x1F in (NAL_SPS, NAL_PPS):
                self._held[_set_id(unit)] = bytes(unit)

    @staticmethod
    def _by_id(configuration: AvcConfiguration) -> dict[tuple[int, int], bytes]:
        return {_set_id(unit): unit for unit in (*configuration.sequence_sets, *configuration.picture_sets)}


def _set_id(unit: bytes | memoryview) -> tuple[int, int]:
    """Return a parameter set's type and id."""
    kind = unit[0] & 0x1F
    # after the NAL header an SPS has profile, flags and level (3 bytes), then its id; a PPS has its id at once
    return kind, Bits(bytes(unit[4:20] if kind == NAL_SPS else unit[1:17])).ue()


class Bits:
    """The bits of a NAL unit's payload, taken one after another. Behind the end they are 0.

    Args:
        data: as stored, with a 3 in place after any two zeros that a small byte follows; the unit's own header is left
            out.
    """

    def __init__(self, data: bytes) -> None:
        plain = data.replace(b"\0\0\3", b"\0\0")
        self._left = 8 * len(plain)
        self._value = int.from_bytes(plain, "big")

    def u(self, count: int) -> int:
        """Return an unsigned number of ``count`` bits."""
        self._left -= count
        value = self._value >> self._left if self._left >= 0 else self._value << -self._left
        return value & ((1 << count) - 1)

    def ue(self) -> int:
        """Return an unsigned Exp-Golomb code; 0 where none ends."""
        rest = self._value & ((1 << max(0, self._left)) - 1)
        zeros = self._left - rest.bit_length()
        if not rest:
            return 0
        self._left -= zeros
        return self.u(zeros + 1) - 1


def nal_types(packet: bytes | memoryview, length_bytes: int) -> tuple[int, ...] | None:
    """Return the types of a packet's NAL units; None if it is damaged: lengths do not add up, or bits are forbidden.

    Damage inside a unit's payload shows only when it is decoded.
    """
    units = nal_units(packet, length_bytes)
    if units is None or any(unit[0] & 0x80 or not unit[0] & 0x1F for unit in units):
        return None
    return tuple(unit[0] & 0x1F for unit in units)


def nal_units(packet: bytes | memoryview, length_bytes: int) -> list[memoryview] | None:
    """Return a packet's NAL units, headers included; None where their lengths do not add up."""
    packet = memoryview(packet)
    units = []
    at = 0
    while at < len(packet):
        size = int.from_bytes(packet[at : at + length_bytes], "big")
        at += length_bytes
        if not size or at + size > len(packet):
            return None
        units.append(packet[at : at + size])
        at += size
    return units


def _units(record: bytes, at: int, count: int) -> tuple[tuple[bytes, ...], int]:
    units = []
    for _ in range(count):
        size = int.from_bytes(record[at : at + 2], "big")
        if not size or at + 2 + size > len(record):
            raise IndexError
        units.append(record[at + 2 : at + 2 + size])
        at += 2 + size
    return tuple(units), at
