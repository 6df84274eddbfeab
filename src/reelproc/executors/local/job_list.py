"""The jobs of this machine, from their folders: what there is, and its removal."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

from reelproc.errors import JobCancelledError, JobLostError, ReelprocError, SpecError
from reelproc.executors.local.job_folder import JobFolder
from reelproc.machine.posix import fcntl
from reelproc.schema import Schema

JobKept = Literal["queued", "running", "interrupted", "complete", "error", "cancelled", "unreadable"]
"""``interrupted``: it has not ended, and nobody runs it; ``reelproc attach`` goes on with it."""


class JobEntry(Schema):
    """A job whose folder is there.

    Attributes:
        id: for ``reelproc attach``.
        kind: ``render``, ``extract`` or ``detect``; "" where it cannot be read.
        state: how far it is.
        age_seconds: since it was submitted.
        output: where its result is, or is to be; "" where all is in its record.
        size_bytes: of its folder.
    """

    id: str
    kind: str
    state: JobKept
    age_seconds: float
    output: str
    size_bytes: int


class JobList(Schema):
    """All jobs, the newest first, and the folder that they are in."""

    folder: str
    jobs: tuple[JobEntry, ...]


def listed(root: Path) -> list[JobEntry]:
    """Return the jobs below ``root``, the newest first."""
    entries = []
    for path in root.glob("*/job.json"):
        with suppress(FileNotFoundError, SpecError):  # another process removes it; not made by us
            entries.append(_entry(JobFolder(root, path.parent.name)))
    return sorted(entries, key=lambda entry: entry.age_seconds)


def remove(root: Path, id: str) -> bool:
    """Remove the folder of a job, unless somebody runs it; False where that is so, or there is none.

    Raises:
        SpecError: the id is malformed.
    """
    folder = JobFolder(root, id)
    if not (folder.path / "job.json").exists() or not folder.lock():
        return False
    try:
        folder.remove()
    finally:
        folder.unlock()
    return True


def _entry(folder: JobFolder) -> JobEntry:
    submitted = (folder.path / "job.json").stat().st_mtime
    kind, output = "", ""
    with suppress(ReelprocError):
        request = folder.request()
        if request is not None:
            kind, output = request.job.job, request.job.destination()
    return JobEntry(
        id=folder.id,
        kind=kind,
        state=_state(folder) if kind else "unreadable",
        age_seconds=round(max(0.0, time.time() - submitted), 1),
        output=output,
        size_bytes=sum(_sizes(folder.path)),
    )


def _state(folder: JobFolder) -> JobKept:
    state = folder.state()
    if state.status == "complete":
        return "complete"
    if isinstance(state.outcome, JobCancelledError):
        return "cancelled"
    if isinstance(state.outcome, JobLostError) and state.status == "unknown":
        return "unreadable"
    if state.outcome is not None:
        return "error"
    if not _is_owned(folder.path):
        return "interrupted"
    return "running" if state.status == "running" else "queued"


def _is_owned(path: Path) -> bool:
    """Whether somebody holds the folder's lock; to ask takes no more than a shared one, for a moment."""
    try:
        fd = os.open(path / "owner.lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def _sizes(path: Path) -> Iterator[int]:
    for folder, _, names in os.walk(path):
        for name in names:
            with suppress(OSError):
                yield Path(folder, name).lstat().st_size
