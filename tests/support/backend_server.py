"""A server in a process of its own: tests and ``backend_load`` start and kill it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["ServerProcess"]

START_SECONDS = STOP_SECONDS = 120.0
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


class ServerProcess:
    """A context manager: the server runs inside, and is stopped, as a supervisor would, at the end.

    Args:
        data: its folder.
        settings: others than the defaults, by name.
    """

    def __init__(self, data: Path, **settings: object) -> None:
        self.data = data
        self._reserved = socket.socket()  # bound and not listening: no other program is given the port meanwhile
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind(("127.0.0.1", 0))
        self.port: int = self._reserved.getsockname()[1]
        named = {f"REELPROC_BACKEND_{name.upper()}": str(value) for name, value in settings.items()}
        path = os.pathsep.join(filter(None, [str(EXAMPLES), os.environ.get("PYTHONPATH", "")]))
        self._environment = {**os.environ, "REELPROC_BACKEND_KEEP_FREE_BYTES": "0", **named, "PYTHONPATH": path}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What it says."""
        return self.data.with_name(f"{self.data.name}.log")

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            RuntimeError: it does not.
        """
        command = [sys.executable, "-m", "backend", "--port", str(self.port), "--data", str(self.data)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=self._environment)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=5):
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                ended = self._process.poll()
            if ended is not None or time.monotonic() > deadline:
                self.kill()
                self._reserved.close()
                raise RuntimeError(f"the server did not start ({ended}): {self.log.read_text()[-2000:]}")
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        """Its process id; 0 where it does not run."""
        return 0 if self._process is None else self._process.pid

    def kill(self) -> None:
        """SIGKILL: as a crash, or a system that is out of memory."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM: as a deployment. Returns the exit status."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.send_signal(number)
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        self._reserved.close()
