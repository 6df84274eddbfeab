"""The suite of all reader backends, run on each of ours, and what it asks of real footage.

Where OpenCV cannot, its subclass says what it does instead, and that is asserted too: the faults stay reproduced.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reelproc.errors import SpecError
from reelproc.media.probe.probe import probe
from reelproc.media.read.reader import open_video
from reelproc.testing import ReaderSuite
from reelproc.testing.numbered_video import numbered_video
from reelproc.testing.readers import VIDEOS, made_video, read_once, video_folder

FOOTAGE = (
    "annex-b-avc.mkv",
    "bear-vp9-odd-dimensions.webm",
    "bikes.mp4",
    "chaplin.mp4",
    "cursed-vfr.mp4",
    "edts.mp4",
    "fire2.mp4",
    "hdr10-video-with-sdr-container.mp4",
    "nasa_13013.mp4",
    "no-initial-keyframe.ts",
    "pixel-motion-photo-2-hevc-tracks.mp4",
    "sample_edit_list.mp4",
    "sample_with_invalid_nalu.mp4",
    "tree.avi",
    "video_90.mov",
    "vtest.avi",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return video_folder(tmp_path_factory)


class FootageSuite(ReaderSuite):
    """The suite, and what it asks of the shared footage."""

    footage_count: ClassVar[dict[str, int]] = {}
    """Files that it reads only the first so many frames of."""
    cheapest: ClassVar[Any] = "yuv420p"

    @pytest.mark.parametrize("name", FOOTAGE)
    def test_returns_exactly_the_frames_of_the_oracle(self, footage: Path, name: str) -> None:
        oracle = json.loads((footage / "oracle.json").read_text())[name]
        count = self.footage_count.get(name, oracle["frame_count"])
        with open_video(footage / name, self.backend, pix_fmt=self.cheapest) as video:
            frames = [(f.index, f.pts, f.time_base) for f in video]
            stream = video.info.require_video()
        assert [f[1] for f in frames] == oracle["pts"][:count]
        assert [f[0] for f in frames] == list(range(count))
        assert {f[2] for f in frames} == {Fraction(oracle["time_base"])}
        assert (stream.coded_width, stream.coded_height) == (oracle["coded_width"], oracle["coded_height"])

    seekable_footage: ClassVar[tuple[str, ...]] = ("bikes.mp4", "nasa_13013.mp4", "no-initial-keyframe.ts", "tree.avi")

    @settings(max_examples=12, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def test_a_seek_in_real_footage_gives_the_pixels_of_reading_up_to_it(
        self, footage: Path, data: st.DataObject
    ) -> None:
        self.check_seek(footage / data.draw(st.sampled_from(self.seekable_footage)), data)


class TestFFmpegReader(FootageSuite):
    backend = "ffmpeg"


class TestPyAVReader(FootageSuite):
    backend = "pyav"


class TestOpenCVReader(FootageSuite):
    backend = "opencv"
    cheapest = "bgr24"
    footage_count: ClassVar[dict[str, int]] = {"sample_with_invalid_nalu.mp4": 26}
    """The frame-drop bug: it stops at the damaged packet; 29 frames can be decoded."""
    cannot_read = frozenset({"av1.mkv"})
    """It has no AV1 decoder, says nothing, and returns no frame."""
    colour_tolerance = 12.0
    """It takes these BT.709 pictures for BT.601."""

    def test_lists_all_that_it_loses_as_damage(self, footage: Path) -> None:
        with open_video(footage / "sample_with_invalid_nalu.mp4", self.backend) as reader:
            assert sum(1 for _ in reader) == 26
            assert [d.pts for d in reader.damage] == [26026, 27027, 28028, 29029]
            assert "OpenCV stopped" in reader.damage[0].reason

    def test_says_that_it_cannot_tone_map(self, footage: Path) -> None:
        with open_video(footage / "hdr10-video-with-sdr-container.mp4", self.backend) as reader:
            next(reader)
            assert any("high dynamic range" in w for w in reader.warnings)


class TestAgreement:
    """The ffmpeg and pyav backends show the same pictures: the same filters, in two builds of ffmpeg."""

    @pytest.mark.parametrize("pix_fmt", ["bgr24", "yuv420p"])
    @pytest.mark.parametrize("name", FOOTAGE)
    def test_both_exact_backends_show_the_same_pixels(self, footage: Path, name: str, pix_fmt: Any) -> None:
        info = probe(footage / name)
        options: dict[str, Any] = {"pix_fmt": pix_fmt, "end": 0.4 if name != "no-initial-keyframe.ts" else 2.4}
        count = 0
        with (
            open_video(footage / name, "ffmpeg", info=info, **options) as ours,
            open_video(footage / name, "pyav", info=info, **options) as theirs,
        ):
            for a, b in zip(ours, theirs, strict=True):
                count += 1
                assert (a.pts, a.width, a.height) == (b.pts, b.width, b.height)
                difference = np.abs(a.data.astype(np.int16) - b.data)
                assert difference.mean() < 0.2
                assert difference.max() <= 4
        assert count > 0

    @pytest.mark.parametrize("name", VIDEOS)
    def test_both_exact_backends_show_the_same_pixels_of_what_was_made(self, folder: Path, name: str) -> None:
        path = made_video(folder, name).path
        assert read_once(path, "ffmpeg") == read_once(path, "pyav")


@pytest.mark.parametrize("start", [1e10, 1e300])
def test_no_frame_lies_beyond_all_reason(tmp_path: Path, start: float) -> None:
    made = numbered_video(tmp_path / "a.mp4", frame_count=5)
    with pytest.raises(SpecError, match="no recording has a frame"):
        open_video(made.path, start=start)
    with open_video(made.path, end=start) as video:
        assert len(list(video)) == 5
