"""A job that a local executor owns, and how a worker process is made to do it: time limit, cancelling, death."""

from __future__ import annotations

import logging
import signal
import threading
import time
from dataclasses import dataclass, field

from reelproc.errors import ExecutorError, JobCancelledError, JobLostError, JobTimeoutError, ReelprocError
from reelproc.executors.local.job_folder import JobFolder
from reelproc.executors.local.worker_process import WorkerProcess, tail
from reelproc.executors.outcome import outcome_from_data
from reelproc.logs import log_again, wanted_level
from reelproc.results import JobResult, Progress

_log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
"""How often a running job's time limit and cancel mark are looked at, and the folder of a job of another process."""


@dataclass(eq=False)
class Task:
    """A job from submission to outcome.

    Attributes:
        folder: the job's, locked.
        timeout: seconds that it may run; None: no limit.
        changed: guards the rest, and is notified when it changes. All tasks of an executor share it.
        cancelled: it is to stop.
        left: it is to be cut short, without an outcome in its folder, for whoever attaches to it next.
        changes: counts what happened to the job.
        outcome: how it ended; None before.
        worker: what runs it now.
    """

    folder: JobFolder
    timeout: float | None
    changed: threading.Condition
    cancelled: bool = False
    left: bool = False
    changes: int = 0
    outcome: JobResult | ReelprocError | None = None
    worker: WorkerProcess | None = field(default=None, repr=False)

    def notify(self) -> None:
        """Wake those who wait for something to happen to the job."""
        with self.changed:
            self.changes += 1
            self.changed.notify_all()

    def wait(self, changes: int, timeout: float) -> None:
        """Wait until more than ``changes`` things have happened, or ``timeout`` seconds have gone."""
        with self.changed:
            self.changed.wait_for(lambda: self.changes != changes, timeout)


def run_task(
    task: Task, worker: WorkerProcess | None, *, grace_seconds: float
) -> tuple[WorkerProcess | None, JobResult | ReelprocError]:
    """Have ``task`` done and say how it ended.

    Args:
        task: what to do.
        worker: an idle worker; where there is none, or it has died, a new one is started.
        grace_seconds: a job that is to stop may take this long for it; then its worker is killed.

    Returns:
        A worker that is fit for the next job (or None), and the outcome.

    Raises:
        ExecutorError: a worker cannot be started.
        OSError: the job's folder cannot be written.
    """
    if task.cancelled or task.folder.cancel_requested():
        return worker, cancelled(task.folder.id)
    if task.left:
        return worker, left_behind(task.folder.id)
    task.folder.append()
    if worker is not None:
        ended = _converse(task, worker, grace_seconds, started=None)
        if ended is not None:
            return ended
    before = time.monotonic()
    worker = WorkerProcess(task.folder.log)
    _log.debug("process %d was started for job %s", worker.pid, task.folder.id)
    ended = _converse(task, worker, grace_seconds, started=before)
    if ended is not None:
        return ended
    said = f"the worker of {_death(task.folder, worker)} before it could begin{_last_words(task.folder)}"
    return None, ExecutorError(said, transient=worker.kill() < 0)  # by a signal: another may be left alone


def _converse(
    task: Task, worker: WorkerProcess, grace_seconds: float, *, started: float | None
) -> tuple[WorkerProcess | None, JobResult | ReelprocError] | None:
    """Do the work of :func:`run_task`; None if the worker died before it began, when nothing is lost.

    ``started``: when the worker's start began, for the phase startup; None for a worker that was there.
    """
    begin = time.monotonic()
    began, startup = False, 0.0
    stop: ReelprocError | None = None
    stop_by = 0.0
    task.worker = worker
    task.notify()
    worker.send({"run": str(task.folder.path), "log_level": str(wanted_level())})
    while (messages := worker.receive(LOOK_SECONDS)) is not None:
        now = time.monotonic()
        for message in messages:
            if "begin" in message:
                began, startup = True, 0.0 if started is None else now - started
            elif "event" in message:
                task.folder.append(Progress.model_validate(message["event"]))
                task.notify()
            elif "log" in message:
                log_again(message["log"])
            else:
                outcome = outcome_from_data(message["end"])
                if stop is not None and isinstance(outcome, JobCancelledError):
                    return worker, stop
                return worker, _with_startup(outcome, startup)
        if task.left:
            break
        if stop is None:
            stop = _reason_to_stop(task, now - begin)
            if stop is not None:
                worker.send({"cancel": task.folder.id})
                stop_by = now + grace_seconds
        elif now > stop_by:
            break
    worker.kill()
    if task.left:
        return None, left_behind(task.folder.id)
    if stop is not None:
        return None, stop
    return (None, _lost(task.folder, worker)) if began else None


def cancelled(id: str) -> JobCancelledError:
    """Return the outcome of a cancelled job."""
    return JobCancelledError(f"job {id} was cancelled")


def left_behind(id: str) -> JobLostError:
    """Return the outcome, for this process, of a job that its executor has detached."""
    return JobLostError(f"job {id} was cut short when its executor was detached; attach to it, and it goes on")


def _reason_to_stop(task: Task, seconds: float) -> ReelprocError | None:
    if not task.cancelled and task.folder.cancel_requested():  # by another process
        task.cancelled = True
    if task.cancelled:
        return cancelled(task.folder.id)
    if task.timeout is not None and seconds > task.timeout:
        return JobTimeoutError(
            f"job {task.folder.id} was stopped at its time limit of {task.timeout:g} s; "
            "submit it again with more, and it goes on from its finished segments"
        )
    return None


def _with_startup(outcome: JobResult | ReelprocError, seconds: float) -> JobResult | ReelprocError:
    if isinstance(outcome, ReelprocError):
        return outcome
    loading = outcome.phases.get("startup", 0.0)  # of networks
    return outcome.model_copy(update={"phases": {**outcome.phases, "startup": round(seconds + loading, 4)}})


def _lost(folder: JobFolder, worker: WorkerProcess) -> JobLostError:
    remedy = "submit the job again, and it goes on from its finished segments"
    if worker.kill() == -signal.SIGKILL:
        remedy += "; if it recurs, the system may be out of memory"
    return JobLostError(f"the worker of {_death(folder, worker)}; {remedy}{_last_words(folder)}")


def _death(folder: JobFolder, worker: WorkerProcess) -> str:
    code = worker.kill()
    how = f"was killed by signal {-code} ({signal.strsignal(-code)})" if code < 0 else f"ended with status {code}"
    return f"job {folder.id} {how}"


def _last_words(folder: JobFolder) -> str:
    said = tail(folder.log)
    return f"\n  its last words: {said[-600:]}" if said else ""
