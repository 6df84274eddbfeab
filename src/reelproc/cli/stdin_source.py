"""Standard input as a source: kept in a file for as long as a command runs.

A source is read more than once, its timestamps before its frames, so a pipe must be a file first.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar, cast

import click

from reelproc.errors import ReelprocError, SpecError, StorageError
from reelproc.files import scratch_folder

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

_BLOCK_BYTES = 1 << 20
_piped_files: set[str] = set()
"""The files that hold standard input now."""


def source_from_pipe(command: CommandT) -> CommandT:
    """Let the argument ``src`` of ``command`` be ``-``."""

    @wraps(command)
    def given(**options: Any) -> Any:
        with source_file(options["src"], options.get("keyframes"), options.get("regions")) as src:
            return command(**{**options, "src": src})

    return cast("CommandT", given)


def is_piped(source: str) -> bool:
    """Return whether ``source`` is what came by standard input, and will be gone when the command ends."""
    return source in _piped_files


def shown_source(source: str) -> str:
    """Return ``source`` as it was given."""
    return "-" if is_piped(source) else source


@contextmanager
def source_file(source: str, *other: str | None) -> Iterator[str]:
    """Yield the path or address of ``source``; for ``-`` a file with what standard input holds, gone after the block.

    Args:
        source: as it is given to a command.
        other: what else of the command may be "-", and is to be read by then.

    Raises:
        click.UsageError: standard input is a terminal, or wanted twice.
        SpecError: it is empty.
        StorageError: it cannot be kept.
    """
    if source != "-":
        yield source
        return
    if "-" in other:
        raise click.UsageError("standard input cannot be two things at once; give one of them as a file")
    if sys.stdin.isatty():
        raise click.UsageError('"-" is standard input, which is a terminal here; name a file, or pipe one in')
    with scratch_folder() as folder:
        path = folder / "standard-input"
        try:
            with path.open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file, _BLOCK_BYTES)
        except OSError as error:
            raise StorageError(
                f"standard input cannot be kept in {folder}: {error}; free some of the disk, or name another folder by "
                "TMPDIR"
            ) from error
        if not path.stat().st_size:
            raise SpecError("standard input is empty, expected a media file")
        _piped_files.add(os.fspath(path))
        try:
            yield os.fspath(path)
        except ReelprocError as error:  # the file's name is nobody's business
            if error.args and isinstance(error.args[0], str):
                said = error.args[0].replace(f"'{path}'", "standard input").replace(os.fspath(path), "standard input")
                error.args = (said, *error.args[1:])
            raise
        finally:
            _piped_files.discard(os.fspath(path))
