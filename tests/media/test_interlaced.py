"""Interlaced sources, as camcorders make them: pictures come out whole, as many as went in, at their own times."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import reelproc as rp
from field_pictures import DETAIL, HEIGHT, WIDTH, X264, comb, encode_luma, woven
from media_factory import MadeVideo, damage_packet, numbered_video, run_ffmpeg
from reelproc.job_context import JobContext
from reelproc.jobs import run_job
from reelproc.media.decode.interlaced import field_filters, whole_pictures
from reelproc.media.read.excerpt import Excerpt, ExcerptStep
from reelproc.pixels.frame import Frame

FRAMES = 26

KINDS = {
    "h264 in mp4": ("a.mp4", X264, "tff"),
    "h264 in mkv, lower field first": ("b.mkv", X264, "bff"),
    "mpeg2 in ts": (
        "c.ts",
        ("-c:v", "mpeg2video", "-flags", "+ilme+ildct", "-bf", "2", "-g", "10", "-q:v", "1"),
        "tff",
    ),
    "dv": ("d.avi", ("-c:v", "dvvideo", "-aspect", "4:3"), "bff"),
}


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("interlaced")

    def build(kind: str) -> Path:
        name, options, order = KINDS[kind]
        path = folder / name
        if not path.exists():
            fields = f"setfield={order}" + (",scale=720:576:interl=1:flags=neighbor" if name.endswith("avi") else "")
            encode_luma(path, (woven(n, int(order == "bff")) for n in range(FRAMES)), fields, *options)
        return path

    return build


def read(path: Path, backend: str = "ffmpeg", **span: Fraction | float | None) -> list[Frame]:
    with rp.open_video(path, backend, "yuv420p", **span) as video:
        frames = list(video)
        assert video.damage == ()
    return frames


def stored_luma(path: Path) -> list[NDArray[np.uint8]]:
    """The luma as it is stored."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_comes_out_whole_and_at_its_time(make: Callable[[str], Path], kind: str) -> None:
    path = make(kind)
    assert rp.probe(path).require_video().interlaced
    stored = stored_luma(path)
    frames = read(path)
    assert len(frames) == len(stored) == FRAMES
    with av.open(str(path)) as container:
        shown = [f.pts if f.pts is not None else f.dts for f in container.decode(video=0)]
    assert [frame.pts for frame in frames] == shown
    for number, frame in enumerate(frames[1:-1], 1):
        luma = frame.planes[0]
        assert comb(luma) < 0.35 * comb(stored[number]), f"frame {number}"
        detail = slice(DETAIL.start * luma.shape[1] // WIDTH, DETAIL.stop * luma.shape[1] // WIDTH)
        kept = luma[:, detail].std() / stored[number][:, detail].std()
        assert kept > 0.7, f"what stands still keeps its lines, frame {number}: {kept}"


@pytest.mark.parametrize("kind", KINDS)
def test_both_exact_backends_give_the_same(make: Callable[[str], Path], kind: str) -> None:
    path = make(kind)
    one, other = read(path), read(path, "pyav")
    assert [f.pts for f in one] == [f.pts for f in other]
    for a, b in zip(one[1:], other[1:], strict=True):  # of the first, which has none before it, versions differ
        assert np.abs(a.data.astype(int) - b.data).max() <= 1


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_span_gives_the_frames_of_the_whole(make: Callable[[str], Path], kind: str, backend: str) -> None:
    path = make(kind)
    whole = read(path, backend)
    times = [(frame.pts - frame.start_pts) * frame.time_base for frame in whole]
    for first, last in ((0, 3), (1, 2), (9, 12), (10, 11), (11, 26), (20, 22), (25, 26)):
        part = read(path, backend, start=times[first], end=times[last] if last < FRAMES else None)
        assert [f.pts for f in part] == [f.pts for f in whole[first:last]]
        for got, expected in zip(part, whole[first:last], strict=True):
            assert np.array_equal(got.data, expected.data), f"frame {expected.index} of [{first}, {last})"


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
def test_a_lost_key_frame_does_not_change_what_lies_before(
    make: Callable[[str], Path], tmp_path: Path, backend: str
) -> None:
    intact = read(make("h264 in mp4"), backend)
    damage_packet(MadeVideo(make("h264 in mp4"), (), Fraction(1), (), WIDTH, HEIGHT), tmp_path / "a.mp4", 10)
    with rp.open_video(tmp_path / "a.mp4", backend, "yuv420p") as video:
        shown = {frame.pts: frame.data for frame in video}
    assert list(shown) == [frame.pts for frame in (*intact[:10], *intact[20:])]
    for frame in (*intact[1:9], *intact[21:]):  # beside the gap, and at the start, a picture is made of one field
        assert np.array_equal(shown[frame.pts], frame.data), f"frame {frame.index}"


def test_an_excerpt_is_a_part_of_the_whole_picture(make: Callable[[str], Path]) -> None:
    path = make("h264 in mp4")
    whole = read(path)
    excerpt = Excerpt(100, 80, (ExcerptStep(whole[0].pts, 20, 30), ExcerptStep(whole[7].pts, 60, 32)))
    with rp.open_video(path, pix_fmt="yuv420p", excerpt=excerpt) as video:
        for frame, full in zip(video, whole, strict=True):
            x, y = (20, 30) if full.index < 7 else (60, 32)
            assert excerpt.origin(frame.pts) == (x, y)
            assert np.array_equal(frame.planes[0], full.planes[0][y : y + 80, x : x + 100])


def test_a_reel_of_it_is_encoded_as_a_whole_and_says_so(make: Callable[[str], Path], tmp_path: Path) -> None:
    light = rp.HighlightKeyframe(time=0, x=100, y=90, radius_x=30, radius_y=40, opacity=0.5)
    overlay = rp.Overlay(regions=[rp.HighlightRegion(start_time=0.1, end_time=0.2, keyframes=[light])])
    clip = rp.Clip(source=make("h264 in mp4"), stages=[overlay])
    reel = rp.Reel(clips=[clip], output=rp.Output(width=None, height=None, fps=None, audio=False, crf=8))
    result = run_job(rp.RenderJob(reel=reel, output=str(tmp_path / "o.mp4")), JobContext())
    assert isinstance(result, rp.RenderResult)
    assert result.frame_count == FRAMES
    assert "the source is interlaced" in result.notes[0]
    for stored, made in zip(
        stored_luma(make("h264 in mp4"))[10:-1], stored_luma(tmp_path / "o.mp4")[10:-1], strict=True
    ):
        assert comb(made) < 0.35 * comb(stored)
    assert not rp.probe(tmp_path / "o.mp4").require_video().interlaced


def test_opencv_says_that_it_leaves_the_comb(make: Callable[[str], Path]) -> None:
    with rp.open_video(make("h264 in mp4"), "opencv") as video:
        next(video)
        assert any("interlaced" in warning for warning in video.warnings)


def test_what_is_not_interlaced_is_not_touched(tmp_path: Path) -> None:
    video = rp.probe(numbered_video(tmp_path / "a.mp4", frame_count=3).path).require_video()
    assert not video.interlaced
    assert field_filters(video) == ()


def test_fields_that_are_pictures_of_their_own_are_left_alone(tmp_path: Path) -> None:
    made = numbered_video(
        tmp_path / "a.mp4",
        codec="libx265",
        frame_count=12,
        options={"x265-params": "log-level=none:interlace=tff:bframes=0:keyint=12"},
    )
    assert not rp.probe(made.path).require_video().interlaced
    assert len(read(made.path)) == 12


CHANGES = {
    "size": ("scale=160:96:interl=1",),
    "size too small for the filter": ("scale=16:8:interl=1",),
    "colours": ("null", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"),
    "format": ("format=yuv422p",),
}


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_stream_that_changes_on_the_way_loses_no_frame(
    make: Callable[[str], Path], tmp_path: Path, change: str, backend: str
) -> None:
    chain, *tags = CHANGES[change]
    parts = []
    for name, before, options in (("a", "null", []), ("b", chain, [*tags, "-output_ts_offset", "1.12"])):
        part = tmp_path / f"{name}.ts"
        source = ("-i", str(make("h264 in mp4")), "-vf", f"{before},setfield=tff")
        run_ffmpeg(*source, *X264, *options, "-muxdelay", "0", "-muxpreload", "0", str(part))
        parts.append(part.read_bytes())
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(parts))
    frames = read(joined, backend)
    assert len(frames) == len(stored_luma(joined)) == 2 * FRAMES
    assert all(b.pts - a.pts == 3600 for a, b in pairwise(frames))


def test_a_frame_without_any_time_is_left_out(make: Callable[[str], Path]) -> None:
    video = rp.probe(make("h264 in mp4")).require_video()

    def picture(pts: int | None) -> av.VideoFrame:
        frame = av.VideoFrame(video.width, video.height, "yuv420p")
        frame.pts, frame.time_base = pts, video.time_base
        return frame

    assert [frame.pts for frame in whole_pictures(map(picture, (0, 1, None, 3, None)), video)] == [0, 1, 3]


def test_pictures_too_small_for_the_filter_are_shown_as_they_are(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "a.mp4", frame_count=3)
    video = rp.probe(made.path).require_video().model_copy(update={"interlaced": True, "coded_height": 8})
    assert field_filters(video) == ()
