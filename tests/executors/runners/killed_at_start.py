"""A runner whose process is killed before it can take a job, as by a system that is out of memory."""

from __future__ import annotations

import os
import signal

os.kill(os.getpid(), signal.SIGKILL)
