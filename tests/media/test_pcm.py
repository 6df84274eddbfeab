"""Holes in uncompressed sound are filled, and nothing is written twice."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from media_factory import run_ffmpeg
from reelproc.media.sound.pcm import PcmFiller


def filled(filler: PcmFiller, packets: list[tuple[float, bytes]]) -> tuple[bytes, list[float]]:
    """All that is written, and when each piece begins."""
    made, begins = b"", []
    for begin, content in packets:
        for packet, placed in filler.fitted(av.Packet(content), Fraction(begin).limit_denominator(100_000)):
            made += bytes(packet)
            begins.append(float(placed))
    return made, begins


def test_a_hole_becomes_silence() -> None:
    made, begins = filled(PcmFiller(1000, b"\0\0"), [(5.0, b"ab" * 100), (5.3, b"cd" * 10)])
    assert made == b"ab" * 100 + bytes(2 * 200) + b"cd" * 10
    assert begins == [5.0, 5.1, 5.3]


def test_what_overlaps_is_written_once() -> None:
    made, begins = filled(PcmFiller(1000, b"\0\0"), [(0, b"ab" * 100), (0.05, b"cd" * 60), (0.05, b"ef" * 20)])
    assert made == b"ab" * 100 + b"cd" * 10
    assert begins == [0.0, 0.1]


def test_rounded_times_are_no_hole() -> None:
    packets = [(round(n * 0.0213333, 3), b"ab" * 1024) for n in range(500)]
    assert len(filled(PcmFiller(48_000, b"\0\0"), packets)[0]) == 500 * 2048


def test_a_long_hole_is_filled_piece_by_piece() -> None:
    made, begins = filled(PcmFiller(48_000, b"\0\0"), [(0, b"ab" * 48), (10.001, b"cd")])
    assert len(made) == 2 * (48 + 480_000 + 1)
    assert len(begins) > 5


@pytest.mark.parametrize(
    ("codec", "silence"),
    [
        ("pcm_s16le", b"\0\0"),
        ("pcm_s24be", b"\0\0\0"),
        ("pcm_f32le", bytes(4)),
        ("pcm_u8", b"\x80"),
        ("pcm_u16le", b"\0\x80"),
        ("pcm_u24be", b"\x80\0\0"),
        ("pcm_alaw", b"\xd5"),
        ("pcm_mulaw", b"\xff"),
        ("aac", None),
    ],
)
def test_silence_is_that_of_the_codec(tmp_path: Path, codec: str, silence: bytes | None) -> None:
    path = tmp_path / "a.nut"
    run_ffmpeg("-f", "lavfi", "-i", "anullsrc=r=8000:cl=stereo:d=0.1", "-c:a", codec, str(path))
    with av.open(str(path)) as container:
        filler = PcmFiller.of(container.streams.audio[0])
        first = next(bytes(packet) for packet in container.demux(audio=0) if packet.size)
    if silence is None:
        assert filler is None
        return
    assert filler is not None
    made, _ = filled(filler, [(0, first), (1.0, first)])
    assert len(made) == round(8000 * 2 * len(silence)) + len(first)
    assert made == silence * (len(made) // len(silence))
