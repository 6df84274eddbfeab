"""A remote source that is read by ranges, until it is downloaded whole."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from reelproc.retries import retried
from reelproc.storage.partial_file import PartialFile
from reelproc.storage.source import LocalSource, Source

LOOPBACK_PROTOCOLS = "http,tcp"
"""What ffmpeg may open for a file that this process serves to it."""


class RangedSource(Source):
    """A remote object, of which no more is fetched than is read.

    Args:
        file: keeps what was fetched, and fetches what is missing.
        name: what people are told.
        keep: leave the file open when the source is closed: others read it, too.
    """

    def __init__(self, file: PartialFile, *, name: str, keep: bool = False) -> None:
        self.name = name
        self._file = file
        self._keep = keep
        file.failure = None  # of an earlier reader

    @property
    def identity(self) -> str:
        """Return the remote object's: address, size and ETag."""
        return self._file.remote.identity

    @property
    def size(self) -> int:
        """Return the length in bytes."""
        return self._file.size

    @property
    def path(self) -> Path | None:
        """Return the local file once it is whole; None before."""
        return self._file.path if self._file.is_whole else None

    @property
    def is_pinned(self) -> bool:
        """Tell that it is one version: another is never read."""
        return True

    @property
    def waited_seconds(self) -> float:
        """Return how long readers have waited for the network."""
        return self._file.seconds

    def open(self) -> BinaryIO:
        """Open the content; what is missing is fetched when it is read."""
        return self._file.open(self.name) if self.path is None else self.path.open("rb")

    def input(self) -> list[str]:
        """Return ffmpeg's arguments for an address on the loopback that cannot be guessed, or for the whole file."""
        if self.path is not None:
            return LocalSource(self.path).input()
        return ["-protocol_whitelist", LOOPBACK_PROTOCOLS, "-i", self._file.url()]

    def fetch(self) -> Path:
        """Download what is missing, several parts at a time, and check the whole against its digest."""
        if not self._file.is_whole:
            retried(self._file.complete)  # a digest that does not fit may have been damaged on the way
        return self._file.path

    def check(self) -> None:
        """Raise what a read failed in, if one did."""
        if self._file.failure is not None:
            raise self._file.failure

    def close(self) -> None:
        """Remove the local file, unless others read it."""
        if not self._keep:
            self._file.close()
