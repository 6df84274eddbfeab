"""Which pictures refer to earlier ones, by their own heads, whatever the container says of them.

A container marks the packets at which decoding may begin. Some mark them all (MP4 without ``stss``, AVI whose index was
made again, careless muxers of MPEG-4 and H.263): a decoder that is set down at such a one makes grey rubbish of what it
misses. Nothing here decodes: the type of a picture stands in its first bytes.

A packet that is not as its codec has it is not told to refer to others: it is damaged, and may have been a key frame.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from reelproc.media.bitstream.avc import AvcConfiguration, Bits, nal_units

if TYPE_CHECKING:
    from av.packet import Packet

NEEDS_TRUE_START = frozenset(("flv1", "h263", "h263p", "mpeg4", "msmpeg4v2", "msmpeg4v3", "wmv1", "wmv2"))
"""Codecs whose decoders make grey pictures of what they get first, be it no key frame; others wait for one."""

_MAX_HEADER_BYTES = 40
"""More than what lies before the type of a slice, or than the head of H.263."""

_START_CODES_IN = 4096
"""Bytes in which the first picture of MPEG-4, MPEG-1 or MPEG-2 begins, and messages name a recovery point."""


def refers_back(packet: Packet[Any]) -> bool:
    """Return whether a packet's picture refers to earlier ones; False where nobody knows."""
    context: Any = packet.stream.codec_context
    if context is None:
        return False
    test = _test_for(context.codec.canonical_name, bytes(context.extradata or b""))
    return test is not None and test(memoryview(packet))


@functools.lru_cache(maxsize=16)
def _test_for(codec: str, extradata: bytes) -> Callable[[memoryview], bool] | None:
    """Return the test for a stream's packets; None if there is none for its codec."""
    if codec == "h264":
        record = AvcConfiguration.parse(extradata)
        return lambda packet: _h264(_units(packet, None if record is None else record.length_bytes))
    if codec == "hevc":
        length_bytes = (extradata[21] & 3) + 1 if extradata[:1] == b"\x01" and len(extradata) > 21 else None
        return lambda packet: _hevc(_units(packet, length_bytes))
    return _TESTS.get(codec)


def _units(packet: memoryview, length_bytes: int | None) -> Iterator[memoryview]:
    """Yield the NAL units of a packet; without lengths, those after start codes, each with what follows it."""
    if length_bytes is not None:
        yield from nal_units(packet, length_bytes) or ()
        return
    data = bytes(packet)
    at = data.find(b"\0\0\1")
    while 0 <= at < len(data) - 4:
        yield packet[at + 3 :]
        at = data.find(b"\0\0\1", at + 3)


def _h264(units: Iterator[memoryview]) -> bool:
    """H.264 (ITU-T H.264, 7.3.2.8 and 7.3.3): no IDR picture, no recovery point, and the first slice is P or B.

    Of two fields the first counts.
    """
    for unit in units:
        kind = unit[0] & 0x1F
        if kind == 5 or (kind == 6 and _says_recovery_point(unit, 1)):
            return False
        if kind in (1, 2):
            bits = Bits(bytes(unit[1:_MAX_HEADER_BYTES]))
            bits.ue()  # the first macroblock
            return bits.ue() % 5 in (0, 1, 3)
    return False


def _hevc(units: Iterator[memoryview]) -> bool:
    """HEVC (ITU-T H.265, 7.4.2.2): no picture of random access, and no recovery point."""
    for unit in units:
        if len(unit) < 3 or unit[0] & 1 or unit[1] >> 3:  # of another layer
            continue
        kind = unit[0] >> 1
        if kind == 39 and _says_recovery_point(unit, 2):
            return False
        if kind < 32:
            return kind < 16
    return False


def _says_recovery_point(unit: memoryview, head_bytes: int) -> bool:
    """Return whether a unit of messages has one that names a recovery point (payload type 6)."""
    messages = bytes(unit[head_bytes:_START_CODES_IN]).replace(b"\0\0\3", b"\0\0")
    at = 0
    while at + 2 <= len(messages) and messages[at] != 0x80:
        kind, at = _long(messages, at)
        size, at = _long(messages, at)
        if kind == 6:
            return True
        at += size
    return False


def _long(messages: bytes, at: int) -> tuple[int, int]:
    """Return the number at ``at``, where 255 means that it goes on, and where it ends."""
    value = 0
    while messages[at : at + 1] == b"\xff":
        value, at = value + 255, at + 1
    return value + sum(messages[at : at + 1]), at + 1


def _behind(packet: memoryview, code: bytes) -> bytes:
    """Return the bytes after the first such start code."""
    head = bytes(packet[:_START_CODES_IN])
    at = head.find(b"\0\0\1" + code)
    return b"" if at < 0 else head[at + 4 : at + 8]


def _mpeg4(packet: memoryview) -> bool:
    """MPEG-4 (ISO/IEC 14496-2, 6.2.5): ``vop_coding_type`` is not 0."""
    head = _behind(packet, b"\xb6")
    return bool(head) and head[0] >> 6 != 0


def _mpeg12(packet: memoryview) -> bool:
    """MPEG-1 and MPEG-2 (ISO/IEC 13818-2, 6.2.3): ``picture_coding_type`` is P or B; of two fields the first counts."""
    head = _behind(packet, b"\x00")
    return len(head) > 1 and head[1] >> 3 & 7 in (2, 3)


def _h263(packet: memoryview) -> bool:
    """H.263 (ITU-T H.263, 5.1): the coding type of PTYPE, or of what extends it."""
    bits = Bits(bytes(packet[:_MAX_HEADER_BYTES]).replace(b"\0\0\3", b"\0\0\3\3"))  # nothing is escaped here
    if bits.u(22) != 0x20:
        return False
    bits.u(8)  # temporal reference
    bits.u(5)  # two fixed bits, split screen, document camera, freeze picture release
    if bits.u(3) != 7:
        return bool(bits.u(1))
    if bits.u(3) == 1:
        bits.u(18)
    return bits.u(3) not in (0, 7)


def _flv1(packet: memoryview) -> bool:
    """Sorenson's H.263 in FLV: its head is one of its own (libavcodec/flvdec.c)."""
    bits = Bits(bytes(packet[:_MAX_HEADER_BYTES]).replace(b"\0\0\3", b"\0\0\3\3"))
    if bits.u(17) != 1:
        return False
    bits.u(13)  # version, temporal reference
    size = bits.u(3)
    bits.u({0: 16, 1: 32}.get(size, 0))
    return bits.u(2) != 0


def _microsoft(packet: memoryview) -> bool:
    """MPEG-4 by Microsoft, versions 2 and 3, and WMV1: the first two bits are 1 in a P frame."""
    return len(packet) > 0 and packet[0] >> 6 == 1


def _wmv2(packet: memoryview) -> bool:
    return len(packet) > 0 and bool(packet[0] & 0x80)


def _vp8(packet: memoryview) -> bool:
    """VP8 (RFC 6386, 9.1)."""
    return len(packet) > 3 and bool(packet[0] & 1)


def _vp9(packet: memoryview) -> bool:
    """VP9 (VP9 specification, 6.2): the first frame of a packet is neither a key frame nor shows an earlier one."""
    bits = packet[0] if len(packet) else 0
    shift = 2 if bits & 0x30 == 0x30 else 3
    return bits >> 6 == 2 and not bits >> shift & 1 and bool(bits >> (shift - 1) & 1)


def _theora(packet: memoryview) -> bool:
    """Theora (specification, 7.1): a frame, and no intra frame."""
    return len(packet) > 0 and packet[0] >> 6 == 1


_TESTS: dict[str, Callable[[memoryview], bool]] = {
    "mpeg4": _mpeg4,
    "mpeg1video": _mpeg12,
    "mpeg2video": _mpeg12,
    "h263": _h263,
    "h263p": _h263,
    "flv1": _flv1,
    "msmpeg4v2": _microsoft,
    "msmpeg4v3": _microsoft,
    "wmv1": _microsoft,
    "wmv2": _wmv2,
    "vp8": _vp8,
    "vp9": _vp9,
    "theora": _theora,
}
