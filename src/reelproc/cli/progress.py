"""How far a command is, on standard error: a bar on a terminal, some lines elsewhere, JSON lines for machines."""

from __future__ import annotations

import json
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

from reelproc.cli.interruption import end_if_requested

if TYPE_CHECKING:
    from reelproc.results import Progress, ProgressCallback

LINE_SECONDS = 5.0
"""Between two lines of progress where there is no terminal: a short job has none, an hour's has nine."""

_JOB_PHASES = (
    "startup",
    "download",
    "probe",
    "load",
    "render",
    "copy",
    "detect",
    "audio",
    "assemble",
    "upload",
    "done",
)
"""Those whose :attr:`~reelproc.Progress.share` is one of the whole job; any other phase counts by itself."""


def event_line(event: str, **fields: object) -> None:
    """Print a line of JSON on standard error, for machines that follow a command with ``--json``.

    A line that nobody takes is left out: who does not read standard error holds up no job.
    """
    if _has_room():
        _say(json.dumps({"event": event, **fields}))


def aside(text: str, *, as_json: bool, kind: str = "note") -> None:
    """Say what is not the result, on standard error.

    Args:
        text: what to say.
        as_json: whether a machine reads it.
        kind: ``"note"`` or ``"warning"``.
    """
    if as_json:
        event_line(kind, message=text)
    elif kind == "warning":
        _say(f"{click.style('warning', fg='yellow')}: {text}")
    else:
        _say(text)


def _say(line: str) -> None:
    with suppress(OSError):  # closed by whoever read it: no reason to end a job
        click.echo(line, err=True)


def _has_room() -> bool:
    """Return whether standard error takes a line without waiting for a reader; what is no pipe always does."""
    try:
        poll = select.poll()  # a pipe that is writable takes 4096 bytes at once
        poll.register(sys.stderr.fileno(), select.POLLOUT)
        return bool(poll.poll(0))
    except (OSError, ValueError, AttributeError):  # not a file
        return True


@contextmanager
def progress_bar(
    *, as_json: bool, job: str | None = None, clock: Callable[[], float] = time.monotonic
) -> Iterator[ProgressCallback]:
    """Show progress with the time that is left; elsewhere than on a terminal a line now and then.

    Who shows progress through it also ends where the program was asked to and nobody heard.

    Args:
        as_json: print each event as a line of JSON.
        job: whose progress it is, for the JSON lines.
        clock: seconds.
    """
    if as_json:
        yield lambda event: _json_line(event, job)
    elif sys.stderr.isatty():
        with _bar() as show:
            yield show
    else:
        yield _Lines(clock)


def _json_line(event: Progress, job: str | None) -> None:
    end_if_requested()
    event_line("progress", job=job, share=round(event.share, 4), **event.model_dump())


def _part(phase: str) -> str:
    """Return what a bar runs through once: a whole job, or a phase that is none of a job's."""
    return "job" if phase in _JOB_PHASES else phase


class _Lines:
    """Prints "render: 40 %" when another tenth is done, not more often than every few seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._part = ""
        self._tenth = 0
        self._said = clock()

    def __call__(self, event: Progress) -> None:
        end_if_requested()
        if _part(event.phase) != self._part:
            self._part, self._tenth = _part(event.phase), 0
        tenth = int(event.share * 10 + 1e-9)
        now = self._clock()
        if tenth > self._tenth and event.phase != "done" and now - self._said >= LINE_SECONDS:
            self._tenth, self._said = tenth, now
            _say(f"{event.phase}: {10 * tenth} %")


@contextmanager
def _bar() -> Iterator[ProgressCallback]:
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description:<26.26}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting a worker", total=None)  # it pulses until something is known
        part = phase = said = ""

        def show(event: Progress) -> None:
            nonlocal task, part, phase, said
            end_if_requested()
            if event.phase == "done":  # its message is the result's name; the bar goes
                bar.update(task, completed=1, total=1)
                return
            if event.message or event.phase != phase:  # most events of a phase say nothing, its first does
                phase, said = event.phase, event.message or event.phase
            if _part(event.phase) != part:  # another thing with a clock of its own: estimates must not mix them
                if part:
                    bar.remove_task(task)
                    task = bar.add_task(said, total=None)
                part = _part(event.phase)
            if event.total or part == "job":
                bar.update(task, description=said, completed=event.share, total=1)
            else:
                bar.update(task, description=said)

        yield show
