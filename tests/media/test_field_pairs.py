"""H.264 with a packet for each field, as AVCHD becomes when it is copied into MP4 or Matroska: a pair is one frame."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import reelproc as rp
from field_pictures import GROUP, X264, coded_frames, comb, encode_luma, woven, write_fields
from reelproc.job_context import JobContext
from reelproc.jobs import run_job
from reelproc.media.decode import decoding
from reelproc.media.packets.frame_times import frame_times
from reelproc.storage.source import LocalSource

FRAMES = 3 * len(GROUP)
KINDS = {
    "each field in mp4": ("a.mp4", True, True),
    "each field in mkv": ("a.mkv", True, True),
    "each field in ts": ("a.ts", True, True),
    "each field, no reordering, mp4": ("b.mp4", False, True),
    "each field, no reordering, mkv": ("b.mkv", False, True),
    "each field, no reordering, ts": ("b.ts", False, True),
    "a frame in one packet, mp4": ("c.mp4", True, False),
    "a frame in one packet, ts": ("c.ts", True, False),
}
"""A file's name, whether there are B pictures, and whether each field has a packet."""

BACKENDS = ("ffmpeg", "pyav")


def picture(number: int, first: int = 0) -> NDArray[np.uint8]:
    """A bar on the way; the leftmost columns tell the group, so that fields of another group show."""
    frame = woven(number, first)
    frame[:, :16] = 60 + 40 * (number // len(GROUP))
    return frame


PICTURES = [picture(number) for number in range(FRAMES)]


CODED = {reordered: list(coded_frames(PICTURES, kept=range(3), reordered=reordered)) for reordered in (True, False)}


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("fields")

    def build(kind: str) -> Path:
        name, reordered, each = KINDS[kind]
        path = folder / name
        return path if path.exists() else write_fields(path, CODED[reordered], each=each, key_seconds=True)

    return build


def read(path: Path, backend: str, **span: Fraction) -> list[rp.Frame]:
    with rp.open_video(path, backend, "yuv420p", **span) as video:
        frames = list(video)
        assert video.damage == ()
    return frames


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith("each")])
def test_what_this_writes_is_what_a_decoder_shows(make: Callable[[str], Path], kind: str) -> None:
    with av.open(str(make(kind))) as container:
        shown = [frame.to_ndarray()[: frame.height] for frame in container.decode(video=0)]
    assert all(np.array_equal(luma, expected) for luma, expected in zip(shown, PICTURES, strict=True))
    with av.open(str(make(kind))) as container:
        assert sum(packet.size > 0 for packet in container.demux(video=0)) == 2 * FRAMES


@pytest.mark.parametrize("kind", KINDS)
def test_the_index_counts_frames(make: Callable[[str], Path], kind: str) -> None:
    info = rp.probe(make(kind), exact=True)
    video = info.require_video()
    assert video.interlaced
    assert (info.frame_count, info.duration, video.average_rate) == (FRAMES, Fraction(FRAMES, 25), 25)
    times = frame_times(info.path, info)
    assert [times.seconds(pts) for pts in times.pts] == [Fraction(n, 25) for n in range(FRAMES)]
    assert times.seconds(times.end_pts) == Fraction(FRAMES, 25)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_comes_out_whole_by_itself_too(make: Callable[[str], Path], kind: str, backend: str) -> None:
    path = make(kind)
    whole = read(path, backend)
    assert len(whole) == FRAMES
    assert max(comb(frame.planes[0]) for frame in whole[1:]) < 0.35 * comb(PICTURES[1])
    for frame, expected in zip(whole[1:], PICTURES[1:], strict=True):
        assert np.array_equal(frame.planes[0][:, :48], expected[:, :48]), f"frame {frame.index} is of another group"
    for frame in whole:
        start = (frame.pts - frame.start_pts) * frame.time_base
        (alone,) = read(path, backend, start=start, end=start + Fraction(1, 50))
        assert alone.pts == frame.pts
        assert np.array_equal(alone.data, frame.data), f"frame {frame.index}"


@pytest.mark.parametrize("reordered", [False, True])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_a_seek_aims_at_the_first_field_of_a_key_frame(tmp_path: Path, suffix: str, reordered: bool) -> None:
    frames = list(coded_frames([*PICTURES, *PICTURES], reordered=reordered))
    info = rp.probe(write_fields(tmp_path / f"a.{suffix}", frames, key_seconds=True))
    video = info.require_video()
    for number in range(30, 40):
        aim = frame_times(info.path, info, start=Fraction(number, 25)).seek_pts
        assert aim is not None
        with av.open(info.path) as container:
            container.seek(aim, stream=container.streams[video.index])
            reached = next(container.demux(video=0))
        assert reached.is_keyframe
        assert reached.pts is not None
        place = (reached.pts - video.start_pts) * video.time_base * 25
        assert place <= number
        assert place % len(GROUP) == 0


def test_nothing_is_decoded_a_second_time(make: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("decoded with care, though nothing is damaged")

    monkeypatch.setattr(decoding, "carefully_decoded_frames", refuse)
    for kind in KINDS:
        assert len(list(decoding.decoded_frames(LocalSource(make(kind)), 0))) == FRAMES


@pytest.mark.parametrize("fps", [None, 25])
def test_a_reel_has_a_frame_for_each_pair(make: Callable[[str], Path], tmp_path: Path, fps: int | None) -> None:
    clip = rp.Clip(source=make("each field in mp4"), start=0.2, end=0.6)
    reel = rp.Reel(clips=[clip], output=rp.Output(width=None, height=None, fps=fps, audio=False))
    result = run_job(rp.RenderJob(reel=reel, output=str(tmp_path / "o.mp4")), JobContext())
    assert isinstance(result, rp.RenderResult)
    assert result.frame_count == 10


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("lost", [0, 1], ids=["first field", "second field"])
def test_a_lost_field_is_one_lost_frame(tmp_path: Path, backend: str, lost: int) -> None:
    frames = list(CODED[True])
    frames[4] = frames[4]._replace(fields=(frames[4].fields[1 - lost],))
    path = write_fields(tmp_path / "a.mp4", frames)
    with rp.open_video(path, backend, "yuv420p") as video:
        shown = {round((frame.pts - frame.start_pts) * frame.time_base * 25) for frame in video}
        assert len(video.damage) == 1
    assert set(range(FRAMES)) - shown == {frames[4].number}


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_turns_interlaced_soon_is_made_whole(tmp_path: Path, backend: str) -> None:
    parts = []
    for name, count, chain, options, offset in (
        ("a", 3, "setfield=prog", ("-c:v", "libx264", "-bf", "0", "-x264-params", "fake-interlaced=1"), "0"),
        ("b", 26, "setfield=tff", X264, "0.12"),
    ):
        muxing = ("-output_ts_offset", offset, "-muxdelay", "0", "-muxpreload", "0")
        part = tmp_path / f"{name}.ts"
        encode_luma(part, (woven(n, 0) for n in range(count)), chain, *options, *muxing)
        parts.append(part.read_bytes())
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(parts))
    with av.open(str(joined)) as container:
        marks = [frame.interlaced_frame for frame in container.decode(video=0)]
    assert marks[:5] == [False, False, False, True, True]
    assert rp.probe(joined).require_video().interlaced
    with rp.open_video(joined, backend, "yuv420p") as video:
        frames = list(video)
    assert len(frames) == 29
    assert max(comb(frame.planes[0]) for frame in frames[4:-1]) < 0.35 * comb(woven(3, 0))
