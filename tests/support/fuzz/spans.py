"""A span of a damaged recording holds what the whole holds there, by whichever backend, and wherever it begins."""

from __future__ import annotations

import hashlib
import random
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import av

import reelproc as rp
from media_factory import run_ffmpeg
from reelproc.media.read.reader import VideoReader

__all__ = ["check_spans"]

_X264 = ("-c:v", "libx264", "-preset", "veryfast")
_X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params")
_SOURCES = {
    "plain.mp4": (*_X264, "-bf", "0", "-g", "20"),
    "b.mp4": (*_X264, "-bf", "2", "-g", "20"),
    "open.mov": (*_X264, "-bf", "2", "-g", "12", "-x264-params", "open-gop=1"),
    "open.mkv": (*_X264, "-bf", "3", "-g", "25", "-x264-params", "open-gop=1"),
    "b.ts": (*_X264, "-bf", "2", "-g", "20"),
    "hevc.mp4": (*_X265, "keyint=20:log-level=error:open-gop=1", "-tag:v", "hvc1"),
    "hevc.mkv": (*_X265, "keyint=24:log-level=error:bframes=4"),
    "mpeg4.mp4": ("-c:v", "mpeg4", "-g", "20", "-q:v", "4"),
}
_FRAMES = 210
"""Seven seconds: a seek may go five back."""

_CELL = 188
"""Bytes of a packet of MPEG-TS."""


class _Packet(NamedTuple):
    """A packet of the undamaged file: where its content lies, and which frame it is."""

    begin: int
    size: int
    pts: int
    is_key: bool


class _Seen(NamedTuple):
    """What a reader gave: a digest for each frame, and the timestamps that it says are missing or faulty."""

    frames: dict[int, str]
    lost: set[int]


def check_spans(folder: Path, number: int, work: Path) -> str:
    """Damage one to three packets of a recording, and read it whole and in spans; what came of it.

    Args:
        folder: where the recordings are kept.
        number: of the case.
        work: where the damaged one is written.

    Raises:
        AssertionError: a frame more or less than in the whole, or one of an undamaged group that is not as it was.
    """
    rng = random.Random(f"spans.{number}")
    name = rng.choice(sorted(_SOURCES))
    source = _source(folder, name)
    packets = _packets(source)
    intact = _read(source, "pyav").frames
    data = bytearray(source.read_bytes())
    is_ts = name.endswith(".ts")
    hit = {_damage(data, packets, rng, is_ts=is_ts) for _ in range(rng.randint(1, 3))}
    path = work / name
    path.write_bytes(data)

    whole = {backend: _read(path, backend) for backend in ("ffmpeg", "pyav")}
    assert list(whole["ffmpeg"].frames) == list(whole["pyav"].frames), "the backends show other frames"
    untouched = _untouched(packets, hit)
    order = sorted(intact)
    assert set(whole["pyav"].frames) <= set(order), "frames that never were"
    base, unit = order[0], rp.probe(source).require_video().time_base
    for _ in range(4):
        first = rng.randrange(len(order))
        last = min(len(order), first + rng.choice((1, 2, 5, 30)))
        start = (order[first] - base) * unit
        end = (order[last] - base) * unit if last < len(order) else None
        for backend, all_of_it in whole.items():
            seen = _read(path, backend, start, end)
            expected = [pts for pts in order[first:last] if pts in all_of_it.frames]
            assert list(seen.frames) == expected, f"{backend}, frames {first} to {last}: {len(seen.frames)} of them"
            unsaid = set(order[first:last]) - set(expected) - seen.lost
            # in MPEG-TS, rubbish swallows the next packet's beginning: nothing tells that there was one
            assert not unsaid or is_ts, f"{backend}, frames {first} to {last}: {len(unsaid)} are missing without a word"
            changed = [pts for pts in expected if pts in untouched and seen.frames[pts] != intact[pts]]
            assert not changed, f"{backend}, frames {first} to {last}: {len(changed)} changed in undamaged groups"
    return f"read, {'some' if len(whole['pyav'].frames) < len(order) else 'none'} lost"


def _source(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        picture = f"testsrc2=s=128x72:r=30:d={_FRAMES / 30:g},noise=alls=8"
        run_ffmpeg("-f", "lavfi", "-i", picture, *_SOURCES[name], "-pix_fmt", "yuv420p", str(path))
    return path


def _packets(path: Path) -> list[_Packet]:
    """In decoding order."""
    data, packets = path.read_bytes(), []
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            if packet.size and packet.pos is not None and packet.pts is not None:
                # Matroska says where the head of the block is
                begin = packet.pos if path.suffix == ".ts" else data.index(bytes(packet), packet.pos)
                packets.append(_Packet(begin, packet.size, packet.pts, packet.is_keyframe))
    return packets


def _read(path: Path, backend: str, start: Fraction | None = None, end: Fraction | None = None) -> _Seen:
    reader: VideoReader
    with rp.open_video(path, backend, "yuv420p", start=start, end=end) as reader:
        frames = {frame.pts: hashlib.md5(frame.data.tobytes()).hexdigest() for frame in reader}
        return _Seen(frames, {damage.pts for damage in reader.damage if damage.pts is not None})


def _damage(data: bytearray, packets: list[_Packet], rng: random.Random, *, is_ts: bool) -> int:
    """Spoil one packet, a key frame half of the time; which."""
    keys = [n for n, packet in enumerate(packets) if packet.is_key]
    number = rng.randrange(len(packets)) if rng.random() < 0.5 else rng.choice(keys)
    begin, size = packets[number].begin, packets[number].size
    spans = [(begin, begin + size)]
    if is_ts:  # the heads of its cells stay, and the stamps in the first
        cells = range(begin, begin + size, _CELL)
        pid = bytes(data[begin + 1 : begin + 3])
        spans = [(c + 40, c + _CELL) for c in cells if data[c + 2 : c + 3] == pid[1:] and c + _CELL <= len(data)]
    how = rng.choice(("filled", "filled", "half filled", "bent"))
    filling = rng.choice((b"\xff", b"\0"))
    for one, two in spans:
        if how == "bent":
            for _ in range(3):
                data[rng.randrange(one, two)] ^= 1 << rng.randrange(8)
        else:
            begin = one if how == "filled" else (one + two) // 2
            data[begin:two] = filling * (two - begin)
    return number


def _untouched(packets: list[_Packet], hit: set[int]) -> set[int]:
    """The frames that refer to nothing damaged: of groups without damage, less those before a key frame behind some."""
    group_of = list(accumulate(packet.is_key for packet in packets))
    damaged = {group_of[number] for number in hit}
    keys = {group: packet.pts for group, packet in zip(group_of, packets, strict=True) if packet.is_key}
    kept = set()
    for group, packet in zip(group_of, packets, strict=True):
        needed = {group, group - 1} if packet.pts < keys[group] else {group}
        if not needed & damaged:
            kept.add(packet.pts)
    return kept
