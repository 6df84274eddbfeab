"""What Tab offers, and what a slip is taken for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import get_args

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from reelproc.cli import app
from reelproc.cli.commands import COMMANDS
from reelproc.detectors import DETECTORS
from reelproc.drawing.options import Effect
from reelproc.executors.base import executors
from reelproc.media.write.encoders import ENCODERS
from reelproc.prices import current_prices
from reelproc.upscalers import UPSCALERS
from reelproc.upscalers.models import MODELS
from reelproc_lab import EXPERIMENTS


def offered(*arguments: str) -> list[str]:
    """What is offered for the last of ``arguments``."""
    *before, incomplete = arguments
    complete = ShellComplete(app, {}, "reelproc", "_REELPROC_COMPLETE")
    return [item.value for item in complete.get_completions(before, incomplete)]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("frame", "--upscaler", ""), UPSCALERS.names),
        (("follow", "--upscaler", ""), UPSCALERS.names),
        (("calibrate", "--upscaler", ""), MODELS),
        (("calibrate", "--encoder", ""), ENCODERS),
        (("render", "--executor", ""), executors.names),
        (("estimate", "--executor", ""), executors.names),
        (("experiment", "--executor", ""), executors.names),
        (("experiment", ""), EXPERIMENTS.names),
        (("experiment", "e1", "e"), EXPERIMENTS.names),
        (("overlay", "--effect", ""), get_args(Effect)),
        (("detect", "--backend", ""), DETECTORS.names),
        (("models", "fetch", ""), MODELS),
        (("models", "path", ""), MODELS),
        (("costs", "--region", ""), current_prices().regions),
        (("extract", "--on-damage", ""), ("conceal", "raise")),
        (("frame", "--upscaler", "lan"), ("lanczos",)),
        (("ren",), ("render",)),
    ],
)
def test_values_are_offered(arguments: tuple[str, ...], names: Iterable[str] | Callable[[], Iterable[str]]) -> None:
    known = names() if callable(names) else names  # a registry may have grown since the tests were collected
    assert sorted(offered(*arguments)) == sorted(known)


def test_jobs_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELPROC_HOME", str(tmp_path))
    for name in ("render-a", "render-b", "extract-c"):
        (tmp_path / "jobs" / name).mkdir(parents=True)
        (tmp_path / "jobs" / name / "job.json").touch()
    assert offered("attach", "render-") == ["render-a", "render-b"]
    assert offered("jobs", "rm", "e") == ["extract-c"]


@pytest.mark.parametrize(
    "arguments", ["frame --upscaler ", "experiment ", "render --executor ", "calibrate --encoder "]
)
def test_to_offer_a_value_loads_nothing_heavy(arguments: str) -> None:
    code = (
        "import sys\n"
        "from click.shell_completion import ShellComplete\n"
        "from reelproc.cli import app\n"
        "complete = ShellComplete(app, {}, 'reelproc', '_REELPROC_COMPLETE')\n"
        f"assert complete.get_completions({arguments.split()!r}, '')\n"
        "print([m for m in ('numpy', 'cv2', 'av', 'torch', 'modal', 'boto3', 'PIL', 'rich') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("rendr",), "there is no command 'rendr'; did you mean 'render'?"),
        (("Extract",), "there is no command 'Extract'; did you mean 'extract'?"),
        (("jobs", "claen"), "there is no command 'claen'; did you mean 'clean'?"),
        (("models", "fecth"), "did you mean 'fetch'?"),
        (("reel", "from-tvs"), "did you mean 'from-tsv'?"),
        (("modal", "deplo"), "did you mean 'deploy'?"),
        (("extract", "--strat", "1"), "Did you mean '--start'?"),
    ],
)
def test_a_slip_is_answered_with_what_was_meant(arguments: tuple[str, ...], meant: str) -> None:
    ran = CliRunner().invoke(app, arguments)
    assert ran.exit_code == 2
    assert meant in ran.stderr


def test_a_name_like_no_other_is_answered_with_all() -> None:
    assert "there are: clean, list, rm" in CliRunner().invoke(app, ["jobs", "zzz"]).stderr


def test_every_command_has_one_place_in_the_help() -> None:
    placed = [name for names in COMMANDS.by_group().values() for name in names]
    assert sorted(placed) == sorted(COMMANDS)


def test_every_group_answers_slips() -> None:
    context = click.Context(app)
    groups = [found for name in COMMANDS if isinstance(found := app.get_command(context, name), click.Group)]
    assert {type(group).__name__ for group in groups} == {"Group"}
