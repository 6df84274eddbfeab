"""Which local files stand for something remote: whole downloads, and those whose parts come when they are read.

The rest of the package works on local paths. The few places that open one ask here first: :func:`partial_file` gives
the object to read a partly fetched file by, since a plain read of one would give zeros for what is missing; and
:func:`origin` says what a download is the content of, so that a segment made from it has the same name everywhere.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reelproc.errors import MediaError, ReelprocError, StorageError
from reelproc.storage.source import LocalSource, Source

if TYPE_CHECKING:
    from reelproc.storage.partial_file import PartialFile
    from reelproc.storage.remote_object import RemoteObject

__all__ = [
    "live_stand_in",
    "opened",
    "origin",
    "partial_file",
    "release",
    "rename_in",
    "speaking_of",
    "stand_in_for",
    "with_addresses",
]


@dataclass(frozen=True)
class _StandIn:
    identity: str
    partial: PartialFile | None
    source: Source


_known: dict[str, _StandIn] = {}
_lock = threading.Lock()


def stand_in_for(remote: RemoteObject, path: Path, partial: PartialFile | None = None) -> Path:
    """Note that ``path`` stands for ``remote``, and return it."""
    with _lock:
        from reelproc.storage.ranged_source import RangedSource

        source: Source = LocalSource(path, identity=remote.identity)
        if partial is not None:
            source = RangedSource(partial, name=str(path))
        _known[_key(path)] = _StandIn(remote.identity, partial, source)
    return path


def partial_file(path: str | os.PathLike[str]) -> PartialFile | None:
    """What to read ``path`` by, where it is a file whose parts come when they are read; None for a plain file."""
    known = _known.get(_key(path))
    return known.partial if known else None


def opened(path: str | os.PathLike[str]) -> Source | None:
    """The source that ``path`` stands for; None for a plain file."""
    known = _known.get(_key(path))
    return known.source if known else None


def origin(path: str | os.PathLike[str]) -> str | None:
    """The identity of what ``path`` is a download of; None where it is none of ours."""
    known = _known.get(_key(path))
    return known.identity if known else None


def release(path: str | os.PathLike[str]) -> None:
    """Forget ``path``; a file that is only there in part is removed."""
    with _lock:
        known = _known.pop(_key(path), None)
    if known is not None and known.partial is not None:
        known.partial.close()


def live_stand_in(remote: RemoteObject, folder: Path) -> Path | None:
    """The file in ``folder`` that stands for ``remote`` already and is filled as it is read, if there is one."""
    with _lock:
        for key, known in _known.items():
            if (
                known.partial is not None
                and known.identity == remote.identity
                and Path(key).parent == folder.absolute()
            ):
                return Path(key)
    return None


def with_addresses(text: str, names: Mapping[str, str]) -> str:
    """``text`` with addresses for the paths of local files that stand for them.

    >>> with_addresses("/tmp/x/.a.part.mp4 is empty", {"/tmp/x/.a.part.mp4": "s3://games/a.mp4"})
    's3://games/a.mp4 is empty'
    """
    for path, address in names.items():
        text = text.replace(path, address).replace(Path(path).name, Path(address).name)
    return text


def rename_in(error: ReelprocError, names: Mapping[str, str]) -> None:
    """Have ``error`` say what :func:`with_addresses` makes of its words."""
    error.args = tuple(with_addresses(arg, names) if isinstance(arg, str) else arg for arg in error.args)
    if isinstance(error, MediaError):
        error.argv = tuple(with_addresses(arg, names) for arg in error.argv)
        error.stderr_tail = with_addresses(error.stderr_tail, names)


@contextmanager
def speaking_of(names: Mapping[str, str]) -> Iterator[None]:
    """Have errors of the block name addresses for local files, and say what storage failed in.

    Where a partly fetched file could not be read to its end, that is raised: a decoder only knows that its input broke
    off.

    Args:
        names: the address of each local path.
    """
    failed: ReelprocError | None = None
    try:
        yield
    except ReelprocError as error:
        failed = error
    partials = [partial for path in names if (partial := partial_file(path)) is not None]
    broken = next((partial.failure for partial in partials if partial.failure is not None), None)
    if broken is not None and (failed is None or isinstance(failed, (MediaError, StorageError))):
        raise broken from failed
    if failed is not None:
        rename_in(failed, names)
        raise failed


def _release_all() -> None:
    for path in list(_known):
        release(path)


atexit.register(_release_all)


def _key(path: str | os.PathLike[str]) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - called for every path that is opened
