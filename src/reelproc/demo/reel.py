"""The demo's reels: one that knows where the player is, and one that makes the best of any footage."""

from __future__ import annotations

import bisect
from fractions import Fraction
from typing import TYPE_CHECKING

from reelproc.errors import SpecError
from reelproc.keyframes import Curve
from reelproc.reel import Clip, Output, Reel
from reelproc.stages.banner import Banner
from reelproc.stages.base import Stage
from reelproc.stages.concat import Concat
from reelproc.stages.crop import Crop, CropKeyframe
from reelproc.stages.overlay import HighlightKeyframe, HighlightRegion, Overlay
from reelproc.stages.speed import Speed, SpeedSegment
from reelproc.stages.upscale import Upscale
from reelproc.timing import TimeMap, exact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelproc.demo.match import MatchTracks, Outline
    from reelproc.media.info import MediaInfo

_OUTPUT = Output(width=810, height=1440, fps=Fraction(30))
_ASPECT = 810 / 1440
_RESAMPLER = "lanczos"

SHORTEST = 0.5
"""Seconds of footage from which three clips can be made that are worth looking at."""


def match_reel(match: MatchTracks, source: str) -> Reel:
    """Make the reel of the drawn match: the pass, the dribble, the goal.

    Args:
        match: where the hero and the ball are on every frame.
        source: what the reel calls the match's file.
    """
    run = _follow(match, 1.5, 4.0, height=(1000, 860))
    dribble = _follow(match, 4.0, 6.5, height=(760, 700))
    goal = _follow(match, 6.5, 9.9, height=(1060, 620))
    slow = SpeedSegment(start=0.8, end=1.6, speed=0.5)
    return Reel(
        clips=(
            Clip(source=source, start=1.5, end=4.0, stages=(run, Upscale(model=_RESAMPLER))),
            Clip(
                source=source,
                start=4.0,
                end=6.5,
                stages=(
                    dribble,
                    Speed(segments=(slow,)),
                    Upscale(model=_RESAMPLER),
                    _spotlight(match.hero, 4.0, 6.5, dribble, slow),
                ),
            ),
            Clip(
                source=source,
                start=6.5,
                end=9.9,
                stages=(
                    goal,
                    Upscale(model=_RESAMPLER),
                    Banner(
                        rating=5,
                        name="Solo run and goal",
                        tags=("Dribble", "Goal"),
                        notes="Past the last man, then the far corner",
                    ),
                ),
            ),
        ),
        concat=Concat(transition="dissolve", duration=0.5),
        output=_OUTPUT,
    )


def _smoothed(track: Sequence[Outline], time: float, sigma: float) -> tuple[float, float]:
    """Return x and y of the hero around ``time``, averaged by a Gaussian of ``sigma`` seconds."""
    import numpy as np

    times = np.array([s.time for s in track])
    weight = np.exp(-0.5 * ((times - time) / sigma) ** 2)
    x, y = np.array([(s.x, s.y) for s in track]).T
    return float((x * weight).sum() / weight.sum()), float((y * weight).sum() / weight.sum())


def _follow(match: MatchTracks, start: float, end: float, *, height: tuple[float, float]) -> Crop:
    """Return a crop that follows the hero from ``start`` to ``end`` while its height goes from one value to the other.

    Around the goal it makes room for the ball, so that both are seen.
    """
    import numpy as np

    step = 0.25
    keyframes = []
    for k in range(-1, round((end - start) / step) + 3):  # the spline needs a neighbour on either side
        time = k * step
        share = min(1.0, max(0.0, time / (end - start)))
        tall = height[0] + (height[1] - height[0]) * share * share * (3 - 2 * share)
        wide = tall * _ASPECT
        moment = start + time
        x, y = _smoothed(match.hero, moment, 0.3)
        shot = match.goal_time
        ball = float(np.interp(moment, [shot - 0.7, shot - 0.2, shot + 0.5, shot + 1.1], [0, 0.5, 0.5, 0]))
        x += ball * (_smoothed(match.ball, moment, 0.15)[0] - x)
        left = min(max(0.0, x - wide / 2), match.width - wide)
        top = min(max(0.0, y - tall * 0.53), match.height - tall)
        keyframes.append(
            CropKeyframe(time=time, x=round(left, 2), y=round(top, 2), width=round(wide, 2), height=round(tall, 2))
        )
    return Crop(keyframes=tuple(keyframes), interpolation="catmull-rom")


def _spotlight(track: Sequence[Outline], start: float, end: float, crop: Crop, slow: SpeedSegment) -> Overlay:
    """Return a spotlight on the hero, in pixels and seconds of the cropped, slowed and scaled clip."""
    windows = Curve(
        [k.time for k in crop.keyframes], [(k.x, k.y, k.width, k.height) for k in crop.keyframes], crop.interpolation
    )
    clock = TimeMap.from_speeds(exact(end) - exact(start), [(exact(slow.start), exact(slow.end), exact(slow.speed))])
    seen_at = [s.time for s in track]
    width, height = _OUTPUT.target.width or 0, _OUTPUT.target.height or 0
    begin, stop = Fraction(3, 10), clock.out_duration - Fraction(3, 10)
    keyframes = []
    moment = begin
    while moment <= stop:
        source = float(clock.inverse(moment))
        sighting = track[min(bisect.bisect_left(seen_at, start + source - 1e-6), len(track) - 1)]
        x, y = _smoothed(track, start + source, sigma=0.06)
        left, top, wide, tall = windows.at(source).tolist()
        keyframes.append(
            HighlightKeyframe(
                time=round(float(moment), 3),
                x=round((x - left) * width / wide, 1),
                y=round((y - top) * height / tall, 1),
                radius_x=round(0.95 * sighting.height * 0.62 * width / wide, 1),
                radius_y=round(0.66 * sighting.height * height / tall, 1),
                opacity=0.45,
                stroke_opacity=0.9,
                color="#facc15",
            )
        )
        moment += Fraction(1, 10)
    region = HighlightRegion(
        start_time=float(begin), end_time=float(stop), keyframes=tuple(keyframes), id="hero", label="Number 10"
    )
    return Overlay(regions=(region,), stroke_width=3)


def footage_reel(info: MediaInfo, source: str) -> Reel:
    """Make a reel of unknown footage: three moments spread over it, each with a slow pan about the centre.

    Args:
        info: of the footage.
        source: what the reel calls its file.

    Raises:
        ProbeError: it has no video.
        SpecError: it is too short.
    """
    video = info.require_video()
    if info.duration < exact(SHORTEST):
        raise SpecError(
            f"{info.path} is {float(info.duration):.2f} s long, a demo reel needs at least {SHORTEST} s of footage"
        )
    length = Fraction(int(min(Fraction(3), info.duration / 3) * 1000), 1000)
    # In square pixels: the largest window of the reel's shape that leaves a tenth of the frame to move in.
    pixel = float(video.sample_aspect_ratio)
    tall = 0.9 * min(float(video.height), video.width * pixel / _ASPECT)
    wide = tall * _ASPECT / pixel
    room_x, room_y = video.width - wide, video.height - tall
    pans = (((0.35, 0.5), (0.65, 0.5)), ((0.5, 0.35), (0.5, 0.65)), ((0.65, 0.5), (0.35, 0.5)))
    clips = []
    for number, (begin, end) in enumerate(pans):
        crop = Crop(
            keyframes=tuple(
                CropKeyframe(
                    time=time,
                    x=round(x * room_x, 2),
                    y=round(y * room_y, 2),
                    width=round(wide, 2),
                    height=round(tall, 2),
                )
                for time, (x, y) in ((0.0, begin), (float(length), end))
            )
        )
        start = info.duration * (2 * number + 1) / 6 - length / 2
        clips.append(
            Clip(
                source=source,
                start=round(float(start), 3),
                end=round(float(start + length), 3),
                stages=(crop, *_extras(number, float(length))),
            )
        )
    overlap = min(0.5, round(float(length) / 4, 3))
    return Reel(clips=tuple(clips), concat=Concat(transition="dissolve", duration=overlap), output=_OUTPUT)


def _extras(number: int, length: float) -> tuple[Stage, ...]:
    """Return the stages after the crop of a clip: nothing, slow motion, a banner. Nobody knows whom to spotlight."""
    scale = Upscale(model=_RESAMPLER)
    if number == 0:
        return (scale,)
    if number == 2:
        return (scale, Banner(rating=4, name="Your own footage", notes="reelproc demo --source"))
    third = round(length / 3, 3)
    slow = Speed(segments=(SpeedSegment(start=third, end=round(2 * third, 3), speed=0.5),))
    return (slow, scale)
