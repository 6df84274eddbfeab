"""The hot loop: decode, run the stages, encode, for any range of a plan's output frames.

Three things overlap: the reader decodes ahead, this thread runs the stages, the writer's thread feeds the encoder;
short bounded queues join them. A network works beside them, two batches ahead of this thread. A source frame that is
shown several times is worked on once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from reelproc.machine.cores import usable_cores
from reelproc.media.write.encoders import EncoderSettings
from reelproc.media.write.writer import VideoWriter
from reelproc.pixels.colour import BLACK
from reelproc.pixels.frame import Frame
from reelproc.render.clip_renderer import ClipRenderer
from reelproc.render.concealment import Concealment
from reelproc.render.plan import Plan, PlannedClip, PlannedFrame
from reelproc.results import PhaseClock

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


__all__ = ["RangeRenderer", "darken", "mix", "render_segments"]


def mix(a: Frame, b: Frame, weight: Fraction) -> Frame:
    """``a * (1 - weight) + b * weight``, rounded: a dissolve."""
    import cv2

    out = a.like(a.width, a.height)
    cv2.addWeighted(_row(a), float(1 - weight), _row(b), float(weight), 0.0, dst=_row(out))
    return out


def darken(frame: Frame, gain: Fraction) -> Frame:
    """``frame`` with its light (limited range BT.709) times ``gain``; 0 is black."""
    import cv2
    import numpy as np

    out = frame.like(frame.width, frame.height)
    for source, target, zero in zip(frame.planes, out.planes, BLACK[frame.pix_fmt], strict=True):
        table = np.rint(zero + (np.arange(256) - zero) * float(gain)).clip(0, 255).astype(np.uint8)
        cv2.LUT(source, table, dst=target)
    return out


def _row(frame: Frame) -> NDArray[np.uint8]:
    return frame.data.reshape(1, -1)


class RangeRenderer:
    """Composes the finished frames of a range of the plan; a context manager.

    Args:
        plan: what to render.
        end: the end of the range: no frame from there on will be asked for.
        conceal: repeat the last good frame for one that cannot be decoded, instead of raising.
        clock: where the time is booked.
        only: the frames that will be asked for, in order; None: all from the first that is.
    """

    def __init__(
        self, plan: Plan, end: int, *, conceal: bool, clock: PhaseClock, only: Sequence[int] | None = None
    ) -> None:
        self._plan, self._end, self._conceal, self._clock, self._only = plan, end, conceal, clock, only
        self._active: dict[int, ClipRenderer] = {}
        self._concealed: list[Concealment] = []

    def frame(self, planned: PlannedFrame) -> Frame:
        """The picture of ``planned``; frames must be asked for in order. The caller must not change it.

        Raises:
            DecodeError: a source does not yield what its probe promised.
        """
        shots = [planned.shot] if planned.incoming is None else [planned.shot, planned.incoming]
        wanted = [shot.clip for shot in shots]
        for index in [i for i in self._active if i not in wanted]:
            self._release(index)
        pictures = [self._renderer(shot.clip).frame(shot.pts) for shot in shots]
        if planned.incoming is not None:
            return mix(pictures[0], pictures[1], planned.weight)
        return pictures[0] if planned.gain == 1 else darken(pictures[0], planned.gain)

    def close(self) -> None:
        """End all readers and stages. Safe to call again."""
        for index in list(self._active):
            self._release(index)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _renderer(self, index: int) -> ClipRenderer:
        if index not in self._active:
            clip = self._plan.clips[index]
            last = min(self._end, clip.first_frame + clip.frame_count) - 1 - clip.first_frame
            begun = (segment.first - clip.first_frame for segment in self._plan.segments)
            restarts = frozenset(clip.pts[n] for n in begun if 0 <= n < clip.frame_count)
            self._active[index] = ClipRenderer(
                clip, clip.pts[last], self._conceal, self._clock, restarts, self._shown(clip)
            )
        return self._active[index]

    def _shown(self, clip: PlannedClip) -> tuple[int, ...] | None:
        if self._only is None:
            return None
        own = (n - clip.first_frame for n in self._only)
        return tuple(clip.pts[n] for n in own if 0 <= n < clip.frame_count)

    def take_concealed(self) -> list[Concealment]:
        """What was concealed since the last call."""
        for renderer in self._active.values():
            self._collect(renderer)
        taken, self._concealed = self._concealed, []
        return taken

    def _collect(self, renderer: ClipRenderer) -> None:
        frames = renderer.clip.frames
        self._concealed += [Concealment(renderer.clip.index, float(frames.time(p))) for p in renderer.concealed]
        renderer.concealed.clear()

    def _release(self, index: int) -> None:
        renderer = self._active.pop(index)
        renderer.close()
        self._collect(renderer)
        if renderer.faulty_count:
            self._concealed.append(Concealment(index, None, renderer.faulty_count))


def _nothing(*_: object) -> None:
    pass


def render_segments(
    plan: Plan,
    segments: Sequence[tuple[int, int, Path]],
    *,
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
            with RangeRenderer(plan, run[-1][1], conceal=conceal, clock=clock) as renderer:
                for first, end, path in run:
                    behind = draining.writer if draining and not overlapping else None
                    writer = stack.enter_context(_writer(plan, path, settings, behind))
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


def _writer(plan: Plan, path: Path, settings: EncoderSettings, behind: VideoWriter | None) -> VideoWriter:
    return VideoWriter(
        path,
        width=plan.width,
        height=plan.height,
        fps=plan.nominal_rate,
        settings=settings,
        sample_aspect_ratio=plan.clips[0].shape.sample_aspect_ratio,
        behind=behind,
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
    """``segments`` grouped into runs without a gap."""
    runs: list[list[tuple[int, int, Path]]] = []
    for segment in segments:
        if runs and runs[-1][-1][1] == segment[0]:
            runs[-1].append(segment)
        else:
            runs.append([segment])
    return runs
