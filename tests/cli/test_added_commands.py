"""Commands that an installed package adds by entry points of the group ``reelproc.commands``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = {
    "greeting_commands.py": """
from reelproc.cli.commands import CommandEntry
GREET = CommandEntry("greeting:greet", "Greet the referee.", group="Set up")
WAVE = CommandEntry("greeting:wave", "Wave at the crowd.")
PROBE = CommandEntry("greeting:wave", "Take the place of a command.")
""",
    "greeting.py": """
import click

@click.command()
@click.argument("name")
def greet(name):
    click.echo(f"good evening, {name}")

@click.command()
def wave():
    raise SystemExit(3)
""",
    "greeting-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n",
    "greeting-1.0.dist-info/entry_points.txt": """[reelproc.commands]
greet = greeting_commands:GREET
wave = greeting_commands:WAVE
probe = greeting_commands:PROBE
broken = no_such_module:ENTRY
""",
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed packages with one that adds commands."""
    for name, text in PACKAGE.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def reelproc(site: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code with the package installed."""
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def called(*arguments: str) -> str:
    return f"import sys; from reelproc.cli import main; sys.argv = ['reelproc', *{arguments!r}]; main()"


def test_the_help_lists_added_commands_and_imports_none(site: Path) -> None:
    code = (
        "import sys\n"
        "from reelproc.cli import app\n"
        "try: app.main(['--help'], prog_name='reelproc')\n"
        "except SystemExit: pass\n"
        "print({'greeting', 'reelproc_lab.bench', 'reelproc.cli.render'} & set(sys.modules))"
    )
    ran = reelproc(site, code)
    groups = dict(part.split(":\n", 1) for part in ran.stdout.split("\n\n") if ":\n" in part)
    assert "  greet       Greet the referee." in groups["Set up"].splitlines()
    other = groups["Other commands"].splitlines()
    assert "  wave        Wave at the crowd." in other
    assert any(line.startswith("  broken      Cannot be used: the command 'broken' needs a package") for line in other)
    assert "  probe       Say what a file is." in groups["Look"].splitlines()
    assert ran.stdout.endswith("set()\n"), ran.stderr


def test_an_added_command_runs(site: Path) -> None:
    assert reelproc(site, called("greet", "Ada")).stdout == "good evening, Ada\n"
    assert reelproc(site, called("wave")).returncode == 3


def test_an_added_command_does_not_replace_one_of_reelprocs_own(site: Path) -> None:
    assert "Usage: reelproc probe" in reelproc(site, called("probe", "--help")).stdout


def test_a_command_whose_package_is_broken_says_so(site: Path) -> None:
    ran = reelproc(site, called("broken"))
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "no_such_module" in ran.stderr
    assert "Traceback" not in ran.stderr
