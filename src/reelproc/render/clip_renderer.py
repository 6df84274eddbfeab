"""One clip's part of the hot loop: its frames decoded, worked on and, where they cannot be had, replaced.

A source frame that is shown several times is worked on once. Where a stage's network works beside the loop, frames are
given to it ahead of time, and come back in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reelproc.pixels.frame import Frame
from reelproc.pixels.view import View
from reelproc.render.clip_frames import ClipFrames
from reelproc.render.plan import PlannedClip
from reelproc.render.stage_chain import StageChain
from reelproc.results import PhaseClock
from reelproc.storage.source import Source


@dataclass(slots=True)
class _Batch:
    """Frames that the stages are working on."""

    pts: list[int]
    wait: Callable[[], list[Frame]]


class ClipRenderer:
    """Produces the processed frames of one clip, in the order of their timestamps.

    Args:
        clip: what to render.
        footage: its source.
        last_pts: nothing after this timestamp will be asked for.
        conceal: repeat the last good frame for one that cannot be decoded, instead of raising.
        clock: where the time is booked.
        restarts: timestamps of frames that must not depend on those before them.
        shown: the timestamps that will be asked for; None: all that are planned.

    Attributes:
        concealed: timestamps that were replaced.
        faulty_count: frames that were decoded with errors, as far as the decoder says; complete after :meth:`close`.
    """

    def __init__(
        self,
        clip: PlannedClip,
        footage: Source,
        last_pts: int,
        *,
        conceal: bool,
        clock: PhaseClock,
        restarts: frozenset[int] = frozenset(),
        shown: Sequence[int] | None = None,
    ) -> None:
        self.clip, self._footage = clip, footage
        self.concealed: list[int] = []
        self.faulty_count = 0
        self._last_pts, self._conceal, self._clock = last_pts, conceal, clock
        self._restarts, self._shown = restarts, shown
        self._source: ClipFrames | None = None
        self._stages: StageChain | None = None
        self._out: tuple[int, Frame] | None = None  # the last frame, by its source's timestamp
        self._batches: deque[_Batch] = deque()
        self._ready: deque[tuple[int, Frame]] = deque()

    def frame(self, pts: int) -> Frame:
        """Return the processed frame of the source frame ``pts``; never to be changed by the caller.

        Args:
            pts: not before that of the last call.

        Raises:
            DecodeError: the source does not yield that frame, and nothing was to be concealed.
        """
        if self._out is not None and self._out[0] == pts:
            return self._out[1]
        if self._source is None:
            self._source = ClipFrames(self.clip, self._footage, pts, self._last_pts, self._shown)
        if self._stages is None:
            self._stages = StageChain(self.clip, self._restarts, self._clock)
        out = self._take(pts, self._source, self._stages)
        if out is None:
            out = self._replace(pts, self._source, self._stages)
        self._out = pts, out
        return out

    def close(self) -> None:
        """End the reader and the stages. Safe to call again."""
        if self._source is not None:
            self._source.close()
            self.faulty_count = self._source.faulty_count
        if self._stages is not None:
            self._stages.close()
        self._source, self._stages = None, None
        self._batches.clear()
        self._ready.clear()

    def _take(self, pts: int, source: ClipFrames, stages: StageChain) -> Frame | None:
        """Return the processed frame ``pts``, those after it already on their way; None where the source lacks it."""
        source.give_up_before(pts)
        while not self._ready:
            while len(self._batches) < stages.batches_ahead and (batch := self._begin_batch(source, stages)):
                self._batches.append(batch)
            if not self._batches:
                return None
            done = self._batches.popleft()
            self._ready.extend(zip(done.pts, done.wait(), strict=True))
        return self._ready.popleft()[1] if self._ready[0][0] == pts else None

    def _begin_batch(self, source: ClipFrames, stages: StageChain) -> _Batch | None:
        """Send the next due frames, as far as the source yields them without a gap, to the stages."""
        pts: list[int] = []
        views: list[View] = []
        while len(pts) < stages.batch_size:
            with self._clock("decode"):
                view = source.take_next()
            if view is None:
                break
            pts.append(view.frame.pts)
            views.append(stages.prepare(view))
        return _Batch(pts, stages.submit(views, pts)) if pts else None

    def _replace(self, pts: int, source: ClipFrames, stages: StageChain) -> Frame:
        """Return what is shown for a frame that cannot be decoded."""
        if not self._conceal:
            raise source.lost(pts)
        self.concealed.append(pts)
        if self._out is not None and self._shown is None:  # else better ones may lie between the last and this one
            return self._out[1]
        return stages(source.substitute(pts))
