"""Run ffmpeg under supervision: the one place that starts child processes for media.

Every child is an argument list, never a shell string. Its stderr is drained by a thread (a full stderr pipe blocks
ffmpeg for ever), it has a deadline for making progress, and it is killed when its owner is done with it, whatever
happened.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import IO, Self

from reelproc.errors import DecodeError, EncodeError, MediaError
from reelproc.logs import shown_command
from reelproc.machine.posix import fcntl
from reelproc.media.ffmpeg_build import ffmpeg_path

_log = logging.getLogger(__name__)

_STOPPED = 255
"""ffmpeg's exit status after SIGTERM or SIGINT."""

STALL_SECONDS = 60.0
"""A child that neither reads, writes nor exits for this long is taken for hung."""


def widen_pipe(pipe: IO[bytes], size: int = 1 << 20) -> None:
    """Ask for a larger buffer in ``pipe``, where the system has such a thing: fewer switches per frame."""
    request = getattr(fcntl, "F_SETPIPE_SZ", None)
    if request is None:
        return
    try:
        fcntl.fcntl(pipe.fileno(), request, size)
    except OSError:  # over the user's limit: the default size works as well
        return


class FFmpegProcess:
    """A running ffmpeg, supervised; a context manager that leaves no child behind.

    Args:
        arguments: everything after ``ffmpeg -hide_banner -nostdin -loglevel repeat+level+warning``.
        stdin: whether a pipe to its standard input is wanted.
        stdout: whether a pipe from its standard output is wanted.
        pass_fds: file descriptors that it inherits.
        error: the error class for its failures.
        on_stderr: called (in the draining thread) with each line of stderr.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        stdin: bool = False,
        stdout: bool = False,
        pass_fds: Sequence[int] = (),
        error: type[MediaError] = MediaError,
        on_stderr: Callable[[str], None] | None = None,
    ) -> None:
        self.argv = [
            ffmpeg_path(),
            "-hide_banner",
            "-nostdin",
            "-loglevel",
            "repeat+level+warning",
            *arguments,
        ]
        self._error = error
        self._tail: deque[str] = deque(maxlen=40)
        self._on_stderr = on_stderr
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("%s", shown_command(self.argv))
        try:
            self._process = subprocess.Popen(
                self.argv,
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE if stdout else subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=tuple(pass_fds),
                bufsize=0,
                start_new_session=False,
            )
        except OSError as cause:
            raise error(f"ffmpeg could not be started: {cause}", argv=self.argv) from cause
        self._drainer = threading.Thread(target=self._drain, name="ffmpeg-stderr", daemon=True)
        self._drainer.start()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def stdin(self) -> IO[bytes]:
        """The pipe to the child (unbuffered)."""
        if self._process.stdin is None:
            raise self.failure("ffmpeg was started without an input pipe")
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """The pipe from the child (unbuffered)."""
        if self._process.stdout is None:
            raise self.failure("ffmpeg was started without an output pipe")
        return self._process.stdout

    @property
    def stderr_tail(self) -> str:
        """The last lines that the child wrote to stderr."""
        return "\n".join(self._tail)

    def poll(self) -> int | None:
        """Return the exit status, or None while the child runs."""
        return self._process.poll()

    def wait(self, timeout: float) -> int:
        """Wait for the child's end and return its exit status.

        Raises:
            MediaError: (of this process's error class) it did not end within ``timeout`` seconds; it is killed.
        """
        deadline = time.monotonic() + timeout
        self._notice_end(timeout)
        try:
            code = self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.kill()
            raise self.failure(f"ffmpeg did not end within {timeout:g} s and was killed") from None
        self._drainer.join(5)
        return code

    def _notice_end(self, timeout: float) -> None:
        """Return as soon as the child ends, where the system tells; ``subprocess`` itself looks every 50 ms."""
        if sys.platform != "linux" or self._process.poll() is not None:
            return
        with contextlib.suppress(OSError):  # an old kernel, or no file descriptor left
            ended = os.pidfd_open(self._process.pid)
            try:
                poll = select.poll()
                poll.register(ended, select.POLLIN)
                poll.poll(timeout * 1000)
            finally:
                os.close(ended)

    def send(self, data: bytes | memoryview) -> None:
        """Write all of ``data`` to the child's standard input, as fast as it takes it.

        Raises:
            MediaError: (of this process's error class) it took none for a minute, or will take no more.
        """
        fd = self.stdin.fileno()
        os.set_blocking(fd, False)
        poll = select.poll()
        poll.register(fd, select.POLLOUT)
        rest = memoryview(data)
        while rest:
            if not poll.poll(STALL_SECONDS * 1000):
                raise self.failure(f"ffmpeg took no data for {STALL_SECONDS:g} s")
            try:
                rest = rest[os.write(fd, rest) :]
            except BlockingIOError:  # less room than poll promised
                continue
            except BrokenPipeError as error:
                self._settle()
                raise self.failure(f"ffmpeg stopped taking data ({error})") from error

    def _settle(self) -> None:
        """Give a child that closed its input a moment to say why."""
        deadline = time.monotonic() + 2
        while self._process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)

    def check(self, timeout: float = STALL_SECONDS) -> None:
        """Wait for the child's end and raise unless it succeeded.

        Raises:
            MediaError: (of this process's error class) it failed or did not end in time.
        """
        code = self.wait(timeout)
        if code:
            what = f"was killed by signal {signal.Signals(-code).name}" if code < 0 else f"failed with status {code}"
            raise self.failure(f"ffmpeg {what}")

    def failure(self, message: str) -> MediaError:
        """Return an error of this process's class that carries its command, status and last words."""
        self._drainer.join(0.5 if self._process.poll() is not None else 0)
        code = self._process.poll()
        # Whoever kills from outside (the system when memory runs out, a shutdown) may not do it again; a crash recurs.
        transient = True if code in (-signal.SIGKILL, _STOPPED) else None
        return self._error(message, argv=self.argv, returncode=code, stderr_tail=self.stderr_tail, transient=transient)

    def stop(self) -> None:
        """Kill the child if it still runs, but leave the pipes open: for a thread that still reads them."""
        if self._process.poll() is None:
            self._process.kill()

    def kill(self) -> None:
        """Kill the child if it still runs, reap it, and close the pipes. Safe to call again."""
        self.stop()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # a broken pipe on close: the child is gone, which is what was wanted
                    continue
        self._process.wait(10)
        self._drainer.join(5)
        if self._process.stderr is not None and not self._drainer.is_alive():
            self._process.stderr.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()

    def _drain(self) -> None:
        pipe = self._process.stderr
        if pipe is None:  # pragma: no cover - always a pipe
            return
        rest = b""
        while chunk := pipe.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            rest = rest[-4096:]  # a child that writes no newline must not fill the memory
            for line in lines:
                self._line(line)
        if rest:
            self._line(rest)

    def _line(self, raw: bytes) -> None:
        line = raw[-2000:].decode("utf-8", "replace").rstrip("\r")
        self._tail.append(line)
        if self._on_stderr is not None:
            self._on_stderr(line)


def run_ffmpeg(
    arguments: Sequence[str],
    *,
    error: type[DecodeError | EncodeError],
    timeout: float,
    cancelled: Callable[[], None] | None = None,
) -> str:
    """Run ffmpeg to its end and return the tail of its stderr.

    Args:
        arguments: as for :class:`FFmpegProcess`.
        error: the class of what is raised on failure.
        timeout: seconds it may take in all.
        cancelled: called about ten times a second; raises to stop the run.

    Raises:
        MediaError: (of class ``error``) it failed or took too long.
    """
    deadline = time.monotonic() + timeout
    with FFmpegProcess(arguments, error=error) as process:
        while process.poll() is None:
            if cancelled is not None:
                cancelled()
            if time.monotonic() > deadline:
                raise process.failure(f"ffmpeg did not end within {timeout:g} s and was killed")
            time.sleep(0.02)
        process.check()
        return process.stderr_tail
