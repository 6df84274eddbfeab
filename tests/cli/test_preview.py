"""``reelproc still``, ``sheet`` and ``plan``: real files in, pictures and numbers out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

import reelproc as rp
from media_factory import numbered_video, read_number
from reelproc.cli import app
from reelproc.reel_file import write_reel

Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command in a folder with ``game.mp4`` and ``reel.json``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REELPROC_HOME", str(tmp_path / "home"))
    numbered_video("game.mp4", frame_count=60)
    clips = [rp.Clip(source="game.mp4", start=a, end=b, stages=[rp.Crop(), rp.Upscale(model="lanczos")])
             for a, b in ((0, 1), (1, 2))]  # fmt: skip
    concat = rp.Concat(transition="dissolve", duration=0.5)
    write_reel(rp.Reel(clips=clips, concat=concat, output=rp.Output(width=96, height=128)), "reel.json")
    return lambda *arguments: CliRunner().invoke(app, [str(each) for each in arguments])


def ok(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_still_of_a_reel_and_several_with_their_times_in_their_names(command: Command) -> None:
    assert ok(command("still", "reel.json", "one.png", "--at", "0:00.5")) == "one.png: frame 15, shown from 0.500 s\n"
    with Image.open("one.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (96, 128))
    made = json.loads(ok(command("still", "reel.json", "some.jpg", "--at", "0.2", "--at", "1", "--json")))
    assert [(s["path"], s["index"]) for s in made["stills"]] == [("some-0.2.jpg", 6), ("some-1.jpg", 30)]
    assert Path("some-0.2.jpg").is_file()
    assert Path("some-1.jpg").is_file()


def test_a_thumbnail_of_a_video_is_its_middle_unless_a_time_is_given(command: Command) -> None:
    ok(command("still", "game.mp4", "thumb.png"))
    ok(command("still", "game.mp4", "small.png", "--at", "1.5", "--width", "96"))
    with Image.open("thumb.png") as middle, Image.open("small.png") as later:
        assert read_number(np.asarray(middle.convert("L"))) == 30
        assert later.size == (96, 54)


def test_what_is_no_output_of_its_own_is_left_alone(command: Command) -> None:
    Path("mine.png").write_bytes(b"a picture of mine")
    refused = command("still", "game.mp4", "mine.png")
    assert refused.exit_code == 2
    assert "mine.png is there already" in refused.stderr
    ok(command("still", "game.mp4", "mine.png", "--force"))
    ok(command("still", "game.mp4", "mine.png"))  # its own, made again


def test_a_contact_sheet_of_a_reel_is_made_without_rendering_it(command: Command) -> None:
    made = json.loads(ok(command("sheet", "reel.json", "sheet.png", "--columns", 3, "--tile-width", 96, "--json")))
    assert len(made["times_seconds"]) == 6
    with Image.open("sheet.png") as sheet:
        assert sheet.size == (10 + 3 * 106, 44 + 2 * (128 + 34))
    assert "12 pictures" in ok(command("sheet", "game.mp4", "game.png"))


def test_the_plan_of_a_reel_says_what_it_will_be(command: Command) -> None:
    text = ok(command("plan", "reel.json"))
    assert text.startswith("96x128, 45 frames at 30 per second, 1.500 s; dissolve of 15 frames\n")
    assert "clip 1: 0.500 to 1.500 s, frames 15 to 44: " in text
    assert "crop 82x108 > upscale lanczos 96x128" in text
    made = json.loads(ok(command("plan", "reel.json", "--json")))
    assert (made["frame_count"], made["duration_seconds"], len(made["clips"])) == (45, 1.5, 2)
    assert made["clips"][1]["source_start_seconds"] == 1.0


def test_who_asks_a_video_command_for_a_picture_is_told_of_still(command: Command) -> None:
    for arguments in (("frame", "game.mp4", "thumb.jpg"), ("extract", "game.mp4", "thumb.png", "--end", "1")):
        refused = command(*arguments)
        assert refused.exit_code == 2
        assert "this makes a video; 'reelproc still WHAT" in refused.stderr
        assert "reelproc still" in refused.stderr


def test_a_time_outside_and_an_ending_that_is_none_are_refused(command: Command) -> None:
    beyond = command("still", "reel.json", "one.png", "--at", "9")
    assert beyond.exit_code == 2
    assert "choose a time from 0 to 1.500" in beyond.stderr
    assert command("still", "reel.json", "one.gif").exit_code == 2
    assert command("sheet", "reel.json", "sheet.txt").exit_code == 2
    assert not list(Path().glob("*.png"))


def test_pictures_of_a_reel_come_with_its_plans_warnings(command: Command) -> None:
    key = rp.HighlightKeyframe(time=0, x=5000, y=900, radius_x=20, radius_y=20)
    far = rp.Overlay(regions=[rp.HighlightRegion(start_time=0, end_time=1, keyframes=[key])])
    write_reel(
        rp.Reel(clips=[rp.Clip(source="game.mp4", stages=[far])], output=rp.Output(width=96, height=128)), "far.json"
    )
    (warning,) = rp.plan(rp.read_reel("far.json")).warnings
    for arguments in (
        ("still", "far.json", "far.png", "--at", "1"),
        ("sheet", "far.json", "far-sheet.png"),
        ("plan", "far.json"),
    ):
        done = command(*arguments)
        assert ok(done)
        assert warning in done.stderr
        assert json.loads(ok(command(*arguments, "--json")))["warnings"] == [warning]


def test_another_reel_from_standard_input_is_another_picture(command: Command, tmp_path: Path) -> None:
    def still(text: str) -> Result:
        return CliRunner().invoke(app, ["still", "-", "piped.png"], input=text)

    text = Path("reel.json").read_text()
    ok(still(text))
    ok(still(text))
    refused = still(text.replace('"dissolve"', '"cut"'))
    assert refused.exit_code == 2
    assert "made by another job" in refused.stderr


def test_notebooks_see_tables_and_pictures(command: Command) -> None:
    reel = rp.read_reel("reel.json")
    assert "<td>crop &gt; upscale</td>" in reel._repr_html_()
    assert "Plan: 96x128, 45 frames" in rp.plan(reel)._repr_html_()
    with rp.executor("local") as executor:
        result = executor.submit(rp.RenderJob(reel=reel, output="out.mp4")).result()
    shown = result._repr_html_()
    assert "45 frames at 30 per second" in shown
    assert "<video" in shown
    assert 'src="out.mp4"' in shown
