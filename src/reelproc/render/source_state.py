"""Notice a source on this machine that is replaced or changed while it is rendered.

The time of its last change does not tell: a backup, ``touch`` or a copy put over its original changes that, and no
byte. So where a file's time, or the file itself, is another, samples of its bytes are compared. Two recordings do not
share them: the file's two ends, where containers keep their indexes, and places all over it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from reelproc.errors import DecodeError
from reelproc.storage.source import LocalSource, Source

END_BYTES = 64 << 10
SAMPLES, SAMPLE_BYTES = 64, 4096


@dataclass(frozen=True)
class SourceState:
    """A source as it was at some moment.

    Attributes:
        source: a file of this machine.
        stat: what the system said of it.
        digest: of its samples.
    """

    source: LocalSource
    stat: os.stat_result
    digest: str

    @classmethod
    def all_of(cls, sources: Iterable[Source]) -> list[Self]:
        """Note the state of those files that others can change, and that are there: downloads are left alone."""
        own = [source for source in dict.fromkeys(sources) if isinstance(source, LocalSource) and not source.is_pinned]
        found = [cls._of(source) for source in own]
        return [state for state in found if state is not None]

    def touched(self) -> str | None:
        """Return a warning where the file is another by its time and the same by its samples; None where it is itself.

        One that has only grown is being recorded; one that is gone has been read.

        Raises:
            DecodeError: it was replaced or changed; transient.
        """
        try:
            stat = self.source.path.stat()
        except OSError:
            return None
        is_itself = (stat.st_dev, stat.st_ino) == (self.stat.st_dev, self.stat.st_ino)
        if is_itself and (stat.st_mtime_ns == self.stat.st_mtime_ns or stat.st_size > self.stat.st_size):
            return None
        name = self.source.name
        now = self._of(self.source) if stat.st_size == self.stat.st_size else None
        if now is None or now.digest != self.digest:
            raise DecodeError(f"{name} was replaced or changed while it was read; try again", transient=True)
        return f"{name} was touched or replaced while it was read; samples of it are what they were"

    @classmethod
    def _of(cls, source: LocalSource) -> Self | None:
        try:
            with source.open() as file:
                stat = os.fstat(file.fileno())
                digest = hashlib.sha256()
                for start, end in _samples(stat.st_size):
                    file.seek(start)
                    digest.update(file.read(end - start))
        except OSError:
            return None
        return cls(source, stat, digest.hexdigest())


def _samples(size: int) -> Iterable[tuple[int, int]]:
    """Yield where the samples of a file lie; all of it where it is little more than they are.

    >>> list(_samples(1000))
    [(0, 1000)]
    >>> spans = list(_samples(3_000_000_000))
    >>> spans[0], spans[-1], len(spans)
    ((0, 65536), (2999934464, 3000000000), 66)
    """
    if size <= 4 * (SAMPLES * SAMPLE_BYTES + 2 * END_BYTES):
        yield 0, size
        return
    yield 0, END_BYTES
    for number in range(SAMPLES):
        start = END_BYTES + (size - 2 * END_BYTES - SAMPLE_BYTES) * number // (SAMPLES - 1)
        yield start, start + SAMPLE_BYTES
    yield size - END_BYTES, size
