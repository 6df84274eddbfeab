"""The durable folder of a local job: what was asked, what happened so far, how it ended.

::

    <root>/<id>/
        job.json        the request: job, identity, working folder, time limit
        events.jsonl    progress, one event a line; there since the job has started
        log.txt         what the worker wrote to stderr
        segments/       what the job has finished; a later run of the job goes on from there
        sources/        what it has downloaded
        output/         what it has yet to upload
        result.json     the result, or
        error.json      the error that ended it
        cancel          somebody wants it stopped
        owner.lock      locked (flock) by the process that runs the job

Whoever holds the lock is the job's *owner* and the only one that writes, ``cancel`` excepted; all others read. The
system frees the lock when the owner dies, however it dies: a job without outcome and without owner was cut short, and
whoever locks it next may go on with it.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from reelproc import storage
from reelproc.errors import JobCancelledError, JobLostError, ReelprocError, SpecError, StorageError
from reelproc.executors.base import check_id
from reelproc.executors.handle import JobState
from reelproc.executors.outcome import outcome_from_data, outcome_to_data
from reelproc.jobs import AnyJob
from reelproc.machine.posix import fcntl
from reelproc.reel import Address
from reelproc.results import JobResult, JobStatus, Progress
from reelproc.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Iterator


class JobRequest(Schema):
    """What ``job.json`` holds.

    Attributes:
        id: the job's.
        identity: see :meth:`reelproc.jobs.Job.identity`.
        job: what to do.
        cwd: the folder that relative paths of the job count from.
        timeout: seconds that it may run; None: no limit.
    """

    version: Literal[1] = 1
    id: str
    identity: str
    job: AnyJob
    cwd: Address
    timeout: float | None = None

    def destination(self) -> str:
        """Return the job's destination, a relative path as an absolute one; empty where there is none."""
        output = self.job.destination()
        return str(Path(self.cwd, output)) if output and _is_local(output) else output


class JobFolder:
    """One job's folder. Makes nothing on disk until :meth:`lock`.

    Args:
        root: the folder of all jobs.
        id: the job's name.

    Raises:
        SpecError: the id is not fit for a folder's name.
    """

    def __init__(self, root: Path, id: str) -> None:
        self.id = check_id(id)
        self.path = root / id
        self._fd: int | None = None

    @property
    def log(self) -> Path:
        """The worker's stderr."""
        return self.path / "log.txt"

    # ---- what anybody may do

    def request(self) -> JobRequest | None:
        """Return the request, or None if no such job was ever submitted.

        Raises:
            JobLostError: it is not readable: damaged, or of another version of reelproc.
        """
        path = self.path / "job.json"
        try:
            text = _read(path)
            return None if text is None else JobRequest.model_validate_json(text)
        except ValueError as error:  # no UTF-8, or a SpecError
            raise JobLostError(
                f"{path} is not readable by this reelproc: {error}; remove its folder, or choose another id",
                transient=False,
            ) from error

    def state(self, cursor: int | None = None) -> JobState:
        """Return the job's state in the folder, with the events after ``cursor``, a byte offset, if given."""
        # The outcome is looked at first: it is written last, so when it is there the events are complete.
        outcome = self._outcome()
        events, cursor = ((), 0) if cursor is None else self._events(cursor)
        return JobState(self._status(outcome), outcome, events, cursor)

    def is_complete(self) -> bool:
        """Whether the job has a result and its output is still the one it made."""
        try:
            record = json.loads(_read(self.path / "result.json") or "null")
            if not record:
                return False
            return record["output"] is None or storage.identity(record["output"]) == record["identity"]
        except (ValueError, LookupError, TypeError, StorageError):
            return False

    def request_cancel(self) -> None:
        """Ask the owner of the job to stop it."""
        try:
            (self.path / "cancel").touch()
        except OSError as error:
            raise StorageError(f"job {self.id} cannot be cancelled: {error}") from error

    def cancel_requested(self) -> bool:
        """Whether somebody wants the job stopped."""
        return (self.path / "cancel").exists()

    # ---- ownership

    def lock(self) -> bool:
        """Become the owner; False where somebody else is. Makes the folder.

        Raises:
            StorageError: the folder cannot be made.
        """
        lock = self.path / "owner.lock"
        while True:
            try:
                self.path.mkdir(mode=0o700, parents=True, exist_ok=True)  # sources may be presigned URLs
                fd = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise StorageError(
                    f"job {self.id} has no place at {self.path}: {error}; choose one with executor('local', folder=...)"
                ) from error
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held = os.fstat(fd).st_ino == lock.stat().st_ino  # else it was pruned before we had it: again
            except BlockingIOError:
                os.close(fd)
                return False
            except FileNotFoundError:
                held = False
            if held:
                self._fd = fd
                _locked.add(self)
                return True
            os.close(fd)

    def unlock(self) -> None:
        """Be the owner no longer."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
            _locked.discard(self)

    # ---- what the owner alone does

    def begin(self, request: JobRequest) -> None:
        """Write down a new run of the job; the segments of former ones stay."""
        try:
            _write(self.path / "job.json", request.model_dump_json())
            for name in ("result.json", "error.json", "events.jsonl", "log.txt", "cancel"):
                (self.path / name).unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"job {self.id} cannot be written down in {self.path}: {error}") from error

    def append(self, event: Progress | None = None) -> None:
        """Add ``event``; without one, say that the job has started."""
        with (self.path / "events.jsonl").open("ab") as file:
            if event is not None:
                file.write(event.model_dump_json().encode() + b"\n")

    def end(self, outcome: JobResult | ReelprocError) -> None:
        """Write down how the job ended, and throw away the intermediate files of one that is complete."""
        if isinstance(outcome, ReelprocError):
            _write(self.path / "error.json", json.dumps(outcome_to_data(outcome)))
            return
        request = self.request()
        if request is None:
            raise FileNotFoundError(f"{self.path / 'job.json'} is gone")
        record = outcome_to_data(outcome, request.job.job)
        record["output"] = request.destination() or None
        try:
            record["identity"] = storage.identity(record["output"]) if record["output"] else None
        except (StorageError, SpecError):  # without an identity the result is never given back for a later submission
            record["identity"] = None
        _write(self.path / "result.json", json.dumps(record))
        for name in ("segments", "sources", "output"):
            shutil.rmtree(self.path / name, ignore_errors=True)

    def remove(self) -> None:
        """Remove the whole folder."""
        shutil.rmtree(self.path, ignore_errors=True)

    # ---- reading

    def _outcome(self) -> JobResult | ReelprocError | None:
        for name in ("result.json", "error.json"):
            try:
                text = _read(self.path / name)
                if text is not None:
                    return outcome_from_data(json.loads(text))
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                return JobLostError(f"{self.path / name} is not readable by this reelproc: {error}", transient=False)
        if not (self.path / "job.json").exists():
            return JobLostError(
                f"nothing is known of a job {self.id!r} in {self.path.parent}; "
                "it was never submitted there, or its folder was removed",
                transient=False,
                bad_input=True,
            )
        return None

    def _status(self, outcome: JobResult | ReelprocError | None) -> JobStatus:
        if outcome is None:
            return "running" if (self.path / "events.jsonl").exists() else "queued"
        if not isinstance(outcome, ReelprocError):
            return "complete"
        if isinstance(outcome, JobCancelledError):
            return "cancelled"
        return "error" if (self.path / "job.json").exists() else "unknown"

    def _events(self, cursor: int) -> tuple[tuple[Progress, ...], int]:
        try:
            with (self.path / "events.jsonl").open("rb") as file:
                if cursor > os.fstat(file.fileno()).st_size:  # a new run has begun
                    cursor = 0
                file.seek(cursor)
                data = file.read()
        except FileNotFoundError:
            return (), 0
        whole = data[: data.rfind(b"\n") + 1]  # the last line may be in the making
        return tuple(_parsed(whole)), cursor + len(whole)


def _parsed(lines: bytes) -> Iterator[Progress]:
    for line in lines.splitlines():
        try:
            yield Progress.model_validate_json(line)
        except SpecError:  # torn by a crash of the owner; the next run writes after it
            continue


_locked: weakref.WeakSet[JobFolder] = weakref.WeakSet()


def _after_fork() -> None:
    # A forked child would share the lock and keep the job looking owned when the real owner is dead.
    for folder in list(_locked):
        folder.unlock()


os.register_at_fork(after_in_child=_after_fork)


def prune(root: Path, *, keep_seconds: float) -> None:
    """Remove the folders of jobs that nobody runs and that were submitted more than ``keep_seconds`` ago."""
    limit = time.time() - keep_seconds
    for request in root.glob("*/job.json"):
        try:
            old = request.stat().st_mtime < limit
            folder = JobFolder(root, request.parent.name)
        except (FileNotFoundError, SpecError):  # another process prunes, too; not made by us
            continue
        if old and folder.lock():
            folder.remove()
            folder.unlock()


def _is_local(address: str) -> bool:
    return storage.scheme_of(address) == "file" and not address.lower().startswith("file://")


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None


def _write(path: Path, text: str) -> None:
    """Write atomically: readers find the former content or all of the new one, also after a crash."""
    partial = path.with_name(f".{path.name}.part")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
