"""Film on DVD and in broadcasts (soft telecine) keeps its 24 pictures a second.

The player is told to show their fields 3 and 2 times. Nothing is woven, doubled or dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import reelproc as rp
from media_factory import numbered_video, read_number, run_ffmpeg
from reelproc.job_context import JobContext
from reelproc.jobs import run_job

PICTURES = 48
NTSC_RATE = 4
"""frame_rate_code of 30000/1001 (ISO/IEC 13818-2, table 6-4)."""

FIELDS_OF_FILM = ((1, 1), (0, 0), (0, 1), (1, 0))
"""Of four pictures in a row: whether the top field comes first, and whether the first is repeated."""


def with_pulldown(stream: bytes) -> bytes:
    """An MPEG-2 video stream of whole pictures, told to show their fields at 60000/1001 a second."""
    data = bytearray(stream)
    group = picture = number = 0
    for at, code in _units(stream):
        if code == 0xB3:  # sequence_header: sizes, aspect_ratio_information, frame_rate_code
            data[at + 3] = (data[at + 3] & 0xF0) | NTSC_RATE
        elif code == 0xB8:  # group_of_pictures_header
            group = number
        elif code == 0x00:  # picture_header: temporal_reference
            picture = group + (int.from_bytes(stream[at : at + 2]) >> 6)
            number += 1
        elif code == 0xB5 and stream[at] >> 4 == 1:  # sequence_extension
            _set(data, at, 12, 0)  # progressive_sequence
        elif code == 0xB5 and stream[at] >> 4 == 8:  # picture_coding_extension
            top_first, repeat = FIELDS_OF_FILM[picture % 4]
            for bit, value in ((24, top_first), (30, repeat), (31, 1), (32, 1)):  # 32: progressive_frame
                _set(data, at, bit, value)
    return bytes(data)


def _units(stream: bytes) -> Iterator[tuple[int, int]]:
    """Where the payload of each unit begins, and its start code."""
    at = stream.find(b"\0\0\1")
    while at >= 0:
        yield at + 4, stream[at + 3]
        at = stream.find(b"\0\0\1", at + 4)


def _set(data: bytearray, at: int, bit: int, value: int) -> None:
    mask = 0x80 >> bit % 8
    data[at + bit // 8] = data[at + bit // 8] | mask if value else data[at + bit // 8] & ~mask


@pytest.fixture(scope="module", params=["a.ts", "a.mpg", "a.mkv", "a.mp4"])
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("film")
    made = numbered_video(folder / "numbers.mkv", frame_count=PICTURES, fps=24)
    plain, told = folder / "plain.m2v", folder / "told.m2v"
    coded = ("-r", "24000/1001", "-c:v", "mpeg2video", "-q:v", "2", "-bf", "2", "-g", "12")
    run_ffmpeg("-i", str(made.path), *coded, str(plain))
    told.write_bytes(with_pulldown(plain.read_bytes()))
    path = folder / str(request.param)
    run_ffmpeg("-fflags", "+genpts", "-i", str(told), "-c", "copy", str(path))
    return path


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
def test_every_picture_comes_once_for_three_fields_or_two(film: Path, backend: str) -> None:
    info = rp.probe(film)
    assert not info.require_video().interlaced
    with rp.open_video(film, backend, "yuv420p") as video:
        frames = list(video)
        assert video.damage == ()
    assert [read_number(frame) for frame in frames] == list(range(PICTURES))
    fields = [(b.pts - a.pts) * a.time_base * Fraction(60_000, 1001) for a, b in pairwise(frames)]
    del fields[-1]  # of the last picture, ffmpeg's muxing guessed the time
    assert [round(f) for f in fields] == [3, 2] * (PICTURES // 2 - 1)
    assert max(abs(f - round(f)) for f in fields) < Fraction(7, 100)  # Matroska counts in milliseconds


def test_a_span_is_like_the_whole(film: Path) -> None:
    with rp.open_video(film, pix_fmt="yuv420p") as video:
        whole = list(video)
    for wanted in whole[1::9]:
        start = (wanted.pts - wanted.start_pts) * wanted.time_base
        with rp.open_video(film, pix_fmt="yuv420p", start=start) as video:
            first = next(video)
        assert first.pts == wanted.pts
        assert np.array_equal(first.data, wanted.data)


@pytest.mark.parametrize(("fps", "count"), [(None, PICTURES), (30, 60)])
def test_it_renders_with_its_own_times_and_at_a_rate(film: Path, tmp_path: Path, fps: int | None, count: int) -> None:
    output = rp.Output(width=None, height=None, fps=fps, audio=False)
    reel = rp.Reel(clips=[rp.Clip(source=film)], output=output)
    result = run_job(rp.RenderJob(reel=reel, output=tmp_path / "out.mp4"), JobContext())
    assert result.frame_count == count
    with rp.open_video(tmp_path / "out.mp4", pix_fmt="yuv420p") as video:
        numbers = [read_number(frame) for frame in video]
    assert len(numbers) == count
    assert sorted(set(numbers)) == list(range(PICTURES))
