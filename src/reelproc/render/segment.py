"""The hot loop: decode, run the stages, encode, for any range of a plan's output frames.

Three things overlap: the reader decodes ahead, this thread runs the stages, the writer's thread feeds the encoder;
short bounded queues join them. A network works beside them, two batches ahead of this thread. A source frame that is
shown several times is worked on once.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from reelproc.errors import DecodeError
from reelproc.media.encoders import EncoderSettings
from reelproc.media.frame import Frame
from reelproc.media.placement import BLACK
from reelproc.media.writer import VideoWriter
from reelproc.render.excerpts import excerpt_of
from reelproc.render.plan import Plan, PlannedClip, PlannedFrame
from reelproc.results import PhaseClock

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reelproc.media.excerpt import Excerpt
    from reelproc.media.reader import VideoReader
    from reelproc.stages.base import AheadWork, StageWork
    from reelproc.timing import TimeMap

__all__ = ["ClipRenderer", "Concealment", "RangeRenderer", "darken", "mix", "render_segments"]


@dataclass(frozen=True, slots=True)
class Concealment:
    """A source frame that could not be decoded and was replaced by the last good one, or frames that are faulty.

    Attributes:
        clip: the clip's place in the reel.
        seconds: the missing frame's time in the source; None where frames were decoded, but with errors.
        count: how many frames that is.
    """

    clip: int
    seconds: float | None
    count: int = 1


_BATCHES = 2
"""Batches that a network has under way: it works on one while the other is prepared, or finished and encoded."""


@dataclass(slots=True)
class _Step:
    work: StageWork
    clock: TimeMap


@dataclass(slots=True)
class _Batch:
    """Frames that a network is working on."""

    pts: list[int]
    wait: Callable[[], list[Frame]]


@dataclass
class ClipRenderer:
    """Produces the processed frames of one clip, in the order of their timestamps.

    Attributes:
        clip: what to render.
        last_pts: nothing behind this timestamp will be asked for.
        conceal: repeat the last good frame for one that cannot be decoded, instead of raising.
        clock: where the time is booked.
        concealed: timestamps that were replaced.
        faulty_count: frames that were decoded with errors, as far as the decoder says; complete after :meth:`close`.
    """

    clip: PlannedClip
    last_pts: int
    conceal: bool
    clock: PhaseClock
    concealed: list[int] = field(default_factory=list)
    faulty_count: int = 0
    _reader: VideoReader | None = None
    _frames: Iterator[Frame] | None = None
    _ahead: Frame | None = None
    _steps: list[_Step] | None = None
    _pts: int | None = None
    _out: Frame | None = None
    _due: deque[int] = field(default_factory=deque)
    _batches: deque[_Batch] = field(default_factory=deque)
    _ready: deque[tuple[int, Frame]] = field(default_factory=deque)

    def frame(self, pts: int) -> Frame:
        """The processed frame of the source frame ``pts``; never to be changed by the caller.

        Args:
            pts: not before that of the last call.

        Raises:
            DecodeError: the source does not yield that frame, and nothing was to be concealed.
        """
        if pts == self._pts and self._out is not None:
            return self._out
        if self._frames is None:
            self._open(pts)
        network = self._network()
        out = self._take(pts) if network is None else self._take_ahead(pts, *network)
        self._out = self._replace(pts) if out is None else out
        self._pts = pts
        return self._out

    def _take(self, pts: int) -> Frame | None:
        """The processed frame ``pts``; None where the source does not yield it."""
        with self.clock("decode"):
            ahead = self._read_up_to(pts)
        if ahead is None or ahead.pts != pts:
            return None
        self._ahead = None
        return self._process(ahead)

    def _take_ahead(self, pts: int, number: int, work: AheadWork) -> Frame | None:
        """The same, with the frames behind it already on their way through the network, which is step ``number``."""
        while self._due and self._due[0] < pts:  # given up: it could not be decoded
            self._due.popleft()
        while not self._ready:
            while len(self._batches) < _BATCHES and (batch := self._begin_batch(number, work)):
                self._batches.append(batch)
            if not self._batches:
                return None
            done = self._batches.popleft()
            frames = done.wait()
            with self.clock("stages"):
                after = [self._run(f, p, number + 1, None) for f, p in zip(frames, done.pts, strict=True)]
            self._ready.extend(zip(done.pts, after, strict=True))
        return self._ready.popleft()[1] if self._ready[0][0] == pts else None

    def _begin_batch(self, number: int, work: AheadWork) -> _Batch | None:
        """Send the next due frames, as far as the source yields them without a gap, through all before the network."""
        pts: list[int] = []
        frames: list[Frame] = []
        while self._due and len(pts) < work.batch_size:
            with self.clock("decode"):
                ahead = self._read_up_to(self._due[0])
            if ahead is None or ahead.pts != self._due[0]:
                break
            self._ahead = None
            pts.append(self._due.popleft())
            with self.clock("stages"):
                frames.append(self._run(ahead, ahead.pts, 0, number))
        return _Batch(pts, work.submit(frames)) if pts else None

    def close(self) -> None:
        """End the reader and the stages. Safe to call again."""
        if self._reader is not None:
            self._reader.close()
            self.faulty_count = self._reader.faulty_count
        network = self._network() if self._steps is not None else None
        for step in self._steps or ():
            step.work.close()
        if network is not None:
            self.clock.add("network", network[1].network_seconds)
        self._reader, self._frames, self._steps = None, None, None
        self._due.clear()
        self._batches.clear()
        self._ready.clear()

    def _open(self, pts: int) -> None:
        frames = self.clip.frames
        # half open: anything between the last wanted frame and the next one ends the range behind the former
        end = frames.time(self.last_pts) + frames.time_base / 2
        first = bisect_left(self.clip.pts, pts)
        shown = self.clip.pts[first : bisect_right(self.clip.pts, self.last_pts)]
        self._reader = self._open_range(frames.time(pts), end, excerpt_of(self.clip, dict.fromkeys(shown)))
        self._frames = iter(self._reader)
        self._due = deque(dict.fromkeys(shown))

    def _open_range(self, start: Fraction, end: Fraction, excerpt: Excerpt | None = None) -> VideoReader:
        from reelproc.media.reader import open_video

        clip = self.clip
        pix_fmt = clip.streams[0].pix_fmt
        return open_video(clip.source, pix_fmt=pix_fmt, start=start, end=end, info=clip.info, excerpt=excerpt)

    def _read_up_to(self, pts: int) -> Frame | None:
        """The first frame at or behind ``pts``; None at the end of the range."""
        while self._frames is not None and (self._ahead is None or self._ahead.pts < pts):
            self._ahead = next(self._frames, None)
            if self._ahead is None:
                break
        return self._ahead

    def _process(self, frame: Frame) -> Frame:
        with self.clock("stages"):
            return self._run(frame, frame.pts, 0, None)

    def _run(self, frame: Frame, pts: int, first: int, end: int | None) -> Frame:
        """Take ``frame`` through the steps ``[first, end)``; None for ``end``: through all, and to its size."""
        from reelproc.upscalers.resample import cut_window

        since = self.clip.frames.time(pts) - self.clip.start
        for step in self._opened()[first:end]:
            if frame.window is not None and not step.work.accepts_window:
                frame = cut_window(frame)
            frame = step.work(frame, float(step.clock(since)))
        return cut_window(frame) if frame.window is not None and end is None else frame

    def _opened(self) -> list[_Step]:
        if self._steps is None:
            self._steps = []  # so that close() closes those that were opened, should another fail to
            with self.clock("startup"):  # networks are loaded here
                for stage, stream, clock in zip(self.clip.stages, self.clip.streams, self.clip.clocks, strict=False):
                    work = stage.open(stream, self.clip.target)
                    if work is not None:
                        self._steps.append(_Step(work, clock))
        return self._steps

    def _network(self) -> tuple[int, AheadWork] | None:
        """The first step that works beside the loop, and its place among the steps."""
        from reelproc.stages.base import AheadWork

        works = ((number, step.work) for number, step in enumerate(self._opened()))
        return next(((number, work) for number, work in works if isinstance(work, AheadWork)), None)

    def _replace(self, pts: int) -> Frame:
        """What is shown for a frame that cannot be decoded."""
        seconds = float(self.clip.frames.time(pts))
        if not self.conceal:
            stderr = "; ".join(d.reason for d in self._reader.damage[:3]) if self._reader else ""
            raise DecodeError(
                f"the frame at {seconds:.3f} s (pts {pts}) of {self.clip.source} cannot be decoded; "
                "render with on_damage='conceal' to repeat the last good frame",
                stderr_tail=stderr,
            )
        self.concealed.append(pts)
        if self._out is not None:
            return self._out
        good = self._last_good_before(pts)
        if good is None and self._ahead is not None:
            good = self._ahead.copy()
        if good is None:
            raise DecodeError(
                f"no frame of {self.clip.source} between {float(self.clip.start):.3f} s and "
                f"{float(self.clip.end):.3f} s can be decoded"
            )
        return self._process(good)

    def _last_good_before(self, pts: int) -> Frame | None:
        """The last planned frame before ``pts`` that decodes: what an uninterrupted render would have held."""
        planned = {p for p in self.clip.pts if p < pts}
        frames = self.clip.frames
        back = Fraction(2)
        while planned:
            begin = max(frames.time(min(planned)), frames.time(pts) - back)
            last = None
            with self._open_range(begin, frames.time(pts)) as reader:
                for frame in reader:
                    last = frame if frame.pts in planned else last
            if last is not None or begin == frames.time(min(planned)):
                return last
            back *= 4
        return None


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
    """

    def __init__(self, plan: Plan, end: int, *, conceal: bool, clock: PhaseClock) -> None:
        self._plan, self._end, self._conceal, self._clock = plan, end, conceal, clock
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
            self._active[index] = ClipRenderer(clip, clip.pts[last], self._conceal, self._clock)
        return self._active[index]

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
    with ExitStack() as stack:
        draining: _Draining | None = None
        for run in _runs(segments):
            with RangeRenderer(plan, run[-1][1], conceal=conceal, clock=clock) as renderer:
                for first, end, path in run:
                    writer = stack.enter_context(_writer(plan, path, settings))
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


def _writer(plan: Plan, path: Path, settings: EncoderSettings) -> VideoWriter:
    return VideoWriter(
        path,
        width=plan.width,
        height=plan.height,
        fps=plan.nominal_rate,
        settings=settings,
        sample_aspect_ratio=plan.clips[0].shape.sample_aspect_ratio,
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
