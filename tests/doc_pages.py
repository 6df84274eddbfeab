"""Runs the pages of the documentation: what they show is what happens.

On a page, in order and in one namespace:

- ``python`` blocks are executed;
- ``pycon`` blocks are doctests;
- lines ``$ reelproc ...`` of ``console`` blocks are run; those that fail, fail the test;
- "where `NAME.json` is", followed by a ``json`` block, makes that file before anything is run.

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

DOCS = Path(__file__).parent.parent / "docs"

_BLOCK = re.compile(r"^```(python|pycon|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`([\w-]+\.json)` is\n\n```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = [sys.executable, "-c", "from reelproc.cli import main; main()"]
_SECONDS = 240


def run_page(path: Path, *, skip: Container[str] = ()) -> dict[str, Any]:
    """Run a page in the current folder.

    Args:
        path: of the page.
        skip: commands that are not to be run, as they stand on the page.

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
            for command in re.findall(r"^\$ (reelproc .*)$", code, re.MULTILINE):
                if command not in skip:
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
    arguments = shlex.split(command)[1:]
    done = subprocess.run([*_COMMAND, *arguments], capture_output=True, text=True, timeout=_SECONDS, check=False)
    assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"
