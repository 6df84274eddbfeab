"""Find ffmpeg, and run it under supervision: the one place that starts child processes for media.

Every child is an argument list, never a shell string. Its stderr is drained by a thread (a full stderr pipe blocks
ffmpeg for ever), it has a deadline for making progress, and it is killed when its owner is done with it, whatever
happened.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from reelproc.errors import DecodeError, EncodeError, MediaError, MissingDependencyError
from reelproc.logs import shown_command
from reelproc.machine.posix import fcntl
from reelproc.storage.stand_in import partial_file

__all__ = [
    "CONTAINER_FORMATS",
    "FFMPEG_MINIMUM",
    "PROTOCOLS",
    "FFmpegProcess",
    "encoders",
    "ffmpeg_path",
    "ffmpeg_version",
    "file_argument",
    "filter_chain",
    "filters",
    "input_arguments",
    "option_value",
    "run_ffmpeg",
    "widen_pipe",
]

_log = logging.getLogger(__name__)

FFMPEG_MINIMUM = (6, 1)
"""Older ones guess time bases: Debian's 5.1.9 gave wrong timestamps on 14 of 16 test files."""

_STOPPED = 255
"""ffmpeg's exit status after SIGTERM or SIGINT."""

STALL_SECONDS = 60.0
"""A child that neither reads, writes nor exits for this long is taken for hung."""


@functools.cache
def _find(override: str | None) -> tuple[str, str]:
    if override:
        path = override
    else:
        try:
            import imageio_ffmpeg

            path = imageio_ffmpeg.get_ffmpeg_exe()
        except (ImportError, RuntimeError) as error:
            raise MissingDependencyError(
                f"no ffmpeg: imageio-ffmpeg carries none for this machine ({error}); "
                "pip install imageio-ffmpeg, or set REELPROC_FFMPEG to an ffmpeg of at least 6.1"
            ) from error
    try:
        out = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise MissingDependencyError(
            f"{path!r} does not run as ffmpeg ({error}); unset REELPROC_FFMPEG to use the bundled one"
        ) from error
    version = ([*out.split(), "?", "?", "?"])[2]
    number = re.match(r"n?(\d+)\.(\d+)", version)
    if number and tuple(map(int, number.groups())) < FFMPEG_MINIMUM:
        raise MissingDependencyError(
            f"{path!r} is ffmpeg {version}, at least 6.1 is needed (older ones guess timestamps); "
            "unset REELPROC_FFMPEG to use the bundled one"
        )
    return path, version


def ffmpeg_path() -> str:
    """The ffmpeg to run: ``REELPROC_FFMPEG`` where it is set, else the one that imageio-ffmpeg carries.

    Raises:
        MissingDependencyError: there is none, it does not run, or it is older than 6.1.
    """
    return _find(os.environ.get("REELPROC_FFMPEG"))[0]


def ffmpeg_version() -> str:
    """The version string of :func:`ffmpeg_path`, e.g. ``"9.0.2"``; part of a segment's identity."""
    return _find(os.environ.get("REELPROC_FFMPEG"))[1]


@functools.cache
def _encoders(path: str) -> frozenset[str]:
    out = subprocess.run([path, "-hide_banner", "-encoders"], capture_output=True, text=True, timeout=30, check=False)
    return frozenset(re.findall(r"^ [VAS][.A-Z]{5} (\S+)", out.stdout, re.MULTILINE))


def encoders() -> frozenset[str]:
    """Names of the encoders that this ffmpeg was built with (hardware ones may still lack their hardware)."""
    return _encoders(ffmpeg_path())


@functools.cache
def _filters(path: str) -> frozenset[str]:
    out = subprocess.run([path, "-hide_banner", "-filters"], capture_output=True, text=True, timeout=30, check=False)
    return frozenset(re.findall(r"^ [TSC.]{2,3} (\S+)\s+\S+->", out.stdout, re.MULTILINE))


def filters() -> frozenset[str]:
    """Names of the filters that this ffmpeg was built with."""
    return _filters(ffmpeg_path())


def file_argument(path: str | os.PathLike[str]) -> str:
    """``path`` as ffmpeg must be given it: never taken for an option, a protocol, a pattern or a playlist.

    >>> file_argument("-x.mp4").startswith("file:/")
    True
    """
    return "file:" + str(Path(os.fspath(path)).absolute())


def widen_pipe(pipe: IO[bytes], size: int = 1 << 20) -> None:
    """Ask for a larger buffer in ``pipe``, where the system has such a thing: fewer switches per frame."""
    request = getattr(fcntl, "F_SETPIPE_SZ", None)
    if request is None:
        return
    try:
        fcntl.fcntl(pipe.fileno(), request, size)
    except OSError:  # over the user's limit: the default size works as well
        return


def option_value(text: str) -> str:
    r"""``text`` escaped to stand as an option's value in a filter's arguments, whatever characters it holds.

    >>> print(option_value("it's 1:1"))
    it\'s 1\:1
    """
    return re.sub(r"([\\':])", r"\\\1", text)


def filter_chain(filters: Sequence[str]) -> str:
    r"""Filters, each ``name=arguments`` with its values escaped, joined to the chain that ``-vf`` and ``-af`` take.

    The graph's own level of escaping is added here (ffmpeg's manual, "Notes on filtergraph escaping").

    >>> print(filter_chain(["select=gte(pts,5)", "hflip"]))
    select=gte(pts\,5),hflip
    """
    return ",".join(re.sub(r"([\\'\[\],;])", r"\\\1", each) for each in filters)


PROTOCOLS = "file,pipe,fd"
"""What ffmpeg may open: never the network, whatever a file says."""

CONTAINER_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpegtsraw,mpeg,mpegvideo,vob,flv,live_flv,asf,ogg,mxf,nut,wtv,rm,swf,"
    "dv,gif,apng,ivf,obu,av1,h261,h263,h264,hevc,vvc,vc1,m4v,mjpeg,yuv4mpegpipe,"
    "wav,w64,mp3,aac,flac,ac3,eac3,dts,caf,aiff,au,tta,wv,ape,opus"
)
"""The containers that are read. Playlists and scripts (hls, dash, concat, image sequences) name other files: they are
not."""


def input_arguments(path: str | os.PathLike[str], *options: str) -> list[str]:
    """The arguments that make ``path`` an input of ffmpeg, with ``options`` (``-ss``, ...) in front of it.

    The name is never taken for a URL or an option, and a file that is really a playlist is refused. A file whose parts
    come when they are read (:mod:`reelproc.storage.stand_in`) is given as an address of our own on the loopback.
    """
    partial = partial_file(path)
    return [
        "-protocol_whitelist",
        PROTOCOLS if partial is None else "http,tcp",
        "-format_whitelist",
        CONTAINER_FORMATS,
        *options,
        "-i",
        file_argument(path) if partial is None else partial.url(),
    ]


class FFmpegProcess:
    """A running ffmpeg, supervised; a context manager that leaves no child behind.

    Args:
        arguments: everything behind ``ffmpeg -hide_banner -nostdin -loglevel repeat+level+warning``.
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
        """The exit status, or None while the child runs."""
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
        """An error of this process's class that carries its command, status and last words."""
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
