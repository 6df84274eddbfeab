"""Draw spotlights on planar frames: planes in, planes out, no round trip over RGB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from reelproc.drawing.brighten import brightened
from reelproc.drawing.ellipse import (
    Ellipse,
    Grid,
    PixelBox,
    bounds,
    covered,
    on_the_ground,
    open_ring,
    ring,
    signed_distance,
    tiles,
)
from reelproc.drawing.options import Effect, Shape
from reelproc.keyframes import Curve
from reelproc.pixels.blend import mix, subsampling
from reelproc.pixels.colour import YUV_BLACK, rgb_to_yuv
from reelproc.pixels.frame import Frame, PixelFormat, plane_shapes

F32 = NDArray[np.float32]

_OUTLINE_OPACITY = 0.5
_OUTLINE_DARKNESS = 0.3


class SpotlightLook(NamedTuple):
    """How a spotlight looks at one moment.

    Attributes:
        ellipse: its place, luma pixels.
        effect: strength of the dimming or brightening, 0 to 1.
        stroke, fill: opacity of the ring and of the tint inside it, 0 to 1.
        color: of both, R'G'B' in [0, 1].
        outline: opacity of the ring's dark outline.
    """

    ellipse: Ellipse
    effect: float
    stroke: float
    fill: float
    color: tuple[float, float, float]
    outline: float = 0.0


class _Paint(NamedTuple):
    """Coverages of tint, ring and outline on a piece of a plane; None deep inside, where there is only the tint."""

    box: PixelBox
    tint: F32 | None
    stroke: F32 | None
    outline: F32 | None


@dataclass(frozen=True, slots=True)
class _Masks:
    """Coverages on one plane.

    Attributes:
        box: what the ellipse touches.
        effect: pieces of it, each with the ellipse's coverage, None where it covers all.
        paint: what is drawn on top.
    """

    box: PixelBox
    effect: tuple[tuple[PixelBox, F32 | None], ...]
    paint: tuple[_Paint, ...]


class SpotlightPath:
    """One spotlight from its start to its end.

    Args:
        start, end: seconds, closed.
        fade_out: seconds before ``end`` over which it goes, at most half its length.
        keyframes: times in seconds, increasing, and looks; their ``outline`` is not used, since it follows the ring's.
    """

    def __init__(
        self, start: float, end: float, fade_out: float, keyframes: Sequence[tuple[float, SpotlightLook]]
    ) -> None:
        self.start, self.end = start, end
        fade = min(fade_out, (end - start) / 2)
        self._fade = fade if fade > 0 else None
        self._track = Curve(
            [time for time, _ in keyframes],
            [(*look.ellipse, look.effect, look.stroke, look.fill, *look.color) for _, look in keyframes],
        )

    def at(self, time: float) -> SpotlightLook:
        """Return its look at a time, seconds."""
        x, y, rx, ry, effect, stroke, fill, red, green, blue = self._track.at(time).tolist()
        left = 1.0 if self._fade is None else min(max((self.end - time) / self._fade, 0.0), 1.0)
        fade = left**2
        return SpotlightLook(
            ellipse=Ellipse(x, y, rx, ry),
            effect=effect * fade,
            stroke=stroke * fade,
            outline=min(stroke, _OUTLINE_OPACITY) * fade,
            fill=fill * fade,
            color=(red, green, blue),
        )


class Spotlight:
    """Draws spotlights into frames, in place. Of several at one time, the first is drawn.

    Args:
        paths: the spotlights.
        effect, shape, fill: see :class:`~reelproc.Overlay`.
        ring_widths: of the ring and of its dark outline, pixels; 0: none.
        width, height: of the frames, pixels.
        pix_fmt: of the frames, planar.
        duration: of the stream, seconds.
    """

    def __init__(
        self,
        paths: Sequence[SpotlightPath],
        *,
        effect: Effect,
        shape: Shape,
        fill: bool,
        ring_widths: tuple[float, float],
        width: int,
        height: int,
        pix_fmt: PixelFormat,
        duration: Fraction,
    ) -> None:
        self._paths = paths
        self._effect, self._shape, self._fill = effect, shape, fill
        self._last = float(duration)
        self._grids = [
            Grid(step, columns, rows)
            for step, (rows, columns) in zip(subsampling(pix_fmt), plane_shapes(pix_fmt, width, height), strict=True)
        ]
        self._stroke, self._outline = ring_widths
        self._masks_of: Ellipse | None = None
        self._masks: dict[int, _Masks] = {}

    def __call__(self, frame: Frame, time: float) -> Frame:
        """Draw the spotlight at ``time`` (seconds) on ``frame`` and return it; untouched where there is none."""
        time = min(max(time, 0.0), self._last)
        path = next((p for p in self._paths if p.start <= time <= p.end), None)
        if path is None:
            return frame
        look = path.at(time)
        if look.ellipse != self._masks_of:
            self._masks_of = look.ellipse
            self._masks = {}
        if self._effect == "dark_overlay":
            self._dim(frame, look)
        elif self._effect == "brightness_boost":
            self._boost(frame, look)
        self._paint(frame, look)
        return frame

    def _dim(self, frame: Frame, look: SpotlightLook) -> None:
        # A linear operation on whole planes is SIMD work, and cheaper than stepping around the ellipse.
        if not look.effect:
            return
        rest = 1.0 - look.effect
        for plane, grid, black in zip(frame.planes, self._grids, YUV_BLACK, strict=True):
            masks = self._masks_for(grid, look.ellipse)
            bright = plane[masks.box.slices].copy()
            cv2.convertScaleAbs(plane, dst=plane, alpha=rest, beta=black * look.effect)
            for box, inside in masks.effect:
                if inside is not None:
                    keep = inside * np.float32(look.effect)
                    keep += np.float32(rest)
                    mix(bright[box.within(masks.box)], keep, (1 - keep) * np.float32(black))
            plane[masks.box.slices] = bright

    def _boost(self, frame: Frame, look: SpotlightLook) -> None:
        if not look.effect:
            return
        planes = frame.planes
        masks = [self._masks_for(grid, look.ellipse) for grid in self._grids]
        # What lies around a piece counts too, so all pieces are computed from what the frame was.
        before = [plane.copy() for plane in planes] if self._grids[1].step == 2 else planes
        for pieces in zip(*(m.effect for m in masks), strict=True):
            brighter = brightened(before, [box for box, _ in pieces], 1 + look.effect)
            for plane, (box, inside), bright in zip(planes, pieces, brighter, strict=True):
                if inside is None:
                    plane[box.slices] = bright + np.float32(0.5)
                else:
                    mix(plane[box.slices], 1 - inside, bright * inside)

    def _paint(self, frame: Frame, look: SpotlightLook) -> None:
        fill = look.fill if self._fill else 0.0
        if not fill and not (self._stroke and look.stroke):
            return
        color = rgb_to_yuv(look.color)
        dark = rgb_to_yuv([c * _OUTLINE_DARKNESS for c in look.color])
        for i, (plane, grid) in enumerate(zip(frame.planes, self._grids, strict=True)):
            for box, tint, stroke, outline in self._masks_for(grid, look.ellipse).paint:
                target = plane[box.slices]
                if tint is None or stroke is None or outline is None:
                    if fill:
                        cv2.LUT(target, _tinted(fill, color[i]), dst=target)
                    continue
                keep, paint = np.ones(box.shape, np.float32), np.zeros(box.shape, np.float32)
                for opacity, coverage, code in (
                    (fill, tint, color[i]),
                    (look.outline, outline, dark[i]),
                    (look.stroke, stroke, color[i]),
                ):
                    if opacity and coverage.size:
                        alpha = coverage * np.float32(opacity)
                        rest = 1 - alpha
                        keep *= rest
                        paint *= rest
                        alpha *= np.float32(code)
                        paint += alpha
                mix(target, keep, paint)

    def _masks_for(self, grid: Grid, ellipse: Ellipse) -> _Masks:
        """Return the masks of one plane, drawn only when the ellipse has moved; both chroma planes share theirs."""
        found = self._masks.get(grid.step)
        if found is None:
            found = self._masks[grid.step] = self._draw_masks(grid, ellipse)
        return found

    def _draw_masks(self, grid: Grid, body: Ellipse) -> _Masks:
        width, height = self._grids[0].width, self._grids[0].height
        effect: list[tuple[PixelBox, F32 | None]] = []
        if self._effect != "original":
            for tile in tiles(body, 0.0, width, height):
                box = grid.samples(tile.pairs)
                distance = None if tile.inside else signed_distance(body, *grid.positions(box))
                effect.append((box, None if distance is None else covered(distance, grid.step)))
        paint: list[_Paint] = []
        if self._stroke or self._fill:
            painted = body if self._shape == "body" else on_the_ground(body)
            for tile in tiles(painted, self._outline / 2, width, height):
                box = grid.samples(tile.pairs)
                paint.append(_Paint(box, None, None, None) if tile.inside else self._draw_paint(grid, box, painted))
        return _Masks(grid.samples(bounds(body, 0.0, width, height)), tuple(effect), tuple(paint))

    def _draw_paint(self, grid: Grid, box: PixelBox, painted: Ellipse) -> _Paint:
        nothing = np.empty((0, 0), np.float32)
        x, y = grid.positions(box)
        distance = signed_distance(painted, x, y)
        tint = covered(distance, grid.step) if self._fill else nothing
        if not self._stroke:
            return _Paint(box, tint, nothing, nothing)
        if self._shape == "body":
            stroke, outline = (ring(distance, grid.step, width) for width in (self._stroke, self._outline))
        else:
            stroke, outline = (
                open_ring(painted, distance, x, y, grid.step, width) for width in (self._stroke, self._outline)
            )
        return _Paint(box, tint, stroke, outline)


def _tinted(fill: float, code: float) -> NDArray[np.uint8]:
    """Return what each code becomes where the tint covers all, rounded as it is at the ellipse's edge."""
    table = np.arange(256, dtype=np.uint8)[None]
    alpha = np.full(table.shape, fill, np.float32)
    mix(table, 1 - alpha, alpha * np.float32(code))
    return table
