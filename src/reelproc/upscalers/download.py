"""Fetch one file over HTTP: resumed where it stopped, checked before it appears, whole or not at all.

What has arrived lies beside the destination as ``NAME.part``, under a lock, so that the next attempt, in this process
or another, goes on from there. The destination appears by rename, after its size and its hash were found right.
"""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from reelproc.errors import StorageError, shown_address
from reelproc.machine.posix import fcntl

__all__ = ["download", "sha256_of"]

_log = logging.getLogger(__name__)

ATTEMPTS = 3
"""Connections that are tried as long as each brings something new or fails in a way that can pass."""

TIMEOUT_SECONDS = 30.0
"""A server that sends nothing for this long is given up."""

BLOCK = 1 << 20

ProgressBytes = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes of the whole file."""


def sha256_of(path: Path) -> str:
    """The hex digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _silent(_done: int, _total: int) -> None:
    pass


def download(url: str, destination: Path, *, size: int, sha256: str, progress: ProgressBytes = _silent) -> None:
    """Bring the file at ``url`` to ``destination``, unless it is there already, whole and right.

    Args:
        url: ``https://`` or ``http://``; redirects are followed.
        destination: where it is to appear; its folder is made.
        size: of the file, bytes.
        sha256: its hex digest.
        progress: told the bytes that are there and ``size``, about once per megabyte; may raise to stop.

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
            if (got := _digest(file)) != sha256:
                part.unlink()
                raise StorageError(
                    f"{url} is not the expected file: its sha256 is {got}, expected {sha256}. It was thrown away; "
                    "something on the way changes files, or the release was replaced"
                )
            file.flush()
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
    """The partial file, open for one process at a time; others wait."""
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


def _digest(file: BinaryIO) -> str:
    file.flush()
    return sha256_of(Path(file.name))


def _fill(url: str, file: BinaryIO, size: int, progress: ProgressBytes) -> None:
    """Append what is missing, over as many connections as it takes."""
    failures = 0
    while True:
        there = file.seek(0, os.SEEK_END)
        if there > size:  # of another release
            file.truncate(there := 0)
        if there == size:
            return
        try:
            _append(url, file, there, size, progress)
            reason = f"the connection ended after {file.seek(0, os.SEEK_END):,} of {size:,} bytes"
            if file.tell() == size:
                continue
        except urllib.error.HTTPError as error:
            error.close()
            reason = f"the server answers {error.code} {error.reason}"
            if error.code < 500 and error.code not in (408, 429):
                raise StorageError(f"{url} cannot be fetched: {reason}") from error
        except (http.client.HTTPException, urllib.error.URLError, TimeoutError, ConnectionError) as error:
            reason = str(getattr(error, "reason", error)) or type(error).__name__
        failures += 1
        _log.warning("attempt %d of %d to fetch %s failed: %s", failures, ATTEMPTS, shown_address(url), reason)
        if failures >= ATTEMPTS:
            raise StorageError(
                f"{url} cannot be fetched: {reason}; what has arrived is kept, try again", transient=True
            )


def _append(url: str, file: BinaryIO, there: int, size: int, progress: ProgressBytes) -> None:
    headers = {"User-Agent": "reelproc", "Accept-Encoding": "identity"}
    if there:
        headers["Range"] = f"bytes={there}-"
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the scheme was checked
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
        begins = (answer.headers.get("Content-Range") or "").removeprefix("bytes ").split("-")[0]
        if there and not (answer.status == http.HTTPStatus.PARTIAL_CONTENT and begins == str(there)):
            file.truncate(there := 0)  # it sends the whole file, asked or not
        progress(there, size)
        while block := answer.read(min(BLOCK, size - there + 1)):
            there += len(block)
            if there > size:
                file.truncate(0)
                raise StorageError(f"{url} is not the expected file: it has more than the {size:,} bytes expected")
            file.write(block)
            progress(there, size)
