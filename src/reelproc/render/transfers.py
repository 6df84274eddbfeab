"""A job whose sources or output are not on this machine: local files stand for them while it is done.

Sources are read by ranges, or downloaded where the plan needs most of them (:mod:`reelproc.render.plan_reel` decides);
the output is made in the job's folder and uploaded when whole. The work itself sees local paths only; results, events
and errors name the addresses again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar, cast

from reelproc.errors import SpecError, shown_address
from reelproc.files import scratch_folder
from reelproc.results import PROGRESS_SECONDS, PhaseClock, Progress
from reelproc.storage import copy, local_output, publish, resolve, same, scheme_of
from reelproc.storage.stand_in import partial_file, release, speaking_of, with_addresses

if TYPE_CHECKING:
    from reelproc.job_context import JobContext
    from reelproc.media.info import MediaInfo
    from reelproc.reel import Reel
    from reelproc.results import JobResult

__all__ = ["keep_sources", "probed", "standing_in", "with_sources", "with_transfers"]

R = TypeVar("R", bound="JobResult")


def with_transfers(
    sources: tuple[str, ...],
    output: str,
    context: JobContext,
    work: Callable[[Mapping[str, str], JobContext], R],
    copies: Sequence[str] = (),
) -> R:
    """Do ``work`` with local files for what is remote, and put its result where it belongs; then it is ``done``.

    Args:
        sources: the addresses that the work reads.
        output: the address that it writes; empty: it writes nothing.
        context: the job's.
        work: called with the local path of each remote address, and the context to use.
        copies: further addresses that the result is put at.

    Raises:
        ReelprocError: the work's, or a transfer's; nothing is left at ``output`` then.
    """
    if output:
        keep_sources(sources, output, "the output", ("output",))
    remote = [address for address in dict.fromkeys(sources) if scheme_of(address) != "file"]
    uploads = scheme_of(output) != "file"
    if not (remote or uploads or copies):
        return work({}, context)
    clock = PhaseClock()
    with ExitStack() as stack:
        folder = context.folder or stack.enter_context(scratch_folder())
        events = _Events(context)
        paths: dict[str, str] = {}
        if uploads:  # first: what cannot be written is better known before anything is fetched
            with clock("upload"):
                paths[output] = str(local_output(output, folder=folder / "output"))
            events.names[paths[output]] = shown_address(output)
        for address in remote:
            context.progress(Progress(phase="download", message=f"looking at {shown_address(address)}"))
            with clock("download"):
                path = resolve(address, folder=folder / "sources", whole=False, progress=events.transfer("download"))
            stack.callback(release, path)
            paths[address] = str(path)
            events.names[str(path)] = shown_address(address)
        with speaking_of(events.names):
            result = work(paths, replace(context, progress=events.pass_on))
        for address in remote:
            if (partial := partial_file(paths[address])) is not None:
                clock.add("download", partial.seconds)
        if uploads:
            with clock("upload"):
                publish(paths[output], output, progress=events.transfer("upload"))
        for place in copies:
            context.check()
            copy(output, place)
        context.progress(events.done)
    finished = result.model_copy(
        update={
            **({"output": shown_address(output)} if uploads else {}),
            "phases": result.phases | clock.phases(),
            "warnings": tuple(events.named(warning) for warning in result.warnings),
        }
    )
    return cast("R", finished)


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


def probed(source: str | os.PathLike[str], *, exact: bool = False) -> MediaInfo:
    """What ``source`` is, wherever it is, under its own name; of a remote one no more is fetched than is looked at.

    Args:
        source: a path or an address.
        exact: decode everything, to count the frames that can be shown.

    Raises:
        ProbeError: it is no media file.
        StorageError: it cannot be had.
    """
    from reelproc.media.probe.probe import probe

    if scheme_of(source) == "file":
        return probe(resolve(source), exact=exact)
    with scratch_folder() as folder:
        path = resolve(source, folder=folder, whole=False)
        name = shown_address(os.fspath(source))
        try:
            with speaking_of({str(path): name}):
                if exact and (partial := partial_file(path)) is not None:
                    partial.complete()
                return probe(path, exact=exact).model_copy(update={"path": name})
        finally:
            release(path)


@contextmanager
def standing_in(addresses: Iterable[str]) -> Iterator[dict[str, str]]:
    """The local file that stands for each remote address inside the block; no more is fetched than is read.

    Raises:
        StorageError: one cannot be had.
    """
    remote = [address for address in dict.fromkeys(addresses) if scheme_of(address) != "file"]
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder())
        paths: dict[str, str] = {}
        for number, address in enumerate(remote):
            path = resolve(address, folder=folder / str(number), whole=False)
            stack.callback(release, path)
            paths[address] = str(path)
        with speaking_of({path: shown_address(address) for address, path in paths.items()}):
            yield paths


def with_sources(reel: Reel, paths: Mapping[str, str]) -> Reel:
    """``reel`` with local files for the addresses that have one in ``paths``."""
    clips = tuple(clip.model_copy(update={"source": paths.get(clip.source, clip.source)}) for clip in reel.clips)
    return reel.model_copy(update={"clips": clips})


@dataclass
class _Events:
    """Between the work and whoever follows it: local names become addresses, ``done`` waits until all is in place."""

    context: JobContext
    names: dict[str, str] = field(default_factory=dict)
    done: Progress = field(default_factory=lambda: Progress(phase="done"))
    phase: str = ""
    sent: float = 0.0

    def pass_on(self, event: Progress) -> None:
        event = event.model_copy(update={"message": self.named(event.message)})
        self.phase = event.phase
        if event.phase == "done":
            self.done = event
        else:
            self.context.progress(event)

    def transfer(self, phase: str) -> Callable[[int, int], None]:
        """A callback for storage; it stops the transfer of a cancelled job.

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

    def named(self, text: str) -> str:
        """``text`` with addresses for the local files that stand for them."""
        return with_addresses(text, self.names)
