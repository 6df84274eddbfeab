"""One version of something remote, read by ranges and checked against its digest."""

from __future__ import annotations

import abc
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reelproc.errors import StorageError


@dataclass(frozen=True)
class RemoteObject(abc.ABC):
    """One version of something remote.

    Attributes:
        address: for people: without credentials or query.
        size: bytes.
        identity: changes with the content.
        has_ranges: whether a part can be asked for; else every read begins at 0.
        sha256, md5: hex digests of the content where they are known.
    """

    address: str
    size: int
    identity: str
    has_ranges: bool = True
    sha256: str | None = None
    md5: str | None = None

    @abc.abstractmethod
    def read(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from ``start`` up to ``end``, in pieces, in one attempt; fewer where the other end gives up.

        Raises:
            StorageError: not to be had, transient where another attempt can help. Another version than this one is
                never read.
        """

    def verify(self, path: Path) -> None:
        """Check a downloaded file against the digest, where one is known.

        Raises:
            StorageError: it is not what was stored.
        """
        name, expected = ("sha256", self.sha256) if self.sha256 else ("md5", self.md5)
        if expected is None:
            return
        with path.open("rb") as file:
            got = hashlib.file_digest(file, lambda: hashlib.new(name, usedforsecurity=False)).hexdigest()
        if got != expected:
            raise StorageError(
                f"{self.address} arrived with {name} {got}, expected {expected}: it was damaged on the way or in "
                "storage; try again, and upload it again if that does not help",
                transient=True,
            )
