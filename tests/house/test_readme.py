"""The README's two commands are the ones that CI runs."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent


def commands() -> list[str]:
    """The shell blocks of a single line: what a newcomer copies."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", (REPOSITORY / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    return [block.strip() for block in blocks if block.count("\n") == 1]


def test_there_are_two_commands_to_copy() -> None:
    demo, tests = commands()
    assert "reelproc demo" in demo
    assert "pytest" in tests


def test_ci_runs_the_commands_of_the_readme_as_they_stand_there() -> None:
    lines = (REPOSITORY / ".ci" / "run").read_text().splitlines()
    assert [command for command in commands() if command not in lines] == []
