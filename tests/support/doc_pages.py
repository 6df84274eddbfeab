"""Runs the pages of the documentation: what they show is what happens.

On a page, in order and in one namespace:

- ``python`` blocks are executed;
- ``pycon`` blocks are doctests;
- of ``sh`` blocks, and of lines of ``console`` blocks that begin with ``$``, ``reelproc`` and ``cp`` are run, with
  pipes and redirections; those that fail, fail the test. What :data:`NOT_RUN` names is not run, but must be a command
  that parses;
- "`NAME.json` is" (or ":", or ``.tsv``), followed by a ``json`` or ``text`` block, makes that file before all else.

At the end, functions called ``test_*`` are called, and a ``reel`` must have a plan.
"""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
import sys
from collections.abc import Container
from pathlib import Path
from typing import Any

import click

from reelproc.cli import app

DOCS = Path(__file__).parents[2] / "docs"

_BLOCK = re.compile(r"^```(python|pycon|console|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`([\w-]+\.(?:json|tsv))`(?: is|:)\n\n```(?:json|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SHELL = f'reelproc() {{ {shlex.quote(sys.executable)} -c "from reelproc.cli import main; main()" "$@"; }}\n'
_SECONDS = 1800
"""A command that takes longer hangs, however busy the machine is."""

NOT_RUN = {
    r"reelproc demo": "it draws for half a minute; .ci/run and the demo's own tests run it",
    r"reelproc calibrate": "it measures for minutes, and refuses a busy machine",
    r"reelproc experiment e\d": "half an hour; tests/lab/test_experiments.py runs them small",
    r"reelproc (simulate|costs)$": "they have tests of their own, and take long",
    r"reelproc .*--executor modal|reelproc modal|reelproc .*s3://": "it needs an account",
    r"reelproc .*realesr-general|reelproc models (fetch|add|export)": "it needs the extra ai, weights or files",
    r"reelproc (detect|follow)": "it needs the extra detect, whose tests run its page",
}
"""Commands that are not run here, and why."""


_PICTURE = re.compile(r"^```\{drawn-picture\} ([\w-]+)\n(?::[^\n]*\n)*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def pictures_on(path: Path) -> list[tuple[str, str]]:
    """The name and the code of each picture that a page draws (docs/_ext/drawing.py)."""
    return [(found[1], found[2]) for found in _PICTURE.finditer(path.read_text())]


def commands_of(block: str, kind: str) -> list[str]:
    """The commands of a ``sh`` or ``console`` block that this module knows, without their comments."""
    lines = block.replace("\\\n", " ").splitlines()
    if kind == "console":
        lines = [line[2:] for line in lines if line.startswith("$ ")]
    bare = (re.sub(r"\s+#\s.*$", "", line).strip() for line in lines)
    return [line for line in bare if re.match(r"(reelproc|cp) ?", line)]


def commands_on(path: Path) -> list[str]:
    """All commands of a page."""
    blocks = _BLOCK.finditer(path.read_text())
    return [command for b in blocks if b[1] in ("sh", "console") for command in commands_of(b[2], b[1])]


def is_run(command: str) -> bool:
    """Whether a command is run here."""
    return not any(re.match(pattern, command) for pattern in NOT_RUN)


def check_parses(command: str) -> None:
    """Fail unless every ``reelproc`` of a command line has options and arguments that the program takes."""
    for part in re.split(r"[|&;]", command):
        words = shlex.split(part)
        if words[:1] != ["reelproc"]:
            continue
        given = words[1:]
        group: click.Command = app
        context = click.Context(app, info_name="reelproc")
        while isinstance(group, click.Group) and given and not given[0].startswith("-"):
            found = group.get_command(context, given[0])
            assert found is not None, f"$ {command}: there is no command {given[0]!r}"
            group, given = found, given[1:]
        if group is not app:
            redirected = next((n for n, word in enumerate(given) if word in (">", ">>", "<")), len(given))
            group.make_context(group.name, given[:redirected], parent=context)


def run_page(path: Path, *, skip: Container[str] = (), everything: bool = False) -> dict[str, Any]:
    """Run a page in the current folder.

    Args:
        path: of the page.
        skip: commands that are not to be run, as they stand on the page.
        everything: run what :data:`NOT_RUN` names, too.

    Returns:
        The page's namespace.
    """
    text = path.read_text()
    for name, content in _FILE.findall(text):
        Path(name).write_text(content)
    namespace: dict[str, Any] = {"__name__": path.stem}
    for block in _BLOCK.finditer(text):
        kind, code = block.groups()
        line = text.count("\n", 0, block.start()) + 1
        if kind == "python":
            exec(compile("\n" * line + code, str(path), "exec", dont_inherit=True), namespace)
        elif kind == "pycon":
            _check_session(code, namespace, path, line)
        else:
            for command in commands_of(code, kind):
                check_parses(command)
                if command not in skip and (everything or is_run(command)):
                    _run_command(command)
    for name, value in list(namespace.items()):
        if name.startswith("test_"):
            value()
    if "reel" in namespace:
        import reelproc

        assert reelproc.plan(namespace["reel"]).frame_count > 0
    return namespace


def _check_session(code: str, namespace: dict[str, Any], path: Path, line: int) -> None:
    test = doctest.DocTestParser().get_doctest(code, namespace, path.name, str(path), line)
    runner = doctest.DocTestRunner(verbose=False)
    report: list[str] = []
    runner.run(test, out=report.append, clear_globs=False)
    assert not report, "".join(report)
    namespace.update(test.globs)


def _run_command(command: str) -> None:
    shell = ["bash", "-euo", "pipefail", "-c", _SHELL + command]
    done = subprocess.run(shell, capture_output=True, text=True, timeout=_SECONDS, check=False)
    assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"
