"""The command line: thin over the public API.

Exit codes: 0, 1 (it failed), 2 (bad input: the message says what to change), 130 (interrupted). With ``--json``
standard output is one JSON document, an error included: ``{"error": {"type": ..., "message": ..., "transient": ...}}``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

import reelproc
from reelproc.cli.commands import COMMANDS
from reelproc.cli.failures import TERMINATED, report
from reelproc.cli.groups import Group
from reelproc.cli.interruption import listen, requested_exit_code
from reelproc.cli.verbosity import logging_shown, verbose_option

__all__ = ["app", "main"]


class _App(Group):
    """Imports a command when it is asked for, and turns every error into a message and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        import_module("reelproc.machine.posix")  # on Windows no command works: said here, once
        return COMMANDS.load(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups = COMMANDS.by_group()
        width = max(len(name) for commands in groups.values() for name in commands)
        for title, commands in groups.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), text) for name, text in commands.items()])

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        given = list(sys.argv[1:] if args is None else args) or ["--help"]
        extra.pop("standalone_mode", None)
        try:
            with logging_shown(as_json="--json" in given):
                code = super().main(given, prog_name, standalone_mode=False, **extra)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the outermost: a message, never a traceback
            asked = requested_exit_code()
            if asked == TERMINATED:
                sys.exit(asked)
            told = error if asked is None else KeyboardInterrupt()  # whatever an import made of it
            sys.exit(report(told, as_json="--json" in given, debug="--debug" in given))
        sys.exit(code if isinstance(code, int) else 0)


@click.group(
    cls=_App,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog='Tab completion for bash: eval "$(_REELPROC_COMPLETE=bash_source reelproc)"; zsh and fish have the same.',
)
@verbose_option
@click.version_option(reelproc.__version__, prog_name="reelproc")
def app() -> None:
    """Cut, follow, upscale, spotlight and join game footage into highlight reels.

    Start with "reelproc demo": it makes a reel of a drawn match, and shows you the reel's JSON to edit.
    """


def _open_standard_streams() -> None:
    """Let what was closed (``2>&-``) be the null device: a file opened later would take its number, and its output."""
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def main() -> NoReturn:
    """Run the command line on this process's arguments, and exit."""
    _open_standard_streams()
    listen()
    app.main(prog_name="reelproc")
