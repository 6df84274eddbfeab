"""Files that appear whole or not at all, and folders for what is needed only while something runs.

A file that is not whole yet has a hidden name beside its destination. What a killed process left under such a name is
removed by the next one that writes to the same destination.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from reelproc.errors import ReelprocError, StorageError

_serial = count()
_MADE_BY = re.compile(r"\.(\d+)-\d+\.part")


@contextmanager
def whole_file(destination: Path, *, durable: bool = False, error: type[ReelprocError] | None = None) -> Iterator[Path]:
    """Yield a free name beside ``destination``, and rename the file there to it when the block ends well.

    If the block raises, the file is removed, and ``destination`` stays as it was.

    Args:
        destination: the file to make; its folder must exist.
        durable: have the content on the disk before the rename, so that it survives a power cut.
        error: raised instead of OSError where the finished file cannot be renamed.

    Raises:
        OSError: the finished file cannot be renamed.

    >>> with scratch_folder() as folder:
    ...     with whole_file(folder / "notes.txt") as partial:
    ...         _ = partial.write_text("kick-off at 15:30")
    ...     [path.name for path in folder.iterdir()]
    ['notes.txt']
    """
    partial = partial_path(destination)
    try:
        yield partial
        try:
            if durable:
                with partial.open("rb") as file:
                    os.fsync(file.fileno())
            partial.replace(destination)
        except OSError as failure:
            if error is None:
                raise
            raise error(f"{partial} cannot be moved to {destination}: {failure}") from failure
    except BaseException:
        with suppress(OSError, ValueError):  # ValueError: no name that a file could have
            partial.unlink()
        raise


def partial_path(destination: Path) -> Path:
    """Return a free name beside ``destination``, with its ending, for a file that will be renamed to it.

    Removes what processes that are dead left there under such names.

    >>> partial_path(Path("/nowhere/reel.mp4")).suffix
    '.mp4'
    """
    return _free_name(destination, destination.suffix)


def sha256_of(path: Path) -> str:
    """Return the hex digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def scratch_folder(*, beside: Path | None = None) -> Iterator[Path]:
    """Make a folder, and remove it with all that is in it when the block ends.

    Args:
        beside: make it beside this file, on the same disk; None: where the system keeps temporary files.

    Raises:
        StorageError: it cannot be made.
    """
    try:
        if beside is None:
            folder = Path(tempfile.mkdtemp(prefix="reelproc-"))
        else:
            folder = _free_name(beside, "")
            folder.mkdir()
    except OSError as error:
        remedy = "another one by TMPDIR" if beside is None else "another place for the result"
        raise StorageError(
            f"no folder for temporary files: {error}; free some of the disk, or name {remedy}"
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_name(destination: Path, ending: str) -> Path:
    for leftover in _partials(destination):
        match = _MADE_BY.search(leftover.name)
        if match and not _is_alive(int(match[1])):
            if leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)
    return destination.with_name(f"{_prefix(destination)}{os.getpid()}-{next(_serial)}.part{ending}")


def _prefix(destination: Path) -> str:
    """Return a dot and the beginning of the name: file systems allow 255 bytes, and the rest needs some of them."""
    return f".{os.fsencode(destination.stem)[:200].decode('utf-8', 'ignore')}."


def _partials(destination: Path) -> list[Path]:
    prefix = _prefix(destination)
    try:
        return [p for p in destination.parent.iterdir() if p.name.startswith(prefix) and ".part" in p.name]
    except OSError:  # no such folder, or not to be read: the writer will say so
        return []


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
