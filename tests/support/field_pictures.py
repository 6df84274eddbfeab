"""Interlaced pictures to test with, and H.264 that has a picture for each field (PAFF), as AVCHD camcorders record it.

x264 cannot make the latter, so this writes it itself: samples are stored as they are (I_PCM), or taken from the field
before of the same parity (P_Skip).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from media_factory import run_ffmpeg

WIDTH, HEIGHT = 320, 192

DETAIL = slice(16, 48)
"""Columns of a picture that stands still, with lines of one row each."""

X264 = ("-c:v", "libx264", "-flags", "+ilme+ildct", "-bf", "2", "-g", "10", "-crf", "8")

GROUP = (("I", 0), ("P", 3), ("B", 1), ("B", 2), ("P", 6), ("B", 4), ("B", 5))
"""Kind and place of the pictures between two key frames, in decoding order."""

IN_ORDER = (("I", 0), *(("P", place) for place in range(1, len(GROUP))))
"""As many, without B: with one frame to refer to, ffmpeg takes each I field for a place where decoding can begin."""

RATE = 25
TICKS = 3600
"""Of a 90 kHz clock, for each frame."""

_KINDS = {"P": (5, 30), "B": (6, 48), "I": (7, 25)}
"""Code of the slice, and of an I_PCM macroblock in it."""


def scene(moment: int) -> NDArray[np.uint8]:
    """A bright bar that moves four pixels from field to field, over a ground that stands still."""
    picture = np.full((HEIGHT, WIDTH), 60, np.uint8)
    picture[::2, DETAIL] = 160
    left = 60 + 4 * moment
    picture[40:150, left : left + 40] = 220
    return picture


def woven(number: int, first: int) -> NDArray[np.uint8]:
    """Two moments in one frame: the rows from ``first`` on show the earlier."""
    frame = scene(2 * number)
    frame[1 - first :: 2] = scene(2 * number + 1)[1 - first :: 2]
    return frame


def comb(luma: NDArray[np.uint8]) -> float:
    """How much a row differs from both its neighbours, where the bar moves."""
    rows = luma[50 * len(luma) // HEIGHT : 140 * len(luma) // HEIGHT, luma.shape[1] // 5 :].astype(float)
    return float(np.abs(2 * rows[1:-1] - rows[:-2] - rows[2:]).mean())


def encode_luma(path: Path, pictures: Iterable[NDArray[np.uint8]], chain: str, *options: str) -> None:
    """Encode ``pictures``, luma of (HEIGHT, WIDTH) at 25 a second, in grey; ``chain`` says what fields they have."""
    raw = path.with_name(f"{path.name}.raw")
    grey = np.full(WIDTH * HEIGHT // 2, 128, np.uint8).tobytes()
    raw.write_bytes(b"".join(picture.tobytes() + grey for picture in pictures))
    source = ("-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(RATE), "-i", str(raw))
    run_ffmpeg(*source, "-vf", chain, *options, str(path))
    raw.unlink()


class CodedFrame(NamedTuple):
    """A frame's two fields: pictures of their own.

    Attributes:
        number: its place in order of display.
        is_key: whether decoding can begin here.
        fields: NAL units behind start codes, of the earlier field and the later.
    """

    number: int
    is_key: bool
    fields: tuple[bytes, ...]


class BitWriter:
    """Bits one after another, as H.264 has them."""

    def __init__(self) -> None:
        self.bits: list[str] = []

    def u(self, count: int, value: int) -> BitWriter:
        """A number of ``count`` bits."""
        self.bits.append(f"{value:0{count}b}" if count else "")
        return self

    def ue(self, *values: int) -> BitWriter:
        """Exp-Golomb codes."""
        for value in values:
            self.bits.append(f"{value + 1:0{2 * (value + 1).bit_length() - 1}b}")
        return self

    def aligned(self, *, stop: bool = False) -> bytes:
        """All bits, with zeros up to a whole byte, behind a one where they ``stop``."""
        text = "".join(self.bits) + ("1" if stop else "")
        text += "0" * (-len(text) % 8)
        return int(text, 2).to_bytes(len(text) // 8, "big")


def nal_unit(kind: int, importance: int, payload: bytes) -> bytes:
    """A NAL unit behind its start code."""
    out, zeros = bytearray(), 0
    for byte in payload:
        if zeros >= 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return b"\0\0\0\1" + bytes([importance << 5 | kind]) + bytes(out)


def _parameter_sets(width: int, height: int, *, reordered: bool) -> bytes:
    sequence = BitWriter().u(8, 77).u(8, 0).u(8, 30)  # Main profile, level 3
    sequence.ue(0, 0, 0, 4, 1 + reordered).u(1, 0)  # numbers of 4 bits, order counts of 8, reference frames
    sequence.ue(width // 16 - 1, height // 32 - 1).u(1, 0).u(1, 0)  # not only frames, and no MBAFF
    sequence.u(1, 1).u(1, 0)
    sequence.u(1, 1).u(4, 0).u(1, 1).u(32, 1).u(32, 2 * RATE).u(1, 1)  # VUI: timing
    sequence.u(3, 0).u(1, 1).u(1, 1).ue(0, 0, 10, 10, reordered, 1 + reordered)  # of motion, reordering, frames kept
    picture = BitWriter().ue(0, 0).u(2, 0).ue(0, 0, 0).u(3, 0).ue(0, 0, 0).u(3, 0b100)
    return nal_unit(7, 3, sequence.aligned(stop=True)) + nal_unit(8, 3, picture.aligned(stop=True))


def _field(
    luma: NDArray[np.uint8], kind: str, *, idr: bool, bottom: bool, frame_number: int, order: int, kept: range
) -> bytes:
    """A field as one slice; columns of macroblocks in ``kept`` are those of the field before (P only)."""
    code, pcm = _KINDS[kind]
    head = BitWriter().ue(0, code, 0).u(4, frame_number % 16).u(1, 1).u(1, bottom)
    if idr:
        head.ue(0)
    head.u(8, order % 256)
    head.u(1 if kind == "B" else 0, 0).u({"I": 0, "P": 2, "B": 3}[kind], 0)
    if kind != "B":
        head.u(2 if idr else 1, 0)  # how references are marked
    head.ue(0, 1)  # no change of quantizer, no deblocking
    data, skipped = bytearray(), 0
    rows, columns = luma.shape[0] // 16, luma.shape[1] // 16
    for row in range(rows):
        for column in range(columns):
            if kind == "P" and column in kept:
                skipped += 1
                continue
            if kind != "I":
                head.ue(skipped)
            skipped = 0
            data += head.ue(pcm).aligned() + luma[16 * row : 16 * row + 16, 16 * column : 16 * column + 16].tobytes()
            data += bytes([128]) * 128
            head = BitWriter()
    data += (head.ue(skipped) if skipped else head).aligned(stop=True)
    return nal_unit(5 if idr else 1, 0 if kind == "B" else 2, bytes(data))


def coded_frames(
    pictures: Sequence[NDArray[np.uint8]],
    *,
    kept: range = range(0),
    bottom_first: bool = False,
    reordered: bool = True,
) -> Iterator[CodedFrame]:
    """Frames in decoding order: two fields each, kinds as in ``GROUP``, samples from 1 to 255.

    Args:
        pictures: luma of ``(height, width)``, uint8, 16 to a side and 32 to a height; in whole groups.
        kept: columns of macroblocks that P fields take from the fields before of their parity, where there is one.
        bottom_first: which field is the earlier.
        reordered: whether there are B pictures; else kinds as in ``IN_ORDER``.
    """
    height, width = pictures[0].shape
    parameter_sets = _parameter_sets(width, height, reordered=reordered)
    for start in range(0, len(pictures), len(GROUP)):
        references = 0
        for kind, place in GROUP if reordered else IN_ORDER:
            fields = []
            for second in (False, True):
                bottom = second != bottom_first
                idr = kind == "I" and not second
                slice_ = _field(
                    pictures[start + place][int(bottom) :: 2],
                    kind,
                    idr=idr,
                    bottom=bottom,
                    frame_number=references,
                    order=2 * place + second,
                    kept=range(0) if second and not reordered else kept,
                )
                fields.append(nal_unit(9, 0, b"\xf0") + (parameter_sets if idr else b"") + slice_)
            references += kind != "B"
            yield CodedFrame(start + place, kind == "I", (fields[0], fields[1]))


def write_fields(path: Path, frames: Sequence[CodedFrame], *, each: bool = True, key_seconds: bool = False) -> Path:
    """Put the frames into the container that ``path`` names.

    Args:
        path: ``.ts``, ``.mp4``, ``.mkv``.
        frames: in decoding order.
        each: a packet, with a time, for each field; else one for each frame.
        key_seconds: mark the second fields of key frames as key frames, too.
    """
    bare = path.with_suffix(".h264")
    bare.write_bytes(b"".join(b"".join(frame.fields) for frame in frames))
    half = TICKS // 2
    with av.open(os.fspath(bare)) as source, av.open(os.fspath(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        stream.time_base = Fraction(1, 90_000)
        for place, frame in enumerate(frames):
            for second, data in enumerate(frame.fields if each else (b"".join(frame.fields),)):
                packet = av.Packet(data)
                packet.pts = TICKS * (frame.number + 1) + half * second
                packet.dts = TICKS * place + half * second
                packet.duration = half if each else TICKS
                packet.time_base = Fraction(1, 90_000)
                packet.is_keyframe = frame.is_key and (not second or key_seconds)
                packet.stream = stream
                target.mux(packet)
    bare.unlink()
    return path
