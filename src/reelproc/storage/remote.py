"""What storages on the other end of a network share: objects are read by ranges, or downloaded whole."""

from __future__ import annotations

import abc
import atexit
import hashlib
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from reelproc.errors import SpecError, StorageError, shown_address
from reelproc.files import partial_path
from reelproc.folders import cache_folder
from reelproc.retries import retried
from reelproc.storage.base import Storage, TransferCallback, no_progress
from reelproc.storage.partial_file import PartialFile
from reelproc.storage.ranged_source import RangedSource
from reelproc.storage.remote_object import RemoteObject
from reelproc.storage.source import LocalSource, Source

_log = logging.getLogger(__name__)

SMALL_BYTES = 8 << 20
"""What is smaller is downloaded at once: its parts would take as many requests."""


class RemoteStorage(Storage):
    """Downloads, by one object after another; a subclass says how to open one."""

    @abc.abstractmethod
    def open(self, address: str) -> RemoteObject:
        """Return the object at ``address`` as it is now; see :meth:`Storage.resolve` for the errors."""

    def identity(self, address: str) -> str:
        """Address, size and ETag."""
        return self.open(address).identity

    def resolve(
        self,
        address: str,
        *,
        folder: Path | None = None,
        progress: TransferCallback = no_progress,
    ) -> Path:
        """Download it. A whole download that is there already, of the same identity, is used again."""
        remote = self.open(address)
        with _kept(remote, folder) as path:
            if not _is_there(remote, path):
                _download(remote, path, progress)
        return path

    def open_source(
        self,
        address: str,
        *,
        folder: Path | None = None,
        progress: TransferCallback = no_progress,
        name: str | None = None,
    ) -> Source:
        """Open it to be read by ranges; where it is small, or the other end knows no ranges, download it."""
        remote = self.open(address)
        shown = name or shown_address(address)
        with _kept(remote, folder) as path:
            if not _is_there(remote, path):
                if remote.has_ranges and remote.size > SMALL_BYTES:
                    file = (
                        _shared(remote, path) if folder is None else PartialFile(remote, partial_path(path), progress)
                    )
                    return RangedSource(file, name=shown, keep=folder is None)
                _download(remote, path, progress)
        return LocalSource(path, name=shown, identity=remote.identity)


@contextmanager
def _kept(remote: RemoteObject, folder: Path | None) -> Iterator[Path]:
    """Yield where the content of ``remote`` is kept: below ``folder``, or below the cache folder.

    Raises:
        StorageError: the block cannot write there.
    """
    place = (folder or cache_folder() / "sources") / hashlib.sha256(remote.identity.encode()).hexdigest()[:16]
    path = place / local_name(remote.address)
    try:
        place.mkdir(parents=True, exist_ok=True)
        yield path
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(f"{remote.address} cannot be kept at {path}: {error}; check the disk") from error


def _is_there(remote: RemoteObject, path: Path) -> bool:
    return path.exists() and path.stat().st_size == remote.size


_open_files: dict[Path, PartialFile] = {}
"""Files in the cache folder that this process fills; a cache, which all readers of one version share."""
_open_files_lock = threading.Lock()


def _shared(remote: RemoteObject, path: Path) -> PartialFile:
    """Return the file in the cache folder that is filled with ``remote``, and removed when the process ends."""
    with _open_files_lock:
        if path not in _open_files:
            _open_files[path] = PartialFile(remote, partial_path(path))
            atexit.register(_open_files[path].close)
        return _open_files[path]


def _download(remote: RemoteObject, path: Path, progress: TransferCallback) -> None:
    _log.info("downloading %s (%d bytes)", remote.address, remote.size)
    file = PartialFile(remote, partial_path(path), progress)
    try:
        retried(file.complete)  # a digest that does not fit may have been damaged on the way
        file.path.replace(path)
    finally:
        file.close()


def local_name(address: str) -> str:
    """Return a file name for what is at ``address``: its last step, with its ending, no longer than file systems allow.

    >>> local_name("s3://bucket/games/final.mp4")
    'final.mp4'
    """
    name = PurePosixPath(shown_address(address)).name
    ending = PurePosixPath(name).suffix[:20]
    return name.removesuffix(ending).encode()[:150].decode("utf-8", "ignore").replace("\0", "") + ending or "source"


def check_key(key: str, address: str) -> str:
    """Return ``key`` itself, if it names one thing below its bucket or host whatever normalises it on the way.

    Raises:
        SpecError: it is empty, ends in a slash, or has ``.`` or ``..`` for a step.
    """
    if not key or key.endswith("/") or any(step in (".", "..") for step in key.split("/")):
        raise SpecError(
            f"{shown_address(address)} names no object; expected a key without '.' and '..' steps behind the bucket"
        )
    return key
