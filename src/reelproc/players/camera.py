"""What the camera does with a player that was found: the crop's window and the spotlight, as keyframes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from reelproc.keyframes import Curve
from reelproc.players.path import grid, on_grid, smooth, steady
from reelproc.players.result import LostSpan, Sighting
from reelproc.schema import Schema
from reelproc.stages.crop import CropKeyframe
from reelproc.stages.overlay import HighlightKeyframe, HighlightRegion

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_Speed = Annotated[float, Field(ge=0.01, allow_inf_nan=False)]

_HEIGHT_SIGMA_SECONDS = 0.5
"""Seconds: boxes breathe with every stride; nobody grows or shrinks as fast."""

_SPOTLIGHT_SIGMA_SECONDS = 0.12
"""Seconds: a spotlight stays on its player, a crop may lag."""

_SPOTLIGHT_RADII_HEIGHTS = 0.45, 0.65
"""Half axes of the spotlight in body heights: arms, ball and some air."""

_BRIDGE_SECONDS = 0.5
"""A player out of sight for longer gets no spotlight meanwhile."""


class Framing(Schema):
    """How the crop of :func:`reelproc.follow_player` frames its player.

    Attributes:
        aspect: width by height of the crop as it is displayed, 0.02 to 50.
        player_height: the share of the crop's height that the player takes where they are tallest, 0.001 to 1.
        smoothing: seconds (standard deviation) over which the crop's path is averaged, at least; 0.001 to 100.
        max_speed, max_acceleration: of the crop, in its own widths per second (squared), 0.01 or more. The path is
            averaged over longer until both hold.

    Example:
        >>> Framing(aspect=1, player_height=0.5)
        Framing(aspect=1.0, player_height=0.5)
    """

    aspect: Annotated[float, Field(ge=0.02, le=50)] = 9 / 16
    player_height: Annotated[float, Field(ge=0.001, le=1)] = 0.35
    smoothing: Annotated[float, Field(ge=0.001, le=100)] = 0.5
    max_speed: _Speed = 1.5
    max_acceleration: _Speed = 3.0


@dataclass(frozen=True, slots=True)
class Camera:
    """A framing on frames of one size.

    Attributes:
        width, height: of the source's frames, pixels.
        framing: how the crop frames its player.
        sample_aspect_ratio: of the source: the width of a pixel over its height.
    """

    width: int
    height: int
    framing: Framing
    sample_aspect_ratio: Fraction = Fraction(1)

    @property
    def shape(self) -> float:
        """Width by height of the crop in pixels of the source."""
        return float(Fraction(self.framing.aspect) / self.sample_aspect_ratio)


def crop_path(
    sightings: Sequence[Sighting], start: float, duration: float, camera: Camera, *, step: float
) -> tuple[CropKeyframe, ...]:
    """Return the window's path: one size, the player in its middle as far as the frame's edges and the bounds allow.

    Args:
        sightings: at least one, in order of time.
        start: seconds of the source at which the keyframes' time is 0.
        duration: seconds.
        camera: which frames a crop of which framing.
        step: seconds from keyframe to keyframe, at most.
    """
    import numpy as np

    times = grid(duration, step)
    spacing = float(times[1] - times[0])
    width, height = _window_size(float(_heights(times, start, sightings).max()), camera)
    at = [s.time - start for s in sightings]
    low, high = (width / 2, height / 2), (camera.width - width / 2, camera.height - height / 2)
    middles = np.clip(on_grid(times, at, [(s.detection.x, s.detection.y) for s in sightings]), low, high)
    path = steady(
        middles,
        spacing,
        sigma=camera.framing.smoothing,
        max_speed=camera.framing.max_speed * width,
        max_acceleration=camera.framing.max_acceleration * width,
        low=low,
        high=high,
    )
    return tuple(
        CropKeyframe(
            time=round(float(time), 6),
            x=_placed(float(x) - width / 2, camera.width - width),
            y=_placed(float(y) - height / 2, camera.height - height),
            width=width,
            height=height,
        )
        for time, (x, y) in zip(times, path, strict=True)
    )


def _window_size(tall: float, camera: Camera) -> tuple[float, float]:
    """Return the window for a player ``tall`` pixels high: within the frame, and of the shape that was asked for."""
    most = min(float(camera.height), camera.width / camera.shape)
    height = min(most, max(tall / camera.framing.player_height, 2.0, 2.0 / camera.shape))
    return round(min(height * camera.shape, camera.width), 3), round(min(height, camera.height), 3)


def _placed(value: float, most: float) -> float:
    """Return ``value`` to a hundredth of a pixel, within [0, most]."""
    return min(max(round(value, 2), 0.0), round(max(most, 0.0), 3))


def _heights(times: NDArray[np.float64], start: float, sightings: Sequence[Sighting]) -> NDArray[np.float64]:
    """Return (N,) the player's height at ``times``."""
    at = [s.time - start for s in sightings]
    step = float(times[1] - times[0])
    heights = on_grid(times, at, [(s.detection.height,) for s in sightings])
    return smooth(heights, step, _HEIGHT_SIGMA_SECONDS, low=1.0)[:, 0]


def outside(sightings: Sequence[Sighting], start: float, crop: Sequence[CropKeyframe]) -> tuple[LostSpan, ...]:
    """Return the spans in which the player's box leaves the window; what lies beyond the frame does not count."""
    windows = Curve([k.time for k in crop], [(k.x, k.y, k.width, k.height) for k in crop])
    spans: list[LostSpan] = []
    last_was_outside = False
    for sighting in sightings:
        x, y, width, height = windows.at(sighting.time - start).tolist()
        left, top, right, bottom = sighting.detection.corners
        slack = 1.0  # pixels; half of it would be rounding
        is_outside = (
            max(left, 0) < x - slack
            or max(top, 0) < y - slack
            or right > x + width + slack
            or bottom > y + height + slack
        )
        if is_outside:
            begin = spans.pop().start if last_was_outside else sighting.time
            spans.append(LostSpan(start=begin, end=sighting.time))
        last_was_outside = is_outside
    return tuple(spans)


def spotlight_regions(
    sightings: Sequence[Sighting], start: float, duration: float, camera: Camera, *, step: float
) -> tuple[HighlightRegion, ...]:
    """Return the spans in which the player is seen, short gaps bridged, with an ellipse around them.

    Args:
        sightings, start, duration, camera, step: as for :func:`crop_path`; the keyframes have the same times.
    """
    times = grid(duration, step)
    spacing = float(times[1] - times[0])
    at = [s.time - start for s in sightings]
    middles = on_grid(times, at, [(s.detection.x, s.detection.y) for s in sightings])
    spots = smooth(middles, spacing, _SPOTLIGHT_SIGMA_SECONDS)
    tall = _heights(times, start, sightings)
    regions = []
    across, down = _SPOTLIGHT_RADII_HEIGHTS
    for first, last in _seen_spans(at):
        begin, end = max(0.0, first - step / 2), min(duration, last + step / 2)
        keyframes = [
            HighlightKeyframe(
                time=round(float(time), 6),
                x=round(float(x), 2),
                y=round(float(y), 2),
                radius_x=round(max(1.0, across * float(high) / float(camera.sample_aspect_ratio)), 2),
                radius_y=round(max(1.0, down * float(high)), 2),
            )
            for time, (x, y), high in zip(times, spots, tall, strict=True)
            if begin - spacing <= time <= end + spacing
        ]
        regions.append(
            HighlightRegion(
                start_time=round(begin, 6),
                end_time=round(end, 6),
                keyframes=keyframes,
                video_width=camera.width,
                video_height=camera.height,
            )
        )
    return tuple(regions)


def _seen_spans(at: Sequence[float]) -> list[tuple[float, float]]:
    spans = [(at[0], at[0])]
    for time in at[1:]:
        if time - spans[-1][1] > _BRIDGE_SECONDS:
            spans.append((time, time))
        else:
            spans[-1] = (spans[-1][0], time)
    return spans
