"""Every error that reelproc raises on purpose, in one tree.

::

    ReelprocError
    ├── SpecError                (also ValueError)   what was asked for makes no sense
    ├── MediaError                                   a file or a stream
    │   ├── ProbeError                               cannot be understood
    │   ├── DecodeError                              cannot be decoded
    │   └── EncodeError                              cannot be written
    ├── BackendError                                 an implementation
    │   ├── MissingDependencyError (also ImportError)  is not installed
    │   └── OutOfMemoryError     (also MemoryError)  does not fit
    ├── ExecutorError                                a job, wherever it runs
    │   ├── JobTimeoutError      (also TimeoutError)
    │   ├── JobCancelledError
    │   └── JobLostError
    └── StorageError                                 a source or a result
        └── ObjectNotFoundError  (also FileNotFoundError)

Each says what was got, what was expected and what to do. ``error.transient`` is true where trying again, unchanged, can
help. All of them pickle, and none shows a password or the query of a (presigned) URL.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = [
    "BackendError",
    "DecodeError",
    "EncodeError",
    "ExecutorError",
    "JobCancelledError",
    "JobLostError",
    "JobTimeoutError",
    "MediaError",
    "MissingDependencyError",
    "ObjectNotFoundError",
    "OutOfMemoryError",
    "ProbeError",
    "ReelprocError",
    "SpecError",
    "StorageError",
    "redact",
    "shown_address",
]

_QUOTE = r"['\"](?=[\w%/.?#&=-])"
"""A quote within a URL; one that ends it stands before something else."""
_URL = re.compile(
    r"(?P<scheme>(?:\b[sS]3)?://)(?:[^\s/?#]*@)?"  # of the scheme only what matters: a search for its beginning is slow
    rf"(?P<rest>(?:[^\s?#'\"]|{_QUOTE})*)(?P<query>(?:[?#](?:[^\s'\"]|{_QUOTE})*)?)"
)
_PARAMETER = re.compile(r"[?&][\w.%~-]+=[^\s'\"]*")
"""What is left of a query where the URL holds spaces."""


def redact(text: str) -> str:
    """Remove user, password, query and fragment of every URL in ``text``; keys of ``s3://`` have neither.

    Where the text is one address and nothing else, :func:`shown_address` knows where it ends.

    >>> redact("GET https://me:pw@bucket.example/key.mp4?X-Amz-Signature=abc failed")
    'GET https://bucket.example/key.mp4 failed'
    """
    if "://" not in text:
        return text

    def shown(match: re.Match[str]) -> str:
        return match["scheme"] + match["rest"] + (match["query"] if match["scheme"].lower() == "s3://" else "")

    told = _URL.sub(shown, text)
    return _PARAMETER.sub("", told) if "http" in told.lower() else told


_ADDRESS = re.compile(r"(?P<scheme>[a-zA-Z][\w+.-]*://)(?:[^/?#]*@)?(?P<rest>.*)", re.DOTALL)


def shown_address(address: str) -> str:
    """Remove user and password of ``address``, and its query and fragment unless it is of ``s3://`` or a path.

    >>> shown_address("https://me:pw@example.org/the 'best' of.mp4?sig='a b'")
    "https://example.org/the 'best' of.mp4"
    >>> shown_address("s3://bucket/goal #1?.mp4")
    's3://bucket/goal #1?.mp4'
    """
    match = _ADDRESS.fullmatch(address)
    if match is None:
        return address
    rest = match["rest"] if match["scheme"].lower() in ("s3://", "file://") else re.split(r"[?#]", match["rest"])[0]
    return match["scheme"] + rest


class WorkerTraceback(Exception):
    """Where an error that crossed a process was raised, as text."""

    def __str__(self) -> str:
        return f"\n\n{self.args[0]}"


class ReelprocError(Exception):
    """The root of the tree.

    Attributes:
        transient: trying again, with nothing changed, can help.
        bad_input: what was asked for, or a file that was named, is the reason: the command line ends with 2, and a
            server may answer 4xx. Otherwise something failed.
    """

    transient: bool = False
    bad_input: bool = False

    def __init__(self, message: str = "", *, transient: bool | None = None, bad_input: bool | None = None) -> None:
        super().__init__(redact(message))
        if transient is not None:
            self.transient = transient
        if bad_input is not None:
            self.bad_input = bad_input

    @property
    def worker_traceback(self) -> str:
        """Where a job's error was raised, as text; empty for one that was raised in this process."""
        held = (self.__cause__, self.__context__)
        return next((str(each.args[0]) for each in held if isinstance(each, WorkerTraceback)), "")

    # Exception.__reduce__ calls cls(*self.args) and then restores __dict__: every subclass therefore takes the
    # message as its one positional argument and keeps all else in keywords.


class SpecError(ReelprocError, ValueError):
    """What was asked for is not possible or not meaningful.

    Attributes:
        path: where in the data the offence is, e.g. ``("clips", 0, "stages", 1, "keyframes")``; empty when unknown.
    """

    bad_input = True

    def __init__(self, message: str = "", *, path: Sequence[str | int] = ()) -> None:
        super().__init__(message)
        self.path: tuple[str | int, ...] = tuple(path)


class MediaError(ReelprocError):
    """A media file cannot be read or written.

    Attributes:
        argv: the command that failed, URLs redacted; empty when no child process was involved.
        returncode: its exit status (negative: killed by that signal), or None.
        stderr_tail: the last lines it wrote to stderr, redacted.
    """

    def __init__(
        self,
        message: str = "",
        *,
        argv: Sequence[str] = (),
        returncode: int | None = None,
        stderr_tail: str = "",
        transient: bool | None = None,
    ) -> None:
        tail = redact(stderr_tail).strip()
        shown = tail[-600:]
        super().__init__(f"{message}\n  ffmpeg said: {shown}" if shown else message, transient=transient)
        self.argv = tuple(redact(a) for a in argv)
        self.returncode = returncode
        self.stderr_tail = tail


class ProbeError(MediaError):
    """A file is not media, or its streams cannot be understood."""

    bad_input = True


class DecodeError(MediaError):
    """Frames or sound that should be there cannot be decoded."""


class EncodeError(MediaError):
    """A result cannot be encoded or written."""


class BackendError(ReelprocError):
    """An implementation (reader, upscaler, encoder, detector) cannot do its work."""


class MissingDependencyError(BackendError, ImportError):
    """An optional package is not installed; the message names the extra that brings it."""


class OutOfMemoryError(BackendError, MemoryError):
    """The work does not fit the device's memory, even in the smallest pieces."""


class ExecutorError(ReelprocError):
    """A job could not be run where it was sent."""


class JobTimeoutError(ExecutorError, TimeoutError):
    """A job, or the wait for it, took longer than allowed."""


class JobCancelledError(ExecutorError):
    """The job was cancelled before it finished."""


class JobLostError(ExecutorError):
    """The job's worker died, or nothing is known of the job any more."""

    transient = True


class StorageError(ReelprocError):
    """A source or a result cannot be read from or written to storage.

    Attributes:
        retry_after_seconds: how long the server asks to be left alone (its ``Retry-After``), or None.
    """

    def __init__(
        self,
        message: str = "",
        *,
        transient: bool | None = None,
        bad_input: bool | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        if retry_after_seconds:
            message += f"; it asks not to be asked again for {retry_after_seconds:g} s"
        super().__init__(message, transient=transient, bad_input=bad_input)
        self.retry_after_seconds = retry_after_seconds


class ObjectNotFoundError(StorageError, FileNotFoundError):
    """The named object or file does not exist."""

    bad_input = True
