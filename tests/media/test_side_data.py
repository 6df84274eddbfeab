"""Side data of types that PyAV has no name for: the frame is read, and what is known of it is found beside them."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import pytest

import reelproc as rp
from media_factory import draw, frame_of_planes, read_number
from reelproc.media.probe.side_data import side_data

SIZE = (96, 64)


def photographs(path: Path, orientation: int, count: int = 5) -> Path:
    """Motion JPEG whose every picture has an EXIF head, which ffmpeg attaches to the frame: type 31, without a name."""
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x112, 3, 1, orientation, 0, 0)
    head = b"\xff\xe1" + struct.pack(">H", len(tiff) + 8) + b"Exif\0\0" + tiff
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=30, options={"qscale": "2"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuvj420p"
        for number in range(count):
            frame = frame_of_planes(draw(number, *SIZE)).reformat(format="yuvj420p")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            for packet in stream.encode(frame):
                data = bytes(packet)
                with_head = av.Packet(data[:2] + head + data[2:])
                with_head.pts, with_head.dts, with_head.duration = packet.pts, packet.dts, packet.duration
                with_head.time_base, with_head.stream, with_head.is_keyframe = packet.time_base, stream, True
                container.mux(with_head)
    return path


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
@pytest.mark.parametrize("name", ["photographs.mov", "photographs.mkv"])
def test_a_type_without_a_name_hides_no_frame(name: str, backend: str, tmp_path: Path) -> None:
    path = photographs(tmp_path / name, orientation=1)
    with rp.open_video(path, backend) as video:
        assert [read_number(frame) for frame in video] == [0, 1, 2, 3, 4]
        assert video.damage == ()


def test_what_is_known_is_found_beside_it(tmp_path: Path) -> None:
    video = rp.probe(photographs(tmp_path / "turned.mov", orientation=6), exact=True).require_video()
    assert (video.rotation, video.width, video.height) == (90, 64, 96)


def test_of_an_absent_type_there_is_nothing(tmp_path: Path) -> None:
    with av.open(str(photographs(tmp_path / "a.mov", orientation=1, count=1))) as container:
        assert side_data(next(container.decode(video=0)), "CONTENT_LIGHT_LEVEL") == b""


@pytest.mark.footage
@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
def test_spatial_video_of_a_phone_is_read(backend: str, assets: Path) -> None:
    with rp.open_video(assets / "cases" / "water_180_mvhevc_5frames.mov", backend, "yuv420p") as video:
        assert [(frame.width, frame.height) for frame in video] == [(1934, 2160)] * 5
        assert video.damage == ()
