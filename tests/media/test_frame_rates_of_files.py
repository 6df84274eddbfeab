"""Clocks in the codec's header that are not the rate, in containers that say neither rates nor lengths."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner

import reelproc as rp
from hostile import attempt
from media_factory import MadeVideo, numbered_video, run_ffmpeg
from reelproc.cli import app
from reelproc.media.packets.frame_times import frame_times

pytestmark = pytest.mark.timeout(120)

COUNT = 60
Game = Callable[[int], MadeVideo]


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Game:
    """Two seconds, thirty frames each, by the number of B-frames in a row."""
    folder = tmp_path_factory.mktemp("game")
    made = {
        b_frames: numbered_video(folder / f"{b_frames}.mp4", frame_count=COUNT, width=96, height=64, b_frames=b_frames)
        for b_frames in (0, 2)
    }
    return lambda b_frames: made[b_frames]


def with_clock(source: MadeVideo, path: Path, ticks: str) -> Path:
    """Have the codec's header count ``ticks`` fields a second, and not say that the rate is constant."""
    clock = f"h264_metadata=tick_rate={ticks}:fixed_frame_rate_flag=0"
    run_ffmpeg("-i", str(source.path), "-c", "copy", "-bsf:v", clock, str(path))
    return path


@pytest.mark.parametrize("ending", ["ts", "m2ts", "flv", "mkv"])
@pytest.mark.parametrize("ticks", ["60", "120", "240", "600", "1000", "1200", "90000", "10000000/333"])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_the_clock_of_a_header_is_no_rate(b_frames: int, ticks: str, ending: str, game: Game, tmp_path: Path) -> None:
    path = with_clock(game(b_frames), tmp_path / f"a.{ending}", ticks)
    info = rp.probe(path)
    assert info.require_video().average_rate == 30
    assert abs(info.duration - 2) <= Fraction(1, 1000)
    for start in (None, Fraction(1)):
        times = frame_times(path, info, start=start)
        assert times.seconds(times.end_pts) == info.duration
    clip = rp.Clip(source=str(path))
    assert rp.plan(rp.Reel(clips=[clip], output=rp.Output(fps=30))).frame_count == COUNT


def test_a_reel_of_such_a_file_has_its_last_frame(game: Game, tmp_path: Path) -> None:
    path = with_clock(game(2), tmp_path / "a.ts", "1200")
    outcome = attempt(path, tmp_path / "out.mp4")
    assert (outcome.numbers, outcome.warnings) == (list(range(COUNT)), "")


@pytest.mark.parametrize("stated", [1, 600, 1000])
def test_a_length_that_matroska_makes_up_is_no_length(stated: int, tmp_path: Path) -> None:
    """Its muxer states the rate that it was told as every frame's length."""
    pts = [round(n * Fraction(1001, 30)) for n in range(400)]
    made = numbered_video(
        tmp_path / "a.mkv", fps=stated, pts=pts, time_base=Fraction(1, 1000), width=96, height=64, b_frames=0
    )
    info = rp.probe(made.path)
    assert info.require_video().average_rate == Fraction(30000, 1001)
    assert info.duration == Fraction(pts[-1] + 33, 1000)


@pytest.mark.parametrize("ending", ["ts", "flv", "mkv"])
def test_a_variable_rate_stays_variable(ending: str, tmp_path: Path) -> None:
    pts = [0, 33, 66, 100, 200, 233, 266, 500, 533, 566, 700, 733]
    made = numbered_video(tmp_path / "a.mkv", pts=pts, time_base=Fraction(1, 1000), width=96, height=64, b_frames=0)
    path = tmp_path / f"copy.{ending}"
    run_ffmpeg("-i", str(made.path), "-c", "copy", str(path))
    info = rp.probe(path)
    times = frame_times(path, info)
    assert [times.seconds(each) for each in times.pts] == [Fraction(each, 1000) for each in pts]
    assert times.seconds(times.end_pts) == Fraction(766, 1000)
    assert info.duration == Fraction(766, 1000)


@pytest.mark.footage
@pytest.mark.parametrize(
    ("name", "rate", "count", "seconds"),
    [
        ("sample_vui_600.mkv", Fraction(30000, 1001), 30, Fraction(1001, 1000)),
        ("h264_vui_600.ts", Fraction(30), 120, Fraction(4)),
    ],
)
def test_files_with_the_clock_of_quicktime(
    name: str, rate: Fraction, count: int, seconds: Fraction, assets: Path, tmp_path: Path
) -> None:
    path = assets / "cases" / name
    info = rp.probe(path)
    assert (info.require_video().average_rate, info.duration) == (rate, seconds)
    arguments = ["concat", path, path, tmp_path / "out.mp4", "--json"]
    said = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)["frame_count"] == 2 * count
    made = rp.probe(tmp_path / "out.mp4", exact=True)
    assert (made.frame_count, made.require_video().average_rate, made.duration) == (2 * count, rate, 2 * count / rate)
