"""Run the stages of one clip over its frames, with a network, where there is one, beside the loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from reelproc.pixels.frame import Frame
from reelproc.pixels.view import View
from reelproc.render.plan import PlannedClip
from reelproc.results import PhaseClock
from reelproc.timing import TimeMap

if TYPE_CHECKING:
    from reelproc.stages.base import StageWork

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

    def __call__(self, view: View) -> Frame:
        """Take a source frame through all stages, at once."""
        with self._clock("stages"):
            return self._run(view, view.frame.pts, 0, None).cut()

    def prepare(self, view: View) -> View:
        """Take a source frame through the stages before the one that goes ahead; where none does, through all."""
        with self._clock("stages"):
            prepared = self._run(view, view.frame.pts, 0, self._ahead)
            return View(prepared.cut()) if self._ahead is None else prepared

    def submit(self, views: Sequence[View], pts: Sequence[int]) -> Callable[[], list[Frame]]:
        """Send prepared frames on; the call that is returned waits for them and takes them through the rest.

        Args:
            views: up to :attr:`batch_size` of them.
            pts: of the source frames that they were made of.
        """
        if self._ahead is None:
            return lambda: [view.frame for view in views]
        place = self._ahead
        work, since = self._steps[place]
        wait = work.submit_views(views, [self._time(since, each) for each in pts])

        def finish() -> list[Frame]:
            done = wait()
            with self._clock("stages"):
                return [self._run(View(frame), p, place + 1, None).cut() for frame, p in zip(done, pts, strict=True)]

        return finish

    def close(self) -> None:
        """End all stages. Safe to call again."""
        for work, _ in self._steps:
            work.close()
        if self._ahead is not None:
            self._clock.add("network", self._steps[self._ahead][0].network_seconds)
        self._steps, self._ahead = [], None

    def _run(self, view: View, pts: int, first: int, end: int | None) -> View:
        """Take ``view`` through the stages ``[first, end)``."""
        for work, since in self._steps[first:end]:
            view = work.view(view, self._time(since, pts))
        return view

    def _time(self, since: TimeMap, pts: int) -> float:
        return float(since(self._clip.frames.time(pts) - self._clip.start))
