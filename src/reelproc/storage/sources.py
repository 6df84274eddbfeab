"""The sources that a piece of work reads: opened when they are first asked for, closed together."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from reelproc.errors import MediaError, ReelprocError, StorageError, shown_address
from reelproc.files import scratch_folder
from reelproc.storage.base import TransferCallback, no_progress, open_source
from reelproc.storage.source import Source


class Sources:
    """A table of sources by address; a context manager that closes them. Threads may share it.

    Leaving the block raises what storage failed in while a decoder read, in place of the decoder's error: a decoder
    only knows that its input broke off, and may have taken that for damage.

    Args:
        folder: where downloads go; None: the cache folder, where what is fetched stays until the process ends.
        progress: told what is moved.
        names: what people are told in place of an address.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        progress: TransferCallback = no_progress,
        names: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = folder
        self._progress = progress
        self._names = names or {}
        self._opened: dict[str, Source] = {}
        self._lock = threading.RLock()

    def __getitem__(self, address: str | os.PathLike[str]) -> Source:
        """Return the source at ``address``, opened.

        Raises:
            SpecError: no storage has the address's scheme.
            ObjectNotFoundError: there is no such thing.
            StorageError: it is there but cannot be read.
        """
        key = os.fspath(address)
        with self._lock:
            if key not in self._opened:
                name = self._names.get(key)
                self._opened[key] = open_source(key, folder=self._folder, progress=self._progress, name=name)
            return self._opened[key]

    def __iter__(self) -> Iterator[Source]:
        """Yield those that are open."""
        with self._lock:
            return iter(list(self._opened.values()))

    def name(self, address: str) -> str:
        """Return what people are told in place of ``address``."""
        return self._names.get(address, shown_address(address))

    def check(self) -> None:
        """Raise what storage failed in while one of them was read.

        Raises:
            StorageError: a part could not be had.
        """
        for source in self:
            source.check()

    def close(self) -> None:
        """Close all that are open. Safe to call again."""
        with self._lock:
            while self._opened:
                self._opened.popitem()[1].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if value is None or isinstance(value, (MediaError, StorageError)):
                self.check()
        except ReelprocError as failure:
            if failure is not value:
                raise failure from value
        finally:
            self.close()


@contextmanager
def temporary_sources() -> Iterator[Sources]:
    """Open sources whose downloads are gone when the block ends; no more is fetched than is read."""
    with scratch_folder() as folder, Sources(folder) as sources:
        yield sources
