"""Clocks of every kind: edit lists, odd starts, missing and lying durations, times that go back, sound of its own time.

Frames show their numbers, so that a result proves which source frame it shows when.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import reelproc as rp
from fuzz.retouch import no_keys
from hostile import attempt
from media_factory import MadeVideo, numbered_video, read_number, run_ffmpeg, tone, with_edit_list
from reelproc.errors import DecodeError, ProbeError, SpecError
from reelproc.jobs import run_job

COUNT = 30


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> MadeVideo:
    """One second, thirty frames, B-frames, no sound."""
    return numbered_video(tmp_path_factory.mktemp("game") / "game.mp4", frame_count=COUNT, width=96, height=64)


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> MadeVideo:
    """The same with a tone over its whole length."""
    path = tmp_path_factory.mktemp("heard") / "heard.mp4"
    return numbered_video(path, frame_count=COUNT, width=96, height=64, sound=tone(1.0))


def remuxed(source: MadeVideo, path: Path, *options: str, before: tuple[str, ...] = ()) -> Path:
    run_ffmpeg(*before, "-i", str(source.path), "-c", "copy", *options, str(path))
    return path


# ---- where time begins


@pytest.mark.parametrize("first", [1, 5, 12, 17, 29])
def test_what_an_edit_list_hides_is_not_shown(game: MadeVideo, first: int, tmp_path: Path) -> None:
    cut = with_edit_list(game, tmp_path / "cut.mp4", first)
    outcome = attempt(cut.path, tmp_path / "out.mp4")
    assert outcome.numbers == list(range(first, COUNT))
    assert outcome.warnings == ""


@pytest.mark.parametrize(
    ("name", "options", "before"),
    [
        ("ts at 100 s", ("-output_ts_offset", "100", "-f", "mpegts"), ()),
        ("ts just before its clock wraps", ("-output_ts_offset", "95442.9", "-f", "mpegts"), ()),
        ("mkv at 5 s", ("-output_ts_offset", "5", "-f", "matroska"), ()),
        ("mp4 with an empty edit", ("-f", "mp4"), ("-itsoffset", "0.5")),
        ("fragments at 7 s", ("-output_ts_offset", "7", "-movflags", "frag_keyframe+empty_moov", "-f", "mp4"), ()),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_time_counts_from_the_first_picture(
    name: str, options: tuple[str, ...], before: tuple[str, ...], game: MadeVideo, tmp_path: Path
) -> None:
    source = remuxed(game, tmp_path / "late", *options, before=before)
    assert attempt(source, tmp_path / "out.mp4").numbers == list(range(COUNT))
    assert attempt(source, tmp_path / "cut.mp4", start=0.5, end=0.7).numbers == list(range(15, 21))


def test_a_recording_that_starts_in_the_middle_of_a_group_says_what_is_missing(footage: Path, tmp_path: Path) -> None:
    outcome = attempt(footage / "no-initial-keyframe.ts", tmp_path / "out.mp4")
    assert outcome.result is not None, str(outcome)
    assert "63 packets in front of the first decodable frame" in outcome.warnings
    assert "its first frame that can be shown is" in outcome.warnings


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_piece_cut_without_encoding_is_read_from_where_it_can_be(codec: str, suffix: str, tmp_path: Path) -> None:
    """Lossless cutters cut open groups: the first pictures refer to what was cut away."""
    names = {"libx264": "x264-params", "libx265": "x265-params"}
    settings = "open-gop=1:keyint=10:min-keyint=10:scenecut=0:bframes=2:log-level=none"
    whole = numbered_video(
        tmp_path / "whole.mp4", frame_count=40, width=96, height=64, codec=codec, options={names[codec]: settings}
    )
    piece = remuxed(whole, tmp_path / f"piece.{suffix}", before=("-ss", "0.5"))
    outcome = attempt(piece, tmp_path / "out.mp4")
    assert outcome.result is not None, str(outcome)
    assert outcome.numbers == list(range(40 - len(outcome.numbers), 40))
    assert len(outcome.numbers) in (25, 30)  # from the cut where an edit list says so, else from its key frame


# ---- where time ends


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("live.mkv", ("-f", "matroska", "-live", "1")),
        ("live.webm", ("-c:v", "libvpx", "-q:v", "1", "-f", "webm", "-live", "1")),
        ("fragments.mp4", ("-movflags", "frag_keyframe+empty_moov")),
        ("a.ts", ()),
        ("a.flv", ()),
        ("a.nut", ()),
    ],
)
def test_a_file_that_does_not_say_how_long_it_is_is_read_to_its_end(
    name: str, options: tuple[str, ...], game: MadeVideo, tmp_path: Path
) -> None:
    source = remuxed(game, tmp_path / name, *options)
    assert float(rp.probe(source).duration) == pytest.approx(1.0, abs=0.04)
    assert attempt(source, tmp_path / "out.mp4").numbers == list(range(COUNT))


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("rate", [1, 1000, Fraction(30000, 1001)])
def test_a_rate_that_the_header_makes_up_changes_nothing(rate: Fraction, suffix: str, tmp_path: Path) -> None:
    """Frames come by their own timestamps: here they hold 25 a second, whatever the encoder was told."""
    made = numbered_video(
        tmp_path / f"a.{suffix}",
        fps=rate,
        pts=[40 * n for n in range(25)],
        time_base=Fraction(1, 1000),
        width=96,
        height=64,
        b_frames=0,
    )
    outcome = attempt(made.path, tmp_path / "out.mp4", fps=25, end=1)
    assert outcome.numbers == list(range(25))


@pytest.mark.parametrize("pts", [[0, 1, 2, 500, 501, 502], [0, 7, 70, 71, 72, 1000, 1001]])
def test_a_variable_rate_is_kept_frame_for_frame_without_a_rate(pts: list[int], tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "a.mkv", pts=pts, width=96, height=64, b_frames=0)
    outcome = attempt(made.path, tmp_path / "out.mkv", fps=None)
    assert outcome.numbers == list(range(len(pts)))
    with av.open(str(tmp_path / "out.mkv")) as container:
        times = [round(float(frame.time) * 1000) for frame in container.decode(video=0)]
    assert times == pts


# ---- times that go back


Muxed = Callable[[list[int]], Path]


@pytest.fixture
def muxed(game: MadeVideo, tmp_path: Path) -> Muxed:
    """Puts intra-coded frames into a Matroska file under the timestamps that are given, in that order."""
    intra = numbered_video(
        tmp_path / "intra.mkv", frame_count=12, width=96, height=64, codec="mjpeg", pix_fmt="yuvj420p"
    )

    def mux(stamps: list[int]) -> Path:
        path = tmp_path / "odd.mkv"
        with av.open(str(intra.path)) as source, av.open(str(path), "w") as out:
            stream = out.add_stream_from_template(source.streams.video[0])
            packets = [p for p in source.demux(video=0) if p.size]
            for packet, stamp in zip(packets, stamps, strict=False):
                packet.stream, packet.time_base = stream, Fraction(1, 1000)
                packet.pts, packet.dts = stamp, packets.index(packet) - len(packets)
                out.mux_one(packet)
        return path

    return mux


def test_frames_stored_out_of_order_are_never_shown_as_if_all_were_well(muxed: Muxed, tmp_path: Path) -> None:
    source = muxed([0, 33, 100, 67, 133, 167, 200, 300, 267, 233, 333, 367])
    strict = attempt(source, tmp_path / "out.mp4")
    assert isinstance(strict.error, DecodeError) or strict.warnings, str(strict)
    kept = attempt(source, tmp_path / "out.mp4", on_damage="conceal")
    assert len(kept.numbers) == 12, str(kept)
    assert kept.warnings
    shown = [n for n in kept.numbers if n is not None]
    assert shown[0] == 0
    assert shown[-1] == 11


def test_frames_with_one_time_are_reported(muxed: Muxed, tmp_path: Path) -> None:
    outcome = attempt(muxed([0, 33, 67, 67, 67, 100, 133, 167, 200, 233, 267, 300]), tmp_path / "out.mp4")
    assert outcome.error is not None or "go back" in outcome.warnings, str(outcome)


@pytest.mark.parametrize("offset", ["0", "0.5", "1.0"])
def test_recordings_joined_end_to_end_lose_nothing_silently(offset: str, game: MadeVideo, tmp_path: Path) -> None:
    """``cat a.ts b.ts``: the second one's clock starts again, and both claim the same times."""
    one = remuxed(game, tmp_path / "one.ts", "-muxdelay", "0")
    other = numbered_video(tmp_path / "other.ts", frame_count=COUNT, first_number=100, width=96, height=64)
    two = remuxed(other, tmp_path / "two.ts", "-muxdelay", "0", "-output_ts_offset", offset)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(one.read_bytes() + two.read_bytes())
    for mode in ("raise", "conceal"):
        outcome = attempt(joined, tmp_path / "out.mp4", on_damage=mode)
        everything = outcome.numbers == [*range(COUNT), *range(100, 100 + COUNT)]
        assert everything or outcome.error or "go back" in outcome.warnings, str(outcome)


def test_a_clock_that_jumps_by_days_is_refused_and_an_end_helps(muxed: Muxed, tmp_path: Path) -> None:
    source = muxed([*(round(1000 * n / 30) for n in range(11)), 10**9])
    outcome = attempt(source, tmp_path / "out.mp4")
    assert isinstance(outcome.error, SpecError)
    assert "timestamps jump" in str(outcome.error)
    assert attempt(source, tmp_path / "out.mp4", end=0.2).numbers == list(range(6))


BARE = {
    "bare.h264": ("-c:v", "copy", "-bsf:v", "h264_mp4toannexb"),
    "bare.mjpeg": ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p"),
    "bare.m2v": ("-c:v", "mpeg2video"),
}


@pytest.mark.parametrize("name", BARE)
def test_a_bare_stream_without_timestamps_is_refused_with_a_remedy(name: str, game: MadeVideo, tmp_path: Path) -> None:
    source = tmp_path / name
    run_ffmpeg("-i", str(game.path), *BARE[name], "-an", str(source))
    outcome = attempt(source, tmp_path / "out.mp4")
    assert isinstance(outcome.error, ProbeError)
    assert "ffmpeg -i IN -c copy" in str(outcome.error)


@pytest.mark.parametrize("end", [1e9, 1e300])
def test_an_end_beyond_all_reason_is_refused_at_once(end: float, game: MadeVideo, tmp_path: Path) -> None:
    outcome = attempt(game.path, tmp_path / "out.mp4", end=end, on_damage="conceal")
    assert isinstance(outcome.error, SpecError)


# ---- sound


def loudness(path: Path, *spans: tuple[float, float]) -> list[float]:
    """The greatest level in each span of seconds of a file's sound."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        pieces = [
            (frame.time, np.abs(frame.to_ndarray()).max(axis=0))
            for frame in container.decode(stream)
            if frame.time is not None
        ]
    times = np.concatenate([time + np.arange(len(level)) / 48_000 for time, level in pieces])
    levels = np.concatenate([level for _, level in pieces])
    return [float(levels[(times >= start) & (times < end)].max()) for start, end in spans]


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_sound_that_starts_later_than_the_picture_stays_later(heard: MadeVideo, suffix: str, tmp_path: Path) -> None:
    source = tmp_path / f"late.{suffix}"
    inputs = ("-i", str(heard.path), "-itsoffset", "0.5", "-i", str(heard.path))
    run_ffmpeg(*inputs, "-map", "0:v", "-map", "1:a", "-c", "copy", str(source))
    outcome = attempt(source, tmp_path / "out.mp4", end=1, audio=True)
    assert outcome.numbers == list(range(COUNT))
    before, after = loudness(tmp_path / "out.mp4", (0.0, 0.45), (0.55, 0.95))
    assert before < 0.02
    assert after > 0.4


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_sound_that_starts_before_the_picture_keeps_its_distance(heard: MadeVideo, suffix: str, tmp_path: Path) -> None:
    source = tmp_path / f"early.{suffix}"
    inputs = ("-itsoffset", "0.6", "-i", str(heard.path), "-i", str(heard.path))
    run_ffmpeg(*inputs, "-map", "0:v", "-map", "1:a", "-c", "copy", str(source))
    outcome = attempt(source, tmp_path / "out.mp4", end=1, audio=True)
    assert outcome.numbers == list(range(COUNT))
    during, behind = loudness(tmp_path / "out.mp4", (0.05, 0.35), (0.45, 0.95))
    assert during > 0.4, "the tone began 0.6 s before the picture: 0.4 s of it are left"
    assert behind < 0.02


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
def test_sound_that_ends_before_the_picture_is_silent_from_there(suffix: str, tmp_path: Path) -> None:
    made = numbered_video(tmp_path / f"a.{suffix}", frame_count=COUNT, width=96, height=64, sound=tone(0.4))
    outcome = attempt(made.path, tmp_path / "out.mp4", audio=True)
    assert outcome.numbers == list(range(COUNT))
    assert outcome.warnings == ""
    during, behind = loudness(tmp_path / "out.mp4", (0.05, 0.35), (0.5, 0.95))
    assert during > 0.4
    assert behind < 0.02
    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.audio[0]
        assert float(stream.duration * stream.time_base) == pytest.approx(1.0, abs=1 / 30)


def test_sound_that_goes_on_behind_the_picture_ends_with_it(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "a.mp4", frame_count=15, width=96, height=64, sound=tone(2.0))
    outcome = attempt(made.path, tmp_path / "out.mp4", audio=True)
    assert outcome.numbers == list(range(15))
    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.audio[0]
        assert float(stream.duration * stream.time_base) == pytest.approx(0.5, abs=1 / 30)


# ---- several streams


def test_of_several_pictures_the_first_is_taken(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "a.mkv", frame_count=6, width=96, height=64, second_size=(192, 128))
    assert rp.probe(made.path).video_stream_count == 2
    assert attempt(made.path, tmp_path / "out.mp4").numbers == list(range(6))


def test_a_cover_in_front_is_no_picture_of_the_film(heard: MadeVideo, tmp_path: Path) -> None:
    source = tmp_path / "covered.mp4"
    cover = tmp_path / "cover.jpg"
    run_ffmpeg("-f", "lavfi", "-i", "color=red:size=300x300", "-frames:v", "1", str(cover))
    inputs = ("-i", str(cover), "-i", str(heard.path), "-map", "0:v", "-map", "1", "-c", "copy")
    run_ffmpeg(*inputs, "-disposition:v:0", "attached_pic", str(source))
    info = rp.probe(source)
    assert (info.video_stream_count, info.require_video().width) == (1, 96)
    assert attempt(source, tmp_path / "out.mp4", audio=True).numbers == list(range(COUNT))


def test_only_a_cover_is_no_video(tmp_path: Path) -> None:
    song = tmp_path / "song.m4a"
    inputs = ("-f", "lavfi", "-i", "color=red:size=64x64", "-f", "lavfi", "-i", "sine=duration=0.5")
    run_ffmpeg(*inputs, "-frames:v", "1", "-c:v", "mjpeg", "-disposition:v", "attached_pic", "-f", "mp4", str(song))
    outcome = attempt(song, tmp_path / "out.mp4")
    assert isinstance(outcome.error, ProbeError)
    assert "no video" in str(outcome.error)


def test_subtitles_chapters_and_data_are_passed_over(heard: MadeVideo, tmp_path: Path) -> None:
    (tmp_path / "s.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n")
    source = tmp_path / "full.mkv"
    inputs = ("-i", str(heard.path), "-i", str(tmp_path / "s.srt"), "-map", "1", "-map", "0", "-c:v", "copy")
    attached = ("-attach", str(tmp_path / "s.srt"), "-metadata:s:t", "mimetype=text/plain")
    run_ffmpeg(*inputs, "-c:a", "copy", *attached, str(source))
    with av.open(str(source)) as container:
        assert [s.type for s in container.streams] == ["subtitle", "video", "audio", "attachment"]
    assert attempt(source, tmp_path / "out.mp4", audio=True).numbers == list(range(COUNT))


def test_of_several_sounds_the_first_is_heard(heard: MadeVideo, tmp_path: Path) -> None:
    source = tmp_path / "two.mkv"
    inputs = ("-i", str(heard.path), "-f", "lavfi", "-i", "anullsrc=duration=1")
    run_ffmpeg(*inputs, "-map", "0:v", "-map", "1:a", "-map", "0:a", "-c:v", "copy", str(source))
    assert rp.probe(source).audio_stream_count == 2
    assert attempt(source, tmp_path / "out.mp4", audio=True).numbers == list(range(COUNT))
    assert loudness(tmp_path / "out.mp4", (0.05, 0.95))[0] < 0.02


def test_the_oracles_order_of_frames_is_kept_by_a_reel(footage: Path, tmp_path: Path) -> None:
    """Two video tracks, variable rate, a turn, and B-frames: the reel has every frame of the first track, once."""
    source = footage / "pixel-motion-photo-2-hevc-tracks.mp4"
    outcome = attempt(source, tmp_path / "out.mkv", fps=None)
    assert outcome.result is not None, str(outcome)
    assert outcome.result.frame_count == 58
    with av.open(str(tmp_path / "out.mkv")) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert all(a < b for a, b in itertools.pairwise(times))


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
@pytest.mark.parametrize(
    ("codec", "b_frames"), [("libx264", 0), ("libx264", 2), ("mpeg4", 2), ("mpeg2video", 2), ("mpeg1video", 2)]
)
def test_every_frame_of_an_avi_comes_at_its_own_time(codec: str, b_frames: int, backend: str, tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "a.avi", frame_count=30, codec=codec, b_frames=b_frames, gop_size=10)

    def read(start: Fraction | None = None, end: Fraction | None = None) -> list[tuple[int, int]]:
        with rp.open_video(made.path, backend, "yuv420p", start=start, end=end) as video:
            frames = [(frame.pts, read_number(frame.planes[0])) for frame in video]
            assert video.damage == ()
        return frames

    whole = read()
    first, start_pts = whole[0][0], rp.probe(made.path).require_video().start_pts
    assert whole == [(first + n, n) for n in range(30)]
    assert first == start_pts
    for number in range(30):
        start = Fraction(first + number - start_pts, 30)
        assert read(start, start + Fraction(1, 60)) == [whole[number]]


PACKED = ("-c:v", "libxvid", "-q:v", "3", "-g", "20", "-bf", "2")  # two pictures in one packet, none in the next
OPEN_GROUPS = ("-c:v", "libx264", "-g", "20", "-bf", "3", "-x264-params", "open-gop=1:scenecut=0:b-pyramid=0")


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
@pytest.mark.parametrize("coded", [PACKED, OPEN_GROUPS], ids=["packed", "open groups"])
def test_frames_of_an_avi_are_counted_from_its_beginning(coded: tuple[str, ...], backend: str, tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "a.mkv", frame_count=100)
    path = tmp_path / "a.avi"
    run_ffmpeg("-i", str(made.path), *coded, str(path))

    def read(start: Fraction | None = None) -> list[tuple[int, int]]:
        with rp.open_video(path, backend, "yuv420p", start=start) as video:
            frames = [(frame.pts, read_number(frame.planes[0])) for frame in video]
            assert video.damage == ()
        return frames

    whole = read()
    count = 98 if coded is PACKED else 100  # libxvid keeps the last two to itself
    assert [number for _, number in whole] == list(range(count))
    late = 2 if coded is PACKED else 0  # ffmpeg leaves two places empty behind the first
    assert [pts - number for pts, number in whole] == [0, *[late] * (count - 1)]
    info = rp.probe(path, exact=True)
    assert info.frame_count == count
    video = info.require_video()
    for place in (1, 18, 19, 20, 21, 22, 41, 63, 90):
        assert read(start=(whole[place][0] - video.start_pts) * video.time_base) == whole[place:]


@pytest.mark.parametrize("b_frames", [0, 2])
def test_an_avi_is_copied_only_where_its_order_is_that_of_display(b_frames: int, tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "a.avi", frame_count=30, b_frames=b_frames, gop_size=10)
    job = rp.ExtractJob(source=made.path, output=tmp_path / "b.mkv", start=0.34, end=0.9, copy_codec=True)
    if b_frames:
        with pytest.raises(SpecError, match="B-frames"):
            run_job(job)
        return
    run_job(job)
    with rp.open_video(tmp_path / "b.mkv", pix_fmt="yuv420p") as video:
        assert [read_number(frame.planes[0]) for frame in video] == list(range(10, 27))
        assert video.damage == ()


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
@pytest.mark.parametrize(
    ("name", "codec", "gop_size", "muxing"),
    [
        ("a.avi", "mpeg4", 30, ()),
        ("a.mp4", "mpeg4", 12, ("-movflags", "frag_keyframe+empty_moov+default_base_moof")),
        ("a.ogv", "libtheora", 64, ()),
    ],
)
def test_spans_are_found_where_no_seek_ends_anywhere(
    name: str, codec: str, gop_size: int, muxing: tuple[str, ...], backend: str, tmp_path: Path
) -> None:
    made = numbered_video(tmp_path / "made.mkv", frame_count=40, width=96, height=64)
    whole, path = tmp_path / f"whole-{name}", tmp_path / name
    run_ffmpeg("-i", str(made.path), "-c:v", codec, "-g", str(gop_size), *muxing, str(whole))
    beheaded = ("-bsf:v", "noise=amount=0:drop=lt(n\\,3)", "-copyinkf")
    run_ffmpeg("-i", str(whole), "-c", "copy", *beheaded, *muxing, str(path))
    with rp.open_video(path, backend, "yuv420p") as video:
        pts, unit, zero = [frame.pts for frame in video], video.video.time_base, video.video.start_pts
    assert len(pts) == 37
    for first, last in ((1, 6), (12, 14), (30, 36)):
        with rp.open_video(
            path, backend, "yuv420p", start=(pts[first] - zero) * unit, end=(pts[last] - zero) * unit
        ) as span:
            assert [frame.pts for frame in span] == pts[first:last]


@pytest.mark.footage
@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
def test_two_frames_with_interchanged_times_are_shown_by_their_times(assets: Path, backend: str) -> None:
    path = assets / "cases" / "h264-mjpeg.mkv"
    with av.open(str(path)) as container:
        plain = [frame.pts for frame in container.decode(video=0)]
    assert plain != sorted(plain)
    with rp.open_video(path, backend, pix_fmt="yuv420p") as video:
        assert [frame.pts for frame in video] == sorted(plain)
        assert video.damage == ()
    assert len(plain) == 60


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
@pytest.mark.parametrize("name", ["a.mkv", "a.webm"])
def test_matroska_that_marks_no_key_frame_is_read(name: str, backend: str, tmp_path: Path) -> None:
    codec = {"a.mkv": "mpeg4", "a.webm": "libvpx-vp9"}[name]
    made = numbered_video(tmp_path / name, frame_count=120, width=96, height=64, codec=codec, gop_size=200)
    no_keys(tmp_path / name)
    with rp.open_video(made.path, backend, "yuv420p") as video:
        assert [read_number(frame) for frame in video] == list(range(120))
    with rp.open_video(made.path, backend, "yuv420p", start=1.0, end=2.0) as video:
        assert [read_number(frame) for frame in video] == list(range(30, 60))
