"""The job that makes a part of another job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from reelproc.errors import SpecError
from reelproc.jobs.base import Job, WorkCounter, WorkT_co
from reelproc.jobs.registry import AnyJob
from reelproc.reel import Address
from reelproc.results import RenderResult

if TYPE_CHECKING:
    from reelproc.job_context import JobContext


class ChunkJob(Job[RenderResult]):
    """Make some segments of a render, for the job that puts it together. Executors submit it; you need not.

    Attributes:
        render: the whole, a job that can be divided.
        segments: which of its plan's segments, by number.
        output: an address prefix, or a folder, that they are put under by the names of their content.
    """

    job: Literal["chunk"] = "chunk"
    render: AnyJob
    segments: tuple[int, ...]
    output: Address

    def run(self, context: JobContext) -> RenderResult:
        """Make the segments, and put them in place; see :meth:`Job.run`."""
        return self.render.run_part(self.segments, self.output, context)

    def sources(self) -> tuple[str, ...]:
        """Return those of the whole."""
        return self.render.sources()

    def with_paths(self, paths: Mapping[str, str]) -> ChunkJob:
        """Return the job with other addresses, where ``paths`` has one."""
        return self.replace(render=self.render.with_paths(paths))

    def counted_by(self, counter: WorkCounter[WorkT_co]) -> WorkT_co:
        """Refuse: only the whole has a plan to count."""
        raise SpecError("a chunk is a part of a render; ask for the work of the render")

    def plausible_result(self) -> RenderResult:
        """Return one like that of the whole."""
        result = self.render.plausible_result()
        return RenderResult.model_validate(result.model_dump())
