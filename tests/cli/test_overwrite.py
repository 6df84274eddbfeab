"""No file of the user's is replaced without --force; a command's own result, as it left it, is none."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

import reelproc as rp
from reelproc.cli import app
from reelproc.cli.commands import COMMANDS
from reelproc.cli.overwrite import OutputExistsError, job_of, writing

Command = Callable[..., Result]
TABLE = "start_time\trating\ttags\tclip_name\tclip_duration\n0:01\t5\tgoal\tThe goal\t2\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REELPROC_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def command() -> Command:
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, [str(a) for a in arguments])


def write(path: Path, text: str = "result", *, job: str = "a", force: bool = False) -> None:
    with writing(path, job=job, force=force):
        path.write_text(text)


def test_the_same_job_replaces_its_own_result(tmp_path: Path) -> None:
    write(tmp_path / "out.mp4", "first")
    write(tmp_path / "out.mp4", "second")
    assert (tmp_path / "out.mp4").read_text() == "second"


def test_what_reelproc_did_not_write_is_the_users(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    out.write_text("mine")
    with pytest.raises(OutputExistsError, match="is there already: choose another name, or replace it with --force"):
        write(out)
    assert out.read_text() == "mine"
    write(out, force=True)
    assert out.read_text() == "result"
    write(out, "again")
    assert out.read_text() == "again"


def test_a_result_that_was_changed_since_is_the_users(tmp_path: Path) -> None:
    out = tmp_path / "reel.json"
    write(out)
    out.write_text("edited")
    with pytest.raises(OutputExistsError, match="changed since reelproc wrote it"):
        write(out)
    assert out.read_text() == "edited"


def test_a_large_result_that_was_changed_since_is_known_by_its_size_and_time(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    write(out, "x" * (2 << 20))
    write(out, "x" * (2 << 20))
    status = out.stat()
    os.utime(out, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    with pytest.raises(OutputExistsError, match="changed since"):
        write(out)


def test_a_small_result_that_was_only_touched_is_still_the_same(tmp_path: Path) -> None:
    out = tmp_path / "reel.json"
    write(out)
    os.utime(out, (1, 1))
    write(out, "again")
    assert out.read_text() == "again"


def test_the_result_of_another_job_is_the_users(tmp_path: Path) -> None:
    write(tmp_path / "out.mp4", job="a")
    with pytest.raises(OutputExistsError, match="made by another job"):
        write(tmp_path / "out.mp4", job="b")


def test_a_result_moved_elsewhere_is_the_users(tmp_path: Path) -> None:
    write(tmp_path / "out.mp4")
    (tmp_path / "out.mp4").rename(tmp_path / "kept.mp4")
    with pytest.raises(OutputExistsError, match=r"kept\.mp4 is there already:"):
        write(tmp_path / "kept.mp4")


def test_it_is_the_same_file_by_another_way_to_write_it(tmp_path: Path) -> None:
    write(tmp_path / "out.mp4")
    with writing("./out.mp4", job="a", force=False):
        pass
    (tmp_path / "link").symlink_to(tmp_path)
    write(tmp_path / "link" / "out.mp4", "again")
    assert (tmp_path / "out.mp4").read_text() == "again"


def test_a_link_to_nothing_is_the_users(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").symlink_to(tmp_path / "nowhere.mp4")
    with pytest.raises(OutputExistsError, match="is there already"):
        write(tmp_path / "out.mp4")


def test_nothing_is_noted_of_what_failed(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    with pytest.raises(ZeroDivisionError), writing(out, job="a", force=False):
        out.write_text("by somebody else")
        _ = 1 / 0
    with pytest.raises(OutputExistsError):
        write(out)


def test_where_nothing_can_be_noted_the_work_is_done_all_the_same(tmp_path: Path, home: Path) -> None:
    home.write_text("a file where the folder should be")
    write(tmp_path / "out.mp4")
    assert (tmp_path / "out.mp4").read_text() == "result"
    with pytest.raises(OutputExistsError):
        write(tmp_path / "out.mp4")


def test_a_job_is_another_one_when_its_input_changes(tmp_path: Path) -> None:
    table = tmp_path / "table.tsv"
    table.write_text("one")
    before = job_of("reel from-tsv", table, size=None)
    assert job_of("reel from-tsv", table, size=None) == before
    assert job_of("reel from-tsv", table, size=(2, 2)) != before
    table.write_text("two")
    assert job_of("reel from-tsv", table, size=None) != before
    table.unlink()
    assert job_of("reel from-tsv", table, size=None) == job_of("reel from-tsv", table, size=None)


def test_standard_input_is_another_one_each_time() -> None:
    assert job_of("still", "-") != job_of("still", "-")


def test_from_tsv_does_not_replace_an_edited_reel(command: Command, tmp_path: Path) -> None:
    (tmp_path / "moments.tsv").write_text(TABLE)
    arguments = ("reel", "from-tsv", "game.mp4", "moments.tsv", "--out", "reel.json")
    assert command(*arguments).exit_code == 0
    assert command(*arguments).exit_code == 0
    (tmp_path / "reel.json").write_text("edited")
    ran = command(*arguments, "--json")
    assert ran.exit_code == 2
    error = json.loads(ran.stdout)["error"]
    assert error["type"] == "OutputExistsError"
    assert "--force" in error["message"]
    assert (tmp_path / "reel.json").read_text() == "edited"
    assert command(*arguments, "--force").exit_code == 0
    assert rp.read_reel("reel.json").clips


DEMO_FILES = ("match.mp4", "reel.json", "reel.mp4", "contact-sheet.png")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that demos were drawn in, without drawing."""
    import reelproc.demo.run

    folders: list[Path] = []

    def make(folder: str, **_: object) -> Any:
        folders.append(Path(folder))
        Path(folder).mkdir(exist_ok=True)
        match, reel_json, reel, sheet = (Path(folder) / name for name in DEMO_FILES)
        for path in (match, reel_json, reel, sheet):
            path.write_text(path.name)
        render = rp.RenderResult(output=str(reel), frame_count=1, duration_seconds=1, fps="30", width=2, height=2)
        return reelproc.demo.run.DemoResult(
            folder=folder, match=str(match), reel_json=str(reel_json), reel=str(reel), sheet=str(sheet),
            render=render, seconds={},
        )  # fmt: skip

    monkeypatch.setattr(reelproc.demo.run, "make_demo", make)
    return folders


def test_a_demo_runs_again_in_its_own_folder(command: Command, drawn: list[Path]) -> None:
    assert command("demo", "--out", "demo").exit_code == 0
    assert command("demo", "--out", "demo").exit_code == 0
    assert len(drawn) == 2


def test_a_demo_that_was_interrupted_runs_again(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files are there one by one; what was not told as written is the user's."""
    import reelproc.demo.run

    def make(folder: str, *, wrote: Callable[[Path], None], **_: object) -> Any:
        match = Path(folder, "match.mp4")
        match.parent.mkdir(exist_ok=True)
        match.write_bytes(os.urandom(16))
        wrote(match)
        raise KeyboardInterrupt

    monkeypatch.setattr(reelproc.demo.run, "make_demo", make)
    for _ in range(3):
        assert command("demo", "--out", "demo").exit_code == 130
    Path("demo/match.mp4").write_text("edited")
    assert command("demo", "--out", "demo").exit_code == 2


def test_a_demo_tells_of_each_file_when_it_is_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import reelproc.demo.run

    def stop(*_: object, **__: object) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(reelproc.demo.run, "executor", stop)
    told: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        reelproc.demo.run.make_demo(tmp_path, wrote=lambda path: told.append(f"{path.name} {path.is_file()}"))
    assert told == ["match.mp4 True", "reel.json True"]


@pytest.mark.parametrize("name", DEMO_FILES)
def test_a_demo_leaves_an_edited_file_alone(command: Command, drawn: list[Path], name: str) -> None:
    assert command("demo", "--out", "demo").exit_code == 0
    Path("demo", name).write_text("edited")
    ran = command("demo", "--out", "demo")
    assert (ran.exit_code, len(drawn)) == (2, 1)
    assert f"demo/{name} is there already, changed since reelproc wrote it" in ran.stderr
    assert Path("demo", name).read_text() == "edited"
    assert command("demo", "--out", "demo", "--force").exit_code == 0
    assert Path("demo", name).read_text() == name


def test_weights_of_the_users_are_kept(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELPROC_WEIGHTS", str(tmp_path / "weights"))
    mine, other = tmp_path / "mine.safetensors", tmp_path / "other.safetensors"
    mine.write_bytes(b"mine")
    other.write_bytes(b"other")
    assert command("models", "add", mine).exit_code == 0
    assert command("models", "add", mine).exit_code == 0, "the same file is no loss"
    ran = command("models", "add", other, "--name", "mine.safetensors")
    assert ran.exit_code == 2
    assert "is there already, added from" in ran.stderr
    assert (tmp_path / "weights" / "mine.safetensors").read_bytes() == b"mine"
    assert command("models", "add", other, "--name", "mine.safetensors", "--force").exit_code == 0
    assert (tmp_path / "weights" / "mine.safetensors").read_bytes() == b"other"


def test_weights_of_the_users_are_not_replaced_by_official_ones(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reelproc.upscalers import weights

    monkeypatch.setenv("REELPROC_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("REELPROC_OFFLINE", "1")
    mine = tmp_path / "mine.pth"
    mine.write_bytes(b"mine")
    weights.add(mine, "realesr-animevideov3.pth")
    ran = command("models", "fetch", "realesr-animevideov3")
    assert (ran.exit_code, "is there already, added from" in ran.stderr) == (2, True)
    ran = command("models", "fetch", "realesr-animevideov3", "--force")
    assert "REELPROC_OFFLINE" in ran.stderr, "it tried"


WRITES_NOTHING = {
    "attach": "it goes on with a job that its command has looked after",
    "calibrate": "it adds to a calibration file and refuses any other",
    "costs": "it prints",
    "doctor": "it prints",
    "estimate": "it prints",
    "jobs": "it removes the folders of jobs, and no result",
    "modal": "it deploys",
    "plan": "it prints",
    "prices": "it prints",
    "probe": "it prints",
}


def _leaves(name: str, found: click.Command) -> list[tuple[str, click.Command]]:
    if not isinstance(found, click.Group):
        return [(name, found)]
    return [leaf for sub, each in found.commands.items() for leaf in _leaves(f"{name} {sub}", each)]


def test_every_command_that_writes_files_has_force() -> None:
    context = click.Context(app)
    leaves: list[tuple[str, click.Command]] = []
    for name in COMMANDS:
        found = app.get_command(context, name)
        assert found is not None
        if name not in WRITES_NOTHING:
            leaves += _leaves(name, found)
    without = {name for name, leaf in leaves if "force" not in {p.name for p in leaf.params}}
    assert without == {"models list", "models path"}
