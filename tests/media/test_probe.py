"""What a file says of itself, and what is no file to read."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media_factory import MadeVideo, numbered_video, run_ffmpeg, tone, with_edit_list
from reelproc.errors import ObjectNotFoundError, ProbeError
from reelproc.media.container.file_structure import promised_size
from reelproc.media.info import MediaInfo
from reelproc.media.packets.frame_times import frame_times
from reelproc.media.probe.probe import probe
from reelproc.storage.source import LocalSource


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> MadeVideo:
    path = tmp_path_factory.mktemp("probe") / "clip.mp4"
    return numbered_video(path, frame_count=45, fps=Fraction(30000, 1001), sound=tone(1.5, channels=2))


class TestProbe:
    def test_says_what_the_streams_are(self, clip: MadeVideo) -> None:
        info = probe(clip.path)
        video = info.require_video()
        assert (video.codec, video.pix_fmt, video.width, video.height) == ("h264", "yuv420p", 192, 108)
        assert (video.time_base, video.start_pts, video.average_rate) == (clip.time_base, 0, Fraction(30000, 1001))
        assert info.duration == 45 * Fraction(1001, 30000)
        assert info.audio is not None
        assert (info.audio.codec, info.audio.sample_rate, info.audio.channels) == ("aac", 48_000, 2)
        assert abs(info.audio.start) < Fraction(1, 40)
        assert (info.video_stream_count, info.audio_stream_count, info.warnings) == (1, 1, ())
        assert (info.packet_count, info.frame_count) == (None, None)
        assert info.size_bytes == clip.path.stat().st_size

    def test_survives_json(self, clip: MadeVideo) -> None:
        info = probe(clip.path, exact=True)
        assert MediaInfo.model_validate_json(info.model_dump_json()) == info

    def test_exact_counts_packets_and_frames(self, clip: MadeVideo, tmp_path: Path) -> None:
        info = probe(clip.path, exact=True)
        assert (info.packet_count, info.frame_count) == (45, 45)
        trimmed = probe(with_edit_list(clip, tmp_path / "trimmed.mp4", 17).path, exact=True)
        assert trimmed.packet_count == 33  # from the key frame before
        assert trimmed.frame_count == 28

    def test_a_rotated_picture_has_its_shown_size(self, footage: Path) -> None:
        video = probe(footage / "sample_edit_list.mp4").require_video()
        assert (video.coded_width, video.coded_height, video.width, video.height) == (1920, 1080, 1080, 1920)
        assert (video.rotation, video.hflip) == (90, False)

    def test_reads_colours_and_the_peak_of_hdr(self, footage: Path) -> None:
        colour = probe(footage / "hdr10-video-with-sdr-container.mp4").require_video().colour
        assert (colour.matrix, colour.primaries, colour.transfer) == ("bt2020nc", "bt2020", "smpte2084")
        assert (colour.full_range, colour.peak_nits, colour.is_hdr) == (False, 1000.0, True)
        assert probe(footage / "pixel-motion-photo-2-hevc-tracks.mp4").require_video().colour.full_range

    def test_takes_the_first_of_two_video_streams(self, footage: Path) -> None:
        info = probe(footage / "nasa_13013.mp4")
        assert (info.require_video().index, info.require_video().width, info.video_stream_count) == (0, 320, 2)
        assert info.duration == 13

    def test_a_cover_picture_is_no_video(self, clip: MadeVideo, tmp_path: Path) -> None:
        cover, song, both = tmp_path / "cover.png", tmp_path / "song.m4a", tmp_path / "both.mp4"
        run_ffmpeg("-i", str(clip.path), "-frames:v", "1", str(cover))
        run_ffmpeg("-i", str(clip.path), "-i", str(cover), "-map", "0:a", "-map", "1", "-c:a", "copy", "-c:v", "copy",
                   "-disposition:v:0", "attached_pic", str(song))  # fmt: skip
        info = probe(song)
        assert (info.video, info.video_stream_count) == (None, 0)
        assert info.audio is not None
        assert info.duration > 1
        run_ffmpeg("-i", str(cover), "-i", str(clip.path), "-map", "0", "-map", "1:v", "-c", "copy",
                   "-disposition:v:0", "attached_pic", str(both))  # fmt: skip
        found = probe(both)
        assert (found.require_video().codec, found.video_stream_count) == ("h264", 1)

    def test_sound_only_has_no_video_and_says_so_when_one_is_wanted(self, tmp_path: Path) -> None:
        run_ffmpeg("-f", "lavfi", "-i", "sine=duration=0.5", str(tmp_path / "tone.wav"))
        info = probe(tmp_path / "tone.wav")
        assert info.duration == Fraction(1, 2)
        with pytest.raises(ProbeError, match="no video stream"):
            info.require_video()

    def test_sound_that_begins_later_says_when(self, tmp_path: Path) -> None:
        made = numbered_video(tmp_path / "a.mkv", frame_count=30, sound=tone(1.0))
        run_ffmpeg("-i", str(made.path), "-itsoffset", "0.25", "-i", str(made.path), "-map", "0:v", "-map", "1:a",
                   "-c", "copy", str(tmp_path / "late.mkv"))  # fmt: skip
        audio = probe(tmp_path / "late.mkv").audio
        assert audio is not None
        assert abs(audio.start - Fraction(1, 4)) < Fraction(1, 25)

    @pytest.mark.parametrize("name", ["v.mkv", "v.webm", "v.ts", "v.avi", "v.mov"])
    def test_knows_the_duration_of_the_video_without_help_from_the_header(self, tmp_path: Path, name: str) -> None:
        codec = {"webm": "libvpx-vp9", "avi": "mpeg4"}.get(name[2:], "libx264")
        sound = None if name == "v.avi" else tone(2.5)  # longer than the picture
        made = numbered_video(tmp_path / name, codec=codec, frame_count=45, b_frames=0, sound=sound)
        assert abs(probe(made.path).duration - Fraction(3, 2)) <= Fraction(1, 500)

    def test_a_header_that_ends_before_the_last_frame_is_not_believed(self, tmp_path: Path) -> None:
        made = numbered_video(tmp_path / "variable.mp4", pts=[0, 5, 100, 120, 333, 334, 350, 1000])
        with av.open(str(made.path)) as container:
            stream = container.streams.video[0]
            assert stream.duration is not None
            assert stream.duration < made.pts[-1]
        info = probe(made.path)
        assert info.duration > made.pts[-1] * made.time_base
        assert frame_times(made.path, info).pts == made.pts

    def test_a_file_that_is_cut_off_is_told_by_a_warning(self, tmp_path: Path) -> None:
        run_ffmpeg("-i", str(numbered_video(tmp_path / "a.mp4", frame_count=60).path), "-c", "copy",
                   "-movflags", "faststart", str(tmp_path / "b.mp4"))  # fmt: skip
        data = (tmp_path / "b.mp4").read_bytes()
        (tmp_path / "cut.mp4").write_bytes(data[: len(data) * 2 // 3])
        info = probe(tmp_path / "cut.mp4")
        assert "cut off" in info.warnings[0]
        assert Fraction(1, 2) < info.duration < Fraction(9, 5)


class TestRefusals:
    @pytest.mark.parametrize("name", ["missing.mp4", "no/such/folder.mp4"])
    def test_a_missing_file_is_not_found(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(ObjectNotFoundError, match=r"there is no file .*mp4") as caught:
            probe(tmp_path / name)
        assert isinstance(caught.value, FileNotFoundError)

    def test_a_link_to_nowhere_is_not_found(self, tmp_path: Path) -> None:
        (tmp_path / "link.mp4").symlink_to(tmp_path / "nowhere.mp4")
        with pytest.raises(ObjectNotFoundError):
            probe(tmp_path / "link.mp4")

    def test_a_url_is_a_name_of_no_file(self) -> None:
        with pytest.raises(ObjectNotFoundError):
            probe("https://example.com/a.mp4")

    def test_a_pipe_is_refused_at_once(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.mp4")
        with pytest.raises(ProbeError, match="pipe, socket or device"):
            probe(tmp_path / "pipe.mp4")  # to open it would wait for a writer, for ever

    def test_a_directory_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ProbeError, match="is a directory"):
            probe(tmp_path)

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("empty.mp4", b"", "is empty"),
            ("text.mp4", b"this is no video\n" * 50, "cannot be opened"),
            ("zeros.mp4", bytes(5000), "cannot be opened"),
            ("box.mp4", b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41", "cannot be opened|neither video"),
        ],
    )
    def test_what_is_no_video_is_refused(self, tmp_path: Path, name: str, content: bytes, message: str) -> None:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ProbeError, match=message):
            probe(tmp_path / name)

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{clip}\n#EXT-X-ENDLIST\n"),
            ("list.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{clip}\n#EXT-X-ENDLIST\n"),
            ("list.ffconcat", "ffconcat version 1.0\nfile {clip}\n"),
            ("list.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"),
        ],
    )
    def test_a_playlist_is_not_followed(self, clip: MadeVideo, tmp_path: Path, name: str, text: str) -> None:
        link = tmp_path / "clip.mp4"
        link.symlink_to(clip.path)
        (tmp_path / name).write_text(text.format(clip=link))
        with pytest.raises(ProbeError, match="cannot be opened"):
            probe(tmp_path / name)

    def test_a_still_image_is_refused(self, clip: MadeVideo, tmp_path: Path) -> None:
        run_ffmpeg("-i", str(clip.path), "-frames:v", "1", str(tmp_path / "still.png"))
        with pytest.raises(ProbeError, match="cannot be opened"):
            probe(tmp_path / "still.png")

    def test_absurd_sizes_are_refused(self, tmp_path: Path) -> None:
        made = numbered_video(tmp_path / "wide.mkv", codec="ffv1", width=16_500, height=16, frame_count=1)
        with pytest.raises(ProbeError, match=r"16500x16; at most 16384 pixels a side"):
            probe(made.path)

    def test_video_of_which_nothing_decodes_is_refused(self, clip: MadeVideo, tmp_path: Path) -> None:
        data = bytearray(clip.path.read_bytes())
        with av.open(str(clip.path)) as container:
            for packet in container.demux(video=0):
                if packet.size and packet.pos is not None:
                    data[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
        (tmp_path / "rubbish.mp4").write_bytes(data)
        with pytest.raises(ProbeError, match="no frame of its video stream can be decoded"):
            probe(tmp_path / "rubbish.mp4")

    def test_the_package_is_light_until_a_file_is_looked_at(self) -> None:
        heavy = "sorted({'av', 'cv2', 'numpy'} & set(sys.modules))"
        code = f"import sys, reelproc.media.probe.probe, reelproc.media.read.reader; print({heavy})"
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        assert out.strip() == "[]"


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[MadeVideo, MediaInfo]]:
    folder = tmp_path_factory.mktemp("indexed")
    plain = numbered_video(folder / "plain.mp4", frame_count=50, gop_size=10)
    groups = {"x264-params": "open-gop=1:scenecut=0:keyint=10"}
    made = [
        plain,
        with_edit_list(plain, folder / "edit.mp4", 13),
        numbered_video(folder / "open.ts", frame_count=50, b_frames=3, gop_size=10, options=groups),
        numbered_video(folder / "variable.mkv", pts=list(np.cumsum([1, 7, 30, 100, 500, 2] * 6)), gop_size=5),
    ]
    return [(m, probe(m.path)) for m in made]


class TestFrameTimes:
    def test_lists_every_frame_that_shall_be_shown(self, indexed: list[tuple[MadeVideo, MediaInfo]]) -> None:
        for made, info in indexed:
            times = frame_times(made.path, info)
            assert times.pts == made.pts
            assert times.end_pts > times.pts[-1]
            assert times.seconds(times.start_pts) == 0

    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def test_a_span_is_its_frames_and_one_on_either_side(
        self, indexed: list[tuple[MadeVideo, MediaInfo]], data: st.DataObject
    ) -> None:
        made, info = data.draw(st.sampled_from(indexed))
        zero = info.require_video().start_pts
        seconds = [(p - zero) * made.time_base for p in made.pts]
        moments = st.one_of(
            st.sampled_from(seconds), st.fractions(-1, info.duration + 1, max_denominator=10_000), st.none()
        )
        start, end = data.draw(moments), data.draw(moments)
        if start is not None and end is not None and end < start:
            start, end = end, start
        first = 0 if start is None else max(0, sum(s < start for s in seconds) - 1)
        last = len(seconds) if end is None else min(len(seconds), sum(s < end for s in seconds) + 1)
        assert frame_times(made.path, info, start=start, end=end).pts == made.pts[first:last]

    def test_what_lies_before_the_first_key_frame_is_not_promised(self, footage: Path) -> None:
        path = footage / "no-initial-keyframe.ts"
        info = probe(path)
        times = frame_times(path, info)
        assert (len(times.pts), len(times.undecodable)) == (15, 63)
        assert info.warnings == ("63 packets in front of the first decodable frame cannot be shown",)

    def test_empty_packets_hold_the_last_frame_longer(self, footage: Path) -> None:
        path = footage / "tree.avi"
        times = frame_times(path, probe(path))
        assert (len(times.pts), times.pts[-1], times.end_pts) == (68, 443, 444)


def test_a_box_that_claims_to_be_larger_than_any_disk_is_no_error_of_its_own(clip: MadeVideo, tmp_path: Path) -> None:
    """Seeking to its end was an OSError."""
    box = (1).to_bytes(4, "big") + b"free" + (2**64 - 1).to_bytes(8, "big")
    path = tmp_path / "game.mp4"
    path.write_bytes(clip.path.read_bytes() + box)
    assert promised_size(LocalSource(path)) == clip.path.stat().st_size + 2**64 - 1
    path.write_bytes(box * 2)
    with pytest.raises(ProbeError):
        probe(path)


def test_a_header_that_claims_to_be_larger_than_any_disk_is_no_error_of_its_own(
    clip: MadeVideo, tmp_path: Path
) -> None:
    """Seeking to where Matroska's header ends was an OSError."""
    made, path = tmp_path / "made.mkv", tmp_path / "game.mkv"
    run_ffmpeg("-i", str(clip.path), "-c", "copy", str(made))
    data = made.read_bytes()
    path.write_bytes(data[:4] + b"\x01" + b"\xff" * 6 + b"\xfe" + data[5:])
    assert promised_size(LocalSource(path)) is None
    with pytest.raises(ProbeError):
        probe(path)
