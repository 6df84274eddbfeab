"""Reels as JSON files: what ``reelproc render`` reads and the demo writes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reelproc.errors import ObjectNotFoundError, SpecError, StorageError
from reelproc.files import whole_file
from reelproc.reel import Reel, in_json
from reelproc.storage import scheme_of

__all__ = ["anchored", "beside", "read_reel", "reel_text", "write_reel"]

_COLUMNS = 160
"""A spotlight's keyframe, the longest thing that should stay on its line, takes about 150."""


def anchored(reel: Reel, folder: str | os.PathLike[str]) -> Reel:
    """Return ``reel`` with every relative source path taken from ``folder``; addresses and absolute paths stay.

    >>> from reelproc.reel import Clip
    >>> anchored(Reel(clips=[Clip(source="game.mp4")]), "/films").clips[0].source
    '/films/game.mp4'

    Raises:
        SpecError: the folder's name is not UTF-8.
    """
    return _moved(reel, lambda source: os.fspath(Path(folder).absolute() / source))


def beside(reel: Reel, folder: str | os.PathLike[str]) -> Reel:
    """Return ``reel`` with every relative source path, seen from the current folder, as it is seen from ``folder``.

    Raises:
        SpecError: the way there is not UTF-8.
    """
    return _moved(reel, lambda source: os.path.relpath(source, Path(folder).absolute()))


def _moved(reel: Reel, move: Callable[[str], str]) -> Reel:
    """Return ``reel`` with another name for every source that is a relative path."""

    def placed(source: str) -> str:
        is_path = scheme_of(source) == "file" and not source.lower().startswith("file://")
        return move(source) if is_path and not Path(source).is_absolute() else source

    clips = tuple(clip.model_copy(update={"source": in_json(placed(clip.source))}) for clip in reel.clips)
    return reel.model_copy(update={"clips": clips})


def read_reel(path: str | os.PathLike[str]) -> Reel:
    """Return the reel in a JSON file; its relative sources are taken from the folder that the file is in.

    Raises:
        ObjectNotFoundError: there is no such file.
        StorageError: it cannot be read.
        SpecError: it holds no valid reel; the message names the offending field.
    """
    try:
        text = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise ObjectNotFoundError(f"there is no file {os.fspath(path)!r}") from error
    except (OSError, ValueError) as error:  # ValueError: no name that a file could have
        raise StorageError(f"{os.fspath(path)!r} cannot be read: {error}") from error
    try:
        return anchored(Reel.model_validate_json(text), Path(path).absolute().parent)
    except SpecError as error:
        raise SpecError(f"{os.fspath(path)}: {error}", path=error.path) from None


def write_reel(reel: Reel, path: str | os.PathLike[str]) -> None:
    """Write ``reel`` as JSON for people to read and edit: whole, and indented where a line would get long.

    Raises:
        StorageError: the file cannot be written.
    """
    destination = Path(path)
    try:
        with whole_file(destination) as partial:
            partial.write_text(reel_text(reel), encoding="utf-8")
    except (OSError, ValueError) as error:
        raise StorageError(f"{os.fspath(path)!r} cannot be written: {error}") from error


def reel_text(reel: Reel) -> str:
    """Return ``reel`` as JSON for people, a line break at its end.

    >>> from reelproc.reel import Clip
    >>> print(reel_text(Reel(clips=[Clip(source="game.mp4")])).splitlines()[2])
      "clips": [{"source": "game.mp4", "start": 0.0, "end": null, "stages": []}],
    """
    return _pretty(reel.model_dump(mode="json")) + "\n"


def _pretty(value: Any, indent: str = "") -> str:
    """JSON that breaks an object or a list over lines only where it does not fit on one."""
    short = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(short) <= _COLUMNS or not isinstance(value, (dict, list)) or not value:
        return short
    deeper = indent + "  "
    if isinstance(value, dict):
        items = [f"{json.dumps(key, ensure_ascii=False)}: {_pretty(item, deeper)}" for key, item in value.items()]
    else:
        items = [_pretty(item, deeper) for item in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n{deeper}" + f",\n{deeper}".join(items) + f"\n{indent}{closing}"
