"""Writes MP4 files that ffmpeg does not: edit lists, and two sample descriptions (ISO/IEC 14496-12, 8.5 and 8.6)."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence
from pathlib import Path

import av

from broken_media import boxes

EMPTY = -1
"""The ``media_time`` of an edit that shows nothing."""


def with_edits(source: Path, path: Path, edits: Sequence[tuple[float, float, float]], *, track: int = 0) -> Path:
    """A copy of an MP4, one track's edit list replaced; its index is at its end, or it is in fragments.

    Args:
        source: the file.
        path: of the copy.
        edits: (seconds, media_time in seconds or ``EMPTY``, rate).
        track: its place among the tracks.
    """
    data = source.read_bytes()
    every = list(boxes(data))
    moov = next(box for box in every if box.name == b"moov")
    trak = [box for box in every if box.name == b"trak"][track]
    scale, ticks = _clock(data, b"mvhd", 0), _clock(data, b"mdhd", trak.begin)
    entries = b"".join(
        struct.pack(
            ">Iii", round(length * scale), EMPTY if begin == EMPTY else round(begin * ticks), round(rate * 65536)
        )
        for length, begin, rate in edits
    )
    elst = _box(b"elst", struct.pack(">II", 0, len(edits)) + entries)
    kept, at = b"", trak.begin
    while at < trak.end:
        size = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] != b"edts":
            kept += data[at : at + size]
        if data[at + 4 : at + 8] == b"tkhd":
            kept += _box(b"edts", elst)
        at += size
    assert moov.end == len(data) or any(box.name == b"moof" for box in every), "places in the file would change"
    index = data[moov.begin : trak.begin - 8] + _box(b"trak", kept) + data[trak.end : moov.end]
    path.write_bytes(data[: moov.begin - 8] + _box(b"moov", index) + data[moov.end :])
    return path


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + name + content


def _clock(data: bytes, name: bytes, behind: int) -> int:
    """Ticks a second of the first box of that name behind a place."""
    found = next(box for box in boxes(data) if box.name == name and box.begin >= behind)
    at = found.begin + (20 if data[found.begin] == 1 else 12)
    return int.from_bytes(data[at : at + 4], "big")


def joined(first: Path, second: Path, path: Path) -> Path:
    """One MP4 of two without sound and edits, whose track has the sample descriptions of both."""
    data = first.read_bytes()
    descriptions, samples = [], []
    for number, source in enumerate((first, second), 1):
        held = source.read_bytes()
        stsd = next(box for box in boxes(held) if box.name == b"stsd")
        descriptions.append(held[stsd.begin + 8 : stsd.end])
        with av.open(str(source)) as container:
            packets = [p for p in container.demux(video=0) if p.dts is not None and p.pts is not None]
        samples += [(number, bytes(p), p.duration or 0, p.pts - p.dts, p.is_keyframe) for p in packets]
    base = len(_box(b"ftyp", b"isom\0\0\0\0isom")) + 8
    places = list(itertools.accumulate((len(content) for _, content, *_ in samples), initial=base))[:-1]
    count = len(samples)
    keys = [place for place, sample in enumerate(samples, 1) if sample[4]]
    stbl = b"".join(
        _box(name, struct.pack(">I", 0) + content)
        for name, content in (
            (b"stsd", struct.pack(">I", 2) + b"".join(descriptions)),
            (b"stts", _table([(1, duration) for _, _, duration, _, _ in samples])),
            (b"ctts", _table([(1, late) for _, _, _, late, _ in samples])),
            (b"stsc", _table([(n, 1, sample[0]) for n, sample in enumerate(samples, 1)])),
            (b"stsz", struct.pack(">II", 0, count) + b"".join(struct.pack(">I", len(s[1])) for s in samples)),
            (b"stco", _table([(place,) for place in places])),
            (b"stss", _table([(place,) for place in keys])),
        )
    )
    lasts = sum(sample[2] for sample in samples)
    ticks, scale = _clock(data, b"mdhd", 0), _clock(data, b"mvhd", 0)
    durations = {b"mdhd": (16, lasts), b"mvhd": (16, lasts * scale // ticks), b"tkhd": (20, lasts * scale // ticks)}

    def rebuilt(begin: int, end: int) -> bytes:
        made, at = b"", begin
        while at < end:
            size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
            content = data[at + 8 : at + size]
            if name in (b"trak", b"mdia", b"minf"):
                content = rebuilt(at + 8, at + size)
            elif name == b"stbl":
                content = stbl
            elif name in durations:
                place, value = durations[name]
                content = content[:place] + struct.pack(">I", value) + content[place + 4 :]
            made += b"" if name in (b"edts", b"udta") else _box(name, content)
            at += size
        return made

    moov = next(box for box in boxes(data) if box.name == b"moov")
    media = _box(b"mdat", b"".join(sample[1] for sample in samples))
    path.write_bytes(_box(b"ftyp", b"isom\0\0\0\0isom") + media + _box(b"moov", rebuilt(moov.begin, moov.end)))
    return path


def _table(rows: Sequence[tuple[int, ...]]) -> bytes:
    return struct.pack(">I", len(rows)) + b"".join(struct.pack(f">{len(row)}I", *row) for row in rows)
