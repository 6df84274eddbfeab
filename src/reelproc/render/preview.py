"""Look at a result before it is rendered: single output frames, made by the code that renders all of them.

The frames of a reel do not depend on the range that is rendered, so each can be made by itself. Stages that remember
(``Upscale(dedupe=...)``) are the exception: for them, the frames since the segment's start are made as well.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, cast, overload

from reelproc.errors import SpecError
from reelproc.media.probe.probe import probe
from reelproc.reel import Clip, Output, Reel, check_reel
from reelproc.render.plan import Plan
from reelproc.render.plan_reel import plan_from
from reelproc.render.range_renderer import RangeRenderer
from reelproc.render.still import Still
from reelproc.results import PhaseClock
from reelproc.storage.sources import Sources, temporary_sources
from reelproc.timing import Time, exact

if TYPE_CHECKING:
    from reelproc.job_context import OnDamage
    from reelproc.media.info import MediaInfo

Subject = Reel | Plan | str | os.PathLike[str]
"""A reel, its plan, or a video file: all can be looked at."""

NEAR_SECONDS = Fraction(1)
"""Frames of a result that are this close share a decoder: to read on is cheaper than to start another."""

BEFORE_SECONDS = Fraction(10)
"""How early a frame of a video file may begin that is still seen at a moment."""

ROUNDING_SECONDS = Fraction(1, 1_000_000)
"""A time this little before a frame is that frame's own, rounded to a float."""


def _nothing() -> None:
    pass


@overload
def preview(  # type: ignore[overload-overlap]  # a text is a time, not several
    what: Subject, *, time: Time, on_damage: OnDamage = "raise", check: Callable[[], None] = _nothing
) -> Still: ...
@overload
def preview(
    what: Subject, *, time: Iterable[Time], on_damage: OnDamage = "raise", check: Callable[[], None] = _nothing
) -> tuple[Still, ...]: ...
def preview(
    what: Subject,
    *,
    time: Time | Iterable[Time],
    on_damage: OnDamage = "raise",
    check: Callable[[], None] = _nothing,
) -> Still | tuple[Still, ...]:
    """Make the picture that a result shows at a time, without rendering it.

    It is the frame that a render gives to the encoder, bit for bit. Of a reel with several times, those that lie close
    to each other share a decoder. A plan that is made once (:func:`reelproc.plan`) saves probing for each call.

    Args:
        what: a reel, its plan, or a video file, which is looked at as it is.
        time: from the start of the result (of a video file: of its video), or several such times: seconds, ``"0:03"``,
            a ``timedelta`` (:data:`~reelproc.timing.Time`). The end shows the last frame.
        on_damage: ``"conceal"`` shows the last good frame for one that cannot be decoded, as a render does; the still's
            ``warnings`` say so.
        check: called before each frame; raises to stop.

    Returns:
        A :class:`~reelproc.Still`, or of several times a tuple in their order.

    Raises:
        SpecError: a time lies outside the result, or the reel is not possible with its sources.
        ReelprocError: as for a render of the same frames.

    Example:
        .. code-block:: python

            rp.preview(reel, time=3.2).save("poster.png")
            first, last = rp.preview(reel, time=[0, 5.5])
    """
    is_single = not isinstance(time, Iterable) or isinstance(time, str)
    times = [time] if not isinstance(time, Iterable) or isinstance(time, str) else list(time)
    with looking_at(what, on_damage=on_damage, check=check) as look:
        stills = look.stills([exact(each) for each in times])
    return stills[0] if is_single else tuple(stills)


def _file(what: object) -> str:
    """Return the name of a video file; a reel's file is refused."""
    if not isinstance(what, str | os.PathLike) or os.fspath(what).lower().endswith(".json"):
        check_reel(what)
    return os.fspath(cast("str", what))


@contextmanager
def looking_at(what: Subject, *, on_damage: OnDamage = "raise", check: Callable[[], None] = _nothing) -> Iterator[Look]:
    """Open ``what`` to look at it inside the block; see :func:`preview`."""
    conceal = on_damage == "conceal"
    if isinstance(what, Plan):
        with Sources() as sources:  # where rp.plan has fetched some of them
            yield PlanLook(conceal, check, sources, "", what)
        return
    with temporary_sources() as sources:
        if isinstance(what, Reel):
            made = plan_from(what, sources, hold=conceal, smart_copy=False, check=check)
            yield PlanLook(conceal, check, sources, "", made)
        else:
            address = _file(what)
            info = probe(sources[address])
            yield VideoLook(conceal, check, sources, sources.name(address), address, info)


@dataclass(frozen=True, slots=True)
class Look(ABC):
    """Something to look at.

    Attributes:
        conceal: show the last good frame for one that cannot be decoded.
        check: called before each frame; raises to stop.
        sources: open what it is made of.
        title: what it is called, for people; empty: it is the result of a plan.
    """

    conceal: bool
    check: Callable[[], None]
    sources: Sources
    title: str

    @property
    @abstractmethod
    def duration(self) -> Fraction:
        """Seconds."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings of its plan."""
        return ()

    @abstractmethod
    def describe(self) -> str:
        """Return size, frames and length in a line."""

    def caption(self, still: Still) -> str:
        """Return the clips that are seen; empty where there are none."""
        return ""

    def stills(self, times: Sequence[Fraction]) -> list[Still]:
        """Return the frames that are seen at ``times``, in that order.

        Raises:
            SpecError: a time lies outside of it.
        """
        for time in times:
            if not 0 <= time <= self.duration:
                raise SpecError(
                    f"{self.title or 'the result'} is {float(self.duration):.3f} s long and shows nothing at "
                    f"{float(time):g} s; choose a time from 0 to {float(self.duration):.3f}"
                )
        return self._stills(times)

    @abstractmethod
    def _stills(self, times: Sequence[Fraction]) -> list[Still]: ...


@dataclass(frozen=True, slots=True)
class PlanLook(Look):
    """A planned result to look at."""

    plan: Plan

    @property
    def duration(self) -> Fraction:
        """Seconds."""
        return self.plan.duration

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings of the plan."""
        return self.plan.warnings

    def describe(self) -> str:
        """Return size, frames and length in a line."""
        made = self.plan
        rate = "with the source's timestamps" if made.fps is None else f"at {made.fps} per second"
        return f"{made.width}x{made.height}   {made.frame_count} frames   {float(made.duration):.2f} s {rate}"

    def caption(self, still: Still) -> str:
        """Return the clips that are seen: two inside a dissolve."""
        planned = self.plan.frame(still.index)
        shots = [planned.shot, *([planned.incoming] if planned.incoming else [])]
        return "clip " + " + ".join(str(shot.clip + 1) for shot in shots)

    def _stills(self, times: Sequence[Fraction]) -> list[Still]:
        indices = [self._index(time) for time in times]
        made: dict[int, Still] = {}
        for run in _runs(self.plan, sorted(set(indices))):
            made |= self._made(run)
        return [made[index] for index in indices]

    def _index(self, time: Fraction) -> int:
        made = self.plan
        moment = time + ROUNDING_SECONDS
        index = bisect_right(made.times, moment) - 1 if made.fps is None else floor(moment * made.fps)
        return min(index, made.frame_count - 1)

    def _made(self, wanted: Sequence[int]) -> dict[int, Still]:
        """Make the frames ``wanted``, in order, by one decoder a clip."""
        made: dict[int, Still] = {}
        needed = sorted({n for index in wanted for n in _needed(self.plan, index)})
        aspect = self.plan.clips[0].shape.sample_aspect_ratio
        with RangeRenderer(
            self.plan, needed[-1] + 1, sources=self.sources, conceal=self.conceal, clock=PhaseClock(), only=needed
        ) as renderer:
            for index in needed:
                self.check()
                frame = renderer.frame(self.plan.frame(index))
                concealed = renderer.take_concealed()
                if index in wanted:
                    warnings = tuple(
                        f"clip {lost.clip}: the source frame at {lost.seconds:.3f} s could not be decoded; "
                        "the last good one is shown instead"
                        for lost in concealed
                        if lost.seconds is not None
                    )
                    made[index] = Still(index, self.plan.time(index), frame.copy(), aspect, warnings)
        return made


@dataclass(frozen=True, slots=True)
class VideoLook(Look):
    """A video file to look at.

    Attributes:
        address: where it is.
        info: what the probe said.
    """

    address: str
    info: MediaInfo

    @property
    def duration(self) -> Fraction:
        """Seconds."""
        return self.info.duration

    def describe(self) -> str:
        """Return size and length in a line."""
        video = self.info.require_video()
        return f"{video.width}x{video.height}   {float(self.duration):.2f} s"

    def _stills(self, times: Sequence[Fraction]) -> list[Still]:
        return [self._still(time) for time in times]

    def _still(self, time: Fraction) -> Still:
        start = max(Fraction(0), time - BEFORE_SECONDS)
        end = time + 1
        clip = Clip(
            source=self.address,
            start=float(start),
            end=float(end) if end < self.duration else None,
        )
        reel = Reel(clips=[clip], output=Output(width=None, height=None, fps=None, audio=False))
        made = plan_from(reel, self.sources, hold=self.conceal, smart_copy=False, check=self.check)
        first = made.clips[0].frames.time(made.clips[0].pts[0])
        look = PlanLook(self.conceal, self.check, self.sources, "", made)
        (still,) = look.stills([min(max(Fraction(0), time - first), made.duration)])
        return Still(still.index, first + still.time, still.frame, still.sample_aspect_ratio, still.warnings)


def _needed(made: Plan, index: int) -> Iterable[int]:
    """Return the frames to make for the frame ``index``: those before it too where a stage remembers them."""
    planned = made.frame(index)
    begin = index
    for shot in (planned.shot, planned.incoming):
        if shot is not None and any(stage.remembers for stage in made.clips[shot.clip].stages):
            segment = made.segments[bisect_right(made.segments, index, key=lambda s: s.first) - 1]
            begin = min(begin, max(segment.first, made.clips[shot.clip].first_frame))
    return range(begin, index + 1)


def _runs(made: Plan, indices: Sequence[int]) -> list[list[int]]:
    """Group ``indices`` that lie close together."""
    runs: list[list[int]] = []
    for index in indices:
        if runs and made.time(index) - made.time(runs[-1][-1]) <= NEAR_SECONDS:
            runs[-1].append(index)
        else:
            runs.append([index])
    return runs
