"""The parent's end of one worker process: start it, talk to it, end it with all its children."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from reelproc.errors import ExecutorError, redact

_STOP_SECONDS = 5.0


class WorkerProcess:
    """A running :mod:`reelproc.executors.local.worker`. To be used, and ended, by the thread that made it.

    On Linux the worker is killed when that *thread* ends: ``PR_SET_PDEATHSIG`` takes the thread for the parent.

    Args:
        log: the file that takes its stderr until its first job.

    Raises:
        ExecutorError: it cannot be started.
    """

    def __init__(self, log: Path) -> None:
        # -P: a module in the current folder must not hide one of ours; -u: what a job prints goes into its own log
        argv = [sys.executable, "-P", "-u", "-m", "reelproc.executors.local.worker"]
        try:
            with log.open("ab") as stderr:
                self._process = subprocess.Popen(
                    [*argv, "--parent", str(os.getpid())],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    bufsize=0,
                    start_new_session=True,  # a group of its own, so that its ffmpeg children can be killed with it
                )
        except OSError as error:
            raise ExecutorError(f"a worker process cannot be started: {error}") from error
        self._rest = b""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def send(self, message: dict[str, str]) -> None:
        """Tell it something. That it is dead is noticed by :meth:`receive`."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.write(json.dumps(message).encode() + b"\n")

    def receive(self, timeout: float) -> list[dict[str, Any]] | None:
        """Wait up to ``timeout`` seconds for its message; None when it has died."""
        stdout = self._process.stdout
        if stdout is None:
            return None
        poll = select.poll()  # and not select(), which fails where the application has more than 1024 files open
        poll.register(stdout, select.POLLIN)
        if not poll.poll(timeout * 1000):
            return []
        data = os.read(stdout.fileno(), 1 << 16)
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def kill(self) -> int:
        """Kill it and its children, reap it, and return the exit status (negative: killed by that signal)."""
        # Until it is reaped its number is given to no other process, so the group is still its own, dead or alive.
        if self._process.returncode is not None:
            return self._process.returncode
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        code = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        return code

    def stop(self) -> None:
        """Let an idle worker end by itself, and see that it does."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        deadline = time.monotonic() + _STOP_SECONDS
        while self.receive(max(0.0, deadline - time.monotonic())) is not None and time.monotonic() < deadline:
            continue
        self.kill()


def tail(log: Path) -> str:
    """Return the last words in ``log``."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 2000))
            return redact(file.read().decode("utf-8", "replace").strip())
    except OSError:  # no log, no words
        return ""
