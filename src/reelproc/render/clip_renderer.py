"""One clip's part of the hot loop: its frames decoded, worked on and, where they cannot be had, replaced.

A source frame that is shown several times is worked on once. Where a stage's network works beside the loop, frames are
given to it ahead of time, and come back in order.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from reelproc.errors import DecodeError
from reelproc.pixels.frame import Frame
from reelproc.render.excerpts import excerpt_of
from reelproc.render.plan import PlannedClip
from reelproc.results import PhaseClock

if TYPE_CHECKING:
    from reelproc.media.read.excerpt import Excerpt
    from reelproc.media.read.reader import VideoReader
    from reelproc.stages.base import AheadWork, StageWork
    from reelproc.timing import TimeMap

__all__ = ["ClipRenderer"]

_BATCHES = 2


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
        restarts: timestamps of frames that must not depend on those before them.
        shown: the timestamps that will be asked for; None: all that are planned.
        concealed: timestamps that were replaced.
        faulty_count: frames that were decoded with errors, as far as the decoder says; complete after :meth:`close`.
    """

    clip: PlannedClip
    last_pts: int
    conceal: bool
    clock: PhaseClock
    restarts: frozenset[int] = frozenset()
    shown: tuple[int, ...] | None = None
    concealed: list[int] = field(default_factory=list)
    faulty_count: int = 0
    _reader: VideoReader | None = None
    _frames: Iterator[Frame] | None = None
    _ahead: Frame | None = None
    _steps: list[_Step] | None = None
    _network: tuple[int, AheadWork] | None = None
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
        self._opened()
        out = self._take(pts) if self._network is None else self._take_ahead(pts, *self._network)
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
        for step in self._steps or ():
            step.work.close()
        if self._network is not None:
            self.clock.add("network", self._network[1].network_seconds)
        self._reader, self._frames, self._steps, self._network = None, None, None, None
        self._due.clear()
        self._batches.clear()
        self._ready.clear()

    def _open(self, pts: int) -> None:
        frames = self.clip.frames
        # half open: anything between the last wanted frame and the next one ends the range behind the former
        end = frames.time(self.last_pts) + frames.time_base / 2
        planned = self.clip.pts if self.shown is None else self.shown
        shown = planned[bisect_left(planned, pts) : bisect_right(planned, self.last_pts)]
        self._reader = self._open_range(frames.time(pts), end, excerpt_of(self.clip, dict.fromkeys(shown)))
        self._frames = iter(self._reader)
        self._due = deque(dict.fromkeys(shown))

    def _open_range(self, start: Fraction, end: Fraction, excerpt: Excerpt | None = None) -> VideoReader:
        from reelproc.media.read.reader import open_video

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
        from reelproc.pixels.resample import cut_window

        since = self.clip.frames.time(pts) - self.clip.start
        for step in self._opened()[first:end]:
            if frame.window is not None and not step.work.accepts_window:
                frame = cut_window(frame)
            frame = step.work(frame, float(step.clock(since)))
        return cut_window(frame) if frame.window is not None and end is None else frame

    def _opened(self) -> list[_Step]:
        """The steps; the first of them that works beside the loop is the network."""
        if self._steps is None:
            from reelproc.stages.base import AheadWork

            self._steps = []  # so that close() closes those that were opened, should another fail to
            with self.clock("startup"):  # networks are loaded here
                target = replace(self.clip.target, restarts=self.restarts)
                for stage, stream, clock in zip(self.clip.stages, self.clip.streams, self.clip.clocks, strict=False):
                    work = stage.open(stream, target)
                    if work is None:
                        continue
                    if self._network is None and isinstance(work, AheadWork):
                        self._network = len(self._steps), work
                    self._steps.append(_Step(work, clock))
        return self._steps

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
        if self._out is not None and self.shown is None:  # else better ones may lie between the last and this one
            return self._out
        good = self._last_good_before(pts)
        if good is None and self._ahead is not None:
            good = self._whole(self._ahead.pts)
        if good is None:
            raise DecodeError(
                f"no frame of {self.clip.source} between {float(self.clip.start):.3f} s and "
                f"{float(self.clip.end):.3f} s can be decoded"
            )
        return self._process(good)

    def _whole(self, pts: int) -> Frame | None:
        """All of a source frame. The excerpt may not hold what is shown of one that the plan does not show."""
        time = self.clip.frames.time(pts)
        with self._open_range(time, time + self.clip.frames.time_base / 2) as reader:
            return next(reader, None)

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
