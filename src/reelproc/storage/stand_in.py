"""Which local files stand for something remote: whole downloads, and those whose parts come when they are read.

The rest of the package works on local paths. The few places that open one ask here first: :func:`partial_file` gives
the object to read a partly fetched file by, since a plain read of one would give zeros for what is missing; and
:func:`origin` says what a download is the content of, so that a segment made from it has the same name everywhere.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from reelproc.storage.partial_file import PartialFile
    from reelproc.storage.remote import RemoteObject

__all__ = ["open_binary", "origin", "partial_file", "release", "stand_in_for"]


@dataclass(frozen=True)
class _StandIn:
    identity: str
    partial: PartialFile | None


_known: dict[str, _StandIn] = {}
_lock = threading.Lock()


def stand_in_for(remote: RemoteObject, path: Path, partial: PartialFile | None = None) -> Path:
    """Note that ``path`` stands for ``remote``, and return it."""
    with _lock:
        _known[_key(path)] = _StandIn(remote.identity, partial)
    return path


def partial_file(path: str | os.PathLike[str]) -> PartialFile | None:
    """What to read ``path`` by, where it is a file whose parts come when they are read; None for a plain file."""
    known = _known.get(_key(path))
    return known.partial if known else None


def origin(path: str | os.PathLike[str]) -> str | None:
    """The identity of what ``path`` is a download of; None where it is none of ours."""
    known = _known.get(_key(path))
    return known.identity if known else None


def open_binary(path: str | os.PathLike[str]) -> BinaryIO:
    """Open ``path`` for reading, whether all of it is there or not."""
    partial = partial_file(path)
    return Path(path).open("rb") if partial is None else partial.open()


def release(path: str | os.PathLike[str]) -> None:
    """Forget ``path``; a file that is only there in part is removed."""
    with _lock:
        known = _known.pop(_key(path), None)
    if known is not None and known.partial is not None:
        known.partial.close()


def _key(path: str | os.PathLike[str]) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - called for every path that is opened
