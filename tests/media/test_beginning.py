"""Pictures that are stored behind the first key frame and shown before it: time begins with the first that is shown.

Camcorders (AVCHD) begin recordings so. Where such pictures refer to what was cut away, no decoder shows them.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

import reelproc as rp
from hostile import attempt
from media_factory import numbered_video, read_number, shows_number
from reelproc.media.packets.frame_times import frame_times

pytestmark = pytest.mark.timeout(60)

FIRST, COUNT = 24, 60
"""The number of the key frame that the piece begins with, and the frames of the whole."""


def piece(path: Path, codec: str, *, is_closed: bool) -> Path:
    """A recording from its third group of pictures on, with the two pictures that are shown before its key frame.

    Args:
        path: the file to make.
        codec: an encoder.
        is_closed: have MPEG-2 say that these two refer to nothing before, so that decoders show them.
    """
    settings = "open-gop=1:keyint=12:min-keyint=12:scenecut=0:bframes=2:log-level=none"
    options = {"libx264": {"x264-params": settings}, "libx265": {"x265-params": settings}}.get(codec, {"bf": "2"})
    whole = numbered_video(
        path.with_name("whole.ts"), frame_count=COUNT, width=96, height=64, codec=codec, options=options
    )
    with av.open(str(whole.path)) as old, av.open(str(path), "w") as new:
        stream = old.streams.video[0]
        copy = new.add_stream_from_template(stream, opaque=True)
        keys = 0
        for packet in old.demux(stream):
            keys += packet.is_keyframe
            if keys < 3 or packet.pts is None:
                continue
            data = bytearray(bytes(packet))
            head = data.find(b"\0\0\1\xb8")  # of a group of pictures (ISO/IEC 13818-2, 6.2.2.6)
            if is_closed and head >= 0:
                data[head + 7] |= 0x40
            made = av.Packet(bytes(data))
            made.pts, made.dts, made.time_base, made.duration = packet.pts, packet.dts, packet.time_base, 3000
            made.stream, made.is_keyframe = copy, packet.is_keyframe
            new.mux(made)
    return path


def seen(path: Path, backend: str, start: Fraction | None = None) -> list[tuple[Fraction, int | None]]:
    """When each frame is shown, and its number; None of one that shows none, as its reference was cut away."""
    with rp.open_video(path, backend, "yuv420p", start=start) as video:
        zero, unit = video.video.start_pts, video.video.time_base
        return [((frame.pts - zero) * unit, read_number(frame) if shows_number(frame) else None) for frame in video]


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
@pytest.mark.parametrize("ending", ["ts", "mts", "mkv"])
def test_time_begins_with_the_first_that_is_shown(ending: str, backend: str, tmp_path: Path) -> None:
    path = piece(tmp_path / f"piece.{ending}", "mpeg2video", is_closed=True)
    whole = seen(path, backend)
    assert [number for _, number in whole][2:] == list(range(FIRST, COUNT))
    assert len(whole) == COUNT - FIRST + 2
    assert whole[0][0] == 0
    assert seen(path, backend, Fraction(0)) == whole
    for first in (1, 2, 3, 14, 20):
        assert seen(path, backend, whole[first][0]) == whole[first:]
    assert frame_times(path, rp.probe(path)).start_pts == frame_times(path, rp.probe(path)).pts[0]


def test_a_reel_begins_with_it(tmp_path: Path) -> None:
    path = piece(tmp_path / "piece.ts", "mpeg2video", is_closed=True)
    outcome = attempt(path, tmp_path / "out.mp4")
    assert len(outcome.numbers) == COUNT - FIRST + 2
    assert (outcome.numbers[2:], outcome.warnings) == (list(range(FIRST, COUNT)), "")


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
@pytest.mark.parametrize("ending", ["ts", "mkv"])
@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg2video"])
def test_what_refers_to_what_was_cut_away_is_not_shown(codec: str, ending: str, backend: str, tmp_path: Path) -> None:
    path = piece(tmp_path / f"piece.{ending}", codec, is_closed=False)
    whole = seen(path, backend)
    assert [number for _, number in whole] == list(range(FIRST, COUNT))
    assert whole[0][0] == 0
    assert seen(path, backend, Fraction(0)) == whole


@pytest.mark.footage
@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
def test_a_camcorder_begins_with_two(backend: str, assets: Path) -> None:
    path = assets / "cases" / "avchd_leading_pictures.mts"
    for start in (None, 0):
        with rp.open_video(path, backend, start=start) as video:
            assert [frame.pts for frame in video] == [93600, 97200, 100800]
            assert video.damage == ()
    info = rp.probe(path)
    assert info.require_video().start_pts == 93600
    assert info.require_video().average_rate == 25
