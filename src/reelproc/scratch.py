"""Folders for what is needed only while something runs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from reelproc.errors import StorageError

__all__ = ["scratch_folder"]


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder of one's own where the system keeps such, gone with all that is in it at the end of the block.

    Raises:
        StorageError: there is no place for it.
    """
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="reelproc-"))
        except OSError as error:
            raise StorageError(
                f"no folder for temporary files: {error}; free some of the disk, or name another one by TMPDIR"
            ) from error
        yield Path(folder)
