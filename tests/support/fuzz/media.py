"""Media files, mutated: from small valid ones of many kinds, by bytes, blocks and boxes."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from broken_media import KINDS, Box, boxes, make_source
from field_pictures import coded_frames, woven, write_fields
from media_factory import numbered_video, run_ffmpeg

__all__ = ["Mutant", "corpus", "mutant"]

_SPLICED = ("a.gif", "a.flv", "a.wmv", "a.mpg", "a.ogv", "a.nut", "a.3gp")
_CODECS = {
    "a.mpg": "mpeg2video",
    "a.ogv": "libtheora",
    "a.3gp": "h263",
    "a.flv": "flv1",
    "a.wmv": "wmv2",
    "a.gif": "gif",
}
_INTERESTING = (
    0,
    1,
    -1,
    2,
    7,
    8,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    1 << 24,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
)


class Mutant(NamedTuple):
    """A broken file.

    Attributes:
        data: its bytes.
        suffix: what its name ends in.
        story: how it was made.
    """

    data: bytes
    suffix: str
    story: str


def corpus(folder: Path) -> dict[str, bytes]:
    """Small valid files by name, made in ``folder`` where they are not there yet: of twenty frames, most with sound."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        if not (folder / kind).exists():
            make_source(kind, folder, frame_count=20)
    turned = folder / "turned.mov"
    if not turned.exists():
        numbered_video(turned, frame_count=20, width=64, height=96, rotation=90, sample_aspect_ratio=None)
    for name, each in (("fields.mp4", True), ("fields.ts", False)):
        if not (folder / name).exists():
            pictures = [woven(number, 0)[40:72, 60:124] for number in range(21)]
            write_fields(folder / name, list(coded_frames(pictures, kept=range(1))), each=each)
    for name in _SPLICED:
        path = folder / name
        if not path.exists():
            scaled = ("-vf", "scale=128:96") if name == "a.3gp" else ()
            codec = _CODECS.get(name, "gif" if name == "a.gif" else "mpeg4")
            run_ffmpeg("-i", str(folder / KINDS[0]), *scaled, "-an", "-c:v", codec, str(path))
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def mutant(seeds: dict[str, bytes], number: int) -> Mutant:
    """The broken file with this number."""
    rng = random.Random(f"media.{number}")
    name = rng.choice(sorted(seeds))
    data = seeds[name]
    story = [name]
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        mutate = rng.choice(_MUTATIONS)
        data = mutate(data, rng, seeds) or b"\0"
        story.append(mutate.__name__.strip("_"))
    suffix = Path(name).suffix
    if rng.random() < 0.05:
        suffix = rng.choice((".mp4", ".mkv", ".ts", ".avi", ".m3u8", ".txt", ""))
        story.append(f"called {suffix!r}")
    return Mutant(data, suffix, " > ".join(story))


Seeds = dict[str, bytes]


def _flip(data: bytes, rng: random.Random, _: Seeds) -> bytes:
    bent = bytearray(data)
    for _ in range(rng.choice((1, 2, 5, 20, 200))):
        bent[rng.randrange(len(bent))] ^= 1 << rng.randrange(8)
    return bytes(bent)


def _flip_ends(data: bytes, rng: random.Random, _: Seeds) -> bytes:
    """Where containers keep their structure."""
    bent = bytearray(data)
    for _ in range(rng.choice((1, 2, 5, 20))):
        place = rng.randrange(min(len(bent), 2000))
        bent[place if rng.random() < 0.5 else -1 - place] = rng.randrange(256)
    return bytes(bent)


def _span(data: bytes, rng: random.Random, most: int = 5000) -> tuple[int, int]:
    begin = rng.randrange(len(data))
    return begin, min(len(data), begin + rng.randint(1, most))


def _hole(data: bytes, rng: random.Random, _: Seeds) -> bytes:
    begin, end = _span(data, rng)
    return data[:begin] + bytes([rng.choice((0, 0, 0xFF, 0x47))]) * (end - begin) + data[end:]


def _cut(data: bytes, rng: random.Random, _: Seeds) -> bytes:
    return data[: rng.randrange(len(data))]


def _behead(data: bytes, rng: random.Random, _: Seeds) -> bytes:
    return data[rng.randrange(min(len(data), 3000)) :]


def _drop(data: bytes, rng: random.Random, _: Seeds) -> bytes:
    begin, end = _span(data, rng, rng.choice((1, 16, 5000)))
    return data[:begin] + data[end:]


def _repeat(data: bytes, rng: random.Random, _: Seeds) -> bytes:
    begin, end = _span(data, rng)
    return data[:end] + data[begin:end] * rng.choice((1, 1, 3)) + data[end:]


def _swap(data: bytes, rng: random.Random, _: Seeds) -> bytes:
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(4))
    a, b, c, d = cuts
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def _insert(data: bytes, rng: random.Random, _: Seeds) -> bytes:
    place = rng.randrange(len(data))
    return data[:place] + rng.randbytes(rng.choice((1, 4, 188, 3000))) + data[place:]


def _number(data: bytes, rng: random.Random, _: Seeds) -> bytes:
    """An interesting number in place of some bytes, near the structure more often than not."""
    width = rng.choice((1, 2, 4, 8))
    value = rng.choice(_INTERESTING) & ((1 << 8 * width) - 1)
    place = rng.randrange(len(data)) if rng.random() < 0.4 else rng.randrange(min(len(data), 1500))
    if rng.random() < 0.3:
        place = max(0, len(data) - 1 - place)
    return data[:place] + value.to_bytes(width, rng.choice(("big", "little"))) + data[place + width :]


def _join(data: bytes, rng: random.Random, seeds: Seeds) -> bytes:
    return data + seeds[rng.choice(sorted(seeds))]


def _splice(data: bytes, rng: random.Random, seeds: Seeds) -> bytes:
    other = seeds[rng.choice(sorted(seeds))]
    begin, end = _span(other, rng)
    place = rng.randrange(len(data))
    return data[:place] + other[begin:end] + data[place + end - begin :]


def _box_field(data: bytes, rng: random.Random, seeds: Seeds) -> bytes:
    """A field of a box is another number; of a file without boxes, any."""
    small = [box for box in _boxes(data) if 0 < box.end - box.begin < 3000]
    if not small:
        return _number(data, rng, seeds)
    box = rng.choice(small)
    place = rng.randrange(box.begin, box.end)
    value = struct.pack(">I", rng.choice(_INTERESTING) & 0xFFFFFFFF)
    return data[:place] + value + data[place + 4 :]


def _box_size(data: bytes, rng: random.Random, seeds: Seeds) -> bytes:
    found = list(_boxes(data))
    if not found:
        return _number(data, rng, seeds)
    box = rng.choice(found)
    value = rng.choice((*_INTERESTING, rng.randrange(1 << 16), len(data))) & 0xFFFFFFFF
    return data[: box.begin - 8] + struct.pack(">I", value) + data[box.begin - 4 :]


def _box_name(data: bytes, rng: random.Random, seeds: Seeds) -> bytes:
    found = list(_boxes(data))
    if not found:
        return _flip_ends(data, rng, seeds)
    box = rng.choice(found)
    name = rng.choice(found).name if rng.random() < 0.7 else b"free"
    return data[: box.begin - 4] + name + data[box.begin :]


def _box_twice(data: bytes, rng: random.Random, seeds: Seeds) -> bytes:
    found = [box for box in _boxes(data) if box.end - box.begin < 20_000]
    if not found:
        return _repeat(data, rng, seeds)
    box = rng.choice(found)
    return data[: box.end] + data[box.begin - 8 : box.end] + data[box.end :]


def _boxes(data: bytes) -> Iterator[Box]:
    if data[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"wide"):
        yield from boxes(data)


_MUTATIONS: tuple[Callable[[bytes, random.Random, Seeds], bytes], ...] = (
    *(_flip, _flip, _flip_ends, _flip_ends, _hole, _cut, _behead, _drop, _repeat, _swap, _insert, _number, _number),
    *(_join, _splice, _box_field, _box_field, _box_field, _box_size, _box_name, _box_twice),
)
