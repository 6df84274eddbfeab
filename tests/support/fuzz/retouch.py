"""Files bent without breaking them: other edits, other key frames, a header that promises a shallower reordering."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import av

from broken_media import boxes

__all__ = [
    "Edit",
    "all_keys",
    "no_keys",
    "with_edits",
    "with_pictureless_samples",
    "with_promised_reordering",
    "with_sync_samples",
    "without_random_access",
]


class Edit(NamedTuple):
    """An entry of an edit list.

    Attributes:
        duration: units of the film's clock.
        media_time: units of the track's clock; -1: nothing is shown.
        rate: in 1/65536; 0 holds a picture.
    """

    duration: int
    media_time: int
    rate: int = 1 << 16


def film_clock(data: bytes) -> tuple[int, int]:
    """Units a second of an MP4's film and of its first track."""
    clocks = []
    for name in (b"mvhd", b"mdhd"):
        at = next(box for box in boxes(data) if box.name == name).begin
        clocks.append(int.from_bytes(data[at + 12 : at + 16] if not data[at] else data[at + 20 : at + 24], "big"))
    return clocks[0], clocks[1]


def with_edits(data: bytes, edits: Sequence[Edit]) -> bytes:
    """An MP4 whose index is at its end, with another edit list for its first track."""
    listed = b"".join(struct.pack(">IiI", *edit) for edit in edits)
    elst = struct.pack(">I4sII", 16 + len(listed), b"elst", 0, len(edits)) + listed
    made = struct.pack(">I4s", 8 + len(elst), b"edts") + elst
    found = list(boxes(data))
    moov = next(box for box in found if box.name == b"moov")
    trak = next(box for box in found if box.name == b"trak")
    old = next((box for box in found if box.name == b"edts" and box.end <= trak.end), None)
    tkhd = next(box for box in found if box.name == b"tkhd")
    begin, end = (tkhd.end, tkhd.end) if old is None else (old.begin - 8, old.end)
    more = len(made) - (end - begin)
    bent = bytearray(data[:begin] + made + data[end:])
    for box in (moov, trak):
        bent[box.begin - 8 : box.begin - 4] = struct.pack(">I", box.end - box.begin + 8 + more)
    return bytes(bent)


def with_sync_samples(data: bytes, listed: Callable[[list[int]], Iterable[int]]) -> bytes:
    """An MP4 that lists other key frames: at most as many, by what ``listed`` makes of the numbers (from 1) it had."""
    box = next((box for box in boxes(data) if box.name == b"stss"), None)
    if box is None:
        return data
    count = int.from_bytes(data[box.begin + 4 : box.begin + 8], "big")
    numbers = list(struct.unpack(f">{count}I", data[box.begin + 8 : box.begin + 8 + 4 * count]))
    kept = list(listed(numbers))
    if not kept:  # without the box, every sample is a key frame
        return data[: box.begin - 4] + b"free" + data[box.begin :]
    body = struct.pack(f">I{len(kept)}I", len(kept), *kept)
    return data[: box.begin + 4] + body + data[box.begin + 4 + len(body) :]


def all_keys(path: Path) -> int:
    """Mark every block of a Matroska file as a key frame; how many."""
    return _mark_blocks(path, 0x80)


def no_keys(path: Path) -> int:
    """Mark no block of a Matroska file as a key frame; how many."""
    return _mark_blocks(path, 0)


def _mark_blocks(path: Path, mark: int) -> int:
    data = bytearray(path.read_bytes())
    count = 0
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            if packet.size and packet.pos is not None:
                flags = data.index(bytes(packet), packet.pos) - 1
                if data[flags] in (0, 0x80):
                    data[flags] = mark
                    count += 1
    path.write_bytes(data)
    return count


def without_random_access(data: bytes) -> bytes:
    """MPEG-TS that marks no place where decoding can begin."""
    bent = bytearray(data)
    for cell in range(0, len(bent) - 187, 188):
        if bent[cell + 3] & 0x20 and bent[cell + 4]:
            bent[cell + 5] &= ~0x40
    return bytes(bent)


PICTURELESS = {
    "h264": {
        "SEI": bytes.fromhex("0605 11 dc45e9bde6d948b7962cd820d923eeef 00 80".replace(" ", "")),
        "filler": b"\x0c\xff\xff\x80",
        "delimiter": b"\x09\xf0",
    },
    "hevc": {"SEI": b"\x4e\x01\x05\x11" + bytes(range(16)) + b"\x01\x80", "delimiter": b"\x46\x01\x50"},
}
"""NAL units of which no picture comes."""


def with_pictureless_samples(source: Path, path: Path, codec: str, kind: str, every: int) -> int:
    """A copy in which every so many packets one follows that holds no picture; how many."""
    unit = PICTURELESS[codec][kind]
    count = 0
    with av.open(str(source)) as container, av.open(str(path), "w") as out:
        stream = container.streams.video[0]
        is_annexb = (stream.codec_context.extradata or b"").startswith(b"\0\0")
        copied = out.add_stream_from_template(stream)
        packets: list[Any] = [packet for packet in container.demux(stream) if packet.size]
        if any(packet.pts is None or packet.dts is None for packet in packets):
            return 0
        for number, packet in enumerate(packets):
            step = (packets[number + 1].dts - packet.dts if number + 1 < len(packets) else packet.duration) // 2
            template = (packet.pts + step, packet.dts + step, packet.time_base)
            packet.stream = copied
            out.mux_one(packet)
            if number % every == every - 1 and step:
                head = b"\0\0\0\1" if is_annexb else len(unit).to_bytes(4, "big")
                extra = av.Packet(head + unit)
                extra.pts, extra.dts, extra.time_base = template
                extra.stream = copied
                out.mux_one(extra)
                count += 1
    return count


def with_promised_reordering(path: Path, codec: str, depth: int) -> bool:
    """Let the sequence header of H.264 or HEVC promise that at most so many frames are shown after later ones.

    Returns:
        Whether it could be written: it takes no more room than what was there.
    """
    try:
        with av.open(str(path)) as container:
            extradata = container.streams.video[0].codec_context.extradata or b""
    except av.FFmpegError:
        return False
    data = path.read_bytes()
    changed = False
    for unit in _parameter_sets(extradata, codec):
        bits = _bits(unescaped(unit))
        place, old = _reorder_place(bits, codec)
        if place is None or old <= depth:
            continue
        body = bits[:place] + _ue(depth) + bits[place + len(_ue(old)) : bits.rindex("1")] + "1"
        body += "0" * (-len(body) % 8)
        new = escaped(int(body, 2).to_bytes(len(body) // 8, "big"))
        if len(new) <= len(unit) and unit in data:
            data = data.replace(unit, new + bytes(len(unit) - len(new)))
            changed = True
    path.write_bytes(data)
    return changed


def _parameter_sets(extradata: bytes, codec: str) -> list[bytes]:
    """The sequence parameter sets in avcC, hvcC or Annex B."""
    if extradata.startswith(b"\0\0"):
        units = [unit.rstrip(b"\0") for unit in extradata.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if unit]
    else:
        units = []
        if len(extradata) < 24:
            return []  # avcC and hvcC are longer
        place, arrays = (5, 1) if codec == "h264" else (23, extradata[22])
        for _ in range(arrays):
            if codec == "h264":
                count, place = extradata[place] & 31, place + 1
            else:
                count, place = int.from_bytes(extradata[place + 1 : place + 3], "big"), place + 3
            for _ in range(count):
                size = int.from_bytes(extradata[place : place + 2], "big")
                units.append(extradata[place + 2 : place + 2 + size])
                place += 2 + size
    is_set = (lambda u: u[0] & 31 == 7) if codec == "h264" else (lambda u: u[0] >> 1 & 63 == 33)
    return [unit for unit in units if is_set(unit)]


def unescaped(unit: bytes) -> bytes:
    """Return a NAL unit without the 3 after each two zeros that :func:`escaped` puts in."""
    return unit.replace(b"\0\0\3", b"\0\0")


def escaped(unit: bytes) -> bytes:
    """Return a NAL unit as it is stored: with a 3 after any two zeros that a small byte follows."""
    made = bytearray()
    for byte in unit:
        if byte <= 3 and made[-2:] == b"\0\0":
            made.append(3)
        made.append(byte)
    return bytes(made)


def _bits(unit: bytes) -> str:
    return f"{int.from_bytes(unit, 'big'):0{8 * len(unit)}b}"


def _ue(value: int) -> str:
    code = f"{value + 1:b}"
    return "0" * (len(code) - 1) + code


class _Reader:
    def __init__(self, bits: str, place: int) -> None:
        self.bits, self.place = bits, place

    def u(self, count: int) -> int:
        self.place += count
        return int(self.bits[self.place - count : self.place] or "0", 2)

    def ue(self) -> int:
        zeros = self.bits.index("1", self.place) - self.place
        self.place += zeros
        return self.u(zeros + 1) - 1


def _reorder_place(bits: str, codec: str) -> tuple[int | None, int]:
    """Where the depth of reordering stands, and what it is."""
    return _h264_place(bits) if codec == "h264" else _hevc_place(bits)


def _h264_place(bits: str) -> tuple[int | None, int]:
    """ITU-T H.264, 7.3.2.1.1 and E.1.1; without scaling lists and HRD, which x264 writes only where it is asked to."""
    profile = int(bits[8:16], 2)
    read = _Reader(bits, 32)
    read.ue()
    if profile >= 100:
        read.ue(), read.ue(), read.ue(), read.u(1)
        if read.u(1):
            return None, 0
    read.ue()
    if read.ue() == 0:
        read.ue()
    read.ue(), read.u(1), read.ue(), read.ue()
    if not read.u(1):
        read.u(1)
    read.u(1)
    if read.u(1):
        [read.ue() for _ in range(4)]
    if not read.u(1):
        return None, 0
    if read.u(1) and read.u(8) == 255:
        read.u(32)
    if read.u(1):
        read.u(1)
    if read.u(1):
        read.u(4)
        if read.u(1):
            read.u(24)
    if read.u(1):
        read.ue(), read.ue()
    if read.u(1):
        read.u(65)
    if read.u(2):
        return None, 0
    read.u(1)
    if not read.u(1):
        return None, 0
    read.u(1), [read.ue() for _ in range(4)]
    place = read.place
    return place, read.ue()


def _hevc_place(bits: str) -> tuple[int | None, int]:
    """ITU-T H.265, 7.3.2.2.1, of a stream without temporal layers."""
    read = _Reader(bits, 16 + 4)
    if read.u(3):
        return None, 0
    read.u(1 + 96), read.ue()
    if read.ue() == 3:
        read.u(1)
    read.ue(), read.ue()
    if read.u(1):
        [read.ue() for _ in range(4)]
    read.ue(), read.ue(), read.ue(), read.u(1), read.ue()
    place = read.place
    return place, read.ue()
