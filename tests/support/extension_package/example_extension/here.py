"""An executor of one's own: it does each job at once, in this process."""

import reelproc as rp
from reelproc.executors import JobState
from reelproc.executors.base import check_id
from reelproc.executors.outcome import as_reelproc_error
from reelproc.job_context import JobContext
from reelproc.jobs import Job, checked_job, run_job
from reelproc.results import ResultT, ResultT_co


class HereJob(rp.JobHandle[ResultT_co]):
    """A job that has ended."""

    def __init__(self, id: str, state: JobState, events: tuple[rp.Progress, ...] = ()) -> None:
        self.id, self.state, self.progress = id, state, events

    def poll(self, cursor: int | None = None, timeout: float = 0.0) -> JobState:
        fresh = self.progress[cursor:] if cursor is not None else ()
        return JobState(self.state.status, self.state.outcome, fresh, len(self.progress))

    def cancel(self) -> None:
        """It has ended."""


class HereExecutor(rp.Executor):
    """Does each job at once, in this process."""

    def __init__(self) -> None:
        self.jobs: dict[str, HereJob] = {}

    @property
    def hardware(self) -> rp.Hardware:
        return rp.Hardware(name="here", cores=1, memory_bytes=1 << 30)

    def submit(self, job: Job[ResultT], *, id: str | None = None, timeout: float | None = None) -> HereJob[ResultT]:
        name = check_id(id or f"{job.job}-{checked_job(job).identity()}")
        events: list[rp.Progress] = []
        try:
            result = run_job(job, JobContext(progress=events.append, hardware="here"))
            state = JobState("complete", result)
        except Exception as error:
            state = JobState("error", as_reelproc_error(error))
        handle = HereJob[ResultT](name, state, tuple(events))
        self.jobs[name] = handle
        return handle

    def attach(self, id: str) -> HereJob:
        lost = JobState("unknown", rp.JobLostError(f"nothing is known of a job {id!r}", transient=False))
        return self.jobs.get(check_id(id), HereJob(id, lost))

    def close(self, *, cancel: bool = False) -> None:
        """Hold nothing."""
