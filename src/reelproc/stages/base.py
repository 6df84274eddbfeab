"""Define stages: data that says, before anything runs, what it makes of a stream, and the work that does it.

A stage sees only the stream it is given: times are seconds from the start of that stream, coordinates are pixels of its
frames. :meth:`Stage.resolve` is pure and cheap, and is called for the whole pipeline before a frame is decoded;
:meth:`Stage.open` may load a network or draw a picture, and is called once per clip and render.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar

from reelproc.pixels.frame import Frame, PixelFormat, Window
from reelproc.pixels.placement import Fit
from reelproc.pixels.view import View
from reelproc.schema import Schema
from reelproc.timing import TimeMap

__all__ = ["DrawingWork", "Fit", "FrameAmounts", "Mismatch", "Stage", "StageWork", "StreamInfo", "Target", "WindowWork"]


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """The shape of a stream between two stages.

    Attributes:
        width, height: pixels.
        duration: seconds, exact.
        pix_fmt: of its frames.
        sample_aspect_ratio: width of a pixel over its height.
    """

    width: int
    height: int
    duration: Fraction
    pix_fmt: PixelFormat = "yuv420p"
    sample_aspect_ratio: Fraction = Fraction(1)

    @property
    def megapixels(self) -> float:
        """Of one frame."""
        return self.width * self.height / 1e6

    def sized(self, width: int, height: int) -> StreamInfo:
        """Return the same stream with frames of another size."""
        return replace(self, width=width, height=height)


@dataclass(frozen=True, slots=True)
class Target:
    """What the reel's output wants of every clip.

    Attributes:
        width, height: pixels; None: whatever comes.
        fit: how a differing aspect ratio is met.
        restarts: timestamps of frames that must not depend on those before them: there a part of the reel begins that
            may be rendered by itself.
    """

    width: int | None = None
    height: int | None = None
    fit: Fit = "contain"
    restarts: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A part of a stage that its stream has no place for: nobody will see it, or not where it was put.

    Attributes:
        text: which part, what is wrong, and by how much; the plan puts clip and stage before it.
        path: the part within the stage, e.g. ``("regions", 0)``.
    """

    text: str
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class FrameAmounts:
    """Work that a stage has with each of some frames, for estimates.

    Attributes:
        per_frame: amounts by kind (see :mod:`reelproc.cost.work`). One that nobody has measured counts as nothing, and
            the estimate says that it is a lower bound.
        spans: which frames: closed spans in seconds of the stage's input; None: all.
        network: the name of the network that does the work; "": there is none.
        warnings: what is not known of it, for people.
    """

    per_frame: Mapping[str, float]
    spans: tuple[tuple[Fraction, Fraction], ...] | None = None
    network: str = ""
    warnings: tuple[str, ...] = ()


class StageWork(ABC):
    """The work of a stage on one stream. Called from one thread, frames in order of time."""

    works_ahead: bool = False
    """Whether :meth:`submit` returns before the work is done: a network's does. Two batches are then kept under way."""

    batch_size: int = 1
    """How many frames work that goes ahead would like to get at once."""

    network_seconds: float = 0.0
    """How long its network has worked so far; 0 for work without one."""

    @abstractmethod
    def __call__(self, frame: Frame, time: float) -> Frame:
        """Return the frame that goes on.

        Args:
            frame: owned by this call, which may change its pixels in place and return it.
            time: seconds since the start of the stage's input stream; may be slightly outside its duration.
        """

    def submit(self, frames: Sequence[Frame], times: Sequence[float]) -> Callable[[], list[Frame]]:
        """Begin the work on ``frames``; the call that is returned waits for it, and raises what went wrong.

        Results are asked for in the order of the calls. Work that does not go ahead is done at once.

        Args:
            frames: from one to :attr:`batch_size` of them.
            times: one for each, as for a call.
        """
        made = [self(frame, time) for frame, time in zip(frames, times, strict=True)]
        return lambda: made

    def view(self, view: View, time: float) -> View:
        """Return the view that goes on; here a window is cut out before the call."""
        return View(self(view.cut(), time))

    def submit_views(self, views: Sequence[View], times: Sequence[float]) -> Callable[[], list[Frame]]:
        """Begin the work on views, as :meth:`submit` does on frames; here windows are cut out before."""
        return self.submit([view.cut() for view in views], times)

    def close(self) -> None:  # noqa: B027 - most have nothing to release
        """Release what was opened. Safe to call twice."""


class WindowWork(StageWork):
    """Work that marks a window of its input instead of cutting it, or samples a window that was marked.

    A stage that has it says so: :meth:`Stage.window_at` or :meth:`Stage.reach`.
    """

    @abstractmethod
    def view(self, view: View, time: float) -> View:
        """Return the view that goes on."""

    def submit_views(self, views: Sequence[View], times: Sequence[float]) -> Callable[[], list[Frame]]:
        """Begin the work on ``views``, as :meth:`submit` does on frames."""
        made = [self.view(view, time).cut() for view, time in zip(views, times, strict=True)]
        return lambda: made

    def __call__(self, frame: Frame, time: float) -> Frame:
        """Return what is seen of ``frame``, cut out."""
        return self.view(View(frame), time).cut()

    def submit(self, frames: Sequence[Frame], times: Sequence[float]) -> Callable[[], list[Frame]]:
        """Begin the work on ``frames``."""
        return self.submit_views([View(frame) for frame in frames], times)


class DrawingWork(StageWork):
    """Work that only draws, on every frame in place.

    Args:
        draw: told the frame and its time; returns the frame.
    """

    def __init__(self, draw: Callable[[Frame, float], Frame]) -> None:
        self._draw = draw

    def __call__(self, frame: Frame, time: float) -> Frame:
        """Return ``frame`` with what is drawn on it at ``time``."""
        return self._draw(frame, time)


class Stage(Schema):
    """Base of all stages: frozen data that says what it makes of a stream, and opens the work that does it.

    A subclass has its name in a literal field, ``stage: Literal["watermark"] = "watermark"``, and overrides
    :meth:`open`. The defaults of the other methods are right for work on every frame that keeps sizes and times.

    The promises: the methods are pure, and cheap but for :meth:`open`. Frames come out in the size that :meth:`resolve`
    says, one for each, with their timestamps. A frame comes out the same wherever the work began, unless
    :attr:`remembers` says otherwise. :class:`reelproc.testing.StageSuite` tests them.

    Attributes:
        changes_pixels: its work changes frames at all; True by default.
        changes_time: its output runs on another clock than its input, see :meth:`time_map`; False by default.
        draws_only: it draws and no more: no frame changes its size, and one outside of :meth:`active_spans` is not
            touched, so that smart copy takes its bits from the source; False by default.
        remembers: a frame can depend on those before it, back to the last of ``Target.restarts``; False by default.
    """

    changes_pixels: ClassVar[bool] = True
    changes_time: ClassVar[bool] = False
    draws_only: ClassVar[bool] = False

    stage: str

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Check that the stage says its name."""
        super().__pydantic_init_subclass__(**kwargs)
        name = cls.model_fields["stage"].default
        if not isinstance(name, str):
            raise TypeError(f'the stage {cls.__name__} has no name; give it one: stage: Literal["..."] = "..."')

    @property
    def remembers(self) -> bool:
        """Whether a frame can depend on those before it, back to the last one of :attr:`Target.restarts`; here not."""
        return False

    def resolve(self, stream: StreamInfo, target: Target) -> StreamInfo:
        """Return what this stage makes of ``stream``; here the same.

        Raises:
            SpecError: it cannot work on such a stream; the message says why and what would do.
        """
        return stream

    def decided(self, stream: StreamInfo, target: Target) -> tuple[Stage, str]:
        """Return the stage with what it leaves to the plan decided, and the reason; here itself and "".

        Raises:
            SpecError: it cannot work on such a stream.
        """
        return self, ""

    def fingerprint(self) -> str:
        """Return what decides its pixels beside its fields: digests of files, the version of its code; here "".

        It is part of a segment's name: segments that were made with another one are not used again.
        """
        return ""

    def remarks(self) -> tuple[str, ...]:
        """Return what a result that is made with it should say of it, for people; here nothing."""
        return ()

    def time_map(self, stream: StreamInfo) -> TimeMap:
        """Return where each moment of the input lands on the output's clock; here where it was."""
        return TimeMap.identity(stream.duration)

    def active_spans(self, stream: StreamInfo) -> tuple[tuple[Fraction, Fraction], ...]:
        """Return when it can change pixels: closed spans in seconds of its input, sorted and disjoint; here always.

        A frame whose time, as a float between 0 and the stream's duration, lies in none of them (as floats) comes out
        as it went in, bit by bit.
        """
        return ((Fraction(0), stream.duration),) if self.changes_pixels else ()

    def window_at(self, stream: StreamInfo, target: Target) -> Callable[[float], Window] | None:
        """Return where the window is that this stage leaves of its input, if it marks one as ``Crop`` does; else None.

        Args:
            stream: the stage's input.
            target: what the output wants.

        Returns:
            The window, in pixels of ``stream``, at a time in seconds of it. Nothing else needs to be decoded.
        """
        return None

    def reach(self, stream: StreamInfo, target: Target) -> tuple[int, int] | None:
        """Return how far it looks beyond a window that it samples itself, as ``Upscale`` does; None: it does not.

        Returns:
            Pixels of its input, across and down.
        """
        return None

    def amounts(self, stream: StreamInfo, target: Target, room: StreamInfo) -> tuple[FrameAmounts, ...]:
        """Return how much work it has, for estimates; here megapixels of a kind of its own, ``stage.NAME``.

        Args:
            stream: the stage's input.
            target: what the output wants.
            room: the pictures that a window lies in, if the stage samples one; else ``stream``.
        """
        if not self.changes_pixels:
            return ()
        return (FrameAmounts({f"stage.{self.stage}": stream.megapixels}, self.active_spans(stream)),)

    def cropped_away(
        self, stream: StreamInfo, times: Sequence[float], window_of: Callable[[int], Window], crop: str
    ) -> tuple[Mismatch, ...]:
        """Return what it draws that lies outside of the window of the crop after it, in every frame.

        Args:
            stream: the stage's input.
            times: of the frames, as for :meth:`mismatches`.
            window_of: the crop's window, in pixels of ``stream``, on the frame with a number in ``times``.
            crop: its name in the message.
        """
        return ()

    def mismatches(self, stream: StreamInfo, target: Target, times: Sequence[float]) -> tuple[Mismatch, ...]:
        """Return what of this stage lies outside the picture or the time of ``stream``. The plan warns of it.

        Args:
            stream: the stage's input.
            target: what the output wants.
            times: of the frames that the stage will work on, as its work is told them: seconds, increasing, at least
                one. They decide whether something is ever seen.
        """
        return ()

    def open(self, stream: StreamInfo, target: Target) -> StageWork | None:
        """Return the work on such a stream; None where it leaves the pixels alone, as ``Speed`` does."""
        raise TypeError(f"{type(self).__name__} does not say what it does: override open()")
