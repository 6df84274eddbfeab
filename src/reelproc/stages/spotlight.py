"""The work of :class:`~reelproc.stages.overlay.Overlay`: planes in, planes out, no RGB round trip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from reelproc.keyframes import Track
from reelproc.pixels.blend import BLACK, hex_to_rgb, mix, rgb_to_yuv, subsampling
from reelproc.pixels.frame import Frame, plane_shapes
from reelproc.stages.base import StreamInfo
from reelproc.stages.boost import brightened
from reelproc.stages.ellipse import (
    Ellipse,
    Grid,
    Rectangle,
    bounds,
    covered,
    on_the_ground,
    open_ring,
    ring,
    signed_distance,
    tiles,
)
from reelproc.stages.overlay import HighlightRegion, Overlay

__all__ = ["Spotlight"]

F32 = NDArray[np.float32]

_OUTLINE_OPACITY = 0.5
_OUTLINE_DARKNESS = 0.3


class _Look(NamedTuple):
    """Everything that is drawn on one frame."""

    ellipse: Ellipse
    effect: float
    stroke: float
    outline: float
    fill: float
    color: tuple[float, float, float]


class _Paint(NamedTuple):
    """Coverages of tint, ring and outline on a piece of a plane; None deep inside, where there is only the tint."""

    box: Rectangle
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

    box: Rectangle
    effect: tuple[tuple[Rectangle, F32 | None], ...]
    paint: tuple[_Paint, ...]


class _Path:
    """One region, its keyframes scaled to the frame."""

    def __init__(self, region: HighlightRegion, overlay: Overlay, stream: StreamInfo) -> None:
        self.start, self.end = region.start_time, region.end_time
        fade = min(overlay.fade_out, (self.end - self.start) / 2)
        self._fade = fade if fade > 0 else None
        sx, sy = region.scale(stream)
        keyframes = sorted(region.keyframes, key=lambda k: k.time)
        self._track = Track(
            [k.time for k in keyframes],
            [
                (
                    k.x * sx,
                    k.y * sy,
                    k.radius_x * sx,
                    k.radius_y * sy,
                    k.opacity if overlay.dim_strength is None else overlay.dim_strength,
                    k.stroke_opacity if overlay.stroke_opacity is None else overlay.stroke_opacity,
                    k.fill_opacity if overlay.fill_opacity is None else overlay.fill_opacity,
                    *hex_to_rgb(k.color or overlay.color),
                )
                for k in keyframes
            ],
        )

    def at(self, time: float) -> _Look:
        x, y, rx, ry, effect, stroke, fill, red, green, blue = self._track.at(time).tolist()
        left = 1.0 if self._fade is None else min(max((self.end - time) / self._fade, 0.0), 1.0)
        fade = left**2
        return _Look(
            ellipse=Ellipse(x, y, rx, ry),
            effect=effect * fade,
            stroke=stroke * fade,
            outline=min(stroke, _OUTLINE_OPACITY) * fade,
            fill=fill * fade,
            color=(red, green, blue),
        )


class Spotlight:
    """Draws the regions of an overlay into frames, in place.

    Args:
        overlay: what to draw.
        stream: size, pixel format and duration of the frames.
    """

    accepts_window = False

    def __init__(self, overlay: Overlay, stream: StreamInfo) -> None:
        self._overlay = overlay
        self._paths = [_Path(r, overlay, stream) for r in overlay.drawn_regions()]
        self._last = float(stream.duration)
        self._grids = [
            Grid(step, shape[1], shape[0])
            for step, shape in zip(
                subsampling(stream.pix_fmt),
                plane_shapes(stream.pix_fmt, stream.width, stream.height),
                strict=True,
            )
        ]
        self._stroke, self._outline = overlay.ring_widths(stream.height)
        self._masks_of: Ellipse | None = None
        self._masks: dict[int, _Masks] = {}

    def __call__(self, frame: Frame, time: float) -> Frame:
        """``frame`` with its spotlight; untouched outside all regions."""
        time = min(max(time, 0.0), self._last)
        path = next((p for p in self._paths if p.start <= time <= p.end), None)
        if path is None:
            return frame
        look = path.at(time)
        if look.ellipse != self._masks_of:
            self._masks_of = look.ellipse
            self._masks = {}
        if self._overlay.effect == "dark_overlay":
            self._dim(frame, look)
        elif self._overlay.effect == "brightness_boost":
            self._boost(frame, look)
        self._paint(frame, look)
        return frame

    def close(self) -> None:
        """Forget the masks."""
        self._masks = {}
        self._masks_of = None

    def _dim(self, frame: Frame, look: _Look) -> None:
        # A linear operation on whole planes is SIMD work, and cheaper than stepping around the ellipse.
        if not look.effect:
            return
        rest = 1.0 - look.effect
        for plane, grid, black in zip(frame.planes, self._grids, BLACK, strict=True):
            masks = self._masks_for(grid, look.ellipse)
            bright = plane[masks.box.slices].copy()
            cv2.convertScaleAbs(plane, dst=plane, alpha=rest, beta=black * look.effect)
            for box, inside in masks.effect:
                if inside is not None:
                    keep = inside * np.float32(look.effect)
                    keep += np.float32(rest)
                    mix(bright[box.within(masks.box)], keep, (1 - keep) * np.float32(black))
            plane[masks.box.slices] = bright

    def _boost(self, frame: Frame, look: _Look) -> None:
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

    def _paint(self, frame: Frame, look: _Look) -> None:
        fill = look.fill if self._overlay.fill else 0.0
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
        """The masks of one plane, drawn anew only where the ellipse has moved; both chroma planes share theirs."""
        found = self._masks.get(grid.step)
        if found is None:
            found = self._masks[grid.step] = self._draw_masks(grid, ellipse)
        return found

    def _draw_masks(self, grid: Grid, body: Ellipse) -> _Masks:
        width, height = self._grids[0].width, self._grids[0].height
        effect: list[tuple[Rectangle, F32 | None]] = []
        if self._overlay.effect != "original":
            for tile in tiles(body, 0.0, width, height):
                box = grid.samples(tile.pairs)
                distance = None if tile.inside else signed_distance(body, *grid.positions(box))
                effect.append((box, None if distance is None else covered(distance, grid.step)))
        paint: list[_Paint] = []
        if self._stroke or self._overlay.fill:
            painted = body if self._overlay.shape == "body" else on_the_ground(body)
            for tile in tiles(painted, self._outline / 2, width, height):
                box = grid.samples(tile.pairs)
                paint.append(_Paint(box, None, None, None) if tile.inside else self._draw_paint(grid, box, painted))
        return _Masks(grid.samples(bounds(body, 0.0, width, height)), tuple(effect), tuple(paint))

    def _draw_paint(self, grid: Grid, box: Rectangle, painted: Ellipse) -> _Paint:
        nothing = np.empty((0, 0), np.float32)
        x, y = grid.positions(box)
        distance = signed_distance(painted, x, y)
        tint = covered(distance, grid.step) if self._overlay.fill else nothing
        if not self._stroke:
            return _Paint(box, tint, nothing, nothing)
        if self._overlay.shape == "body":
            stroke, outline = (ring(distance, grid.step, width) for width in (self._stroke, self._outline))
        else:
            stroke, outline = (
                open_ring(painted, distance, x, y, grid.step, width) for width in (self._stroke, self._outline)
            )
        return _Paint(box, tint, stroke, outline)


def _tinted(fill: float, code: float) -> NDArray[np.uint8]:
    """What becomes of each code where the tint covers all; rounded as beside it, where the ellipse's edge is."""
    table = np.arange(256, dtype=np.uint8)[None]
    alpha = np.full(table.shape, fill, np.float32)
    mix(table, 1 - alpha, alpha * np.float32(code))
    return table
