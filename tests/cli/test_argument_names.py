"""Messages speak of what was typed: options, not Python's arguments."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import reelproc
from doc_pages import DOCS
from reelproc.cli import app
from reelproc.cli.argument_names import spoken
from reelproc.cli.overwrite import OutputExistsError
from reelproc.errors import DecodeError, ObjectNotFoundError, ProbeError, ReelprocError, SpecError, StorageError

PYTHON = re.compile(r"\b[a-z_]+=(?:['\"]|True|False|None|\.\.\.)|\b\w+\([^)]*=")
"""What nobody types at a prompt."""

NOT_REACHED = {
    "compat": "functions of an app",
    "experiments": "questions about time and cost",
    "executors/base.py": "for who submits jobs",
    "demo": "draws",
    "cli": "speaks the language already",
}


def strings_of_errors() -> Iterator[tuple[str, str]]:
    """The text of every error that the library raises, where it is a constant."""
    root = Path(reelproc.__file__).parent
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if any(name.startswith(prefix) for prefix in NOT_REACHED):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Raise) and node.exc is not None:
                for part in ast.walk(node.exc):
                    if (
                        isinstance(part, ast.Constant)
                        and isinstance(part.value, str)
                        and "RenderJob(" not in part.value
                    ):
                        yield name, part.value


def test_no_error_that_a_command_can_meet_speaks_python() -> None:
    assert [(name, text) for name, text in strings_of_errors() if PYTHON.search(spoken(text))] == []


def test_the_scan_finds_what_it_looks_for() -> None:
    assert any("on_damage='conceal'" in text for _, text in strings_of_errors())


OPTIONS = {"start": "--start", "end": "--end", "width": "--size (width)", "out": "--out"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("or render with on_damage='conceal' to hold it", "or render with --on-damage conceal to hold it"),
        ("use backend='torch', or fps=None", 'use "backend": "torch", or "fps": null'),
        ("got start=0.8, end=0.2", "got --start 0.8, --end 0.2"),
        ("start: is too small; end: is not", "--start: is too small; --end: is not"),
        ("the start: here", "the start: here"),
        ("restart=1 and width=2", "restart=1 and --size (width) 2"),
        ("nothing of it", "nothing of it"),
    ],
)  # fmt: skip
def test_a_message_is_told_in_options(text: str, told: str) -> None:
    assert spoken(text, OPTIONS) == told


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("extract", "g.mp4", "o.mp4", "--start", ".8", "--end", ".2"), "got --start 0.8, --end 0.2"),
        (("extract", "g.mp4", "o.mp4", "--start", "-1", "--end", ".2"), "--start: "),
        (("frame", "g.mp4", "o.mp4", "--size", "811x1440"), "--size (width): "),
        (("frame", "g.mp4", "o.mp4", "--size", "810x1440", "--fps", "0"), "--fps: "),
        (("frame", "g.mp4", "o.mp4", "--size", "810x1440", "--speed", "0"), "--speed: "),
        (("frame", "g.mp4", "o.mp4", "--size", "810x1440", "--start", "5", "--end", "2"), "got --start 5, --end 2"),
        (("concat", "g.mp4", "h.mp4", "o.mp4", "--duration", "-1"), "--duration: "),
        (("detect", "g.mp4", "--time", "1", "--image-size", "7"), "--image-size: "),
        (("render", "-", "o.mp4", "--chunks", "0"), "neither a number from 1 to 100 nor 'auto'"),
    ],
)
def test_an_option_is_named_as_it_is_typed(
    arguments: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REELPROC_HOME", str(tmp_path))
    monkeypatch.setattr("reelproc.cli.edit._usual_rate", lambda _: 30)
    ran = CliRunner().invoke(app, [*arguments, "--json"])
    assert ran.exit_code == 2
    assert says in json.loads(ran.stdout)["error"]["message"]
    assert "is not valid: " not in json.loads(ran.stdout)["error"]["message"]


def test_what_is_wrong_with_a_reel_keeps_its_path(tmp_path: Path) -> None:
    (tmp_path / "reel.json").write_text('{"clips": [{"source": "g.mp4", "start": -1}]}')
    ran = CliRunner().invoke(app, ["render", str(tmp_path / "reel.json"), "o.mp4"])
    assert "reel.json: Reel is not valid: clips[0].start: " in ran.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SpecError("x"), 2),
        (ObjectNotFoundError("x"), 2),
        (ProbeError("x"), 2),
        (StorageError("x", bad_input=True), 2),
        (StorageError("x"), 1),
        (DecodeError("x"), 1),
    ],
)
def test_bad_input_is_2_and_a_failure_1(error: ReelprocError, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def probed(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("reelproc.media.probe.anywhere.probe_address", probed)
    assert CliRunner().invoke(app, ["probe", "x.mp4"]).exit_code == code
    assert error.bad_input is (code == 2)


class Mine(StorageError):
    """A plug-in's."""


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ObjectNotFoundError("x"), "ObjectNotFoundError"),
        (Mine("x"), "StorageError"),
        (ZeroDivisionError("x"), "UnexpectedError"),
        (click.UsageError("x"), "UsageError"),
        (click.BadParameter("x"), "UsageError"),
        (OutputExistsError("x"), "OutputExistsError"),
        (KeyboardInterrupt(), "Interrupted"),
    ],
)
def test_every_name_of_an_error_is_in_the_reference(
    error: BaseException, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def probed(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("reelproc.media.probe.anywhere.probe_address", probed)
    ran = CliRunner().invoke(app, ["probe", "x.mp4", "--json"])
    assert json.loads(ran.stdout)["error"]["type"] == name
    text = (DOCS / "reference" / "errors.md").read_text()
    assert f"`{name}`" in text or f".. autoclass:: {name}\n" in text
