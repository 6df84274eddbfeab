"""``reelproc reel from-tsv`` and ``reelproc simulate``, as a newcomer types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import reelproc as rp
from media_factory import numbered_video
from reelproc.cli import app

Command = Callable[..., Result]
TABLE = (
    "start_time\trating\ttags\tclip_name\tclip_duration\tnotes\n"
    "0:00\t4\tControl,Pass\tGreat Control Pass\t0.5\tfirst touch\n"
    "0:01\t5\tDribble\t\t0.5\t\n"
)


@pytest.fixture
def reelproc_command() -> Command:
    """Runs the command line in this process."""
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def game(tmp_path: Path) -> Path:
    (tmp_path / "game.tsv").write_text(TABLE)
    (tmp_path / "films").mkdir()
    return numbered_video(tmp_path / "films" / "game.mp4", frame_count=60, width=320, height=180).path


def test_a_table_becomes_a_reel_that_can_be_rendered(
    reelproc_command: Command, game: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reels").mkdir()
    table, out = "game.tsv", "reels/game.json"
    said = reelproc_command("reel", "from-tsv", game.relative_to(tmp_path), table, "--out", out)
    assert said.exit_code == 0, said.output
    assert (
        said.output == "reels/game.json: 2 clips, 1 s; make the video with: reelproc render reels/game.json OUT.mp4\n"
    )
    assert json.loads((tmp_path / out).read_text())["clips"][0]["source"] == f"../films/{game.name}"
    shown = reelproc_command("render", out, "game.mp4", "--json")
    assert shown.exit_code == 0, shown.output
    info = rp.probe(tmp_path / "game.mp4", exact=True)
    assert (info.frame_count, info.require_video().width) == (30, 320)


def test_without_a_file_the_reel_is_printed(reelproc_command: Command, tmp_path: Path) -> None:
    (tmp_path / "game.tsv").write_text(TABLE)
    for more in ([], ["--json"]):
        said = reelproc_command("reel", "from-tsv", "game.mp4", tmp_path / "game.tsv", *more)
        reel = rp.Reel.model_validate_json(said.stdout)
        assert [clip.source for clip in reel.clips] == ["game.mp4"] * 2
        assert [clip.stages[0].title for clip in reel.clips] == [  # type: ignore[union-attr]
            "!  Great Control Pass",
            "!!  Brilliant Dribble",
        ]


def test_size_rate_and_banners_can_be_chosen(reelproc_command: Command, tmp_path: Path) -> None:
    (tmp_path / "game.tsv").write_text(TABLE)
    options = ("--size", "810x1440", "--fps", "30000/1001", "--no-banner")
    said = reelproc_command("reel", "from-tsv", "game.mp4", tmp_path / "game.tsv", *options)
    reel = rp.Reel.model_validate_json(said.stdout)
    assert (reel.output.width, reel.output.height, str(reel.output.fps)) == (810, 1440, "30000/1001")
    assert not any(clip.stages for clip in reel.clips)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (TABLE.replace("\t5\t", "\t9\t"), "line 3, column rating: a rating is a whole number from 1 to 5, got '9'"),
        ("a\tb\n", "the header has the unknown column 'a', 'b'"),
    ],
)
def test_what_is_wrong_with_a_table_is_bad_input(
    reelproc_command: Command, tmp_path: Path, table: str, message: str
) -> None:
    (tmp_path / "game.tsv").write_text(table)
    said = reelproc_command("reel", "from-tsv", "game.mp4", tmp_path / "game.tsv", "--out", tmp_path / "reel.json")
    assert said.exit_code == 2
    assert message in said.output
    assert "Traceback" not in said.output
    assert not (tmp_path / "reel.json").exists()


def test_a_table_that_is_not_there_is_an_error(reelproc_command: Command, tmp_path: Path) -> None:
    said = reelproc_command("reel", "from-tsv", "game.mp4", tmp_path / "none.tsv", "--json")
    assert said.exit_code == 2
    assert json.loads(said.stdout)["error"]["type"] == "ObjectNotFoundError"


def test_the_simulation_says_that_it_is_one(reelproc_command: Command, tmp_path: Path) -> None:
    said = reelproc_command("simulate", "--out", tmp_path / "s", "--jobs", "200")
    assert said.exit_code == 0, said.output
    assert said.output.startswith("SIMULATION: nothing on this page was measured")
    assert "overlay, all 90 s, 2 cores: recorded over 600 s" in said.output
    assert (tmp_path / "s" / "simulation.md").exists()
    shown = reelproc_command("simulate", "--out", tmp_path / "s", "--jobs", "200", "--json")
    assert json.loads(shown.stdout)["label"].startswith("SIMULATION")


def test_a_simulation_at_an_unknown_price_is_bad_input(reelproc_command: Command, tmp_path: Path) -> None:
    said = reelproc_command("simulate", "--out", tmp_path / "s", "--executor", "abacus")
    assert said.exit_code == 2
    assert "no price is known of 'abacus'" in said.output
