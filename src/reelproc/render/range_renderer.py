"""Compose the finished frames of a range of a plan, each from the frames of one clip, or of two in a dissolve."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from reelproc.pixels.frame import Frame
from reelproc.render.clip_renderer import ClipRenderer
from reelproc.render.concealment import Concealment
from reelproc.render.plan import Plan, PlannedClip, PlannedFrame
from reelproc.render.transitions import darken, mix
from reelproc.results import PhaseClock
from reelproc.storage.sources import Sources


class RangeRenderer:
    """Composes the finished frames of a range of the plan; a context manager.

    Args:
        plan: what to render.
        end: the end of the range: no frame from there on will be asked for.
        sources: open the plan's footage.
        conceal: repeat the last good frame for one that cannot be decoded, instead of raising.
        clock: where the time is booked.
        only: the frames that will be asked for, in order; None: all from the first that is.
    """

    def __init__(
        self,
        plan: Plan,
        end: int,
        *,
        sources: Sources,
        conceal: bool,
        clock: PhaseClock,
        only: Sequence[int] | None = None,
    ) -> None:
        self._plan, self._end, self._sources = plan, end, sources
        self._conceal, self._clock, self._only = conceal, clock, only
        self._active: dict[int, ClipRenderer] = {}
        self._concealed: list[Concealment] = []

    def frame(self, planned: PlannedFrame) -> Frame:
        """Return the picture of ``planned``. Ask for frames in order, and do not change them.

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
                clip,
                self._sources[clip.source],
                clip.pts[last],
                conceal=self._conceal,
                clock=self._clock,
                restarts=restarts,
                shown=self._shown(clip),
            )
        return self._active[index]

    def _shown(self, clip: PlannedClip) -> tuple[int, ...] | None:
        if self._only is None:
            return None
        own = (n - clip.first_frame for n in self._only)
        return tuple(clip.pts[n] for n in own if 0 <= n < clip.frame_count)

    def take_concealed(self) -> list[Concealment]:
        """Return what was concealed since the last call."""
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
