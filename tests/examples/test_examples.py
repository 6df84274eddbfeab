"""The examples do what they say, run as a newcomer runs them: each in a process of its own, in an empty folder."""

from __future__ import annotations

import ast
import os
import runpy
import subprocess
import sys
from pathlib import Path

import av
import pytest

from media_factory import run_ffmpeg
from reelproc.demo.match import match_tracks
from waiting import LONG

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds of small video with sound."""
    path = tmp_path_factory.mktemp("game") / "game.mp4"
    run_ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30:duration=10", "-f", "lavfi", "-i", "sine=duration=10"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", str(path)),
    )
    return path


def run(script: str, *arguments: str | Path, cwd: Path) -> str:
    """What a script prints; it must succeed, and say nothing on standard error."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
        cwd=cwd,
        env={**os.environ, "REELPROC_HOME": str(cwd / "home")},
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def shape(path: Path) -> tuple[int, int, int, bool]:
    """Frames, width and height of a video, and whether it has sound."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = sum(1 for _ in container.decode(stream))
        return frames, stream.width, stream.height, bool(container.streams.audio)


def test_every_example_is_tested_here_and_says_how_to_run_it() -> None:
    scripts = sorted(p.name for p in EXAMPLES.glob("*.py"))
    source = Path(__file__).read_text()
    for script in scripts:
        assert f'run("{script}"' in source
        assert f"python examples/{script}" in (ast.get_docstring(ast.parse((EXAMPLES / script).read_text())) or "")


def test_the_first_reel_takes_fewer_than_20_lines(tmp_path: Path, game: Path) -> None:
    assert "frame_count=120" in run("first_reel.py", game, cwd=tmp_path)
    assert shape(tmp_path / "first-reel.mp4") == (120, 810, 1440, True)
    assert len((EXAMPLES / "first_reel.py").read_text().splitlines()) < 20


def test_following_a_player_slows_one_second_to_two(tmp_path: Path, game: Path) -> None:
    assert "105 frames" in run("follow_player.py", game, "--out", "out.mp4", cwd=tmp_path)
    assert shape(tmp_path / "out.mp4") == (105, 810, 1440, True)


def test_the_player_who_is_followed_is_the_one_of_the_drawn_match() -> None:
    example = runpy.run_path(str(EXAMPLES / "follow_player.py"))
    match = match_tracks()
    for time, x, y, tall in example["PATH"]:
        seen = min(match.hero, key=lambda s: abs(s.time - example["START"] - time))
        assert abs(x * match.width - seen.x) < 0.5 * seen.height, f"at {time} s he is at x={seen.x / match.width:.3f}"
        assert abs(y * match.height - seen.y) < 0.5 * seen.height, f"at {time} s he is at y={seen.y / match.height:.3f}"
        assert 0.7 < tall * match.height / seen.height < 1.4, f"at {time} s he is {seen.height / match.height:.3f} high"


def test_frames_are_printed_with_their_timestamps_and_one_is_saved(tmp_path: Path, game: Path) -> None:
    printed = run("frames.py", game, "--start", "2.5", "--count", "3", cwd=tmp_path).splitlines()
    assert [line.split()[-2] for line in printed[1:]] == ["2.500000", "2.533333", "2.566667"]
    assert shape(tmp_path / "frame.png")[:3] == (1, 640, 360)


def test_the_backend_finds_its_job_again(tmp_path: Path, game: Path) -> None:
    printed = run("backend_async.py", game, cwd=tmp_path).splitlines()
    assert printed[0].startswith("accepted as render-")
    assert printed[-2].endswith("is complete")
    assert "90 frames" in printed[-1]
    assert shape(tmp_path / "backend-reel.mp4") == (90, 810, 1440, True)


def test_experiments_write_their_reports(tmp_path: Path, game: Path) -> None:
    assert "reelproc pyav" in run("run_experiment.py", "e2", game, cwd=tmp_path)
    assert "one for all" in run("run_experiment.py", "e9", game, cwd=tmp_path)
    assert {p.name for p in (tmp_path / "experiments").glob("*/report.html")} == {"report.html"}


def test_the_experiment_about_framing_compares_two_programs(tmp_path: Path, game: Path) -> None:
    assert "original" in run("run_experiment.py", "e4", game, cwd=tmp_path)
    assert "sound ends at 3.000 s" in (tmp_path / "experiments" / "e4" / "runs.jsonl").read_text()


def test_the_same_job_runs_on_the_executor_that_is_named(tmp_path: Path, game: Path) -> None:
    assert "on local:" in run("swap_executor.py", game, cwd=tmp_path)
    assert shape(tmp_path / "swapped.mp4") == (60, 810, 1440, True)
    assert "on mock:" in run("swap_executor.py", game, "--executor", "mock", "--out", "none.mp4", cwd=tmp_path)
    assert not (tmp_path / "none.mp4").exists()
