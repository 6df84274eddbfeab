"""H.264 whose frames may come in two packets, a field in each.

Camcorders (AVCHD, with *picture-adaptive* coding, PAFF) store the fields of a frame as two pictures. A transport stream
may stamp each of them, and what copies such a stream into MP4 or Matroska makes two packets of the frame, each with its
time and length. A decoder weaves them into one frame, with the time of the first, so an index must not count two. Which
belong together stands in the pictures' heads (ITU-T H.264, 7.3.2.1.1, 7.3.2.2, 7.3.3 and 7.4.1.2.4): the second is of
the other parity, has the same frame number, and is no IDR picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from reelproc.media.bitstream.avc import NAL_IDR, AvcConfiguration, Bits

if TYPE_CHECKING:
    from av.video.stream import VideoStream as AVVideoStream

_SLICES = (1, 2, NAL_IDR)
"""NAL unit types that begin with a slice's head."""

_SEQUENCE_SET, _PICTURE_SET = 7, 8

_MAX_HEADER_BYTES = 48
"""More than a slice's head needs up to its field flags."""

_MAX_SET_BYTES = 1024
"""More than a parameter set has, all tables of scaling included."""

_MAX_NUMBER_BITS = 16
"""The most that a frame number has."""

_LONG_PROFILES = (100, 110, 122, 244, 44, 83, 86, 118, 128, 134, 135, 138, 139)
"""Whose sequence parameter sets state formats of colour and tables of scaling."""


class _Sequence(NamedTuple):
    """What a slice's head cannot be read without."""

    number_bits: int
    separate_planes: bool


class _Field(NamedTuple):
    frame_number: int
    bottom: bool
    idr: bool

    def completes(self, first: _Field | None) -> bool:
        """Return whether it is the second field of the frame that ``first`` begins."""
        return (
            first is not None
            and not self.idr
            and self.bottom != first.bottom
            and self.frame_number == first.frame_number
        )


class FieldPairs:
    """Tells which of a stream's packets hold the second field of a frame. Take one for each run over the packets.

    Args:
        extradata: the stream's parameter sets, as an ``avcC`` record or after start codes.
    """

    def __init__(self, extradata: bytes) -> None:
        self._sequences: dict[int, _Sequence | None] = {}  # None: of frames only
        self._pictures: dict[int, int] = {}  # which sequence set each picture set belongs to
        self._first: _Field | None = None
        record = AvcConfiguration.parse(extradata)
        self._length_bytes = None if record is None else record.length_bytes
        for unit in (*record.sequence_sets, *record.picture_sets) if record else _behind_start_codes(extradata):
            self._learn(unit)

    @classmethod
    def of(cls, stream: AVVideoStream) -> FieldPairs | None:
        """For ``stream``; None where each packet is a frame."""
        context: Any = stream.codec_context
        if context is None or context.codec.canonical_name != "h264" or not context.extradata:
            return None
        pairs = cls(context.extradata)
        return pairs if any(pairs._sequences.values()) else None

    def field(self, packet: bytes) -> Literal[0, 1, 2]:
        """Which field of a frame the next packet in decoding order holds; 0: both, or nothing that can be read."""
        fields = [field for unit in self._units(packet) if (field := self._slice(unit)) is not None]
        first, self._first = self._first, None
        if not fields or fields[-1].completes(fields[0]):
            return 0
        if fields[0].completes(first):
            return 2
        self._first = fields[0]
        return 1

    def _units(self, packet: bytes) -> Iterator[bytes]:
        if self._length_bytes is None:
            yield from _behind_start_codes(packet)
            return
        at = 0
        while at + self._length_bytes < len(packet):
            size = int.from_bytes(packet[at : at + self._length_bytes], "big")
            at += self._length_bytes
            yield packet[at : at + size]
            at += size

    def _learn(self, unit: bytes) -> None:
        """Keep what a parameter set says."""
        if unit[:1] and unit[0] & 0x1F == _SEQUENCE_SET:
            number, sequence = _sequence(unit)
            self._sequences[number] = sequence
        elif unit[:1] and unit[0] & 0x1F == _PICTURE_SET:
            bits = Bits(unit[1:_MAX_HEADER_BYTES])
            number = bits.ue()
            self._pictures[number] = bits.ue()

    def _slice(self, unit: bytes) -> _Field | None:
        """Return the field that a slice is of; None: it is of a frame, or the unit is no slice."""
        kind = unit[0] & 0x1F if unit else 0
        if kind not in _SLICES:
            self._learn(unit)
            return None
        bits = Bits(unit[1:_MAX_HEADER_BYTES])
        bits.ue()  # the first macroblock
        bits.ue()  # the type of slice
        sequence = self._sequences.get(self._pictures.get(bits.ue(), -1))
        if sequence is None:
            return None
        bits.u(2 if sequence.separate_planes else 0)
        number = bits.u(sequence.number_bits)
        return _Field(number, bool(bits.u(1)), kind == NAL_IDR) if bits.u(1) else None


def _behind_start_codes(data: bytes) -> Iterator[bytes]:
    """Yield the NAL units of a byte stream (H.264 annex B)."""
    at = data.find(b"\0\0\1")
    while at >= 0:
        end = data.find(b"\0\0\1", at + 3)
        yield data[at + 3 : end if end >= 0 else len(data)]
        at = end


def _sequence(unit: bytes) -> tuple[int, _Sequence | None]:
    """Return a sequence parameter set's number, and what it says; None of one that knows no fields."""
    profile, bits = unit[1] if len(unit) > 1 else 0, Bits(unit[4:_MAX_SET_BYTES])
    number = bits.ue()
    separate_planes = False
    if profile in _LONG_PROFILES:
        colours = bits.ue()
        separate_planes = colours == 3 and bool(bits.u(1))
        bits.ue()  # bits of luma
        bits.ue()  # and of chroma
        bits.u(1)
        if bits.u(1):
            for table in range(12 if colours == 3 else 8):
                if bits.u(1):
                    _skip_scaling(bits, 16 if table < 6 else 64)
    number_bits = bits.ue() + 4
    order = bits.ue()
    if order == 0:
        bits.ue()
    elif order == 1:
        bits.u(1)
        bits.ue()  # two signed codes, as long as unsigned ones
        bits.ue()
        for _ in range(min(bits.ue(), 255)):
            bits.ue()
    bits.ue()  # reference frames
    bits.u(1)
    bits.ue()  # width and height
    bits.ue()
    frames_only = bits.u(1) or number_bits > _MAX_NUMBER_BITS
    return number, None if frames_only else _Sequence(number_bits, separate_planes)


def _skip_scaling(bits: Bits, size: int) -> None:
    """Skip a table of scaling: differences, up to one that leads to 0."""
    scale = 8
    for _ in range(size):
        code = bits.ue()
        scale = (scale + (-(code // 2) if code % 2 == 0 else (code + 1) // 2)) % 256
        if not scale:
            return
