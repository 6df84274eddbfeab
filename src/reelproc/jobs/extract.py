"""The job that cuts a span out of a source: exact to the frame, or from key frame to key frame by copying packets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

from reelproc.job_context import OnDamage
from reelproc.jobs.base import Job, WorkCounter, WorkT_co
from reelproc.reel import Address, Clip, Output, Reel
from reelproc.results import ExtractResult
from reelproc.schema import Seconds, SecondsFromZero
from reelproc.timing import Time

if TYPE_CHECKING:
    from reelproc.job_context import JobContext


class ExtractOptions(TypedDict, total=False):
    """What to cut out, and how; see :class:`ExtractJob`, whose defaults hold for what is left out."""

    start: Time
    end: Time | None
    copy_codec: bool
    on_damage: OnDamage
    smart_copy: bool


class ExtractJob(Job[ExtractResult]):
    """Cut a span out of a source, in its own size, rate and timestamps.

    Attributes:
        source, output: where from and to.
        start, end: seconds of the source; ``end`` None: to its end.
        copy_codec: True copies the streams without re-encoding, from the key frame at or before ``start``; the result
            says what was really cut. False (default) is exact to the frame.
        on_damage, smart_copy: as for :class:`RenderJob`; with smart copy only the groups of pictures that start or end
            cut into are encoded again.
    """

    job: Literal["extract"] = "extract"
    source: Address
    output: Address
    start: SecondsFromZero = 0.0
    end: Seconds | None = None
    copy_codec: bool = False
    on_damage: OnDamage = "raise"
    smart_copy: bool = True

    def model_post_init(self, _context: object, /) -> None:
        """Check that there is a span."""
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"a span ends after it starts, got start={self.start:g}, end={self.end:g}")

    if TYPE_CHECKING:  # what may be given is more than what is kept

        def __init__(
            self,
            *,
            source: str | os.PathLike[str],
            output: str | os.PathLike[str],
            version: Literal[1] = 1,
            job: Literal["extract"] = "extract",
            **options: Unpack[ExtractOptions],
        ) -> None: ...

    def run(self, context: JobContext) -> ExtractResult:
        """Cut the span out; see :meth:`Job.run`.

        Raises:
            SpecError: there is nothing between start and end, or the codec does not fit the output's container.
            ReelprocError: what else went wrong, typed; nothing is left at the output.
        """
        from reelproc.render.destination import Destination
        from reelproc.render.extraction import extract_copied, extract_exactly
        from reelproc.render.stream_copy import SourceSpan

        destination = Destination.at(self.output)
        wanted = SourceSpan(self.source, self.start, self.end)
        if self.copy_codec:
            return extract_copied(wanted, destination, context)
        return extract_exactly(
            wanted, destination, on_damage=self.on_damage, smart_copy=self.smart_copy, context=context
        )

    def sources(self) -> tuple[str, ...]:
        """Return the source."""
        return (self.source,)

    def destination(self) -> str:
        """Return the output."""
        return self.output

    def with_paths(self, paths: Mapping[str, str]) -> ExtractJob:
        """Return the job with other addresses, where ``paths`` has one."""
        return self.replace(source=paths.get(self.source, self.source), output=paths.get(self.output, self.output))

    def counted_by(self, counter: WorkCounter[WorkT_co]) -> WorkT_co:
        """Describe the work; see :meth:`Job.counted_by`."""
        if self.copy_codec:
            return counter.copy(self.source, self.start, self.end)
        clip = Clip(source=self.source, start=self.start, end=self.end)
        reel = Reel(clips=[clip], output=Output(width=None, height=None, fps=None))
        return counter.reel(reel, destination=self.output, on_damage=self.on_damage, smart_copy=self.smart_copy)

    def plausible_result(self) -> ExtractResult:
        """Return a result of a 1920x1080 source, two seconds long."""
        return ExtractResult(
            output=self.output,
            frame_count=60,
            duration_seconds=2.0,
            fps=None,
            width=1920,
            height=1080,
            start_seconds=self.start,
            end_seconds=self.start + 2.0 if self.end is None else self.end,
            copied=self.copy_codec,
        )
