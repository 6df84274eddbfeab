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
from reelproc.cli.failures import TERMINATED, report
from reelproc.cli.groups import Group
from reelproc.cli.interruption import asked_to_end, listen
from reelproc.cli.verbosity import logging_shown, verbose_option

__all__ = ["app", "main"]

_COMMANDS = {
    "attach": ("reelproc.cli.attach:attach", "Follow a job submitted before."),
    "calibrate": ("reelproc.cli.estimate:calibrate", "Measure this machine for estimates."),
    "concat": ("reelproc.cli.edit:concat", "Join videos."),
    "costs": ("reelproc.cli.estimate:costs", "Print what typical jobs cost, and where."),
    "demo": ("reelproc.cli.render:demo", "Draw a match and make a reel of it."),
    "detect": ("reelproc.cli.players:detect", "Find the players in a frame."),
    "doctor": ("reelproc.cli.doctor:doctor", "Check what is installed here."),
    "estimate": ("reelproc.cli.estimate:estimate", "Say what a reel takes before it is made."),
    "experiment": ("reelproc_lab.cli.experiment:experiment", "Ask what time and cost depend on."),
    "extract": ("reelproc.cli.edit:extract", "Cut a span out of a video."),
    "follow": ("reelproc.cli.players:follow", "Make a reel that follows a player."),
    "frame": ("reelproc.cli.edit:frame", "Follow a player: crop, speed, scale."),
    "get": ("reelproc.cli.transfer:get", "Download from S3 or the web."),
    "jobs": ("reelproc.cli.jobs:jobs", "List this machine's jobs, and clean up."),
    "modal": ("reelproc.cli.attach:modal", "Run jobs on Modal."),
    "models": ("reelproc.cli.models:models", "List, fetch and add upscaling networks."),
    "overlay": ("reelproc.cli.edit:overlay", "Put spotlights on players."),
    "plan": ("reelproc.cli.preview:plan", "Say what a reel will be, clip by clip."),
    "prices": ("reelproc.cli.estimate:prices", "Show the prices and their sources."),
    "probe": ("reelproc.cli.probe:probe", "Say what a file is."),
    "put": ("reelproc.cli.transfer:put", "Upload a file to S3."),
    "reel": ("reelproc.cli.reel_tables:reel", "Make a reel out of a table of annotations."),
    "render": ("reelproc.cli.render:render", "Render a reel's JSON into a video."),
    "sheet": ("reelproc.cli.preview:sheet", "Draw a contact sheet of a reel."),
    "simulate": ("reelproc_lab.cli.simulate:simulate", "Work out what cannot be measured here."),
    "still": ("reelproc.cli.preview:still", "Write a picture of a reel or a video."),
}
"""Where each command is, and what the list of commands says of it: showing the list imports none of them."""


_GROUPS = {
    "Make reels": ("demo", "render", "reel", "frame", "overlay", "extract", "concat"),
    "Look": ("probe", "plan", "still", "sheet"),
    "Find players": ("detect", "follow"),
    "Jobs and files": ("jobs", "attach", "put", "get"),
    "Where to run it, and what it costs": ("estimate", "calibrate", "prices", "costs", "modal"),
    "Experiments": ("experiment", "simulate"),
    "Set up": ("doctor", "models"),
}
"""The commands by what they are for, as the help shows them."""


class _App(Group):
    """Imports a command when it is asked for, and turns every error into a message and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        import_module("reelproc.machine.posix")  # on Windows no command works: said here, once
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, _COMMANDS))
        for title, names in _GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), _COMMANDS[name][1]) for name in names])

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        given = list(sys.argv[1:] if args is None else args) or ["--help"]
        extra.pop("standalone_mode", None)
        try:
            with logging_shown(as_json="--json" in given):
                code = super().main(given, prog_name, standalone_mode=False, **extra)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the outermost: a message, never a traceback
            asked = asked_to_end()
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

    Start with "reelproc demo": it draws a match, makes a reel of it, and shows you the reel's JSON to edit.
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
