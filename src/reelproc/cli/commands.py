"""The commands of the command line: what the help says of each, and where it is imported from when it is used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

import click

from reelproc.errors import ReelprocError
from reelproc.registry import Registry

__all__ = ["COMMANDS", "CommandEntry"]

_REELS, _LOOK, _PLAYERS, _JOBS = "Make reels", "Look", "Find players", "Jobs and files"
_COSTS, _SETUP, _OTHERS = "Where to run it, and what it costs", "Set up", "Other commands"


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """A command that is imported only when it is used.

    A package adds commands under the entry point group ``reelproc.commands``. The entry point's name is the command's;
    it names a ``CommandEntry`` in a module that imports little, since ``reelproc --help`` loads it:

    >>> GREET = CommandEntry("my_package.greeting:greet", "Greet the referee.", group="Set up")

    Attributes:
        target: ``"package.module:attribute"`` of a :class:`click.Command`.
        help: one line for the list of commands.
        group: the heading that it stands under in the list; a new one comes last.
    """

    target: str
    help: str
    group: str = _OTHERS


_BUILT_IN = {
    "demo": CommandEntry("reelproc.cli.render:demo", "Make a reel of a drawn match.", _REELS),
    "render": CommandEntry("reelproc.cli.render:render", "Render a reel's JSON into a video.", _REELS),
    "reel": CommandEntry("reelproc.cli.reel_tables:reel", "Make a reel out of a table of annotations.", _REELS),
    "frame": CommandEntry("reelproc.cli.edit:frame", "Follow a player: crop, speed, scale.", _REELS),
    "overlay": CommandEntry("reelproc.cli.edit:overlay", "Put spotlights on players.", _REELS),
    "extract": CommandEntry("reelproc.cli.edit:extract", "Cut a span out of a video.", _REELS),
    "concat": CommandEntry("reelproc.cli.edit:concat", "Join videos.", _REELS),
    "probe": CommandEntry("reelproc.cli.probe:probe", "Say what a file is.", _LOOK),
    "plan": CommandEntry("reelproc.cli.preview:plan", "Say what a reel will be, clip by clip.", _LOOK),
    "still": CommandEntry("reelproc.cli.preview:still", "Write a picture of a reel or a video.", _LOOK),
    "sheet": CommandEntry("reelproc.cli.preview:sheet", "Draw a contact sheet of a reel.", _LOOK),
    "detect": CommandEntry("reelproc.cli.players:detect", "Find the players in a frame.", _PLAYERS),
    "follow": CommandEntry("reelproc.cli.players:follow", "Make a reel that follows a player.", _PLAYERS),
    "jobs": CommandEntry("reelproc.cli.jobs:jobs", "List this machine's jobs, and clean up.", _JOBS),
    "attach": CommandEntry("reelproc.cli.attach:attach", "Follow a job submitted before.", _JOBS),
    "put": CommandEntry("reelproc.cli.transfer:put", "Upload a file to S3.", _JOBS),
    "get": CommandEntry("reelproc.cli.transfer:get", "Download from S3 or the web.", _JOBS),
    "estimate": CommandEntry("reelproc.cli.estimate:estimate", "Say what a reel takes before it is made.", _COSTS),
    "calibrate": CommandEntry("reelproc.cli.estimate:calibrate", "Measure this machine for estimates.", _COSTS),
    "prices": CommandEntry("reelproc.cli.estimate:prices", "Show the prices and their sources.", _COSTS),
    "modal": CommandEntry("reelproc.cli.attach:modal", "Run jobs on Modal.", _COSTS),
    "doctor": CommandEntry("reelproc.cli.doctor:doctor", "Check what is installed here.", _SETUP),
    "models": CommandEntry("reelproc.cli.models:models", "List, fetch and add upscaling networks.", _SETUP),
}
"""In the order of the help."""


class _Commands:
    """The commands by name: reelproc's own, and those of installed packages."""

    def __init__(self) -> None:
        self._added: Registry[CommandEntry] = Registry("command", group="reelproc.commands")

    def __iter__(self) -> Iterator[str]:
        yield from _BUILT_IN
        yield from (name for name in self._added.names() if name not in _BUILT_IN)

    def entry(self, name: str) -> CommandEntry:
        """Return what is known of a command without importing it.

        Raises:
            ReelprocError: there is no such command, or its package cannot be imported.
        """
        return _BUILT_IN[name] if name in _BUILT_IN else self._added.get(name)

    def load(self, name: str) -> click.Command:
        """Import a command.

        Raises:
            ReelprocError: there is no such command, or its package cannot be imported.
        """
        module, _, attribute = self.entry(name).target.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def by_group(self) -> dict[str, dict[str, str]]:
        """Return headings, in the order of the help, each with its commands' names and lines of help."""
        groups: dict[str, dict[str, str]] = {}
        for name in self:
            try:
                entry = self.entry(name)
            except ReelprocError as error:  # one broken package does not take the help away
                entry = CommandEntry("", f"Cannot be used: {error}")
            groups.setdefault(entry.group, {})[name] = entry.help
        return groups


COMMANDS = _Commands()
"""The commands by name, in the order of the help."""
