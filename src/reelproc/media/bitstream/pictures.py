"""What pictures a packet holds: a whole one, one field of two, or none that is shown.

Most packets are a frame each. These are not:

- VP8, VP9 and AV1 code pictures that are only referred to (*alternate reference frames*), in packets of their own in
  some files. Whether a picture is shown stands in its head (RFC 6386, 9.1; VP9 specification, 6.2; AV1 specification,
  5.9.2).
- In MP4 and Matroska a sample of H.264 or HEVC may hold messages or parameter sets and no slice.
- A frame's two fields may come in two packets (:mod:`reelproc.media.bitstream.field_pairs`).

Nothing here decodes. A packet that is not as its codec has it is no packet without a picture: it is damaged, and the
frame that it should have been is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal

from reelproc.media.bitstream.avc import AvcConfiguration
from reelproc.media.bitstream.field_pairs import FieldPairs

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream as AVVideoStream

_MAX_SET_BYTES = 1024
"""More than a parameter set has."""

_MAX_DELIMITER_BYTES = 8
"""More than an access unit delimiter or an end of a sequence has."""


class ShownPictures:
    """Tells what a stream's packets hold. Take one for each run over the packets, in decoding order."""

    def __init__(self, stream: AVVideoStream) -> None:
        context: Any = stream.codec_context
        codec = None if context is None else context.codec.canonical_name
        extradata = b"" if context is None else context.extradata or b""
        self._pairs = FieldPairs.of(stream)
        self._is_hidden = _test_for(codec, extradata)

    def look(self, packet: Packet[Any]) -> tuple[Literal[0, 1, 2], bool]:
        """Return the field of a frame that ``packet`` holds (0: both), and whether it shows no picture."""
        if self._is_hidden is not None and self._is_hidden(memoryview(packet)):
            return 0, True
        return (0 if self._pairs is None else self._pairs.field(bytes(packet))), False


def _test_for(codec: str | None, extradata: bytes) -> Callable[[memoryview], bool] | None:
    """Return what tells whether a packet of ``codec`` shows no picture; None where every packet shows one."""
    if codec == "vp8":
        return _is_hidden_vp8
    if codec == "vp9":
        return _is_hidden_vp9
    if codec == "av1":
        return _Av1().is_hidden
    # In byte streams a packet is what lies up to the next picture: without a slice it is damaged.
    if codec == "h264" and (record := AvcConfiguration.parse(extradata)) is not None:
        length_bytes = record.length_bytes
        return lambda packet: _holds_no_slice(packet, length_bytes, _h264_kind)
    if codec == "hevc" and len(extradata) > 22 and extradata[0] == 1:
        length_bytes = (extradata[21] & 3) + 1
        return lambda packet: _holds_no_slice(packet, length_bytes, _hevc_kind)
    return None


_UnitKind = Literal["slice", "other", "damaged"]


def _holds_no_slice(packet: memoryview, length_bytes: int, kind: Callable[[memoryview], _UnitKind]) -> bool:
    """Return whether a packet is a row of whole NAL units, none of them a slice (ISO/IEC 14496-15, 5.3.3 and 8.3.3)."""
    at = 0
    while at < len(packet):
        begin = at + length_bytes
        at = begin + int.from_bytes(packet[at:begin], "big")
        if begin >= at or at > len(packet) or kind(packet[begin:at]) != "other":
            return False
    return True


def _h264_kind(unit: memoryview) -> _UnitKind:
    """Return what a NAL unit of H.264 is (ITU-T H.264, 7.3.1 and 7.4.1)."""
    number, is_reference, size = unit[0] & 0x1F, bool(unit[0] & 0x60), len(unit)
    if unit[0] & 0x80 or not number:
        return "damaged"
    if number <= 5:
        return "slice"
    if number in (7, 8, 15):
        return "other" if is_reference and size <= _MAX_SET_BYTES else "damaged"
    if number in (6, 9, 10, 11, 12):
        return "other" if not is_reference and (size <= _MAX_DELIMITER_BYTES or number in (6, 12)) else "damaged"
    return "other"


def _hevc_kind(unit: memoryview) -> _UnitKind:
    """Return what a NAL unit of HEVC is (ITU-T H.265, 7.3.1.2 and 7.4.2.2); slices of another view are none of ours."""
    if len(unit) < 2 or unit[0] & 0x80 or not unit[1] & 7:
        return "damaged"
    number, layer, size = unit[0] >> 1, (unit[0] & 1) << 5 | unit[1] >> 3, len(unit)
    if number < 32:
        return "other" if layer else "slice"
    if (number in (32, 33, 34) and size > _MAX_SET_BYTES) or (number in (35, 36, 37) and size > _MAX_DELIMITER_BYTES):
        return "damaged"
    return "other"


def _is_hidden_vp8(packet: memoryview) -> bool:
    if len(packet) < 3:
        return False
    tag = int.from_bytes(packet[:3], "little")
    is_inter, version, shown, first_part = tag & 1, tag >> 1 & 7, tag >> 4 & 1, tag >> 5
    starts = bool(is_inter) or bytes(packet[3:6]) == b"\x9d\x01\x2a"
    return not shown and version <= 3 and starts and 0 < first_part <= len(packet)


def _is_hidden_vp9(packet: memoryview) -> bool:
    frames = _vp9_frames(packet)
    return bool(frames) and not any(_vp9_shows(frame) for frame in frames)


def _vp9_frames(packet: memoryview) -> list[memoryview]:
    """Return the frames of a packet, several where it is a *superframe* (VP9 specification, annex B)."""
    mark = packet[-1] if len(packet) else 0
    size_bytes, count = (mark >> 3 & 3) + 1, (mark & 7) + 1
    index = 2 + size_bytes * count
    if mark & 0xE0 != 0xC0 or len(packet) < index or packet[-index] != mark:
        return [packet]
    frames, at = [], 0
    for each in range(count):
        begin = len(packet) - index + 1 + size_bytes * each
        size = int.from_bytes(packet[begin : begin + size_bytes], "little")
        frames.append(packet[at : at + size])
        at += size
    return frames


def _vp9_shows(frame: memoryview) -> bool:
    """Return whether a frame is shown, or shows another one; one that is not as it should be counts as shown."""
    bits = frame[0] if len(frame) else 0
    if bits >> 6 != 2:
        return True
    shift = 2 if bits & 0x30 == 0x30 else 3  # profile 3 has a reserved bit
    shows_existing, shown = bits >> shift & 1, bits >> (shift - 2) & 1
    return bool(shows_existing or shown)


_SEQUENCE_HEADER, _FRAME_HEADER, _FRAME, _PADDING = 1, 3, 6, 15


class _Av1:
    """AV1's temporal units; they say once whether a stream is of still pictures, which are all shown."""

    def __init__(self) -> None:
        self._is_still = False

    def is_hidden(self, packet: memoryview) -> bool:
        """Return whether a packet is a row of whole units, none of which shows a picture."""
        for kind, content in self._units(packet):
            is_known = kind in range(_SEQUENCE_HEADER, 9) or kind == _PADDING
            if kind == _SEQUENCE_HEADER and len(content):
                self._is_still = bool(content[0] & 0x08)
            if not is_known or (kind in (_FRAME_HEADER, _FRAME) and self._shows(content)):
                return False
        return bool(len(packet))

    def _shows(self, head: memoryview) -> bool:
        """Return whether a frame is shown, or shows another one; in its head two bits of its type lie between those."""
        return self._is_still or not len(head) or bool(head[0] & 0x90)

    @staticmethod
    def _units(packet: memoryview) -> Iterator[tuple[int, memoryview]]:
        """Yield the type and content of each unit; of one that is not as it should be, the type 0."""
        at = 0
        while at < len(packet):
            head = packet[at]
            at += 2 if head & 4 else 1
            size, is_whole = len(packet) - at, True
            if head & 2:
                size, at, is_whole = _leb128(packet, at)
            if head & 0x81 or not is_whole or at + size > len(packet):
                yield 0, packet[:0]
                return
            yield head >> 3 & 15, packet[at : at + size]
            at += size


def _leb128(data: memoryview, at: int) -> tuple[int, int, bool]:
    """Return the variable-length number at ``at``, where it ends, and whether it does (AV1 specification, 4.10.5)."""
    value = 0
    for place, byte in enumerate(data[at : at + 8]):
        value |= (byte & 0x7F) << 7 * place
        if not byte & 0x80:
            return value, at + place + 1, True
    return 0, at, False
