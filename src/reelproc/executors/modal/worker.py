"""What a container on Modal does with a job. Knows nothing of Modal's client: :mod:`reelproc.modal_app.app` calls it.

Errors that another attempt cannot help come back as data, so that Modal does not repeat the job; transient ones are
raised, so that it does, up to its retry limit, and the segments that are done are taken from storage then.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from pydantic import Field

from reelproc import __version__
from reelproc.errors import ExecutorError, JobCancelledError, JobTimeoutError
from reelproc.executors.modal.presets import COORDINATOR, Preset, preset
from reelproc.executors.outcome import as_reelproc_error, outcome_to_data
from reelproc.job_context import Delegate, JobContext
from reelproc.jobs import AnyJob, Job, run_job
from reelproc.results import JobResult, ProgressCallback
from reelproc.schema import Schema

MARGIN_SECONDS = 30.0
"""A job ends itself this long before Modal would: its error is then a result, and Modal does not repeat the job."""

GRACE_SECONDS = 5.0
"""A job that does not look whether its time is up is interrupted after this much longer."""


class ModalRequest(Schema):
    """What a client asks of a container.

    Attributes:
        version: of the client's reelproc.
        id: the job's.
        job: what to do.
        preset: the executor's name, which says what the container is.
        timeout: seconds that it may run; None: as long as the preset allows.
        store: where finished segments are kept, so that another attempt need not make them again; empty: nowhere.
        coordinated: the job is divided: this container only coordinates it, and is of :data:`COORDINATOR`.
        names: the caller's paths, by the addresses that stand for them in the job; what results, events and errors say.
    """

    version: str
    id: str
    job: AnyJob
    preset: str
    timeout: float | None = None
    store: str = ""
    coordinated: bool = False
    names: dict[str, str] = Field(default_factory=dict)


Delegating = Callable[[Job, ModalRequest], Delegate]
"""Says how the parts of a divided job are done."""


class Container:
    """One container's life: it does jobs one after the other, and what they leave loaded is there for the next."""

    def __init__(self) -> None:
        self._jobs = 0

    def run(self, text: str, progress: ProgressCallback, delegating: Delegating | None = None) -> str:
        """Do the job of a :class:`ModalRequest`, and return its outcome, as JSON.

        Must be called in the main thread: a signal ends a job that is deaf to its time limit.

        Args:
            text: the request's JSON.
            progress: takes the job's events.
            delegating: says how the parts of a divided job are done.

        Raises:
            ReelprocError: one that another attempt may help.
        """
        began = time.time()
        cold, self._jobs = self._jobs == 0, self._jobs + 1
        startup = process_age() if cold else 0.0
        try:
            request = self._checked(text)
            result = self._do(request, progress, delegating)
        except Exception as error:  # noqa: BLE001 - all is reported, typed
            failure = as_reelproc_error(error)
            if failure.transient:
                raise failure from failure.__cause__
            return json.dumps(outcome_to_data(failure))
        priced = _with_costs(result, request, startup, time.time() - began, cold=cold)
        return json.dumps(outcome_to_data(priced, request.job.job))

    @staticmethod
    def _checked(text: str) -> ModalRequest:
        version = json.loads(text).get("version")
        if version != __version__:  # before the rest is looked at: another version may ask otherwise
            raise ExecutorError(
                f"the app deployed on Modal is reelproc {__version__}, the client is reelproc {version}; "
                "deploy the client's with 'reelproc modal deploy', or install the app's on the client"
            )
        return ModalRequest.model_validate_json(text)

    @staticmethod
    def _do(request: ModalRequest, progress: ProgressCallback, delegating: Delegating | None) -> JobResult:
        limit = _place(request).timeout_seconds - MARGIN_SECONDS
        seconds = limit if request.timeout is None else min(request.timeout, limit)
        cancelled = threading.Event()
        folder = Path(tempfile.mkdtemp(prefix="reelproc-job-"))
        job_context = JobContext(
            folder=folder,
            progress=progress,
            cancelled=cancelled,
            hardware=request.preset,
            store=request.store or None,
            names=request.names,
        )
        if request.coordinated and delegating is not None:
            job_context.delegate = delegating(request.job, request)
        late = JobTimeoutError(
            f"job {request.id} was stopped at its time limit of {seconds:g} s; submit it again with more, or divide "
            "it with chunks"
        )
        try:
            with _time_limit(seconds, cancelled, late):
                result: JobResult = run_job(request.job, job_context)
        except JobCancelledError:
            raise late from None  # nobody else sets the mark: Modal's own cancel interrupts the container
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return result


@contextmanager
def _time_limit(seconds: float, cancelled: threading.Event, late: JobTimeoutError) -> Iterator[None]:
    """Set ``cancelled`` after ``seconds``, and raise ``late`` in the main thread where that is not heeded."""

    def interrupt(_: int, __: FrameType | None) -> None:
        raise late

    timer = threading.Timer(seconds, cancelled.set)
    timer.daemon = True
    before = signal.signal(signal.SIGALRM, interrupt)
    timer.start()
    signal.setitimer(signal.ITIMER_REAL, seconds + GRACE_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        timer.cancel()


def _place(request: ModalRequest) -> Preset:
    """Describe this container."""
    return COORDINATOR if request.coordinated else preset(request.preset)


def _with_costs(result: JobResult, request: ModalRequest, startup: float, seconds: float, *, cold: bool) -> JobResult:
    """Return the result with its hardware; ``gpu`` and ``cores`` are those of the frames' makers."""
    wanted = preset(request.preset)
    cost = (startup + seconds) * _place(request).hardware.usd_per_second
    return result.model_copy(
        update={
            "hardware": wanted.name,
            "gpu": (gpu_name() or wanted.gpu) if wanted.gpu else None,
            "cores": wanted.cores,
            "cold_start": cold,
            "cost_usd": round(result.cost_usd + cost, 8),
            "phases": {**result.phases, "startup": round(startup + result.phases.get("startup", 0.0), 4)},
        }
    )


def gpu_name() -> str | None:
    """Return the GPU's own name, e.g. ``Tesla T4``; None if the driver's tool is missing or silent."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    argv = [tool, "--query-gpu=name", "--format=csv,noheader"]
    try:
        answer = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.splitlines()[0].strip() if answer.stdout.strip() else None


def process_age() -> float:
    """Seconds since this process was started: what a container's start took, from inside."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        uptime = float(Path("/proc/uptime").read_text().split()[0])
    except (OSError, ValueError, IndexError):  # not Linux
        return 0.0
    return max(0.0, uptime - ticks / os.sysconf("SC_CLK_TCK"))
