"""Breaks media files on purpose, the same way every time.

:func:`sources` makes one small video of every common kind; the other functions take a file's bytes and give them back
cut off, bent, or with a header that lies.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import av

from media_factory import numbered_video, run_ffmpeg, tone

FRAMES = 30
"""Of every source, one second."""

KINDS = (
    "late-index.mp4",
    "faststart.mp4",
    "fragments.mp4",
    "hevc.mp4",
    "vp9.webm",
    "h264.mkv",
    "mpeg4.avi",
    "h264.ts",
)
"""Names of the sources: what is in them, and the container."""

_CODECS = {"hevc": "libx265", "vp9": "libvpx-vp9", "mpeg4": "mpeg4"}


def make_source(kind: str, folder: Path, *, sound: bool = True, frame_count: int = FRAMES) -> Path:
    """A numbered video of one of :data:`KINDS`: 96x64, a key frame every ten frames, B-frames where there can be."""
    what, _, suffix = kind.partition(".")
    path = folder / kind
    made = folder / f"made.{kind}" if suffix == "mp4" and what != "late-index" else path
    numbered_video(
        made,
        frame_count=frame_count,
        width=96,
        height=64,
        gop_size=10,
        codec=_CODECS.get(what, "libx264"),
        b_frames=0 if what == "mpeg4" else 2,
        sound=tone(frame_count / 30) if sound else None,
    )
    if made != path:
        flags = "frag_keyframe+empty_moov" if what == "fragments" else "faststart"
        run_ffmpeg("-i", str(made), "-c", "copy", "-movflags", flags, str(path))
        made.unlink()
    return path


def flipped(data: bytes, seed: str, count: int) -> bytes:
    """``count`` bits turned over."""
    rng = random.Random(seed)
    bent = bytearray(data)
    for _ in range(count):
        bent[rng.randrange(len(bent))] ^= 1 << rng.randrange(8)
    return bytes(bent)


def with_hole(data: bytes, seed: str, size: int) -> bytes:
    """``size`` bytes somewhere in the file are zero: a sector that was never written."""
    begin = random.Random(seed).randrange(len(data))
    return data[:begin] + bytes(min(size, len(data) - begin)) + data[begin + size :]


class Box(NamedTuple):
    """A box of an ISO file: its name, and where its content begins and ends."""

    name: bytes
    begin: int
    end: int


_PARENTS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"moof", b"traf", b"mvex", b"udta")


def boxes(data: bytes, begin: int = 0, end: int | None = None) -> Iterator[Box]:
    """All boxes, those inside others behind these."""
    end = len(data) if end is None else end
    while begin + 8 <= end:
        size, head = int.from_bytes(data[begin : begin + 4], "big"), 8
        if size == 1:
            size, head = int.from_bytes(data[begin + 8 : begin + 16], "big"), 16
        if size < head:
            return
        box = Box(data[begin + 4 : begin + 8], begin + head, min(end, begin + size))
        yield box
        if box.name in _PARENTS:
            yield from boxes(data, box.begin, box.end)
        begin += size


def patched(data: bytes, name: str, offset: int, value: bytes) -> bytes:
    """The file with ``value`` written into the first box called ``name``, ``offset`` bytes from its content's start."""
    at = next(box for box in boxes(data) if box.name == name.encode()).begin + offset
    return data[:at] + value + data[at + len(value) :]


def _u32(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


MP4_LIES: dict[str, tuple[str, int, bytes]] = {
    # ISO/IEC 14496-12; offsets count from the version byte of each (full) box
    "the film lasts 5000 days": ("mvhd", 16, _u32(0xFFFFFFF0)),
    "the track lasts 3 days": ("mdhd", 16, _u32(0xFFFFFFF0)),
    "the track lasts no time": ("mdhd", 16, _u32(0)),
    "a clock that stands": ("mdhd", 12, _u32(0)),
    "a clock that ticks once a second": ("mdhd", 12, _u32(1)),
    "a clock that ticks four billion times": ("mdhd", 12, _u32(0xFFFFFFFF)),
    "shown as nothing": ("tkhd", 76, _u32(0, 0)),
    "shown as 65535x65535": ("tkhd", 76, _u32(0xFFFF0000, 0xFFFF0000)),
    "a frame lasts five hours": ("stts", 12, _u32(0x0FFFFFFF)),
    "a frame lasts a minute": ("stts", 12, _u32(1_000_000)),
    "a frame lasts less than nothing": ("stts", 12, _u32(0xFFFFFFFF)),
    "a frame lasts no time": ("stts", 12, _u32(0)),
    "more times than frames": ("stts", 8, _u32(0xFFFFFFF)),
    "268 million frames": ("stsz", 8, _u32(0xFFFFFFF)),
    "a frame of two gigabytes": ("stsz", 12, _u32(0x7FFFFFFF)),
    "frames of two gigabytes": ("stsz", 4, _u32(0x7FFFFFFF)),
    "a frame shown a day late": ("ctts", 12, _u32(0x7FFFFFFF)),
    "an edit of 49 days": ("elst", 8, _u32(0xFFFFFFF0)),
    "an edit that shows nothing": ("elst", 12, _u32(0xFFFFFFFF)),
    "an edit behind the end": ("elst", 12, _u32(0x7FFFFFF)),
    "an edit at five times the speed": ("elst", 16, b"\x00\x05\x00\x00"),
    "stored as 65535x65535": ("stsd", 40, b"\xff\xff\xff\xff"),
    "stored as nothing": ("stsd", 40, b"\x00\x00\x00\x00"),
    "packets at the file's start": ("stco", 8, _u32(0)),
    "a chunk of 268 million packets": ("stsc", 12, _u32(0xFFFFFFF)),
}

MKV_LIES: dict[str, tuple[bytes, bytes]] = {
    # the element's id and size (RFC 9559), and what is written behind them
    "it lasts no number": (b"\x44\x89\x88", struct.pack(">d", float("nan"))),
    "it lasts for ever": (b"\x44\x89\x88", struct.pack(">d", float("inf"))),
    "it lasts longer than the universe": (b"\x44\x89\x88", struct.pack(">d", 1e300)),
    "it lasts less than nothing": (b"\x44\x89\x88", struct.pack(">d", -5.0)),
    "a clock that stands": (b"\x2a\xd7\xb1\x83", b"\x00\x00\x00"),
    "a clock seventeen times too slow": (b"\x2a\xd7\xb1\x83", b"\xff\xff\xff"),
}


def lying(kind: str, lie: str, data: bytes) -> bytes:
    """``data``, an ``"mp4"`` or ``"mkv"`` file, with one of :data:`MP4_LIES` or :data:`MKV_LIES` in it."""
    if kind == "mp4":
        name, offset, value = MP4_LIES[lie]
        return patched(data, name, offset, value)
    element, value = MKV_LIES[lie]
    at = data.index(element) + len(element)
    return data[:at] + value + data[at + len(value) :]


def without_packets(path: Path, stream_type: str) -> bytes:
    """The file, all packets of its first video or audio stream overwritten with rubbish."""
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        stream = next(s for s in container.streams if s.type == stream_type)
        for packet in container.demux(stream):
            if packet.size and packet.pos is not None:
                data[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    return bytes(data)
