"""What is kept of jobs on Modal, in one Modal Dict: which call does which job, its progress, and that it is cancelled.

::

    job/ID              JobRecord: the call that does the job, and what it is
    claim/ID/N          somebody submits the N-th run of the job: made only once
    events/CALL/PAGE    a list of progress events; page 0 is there since the call has begun
    cancelled/CALL      somebody wanted the call stopped

Modal drops an entry that nobody has touched for seven days, which is as long as it keeps a call's result.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any, Protocol

from reelproc.errors import redact
from reelproc.results import Progress
from reelproc.schema import Schema

DICT_NAME = "reelproc-jobs"
PAGE_EVENTS = 100
WRITE_SECONDS = 0.5
"""An event reaches the Dict at most this much later; its pages are written again with every write."""


class Pages(Protocol):
    """The part of a ``modal.Dict`` that is used here."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value at ``key``."""

    def put(self, key: str, value: Any, *, skip_if_exists: bool = False) -> bool:
        """Set it; True if that was done."""


class JobRecord(Schema):
    """What ``job/ID`` holds.

    Attributes:
        id: the job's.
        run: how often it was submitted again.
        call: Modal's id of the call that does it.
        identity: see :meth:`reelproc.jobs.Job.identity`.
        preset: the executor's name.
        submitted: seconds since the epoch.
        output: where the caller wants the result; a path is absolute, so that it is the same from any folder.
        fetched_from: where it is made, if ``output`` is a path on the caller's machine; else empty.
    """

    id: str
    run: int
    call: str
    identity: str
    preset: str
    submitted: float
    output: str
    fetched_from: str = ""


def read_events(pages: Pages, call: str, cursor: int) -> tuple[tuple[Progress, ...], int, bool]:
    """Return a call's events after ``cursor``, the cursor after them, and if the call has begun."""
    page, offset = divmod(cursor, PAGE_EVENTS + 1)
    events: list[Progress] = []
    begun = page > 0 or offset > 0
    while (content := pages.get(f"events/{call}/{page}")) is not None:
        begun = True
        fresh = content[offset:]
        events += [Progress.model_validate_json(text) for text in fresh]
        offset += len(fresh)
        if pages.get(f"events/{call}/{page + 1}") is None:
            break
        page, offset = page + 1, 0
    return tuple(events), page * (PAGE_EVENTS + 1) + offset, begun


class EventPages:
    """Writes a call's progress from a thread of its own: a slow or lost Dict neither slows nor fails the job.

    Another attempt of the same call begins a page after those that are there.

    Args:
        pages: the Dict.
        call: Modal's id of the call.
        lost: what the Dict may raise; progress that cannot be written is dropped, since the result says how it went.
    """

    def __init__(self, pages: Pages, call: str, *, lost: tuple[type[Exception], ...]) -> None:
        self._pages = pages
        self._call = call
        self._lost = lost
        self._page = 0
        self._events: list[Progress] = []
        self._written = 0
        self._news = threading.Event()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._write_on, name="modal-events", daemon=True)

    @contextlib.contextmanager
    def running(self) -> Iterator[EventPages]:
        """Say that the call has begun; write while the block runs, and at its end all that is left."""
        with contextlib.suppress(*self._lost):
            while self._pages.get(f"events/{self._call}/{self._page}") is not None:
                self._page += 1
        self._write()
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._news.set()
            self._thread.join(10)
            self._write()

    def __call__(self, event: Progress) -> None:
        """Take an event. What has not been written yet gives way to what comes later in the same phase."""
        event = event.model_copy(update={"message": redact(event.message)})
        with self._lock:
            last = self._events[-1] if len(self._events) > self._written else None
            if last is not None and last.phase == event.phase and last.done and event.done:
                self._events.pop()
            self._events.append(event)
            self._news.set()

    def _write_on(self) -> None:
        while not self._stop.is_set():
            self._news.wait()
            self._write()
            self._stop.wait(WRITE_SECONDS)

    def _write(self) -> None:
        more = True
        while more:
            with self._lock:
                self._news.clear()
                page, content = self._page, [event.model_dump_json() for event in self._events[:PAGE_EVENTS]]
                self._written = len(content)
                more = len(self._events) > PAGE_EVENTS
                if more:  # the page is full, and there is something for the next
                    self._page, self._written, self._events = self._page + 1, 0, self._events[PAGE_EVENTS:]
            with contextlib.suppress(*self._lost):
                self._pages.put(f"events/{self._call}/{page}", content)
