"""The directive ``command-help``: what ``reelproc COMMAND --help`` prints, asked of the command itself."""

from __future__ import annotations

from typing import Any

import click
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from reelproc.cli import app

WIDTH = 88
"""Columns."""


def help_text(command: str = "") -> str:
    """Return the help of ``reelproc`` or of a command (``"models fetch"`` is one in another), as people see it.

    Raises:
        ValueError: there is no such command.
    """
    settings = {**app.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(app, info_name="reelproc", **settings)
    if not command:
        return app.get_help(context)
    found: click.Command = app
    for name in command.split():
        inner = found.get_command(context, name) if isinstance(found, click.Group) else None
        if inner is None:
            raise ValueError(f"reelproc has no command {command!r}; it has {', '.join(app.list_commands(context))}")
        found, context = inner, click.Context(inner, info_name=name, parent=context)
    return found.get_help(context)


class CommandHelp(SphinxDirective):
    """``{command-help} render`` shows the help of ``reelproc render``; without a name, that of ``reelproc``."""

    optional_arguments = 1
    final_argument_whitespace = True  # "modal deploy" is one argument

    def run(self) -> list[nodes.Node]:
        """Make a console block: the command and its output."""
        command = self.arguments[0] if self.arguments else ""
        try:
            text = help_text(command)
        except ValueError as error:
            raise self.error(str(error)) from error
        typed = " ".join(["$ reelproc", *([command] if command else []), "--help"])
        block = nodes.literal_block("", f"{typed}\n{text}")
        block["language"] = "console"
        return [block]


def setup(sphinx: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    sphinx.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True}
