"""Run the stages of one clip over its frames, with a network, where there is one, beside the loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from reelproc.pixels.frame import Frame
from reelproc.render.plan import PlannedClip
from reelproc.results import PhaseClock
from reelproc.timing import TimeMap

if TYPE_CHECKING:
    from reelproc.stages.base import StageWork

__all__ = ["StageChain"]

_BATCHES_AHEAD = 2
"""One that the network computes, one that is prepared or finished meanwhile."""


class StageChain:
    """The opened stages of one clip.

    The first stage whose work goes ahead (:attr:`StageWork.works_ahead`) divides the chain: :meth:`prepare` takes a
    frame up to it, :meth:`submit` sends prepared frames through it, and through the rest.

    Args:
        clip: whose stages.
        restarts: timestamps of frames that must not depend on those before them.
        clock: where the time is booked.

    Attributes:
        batch_size: how many frames to submit at once.
        batches_ahead: how many submitted batches to keep under way.
    """

    def __init__(self, clip: PlannedClip, restarts: frozenset[int], clock: PhaseClock) -> None:
        self._clip, self._clock = clip, clock
        self._steps: list[tuple[StageWork, TimeMap]] = []
        self.batch_size = self.batches_ahead = 1
        self._ahead: int | None = None
        target = replace(clip.target, restarts=restarts)
        try:
            with clock("startup"):  # networks are loaded here
                for stage, stream, since in zip(clip.stages, clip.streams, clip.clocks, strict=False):
                    work = stage.open(stream, target)
                    if work is None:
                        continue
                    if self._ahead is None and work.works_ahead:
                        self._ahead = len(self._steps)
                        self.batch_size, self.batches_ahead = work.batch_size, _BATCHES_AHEAD
                    self._steps.append((work, since))
        except BaseException:
            self.close()
            raise

    def __call__(self, frame: Frame) -> Frame:
        """Take a source frame through all stages, at once."""
        with self._clock("stages"):
            return _cut(self._run(frame, frame.pts, 0, None))

    def prepare(self, frame: Frame) -> Frame:
        """Take a source frame through the stages before the one that goes ahead; where none does, through all."""
        with self._clock("stages"):
            prepared = self._run(frame, frame.pts, 0, self._ahead)
            if self._ahead is None or not self._steps[self._ahead][0].accepts_window:
                prepared = _cut(prepared)
            return prepared

    def submit(self, frames: Sequence[Frame], pts: Sequence[int]) -> Callable[[], list[Frame]]:
        """Send prepared frames on; the call that is returned waits for them and takes them through the rest.

        Args:
            frames: up to :attr:`batch_size` of them.
            pts: of the source frames that they were made of.
        """
        if self._ahead is None:
            return lambda: list(frames)
        place = self._ahead
        work, since = self._steps[place]
        wait = work.submit(frames, [self._time(since, each) for each in pts])

        def finish() -> list[Frame]:
            done = wait()
            with self._clock("stages"):
                return [_cut(self._run(frame, p, place + 1, None)) for frame, p in zip(done, pts, strict=True)]

        return finish

    def close(self) -> None:
        """End all stages. Safe to call again."""
        for work, _ in self._steps:
            work.close()
        if self._ahead is not None:
            self._clock.add("network", self._steps[self._ahead][0].network_seconds)
        self._steps, self._ahead = [], None

    def _run(self, frame: Frame, pts: int, first: int, end: int | None) -> Frame:
        """Take ``frame`` through the stages ``[first, end)``."""
        for work, since in self._steps[first:end]:
            if not work.accepts_window:
                frame = _cut(frame)
            frame = work(frame, self._time(since, pts))
        return frame

    def _time(self, since: TimeMap, pts: int) -> float:
        return float(since(self._clip.frames.time(pts) - self._clip.start))


def _cut(frame: Frame) -> Frame:
    """Cut out the window that a crop has marked."""
    from reelproc.pixels.resample import cut_window

    return frame if frame.window is None else cut_window(frame)
