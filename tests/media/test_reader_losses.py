"""The frame-loss bug, reproduced; the reader that loses none; and what happens when its decoder goes wrong."""

from __future__ import annotations

import gc
import itertools
import json
import os
import queue
import signal
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import cv2
import pytest

from media_factory import MadeVideo, damage_packet, numbered_video, read_number
from processes import children, open_files, threads
from reelproc.errors import DecodeError
from reelproc.media.probe.probe import probe
from reelproc.media.read import frame_pipe
from reelproc.media.read.reader import VideoReader, open_video
from waiting import LONG, eventually


@pytest.fixture
def broken(footage: Path) -> Path:
    """30 packets, of which one holds an invalid NAL unit."""
    return footage / "sample_with_invalid_nalu.mp4"


@pytest.fixture
def decodable(footage: Path) -> list[int]:
    """The timestamps of its 29 decodable frames."""
    pts: list[int] = json.loads((footage / "oracle.json").read_text())["sample_with_invalid_nalu.mp4"]["pts"]
    return pts


class TestTheBug:
    def test_opencv_loses_the_frames_behind_a_damaged_packet(self, broken: Path, decodable: list[int]) -> None:
        """The usual loop ends at the first False; three good frames would have followed."""
        capture = cv2.VideoCapture(str(broken))
        count = 0
        while capture.read()[0]:
            count += 1
        promised = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        capture.release()
        assert (count, promised, len(decodable)) == (26, 30, 29)

    def test_the_default_reader_returns_every_decodable_frame(self, broken: Path, decodable: list[int]) -> None:
        with open_video(broken) as video:
            assert [frame.pts for frame in video] == decodable

    def test_the_default_reader_names_the_frame_that_is_missing(self, broken: Path) -> None:
        with open_video(broken) as video:
            list(video)
            assert [damage.pts for damage in video.damage] == [26026]

    def test_probe_reports_packets_and_decodable_frames_apart(self, broken: Path) -> None:
        info = probe(broken, exact=True)
        assert (info.packet_count, info.frame_count) == (30, 29)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> MadeVideo:
    return numbered_video(tmp_path_factory.mktemp("clip") / "clip.mp4", frame_count=90)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> MadeVideo:
    """Frames that do not fit the pipe: a decoder that nobody reads from has to wait."""
    path = tmp_path_factory.mktemp("large") / "large.mp4"
    return numbered_video(path, frame_count=40, width=1280, height=720)


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """Fails if the test leaves a child process, a thread or an open file behind."""
    before = children(), threads(), open_files()
    yield
    gc.collect()
    assert children() <= before[0]
    assert threads() <= before[1]
    assert eventually(lambda: open_files() <= before[2])  # of other tests' servers, some may be open for a moment


@pytest.mark.usefixtures("nothing_left")
class TestLeaving:
    def test_reading_to_the_end_leaves_nothing_behind(self, clip: MadeVideo) -> None:
        with open_video(clip.path) as video:
            assert sum(1 for _ in video) == 90

    @pytest.mark.parametrize("backend", ["ffmpeg", "pyav", "opencv"])
    def test_breaking_out_of_the_loop_leaves_nothing_behind(self, large: MadeVideo, backend: str) -> None:
        with open_video(large.path, backend) as video:
            for frame in video:
                if frame.index == 2:
                    break

    def test_leaving_by_an_exception_leaves_nothing_behind(self, large: MadeVideo) -> None:
        def fail_in_the_middle() -> None:
            with open_video(large.path, pix_fmt="yuv420p") as video:
                for _ in video:
                    raise RuntimeError("mid-stage")

        with pytest.raises(RuntimeError, match="mid-stage"):
            fail_in_the_middle()

    def test_a_reader_that_is_never_iterated_starts_nothing(self, clip: MadeVideo) -> None:
        before = children()
        with open_video(clip.path):
            assert children() == before

    def test_closing_is_prompt_and_may_be_repeated(self, large: MadeVideo) -> None:
        video = open_video(large.path)
        next(video)
        assert children()
        video.close()
        assert not children(), "the decoder, which has most of its work before it, is not waited for"
        video.close()
        assert list(video) == []

    def test_a_span_ends_the_decoder_before_the_file_ends(self, large: MadeVideo) -> None:
        before = children()
        with open_video(large.path, end=0.1) as video:
            assert [read_number(frame) for frame in video] == [0, 1, 2]
            assert children() == before


@pytest.fixture
def fake_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script in ffmpeg's place that answers -version and then does what the test appends."""
    script = tmp_path / "ffmpeg"
    script.write_text('#!/bin/sh\nif [ "$1" = -version ]; then echo "ffmpeg version 9.9 fake"; exit 0; fi\n')
    script.chmod(0o755)
    monkeypatch.setenv("REELPROC_FFMPEG", str(script))
    return script


def append(script: Path, lines: str) -> None:
    with script.open("a") as out:
        out.write(lines + "\n")


@pytest.mark.usefixtures("nothing_left")
class TestAFailingDecoder:
    def test_a_megabyte_of_complaints_and_a_failure_is_an_error_not_a_hang(
        self, fake_ffmpeg: Path, clip: MadeVideo
    ) -> None:
        append(fake_ffmpeg, "head -c 1000000 /dev/zero | tr '\\0' 'x' >&2; echo 'the last words' >&2; exit 1")
        with pytest.raises(DecodeError, match="failed with status 1") as caught, open_video(clip.path) as video:
            list(video)
        assert caught.value.returncode == 1
        assert caught.value.argv[0] == str(fake_ffmpeg)
        assert caught.value.stderr_tail.endswith("the last words")

    def test_a_decoder_that_hangs_is_killed_at_the_deadline(
        self, fake_ffmpeg: Path, clip: MadeVideo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        append(fake_ffmpeg, "exec sleep 600")
        monkeypatch.setattr(frame_pipe, "STALL_SECONDS", 0.3)
        with pytest.raises(DecodeError, match=r"sent nothing for 0\.3 s"), open_video(clip.path) as video:
            list(video)

    def test_frames_without_timestamps_are_an_error(self, fake_ffmpeg: Path, clip: MadeVideo) -> None:
        append(fake_ffmpeg, "printf 'YUV4MPEG2 W192 H108\\nFRAME\\n'; head -c 31104 /dev/zero; exit 0")
        with pytest.raises(DecodeError, match="without a timestamp"), open_video(clip.path) as video:
            list(video)

    def test_a_frame_that_ends_in_the_middle_is_an_error(self, fake_ffmpeg: Path, clip: MadeVideo) -> None:
        append(fake_ffmpeg, "printf 'YUV4MPEG2 W192 H108\\nFRAME\\n'; head -c 1000 /dev/zero; exit 0")
        with pytest.raises(DecodeError, match="1006 of 31110 bytes"), open_video(clip.path) as video:
            list(video)

    @pytest.mark.parametrize("size", [100, 10_000_000])
    def test_what_is_no_video_at_all_is_an_error(self, fake_ffmpeg: Path, clip: MadeVideo, size: int) -> None:
        append(fake_ffmpeg, f"head -c {size} /dev/zero; exit 0")
        with pytest.raises(DecodeError, match="no YUV4MPEG2"), open_video(clip.path) as video:
            list(video)

    def test_frames_of_another_size_are_an_error(self, fake_ffmpeg: Path, clip: MadeVideo) -> None:
        append(fake_ffmpeg, "printf 'YUV4MPEG2 W192 H108\\n'; head -c 100000 /dev/zero")
        with pytest.raises(DecodeError, match="not of 31104 bytes each"), open_video(clip.path) as video:
            list(video)

    def test_a_decoder_killed_in_the_middle_is_an_error_not_a_short_video(self, large: MadeVideo) -> None:
        got = []
        others = children()

        def read() -> None:
            with open_video(large.path) as video:
                for frame in video:
                    got.append(frame.index)
                    for pid in children() - others:
                        os.kill(pid, signal.SIGKILL)

        with pytest.raises(DecodeError, match="SIGKILL"):
            read()
        assert 0 < len(got) < 40

    def test_a_slow_consumer_is_no_reason_to_kill_the_decoder(
        self, large: MadeVideo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The clock goes on, far beyond the stall, whenever the reader waits for somebody to take its frames."""
        now, waited = [0.0], threading.Event()

        class SlowlyEmptied(queue.Queue[object]):
            def put(self, item: object, block: bool = True, timeout: float | None = None) -> None:
                try:
                    super().put(item, block, timeout)
                except queue.Full:
                    now[0] += 10 * frame_pipe.STALL_SECONDS
                    waited.set()
                    raise

        slow = SimpleNamespace(Queue=SlowlyEmptied, Full=queue.Full, Empty=queue.Empty)
        monkeypatch.setattr(frame_pipe, "queue", slow)
        monkeypatch.setattr(frame_pipe, "time", SimpleNamespace(monotonic=lambda: now[0]))
        with open_video(large.path, pix_fmt="yuv420p") as video:
            next(video)
            assert waited.wait(LONG)
            assert sum(1 for _ in video) == 39


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> MadeVideo:
    """Three groups of 12 pictures."""
    return numbered_video(tmp_path_factory.mktemp("whole") / "whole.mp4", frame_count=36)


class TestDamage:
    """Damage made here: packets overwritten with rubbish, at every kind of place in a group of pictures."""

    @pytest.mark.parametrize(("ordinal", "at_most"), [(0, 12), (5, 1), (12, 12), (20, 1), (34, 1), (35, 1)])
    def test_both_exact_backends_miss_the_same_frames_and_say_so(
        self, whole: MadeVideo, tmp_path: Path, ordinal: int, at_most: int
    ) -> None:
        lost = damage_packet(whole, tmp_path / "damaged.mp4", ordinal)
        seen = {}
        for backend in ("ffmpeg", "pyav"):
            with open_video(tmp_path / "damaged.mp4", backend, pix_fmt="yuv420p") as video:
                pts = [frame.pts for frame in video]
                seen[backend] = pts
                assert {d.pts for d in video.damage} == set(whole.pts) - set(pts)
                assert lost in {d.pts for d in video.damage}
        assert seen["ffmpeg"] == seen["pyav"]
        assert len(whole.pts) - at_most <= len(seen["ffmpeg"]) < len(whole.pts)

    def test_gaps_alone_are_no_damage(self, footage: Path) -> None:
        """cursed-vfr.mp4 has 18 long pauses, and nothing is wrong with it."""
        with open_video(footage / "cursed-vfr.mp4", pix_fmt="yuv420p") as video:
            times = [frame.exact_time for frame in video]
            assert video.damage == ()
        assert max(b - a for a, b in itertools.pairwise(times)) > 1

    def test_what_lies_before_the_first_key_frame_is_reported(self, footage: Path) -> None:
        with open_video(footage / "no-initial-keyframe.ts", pix_fmt="yuv420p") as video:
            assert sum(1 for _ in video) == 15
            assert len(video.damage) == 63
            assert {d.reason for d in video.damage} == {"in front of the first key frame: it cannot be decoded"}

    def test_damage_is_reported_for_the_wanted_span_only(self, broken: Path) -> None:
        def damage(start: float, end: float) -> list[int | None]:
            with open_video(broken, pix_fmt="yuv420p", start=start, end=end) as video:
                list(video)
                return [d.pts for d in video.damage]

        assert (damage(0, 0.8), damage(0.8, 0.9), damage(0.9, 1.0)) == ([], [26026], [])

    def test_damage_is_known_while_reading_as_far_as_reading_got(self, broken: Path) -> None:
        with open_video(broken, pix_fmt="yuv420p") as video:
            assert video.damage == ()
            self._read_to(video, 25025)
            assert video.damage == ()
            self._read_to(video, 27027)
            assert [d.pts for d in video.damage] == [26026]

    @staticmethod
    def _read_to(video: VideoReader, pts: int) -> None:
        while next(video).pts < pts:
            continue

    def test_a_file_cut_off_in_the_middle_gives_what_is_there_and_a_warning(self, tmp_path: Path) -> None:
        data = numbered_video(tmp_path / "whole.mkv", frame_count=60).path.read_bytes()
        (tmp_path / "cut.mkv").write_bytes(data[: len(data) * 2 // 3])
        for backend in ("ffmpeg", "pyav"):
            with open_video(tmp_path / "cut.mkv", backend, pix_fmt="yuv420p") as video:
                numbers = [read_number(frame) for frame in video if frame.exact_time < Fraction(1)]
            assert numbers == list(range(30))
