"""Download one pinned file: resumed where it stopped, checked before it appears, whole or not at all.

What has arrived lies beside the destination as ``NAME.part``, under a lock, so that the next attempt, in this process
or another, goes on from there. The destination appears by rename, after its size and its hash were found right.
"""

from __future__ import annotations

import email.message
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from reelproc.errors import StorageError, shown_address
from reelproc.files import sha256_of
from reelproc.machine.posix import fcntl
from reelproc.retries import asked_pause, retried
from reelproc.storage.base import TransferCallback, no_progress
from reelproc.storage.web import can_pass, read_to_end

_log = logging.getLogger(__name__)

ATTEMPTS = 3
"""Connections that are tried, however long each of them lasted."""


def download(url: str, destination: Path, *, size: int, sha256: str, progress: TransferCallback = no_progress) -> None:
    """Bring the file at ``url`` to ``destination``, unless it is there already, whole and right.

    Args:
        url: ``https://`` or ``http://``; redirects are followed.
        destination: where it is to appear; its folder is made.
        size: of the file, bytes.
        sha256: its hex digest.
        progress: told the bytes that are there and ``size``; may raise to stop.

    Raises:
        StorageError: the server cannot be reached or breaks off (``transient``), does not have the file, or sends
            another one than was expected; or the file cannot be written.
    """
    if not url.startswith(("https://", "http://")):
        raise StorageError(f"weights are downloaded from https:// addresses, got {url}")
    part = destination.with_name(destination.name + ".part")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with _locked(part) as file:
            if _is_whole(destination, size, sha256):  # another process was faster
                part.unlink(missing_ok=True)
                return
            _log.info("fetching %s (%d bytes)", shown_address(url), size)
            _fill(url, file, size, progress)
            file.flush()
            if (got := sha256_of(part)) != sha256:
                part.unlink()
                raise StorageError(
                    f"{url} is not the expected file: its sha256 is {got}, expected {sha256}. It was thrown away; "
                    "something on the way changes files, or the release was replaced"
                )
            os.fsync(file.fileno())
            part.replace(destination)
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(f"{destination} cannot be written: {error}") from error


def _is_whole(path: Path, size: int, sha256: str) -> bool:
    return path.is_file() and path.stat().st_size == size and sha256_of(path) == sha256


@contextmanager
def _locked(part: Path) -> Iterator[BinaryIO]:
    """Yield the partial file, open for one process at a time; others wait."""
    while True:
        with part.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                same = os.fstat(file.fileno()).st_ino == part.stat().st_ino
            except FileNotFoundError:  # renamed or removed while we waited for it
                same = False
            if same:
                yield file
                return


def _fill(url: str, file: BinaryIO, size: int, progress: TransferCallback) -> None:
    """Append what is missing, over as many connections as it takes."""
    if file.seek(0, os.SEEK_END) > size:  # of another release
        file.truncate(0)

    def tell() -> None:
        progress(file.seek(0, os.SEEK_END), size)

    def attempt() -> None:
        there = file.seek(0, os.SEEK_END)
        if there == size:
            return
        for at, piece in read_to_end(url, there, refusal=_refusal):
            if at < there:  # it sends the whole file, asked or not
                file.truncate(at)
            there = at + len(piece)
            if there > size:
                file.truncate(0)
                raise StorageError(f"{url} is not the expected file: it has more than the {size:,} bytes expected")
            file.write(piece)
            progress(there, size)
        if there < size:
            raise StorageError(
                f"{url} cannot be fetched: the connection ended after {there:,} of {size:,} bytes; "
                "what has arrived is kept, try again",
                transient=True,
            )

    retried(attempt, check=tell, attempts=ATTEMPTS)


def _refusal(status: int, shown: str, headers: email.message.Message) -> StorageError:
    return StorageError(
        f"{shown} cannot be fetched: the server answers {status}",
        transient=can_pass(status),
        retry_after_seconds=asked_pause(headers.get("Retry-After"), headers.get("Date")),
    )
