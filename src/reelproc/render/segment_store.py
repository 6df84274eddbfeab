"""Finished segments in storage, where the next attempt of a job finds them, on whatever machine it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from reelproc import storage
from reelproc.errors import ObjectNotFoundError, StorageError
from reelproc.render.concealment import notes_path


class SegmentStore:
    """A prefix of addresses that holds segments under the names of their content.

    Args:
        prefix: ``s3://bucket/prefix``, or a folder of this machine.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def fetch(self, segment: Path) -> bool:
        """Get the segment of this name, with its notes; False where it is not there.

        Raises:
            StorageError: storage cannot be asked.
        """
        try:
            for path in (segment, notes_path(segment)):  # the notes last, as they were put
                got = storage.resolve(storage.join(self.prefix, path.name), folder=segment.parent / "fetched")
                storage.publish(got, path)
        except ObjectNotFoundError:
            return False
        return True

    def keep(self, segment: Path) -> None:
        """Put a finished segment and its notes.

        Raises:
            StorageError: it cannot be put.
        """
        for path in (segment, notes_path(segment)):
            storage.publish(path, storage.join(self.prefix, path.name), keep=True)

    def forget(self, segments: Iterable[Path]) -> None:
        """Remove what is not needed any more. What cannot be removed costs a little storage, and no job."""
        for segment in segments:
            for path in (notes_path(segment), segment):
                with contextlib.suppress(StorageError):
                    storage.remove(storage.join(self.prefix, path.name))
