"""The job that makes a reel."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, TypedDict, Unpack

from reelproc.job_context import Chunks, OnDamage
from reelproc.jobs.base import Job, WorkCounter, WorkT_co
from reelproc.reel import Address, Reel
from reelproc.results import RenderResult
from reelproc.schema import Items

if TYPE_CHECKING:
    from reelproc.job_context import JobContext
    from reelproc.render.rendering import Rendering


class RenderOptions(TypedDict, total=False):
    """How to render; see :class:`RenderJob`, whose defaults hold for what is left out."""

    on_damage: OnDamage
    smart_copy: bool
    strict: bool
    chunks: int | Literal["auto"]
    copies: Sequence[str | os.PathLike[str]]


class RenderJob(Job[RenderResult]):
    """Make a reel.

    Attributes:
        reel: what to make.
        output: where to put it: a path, a ``file://`` address or ``s3://bucket/key``.
        on_damage: ``"raise"`` a DecodeError, or ``"conceal"`` with the last good frame, which the result reports.
        smart_copy: where the reel only draws on one clip (overlay, text, banner), in its own size and rate, copy the
            groups of pictures that nothing is drawn on bit for bit; where the source does not allow it, the result says
            so.
        strict: refuse the reel, instead of warning, where a stage has something outside its picture or its time: a
            spotlight that is nowhere to be seen, a crop that is moved far from its keyframes.
        chunks: into how many parts, at most, the plan's segments (about 10 s each) are divided, each done by a worker
            of its own: a process here, a container on Modal. ``"auto"``: as many as are likely to pay. Frames are the
            same, whatever it is.
        copies: further places that the finished result is put at.
    """

    is_divisible: ClassVar[bool] = True

    job: Literal["render"] = "render"
    reel: Reel
    output: Address
    on_damage: OnDamage = "raise"
    smart_copy: bool = True
    strict: bool = False
    chunks: Chunks = 1
    copies: Items[Address] = ()

    if TYPE_CHECKING:  # what may be given is more than what is kept

        def __init__(
            self,
            *,
            reel: Reel,
            output: str | os.PathLike[str],
            version: Literal[1] = 1,
            job: Literal["render"] = "render",
            **options: Unpack[RenderOptions],
        ) -> None: ...

    def run(self, context: JobContext) -> RenderResult:
        """Render the reel; see :meth:`Job.run`."""
        from reelproc.render.destination import Destination

        destination = Destination.at(self.output)
        return self._rendering(context).to(destination, chunks=self.chunks)

    def run_part(self, segments: Sequence[int], store: str, context: JobContext) -> RenderResult:
        """Make some segments of the plan; see :meth:`Job.run_part`."""
        return self._rendering(context).segments(segments, store)

    def sources(self) -> tuple[str, ...]:
        """Return the clips' sources."""
        return tuple(dict.fromkeys(clip.source for clip in self.reel.clips))

    def destination(self) -> str:
        """Return the output."""
        return self.output

    def copy_destinations(self) -> Sequence[str]:
        """Return the copies."""
        return self.copies

    def with_paths(self, paths: Mapping[str, str]) -> RenderJob:
        """Return the job with other addresses, where ``paths`` has one."""
        clips = [clip.replace(source=paths.get(clip.source, clip.source)) for clip in self.reel.clips]
        return self.replace(reel=self.reel.replace(clips=clips), output=paths.get(self.output, self.output))

    @property
    def is_divided(self) -> bool:
        """Tell whether parts of it are to be done by other workers."""
        return self.chunks != 1

    def counted_by(self, counter: WorkCounter[WorkT_co]) -> WorkT_co:
        """Describe the work; see :meth:`Job.counted_by`."""
        return counter.reel(
            self.reel,
            destination=self.output,
            on_damage=self.on_damage,
            smart_copy=self.smart_copy,
            strict=self.strict,
        )

    def plausible_result(self) -> RenderResult:
        """Return a result of the output's size and rate, two seconds long."""
        output = self.reel.output
        fps = output.fps or 30
        return RenderResult(
            output=self.output,
            frame_count=round(2 * fps),
            duration_seconds=float(round(2 * fps) / fps),
            fps=None if output.fps is None else str(output.fps),
            width=output.width or 1920,
            height=output.height or 1080,
        )

    def _rendering(self, context: JobContext) -> Rendering:
        from reelproc.render.rendering import Rendering

        return Rendering.of(
            self.reel, on_damage=self.on_damage, smart_copy=self.smart_copy, strict=self.strict, context=context
        )
