"""A plan in numbers that fit on a screen, for people, JSON and notebooks: no timestamps of single frames."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from pydantic import computed_field

from reelproc.errors import shown_address
from reelproc.schema import Schema, WithFloats


class PlannedClipSummary(Schema):
    """A clip of a plan.

    Attributes:
        index: its place in the reel, from 0.
        source: its footage.
        source_start_seconds, source_end_seconds: the span of the source.
        first_frame: the first output frame that shows it.
        frame_count: output frames, those shared with a neighbour included.
        start_seconds, duration_seconds: its place in the result.
        stages: each stage by name, with the size that comes out of it, e.g. ``"upscale lanczos 810x1440"``.
    """

    index: int
    source: str
    source_start_seconds: float
    source_end_seconds: float
    first_frame: int
    frame_count: int
    start_seconds: float
    duration_seconds: float
    stages: tuple[str, ...]


class PlanSummary(WithFloats):
    """A plan, summed up; :meth:`reelproc.Plan.summary` makes it.

    Attributes:
        width, height: pixels of the result.
        frame_count: frames of the result.
        duration_seconds: its length.
        fps: frames per second, exact, e.g. ``"30000/1001"``; None where the source's timestamps are kept.
        fps_float: the same as a float, in JSON as well.
        transition: ``"cut"``, ``"dissolve"`` or ``"fade"``.
        transition_frames: frames that two clips share, or over which one of them fades.
        clips: in order.
        segments: how many pieces it is rendered in.
        copied_frames: frames that are copied from the source instead of being encoded.
        warnings: what is not quite as asked for.
        notes: what was left to the plan, and how it decided.
    """

    width: int
    height: int
    frame_count: int
    duration_seconds: float
    fps: str | None
    transition: str
    transition_frames: int
    clips: tuple[PlannedClipSummary, ...]
    segments: int
    copied_frames: int
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @computed_field  # type: ignore[prop-decorator]
    @property
    def fps_float(self) -> float | None:
        """Frames per second."""
        return None if self.fps is None else float(Fraction(self.fps))

    def named(self, sources: Sequence[str]) -> PlanSummary:
        """Return it with the sources' addresses for the local files that stand for them."""
        pairs = zip(self.clips, sources, strict=True)
        clips = tuple(clip.model_copy(update={"source": shown_address(source)}) for clip, source in pairs)
        return self.model_copy(update={"clips": clips})

    def headline(self) -> str:
        """Return size, frames and length in a line."""
        rate = "with the source's timestamps" if self.fps is None else f"at {self.fps} per second"
        return f"{self.width}x{self.height}, {self.frame_count} frames {rate}, {self.duration_seconds:.3f} s"

    def lines(self) -> list[str]:
        """Return it for people, a line a clip."""
        copied = f", {self.copied_frames} frames of them copied" if self.copied_frames else ""
        joined = "" if self.transition == "cut" else f"; {self.transition} of {self.transition_frames} frames"
        lines = [f"{self.headline()}{joined}"]
        for clip in self.clips:
            lines.append(
                f"  clip {clip.index}: {clip.start_seconds:.3f} to {clip.start_seconds + clip.duration_seconds:.3f} s, "
                f"frames {clip.first_frame} to {clip.first_frame + clip.frame_count - 1}: "
                f"{clip.source} from {clip.source_start_seconds:.3f} to {clip.source_end_seconds:.3f} s"
            )
            lines.append(f"    {' > '.join(clip.stages) or 'as it is'}")
        lines.append(f"  rendered in {self.segments} segment{'s' if self.segments > 1 else ''}{copied}")
        lines += [f"  {note}" for note in self.notes]
        return lines

    def _repr_html_(self) -> str:
        from reelproc.notebook import table

        rows = [
            (
                clip.index,
                f"{clip.start_seconds:.3f} to {clip.start_seconds + clip.duration_seconds:.3f} s",
                clip.frame_count,
                clip.source,
                f"{clip.source_start_seconds:.3f} to {clip.source_end_seconds:.3f} s",
                " > ".join(clip.stages),
            )
            for clip in self.clips
        ]
        header = ("clip", "in the result", "frames", "source", "of the source", "stages")
        return table(f"Plan: {self.headline()}", header, rows, [*self.warnings, *self.notes])
