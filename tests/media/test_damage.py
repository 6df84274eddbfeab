"""Damaged files: the planned result, a typed error, or, concealed, a result of full length that says what it repeats.

Frames show their numbers, so that a result proves which source frame it shows, and that nothing was lost in silence.
"""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

import reelproc as rp
from broken_media import FRAMES, KINDS, MKV_LIES, MP4_LIES, flipped, lying, make_source, with_hole, without_packets
from hostile import Outcome, attempt, nothing_left
from media_factory import damage_packet, numbered_video, run_ffmpeg
from reelproc.errors import DecodeError, ObjectNotFoundError, ProbeError, ReelprocError, SpecError, StorageError
from reelproc.job_context import JobContext
from reelproc.jobs import run_job
from reelproc.machine.memory import MemoryWatch

ALL = list(range(FRAMES))
SILENT_KINDS = ("h264.ts", "annex-b-avc.mkv")
"""Files that promise no length: when one is cut off, nobody can know."""

Source = Callable[[str], bytes]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """The bytes of the whole file of a kind."""
    folder = tmp_path_factory.mktemp("sources")
    known: dict[str, bytes] = {}

    def read(kind: str) -> bytes:
        if kind not in known:
            known[kind] = make_source(kind, folder).read_bytes()
        return known[kind]

    return read


def both(data: bytes, kind: str, folder: Path, *, audio: bool = False) -> tuple[Outcome, Outcome]:
    """What comes of a file that holds ``data``, strictly to its end and concealed to the second it should last."""
    path = folder / f"game.{kind}"
    path.write_bytes(data)
    with nothing_left(folder, "strict.mp4", "concealed.mp4"):
        strict = attempt(path, folder / "strict.mp4")
        concealed = attempt(path, folder / "concealed.mp4", end=1, on_damage="conceal", audio=audio)
    if concealed.result:
        assert len(concealed.numbers) == FRAMES
    return strict, concealed


def assert_honest(outcome: Outcome) -> None:
    """Every frame is the planned one, or an earlier one and something is said."""
    if outcome.error:
        return
    right = outcome.numbers == ALL[: len(outcome.numbers)]
    assert right or outcome.warnings, f"wrong in silence: {outcome}"


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
@pytest.mark.parametrize(("codec", "b_frames"), [("libx264", 0), ("libx264", 2), ("mpeg4", 0)])
@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_a_lost_key_frame_takes_its_group_with_it_from_wherever_one_begins(
    tmp_path: Path, container: str, codec: str, b_frames: int, backend: str
) -> None:
    made = numbered_video(tmp_path / f"a.{container}", frame_count=40, gop_size=10, codec=codec, b_frames=b_frames)
    with rp.open_video(made.path, "pyav", "yuv420p") as video:
        intact = {frame.pts: frame.data for frame in video}
    damage_packet(made, tmp_path / f"b.{container}", 10)
    lost = set(sorted(intact)[10:20])

    def check(first: int, last: int) -> None:
        start, end = (made.times[n] if n < 40 else None for n in (first, last))
        wanted = sorted(intact)[first:last]
        with rp.open_video(tmp_path / f"b.{container}", backend, "yuv420p", start=start, end=end) as video:
            shown = {frame.pts: frame.data for frame in video}
            assert {d.pts for d in video.damage} == lost & set(wanted)
        assert list(shown) == [pts for pts in wanted if pts not in lost], (first, last)
        for pts, data in shown.items():
            assert np.array_equal(data, intact[pts]), (first, last, pts)

    check(0, 40)
    for first in (0, 6, 7, 8, 9, 10, 11, 17, 18, 19, 20, 21):
        for count in (1, 3, 15):
            check(first, first + count)


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_the_first_group_is_lost_with_its_key_frame(tmp_path: Path, codec: str, backend: str) -> None:
    made = numbered_video(tmp_path / "a.mp4", frame_count=30, gop_size=10, codec=codec, b_frames=0)
    damage_packet(made, tmp_path / "b.mp4", 0)
    with rp.open_video(tmp_path / "b.mp4", backend, "yuv420p") as video:
        assert [frame.pts for frame in video] == list(made.pts[10:])
        assert [damage.pts for damage in video.damage] == list(made.pts[:10])


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_nothing_is_made_up_where_a_span_begins_at_a_second_fault(tmp_path: Path, b_frames: int, backend: str) -> None:
    """The first frame that the packets promise does not come, and further back its key frame is lost as well."""
    made = numbered_video(tmp_path / "a.mp4", frame_count=240, gop_size=20, b_frames=b_frames)
    with rp.open_video(made.path, "pyav", "yuv420p") as video:
        intact = {frame.pts: frame.data for frame in video}
    damage_packet(made, tmp_path / "b.mp4", 200)
    damage_packet(replace(made, path=tmp_path / "b.mp4"), tmp_path / "c.mp4", 215)
    lost = set(sorted(intact)[200:220])
    for first in range(198, 222):
        wanted = sorted(intact)[first : first + 3]
        start, end = made.times[first], made.times[first + 3]
        with rp.open_video(tmp_path / "c.mp4", backend, "yuv420p", start=start, end=end) as video:
            shown = {frame.pts: frame.data for frame in video}
            assert {d.pts for d in video.damage} == lost & set(wanted), first
        assert list(shown) == [pts for pts in wanted if pts not in lost], first
        assert all(np.array_equal(data, intact[pts]) for pts, data in shown.items()), first


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
@pytest.mark.parametrize("filling", [b"\xff", b"\0"])
@pytest.mark.parametrize("kind", ["mp4", "mkv"])
def test_what_is_shown_before_a_lost_key_frame_and_refers_to_it_is_lost_too(
    tmp_path: Path, kind: str, filling: bytes, backend: str
) -> None:
    """Of an open group: the decoder makes up its leading pictures, and marks none."""
    options = {"x264-params": "open-gop=1:b-adapt=0"}
    made = numbered_video(tmp_path / f"a.{kind}", frame_count=60, gop_size=12, b_frames=2, options=options)
    with rp.open_video(made.path, "pyav", "yuv420p") as video:
        intact = {frame.pts: frame.data for frame in video}
    order = sorted(intact)
    with av.open(str(made.path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    shown_at = [order.index(packet.pts or 0) for packet in packets]
    lost_key, next_key = [n for n, packet in enumerate(packets) if packet.is_keyframe][2:4]
    leading = [shown for shown in shown_at[lost_key + 1 : lost_key + 4] if shown < shown_at[lost_key]]
    assert leading, "the groups are not open"
    damage_packet(made, tmp_path / f"b.{kind}", lost_key, filling=filling)
    gone = set(order[min(leading) : shown_at[next_key]])
    for first, last in [(0, 60), *((n, n + count) for n in range(min(leading) - 2, 48) for count in (1, 2, 5))]:
        wanted = order[first:last]
        start, end = (made.times[n] if 0 < n < 60 else None for n in (first, last))
        with rp.open_video(tmp_path / f"b.{kind}", backend, "yuv420p", start=start, end=end) as video:
            shown = {frame.pts: frame.data for frame in video}
            assert {d.pts for d in video.damage} == gone & set(wanted), (first, last)
        assert list(shown) == [pts for pts in wanted if pts not in gone], (first, last)
        assert all(np.array_equal(data, intact[pts]) for pts, data in shown.items()), (first, last)


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
def test_a_fault_before_the_span_is_told_where_it_may_leave_traces(tmp_path: Path, backend: str) -> None:
    # the fault lies further behind the first span than a child decodes ahead: what fits into its pipe and its queues
    made = numbered_video(tmp_path / "a.mp4", frame_count=160, gop_size=20, b_frames=0)
    with av.open(str(made.path)) as container:
        packet = next(itertools.islice(container.demux(video=0), 140, None))
        position, size = packet.pos or 0, packet.size
    data = bytearray(made.path.read_bytes())
    data[position + size // 2 : position + size] = bytes(size - size // 2)
    (tmp_path / "b.mp4").write_bytes(data)
    for first, count in ((5, 0), (145, 1)):
        start, end = made.times[first], made.times[first + 3]
        with rp.open_video(tmp_path / "b.mp4", backend, "yuv420p", start=start, end=end) as video:
            assert len(list(video)) == 3
            assert [d.pts for d in video.damage] == [None] * count


@pytest.mark.parametrize("share", range(5, 100, 5))
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_cut_off(kind: str, share: int, source: Source, tmp_path: Path) -> None:
    whole = source(kind)
    strict, concealed = both(whole[: len(whole) * share // 100], kind, tmp_path, audio=share % 15 == 0)
    # AVI has no place for time: what is missing there shifts nothing, but its first frame may be shown twice
    frames = [0, *ALL] if kind.endswith("avi") else ALL
    if strict.result:
        assert len(strict.numbers) <= len(frames)
        assert strict.numbers == frames[: len(strict.numbers)] or strict.warnings or kind in SILENT_KINDS
        assert "cut off" in strict.warnings or kind in SILENT_KINDS
    if concealed.result:
        assert all(n is None or n <= max(ALL) for n in concealed.numbers)
        assert "cut off" in concealed.warnings or "past the end" in concealed.warnings or kind in SILENT_KINDS
    if strict.result:
        assert concealed.result, "what can be read strictly can be concealed"
    if kind == "late-index.mp4" and share <= 80:
        assert isinstance(strict.error, ProbeError)
        assert "cut off" in str(strict.error)


@pytest.mark.parametrize(
    ("name", "share"),
    [
        *(("bikes.mp4", 20), ("bikes.mp4", 80), ("sample_edit_list.mp4", 50), ("bear-vp9-odd-dimensions.webm", 90)),
        *(("annex-b-avc.mkv", 50), ("tree.avi", 20), ("tree.avi", 80), ("fire2.mp4", 50), ("fire2.mp4", 90)),
    ],
)
def test_real_footage_that_is_cut_off(name: str, share: int, footage: Path, tmp_path: Path) -> None:
    whole = (footage / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(whole[: len(whole) * share // 100])
    with nothing_left(tmp_path, "out.mp4"):
        strict = attempt(path, tmp_path / "out.mp4", start=0.2, end=0.6)
        concealed = attempt(path, tmp_path / "out.mp4", start=0.2, end=0.6, on_damage="conceal", audio=True)
    assert concealed.error or len(concealed.numbers) == 12
    assert strict.error or strict.result
    if strict.result:
        assert "cut off" in strict.warnings or name in SILENT_KINDS


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", KINDS)
def test_bits_that_turned_over(kind: str, seed: int, source: Source, tmp_path: Path) -> None:
    """What can be known is told: a decoder that notices nothing (VP9, HEVC, now and then others) leaves no trace."""
    data = flipped(source(kind), f"{kind}.{seed}", (1, 3, 10, 100)[seed])
    strict, concealed = both(data, kind, tmp_path, audio=True)
    if strict.result:
        assert concealed.result, "what can be read strictly can be concealed"


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", KINDS)
def test_a_sector_that_was_never_written(kind: str, seed: int, source: Source, tmp_path: Path) -> None:
    strict, concealed = both(with_hole(source(kind), f"{kind}.{seed}", 512 << seed), kind, tmp_path)
    if kind.startswith(("late", "fast", "frag", "h264")):
        assert_honest(strict)
        assert_honest(concealed)


@pytest.mark.parametrize("place", [4, 10, 29])
@pytest.mark.parametrize("codec", ["libx264", "libx265", "libvpx-vp9"])
def test_a_packet_of_rubbish_is_named_and_repeated(codec: str, place: int, tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "whole.mp4", frame_count=FRAMES, width=96, height=64, gop_size=10, codec=codec)
    path = tmp_path / "game.mp4"
    lost = damage_packet(made, path, place)
    number = made.pts.index(lost)
    with nothing_left(tmp_path, "out.mp4"):
        strict = attempt(path, tmp_path / "out.mp4")
        concealed = attempt(path, tmp_path / "out.mp4", on_damage="conceal")
    assert isinstance(strict.error, DecodeError), str(strict)
    assert len(concealed.numbers) == FRAMES
    assert f"{float(made.times[number]):.3f}" in concealed.warnings
    key, following = number // 10 * 10, (number // 10 + 1) * 10
    assert concealed.numbers[:key] == ALL[:key], "up to its group of pictures, all is well"
    assert concealed.numbers[following:] == ALL[following:], "and from the next one on"


def test_a_first_key_frame_of_rubbish_is_a_recording_that_starts_in_the_middle(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "whole.mp4", frame_count=FRAMES, width=96, height=64, gop_size=10)
    path = tmp_path / "game.mp4"
    damage_packet(made, path, 0)
    outcome = attempt(path, tmp_path / "out.mp4")
    assert outcome.numbers == [10] * 10 + ALL[10:]
    assert "10 packets in front of the first decodable frame" in outcome.warnings


@pytest.mark.parametrize("place", [4, 10, 15])
def test_a_broken_structure_hides_frames_and_is_reported(place: int, tmp_path: Path) -> None:
    """In Matroska, what lies behind a broken element is lost up to the next cluster, as if it had never been there."""
    made = numbered_video(tmp_path / "whole.mkv", frame_count=FRAMES, width=96, height=64, gop_size=10)
    path = tmp_path / "game.mkv"
    with av.open(str(made.path)) as container:
        packet = next(itertools.islice(container.demux(video=0), place, None))
        head, size = packet.pos or 0, packet.size
    data = bytearray(made.path.read_bytes())
    data[head : head + size] = b"\xff" * size  # with the head of its block
    path.write_bytes(data)
    for mode in ("raise", "conceal"):
        outcome = attempt(path, tmp_path / "out.mp4", on_damage=mode)
        assert outcome.numbers != ALL
        assert outcome.error or "is damaged" in outcome.warnings


def test_frames_that_are_decoded_with_errors_are_counted(source: Source, tmp_path: Path) -> None:
    path = tmp_path / "game.mp4"
    data = source("late-index.mp4")
    told = wrong = 0
    for seed in range(6):
        path.write_bytes(flipped(data[:20_000], str(seed), 3) + data[20_000:])
        outcome = attempt(path, tmp_path / "out.mp4", on_damage="conceal")
        if outcome.numbers != ALL:
            wrong += 1
            told += "is damaged" in outcome.warnings or "could not be decoded" in outcome.warnings
    assert wrong >= 3
    assert told == wrong


def test_damage_in_a_part_that_could_be_copied_is_not_copied(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "whole.mp4", frame_count=60, width=96, height=64, gop_size=10)
    path = tmp_path / "game.mp4"
    damage_packet(made, path, 35)
    region = rp.HighlightRegion(
        start_time=0, end_time=0.2, keyframes=[rp.HighlightKeyframe(time=0, x=48, y=32, radius_x=9, radius_y=9)]
    )
    settings = {"width": None, "height": None, "fps": None, "preset": None, "crf": None}
    stages = (rp.Overlay(regions=[region]),)
    strict = attempt(path, tmp_path / "out.mp4", stages=stages, **settings)
    assert isinstance(strict.error, DecodeError), str(strict)
    concealed = attempt(path, tmp_path / "out.mp4", stages=stages, on_damage="conceal", **settings)
    assert len(concealed.numbers) == 60
    assert "could not be decoded" in concealed.warnings


# ---- sound


def test_sound_that_cannot_be_decoded_is_an_error_or_a_reported_silence(tmp_path: Path) -> None:
    whole = make_source("faststart.mp4", tmp_path)
    path = tmp_path / "game.mp4"
    path.write_bytes(without_packets(whole, "audio"))
    strict = attempt(path, tmp_path / "out.mp4", audio=True)
    assert isinstance(strict.error, DecodeError), str(strict)
    assert "audio=False" in str(strict.error)
    concealed = attempt(path, tmp_path / "out.mp4", audio=True, on_damage="conceal")
    assert concealed.numbers == ALL
    assert "packets of sound" in concealed.warnings
    assert attempt(path, tmp_path / "out.mp4", audio=False).numbers == ALL


def test_pictures_of_which_none_can_be_decoded_are_an_error_either_way(tmp_path: Path) -> None:
    whole = make_source("faststart.mp4", tmp_path)
    path = tmp_path / "game.mp4"
    path.write_bytes(without_packets(whole, "video"))
    for mode in ("raise", "conceal"):
        assert isinstance(attempt(path, tmp_path / "out.mp4", on_damage=mode).error, ProbeError)


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    song = tmp_path / "song.mp4"
    run_ffmpeg("-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac", str(song))
    assert rp.probe(song).video is None
    with pytest.raises(ProbeError, match="no video"), rp.open_video(song) as reader:
        list(reader)
    outcome = attempt(song, tmp_path / "out.mp4")
    assert isinstance(outcome.error, ProbeError)
    assert "no video" in str(outcome.error)


# ---- what is no video at all

NOT_VIDEOS = {
    "zero bytes": b"\0" * 100_000,
    "a single byte": b"\0",
    "text": b"hello\n" * 1000,
    "JSON": b'{"version": 1, "clips": []}',
    "a web page": b"<!DOCTYPE html><html><body>404 not found</body></html>",
    "an archive": b"PK\x03\x04" + b"\0" * 1000,
    "a program": b"\x7fELF\x02\x01\x01" + b"\0" * 5000,
    "a picture": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\2\0\0\0" + b"\0" * 100,
    "a picture of absurd size": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\2\0\0\0"
    + b"\0" * 100,
    "a film's first words": b"\0\0\0\x18ftypisom\0\0\2\0isomiso2",
    "an animation of absurd size": b"GIF89a"
    + b"\xff" * 4
    + b"\x80"
    + b"\0" * 8
    + b","
    + b"\0" * 4
    + b"\xff" * 4
    + b"\0\2;",
    "noise": bytes((n * 7919 >> 3) & 255 for n in range(50_000)),
    "an MP3 header over and over": b"ID3\x03\0\0\0\0\0\x21" + b"\xff\xfb\x90\0" * 400,
    "an empty Matroska": b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff",
    "nested boxes": b"".join((8 * n).to_bytes(4, "big") + b"moov" for n in range(2000, 0, -1)),
}


@pytest.mark.parametrize("suffix", [".mp4", ".ts"])
@pytest.mark.parametrize("what", NOT_VIDEOS)
def test_what_is_no_video_is_refused(what: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"game{suffix}"
    path.write_bytes(NOT_VIDEOS[what])
    with nothing_left(tmp_path):
        with pytest.raises(ProbeError, match="game"):
            rp.probe(path).require_video()
        with pytest.raises(ProbeError):
            list(rp.open_video(path))
        assert isinstance(attempt(path, tmp_path / "out.mp4", on_damage="conceal").error, ProbeError)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "folder.mp4").mkdir()
    os.mkfifo(tmp_path / "fifo.mp4")
    (tmp_path / "dangling.mp4").symlink_to("nowhere")
    (tmp_path / "loop.mp4").symlink_to("loop.mp4")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.mp4"))
        names = [*("empty", "folder", "fifo", "dangling", "loop", "socket", "missing", "folder.mp4/x", "x" * 300)]
        paths = [*(tmp_path / f"{name}.mp4" for name in names), Path("/dev/zero"), Path("/dev/null"), Path("/")]
        with nothing_left(tmp_path):
            for path in paths:
                for act in (rp.probe, lambda p: list(rp.open_video(p))):
                    with pytest.raises((ProbeError, StorageError)):
                        act(path)
                outcome = attempt(path, tmp_path / "out.mp4", on_damage="conceal")
                assert isinstance(outcome.error, (ProbeError, StorageError)), path
        assert isinstance(attempt(tmp_path / "missing.mp4", tmp_path / "out.mp4").error, ObjectNotFoundError)


# ---- headers that lie


@pytest.mark.parametrize(
    ("kind", "lie"), [*(("mp4", lie) for lie in MP4_LIES), *(("mkv", lie) for lie in MKV_LIES)], ids=lambda v: v
)
def test_a_header_that_lies_takes_neither_memory_nor_time(kind: str, lie: str, source: Source, tmp_path: Path) -> None:
    data = lying(kind, lie, source("late-index.mp4" if kind == "mp4" else "h264.mkv"))
    with MemoryWatch() as before:  # what the test run and the servers of other tests take already
        pass
    for outcome in both(data, f"lie.{kind}", tmp_path):
        if outcome.result:
            assert outcome.result.frame_count <= 1000
            assert outcome.result.peak_memory_bytes - before.peak_bytes < 1 << 29
        else:
            assert isinstance(outcome.error, (ProbeError, DecodeError, SpecError))


def test_a_length_that_is_promised_and_not_there_is_said(tmp_path: Path) -> None:
    """AVI states its number of frames; the packets are what counts."""
    whole = numbered_video(tmp_path / "whole.avi", frame_count=60, width=96, height=64, codec="mpeg4", b_frames=0)
    data = whole.path.read_bytes()
    at = data.index(b"strh") + 8 + 32  # AVISTREAMHEADER.dwLength
    path = tmp_path / "game.avi"
    path.write_bytes(data[:at] + (3000).to_bytes(4, "little") + data[at + 4 :])
    outcome = attempt(path, tmp_path / "out.mp4")
    assert outcome.numbers == list(range(60))
    assert float(rp.probe(path).duration) == pytest.approx(2.0, abs=0.04)


def test_a_source_that_is_replaced_between_looking_and_reading_is_an_error(tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "game.mp4", frame_count=10, width=96, height=64).path
    info = rp.probe(path)
    path.write_bytes(b"no video any more" * 100)
    for backend in ("ffmpeg", "pyav"):
        with pytest.raises(ReelprocError) as caught, rp.open_video(path, backend=backend, info=info) as reader:
            list(reader)
        assert isinstance(caught.value, (ProbeError, DecodeError))


@pytest.mark.parametrize("lost", [3, 7])
def test_a_frame_that_the_plan_does_not_show_stands_in_for_lost_ones(tmp_path: Path, lost: int) -> None:
    """Of 60 frames a second, 30 are shown; what stands in need not be one of them, nor lie where they are cropped."""
    made = numbered_video(tmp_path / "a.mp4", frame_count=60, fps=60, width=640, height=360, gop_size=1, b_frames=0)
    data = bytearray(made.path.read_bytes())
    with av.open(str(made.path)) as container:
        for packet in itertools.islice(container.demux(video=0), 16, 16 + lost):
            data[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    made.path.write_bytes(data)
    for start in (0.0, 7.3, 14.6, 21.9):
        path = [
            rp.CropKeyframe(time=time, x=x, y=50, width=90, height=160)
            for time, x in ((0, start), ((540 - start) / 900, 540))
        ]
        clip = rp.Clip(source=made.path, start=16 / 60, stages=[rp.Crop(keyframes=path)])
        reel = rp.Reel(clips=[clip], output=rp.Output(width=90, height=160, fps=30, audio=False))
        result = run_job(rp.RenderJob(reel=reel, output=tmp_path / "o.mp4", on_damage="conceal"), JobContext())
        assert result.frame_count == 22
        assert "could not be decoded and show the last good one instead" in result.warnings[0]
