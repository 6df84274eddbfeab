"""Names for files that are not whole yet: hidden, beside their destination, and swept up if their maker was killed."""

from __future__ import annotations

import os
import re
import shutil
from itertools import count
from pathlib import Path

__all__ = ["partial_path"]

_serial = count()
_NAME = re.compile(r"\.(\d+)-\d+\.part")


def partial_path(destination: Path) -> Path:
    """A free name beside ``destination``, with its ending, for a file or folder that will be renamed to it.

    What processes that do not live any more have left there under such names is removed.

    >>> partial_path(Path("/nowhere/reel.mp4")).suffix
    '.mp4'
    """
    for leftover in _partials(destination):
        match = _NAME.search(leftover.name)
        if match and not _alive(int(match[1])):
            if leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)
    return destination.with_name(f"{_prefix(destination)}{os.getpid()}-{next(_serial)}.part{destination.suffix}")


def _prefix(destination: Path) -> str:
    """Not all of a long name: file systems allow 255 bytes, and what comes behind it needs some of them."""
    return f".{os.fsencode(destination.stem)[:200].decode('utf-8', 'ignore')}."


def _partials(destination: Path) -> list[Path]:
    prefix = _prefix(destination)
    try:
        return [p for p in destination.parent.iterdir() if p.name.startswith(prefix) and ".part" in p.name]
    except OSError:  # no such folder, or not to be read: whoever writes there will say so
        return []


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
