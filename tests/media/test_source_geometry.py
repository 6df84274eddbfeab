"""Pictures of every shape: turned, mirrored, with oblong pixels, odd, tiny, huge, and changing on the way.

Every source shows its frame numbers, so that a result proves by itself that it is upright, whole and in order.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import reelproc as rp
from hostile import Outcome, attempt
from media_factory import ROTATIONS, numbered_video, read_number, run_ffmpeg
from reelproc.errors import ProbeError

OWN_SIZE = {"width": None, "height": None}


def size(outcome: Outcome) -> tuple[int, int]:
    assert outcome.result is not None, str(outcome)
    return outcome.result.width, outcome.result.height


def first_picture(path: Path) -> NDArray[np.uint8]:
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="gray")


@pytest.mark.parametrize("hflip", [False, True])
@pytest.mark.parametrize("rotation", ROTATIONS)
def test_a_display_matrix_is_obeyed(rotation: int, hflip: bool, tmp_path: Path) -> None:
    made = numbered_video(
        tmp_path / "a.mp4", frame_count=6, width=96, height=64, rotation=rotation, hflip=hflip, lossless=True
    )
    outcome = attempt(made.path, tmp_path / "out.mp4", **OWN_SIZE)
    assert size(outcome) == (96, 64)
    assert outcome.numbers == list(range(6))
    assert outcome.warnings == ""


def test_a_matrix_of_no_right_angle_is_not_obeyed_and_said(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "a.mp4", frame_count=3, width=96, height=64, rotation=90)
    data = made.path.read_bytes()
    at = data.index(b"tkhd") + 4 + 40  # ISO/IEC 14496-12, 8.3.2: the matrix of a version 0 track header
    turn = b"".join(v.to_bytes(4, "big", signed=True) for v in (46341, 46341, 0, -46341, 46341, 0, 0, 0, 1 << 30))
    made.path.write_bytes(data[:at] + turn + data[at + 36 :])
    outcome = attempt(made.path, tmp_path / "out.mp4", **OWN_SIZE)
    assert size(outcome) == (64, 96)
    assert "no multiple of 90 degrees" in outcome.warnings


@pytest.mark.parametrize(
    ("stored", "ratio", "expected"),
    [
        ((96, 64), Fraction(2), (18, 0)),  # shown as 192x64: bars above
        ((96, 64), Fraction(1, 2), (0, 20)),  # shown as 48x64: bars beside
        ((64, 96), Fraction(4, 3), (0, 16)),
        ((96, 64), Fraction(1281, 1280), (3, 0)),
    ],
)
def test_oblong_pixels_are_made_square(
    stored: tuple[int, int], ratio: Fraction, expected: tuple[int, int], tmp_path: Path
) -> None:
    made = numbered_video(
        tmp_path / "a.mkv", frame_count=4, width=stored[0], height=stored[1], sample_aspect_ratio=ratio
    )
    outcome = attempt(made.path, tmp_path / "out.mp4", width=90, height=66)
    assert outcome.result is not None, str(outcome)
    picture = first_picture(tmp_path / "out.mp4")
    top, left = ((picture.max(axis=axis) > 40).argmax() for axis in (1, 0))
    assert abs(top - expected[0]) <= 1
    assert abs(left - expected[1]) <= 1
    assert read_number(picture[top : 66 - top, left : 90 - left]) == 0


def test_without_a_size_oblong_pixels_stay_and_are_said_to_be_so(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "a.mkv", frame_count=4, width=96, height=64, sample_aspect_ratio=Fraction(4, 3))
    outcome = attempt(made.path, tmp_path / "out.mp4", **OWN_SIZE)
    assert size(outcome) == (96, 64)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(4, 3)


@pytest.mark.parametrize(("width", "height"), [(97, 65), (96, 65), (97, 64)])
def test_odd_sides_are_read_whole_and_written_even(width: int, height: int, tmp_path: Path) -> None:
    made = numbered_video(
        tmp_path / "a.mkv", frame_count=4, width=width, height=height, codec="ffv1", pix_fmt="yuv444p"
    )
    scaled = attempt(made.path, tmp_path / "scaled.mp4", width=120, height=80)
    assert scaled.numbers == list(range(4))
    assert scaled.warnings == ""
    own = attempt(made.path, tmp_path / "own.mp4", **OWN_SIZE)
    assert size(own) == (96, 64)
    assert own.numbers == list(range(4))
    assert "odd side" in own.warnings


@pytest.mark.parametrize(("width", "height"), [(2, 2), (1, 1), (3, 200), (200, 1)])
def test_the_smallest_pictures_are_pictures(width: int, height: int, tmp_path: Path) -> None:
    source = tmp_path / "a.y4m"
    frame = b"FRAME\n" + b"\x80" * (3 * width * height)
    source.write_bytes(f"YUV4MPEG2 W{width} H{height} F30:1 Ip A1:1 C444\n".encode() + 3 * frame)
    outcome = attempt(source, tmp_path / "out.mp4")
    assert outcome.result is not None, str(outcome)
    assert outcome.result.frame_count == 3
    own = attempt(source, tmp_path / "own.mp4", **OWN_SIZE)
    if min(width, height) > 1:
        assert own.result is not None, str(own)
    else:
        assert own.error is not None, "a side of one pixel has no even part"


@pytest.fixture(scope="module")
def growing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A broadcast that switches from 96x64 to 64x96 and then to 192x128, ten frames each."""
    folder = tmp_path_factory.mktemp("growing")
    data = b""
    for place, (width, height) in enumerate([(96, 64), (64, 96), (192, 128)]):
        part = numbered_video(
            folder / f"part{place}.ts", frame_count=10, width=width, height=height, first_number=10 * place, b_frames=0
        )
        shifted = folder / f"shifted{place}.ts"
        run_ffmpeg("-i", str(part.path), "-c", "copy", "-output_ts_offset", f"{place / 3:.6f}", str(shifted))
        data += shifted.read_bytes()
    (folder / "growing.ts").write_bytes(data)
    return folder / "growing.ts"


def test_a_size_that_changes_on_the_way_is_scaled_to_the_first(growing: Path, tmp_path: Path) -> None:
    outcome = attempt(growing, tmp_path / "out.mp4")
    assert outcome.numbers == list(range(30))
    own = attempt(growing, tmp_path / "own.mp4", **OWN_SIZE)
    assert size(own) == (96, 64)
    assert own.numbers == list(range(30))


@pytest.mark.parametrize("backend", ["ffmpeg", "pyav"])
def test_a_seek_behind_the_change_gives_the_first_size_as_well(growing: Path, backend: str) -> None:
    with rp.open_video(growing, backend=backend, pix_fmt="yuv420p", start=0.7) as reader:
        shapes = {(frame.width, frame.height) for frame in reader}
    assert shapes == {(96, 64)}


def test_a_panorama_is_panned_over(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "wide.mp4", frame_count=4, width=6500, height=400, b_frames=0)
    crop = rp.Crop(
        keyframes=[
            rp.CropKeyframe(time=0, x=0, y=0, width=6000, height=400),
            rp.CropKeyframe(time=0.1, x=500.5, y=0, width=6000, height=400),
        ]
    )
    whole = attempt(made.path, tmp_path / "whole.mp4", width=480, height=64)
    assert whole.numbers == list(range(4))
    panned = attempt(made.path, tmp_path / "panned.mp4", stages=(crop,))
    assert panned.result is not None, str(panned)
    assert panned.result.frame_count == 4


@pytest.mark.slow
def test_4k_at_60_becomes_a_small_reel_at_30(tmp_path: Path) -> None:
    made = numbered_video(
        tmp_path / "4k.mp4", frame_count=8, fps=60, width=3840, height=2160, gop_size=4, options={"crf": "30"}
    )
    outcome = attempt(made.path, tmp_path / "out.mp4")
    assert outcome.numbers == [0, 2, 4, 6]
    late = attempt(made.path, tmp_path / "late.mp4", start=0.05, fps=60)
    assert late.numbers == [3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    "picture",
    [(60_000, 60_000), (16_000, 16_000), (20_000, 2), (2, 20_000)],
    ids=lambda p: f"{p[0]}x{p[1]}",
)
def test_an_absurd_size_is_refused_before_memory_is_reserved(picture: tuple[int, int], tmp_path: Path) -> None:
    source = tmp_path / "a.y4m"
    header = f"YUV4MPEG2 W{picture[0]} H{picture[1]} F30:1 Ip A1:1 C420jpeg\n"
    source.write_bytes(header.encode() + b"FRAME\n" + b"\0" * 100_000)
    with pytest.raises(ProbeError):
        rp.probe(source)
    assert isinstance(attempt(source, tmp_path / "out.mp4", on_damage="conceal").error, ProbeError)


def test_a_stream_that_grows_beyond_all_limits_on_the_way_is_an_error(tmp_path: Path) -> None:
    small = numbered_video(tmp_path / "small.ts", frame_count=10, width=96, height=64, b_frames=0)
    run_ffmpeg(
        *("-f", "lavfi", "-i", "color=gray:size=8192x8192:rate=30", "-frames:v", "2", "-c:v", "libx264"),
        *("-preset", "ultrafast", "-output_ts_offset", "0.333333", str(tmp_path / "huge.ts")),
    )
    source = tmp_path / "joined.ts"
    source.write_bytes(small.path.read_bytes() + (tmp_path / "huge.ts").read_bytes())
    outcome = attempt(source, tmp_path / "out.mp4")
    assert outcome.error is not None or outcome.numbers == list(range(10)), str(outcome)
