"""Packets that show no picture: references of VP8, VP9 and AV1, samples of H.264 and HEVC without a slice.

A good file of that kind has every frame and no word of damage, and where a frame is damaged it is still missed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from av.bitstream import BitStreamFilterContext

import reelproc as rp
from hostile import attempt
from media_factory import numbered_video, read_number, run_ffmpeg
from reelproc.jobs import run_job
from reelproc.media.packets.frame_times import frame_times

pytestmark = pytest.mark.timeout(120)

COUNT = 60
SIZE = {"width": 96, "height": 64}


def repacked(source: Path, path: Path, change: Callable[[int, av.Packet], list[bytes]]) -> int:
    """Write the packets that ``change`` makes of each of ``source``, all but the last a unit early; how many more.

    The muxer must not put them together again.
    """
    more = 0
    with av.open(str(source)) as old, av.open(str(path), "w", options={"fflags": "-autobsf"}) as new:
        stream = old.streams.video[0]
        copy = new.add_stream_from_template(stream, opaque=True)
        number = 0
        for packet in old.demux(stream):
            if packet.pts is None or packet.dts is None:
                continue
            pts, dts, lasts, is_key = packet.pts, packet.dts, packet.duration, packet.is_keyframe
            parts = change(number, packet)
            for place, data in enumerate(parts):
                early = len(parts) - 1 - place
                made = av.Packet(data)
                made.pts, made.dts, made.time_base = 400 + pts - early, 400 + dts - early, stream.time_base
                made.stream, made.is_keyframe, made.duration = copy, is_key and place == 0, 1 if early else lasts
                new.mux(made)
            more += len(parts) - 1
            number += 1
    return more


def split(source: Path, path: Path, name: str) -> int:
    """Give every hidden picture a packet of its own, by a bitstream filter."""
    with av.open(str(source)) as container:
        splitter = BitStreamFilterContext(name, container.streams.video[0])
        return repacked(source, path, lambda _, packet: [bytes(each) for each in splitter.filter(packet)])


def check(path: Path, count: int, *, numbers: bool = True) -> None:
    """All frames, by either backend, whole and in a span, and no word of damage."""
    info = rp.probe(path, exact=True)
    pts = frame_times(path, info).pts
    assert (len(pts), info.frame_count) == (count, count)
    for backend in ("ffmpeg", "pyav"):
        for start in (0, 1):
            first = bisect_left(pts, pts[0] + start / info.require_video().time_base)
            with rp.open_video(path, backend, "yuv420p", start=start or None) as video:
                seen = [(frame.pts, read_number(frame) if numbers else None) for frame in video]
                assert video.damage == ()
            assert [at for at, _ in seen] == list(pts[first:])
            assert not numbers or [number for _, number in seen] == list(range(first, count))


def references(folder: Path, codec: str, name: str) -> Path:
    """A video whose encoder makes pictures that are only referred to."""
    path = folder / name
    made = numbered_video(folder / "lossless.mkv", frame_count=COUNT, **SIZE, codec="ffv1")
    if codec == "libaom-av1":
        run_ffmpeg(
            "-i", str(made.path), "-c:v", codec, "-cpu-used", "8", "-crf", "20", "-lag-in-frames", "16", str(path)
        )
        return path
    for number in ("1", "2"):  # alternate references need two passes
        run_ffmpeg("-i", str(made.path), "-c:v", codec, "-pix_fmt", "yuv420p", "-b:v", "400k", "-auto-alt-ref", "1",
                   "-lag-in-frames", "16", "-g", "30", "-pass", number, "-passlogfile", str(folder / "log"),
                   str(path))  # fmt: skip
    return path


@pytest.mark.parametrize("ending", ["webm", "mkv", "ivf", "avi"])
def test_hidden_pictures_of_vp8(ending: str, tmp_path: Path) -> None:
    path = references(tmp_path, "libvpx", f"hidden.{ending}")
    info = rp.probe(path, exact=True)
    assert info.packet_count is not None
    assert info.packet_count > COUNT
    check(path, COUNT)
    outcome = attempt(path, tmp_path / "out.mp4")
    # in AVI and IVF the muxer keeps a place of its own for each packet: the frame before is held there
    assert outcome.numbers == list(range(COUNT)) or ending in ("avi", "ivf")
    assert (sorted(set(map(int, filter(None, outcome.numbers)))), outcome.warnings) == (list(range(1, COUNT)), "")


@pytest.mark.parametrize(
    ("codec", "whole", "splitter"),
    [("libvpx-vp9", "whole.webm", "vp9_superframe_split"), ("libaom-av1", "whole.mp4", "av1_frame_split")],
)
@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_hidden_pictures_in_packets_of_their_own(
    codec: str, whole: str, splitter: str, ending: str, tmp_path: Path
) -> None:
    source = references(tmp_path, codec, whole)
    check(source, COUNT)  # together with the picture that follows
    path = tmp_path / f"split.{ending}"
    assert split(source, path, splitter) > 0
    check(path, COUNT)
    outcome = attempt(path, tmp_path / "out.mp4", start=0.5)
    assert (outcome.numbers, outcome.warnings) == (list(range(15, COUNT)), "")


MESSAGE = {"h264": bytes([6, 5, 17]) + bytes(range(1, 18)) + b"\x80"}
MESSAGE["hevc"] = bytes([39 << 1, 1]) + MESSAGE["h264"][1:]
DELIMITER = {"h264": b"\x09\xf0", "hevc": bytes([35 << 1, 1, 0x50])}


@pytest.mark.parametrize("units", ["message", "delimiter", "both"])
@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_a_sample_without_a_slice(codec: str, ending: str, units: str, tmp_path: Path) -> None:
    made = numbered_video(
        tmp_path / "game.mp4", frame_count=COUNT, **SIZE, codec={"h264": "libx264", "hevc": "libx265"}[codec]
    )
    chosen = {"message": [MESSAGE], "delimiter": [DELIMITER], "both": [DELIMITER, MESSAGE]}[units]
    sample = b"".join(len(unit[codec]).to_bytes(4, "big") + unit[codec] for unit in chosen)

    def with_sample(number: int, packet: av.Packet) -> list[bytes]:
        return [sample, bytes(packet)] if number in (10, 30) else [bytes(packet)]

    path = tmp_path / f"messages.{ending}"
    assert repacked(made.path, path, with_sample) == 2
    check(path, COUNT)
    assert rp.probe(path).require_video().average_rate == 30  # MP4 counts all samples
    assert attempt(path, tmp_path / "out.mp4").warnings == ""


@pytest.mark.parametrize("filling", [b"\0", b"\xff"])
@pytest.mark.parametrize("codec", ["libx264", "libx265", "libvpx", "libvpx-vp9"])
def test_a_damaged_packet_is_not_taken_for_a_hidden_picture(codec: str, filling: bytes, tmp_path: Path) -> None:
    options = {"lag-in-frames": "0", "error-resilient": "default"} if codec == "libvpx" else {}
    made = numbered_video(tmp_path / "game.mkv", frame_count=COUNT, **SIZE, codec=codec, b_frames=0, options=options)
    path = tmp_path / "damaged.mkv"
    repacked(made.path, path, lambda n, packet: [filling * packet.size if n == 20 else bytes(packet)])
    times = frame_times(path, rp.probe(path))
    assert len(times.pts) == COUNT
    with rp.open_video(path, "pyav") as video:
        seen = {frame.pts for frame in video}
        assert times.pts[20] not in seen
        assert times.pts[20] in {each.pts for each in video.damage}


@pytest.mark.footage
@pytest.mark.parametrize(
    ("name", "count"), [("roadtrip-vp92-10bit.webm", 72), ("vp8_arf.webm", 90), ("h264_sei_only_sample.mp4", 120)]
)
def test_good_files_are_read_without_a_word(name: str, count: int, assets: Path, tmp_path: Path) -> None:
    path = assets / "cases" / name
    check(path, count, numbers=False)
    result = run_job(rp.ExtractJob(source=str(path), output=str(tmp_path / "out.mp4"), start=0, end=3))
    assert not [warning for warning in result.warnings if "smart copy" not in warning]
