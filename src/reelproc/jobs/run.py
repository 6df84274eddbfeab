"""The one function that does a job: every executor calls it where the work is done."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from reelproc.errors import OutOfMemoryError, shown_address
from reelproc.job_context import JobContext
from reelproc.jobs.base import Job
from reelproc.jobs.transfers import with_transfers
from reelproc.machine.memory import MemoryWatch
from reelproc.results import ResultT

_log = logging.getLogger("reelproc.jobs")


def run_job(job: Job[ResultT], context: JobContext | None = None) -> ResultT:
    """Do ``job`` here and now, in this process.

    Raises:
        ReelprocError: what went wrong, typed.
    """
    begin = time.perf_counter()
    destination = shown_address(job.destination()) or "its result"
    _log.info("%s starts: %s -> %s", job.job, _shown(job.sources()), destination)
    with MemoryWatch() as memory:
        try:
            result = with_transfers(job, context or JobContext(), lambda local, inner: local.run(inner))
        except MemoryError as error:
            if isinstance(error, OutOfMemoryError):
                raise
            raise OutOfMemoryError("the job needs more memory than there is; use a smaller output") from error
    _log.info("%s ended after %.2f s", job.job, time.perf_counter() - begin)
    return result.model_copy(update={"peak_memory_bytes": memory.peak_bytes})


def _shown(sources: Sequence[str]) -> str:
    return ", ".join(map(shown_address, sources[:3])) + (f" and {len(sources) - 3} more" if len(sources) > 3 else "")
