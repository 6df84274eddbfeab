"""What the camera does with a player that was found: the crop's window and the spotlight, as keyframes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reelproc.keyframes import Track
from reelproc.players.path import grid, on_grid, smooth, steady
from reelproc.players.result import LostSpan, Sighting
from reelproc.stages.crop import CropKeyframe
from reelproc.stages.overlay import HighlightKeyframe, HighlightRegion

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Framing", "crop_path", "outside", "spotlight_regions"]

_SIZE_SIGMA = 0.5
"""Seconds: boxes breathe with every stride; nobody grows or shrinks as fast."""

_SPOT_SIGMA = 0.12
"""Seconds: a spotlight stays on its player, a crop may lag."""

_SPOT = 0.45, 0.65
"""Half axes of the spotlight in body heights: arms, ball and some air."""

_BRIDGE_SECONDS = 0.5
"""A player out of sight for longer gets no spotlight meanwhile."""


@dataclass(frozen=True, slots=True)
class Framing:
    """How the camera behaves.

    Attributes:
        width, height: of the source's frames, pixels.
        shape: of the window in pixels of the source, width by height.
        player_height: the share of the window's height that the player takes where they are tallest, above 0 to 1.
        smoothing: standard deviation, seconds, of the least smoothing.
        max_speed, max_acceleration: of the window, in its own widths per second (squared).
        sample_aspect_ratio: of the source: the width of a pixel over its height.
    """

    width: int
    height: int
    shape: float
    player_height: float = 0.35
    smoothing: float = 0.5
    max_speed: float = 1.5
    max_acceleration: float = 3.0
    sample_aspect_ratio: float = 1.0


def crop_path(
    sightings: Sequence[Sighting], start: float, duration: float, framing: Framing, *, step: float
) -> tuple[CropKeyframe, ...]:
    """The window's path: one size, the player in its middle as far as the frame's edges and the bounds allow.

    Args:
        sightings: at least one, in order of time.
        start: seconds of the source at which the keyframes' time is 0.
        duration: seconds.
        framing: how the camera behaves.
        step: seconds from keyframe to keyframe, at most.
    """
    import numpy as np

    times = grid(duration, step)
    spacing = float(times[1] - times[0])
    width, height = _window_size(float(_heights(times, start, sightings).max()), framing)
    at = [s.time - start for s in sightings]
    low, high = (width / 2, height / 2), (framing.width - width / 2, framing.height - height / 2)
    middles = np.clip(on_grid(times, at, [(s.detection.x, s.detection.y) for s in sightings]), low, high)
    path = steady(
        middles,
        spacing,
        sigma=framing.smoothing,
        max_speed=framing.max_speed * width,
        max_acceleration=framing.max_acceleration * width,
        low=low,
        high=high,
    )
    return tuple(
        CropKeyframe(
            time=round(float(time), 6),
            x=_placed(float(x) - width / 2, framing.width - width),
            y=_placed(float(y) - height / 2, framing.height - height),
            width=width,
            height=height,
        )
        for time, (x, y) in zip(times, path, strict=True)
    )


def _window_size(tall: float, framing: Framing) -> tuple[float, float]:
    """The window for a player ``tall`` pixels high: within the frame, and of the shape that was asked for."""
    most = min(float(framing.height), framing.width / framing.shape)
    height = min(most, max(tall / framing.player_height, 2.0, 2.0 / framing.shape))
    return round(min(height * framing.shape, framing.width), 3), round(min(height, framing.height), 3)


def _placed(value: float, most: float) -> float:
    """``value`` to a hundredth of a pixel, within [0, most]."""
    return min(max(round(value, 2), 0.0), round(max(most, 0.0), 3))


def _heights(times: NDArray[np.float64], start: float, sightings: Sequence[Sighting]) -> NDArray[np.float64]:
    """(N,) the player's height at ``times``."""
    at = [s.time - start for s in sightings]
    step = float(times[1] - times[0])
    return smooth(on_grid(times, at, [(s.detection.height,) for s in sightings]), step, _SIZE_SIGMA, low=1.0)[:, 0]


def outside(sightings: Sequence[Sighting], start: float, crop: Sequence[CropKeyframe]) -> tuple[LostSpan, ...]:
    """The spans in which the player's box is not wholly inside the window (but for what lies beyond the frame)."""
    windows = Track([k.time for k in crop], [(k.x, k.y, k.width, k.height) for k in crop])
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
    sightings: Sequence[Sighting], start: float, duration: float, framing: Framing, *, step: float
) -> tuple[HighlightRegion, ...]:
    """The spans in which the player is seen, short gaps bridged, with an ellipse around them.

    Args:
        sightings, start, duration, framing, step: as for :func:`crop_path`; the keyframes have the same times.
    """
    times = grid(duration, step)
    spacing = float(times[1] - times[0])
    at = [s.time - start for s in sightings]
    middles = on_grid(times, at, [(s.detection.x, s.detection.y) for s in sightings])
    spots = smooth(middles, spacing, _SPOT_SIGMA)
    tall = _heights(times, start, sightings)
    regions = []
    for first, last in _seen_spans(at):
        begin, end = max(0.0, first - step / 2), min(duration, last + step / 2)
        keyframes = [
            HighlightKeyframe(
                time=round(float(time), 6),
                x=round(float(x), 2),
                y=round(float(y), 2),
                radius_x=round(max(1.0, _SPOT[0] * float(high) / framing.sample_aspect_ratio), 2),
                radius_y=round(max(1.0, _SPOT[1] * float(high)), 2),
            )
            for time, (x, y), high in zip(times, spots, tall, strict=True)
            if begin - spacing <= time <= end + spacing
        ]
        regions.append(
            HighlightRegion(
                start_time=round(begin, 6),
                end_time=round(end, 6),
                keyframes=keyframes,
                video_width=framing.width,
                video_height=framing.height,
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
