"""Follow the player: a crop window that moves and zooms along keyframes, to the fraction of a pixel."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from reelproc.errors import SpecError
from reelproc.keyframes import Curve, Interpolation
from reelproc.pixels.frame import Window
from reelproc.pixels.placement import even_near, fit, inside, whole
from reelproc.pixels.view import View
from reelproc.schema import Items, Schema, Seconds
from reelproc.stages.base import FrameAmounts, Mismatch, Stage, StageWork, StreamInfo, Target, WindowWork
from reelproc.stages.footage import MADE_FOR, bent, check_footage, scale_from
from reelproc.stages.mismatch_texts import stands_still

if TYPE_CHECKING:
    from reelproc.timing import Time

Pixels = Annotated[float, Field(allow_inf_nan=False)]

SMALLEST = 2.0
"""Pixels: the least side of a window, one chroma sample of 4:2:0."""


SHRUNK = 0.9
"""A window shrunk to less of its sides is not what was asked for: of the usual sizes of footage, none is nearer."""

MAX_OUTSIDE_PIXELS = 1.0
"""Pixels by which a window's centre may lie outside the picture: what rounding does to a player at its very edge."""


class CropKeyframe(Schema):
    """The crop window at one moment.

    Attributes:
        time: seconds since the start of the stage's input; may be negative (a trimmed clip keeps its spline).
        x, y: left and top edge, pixels of the stage's input, fractions allowed.
        width, height: pixels, above 0.
    """

    time: Seconds
    x: Pixels
    y: Pixels
    width: Annotated[Pixels, Field(gt=0)]
    height: Annotated[Pixels, Field(gt=0)]

    if TYPE_CHECKING:  # what may be given is more than what is kept

        def __init__(self, *, time: Time, x: float, y: float, width: float, height: float) -> None: ...


def _in_order(keyframes: tuple[CropKeyframe, ...]) -> tuple[CropKeyframe, ...]:
    ordered = tuple(sorted(keyframes, key=lambda k: k.time))
    for one, two in itertools.pairwise(ordered):
        if one.time == two.time:
            raise ValueError(f"two keyframes at {one.time:g} s: a crop has one window at a time, remove one of them")
    return ordered


class Crop(Stage):
    """A moving crop.

    What comes out has one size: the largest width and the largest height that the window takes anywhere along its path,
    overshoot of a spline included, each to the nearest even number. Smaller windows are enlarged to it; a stage that
    samples the window itself (``Upscale``) goes from the source to its own size at once. A window that leaves the frame
    is moved back into it; one that is larger than the frame is shrunk first, about its centre, keeping its shape.

    Attributes:
        keyframes: in any order (kept sorted), at different times. None at all: the largest centred window of the
            output's aspect ratio, or the whole frame where the output has no size of its own.
        interpolation: between keyframes: ``"linear"``, or ``"catmull-rom"`` for a path without corners.
        video_width, video_height: the size of the footage that the keyframes were made on, both or neither; the
            keyframes are scaled to the input's size, each axis by itself. So keyframes made on a proxy do for the
            original, and the other way round. None: they are pixels of the input.
    """

    stage: Literal["crop"] = "crop"
    keyframes: Annotated[Items[CropKeyframe], AfterValidator(_in_order)] = ()
    interpolation: Interpolation = "linear"
    video_width: Annotated[int, Field(gt=0)] | None = None
    video_height: Annotated[int, Field(gt=0)] | None = None

    def model_post_init(self, _context: object, /) -> None:
        """Check that the size of the footage is whole."""
        check_footage(self.video_width, self.video_height)

    def resolve(self, stream: StreamInfo, target: Target) -> StreamInfo:
        """Return the fixed size; what rounding does to its shape goes into the sample aspect ratio.

        Raises:
            SpecError: the window gets smaller than 2 pixels somewhere along the path (a spline can undershoot).
        """
        return self._path(stream, target).stream

    def open(self, stream: StreamInfo, target: Target) -> StageWork | None:
        """Return work that marks the window; None where the whole frame is kept."""
        path = self._path(stream, target)
        return None if path.stream == stream and path.fixed == whole(stream.width, stream.height) else _CropWork(path)

    def window_at(self, stream: StreamInfo, target: Target) -> Callable[[float], Window]:
        """Return where the window is, in pixels of ``stream``, at a time in seconds of it."""
        return self._path(stream, target).at

    def amounts(self, stream: StreamInfo, target: Target, room: StreamInfo) -> tuple[FrameAmounts, ...]:
        """Return no work: what cuts the window, or samples it, is a stage after it."""
        return ()

    def mismatches(self, stream: StreamInfo, target: Target, times: Sequence[float]) -> tuple[Mismatch, ...]:
        """Say where the window is moved so far, or shrunk so much, that it shows something else; and if it never moves.

        A window may hang over the picture's edge by half of itself, as it does about a player at the edge.
        """
        if not self.keyframes:
            return ()
        moments = [k.time for k in self.keyframes]
        said = (
            stands_still(moments, 0.0, float(stream.duration), "the window"),
            bent(self.video_width, self.video_height, stream),
            self._far_off(stream, target, times),
        )
        return tuple(Mismatch(text, ("keyframes",)) for text in said if text)

    def _far_off(self, stream: StreamInfo, target: Target, times: Sequence[float]) -> str:
        """Say on which frame the window is furthest from where it was put; "" if none is far."""
        changes = self._changes(stream, target, times)
        worst, time = max(changes, key=lambda change: change[0], default=(0.0, 0.0))
        if not worst:
            return ""
        path = self._straight(stream, target)
        wanted, got = path.wanted(time), path.at(time)
        down = f"shrunk to {got.width:.0f}x{got.height:.0f} and " if got.width < wanted.width else ""
        by = max(abs(a - b) for a, b in zip(_centre(got), _centre(wanted), strict=True))
        hint = "" if self.video_width else f"; {MADE_FOR}"
        return (
            f"has at {time:.6g} s a window of {wanted.width:.0f}x{wanted.height:.0f} pixels at ({wanted.x:.0f}, "
            f"{wanted.y:.0f}), which the {stream.width}x{stream.height} picture has no room for: it is {down}moved "
            f"by {by:.0f} px{hint}"
        )

    def _changes(self, stream: StreamInfo, target: Target, times: Sequence[float]) -> Iterator[tuple[float, float]]:
        """Yield by how many pixels the window is changed at each time at which that is far, and the time."""
        path = self._straight(stream, target)
        if path.track is not None:
            low, high = path.track.minimum(), path.track.maximum()
            if low[:2].min() >= 0 and high[0] + high[2] <= stream.width and high[1] + high[3] <= stream.height:
                return  # it never leaves the picture
        for time in times:
            wanted, got = path.wanted(time), path.at(time)
            x, y = _centre(wanted)
            outside = max(-x, x - stream.width, -y, y - stream.height)
            if outside > MAX_OUTSIDE_PIXELS or got.width < SHRUNK * wanted.width:
                yield max(outside, 0.0) + wanted.width - got.width, time

    def _straight(self, stream: StreamInfo, target: Target) -> _Path:
        """Return the path without a spline's swing, which may leave the picture though no keyframe does."""
        return self.model_copy(update={"interpolation": "linear"})._path(stream, target)

    def _path(self, stream: StreamInfo, target: Target) -> _Path:
        if not self.keyframes:
            return _centred(stream, target)
        across, down = scale_from(self.video_width, self.video_height, stream)
        track = Curve(
            [k.time for k in self.keyframes],
            [(k.x * across, k.y * down, k.width * across, k.height * down) for k in self.keyframes],
            self.interpolation,
        )
        least, most = track.minimum()[2:], track.maximum()[2:]
        if least.min() < SMALLEST:
            raise SpecError(
                f"along its {self.interpolation} path the crop window shrinks to {least[0]:g} pixels in width and "
                f"{least[1]:g} in height, expected {SMALLEST:g} or more; enlarge it, or add keyframes where it swings"
            )
        largest = inside(Window(0.0, 0.0, float(most[0]), float(most[1])), stream.width, stream.height)
        if min(largest.width, largest.height) < SMALLEST:
            raise SpecError(
                f"a crop window of {most[0]:g} x {most[1]:g} pixels has {largest.width:g} x {largest.height:g} of its "
                f"shape within the {stream.width}x{stream.height} picture, expected {SMALLEST:g} or more each way; "
                "make it less oblong"
            )
        fixed = None
        if len(self.keyframes) == 1:
            fixed = inside(Window(*track.at(0.0).tolist()), stream.width, stream.height)
        return _Path(stream, _nominal(stream, largest.width, largest.height), track, fixed)


@dataclass(frozen=True, slots=True)
class _Path:
    """Where the window is on ``source`` at any time, and the ``stream`` it makes."""

    source: StreamInfo
    stream: StreamInfo
    track: Curve | None
    fixed: Window | None

    def at(self, time: float) -> Window:
        if self.fixed is not None or self.track is None:
            return self.fixed or whole(self.source.width, self.source.height)
        return inside(self.wanted(time), self.source.width, self.source.height)

    def wanted(self, time: float) -> Window:
        """Return the window as its keyframes have it, inside the picture or not."""
        return self.at(time) if self.track is None else Window(*self.track.at(time).tolist())


def _centre(window: Window) -> tuple[float, float]:
    return window.x + window.width / 2, window.y + window.height / 2


def _centred(stream: StreamInfo, target: Target) -> _Path:
    """Return the path of the largest centred window of the target's aspect ratio."""
    if target.width is None or target.height is None:
        return _Path(stream, stream, None, whole(stream.width, stream.height))
    placed = fit(stream.width, stream.height, stream.sample_aspect_ratio, target.width, target.height, "cover")
    window = placed.window
    return _Path(stream, _nominal(stream, window.width, window.height), None, window)


def _nominal(stream: StreamInfo, width: float, height: float) -> StreamInfo:
    """Return ``stream`` cut to windows of that size: even, and of the same shape when displayed."""
    even = even_near(width, stream.width), even_near(height, stream.height)
    across, down = (Fraction(size).limit_denominator(1000) for size in (width, height))
    shape = stream.sample_aspect_ratio * (across / even[0]) / (down / even[1])
    return replace(stream, width=even[0], height=even[1], sample_aspect_ratio=shape)


class _CropWork(WindowWork):
    def __init__(self, path: _Path) -> None:
        self._path = path

    def view(self, view: View, time: float) -> View:
        return view.narrowed(self._path.at(time), (self._path.stream.width, self._path.stream.height))
