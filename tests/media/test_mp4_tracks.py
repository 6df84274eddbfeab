"""Edit lists that cannot be followed, and encryption, are refused with a word: neither gives wrong pictures."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import pytest

import reelproc as rp
from broken_media import patched
from media_factory import numbered_video, read_number, run_ffmpeg, tone
from mp4_edits import EMPTY, with_edits
from reelproc.errors import ProbeError
from reelproc.jobs import run_job
from reelproc.media.container.mp4_tracks import Edit, read_tracks
from reelproc.storage.source import LocalSource

DELAY = 2 / 30
"""Of x264's B-frames: so much later than its decoding is the first picture shown."""


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds, ninety frames, with sound."""
    path = tmp_path_factory.mktemp("game") / "game.mp4"
    return numbered_video(path, frame_count=90, width=96, height=64, gop_size=30, sound=tone(3.0)).path


@pytest.fixture(scope="module")
def fragmented(game: Path) -> Path:
    path = game.with_name("fragmented.mp4")
    run_ffmpeg("-i", str(game), "-c", "copy", "-movflags", "frag_keyframe+delay_moov+default_base_moof", str(path))
    return path


def shown(path: Path, backend: str) -> list[int]:
    with rp.open_video(path, backend, pix_fmt="yuv420p") as video:
        return [read_number(frame) for frame in video]


@pytest.mark.parametrize("track", [0, 1])
@pytest.mark.parametrize(
    ("edits", "said"),
    [
        ([(1, 0, 1), (2, 1, 0.5), (1, 2, 1)], "plays 2.000 s at 0.5 times the speed at 1.000 s"),
        ([(0.5, 0, 2), (1, 1, 1)], "plays 0.500 s at 2 times the speed at 0.000 s"),
        ([(1, 1, -1)], "plays 1.000 s at -1 times the speed at 0.000 s"),
        ([(1, 0, 1), (0.5, 1, 0), (1, 1, 1)], "holds one picture for 0.500 s at 1.000 s"),
        ([(1, 0, 1), (0.5, EMPTY, 1), (1, 1, 1)], "shows nothing for 0.500 s at 1.000 s"),
        ([(1, 0, 1), (1, EMPTY, 1)], "shows nothing for 1.000 s at 1.000 s"),
        ([(0.5, EMPTY, 1), (1, 0, 1), (1, 1, 1.5)], "plays 1.000 s at 1.5 times the speed at 1.000 s"),
    ],
)
def test_an_edit_that_is_not_followed_is_refused(
    game: Path, tmp_path: Path, edits: list[tuple[float, float, float]], said: str, track: int
) -> None:
    path = with_edits(game, tmp_path / "a.mp4", edits, track=track)
    with pytest.raises(ProbeError, match=f"edit list of track {track + 1} {said}.*ignore_editlist"):
        rp.probe(path)
    for copy in (True, False):
        with pytest.raises(ProbeError, match=said):
            run_job(rp.ExtractJob(source=path, output=tmp_path / "o.mp4", copy_codec=copy))
    assert not (tmp_path / "o.mp4").exists()


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
@pytest.mark.parametrize(
    ("edits", "numbers"),
    [
        ([(1, DELAY, 1), (1, 2 + DELAY, 1)], [*range(30), *range(60, 90)]),
        ([(1, 2 + DELAY, 1), (1, DELAY, 1)], [*range(60, 90), *range(30)]),
        ([(0.5, EMPTY, 1), (0.5, EMPTY, 0), (1, 1 + DELAY, 1)], list(range(30, 60))),
        ([(1, DELAY, 1), (0, EMPTY, 1), (1, 1 + DELAY, 1)], list(range(60))),
    ],
)
def test_edits_at_the_usual_speed_are_followed(
    game: Path, tmp_path: Path, edits: list[tuple[float, float, float]], numbers: list[int], backend: str
) -> None:
    assert shown(with_edits(game, tmp_path / "a.mp4", edits), backend) == numbers


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
@pytest.mark.parametrize("parts", [[0, 2], [2, 0], [1, 1], [0, 1, 0]])
def test_spans_of_a_film_in_several_parts_are_those_of_the_whole(
    tmp_path: Path, parts: list[int], backend: str
) -> None:
    made = numbered_video(tmp_path / "game.mp4", frame_count=90, width=96, height=64, gop_size=90)
    path = with_edits(made.path, tmp_path / "a.mp4", [(1, second + DELAY, 1) for second in parts])
    with rp.open_video(path, backend, "yuv420p") as video:
        whole, unit = [(frame.pts, read_number(frame)) for frame in video], video.video.time_base
    assert [number for _, number in whole[10:20]] == list(range(30 * parts[0] + 10, 30 * parts[0] + 20))
    for first, last in ((3, 9), (25, 35), (40, 41), (29, 30), (50, len(whole) - 1)):
        start, end = whole[first][0] * unit, whole[last][0] * unit
        with rp.open_video(path, backend, "yuv420p", start=start, end=end) as video:
            assert [(frame.pts, read_number(frame)) for frame in video] == whole[first:last]


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        ([(1, DELAY, 1), (1, 2 + DELAY, 1)], "joins 2 parts of a film in fragments"),
        ([(0, 1 + DELAY, 1)], "hides the first 1.000 s of a film in fragments"),
    ],
)
def test_what_libavformat_does_not_follow_in_fragments_is_refused(
    fragmented: Path, tmp_path: Path, edits: list[tuple[float, float, float]], said: str
) -> None:
    with pytest.raises(ProbeError, match=said):
        rp.probe(with_edits(fragmented, tmp_path / "a.mp4", edits))


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
@pytest.mark.parametrize("edits", [[(0, DELAY, 1)], [(1, EMPTY, 1), (0, DELAY, 1)], [(0, 0, 1)]])
def test_the_usual_edits_in_fragments_pass(
    fragmented: Path, tmp_path: Path, edits: list[tuple[float, float, float]], backend: str
) -> None:
    assert shown(with_edits(fragmented, tmp_path / "a.mp4", edits), backend) == list(range(90))


def test_the_remedy_helps(game: Path, tmp_path: Path) -> None:
    path = with_edits(game, tmp_path / "a.mp4", [(1, DELAY, 1), (0.5, 1, 0), (1, 1, 1)])
    run_ffmpeg("-ignore_editlist", "1", "-i", str(path), "-c", "copy", str(tmp_path / "b.mp4"))
    assert shown(tmp_path / "b.mp4", "pyav") == list(range(90))


def test_edits_are_read_in_both_widths(game: Path, tmp_path: Path) -> None:
    narrow = with_edits(game, tmp_path / "a.mp4", [(1, EMPTY, 1), (2, 0.5, -1.5)])
    assert read_tracks(LocalSource(narrow))[1].edits[1] == Edit(Fraction(2), 7680, Fraction(-3, 2))
    entry = struct.pack(">II", 1 << 24, 1) + struct.pack(">Qqi", 1000, -1, 65536)
    data = bytearray(narrow.read_bytes())
    at = data.index(b"elst")
    data[at + 4 : at + 4 + len(entry)] = entry
    (tmp_path / "b.mp4").write_bytes(data)
    assert [edit.media_time for edit in read_tracks(LocalSource(tmp_path / "b.mp4"))[1].edits] == [-1]


@pytest.mark.footage
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("elst_rate_half.mp4", "plays 2.000 s at 0.5 times the speed at 1.000 s"),
        ("elst_dwell.mp4", "holds one picture for 0.500 s at 1.000 s"),
    ],
)
def test_the_cases_are_refused(assets: Path, name: str, said: str) -> None:
    with pytest.raises(ProbeError, match=said):
        rp.probe(assets / "cases" / name)


# ---- encryption

KEYS = ("-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb", "-encryption_kid", "a7e61c373e219033c21091fa607bf3b8")


@pytest.mark.parametrize("fragments", [(), ("-movflags", "frag_keyframe+empty_moov"), ("-movflags", "dash+delay_moov")])
def test_an_encrypted_file_is_said_to_be(game: Path, tmp_path: Path, fragments: tuple[str, ...]) -> None:
    path = tmp_path / "a.mp4"
    run_ffmpeg("-i", str(game), "-c", "copy", "-encryption_scheme", "cenc-aes-ctr", *KEYS, *fragments, str(path))
    with pytest.raises(ProbeError, match=r"is encrypted \(cenc\); decrypt it first"):
        rp.probe(path)
    for copy in (True, False):
        with pytest.raises(ProbeError, match="is encrypted"):
            run_job(rp.ExtractJob(source=path, output=tmp_path / "o.mp4", copy_codec=copy))


@pytest.mark.parametrize("scheme", [b"cbcs", b"cens"])
def test_a_file_that_would_decode_to_rubbish_is_refused(game: Path, tmp_path: Path, scheme: bytes) -> None:
    """The headers of slices may be clear: decoders do not notice. Here all is, and only the boxes say otherwise."""
    path = tmp_path / "a.mp4"
    run_ffmpeg("-i", str(game), "-c", "copy", "-encryption_scheme", "cenc-aes-ctr", *KEYS, str(path))
    data = bytearray(path.read_bytes())
    at = data.index(b"schm") + 8
    data[at : at + 4] = scheme
    path.write_bytes(data)
    with pytest.raises(ProbeError, match=f"is encrypted .{scheme.decode()}"):
        rp.probe(path)


def test_encrypted_fragments_behind_a_clear_header_are_refused(fragmented: Path, tmp_path: Path) -> None:
    """What is encrypted says so in its fragments alone: some packagers leave the header as it was."""
    path = tmp_path / "a.mp4"
    data = bytearray(fragmented.read_bytes())
    at = data.index(b"moof") - 4
    traf = data.index(b"traf", at) - 4
    senc = struct.pack(">I4sII", 16, b"senc", 0, 0)
    for place in (at, traf):
        data[place : place + 4] = struct.pack(">I", int.from_bytes(data[place : place + 4], "big") + len(senc))
    end = traf + int.from_bytes(data[traf : traf + 4], "big") - len(senc)
    data[end:end] = senc
    path.write_bytes(data)
    with pytest.raises(ProbeError, match=r"is encrypted \(fragments\)"):
        rp.probe(path)


def test_encrypted_matroska_is_said_to_be(tmp_path: Path) -> None:
    """ContentEncodings (RFC 9559, 5.1.4.1.31) with a key's id, put where the track's name was."""
    made = numbered_video(tmp_path / "n.mp4", frame_count=10, width=96, height=64).path
    name = "x" * 60
    run_ffmpeg("-i", str(made), "-c", "copy", "-metadata:s:v", f"title={name}", str(tmp_path / "a.mkv"))
    data = (tmp_path / "a.mkv").read_bytes()

    def element(name: str, content: bytes) -> bytes:
        return bytes.fromhex(name) + bytes([0x80 | len(content)]) + content

    key = element("47e1", b"\x05") + element("47e2", b"0123456789abcdef")  # AES, and which key
    encoding = element("5033", b"\x01") + element("5035", key)  # of the type "encryption"
    encodings = element("6d80", element("6240", encoding))
    old = element("536e", name.encode())
    void = element("ec", b"\0" * (len(old) - len(encodings) - 2))
    assert old in data
    (tmp_path / "b.mkv").write_bytes(data.replace(old, encodings + void, 1))
    with pytest.raises(ProbeError, match="is encrypted"):
        rp.probe(tmp_path / "b.mkv")


def test_a_lie_about_boxes_is_no_crash(game: Path, tmp_path: Path) -> None:
    for name, offset, value in (("elst", 4, b"\xff" * 4), ("elst", -8, b"\0" * 4), ("stsd", 8, b"\xff" * 4)):
        (tmp_path / "a.mp4").write_bytes(patched(game.read_bytes(), name, offset, value))
        assert set(read_tracks(LocalSource(tmp_path / "a.mp4"))) <= {1, 2}


def test_boxes_inside_each_other_without_end_are_no_crash(game: Path, tmp_path: Path) -> None:
    nested = b""
    for _ in range(3000):
        nested = struct.pack(">I4s", len(nested) + 8, b"traf") + nested
    path = tmp_path / "a.mp4"
    path.write_bytes(game.read_bytes() + struct.pack(">I4s", len(nested) + 8, b"moof") + nested)
    assert set(read_tracks(LocalSource(path))) == {1, 2}
    with pytest.raises(ProbeError):
        rp.probe(path)
