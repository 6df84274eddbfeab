"""Jobs on Modal: ``executor("modal-t4")``, ``executor("modal-l4")``, ``executor("modal-cpu")``."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
import time
import uuid
from dataclasses import replace
from typing import Any

import modal
import modal.exception

from reelproc import __version__
from reelproc.errors import ExecutorError, JobLostError, ObjectNotFoundError, ReelprocError, SpecError, StorageError
from reelproc.executors.base import Executor, Hardware, check_id, check_timeout
from reelproc.executors.handle import JobHandle, JobState
from reelproc.executors.modal.call_errors import ended_state, in_thread, modal_failures, outcome_of
from reelproc.executors.modal.presets import APP_NAME, CLASS_NAME, COORDINATOR, Preset, preset
from reelproc.executors.modal.records import DICT_NAME, JobRecord, read_events
from reelproc.executors.modal.staging import Staged, Staging, fetch
from reelproc.executors.modal.worker import ModalRequest
from reelproc.jobs import Job, checked_job
from reelproc.results import Progress, ResultT, ResultT_co
from reelproc.storage import identity

_CLAIM_SECONDS = 20.0
_LOOK_SECONDS = 0.25


class ModalExecutor(Executor):
    """Runs jobs in containers of the app that ``reelproc modal deploy`` deploys.

    What it knows of a job lies on Modal, so that any process with the same account can :meth:`attach` to it, and a
    client that dies loses nothing.

    Args:
        name: the preset: ``modal-t4``, ``modal-l4``, ``modal-cpu``.
        staging: ``s3://bucket/prefix`` for sources and outputs that are paths on this machine: sources are uploaded
            there once per content, results fetched from there.
        timeout: seconds that a job may run unless ``submit`` says otherwise; the preset's limit holds in any case.
        start_timeout: seconds that a job may wait for a container; then it is cancelled. Modal itself would go on for
            ever with a container that fails to start.
        app: the app's name; None: ``REELPROC_MODAL_APP``, or ``reelproc``.
        environment: Modal's environment; None: the profile's.

    Raises:
        SpecError: an option is out of range.
    """

    def __init__(
        self,
        *,
        name: str,
        staging: str | None = None,
        timeout: float | None = None,
        start_timeout: float = 900.0,
        app: str | None = None,
        environment: str | None = None,
    ) -> None:
        self.preset = preset(name)
        self.start_timeout = start_timeout
        self._staging = Staging(staging)
        self._timeout = check_timeout(timeout)
        self._app = app or os.environ.get("REELPROC_MODAL_APP", APP_NAME)
        self._environment = environment
        self._lock = threading.Lock()
        self._handles: list[ModalJob] = []
        self._closed = False

    def __repr__(self) -> str:
        return f"<ModalExecutor: {self.preset.name}, app {self._app!r}>"

    @property
    def hardware(self) -> Hardware:
        """What the preset rents, at list prices."""
        return self.preset.hardware

    @in_thread
    def submit(self, job: Job[ResultT], *, id: str | None = None, timeout: float | None = None) -> ModalJob[ResultT]:
        """Start ``job`` on Modal; see :meth:`Executor.submit`.

        Raises:
            SpecError: the id is malformed or belongs to another job; a path of this machine, and no ``staging``.
            ExecutorError: the executor is closed, the app is not deployed, or Modal cannot be reached.
            StorageError: a source cannot be uploaded to ``staging``.
        """
        if self._closed:
            raise ExecutorError("the executor is closed; submit within its with block, or make a new one")
        limit = self._timeout if timeout is None else check_timeout(timeout)
        content = checked_job(job).identity()
        name = check_id(id or f"{job.job}-{content}")
        staged: Staged | None = None
        with modal_failures(self._app):
            while True:
                known = self._record(name)
                handle = None if known is None else ModalJob(self, name, known)
                if handle is not None and known is not None:
                    if id is not None and known.identity != content:
                        raise SpecError(
                            f"the id {id!r} belongs to another job (its content or a source's has changed since); "
                            "choose another id, or none"
                        )
                    running = not handle.is_cancelled() and not handle.poll().ended
                    if running or (id is not None and handle.is_complete()):
                        return self._kept(handle)
                staged = staged or self._staging.staged(job, name)  # first: it may take longer than a claim holds
                run = known.run + 1 if known else 0
                if self._jobs.put(f"claim/{name}/{run}", uuid.uuid4().hex, skip_if_exists=True):
                    break
                self._wait_for(name, run)  # another process submits the same job now
            try:
                record = self._spawn(job, staged, id=name, run=run, identity=content, timeout=limit)
            except BaseException:  # nobody must wait for a run that does not begin
                self._jobs.pop(f"claim/{name}/{run}", None)
                raise
        return self._kept(ModalJob(self, name, record))

    @in_thread
    def attach(self, id: str) -> ModalJob:
        """Return the handle of a job submitted with this account, by any process and preset."""
        check_id(id)
        with modal_failures(self._app):
            return ModalJob(self, id, self._record(id))

    @in_thread
    def close(self, *, cancel: bool = False) -> None:
        """Wait for all jobs submitted here, or cancel them. Safe to call again."""
        self._closed = True
        with self._lock:
            handles, self._handles = self._handles, []
        try:
            if not cancel:
                for handle in handles:
                    handle.wait()
        finally:  # none is left to cancel, or it was asked for, or Ctrl-C came while waiting
            for handle in handles:
                handle.cancel()
            for handle in handles:
                handle.wait()

    def detach(self) -> None:
        """Take no more jobs; those that were submitted go on, and :meth:`attach` finds them. Safe to call again."""
        self._closed = True
        with self._lock:
            self._handles.clear()

    def _spawn(self, job: Job, staged: Staged, *, id: str, run: int, identity: str, timeout: float | None) -> JobRecord:
        """Start the call that does the job, as it is ``staged``, and write down which call it is."""
        request = ModalRequest(
            version=__version__,
            id=id,
            job=staged.job,
            preset=self.preset.name,
            timeout=timeout,
            store=self._staging.store(staged.job),
            coordinated=job.is_divided,
            names=dict(staged.names),
        )
        call = self._worker(COORDINATOR if job.is_divided else self.preset).run.spawn(request.model_dump_json())
        record = JobRecord(
            id=id,
            run=run,
            call=call.object_id,
            identity=identity,
            preset=self.preset.name,
            submitted=time.time(),
            output=staged.output,
            fetched_from=staged.fetched_from,
        )
        self._jobs.put(f"job/{id}", record.model_dump_json())
        return record

    # ---- for the handles

    @functools.cached_property
    def _jobs(self) -> Any:
        return modal.Dict.from_name(DICT_NAME, create_if_missing=True, environment_name=self._environment)

    def _worker(self, place: Preset) -> Any:
        cls = modal.Cls.from_name(self._app, CLASS_NAME, environment_name=self._environment)
        return cls.with_options(**place.options)()

    def _record(self, id: str) -> JobRecord | None:
        text = self._jobs.get(f"job/{id}")
        return None if text is None else JobRecord.model_validate_json(text)

    def _wait_for(self, id: str, run: int) -> None:
        deadline = time.monotonic() + _CLAIM_SECONDS
        while time.monotonic() < deadline:
            record = self._record(id)
            if record is not None and record.run >= run:
                return
            time.sleep(_LOOK_SECONDS)
        # whoever claimed it died before the job was started: the claim is void
        self._jobs.pop(f"claim/{id}/{run}", None)

    def _kept(self, handle: ModalJob) -> ModalJob:
        with self._lock:
            self._handles.append(handle)
        return handle


class ModalJob(JobHandle[ResultT_co]):
    """Follows a job on Modal, by its call and its entries in the Dict."""

    def __init__(self, executor: ModalExecutor, id: str, record: JobRecord | None) -> None:
        self.id = id
        self._executor = executor
        self._record = record
        self._begun = False
        self._ended: JobState | None = None
        self._fetching = threading.Lock()
        self._fetched = False

    @in_thread
    def poll(self, cursor: int | None = None, timeout: float = 0.0) -> JobState:
        """Ask Modal for the job's state."""
        record = self._record
        if record is None:
            return JobState("unknown", JobLostError(f"nothing is known of a job {self.id!r}", transient=False))
        deadline = time.monotonic() + timeout
        with modal_failures(self._executor._app):
            while True:
                left = max(0.0, deadline - time.monotonic())
                if self._ended is None:  # looked at first: when it has ended, the events are complete
                    self._ended = self._look(record, left if cursor is None else min(left, _LOOK_SECONDS))
                events, behind = self._events(record, cursor)
                if self._ended is not None:
                    return JobState(self._ended.status, self._ended.outcome, events, behind)
                if not self._begun and time.time() - record.submitted > self._executor.start_timeout:
                    self._give_up(record)
                elif events or time.monotonic() >= deadline:
                    return JobState("running" if self._begun else "queued", None, events, behind)

    def _events(self, record: JobRecord, cursor: int | None) -> tuple[tuple[Progress, ...], int]:
        """Return the events after ``cursor``, and note if the call has begun; none without the Dict."""
        jobs = self._executor._jobs
        with contextlib.suppress(modal.exception.NotFoundError):
            if cursor is not None:
                events, behind, self._begun = read_events(jobs, record.call, cursor)
                return events, behind
            if not self._begun:
                self._begun = jobs.contains(f"events/{record.call}/0")
        return (), cursor or 0

    @in_thread
    def cancel(self) -> None:
        """End the job's call, wherever it is, unless it has ended."""
        record = self._record
        if record is None or self._ended is not None:
            return
        with modal_failures(self._executor._app):
            if self._look(record, 0.0) is None:
                with contextlib.suppress(modal.exception.NotFoundError):  # the mark is for those who ask later
                    self._executor._jobs.put(f"cancelled/{record.call}", True)
                modal.FunctionCall.from_id(record.call).cancel()

    @in_thread
    def is_cancelled(self) -> bool:
        """Whether somebody wanted it stopped."""
        with contextlib.suppress(modal.exception.NotFoundError):
            return self._record is not None and bool(self._executor._jobs.get(f"cancelled/{self._record.call}"))
        return False

    def is_complete(self) -> bool:
        """Whether it has a result, and its output is still in storage."""
        state = self.poll()
        if state.status != "complete" or self._record is None:
            return False
        if not self._record.output:
            return True
        try:
            identity(self._record.fetched_from or self._record.output)
        except ObjectNotFoundError:
            return False
        except StorageError:  # this client may not look into the bucket
            return True
        return True

    def _look(self, record: JobRecord, wait: float) -> JobState | None:
        outcome = outcome_of(record.call, wait)
        if outcome is None:
            return None
        state = ended_state(self.id, outcome, cancelled=self.is_cancelled)
        assert state.outcome is not None, "it has ended"
        return state

    def _settled(self, state: JobState) -> JobState:
        """Fetch a staged output, once; what keeps it from being fetched is the outcome, until somebody waits again."""
        record = self._record
        if record is None or not record.fetched_from or state.status != "complete":
            return state
        with self._fetching:
            if not self._fetched:
                try:
                    fetch(record.fetched_from, record.output)
                except ObjectNotFoundError:
                    gone = f"the result of job {self.id} is no longer in the staging prefix; submit the job again"
                    return replace(state, status="expired", outcome=JobLostError(gone, transient=False))
                except ReelprocError as error:
                    return replace(state, status="error", outcome=error)
                self._fetched = True
        return state

    def _give_up(self, record: JobRecord) -> None:
        modal.FunctionCall.from_id(record.call).cancel()
        self._ended = JobState(
            "error",
            JobLostError(
                f"no container has begun job {self.id} within {self._executor.start_timeout:g} s, and it was "
                "cancelled: Modal is out of such machines, or the app fails to start; see 'modal app logs'"
            ),
        )


modal_t4 = functools.partial(ModalExecutor, name="modal-t4")
"""A Tesla T4; the options of :class:`ModalExecutor`."""
modal_l4 = functools.partial(ModalExecutor, name="modal-l4")
"""An L4; the options of :class:`ModalExecutor`."""
modal_cpu = functools.partial(ModalExecutor, name="modal-cpu")
"""Cores only; the options of :class:`ModalExecutor`."""
