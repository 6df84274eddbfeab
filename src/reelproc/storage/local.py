"""Files of this machine: plain paths and ``file://`` addresses."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from urllib.parse import unquote

from reelproc.errors import SpecError, StorageError
from reelproc.files import whole_file
from reelproc.storage.base import Storage, TransferCallback, no_progress
from reelproc.storage.source import LocalSource, Source, regular_file


def local_path(address: str) -> Path:
    """Return the path that a plain path or a ``file://`` address means, absolute; nothing needs to be there.

    Raises:
        SpecError: a ``file://`` address with a host, a query or a relative path in it.

    >>> local_path("file:///tmp/my%20game.mp4").as_posix()
    '/tmp/my game.mp4'
    """
    path = address
    if address[:7].lower() == "file://":
        host, slash, rest = address[7:].partition("/")
        if host not in ("", "localhost") or not slash:
            raise SpecError(
                f"a file address is file:///absolute/path, got {address!r}; a relative path is written without file://"
            )
        path = "/" + unquote(rest)
        if "\0" in path:
            raise SpecError(f"a path has no NUL characters, got {address!r}")
    # absolute() and not resolve(): a link may be pointed elsewhere later, and the user's own name belongs in messages
    return Path(path).absolute()


class LocalStorage(Storage):
    """Files of this machine. Nothing is copied: a source is read where it lies."""

    def resolve(
        self,
        address: str,
        *,
        folder: Path | None = None,
        progress: TransferCallback = no_progress,
    ) -> Path:
        """Return the file itself, checked to be there and readable."""
        path = local_path(address)
        regular_file(path)
        if not os.access(path, os.R_OK):
            raise StorageError(f"{path} cannot be read: permission denied; check its mode and owner", bad_input=True)
        return path

    def open_source(
        self,
        address: str,
        *,
        folder: Path | None = None,
        progress: TransferCallback = no_progress,
        name: str | None = None,
    ) -> Source:
        """Open the file itself, checked to be there and readable."""
        return LocalSource(self.resolve(address), name=name)

    def identity(self, address: str) -> str:
        """Return size, modification time in nanoseconds, and the real path."""
        return LocalSource(local_path(address)).identity

    def local_output(self, address: str, *, folder: Path | None = None) -> Path:
        """Return the destination itself. Its folder must exist: a mistyped one is better noticed than made."""
        path = local_path(address)
        _check_destination(path)
        return path

    def publish(
        self, path: Path, address: str, *, keep: bool = False, progress: TransferCallback = no_progress
    ) -> None:
        """Rename (or copy), by way of a copy beside the destination where that is on another file system."""
        destination = local_path(address)
        _check_destination(destination)
        if path.absolute() == destination:
            return
        try:
            try:
                if keep:
                    _copy_over(path, destination)
                else:
                    path.replace(destination)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                _copy_over(path, destination)
                path.unlink(missing_ok=True)
        except FileNotFoundError as error:
            raise StorageError(f"{path} is not there to be put at {destination}: {error}") from error
        except OSError as error:
            raise StorageError(
                f"{destination} cannot be written: {error}; check the disk and its permissions"
            ) from error

    def canonical(self, address: str) -> str:
        """Device and inode, which hard links share; where nothing is there, the real path."""
        path = local_path(address)
        try:
            info = path.stat()
        except (OSError, ValueError):
            return os.path.realpath(path)
        return f"{info.st_dev}:{info.st_ino}"

    def remove(self, address: str) -> None:
        """Unlink the file."""
        path = local_path(address)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"{path} cannot be removed: {error}") from error


def _check_destination(path: Path) -> None:
    parent = path.parent
    try:
        is_folder, has_folder = path.is_dir(), parent.is_dir()
    except OSError as error:  # a name too long, a folder that cannot be entered
        raise StorageError(
            f"nothing can be written to {path}: {error}; choose another name or folder", bad_input=True
        ) from error
    if is_folder:
        raise StorageError(f"{path} is a folder; name a file in it", bad_input=True)
    if not has_folder:
        raise StorageError(f"there is no folder {parent} for {path.name}; create it first", bad_input=True)
    if not os.access(parent, os.W_OK | os.X_OK):
        raise StorageError(
            f"nothing can be written in {parent}: it is read-only for you; choose another folder", bad_input=True
        )


def _copy_over(path: Path, destination: Path) -> None:
    with whole_file(destination, durable=True) as partial, path.open("rb") as source, partial.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
