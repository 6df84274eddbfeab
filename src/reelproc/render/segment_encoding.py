"""Encode any range of a plan's output frames: the hot loop of decoding, stages and encoding.

Three things overlap: the reader decodes ahead, this thread runs the stages, the writer's thread feeds the encoder;
short bounded queues join them. A network works beside them, two batches ahead of this thread. A source frame that is
shown several times is worked on once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from reelproc.machine.cores import usable_cores
from reelproc.media.write.encoders import EncoderSettings
from reelproc.media.write.writer import VideoWriter
from reelproc.render.concealment import Concealment
from reelproc.render.plan import Plan
from reelproc.render.range_renderer import RangeRenderer
from reelproc.results import PhaseClock
from reelproc.storage.sources import Sources


def _nothing(*_: object) -> None:
    pass


def render_segments(
    plan: Plan,
    segments: Sequence[tuple[int, int, Path]],
    *,
    sources: Sources,
    settings: EncoderSettings,
    conceal: bool = False,
    clock: PhaseClock | None = None,
    step: Callable[[int], None] = _nothing,
    finished: Callable[[Path, list[Concealment]], None] = _nothing,
) -> None:
    """Render ranges of a plan into one file each.

    Args:
        plan: what to render.
        segments: ``(first, end, path)``; ranges that follow one another share their readers.
        sources: open the plan's footage.
        settings: the encoder.
        conceal: repeat the last good frame for one that cannot be decoded, instead of raising.
        clock: where the time is booked.
        step: called after each frame with the frames done so far; may raise to stop.
        finished: called for each file that is whole, with what had to be concealed in it.

    Raises:
        DecodeError, EncodeError: reading or writing failed; the files of segments that were finished before stay.
    """
    clock = clock or PhaseClock()
    done = 0
    # an encoder holds 270 MB of 810x1440 until it has ended: a second one is worth that where it has cores of its own
    overlapping = usable_cores() > settings.threads
    with ExitStack() as stack:
        draining: _Draining | None = None
        for run in _runs(segments):
            with RangeRenderer(plan, run[-1][1], sources=sources, conceal=conceal, clock=clock) as renderer:
                for first, end, path in run:
                    before = draining.writer if draining and not overlapping else None
                    writer = stack.enter_context(_writer(plan, path, settings, before))
                    for planned in plan.frames(first, end):
                        writer.write(renderer.frame(planned))
                        done += 1
                        step(done)
                    writer.end()
                    _finish(draining, clock, finished)  # the last encoder drained while this one worked
                    if end == run[-1][1]:
                        renderer.close()  # readers say last what they know of damage
                    draining = _Draining(writer, renderer.take_concealed())
        _finish(draining, clock, finished)


def _writer(plan: Plan, path: Path, settings: EncoderSettings, before: VideoWriter | None) -> VideoWriter:
    return VideoWriter(
        path,
        width=plan.width,
        height=plan.height,
        fps=plan.nominal_rate,
        settings=settings,
        sample_aspect_ratio=plan.clips[0].shape.sample_aspect_ratio,
        waits_for=before,
    )


@dataclass(frozen=True, slots=True)
class _Draining:
    """A segment all of whose frames are queued."""

    writer: VideoWriter
    concealed: list[Concealment]


def _finish(segment: _Draining | None, clock: PhaseClock, finished: Callable[[Path, list[Concealment]], None]) -> None:
    if segment is not None:
        begin = time.perf_counter()
        segment.writer.finish()
        clock.add("encode", segment.writer.busy_seconds + time.perf_counter() - begin)
        finished(segment.writer.path, segment.concealed)


def _runs(segments: Sequence[tuple[int, int, Path]]) -> list[list[tuple[int, int, Path]]]:
    """Group ``segments`` into runs without a gap."""
    runs: list[list[tuple[int, int, Path]]] = []
    for segment in segments:
        if runs and runs[-1][-1][1] == segment[0]:
            runs[-1].append(segment)
        else:
            runs.append([segment])
    return runs
