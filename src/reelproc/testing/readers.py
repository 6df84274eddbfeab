"""The promises of every reader backend: inherit :class:`ReaderSuite`."""

from __future__ import annotations

import functools
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from reelproc.errors import ObjectNotFoundError, ProbeError, SpecError
from reelproc.media.probe.probe import probe
from reelproc.media.read.excerpt import Excerpt, ExcerptStep
from reelproc.media.read.reader import open_video
from reelproc.pixels.frame import plane_shapes
from reelproc.testing.numbered_video import (
    ROTATIONS,
    MadeVideo,
    draw,
    numbered_video,
    read_number,
    run_ffmpeg,
    tone,
    with_edit_list,
)

__all__ = ["VIDEOS", "ReaderSuite", "SeenFrame", "made_video", "read_frames", "read_once", "video_folder"]

SeenFrame = tuple[int, Fraction, int]
"""pts, time, and a checksum of the pixels."""


def read_frames(path: Path, backend: str, **options: Any) -> list[SeenFrame]:
    """Read a video, or a span of it."""
    with open_video(path, backend, **{"pix_fmt": "yuv420p", **options}) as video:
        return [(frame.pts, frame.exact_time, zlib.crc32(frame.data.tobytes())) for frame in video]


@functools.cache
def read_once(path: Path, backend: str) -> tuple[SeenFrame, ...]:
    """Return the whole video, read once: what a seek must agree with."""
    return tuple(read_frames(path, backend))


def video_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the session's videos."""
    folder = tmp_path_factory.getbasetemp() / "reader-videos"
    folder.mkdir(exist_ok=True)
    return folder


@functools.cache
def made_video(folder: Path, name: str) -> MadeVideo:
    """Return a video that the suite reads; each is made once."""
    path = folder / name
    match path.stem:
        case "plain":
            return numbered_video(path, frame_count=60, sound=tone(2.0))
        case "ntsc":
            return numbered_video(path, frame_count=30, fps=Fraction(30000, 1001))
        case "variable":
            return numbered_video(path, pts=[0, 5, 100, 120, 333, 334, 350, 1000, 1010, 1300, 1600, 1601], gop_size=4)
        case "open_groups":
            groups = {"x264-params": "open-gop=1:scenecut=0:keyint=10"}
            return numbered_video(path, frame_count=45, b_frames=3, gop_size=10, options=groups)
        case "intra_refresh":
            return numbered_video(
                path, frame_count=40, b_frames=0, options={"x264-params": "intra-refresh=1:keyint=15"}
            )
        case "hevc":
            return numbered_video(path, codec="libx265", frame_count=30, gop_size=10, b_frames=3)
        case "edit_list":
            return with_edit_list(made_video(folder, "plain.mp4"), path, 19)
        case "odd":
            return numbered_video(path, codec="libvpx-vp9", width=161, height=121, frame_count=10)
        case "two_streams":
            return numbered_video(path, frame_count=10, second_size=(320, 180))
        case "full_range":
            return numbered_video(path, frame_count=5, full_range=True)
        case "lossless":
            return numbered_video(path, frame_count=5, codec="ffv1", pix_fmt="yuv444p")
        case "av1":
            return numbered_video(path, codec="libsvtav1", frame_count=10)
        case "mpeg2":
            return numbered_video(path, codec="mpeg2video", frame_count=40, gop_size=10, options={"bf": "2"})
        case "anamorphic":
            return numbered_video(path, frame_count=3, sample_aspect_ratio=Fraction(4, 3), rotation=90)
    raise AssertionError(path)


VIDEOS = (
    "plain.mp4",
    "plain.ts",
    "ntsc.mp4",
    "variable.mp4",
    "variable.mkv",
    "open_groups.mp4",
    "open_groups.ts",
    "intra_refresh.mp4",
    "hevc.mp4",
    "edit_list.mp4",
    "odd.webm",
    "two_streams.mp4",
    "full_range.mp4",
    "lossless.mkv",
    "av1.mkv",
    "mpeg2.mpg",
)


class ReaderSuite:
    """Check that a reader backend keeps the promises of :class:`~reelproc.VideoReader`.

    Set ``backend`` to the registered name. The videos are numbered frames in many codecs and containers; name those in
    ``cannot_read`` that it cannot.
    """

    backend: ClassVar[str]
    """The name that ``open_video`` takes."""
    cannot_read: ClassVar[frozenset[str]] = frozenset()
    """Videos that it returns no frame of, and says so in ``damage``."""
    colour_tolerance: ClassVar[float] = 2.5
    """Levels by which a plane of a lossy picture may differ on average from what was drawn."""
    seekable: ClassVar[tuple[str, ...]] = (
        "plain.mp4",
        "open_groups.mp4",
        "open_groups.ts",
        "intra_refresh.mp4",
        "hevc.mp4",
        "variable.mkv",
        "mpeg2.mpg",
        "edit_list.mp4",
    )
    """Videos whose spans are read from many places."""

    @pytest.fixture
    def folder(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """Return the folder of the videos."""
        return video_folder(tmp_path_factory)

    @pytest.mark.parametrize("name", VIDEOS)
    def test_returns_every_numbered_frame_in_order(self, folder: Path, name: str) -> None:
        video = made_video(folder, name)
        with open_video(video.path, self.backend) as reader:
            frames = [(f.pts, read_number(f), f.width, f.height) for f in reader]
            lost = len(reader.damage)
        if name in self.cannot_read:
            assert (frames, lost) == ([], len(video.pts))
            return
        assert frames == [(p, n, video.width, video.height) for p, n in zip(video.pts, video.numbers, strict=True)]
        assert lost == 0

    @pytest.mark.parametrize("hflip", [False, True])
    @pytest.mark.parametrize("rotation", ROTATIONS)
    @pytest.mark.parametrize("pix_fmt", ["bgr24", "yuv420p"])
    def test_applies_the_display_matrix(self, tmp_path: Path, rotation: int, hflip: bool, pix_fmt: Any) -> None:
        video = numbered_video(tmp_path / "turned.mp4", frame_count=2, rotation=rotation, hflip=hflip)
        with open_video(video.path, self.backend, pix_fmt) as reader:
            assert (reader.width, reader.height) == (192, 108)
            assert [read_number(frame) for frame in reader] == [0, 1]

    def test_keeps_the_pixel_aspect_ratio_as_information_turned_with_the_picture(self, folder: Path) -> None:
        with open_video(made_video(folder, "anamorphic.mp4").path, self.backend) as reader:
            assert next(reader).width == 192
            assert reader.info.require_video().sample_aspect_ratio == Fraction(3, 4)

    @pytest.mark.parametrize("pix_fmt", ["bgr24", "rgb24", "yuv420p", "yuv444p"])
    @pytest.mark.parametrize("name", ["plain.mp4", "odd.webm", "full_range.mp4"])
    def test_shows_the_drawn_colours_in_every_format(self, folder: Path, name: str, pix_fmt: Any) -> None:
        """Within what the lossy coding changes; mean errors of a wrong matrix or range are three times as large."""
        video = made_video(folder, name)
        with open_video(video.path, self.backend, pix_fmt) as reader:
            frame = next(reader)
            assert [p.shape for p in frame.planes] == list(plane_shapes(pix_fmt, video.width, video.height))
            assert all(p.flags.writeable for p in frame.planes)
        y, u, v = (p.astype(np.float64) for p in draw(0, video.width, video.height))
        if pix_fmt.startswith("yuv"):
            wanted = [y, u, v]
            if pix_fmt == "yuv420p":
                wanted[1:] = [_halved(p) for p in (u, v)]
        else:
            luma, cb, cr = (y - 16) / 219, (u - 128) / 224, (v - 128) / 224
            rgb = [luma + 1.5748 * cr, luma - 0.1873 * cb - 0.4681 * cr, luma + 1.8556 * cb]
            wanted = [np.clip(np.stack(rgb[:: 1 if pix_fmt == "rgb24" else -1], axis=-1) * 255, 0, 255)]
        for got, plane in zip(frame.planes, wanted, strict=True):
            assert np.abs(got - plane).mean() < self.colour_tolerance

    @pytest.mark.parametrize("name", ["variable.mp4", "edit_list.mp4", "plain.ts"])
    def test_start_and_end_are_half_open_and_exact(self, folder: Path, name: str) -> None:
        whole = read_once(made_video(folder, name).path, self.backend)
        zero = probe(made_video(folder, name).path).require_video().start_pts
        assert whole[0][0] == zero
        for first, last in ((0, 1), (3, 7), (5, 5), (7, 11), (10, 11)):
            start, end = whole[first][1], whole[last][1]
            got = read_frames(made_video(folder, name).path, self.backend, start=start, end=end)
            assert got == list(whole[first:last])
        tick = Fraction(1, 1_000_000)
        assert read_frames(made_video(folder, name).path, self.backend, start=whole[3][1] + tick)[0] == whole[4]
        assert read_frames(made_video(folder, name).path, self.backend, end=whole[3][1] + tick)[-1] == whole[3]

    def test_a_span_outside_the_video_is_empty_and_one_around_it_is_whole(self, folder: Path) -> None:
        path = made_video(folder, "plain.mp4").path
        assert read_frames(path, self.backend, start=100) == []
        assert read_frames(path, self.backend, end=0) == []
        assert read_frames(path, self.backend, start=-5.0, end=100.0) == list(read_once(path, self.backend))

    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def test_a_seek_to_any_frame_gives_the_pixels_of_reading_up_to_it(self, folder: Path, data: st.DataObject) -> None:
        self.check_seek(made_video(folder, data.draw(st.sampled_from(self.seekable))).path, data)

    def check_seek(self, path: Path, data: st.DataObject) -> None:
        """Check that a span of up to five frames is the same as that part of the whole."""
        whole = read_once(path, self.backend)
        first = data.draw(st.integers(0, len(whole) - 1))
        last = data.draw(st.integers(first, min(first + 5, len(whole) - 1)))
        got = read_frames(path, self.backend, start=whole[first][1], end=whole[last][1])
        assert got == list(whole[first:last])

    @pytest.mark.parametrize("name", ["plain.mp4", "edit_list.mp4", "odd.webm"])
    def test_an_excerpt_is_that_part_of_the_same_frames(self, folder: Path, name: str) -> None:
        path = made_video(folder, name).path
        with open_video(path, self.backend, "yuv420p") as video:
            whole = list(video)
        steps = (ExcerptStep(whole[0].pts, 10, 20), ExcerptStep(whole[3].pts, 40, 4), ExcerptStep(whole[9].pts, 0, 0))
        with open_video(path, self.backend, "yuv420p", excerpt=Excerpt(60, 48, steps)) as video:
            assert (video.width, video.height) == (60, 48)
            parts = list(video)
        assert [f.pts for f in parts] == [f.pts for f in whole]
        for frame, part in zip(whole, parts, strict=True):
            origin = (10, 20) if frame.index < 3 else (40, 4) if frame.index < 9 else (0, 0)
            assert np.array_equal(part.data, frame.part(*origin, 60, 48).data)

    def test_a_stream_that_changes_its_size_is_delivered_in_one_size(self, tmp_path: Path) -> None:
        numbered_video(tmp_path / "a.ts", frame_count=12)
        numbered_video(tmp_path / "b.ts", frame_count=12, width=320, height=180, first_number=100)
        run_ffmpeg("-i", str(tmp_path / "b.ts"), "-c", "copy", "-output_ts_offset", "0.4", str(tmp_path / "c.ts"))
        joined = tmp_path / "joined.ts"
        joined.write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "c.ts").read_bytes())
        with open_video(joined, self.backend) as reader:
            frames = [(read_number(f), f.width, f.height) for f in reader]
        assert frames == [(n, 192, 108) for n in (*range(12), *range(100, 112))]

    def test_frames_are_the_callers_to_change(self, folder: Path) -> None:
        with open_video(made_video(folder, "plain.mp4").path, self.backend, "yuv420p") as reader:
            first = next(reader)
            first.data[:] = 0
            following = [next(reader) for _ in range(8)]
            assert [read_number(f) for f in following] == list(range(1, 9))
            assert not first.data.any()

    @pytest.mark.parametrize(
        "name", ["-x.mp4", "a:b.mp4", "http:x.mp4", "%03d.mp4", "it's [1],2;.mp4", "ü ⚽ \n.mp4", "concat:a|b.mp4"]
    )
    def test_any_file_name_is_a_file_name(
        self, folder: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path(name).write_bytes(made_video(folder, "plain.mp4").path.read_bytes())
        with open_video(name, self.backend, end=0.1) as reader:
            assert [read_number(frame) for frame in reader] == [0, 1, 2]

    def test_refuses_what_makes_no_sense(self, folder: Path, tmp_path: Path) -> None:
        path = made_video(folder, "plain.mp4").path
        with pytest.raises(SpecError, match="yuv420p, yuv444p, bgr24, rgb24, got 'nv12'"):
            open_video(path, self.backend, pix_fmt="nv12")  # type: ignore[arg-type]
        with pytest.raises(SpecError, match="start=2 and end=1"):
            open_video(path, self.backend, start=2, end=1)
        with pytest.raises(ObjectNotFoundError, match=r"missing\.mp4"):
            open_video(tmp_path / "missing.mp4", self.backend)
        with pytest.raises(ProbeError, match="directory"):
            open_video(tmp_path, self.backend)


def _halved(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a plane of 4:4:4 as one of 4:2:0: means of four samples, edges repeated."""
    padded = np.pad(plane, ((0, plane.shape[0] % 2), (0, plane.shape[1] % 2)), "edge")
    return (padded[0::2, 0::2] + padded[1::2, 0::2] + padded[0::2, 1::2] + padded[1::2, 1::2]) / 4
