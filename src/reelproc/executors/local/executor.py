"""Jobs on this machine: warm worker processes, one job each at a time, and a durable folder per job."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from contextlib import ExitStack
from pathlib import Path

from reelproc.errors import ExecutorError, JobCancelledError, JobLostError, ReelprocError, SpecError
from reelproc.executors.base import Executor, Hardware, check_timeout
from reelproc.executors.handle import JobHandle, JobState
from reelproc.executors.hardware import this_machine
from reelproc.executors.local.job_folder import JobFolder, JobRequest, prune
from reelproc.executors.local.task import LOOK_SECONDS, Task, cancelled, left_behind, run_task
from reelproc.executors.local.worker_process import WorkerProcess
from reelproc.executors.outcome import as_reelproc_error
from reelproc.folders import cache_folder
from reelproc.jobs import Job, checked_job
from reelproc.results import JobResult, JobStatus, ResultT, ResultT_co

_log = logging.getLogger(__name__)

_CLAIM_SECONDS = 2.0


class LocalExecutor(Executor):
    """Runs jobs in worker processes of this machine.

    The workers start with the first jobs, stay warm between jobs, and die with this process. Jobs beyond their number
    wait in order. Every job has a folder (see :mod:`~reelproc.executors.local.job_folder`) from which another process
    can follow it, and from which a job that was cut short is resumed: by :meth:`attach`, or by submitting it again.

    Args:
        workers: jobs that run at the same time. A render keeps all cores busy by itself: more than one worker pays
            where jobs are short or wait for a device.
        folder: where the jobs' folders are; None: ``jobs`` in :func:`reelproc.folders.cache_folder`.
        timeout: seconds that a job may run unless ``submit`` says otherwise; None: no limit.
        grace_seconds: how long a cancelled job may take to stop by itself before its worker is killed.
        keep_days: how long the folders of former jobs are kept.

    Raises:
        SpecError: an option is out of range.
    """

    def __init__(
        self,
        *,
        workers: int = 1,
        folder: str | os.PathLike[str] | None = None,
        timeout: float | None = None,
        grace_seconds: float = 2.0,
        keep_days: float = 7.0,
    ) -> None:
        if not (workers >= 1 and workers == workers // 1):
            raise SpecError(f"a local executor has a whole number of workers from 1 up, got workers={workers!r}")
        for name, value in (("grace_seconds", grace_seconds), ("keep_days", keep_days)):
            if not value >= 0:
                raise SpecError(f"{name} is a number from 0 up, got {value!r}")
        self.folder = Path(folder).absolute() if folder is not None else cache_folder() / "jobs"
        self.workers = workers
        self._timeout = check_timeout(timeout)
        self._grace_seconds = grace_seconds
        self._keep_seconds = keep_days * 86400
        self._process_id = os.getpid()
        self._changed = threading.Condition()  # guards all that follows, and the tasks
        self._queue: deque[Task] = deque()
        self._tasks: dict[str, Task] = {}
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._closed = False
        self._pruned = False

    def __repr__(self) -> str:
        closed = ", closed" if self._closed else ""
        workers = "1 worker" if self.workers == 1 else f"{self.workers} workers"
        return f"<LocalExecutor: {workers}, jobs in {str(self.folder)!r}{closed}>"

    @property
    def hardware(self) -> Hardware:
        """This machine's cores and memory; it costs nothing."""
        return this_machine()

    @property
    def worker_pids(self) -> tuple[int, ...]:
        """Process ids of the workers that run a job now."""
        with self._changed:
            return tuple(task.worker.pid for task in self._tasks.values() if task.worker is not None)

    def submit(self, job: Job[ResultT], *, id: str | None = None, timeout: float | None = None) -> LocalJob[ResultT]:
        """Queue ``job``; see :meth:`Executor.submit`.

        Without an ``id`` its name is made of its content and its sources' size and modification time. So the same job
        again joins the one that runs, in whatever process that is; it resumes one that was cut short, failed or was
        cancelled, from its finished segments; and it is done again where it was complete. Under an ``id`` of your own
        a complete job whose output file is still as it was written is not done again.

        Raises:
            SpecError: the id is malformed or belongs to another job.
            ExecutorError: the executor is closed.
            StorageError: the job's folder cannot be written.
        """
        self._check_process()
        identity = checked_job(job).identity()
        request = JobRequest(
            id=id or f"{job.job}-{identity}",
            identity=identity,
            job=job,
            cwd=str(Path.cwd()),
            timeout=self._timeout if timeout is None else check_timeout(timeout),
        )
        folder = JobFolder(self.folder, request.id)
        self._prune()
        deadline = time.monotonic() + _CLAIM_SECONDS
        while True:
            with self._changed:
                self._check_open()
                task = self._tasks.get(request.id)
                if task is not None and task.cancelled:  # on its way out: the new run begins after it
                    self._changed.wait(LOOK_SECONDS)
                    continue
            if task is not None:
                _check_same(task.folder, request)
                return LocalJob(self, task.folder, task)
            if folder.lock():
                return self._start(folder, request, repeat=id is None)
            if not folder.state().ended or time.monotonic() > deadline:  # another process runs it
                _check_same(folder, request)
                return LocalJob(self, folder)
            time.sleep(0.01)  # its owner has just ended, or somebody looks whether it has

    def attach(self, id: str) -> LocalJob:
        """Return the handle of a job in this executor's folder, submitted by any process.

        One that another process runs is followed. One that was cut short, since its process died, is resumed here, from
        its finished segments.

        Raises:
            SpecError: the id is malformed.
        """
        handle = LocalJob(self, JobFolder(self.folder, id), self._task(id))
        handle.poll()
        return handle

    def resume(self, id: str) -> LocalJob:
        """Like :meth:`attach`; but a job that was cancelled is done again, from its finished segments.

        Raises:
            SpecError: the id is malformed.
            ExecutorError: the executor is closed.
        """
        self._check_process()
        folder = JobFolder(self.folder, id)
        if self._task(id) is None and isinstance(folder.state().outcome, JobCancelledError) and folder.lock():
            request = folder.request()
            if request is not None and isinstance(folder.state().outcome, JobCancelledError):
                return self._start(folder, request, repeat=True)
            folder.unlock()
        return self.attach(id)

    def close(self, *, cancel: bool = False) -> None:
        """Wait for all jobs submitted here, or cancel them, and end the workers. Safe to call again."""
        if self._is_forked():  # the workers are the other process's
            return
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        try:
            if not cancel:
                self._join()
        finally:  # nothing is left to cancel, or it was asked for, or Ctrl-C came while waiting
            with self._changed:
                tasks = list(self._tasks.values())
            for task in tasks:
                self._cancel(task)
            self._join()

    def detach(self) -> None:
        """End the workers now; :meth:`attach` resumes their jobs, and those that waited, in this process or the next.

        What a job has finished by then (its segments) is kept. Handles of these jobs raise JobLostError from then on.
        """
        if self._is_forked():
            return
        with self._changed:
            self._closed = True
            waiting, self._queue = list(self._queue), deque()
            for task in self._tasks.values():
                task.left = True
            self._changed.notify_all()
        for task in waiting:
            self._end(task, left_behind(task.folder.id))
        self._join()

    def _join(self) -> None:
        for thread in self._threads:
            thread.join()

    # ---- for the handles

    def _adopt(self, folder: JobFolder) -> Task | None:
        """Go on with a job that nobody runs any more; None where somebody does, or it has just ended."""
        task = self._task(folder.id)
        if task is not None or not folder.lock():
            return task
        with ExitStack() as stack:
            stack.callback(folder.unlock)
            request = folder.request()
            if request is None or folder.state().ended:
                return None
            stack.pop_all()
        return self._enqueue(folder, request)

    def _task(self, id: str) -> Task | None:
        if self._is_forked():
            return None
        with self._changed:
            return self._tasks.get(id)

    def _is_forked(self) -> bool:
        # A fork has none of the threads, and perhaps a lock that one of them held: nothing here may be touched in it.
        return os.getpid() != self._process_id

    def _cancel(self, task: Task) -> None:
        with self._changed:
            task.cancelled = True
            if task not in self._queue:
                return
            self._queue.remove(task)
        self._end(task, cancelled(task.folder.id))

    # ---- queue

    def _start(self, folder: JobFolder, request: JobRequest, *, repeat: bool) -> LocalJob:
        try:
            if not repeat:
                _check_same(folder, request)
                if folder.is_complete():
                    folder.unlock()
                    return LocalJob(self, folder)
            folder.begin(request)
        except BaseException:
            folder.unlock()
            raise
        return LocalJob(self, folder, self._enqueue(folder, request))

    def _enqueue(self, folder: JobFolder, request: JobRequest) -> Task:
        task = Task(folder, request.timeout, self._changed)
        _log.info("job %s is queued", folder.id)
        try:
            self._check_process()
            with self._changed:
                self._check_open()
                self._tasks[folder.id] = task
                self._queue.append(task)
                if self._idle < len(self._queue) and len(self._threads) < self.workers:
                    name = f"local-worker-{len(self._threads)}"
                    self._threads.append(threading.Thread(target=self._serve, name=name, daemon=True))
                    self._threads[-1].start()
                self._changed.notify_all()
        except ExecutorError:
            folder.unlock()
            raise
        return task

    def _next(self) -> Task | None:
        """Wait for the next job to run; None when the executor is closed and none is left."""
        with self._changed:
            self._idle += 1
            try:
                self._changed.wait_for(lambda: self._queue or self._closed)
                return self._queue.popleft() if self._queue else None
            finally:
                self._idle -= 1

    def _serve(self) -> None:
        """Run one job after the other in one worker process, or in another after a kill."""
        worker: WorkerProcess | None = None
        outcome: JobResult | ReelprocError
        try:
            while (task := self._next()) is not None:
                try:
                    worker, outcome = run_task(task, worker, grace_seconds=self._grace_seconds)
                except Exception as error:  # noqa: BLE001 - passed on to those who wait for the job
                    for broken in (worker, task.worker):
                        if broken is not None:
                            broken.kill()
                    worker, outcome = None, as_reelproc_error(error)
                self._end(task, outcome)
        finally:
            if worker is not None:
                worker.stop()

    def _end(self, task: Task, outcome: JobResult | ReelprocError) -> None:
        how = f"{type(outcome).__name__}: {outcome}" if isinstance(outcome, ReelprocError) else "complete"
        _log.info("job %s ended: %s", task.folder.id, how)
        try:
            if not (task.left and isinstance(outcome, JobLostError)):  # else whoever attaches next goes on with it
                task.folder.end(outcome)
        except OSError as error:  # a full disk: those who wait still hear of it, only a later attach does not
            if isinstance(outcome, ReelprocError):
                outcome.add_note(f"the job's folder could not be written: {error}")
        with self._changed:
            task.outcome = outcome
            task.worker = None
            del self._tasks[task.folder.id]
            task.folder.unlock()
        task.notify()

    def _check_open(self) -> None:
        if self._closed:
            raise ExecutorError("the executor is closed; submit within its with block, or make a new one")

    def _check_process(self) -> None:
        if self._is_forked():
            raise ExecutorError("the executor was made before this process forked; make one in each process")

    def _prune(self) -> None:
        with self._changed:
            due, self._pruned = not self._pruned, True
        if due:
            prune(self.folder, keep_seconds=self._keep_seconds)


class LocalJob(JobHandle[ResultT_co]):
    """Follows a job through its folder; of a job that this executor runs, it hears without delay."""

    def __init__(self, executor: LocalExecutor, folder: JobFolder, task: Task | None = None) -> None:
        self.id = folder.id
        self._executor = executor
        self._folder = folder
        self._task = task

    def poll(self, cursor: int | None = None, timeout: float = 0.0) -> JobState:
        """Return the folder's state; resume a job that was cut short."""
        deadline = time.monotonic() + timeout
        if self._executor._is_forked():
            self._task = None
        while True:
            changes = self._task.changes if self._task else 0
            state = self._look(cursor)
            left = deadline - time.monotonic()
            if state.ended or state.events or left <= 0:
                return state
            if self._task is not None:
                self._task.wait(changes, left)
            else:
                time.sleep(min(LOOK_SECONDS, left))

    def cancel(self) -> None:
        """Stop the job, whichever process runs it; its finished segments stay for another run."""
        if self._task is not None and not self._executor._is_forked():
            self._executor._cancel(self._task)
        elif not self._folder.state().ended:
            self._folder.request_cancel()

    def _look(self, cursor: int | None) -> JobState:
        outcome = self._task.outcome if self._task else None
        state = self._folder.state(cursor)
        if outcome is not None:  # the folder may be in a new run already, or the disk full
            return JobState(_status(outcome), outcome, state.events, state.cursor)
        if self._task is None and not state.ended:
            try:
                self._task = self._executor._adopt(self._folder)
            except ExecutorError as error:
                lost = JobLostError(f"job {self.id} was cut short when its process died, and {error}")
                return JobState("unknown", lost, state.events, state.cursor)
        return state


def _status(outcome: JobResult | ReelprocError) -> JobStatus:
    if not isinstance(outcome, ReelprocError):
        return "complete"
    return "cancelled" if isinstance(outcome, JobCancelledError) else "error"


def _check_same(folder: JobFolder, request: JobRequest) -> None:
    known = folder.request()
    if known is not None and known.identity != request.identity:
        raise SpecError(
            f"the id {request.id!r} belongs to another job (its content or a source's has changed since); "
            "choose another id, or none"
        )
