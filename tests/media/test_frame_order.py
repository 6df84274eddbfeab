"""Streams whose headers promise less reordering than there is: every frame is there, and in its place."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import PictureType
from numpy.typing import NDArray

import reelproc as rp
from fuzz.retouch import escaped, unescaped
from hostile import attempt
from media_factory import draw, frame_of_planes, numbered_video, read_number, run_ffmpeg
from reelproc.media.packets.frame_times import frame_times

pytestmark = pytest.mark.timeout(120)

COUNT, PLAIN = 90, 30
"""Frames in all, and how many of them without B-frames."""

SIZE = (96, 64)


class Bits:
    """The bits of a parameter set, read from a place on, and changed without changing their number."""

    def __init__(self, data: bytes, at: int) -> None:
        self.text = "".join(f"{byte:08b}" for byte in data)
        self.at = 8 * at

    def u(self, count: int) -> int:
        self.at += count
        return int(self.text[self.at - count : self.at], 2)

    def ue(self) -> int:
        zeros = self.text.index("1", self.at) - self.at
        self.at += zeros
        return self.u(zeros + 1) - 1

    def move_bits(self) -> bytes:
        """Make the code at this place 0, and the one behind it longer by what that saves."""
        begin = self.at
        assert self.ue() > 0, "nothing is reordered"
        saved = self.at - begin - 1
        begin_next = self.at
        self.ue()
        length = self.at - begin_next + saved
        longer = "0" * (length // 2) + "1" + "0" * (length // 2)
        self.text = self.text[:begin] + "1" + longer + self.text[self.at :]
        return bytes(int(self.text[n : n + 8], 2) for n in range(0, len(self.text), 8))


def lying_h264(unit: bytes) -> bytes:
    """The sequence parameter set with ``max_num_reorder_frames`` 0 (ITU-T H.264, 7.3.2.1.1 and E.1.1)."""
    bits = Bits(unit, 4)
    bits.ue()
    if unit[1] >= 100:
        assert (bits.ue(), bits.ue(), bits.ue(), bits.u(2)) == (1, 0, 0, 0)
    bits.ue()
    assert bits.ue() == 0
    bits.ue()
    bits.ue()
    bits.u(1)
    bits.ue()
    bits.ue()
    assert bits.u(1) == 1
    bits.u(1)
    if bits.u(1):
        _ = [bits.ue() for _ in range(4)]
    assert bits.u(1) == 1
    if bits.u(1) and bits.u(8) == 255:
        bits.u(32)
    if bits.u(1):
        bits.u(1)
    if bits.u(1):
        bits.u(4)
        bits.u(24 if bits.u(1) else 0)
    if bits.u(1):
        bits.ue()
        bits.ue()
    bits.u(65 if bits.u(1) else 0)
    assert (bits.u(1), bits.u(1)) == (0, 0)
    bits.u(1)
    assert bits.u(1) == 1
    bits.u(1)
    _ = [bits.ue() for _ in range(4)]
    return bits.move_bits()


def lying_hevc(unit: bytes) -> bytes:
    """The sequence parameter set with ``sps_max_num_reorder_pics`` 0 (ITU-T H.265, 7.3.2.2)."""
    bits = Bits(unit, 3 + 12)
    bits.ue()
    assert bits.ue() == 1
    bits.ue()
    bits.ue()
    if bits.u(1):
        _ = [bits.ue() for _ in range(4)]
    bits.ue()
    bits.ue()
    bits.ue()
    bits.u(1)
    bits.ue()
    return bits.move_bits()


def sequence_set(extradata: bytes, codec: str) -> bytes:
    """The sequence parameter set in the record of MP4."""
    if codec == "libx264":
        return extradata[8 : 8 + int.from_bytes(extradata[6:8], "big")]
    at = 23
    for _ in range(extradata[22]):
        kind, size = extradata[at] & 0x3F, int.from_bytes(extradata[at + 3 : at + 5], "big")
        if kind == 33:
            return extradata[at + 5 : at + 5 + size]
        at += 5 + size
    raise AssertionError("there is no sequence parameter set")


def encoded(path: Path, codec: str) -> Path:
    """Numbered frames: some without B-frames, from which decoders guess that none are reordered, then a pyramid."""
    options = {
        "libx264": {"preset": "medium", "x264-params": "bframes=7:b-pyramid=normal:b-adapt=0:log-level=none"},
        "libx265": {"preset": "ultrafast", "x265-params": "bframes=7:b-adapt=0:rc-lookahead=20:log-level=none"},
    }[codec]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30, options=options)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = 200
        for number in range(COUNT):
            frame = frame_of_planes(draw(number, *SIZE)).reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            frame.pict_type = PictureType.P if number < PLAIN else PictureType.NONE
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def lying(folder: Path, codec: str, ending: str) -> Path:
    """Such a video, whose header says that nothing is reordered."""
    return with_lie(encoded(folder / "a.mp4", codec), codec, ending)


def with_lie(made: Path, codec: str, ending: str) -> Path:
    """The video in another container, and its header says that nothing is reordered."""
    folder = made.parent
    with av.open(str(made)) as container:
        old = sequence_set(container.streams.video[0].codec_context.extradata or b"", codec)
    new = escaped({"libx264": lying_h264, "libx265": lying_hevc}[codec](unescaped(old)))
    assert len(new) == len(old)
    data = made.read_bytes()
    assert old in data
    path = folder / "lying.mp4"
    path.write_bytes(data.replace(old, new))
    if ending != "mp4":
        run_ffmpeg("-i", str(path), "-c", "copy", str(folder / f"lying.{ending}"))
    return folder / f"lying.{ending}"


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts", "flv"])
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_every_frame_is_in_its_place(codec: str, ending: str, tmp_path: Path) -> None:
    path = lying(tmp_path, codec, ending)
    with av.open(str(path)) as container:
        given = [frame.pts for frame in container.decode(video=0)]
    knows = codec == "libx264" and ending == "mp4"  # libavformat looks at MP4's list of times
    is_right = given == sorted(given) and len(given) == COUNT
    assert is_right == knows
    info = rp.probe(path, exact=True)
    promised = frame_times(path, info).pts
    assert (info.frame_count, len(promised)) == (COUNT, COUNT)
    for backend in ("ffmpeg", "pyav"):
        for first, last in ((0, COUNT), (13, 14), (44, 61)):
            zero, unit = info.require_video().start_pts, info.require_video().time_base
            start = (promised[first] - zero) * unit if first else None
            end = (promised[last] - zero) * unit if last < COUNT else None
            with rp.open_video(path, backend, "yuv420p", start=start, end=end) as video:
                seen = [(frame.pts, read_number(frame)) for frame in video]
                assert video.damage == ()
            assert seen == list(zip(promised[first:last], range(first, last), strict=True))
    outcome = attempt(path, tmp_path / "out.mp4")
    assert (outcome.numbers, outcome.warnings) == (list(range(COUNT)), "")


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi"])
def test_a_short_film_lacks_no_frame(ending: str, backend: str, tmp_path: Path) -> None:
    """Its end comes before the first frame would be missed; those of AVI are counted, and none may be dropped."""
    reordered = {"x264-params": "bframes=7:b-pyramid=strict:b-adapt=0:ref=8:log-level=none"}
    made = numbered_video(tmp_path / "a.mkv", frame_count=22, width=96, height=64, codec="libx264", options=reordered)
    run_ffmpeg("-i", str(made.path), "-c", "copy", "-movflags", "frag_every_frame", str(tmp_path / "a.mp4"))
    path = with_lie(tmp_path / "a.mp4", "libx264", ending)
    with rp.open_video(path, backend, "yuv420p") as video:
        assert [read_number(frame) for frame in video] == list(range(22))
        assert video.damage == ()


def test_times_of_decoding_are_told_from_times_of_showing(tmp_path: Path) -> None:
    made = encoded(tmp_path / "a.mp4", "libx264")
    assert rp.probe(made).warnings == ()
    path = tmp_path / "untold.mp4"
    path.write_bytes(made.read_bytes().replace(b"ctts", b"free").replace(b"edts", b"free"))
    info = rp.probe(path, exact=True)
    assert info.frame_count == COUNT
    assert "not when they are shown" in "".join(info.warnings)
    for backend in ("ffmpeg", "pyav"):
        with rp.open_video(path, backend, "yuv420p") as video:
            numbers = [read_number(frame) for frame in video]
        assert sorted(numbers) == list(range(COUNT))
        assert numbers != sorted(numbers)


@pytest.mark.footage
@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
def test_a_recording_without_display_times_is_read_by_its_packets(backend: str, assets: Path) -> None:
    path = assets / "cases" / "deep_reorder.mp4"
    with av.open(str(path)) as container:
        plain = {frame.pts: luma(frame) for frame in container.decode(video=0)}
    order = sorted(plain)
    assert "not when they are shown" in "".join(rp.probe(path).warnings)
    assert rp.probe(path, exact=True).frame_count == 75
    for start in (None, 0, 1):
        with rp.open_video(path, backend, "yuv420p", start=start) as video:
            seen = {frame.pts: frame.planes[0].astype(np.float32) for frame in video}
            assert video.damage == ()
        assert list(seen) == [pts for pts in order if pts >= (start or 0) * 1_000_000]
        for place in range(3, 72):
            if order[place] in seen:  # its picture, and not that of a neighbour
                around = order[place - 3 : place + 4]
                nearest = min(around, key=lambda pts, it=seen[order[place]]: float(np.abs(plain[pts] - it).mean()))
                assert nearest == order[place]


def luma(frame: av.VideoFrame) -> NDArray[np.float32]:
    """The plane of brightness of a decoded frame."""
    plane = frame.planes[0]
    lines = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    return lines[:, : plane.width].astype(np.float32)
