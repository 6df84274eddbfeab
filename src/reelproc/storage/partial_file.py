"""A local file that is filled from a remote object, range by range, as it is read.

The file has the object's full size from the start and holes where nothing was fetched yet. Nobody may read it but by
:class:`PartialFile`, which fetches what is missing first: no zeros are ever taken for content. Two doors lead in:
:meth:`PartialFile.open` for this process (PyAV takes file objects), :meth:`PartialFile.url` for an ffmpeg child.
"""

from __future__ import annotations

import io
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import BinaryIO, cast

from reelproc.errors import ReelprocError, StorageError
from reelproc.retries import retried
from reelproc.storage.base import TransferCallback, no_progress
from reelproc.storage.remote_object import RemoteObject

BLOCK_BYTES = 256 << 10
"""What is fetched at least."""

LONGEST_AHEAD_BYTES = 4 << 20
"""What is fetched at most ahead of a reader that goes straight on: it begins with a block and doubles."""

PART_BYTES = 8 << 20
WORKERS = 6
"""A whole download moves this many parts of this size at once."""


class PartialFile:
    """One remote object's local file.

    Threads may share it. Requests for it are made one at a time, except by :meth:`complete`.

    Args:
        remote: what to fetch.
        path: the file to make; it is removed by :meth:`close`.
        progress: told the bytes fetched so far; what it raises stops a fetch.

    Attributes:
        fetched_bytes, seconds: what was moved, and the time that readers waited for it.
        failure: set by whoever could not hand on the error of a read: PyAV and ffmpeg children only say that their
            input broke off.
        is_whole: all of it was fetched and checked: ``path`` may be read by anybody.
    """

    def __init__(self, remote: RemoteObject, path: Path, progress: TransferCallback = no_progress) -> None:
        self.remote = remote
        self.path = path
        self.size = remote.size
        self.fetched_bytes = 0
        self.seconds = 0.0
        self.failure: ReelprocError | None = None
        self.is_whole = False
        self._progress = progress
        self._lock = threading.RLock()
        self._count_lock = threading.Lock()
        self._there = bytearray(-(-remote.size // BLOCK_BYTES))
        self._ahead, self._expected = BLOCK_BYTES, -1
        self._token: str | None = None
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        os.ftruncate(self._fd, remote.size)

    def read(self, start: int, length: int, *, ahead: bool = True, check: Callable[[], None] = lambda: None) -> bytes:
        """Return ``length`` bytes from ``start``, fewer at the object's end.

        Args:
            start: the first of them.
            length: how many.
            ahead: fetch more than that where the reads go straight on.
            check: called while something is fetched; what it raises ends that.

        Raises:
            StorageError: they cannot be had.
        """
        end = min(start + length, self.size)
        if start >= end:
            return b""
        with self._lock:
            self._ensure(start, end, ahead, check)
            return os.pread(self._fd, end - start, start)

    def complete(self, progress: TransferCallback | None = None) -> None:
        """Fetch all that is missing, several parts at a time, and check the whole against its digest.

        Raises:
            StorageError: it cannot be had, or is damaged.
        """
        progress = progress or self._progress
        with self._lock, self._timed():
            missing = self._missing(0, self.size)
            if missing:
                # without ranges a read begins at 0, and there is but one part
                step = PART_BYTES if self.remote.has_ranges else self.size
                parts = [(at, min(at + step, end)) for begin, end in missing for at in range(begin, end, step)]
                self._fetch_parts(parts, progress)
            progress(self.size, self.size)
            try:
                self.remote.verify(self.path)
            except StorageError:
                self._there = bytearray(len(self._there))  # none of it is to be trusted
                raise
            self.is_whole = True

    def open(self, name: str) -> BinaryIO:
        """Open the content as a binary file that can seek, and is called ``name``."""
        return cast("BinaryIO", _Reader(self, name))

    def url(self) -> str:
        """Return an address on the loopback under which an ffmpeg child reads the content, as long as this is open."""
        from reelproc.storage.range_server import serve

        if self._token is None:
            self._token = serve(self)
        return self._token

    def close(self) -> None:
        """Remove the file, unless it was renamed. Safe to call again."""
        if self._fd >= 0:
            if self._token is not None:
                from reelproc.storage.range_server import withdraw

                withdraw(self._token)
            with self._lock:
                os.close(self._fd)
                self._fd = -1
                self.path.unlink(missing_ok=True)

    # ---- fetching

    def _ensure(self, start: int, end: int, ahead: bool, check: Callable[[], None]) -> None:
        if self._fd < 0:
            raise StorageError(f"{self.remote.address} was closed while it was read")
        if not self._missing(start, end):
            return
        sequential = start <= self._expected + BLOCK_BYTES and end > self._expected
        self._ahead = min(2 * self._ahead, LONGEST_AHEAD_BYTES) if sequential else BLOCK_BYTES
        if ahead:
            end = min(self.size, max(end, start + self._ahead))

        def look() -> None:
            check()
            self._progress(self.fetched_bytes, 0)

        with self._timed():
            for begin, stop in self._missing(start, end):
                self._fetch(begin, stop, look)
        self._expected = end

    def _missing(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return the ranges in ``[start, end)`` that are not there, in whole blocks."""
        ranges: list[tuple[int, int]] = []
        for block in range(start // BLOCK_BYTES, -(-end // BLOCK_BYTES)):
            if not self._there[block]:
                begin, stop = block * BLOCK_BYTES, min((block + 1) * BLOCK_BYTES, self.size)
                if ranges and ranges[-1][1] == begin:
                    begin = ranges.pop()[0]
                ranges.append((begin, stop))
        return ranges

    def _fetch(self, start: int, end: int, check: Callable[[], None]) -> None:
        """Fetch a range into the file; an attempt that breaks off is continued where it did."""
        at = start

        def attempt() -> None:
            nonlocal at
            if not self.remote.has_ranges:
                at = start
            for piece in self.remote.read(at, end):
                if at + len(piece) > end:
                    raise StorageError(f"{self.remote.address} sent more than was asked for", transient=True)
                self._keep(piece, at)
                at += len(piece)
                with self._count_lock:
                    self.fetched_bytes += len(piece)
                check()
            if at < end:
                raise StorageError(
                    f"{self.remote.address} broke off: {at - start} of {end - start} bytes came", transient=True
                )

        retried(attempt, check=check)
        for block in range(start // BLOCK_BYTES, -(-end // BLOCK_BYTES)):
            self._there[block] = 1

    def _keep(self, piece: bytes, at: int) -> None:
        try:
            os.pwrite(self._fd, piece, at)
        except OSError as error:
            raise StorageError(
                f"{self.remote.address} cannot be kept at {self.path}: {error}; check the disk"
            ) from error

    def _fetch_parts(self, parts: list[tuple[int, int]], progress: TransferCallback) -> None:
        stop = threading.Event()
        before = self.fetched_bytes - (self.size - sum(end - start for start, end in parts))

        def check() -> None:
            if stop.is_set():
                raise StorageError(f"the download of {self.remote.address} was stopped")

        with ThreadPoolExecutor(WORKERS, "reelproc-download") as pool:
            try:
                waiting = {pool.submit(self._fetch, start, end, check) for start, end in parts}
                while waiting:
                    done, waiting = wait(waiting, timeout=0.1, return_when=FIRST_COMPLETED)
                    for future in done:
                        future.result()
                    progress(min(self.fetched_bytes - before, self.size), self.size)
            except BaseException:
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise

    def _timed(self) -> _Stopwatch:
        return _Stopwatch(self)


class _Stopwatch:
    def __init__(self, file: PartialFile) -> None:
        self._file = file

    def __enter__(self) -> None:
        self._begin = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._file.seconds += time.perf_counter() - self._begin


class _Reader(io.RawIOBase):
    """A position in a :class:`PartialFile`."""

    def __init__(self, file: PartialFile, name: str) -> None:
        self.name = name  # which PyAV's container has, too
        self._file = file
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._file.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        wanted = self._file.size if size is None or size < 0 else size
        try:
            data = self._file.read(self._at, wanted)
        except ReelprocError as error:
            self._file.failure = error
            raise
        self._at += len(data)
        return data
