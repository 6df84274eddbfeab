"""Messages of the library, which speak of Python's arguments, in the words of the command line."""

from __future__ import annotations

import re
from collections.abc import Mapping

import click

from reelproc.errors import ReelprocError

_REMEDIES = (
    ("on_damage='conceal'", "--on-damage conceal"),
    ("Output(audio=False)", '"output": {"audio": false} in a reel\'s JSON'),
    ("choose one with executor('local', folder=...)", "name another by REELPROC_HOME"),
    ("say trust=True (--trust)", "say --trust"),
    ("submit the job again, and it", "give the same command again, and it"),
    ("('reelproc calibrate --anyway', anyway=True)", "(reelproc calibrate --anyway)"),
    ("staging='s3://bucket/prefix'", "--staging s3://bucket/prefix"),
)
"""What to do, in Python and on the command line."""

_OTHER_NAMES = {
    "--size": {"width": "--size (width)", "height": "--size (height)"},
    "--speed": {"segments[0].speed": "--speed"},
}
"""For an option, the fields that it becomes and that have not its name."""

_KEYWORD = re.compile(r"\b([a-z_]+)=(?:'([^']*)'|(True|False|None)\b)")
"""What else is set so is a field of a reel, which is JSON."""

_FORM = re.compile(r"\A\w+ is not valid: ")


def spoken(text: str, options: Mapping[str, str] | None = None) -> str:
    """Return ``text`` in the words of the command line.

    Args:
        text: of an error or a warning.
        options: the command's options by the names of the arguments that they become.

    >>> spoken("a clip ends after it starts, got start=0.8, end=0.2", {"start": "--start", "end": "--end"})
    'a clip ends after it starts, got --start 0.8, --end 0.2'
    """
    for python, here in _REMEDIES:
        text = text.replace(python, here)
    for name, option in (options or {}).items():
        text = re.sub(rf"(?:(?<=\A)|(?<=: )|(?<=; )){re.escape(name)}: ", f"{option}: ", text)
        text = re.sub(rf"(?<![\w.]){re.escape(name)}=(?=[\w'\"(.-])", f"{option} ", text)
    return _KEYWORD.sub(_field, text)


def _field(match: re.Match[str]) -> str:
    name, word, constant = match.groups()
    value = {"True": "true", "False": "false", "None": "null"}.get(constant or "", f'"{word}"')
    return f'"{name}": {value}'


def reword(error: ReelprocError, command: click.Command) -> None:
    """Have ``error`` speak of the options of ``command``."""
    if not error.args or not isinstance(error.args[0], str):
        return
    options = {p.name: p.opts[-1] for p in command.params if isinstance(p, click.Option) and p.name and p.expose_value}
    for option in tuple(options.values()):
        options |= _OTHER_NAMES.get(option, {})
    text = error.args[0]
    told = spoken(_FORM.sub("", text), options)
    # what names no option keeps its beginning, which says what it is about
    error.args = (told if told != _FORM.sub("", text) else spoken(text), *error.args[1:])
