"""Python imports this at the start of every process that has this folder on PYTHONPATH: the tests' workers.

Jobs whose output is called after a behaviour of ``fake_jobs`` are done by it; all others as usual. ``AT_START`` breaks
the process before it can take a job.
"""

from __future__ import annotations

import os
import signal
import sys

match os.environ.get("AT_START"):
    case "killed":  # as by a system that is out of memory
        os.kill(os.getpid(), signal.SIGKILL)
    case "broken":
        sys.exit("ModuleNotFoundError: No module named 'no_such_module'")

import fake_jobs

from reelproc import jobs
from reelproc.detectors import DETECTORS

jobs.run_job = fake_jobs.stand_in_for(jobs.run_job)  # type: ignore[assignment]
DETECTORS.register("blobs", "people_factory:BLOBS")
