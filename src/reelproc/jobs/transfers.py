"""A job whose sources or output are not on this machine.

Sources are read by ranges, or downloaded where the plan needs most of them (:mod:`reelproc.render.source_fetch`
decides); the output is made in the job's folder and uploaded when it is whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from reelproc.errors import SpecError, shown_address
from reelproc.files import scratch_folder
from reelproc.jobs.base import Job
from reelproc.results import PROGRESS_SECONDS, PhaseClock, Progress, ResultT
from reelproc.storage import copy, local_output, publish, same, scheme_of
from reelproc.storage.sources import Sources

if TYPE_CHECKING:
    from reelproc.job_context import JobContext

JobT = TypeVar("JobT", bound=Job)


def with_transfers(job: JobT, context: JobContext, work: Callable[[JobT, JobContext], ResultT]) -> ResultT:
    """Do ``job`` with its sources open, and put its result where it belongs; then it is ``done``.

    Args:
        job: what to do.
        context: where and how.
        work: does it, with a local path to write to, and a context whose ``sources`` open what it reads.

    Raises:
        ReelprocError: the work's, or a transfer's; nothing is left at the destination then.
    """
    sources, output = job.sources(), job.destination()
    if output:
        keep_sources(sources, output, "the output", ("output",))
    copies = _checked_copies(job)
    remote = [address for address in sources if scheme_of(address) != "file"]
    uploads = scheme_of(output) != "file"
    clock = PhaseClock()
    with ExitStack() as stack:
        folder = context.folder
        if folder is None and (remote or uploads):
            folder = stack.enter_context(scratch_folder())
        events = _Events(context)
        path = output
        if uploads:  # first: what cannot be written is better known before anything is fetched
            with clock("upload"):
                path = str(local_output(output, folder=folder and folder / "output"))
        opened = Sources(folder and folder / "sources", progress=events.transfer("download"), names=context.names)
        with opened:
            for address in remote:
                context.progress(Progress(phase="download", message=f"looking at {opened.name(address)}"))
                with clock("download"):
                    _ = opened[address]
            local = job.with_paths({output: path}) if uploads else job
            result = work(local, replace(context, progress=events.pass_on, sources=opened))
            if remote:
                clock.add("download", sum(source.waited_seconds for source in opened))
        if uploads:
            result = result.with_names({path: opened.name(output)})
            with clock("upload"):
                publish(path, output, progress=events.transfer("upload"))
        for place in copies:
            context.check()
            copy(output, place)
        events.finish(opened.name(output) if uploads else None)
    if not (remote or uploads or copies):
        return result
    return result.model_copy(update={"phases": result.phases | clock.phases()})


def _checked_copies(job: Job) -> list[str]:
    """Return where else the result is put, tried before the work.

    Raises:
        SpecError: it would replace a source.
        StorageError: nothing can be written there.
    """
    places = job.copy_destinations()
    if not places:
        return []
    with scratch_folder() as folder:
        for number, place in enumerate(places):
            keep_sources(job.sources(), place, "the copy", ("copies", number))
            local_output(place, folder=folder)
    # A file may share its inode with the output now, and not once that is renamed into place. Skip a copy onto itself.
    return [place for place in places if scheme_of(place) == "file" or not same(place, job.destination())]


def keep_sources(sources: tuple[str, ...], place: str, called: str, path: tuple[str | int, ...]) -> None:
    """Refuse to write over what is read, however the two are written.

    Args:
        sources: the addresses that are read.
        place: one that is to be written.
        called: what it is called in the message.
        path: where in the job it is.

    Raises:
        SpecError: it is one of the sources.
    """
    if any(same(place, source) for source in sources):
        raise SpecError(f"{called} {shown_address(place)} is a source of the job; write to another", path=path)


@dataclass
class _Events:
    """Stands between the work and whoever follows it: ``done`` waits until all is in place."""

    context: JobContext
    done: Progress | None = None
    phase: str = ""
    sent: float = 0.0

    def finish(self, output: str | None) -> None:
        """Say that all is in place, and where, if that is not what the work said."""
        done = self.done or Progress(phase="done")
        self.context.progress(done if output is None else done.model_copy(update={"message": output}))

    def pass_on(self, event: Progress) -> None:
        """Hand on an event of the work."""
        self.phase = event.phase
        if event.phase == "done":
            self.done = event
        else:
            self.context.progress(event)

    def transfer(self, phase: str) -> Callable[[int, int], None]:
        """Return a callback for storage, which stops the transfer of a cancelled job.

        What is fetched while frames are made is told by their progress: events of it would only come in between.
        """

        def report(moved: int, total: int) -> None:
            self.context.check()
            now = time.monotonic()
            quiet = not total and self.phase not in ("", "probe")
            if not quiet and (now - self.sent >= PROGRESS_SECONDS or moved == total):
                self.sent = now
                self.context.progress(Progress(phase=phase, done=moved, total=total, message=f"{phase}ing"))

        return report
