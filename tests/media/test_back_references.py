"""Files that mark every packet as a key frame: a span shows the pixels that the whole file shows, by both backends."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import reelproc as rp
from media_factory import numbered_video, read_number, run_ffmpeg
from mp4_edits import with_edits
from reelproc.jobs import run_job
from reelproc.media.bitstream.back_references import refers_back
from reelproc.media.packets.frame_times import frame_times

GROUP = 20
BITS = {"libx265": ("-x265-params", "log-level=error"), "libvpx": ("-deadline", "realtime")}
CASES = [
    ("mpeg4", (), "mp4 mkv avi"),
    ("mpeg4", ("-bf", "2"), "mp4 mkv avi"),
    ("h263", (), "mov avi"),
    ("flv", (), "flv avi"),
    ("msmpeg4", (), "mkv avi"),
    ("msmpeg4v2", (), "avi"),
    ("wmv1", (), "avi"),
    ("wmv2", (), "avi"),
    ("mpeg1video", (), "mkv"),
    ("mpeg2video", ("-bf", "2"), "mp4 mkv avi ts"),
    ("libx264", ("-bf", "0"), "mp4 mkv flv ts"),
    ("libx264", ("-bf", "3"), "mp4 mov mkv flv ts"),
    ("libx264", ("-x264-params", "open-gop=1:bframes=3"), "mp4 mkv flv"),
    ("libx265", ("-x265-params", "log-level=error"), "mp4 mkv flv"),
    ("libx265", ("-x265-params", "log-level=error:open-gop=1"), "mp4"),
    ("libvpx", ("-deadline", "realtime"), "mkv webm avi"),
    ("libvpx-vp9", ("-deadline", "realtime"), "mp4 webm"),
    ("libsvtav1", ("-preset", "12"), "mp4 mkv"),
    ("libtheora", (), "mkv"),
]


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("numbers") / "numbers.mp4"
    return numbered_video(path, frame_count=90, width=176, height=144).path


def coded(numbers: Path, codec: str, options: tuple[str, ...]) -> Path:
    path = numbers.with_name(f"{codec}{''.join(options)}.mkv".replace(":", "_"))
    if not path.exists():
        run_ffmpeg("-i", str(numbers), "-c:v", codec, "-g", str(GROUP), *options, str(path))
    return path


def all_marked(source: Path, path: Path) -> Path:
    """A copy in which every packet is marked as a key frame."""
    with av.open(str(source)) as held, av.open(str(path), "w") as made:
        stream = held.streams.video[0]
        only_decoded = stream.codec_context.name in ("libdav1d", "theora")
        copy = made.add_stream_from_template(stream, opaque=True if only_decoded else None)
        for packet in held.demux(stream):
            if packet.size:
                packet.is_keyframe = True
                packet.stream = copy
                made.mux(packet)
    return path


def pictures(
    path: Path, backend: str, start: Fraction | None = None, end: Fraction | None = None
) -> dict[Fraction, NDArray[np.uint8]]:
    with rp.open_video(path, backend, pix_fmt="yuv420p", start=start, end=end) as video:
        base, zero = video.video.time_base, video.video.start_pts
        found = {(f.pts - zero) * base: np.concatenate([plane.ravel() for plane in f.planes]) for f in video}
        assert video.damage == ()
    return found


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
@pytest.mark.parametrize(
    ("codec", "options", "suffix"), [(c, options, suffix) for c, options, listed in CASES for suffix in listed.split()]
)
def test_a_span_is_what_it_is_from_the_beginning(
    numbers: Path, tmp_path: Path, codec: str, options: tuple[str, ...], suffix: str, backend: str
) -> None:
    path = all_marked(coded(numbers, codec, options), tmp_path / f"a.{suffix}")
    whole = pictures(path, "ffmpeg")
    assert len(whole) == 90
    for begin in ("0.1", "0.7", "1.35", "2", "2.9"):
        start = Fraction(begin)
        end = start + Fraction(1, 10)
        span = pictures(path, backend, start, end)
        assert list(span) == [time for time in whole if start <= time < end]
        assert all(np.array_equal(span[time], whole[time]) for time in span)


@pytest.mark.parametrize("copy", [True, False])
@pytest.mark.parametrize(
    ("codec", "suffix"), [("mpeg4", "mp4"), ("mpeg4", "mkv"), ("libx264", "mp4"), ("libx265", "mkv")]
)
def test_what_is_cut_out_can_be_decoded(numbers: Path, tmp_path: Path, codec: str, suffix: str, *, copy: bool) -> None:
    path = all_marked(coded(numbers, codec, BITS.get(codec, ())), tmp_path / f"a.{suffix}")
    output = tmp_path / f"o.{suffix}"
    result = run_job(rp.ExtractJob(source=path, output=output, start=1.5, end=2, copy_codec=copy))
    assert isinstance(result, rp.ExtractResult)
    first = Fraction(4, 3) if copy else Fraction(3, 2)  # the true key frame before
    assert result.start_seconds == pytest.approx(float(first), abs=0.001)
    whole = list(pictures(path, "ffmpeg").values())
    cut = list(pictures(output, "pyav").values())
    begin = round(first * 30)
    if copy:
        assert all(np.array_equal(a, b) for a, b in zip(cut, whole[begin:60], strict=False))
    else:
        likeness = [np.abs(a.astype(int) - b).mean() for a, b in zip(cut, whole[begin:60], strict=True)]
        assert max(likeness) < 4


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        # AV1's decoder waits for a key frame by itself; H.263 is marked so in Matroska whatever it is
        *((codec, options) for codec, options, _ in CASES if codec not in ("libsvtav1", "h263")),
        ("libx264", ("-x264-params", "intra-refresh=1")),
        ("libx264", ("-x264-params", "repeat-headers=1:slices=4")),
        ("mpeg2video", ("-flags", "+ildct+ilme")),
    ],
)
@pytest.mark.parametrize("suffix", ["mkv", "ts"])
def test_what_refers_back_is_what_is_no_key_frame(
    numbers: Path, tmp_path: Path, codec: str, options: tuple[str, ...], suffix: str
) -> None:
    path = coded(numbers, codec, options)
    if suffix == "ts":
        if codec not in ("libx264", "libx265", "mpeg2video"):
            return
        run_ffmpeg("-i", str(path), "-c", "copy", str(tmp_path / "a.ts"))
        path = tmp_path / "a.ts"
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        assert {packet.is_keyframe for packet in packets} == {True, False}
        assert all(refers_back(packet) != packet.is_keyframe for packet in packets)


@pytest.mark.parametrize("codec", ["mpeg4", "libx264", "libx265", "libvpx", "libvpx-vp9", "h263"])
def test_rubbish_refers_to_nothing(numbers: Path, codec: str) -> None:
    path = coded(numbers, codec, BITS.get(codec, ())) if codec != "h263" else None
    path = path or all_marked(coded(numbers, codec, ()), numbers.with_name("h263.avi"))
    with av.open(str(path)) as container:
        packet = next(packet for packet in container.demux(video=0) if packet.size)
        for filling in (b"\0", b"\xff"):
            packet.update(filling * packet.size)
            assert not refers_back(packet) or codec == "libvpx"  # eight bits are all that VP8 has


@pytest.mark.footage
@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
def test_the_case_shows_its_pixels(assets: Path, backend: str) -> None:
    path = assets / "cases" / "mp4v_no_stss.mp4"
    whole = pictures(path, "ffmpeg")
    span = pictures(path, backend, Fraction(5, 2), Fraction(3))
    assert list(span) == [time for time in whole if Fraction(5, 2) <= time < 3]
    assert len(span) == 15
    assert all(np.array_equal(span[time], whole[time]) for time in span)


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
@pytest.mark.parametrize("codec", ["mpeg4", "h263"])
def test_what_an_edit_begins_with_in_the_middle_of_a_group_is_no_picture(
    tmp_path: Path, codec: str, backend: str
) -> None:
    """Where all is marked, the demultiplexer hands on nothing of what the edit's first pictures refer to."""
    made = numbered_video(tmp_path / "n.mp4", frame_count=90, width=176, height=144)
    run_ffmpeg("-i", str(made.path), "-c:v", codec, "-g", "30", str(tmp_path / "a.mov"))
    edited = with_edits(tmp_path / "a.mov", tmp_path / "b.mov", [(1, 1.4, 1)])
    edited.write_bytes(edited.read_bytes().replace(b"stss", b"free"))
    with rp.open_video(edited, backend, pix_fmt="yuv420p") as video:
        assert [read_number(frame) for frame in video] == list(range(60, 72))
        assert len(video.damage) == 18
        assert {damage.reason for damage in video.damage} == {"in front of the first key frame: it cannot be decoded"}
    result = run_job(rp.ExtractJob(source=edited, output=tmp_path / "o.mp4", start=0, end=1))
    assert isinstance(result, rp.ExtractResult)
    assert (result.frame_count, result.start_seconds) == (12, 0.6)
    assert "its first frame that can be shown is 0.600 s behind the start" in result.warnings[0]


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [("libx264", "ts"), ("libx265", "ts"), ("mpeg2video", "ts"), ("mpeg2video", "mpg"), ("mpeg4", "nut")],
)
def test_what_a_seek_came_past_is_no_key_frame(tmp_path: Path, codec: str, suffix: str) -> None:
    """libavformat lists it as one where there is no index: ffmpeg's reader took honest files for such as mislead."""
    made, path = numbered_video(tmp_path / "n.mp4", frame_count=600, width=96, height=64).path, tmp_path / f"n.{suffix}"
    run_ffmpeg("-i", str(made), "-c:v", codec, "-g", "30", *BITS.get(codec, ()), str(path))
    info = rp.probe(path)
    for start in (5, 10, 15):
        times = frame_times(path, info, start=Fraction(start), end=Fraction(start + 1))
        assert not times.misled
        with rp.open_video(path, "ffmpeg", "yuv420p", start=start, end=start + 1) as video:
            assert [read_number(frame) for frame in video] == list(range(30 * start, 30 * start + 30))
