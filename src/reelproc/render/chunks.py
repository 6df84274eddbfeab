"""A render divided: which worker makes which of the plan's segments, and what their results add to the whole.

Segments are fixed by the plan; chunks only say who renders which. So the frames are the same, however they are divided.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from reelproc.errors import ExecutorError
from reelproc.render.plan import Plan
from reelproc.render.segment_files import SegmentFiles
from reelproc.results import Progress, RenderResult

if TYPE_CHECKING:
    from reelproc.job_context import JobContext

SEGMENTS_PER_CHUNK = 3
"""The least that ``chunks="auto"`` gives a worker: 30 s of output, several times what a worker's start takes."""


def divided(lengths: Sequence[int], parts: int) -> list[range]:
    """Return contiguous ranges of ``lengths``, at most ``parts``, none empty, of nearly the same sum.

    Neighbours stay together since they read the same stretch of a source.

    >>> divided([10, 10, 10, 10, 3], 2)
    [range(0, 2), range(2, 5)]
    """
    parts = min(parts, len(lengths))
    ranges, first, before = [], 0, 0
    total = sum(lengths)
    for part in range(parts):
        end = first
        # up to where this part's share ends, with at least one left for each of those after it
        while end < len(lengths) - (parts - part - 1) and (
            end == first or before + lengths[end] / 2 <= total * (part + 1) / parts
        ):
            before += lengths[end]
            end += 1
        ranges.append(range(first, end))
        first = end
    return ranges


def delegated(
    plan: Plan, files: SegmentFiles, chunks: int | Literal["auto"], context: JobContext
) -> list[RenderResult]:
    """Have the segments that are not there yet made by others; they are in ``files`` then.

    Returns:
        The results of the parts; none where nobody can do them, or all is better done here.

    Raises:
        ReelprocError: a part's.
    """
    delegate = context.delegate
    if delegate is None or (chunks == 1 and not delegate.always):
        return []
    missing = [number for number, path in files.wanted if not _is_there(files, path, context)]
    count = min(delegate.most, math.ceil(len(missing) / SEGMENTS_PER_CHUNK)) if chunks == "auto" else chunks
    count = min(count, len(missing))
    if count < (1 if delegate.always else 2):
        return []
    lengths = [plan.segments[n].end - plan.segments[n].first for n in missing]
    before = plan.frame_count - sum(lengths)
    parts = [tuple(missing[i] for i in share) for share in divided(lengths, count)]

    def done(frames: int) -> None:
        context.check()
        context.progress(Progress(phase="render", done=before + frames, total=plan.frame_count))

    context.progress(
        Progress(phase="render", done=before, total=plan.frame_count, message=f"rendering in {len(parts)} chunks")
    )
    results = delegate.work(parts, done)
    lost = [number for number, path in files.wanted if number in missing and not _is_there(files, path, context)]
    if lost:
        raise ExecutorError(
            f"segments {lost} are not where their workers have put them; a source may have changed meanwhile",
            transient=True,
        )
    return results


def _is_there(files: SegmentFiles, segment: Path, context: JobContext) -> bool:
    context.check()
    return files.has(segment)


def with_parts(phases: dict[str, float], parts: Sequence[RenderResult]) -> dict[str, float]:
    """Add up the phases of a coordinator and its workers; ``wall`` is the coordinator's, ``parts`` is theirs.

    ``parts`` is how long they have worked in all, their start included: what is paid for them.
    """
    total = dict(phases)
    for part in parts:
        worked = part.phases.get("startup", 0.0) + part.phases.get("wall", 0.0)
        total["parts"] = round(total.get("parts", 0.0) + worked, 4)
        for name, seconds in part.phases.items():
            if name != "wall":
                total[name] = round(total.get(name, 0.0) + seconds, 4)
    return total
