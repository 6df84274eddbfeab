"""A source: content to read, wherever it lies, under the name that people know it by.

Code that reads media is given a :class:`Source` and asks it for a file object, for ffmpeg's arguments or for a path.
It neither knows nor asks where the content comes from.
"""

from __future__ import annotations

import abc
import os
import stat
from pathlib import Path
from typing import BinaryIO

from reelproc.errors import ObjectNotFoundError, StorageError

FILE_PROTOCOLS = "file,pipe,fd"
"""What ffmpeg may open for a local file: never the network, whatever the file says."""


class Source(abc.ABC):
    """Content to read. Threads may share it; :meth:`close` ends it.

    Attributes:
        name: what people are told: a path, or an address without credentials and query.
    """

    name: str

    @property
    @abc.abstractmethod
    def identity(self) -> str:
        """Return a text that changes with the content, equal on every machine for one remote object."""

    @property
    @abc.abstractmethod
    def size(self) -> int:
        """Return the length in bytes."""

    @property
    @abc.abstractmethod
    def path(self) -> Path | None:
        """Return the local file that holds all of the content; None while parts are missing."""

    @property
    @abc.abstractmethod
    def is_pinned(self) -> bool:
        """Tell whether this is one version of something remote, which nobody else changes while it is read."""

    @abc.abstractmethod
    def open(self) -> BinaryIO:
        """Open the content as a binary file that can seek."""

    @abc.abstractmethod
    def input(self) -> list[str]:
        """Return ffmpeg's arguments that make this its input: ``-protocol_whitelist ... -i ...``."""

    @abc.abstractmethod
    def fetch(self) -> Path:
        """Download what is missing, and return the local file that holds all of the content.

        Raises:
            StorageError: it cannot be had, or is damaged.
        """

    @property
    def waited_seconds(self) -> float:
        """Return how long readers have waited for the network."""
        return 0.0

    @abc.abstractmethod
    def check(self) -> None:
        """Raise what storage failed in while a decoder read: the decoder only knows that its input broke off.

        Raises:
            StorageError: a part could not be had.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Remove what was fetched into a temporary file. Safe to call again."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


class LocalSource(Source):
    """A file of this machine. Nothing is checked before it is read.

    Args:
        path: of the file.
        name: what people are told; None: ``path`` as given.
        identity: of a download: that of the remote object.
    """

    def __init__(self, path: str | os.PathLike[str], *, name: str | None = None, identity: str | None = None) -> None:
        self.name = os.fspath(path) if name is None else name
        self._path = Path(path)
        self._identity = identity

    @property
    def identity(self) -> str:
        """Return size, modification time in nanoseconds, and the real path; of a download, the remote object's.

        Raises:
            StorageError: the file cannot be looked at.
        """
        if self._identity is not None:
            return self._identity
        info = regular_file(self._path)
        return f"{info.st_size}:{info.st_mtime_ns}:{self._path.resolve()}"

    @property
    def size(self) -> int:
        """Return the length in bytes."""
        return regular_file(self._path).st_size

    @property
    def path(self) -> Path:
        """Return the file."""
        return self._path

    @property
    def is_pinned(self) -> bool:
        """Tell whether it is a download, which nobody else changes."""
        return self._identity is not None

    def open(self) -> BinaryIO:
        """Open the file."""
        return self._path.open("rb")

    def input(self) -> list[str]:
        """Return ffmpeg's arguments for the file."""
        return ["-protocol_whitelist", FILE_PROTOCOLS, "-i", file_argument(self._path)]

    def fetch(self) -> Path:
        """Return the file: all of it is here."""
        return self._path

    def check(self) -> None:
        """Find nothing: a decoder says itself what is wrong with a file."""

    def close(self) -> None:
        """Leave the file as it is."""


SourceLike = str | os.PathLike[str] | Source
"""A plain path, or a source."""


def as_source(source: SourceLike) -> Source:
    """Return ``source`` itself, or the local file that a plain path names; a path is never taken for a URL."""
    return source if isinstance(source, Source) else LocalSource(source)


def file_argument(path: str | os.PathLike[str]) -> str:
    """Return ``path`` as ffmpeg must be given it: never taken for an option, a protocol, a pattern or a playlist.

    >>> file_argument("-x.mp4").startswith("file:/")
    True
    """
    return "file:" + str(Path(os.fspath(path)).absolute())


def regular_file(path: Path) -> os.stat_result:
    """Return what the system says of a regular file.

    Raises:
        ObjectNotFoundError: there is no such file.
        StorageError: it is no regular file, or cannot be looked at.
    """
    try:
        info = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        remedy = "check the name" if path.parent.is_dir() else f"there is no folder {path.parent}"
        raise ObjectNotFoundError(f"there is no file {path}; {remedy}") from None
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error}") from error
    if stat.S_ISDIR(info.st_mode):
        raise StorageError(f"{path} is a folder; name a file", bad_input=True)
    if not stat.S_ISREG(info.st_mode):
        # timestamps are read before the frames, so a source is read more than once and must allow seeking
        raise StorageError(f"{path} is not a regular file; copy a pipe or a device to a file first", bad_input=True)
    return info
