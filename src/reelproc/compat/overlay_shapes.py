"""Highlight regions and overlay settings, in every form in which the app has stored them, as an ``Overlay``."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

from reelproc.compat.fields import FieldReader, RecordReader, spellings
from reelproc.compat.framing_shapes import keyframe_time
from reelproc.drawing.options import Effect, Shape
from reelproc.stages.overlay import HighlightKeyframe, HighlightRegion, Overlay

DIM_STRENGTH = 0.15
"""The app's default, of keyframes' ``opacity`` and of settings' ``dim_strength``."""

STROKE_WIDTH = 2.0
"""Of settings that do not say one: the least that the app draws."""

_REGION = spellings(
    "start_time", "end_time", "keyframes", "enabled", "id", "label", "video_width", "video_height", "fps"
)
_KEYFRAME = spellings(
    "time", "frame", "x", "y", "radius_x", "radius_y", "opacity", "stroke_opacity", "fill_opacity", "color"
)
_SETTINGS = spellings(
    "highlight_shape", "stroke_width", "fill_enabled", "fill_opacity", "dim_strength", "color", "stroke_opacity"
)


def overlay_stages(
    regions: FieldReader, settings: FieldReader, effect_type: FieldReader, *, fps: Fraction
) -> list[Overlay]:
    """Return the spotlights of ``render_overlay``; none where nothing can be drawn.

    The first version of the app had ``opacity`` in its keyframes and drew no ring. The later one has ``strokeOpacity``
    and ``fillOpacity`` there, and settings for the whole: what has either of them is drawn with a ring and a tint.

    Args:
        regions: ``highlight_regions``.
        settings: ``overlay_settings``, or nothing.
        effect_type: of these names.
        fps: of keyframes that say a frame and no time; a region's own ``fps`` comes first.

    Raises:
        SpecError: something is not as it should be.
    """
    effect = effect_type.choice("dark_overlay", "brightness_boost", "original", default="dark_overlay")
    read = [_RegionReader(item.record(_REGION, open_ended=True), fps) for item in regions.items()]
    drawn = [region.made for region in read if region.made is not None]
    if settings.given:
        fields = settings.record(_SETTINGS)
    elif any(region.later for region in read):
        fields = RecordReader({}, settings.path, _SETTINGS)
    else:
        return [Overlay(regions=drawn, effect=cast("Effect", effect))] if drawn else []
    overlay = Overlay(
        regions=drawn,
        effect=cast("Effect", effect),
        shape=cast("Shape", fields["highlight_shape"].choice("body", "ground", default="body")),
        dim_strength=fields["dim_strength"].number(DIM_STRENGTH, least=0, most=1),
        stroke_width=fields["stroke_width"].number(STROKE_WIDTH, least=0, most=1000),
        stroke_opacity=_share(fields["stroke_opacity"]),
        fill=fields["fill_enabled"].flag(default=True),
        fill_opacity=_share(fields["fill_opacity"]),
        color=fields["color"].color() or Overlay.model_fields["color"].default,
    )
    return [overlay] if drawn else []


class _RegionReader:
    """A region as it was stored.

    Attributes:
        made: what is drawn; None where it is switched off and has no keyframes.
        later: whether it is of the app's later version.
    """

    def __init__(self, fields: RecordReader, fps: Fraction) -> None:
        keyframes = fields["keyframes"]
        rate = Fraction(repr(fields["fps"].number(above=0))) if fields["fps"].given else fps
        read = [self._keyframe(item, rate) for item in keyframes.items()]
        self.later = any(later for _, later in read)
        enabled = fields["enabled"].flag(default=True)
        start = fields["start_time"].number()
        end = fields["end_time"]
        if end.number() < start:
            raise end.refused(f"at least {start:g}, the region's start", "swap them")
        width, height = fields["video_width"], fields["video_height"]
        if width.given != height.given:
            raise (height if width.given else width).refused("videoWidth and videoHeight together, or neither")
        self.made: HighlightRegion | None = None
        if not read:
            if enabled:
                raise keyframes.refused("at least one keyframe", "add one, or set enabled to false")
            return
        times: set[float] = set()
        for (keyframe, _), item in zip(read, keyframes.items(), strict=True):
            if keyframe.time in times:
                raise item.refused("another time than the keyframes before it", "remove one of them")
            times.add(keyframe.time)
        self.made = HighlightRegion(
            start_time=start,
            end_time=end.number(),
            keyframes=[keyframe for keyframe, _ in read],
            enabled=enabled,
            id=fields["id"].name(),
            label=fields["label"].name(),
            video_width=width.whole(least=1) if width.given else None,
            video_height=height.whole(least=1) if height.given else None,
        )

    @staticmethod
    def _keyframe(item: FieldReader, fps: Fraction) -> tuple[HighlightKeyframe, bool]:
        fields = item.record(_KEYFRAME, open_ended=True)
        keyframe = HighlightKeyframe(
            time=keyframe_time(fields, fps),
            x=fields["x"].number(),
            y=fields["y"].number(),
            radius_x=fields["radius_x"].number(above=0),
            radius_y=fields["radius_y"].number(above=0),
            opacity=fields["opacity"].number(DIM_STRENGTH, least=0, most=1),
            stroke_opacity=fields["stroke_opacity"].number(0.85, least=0, most=1),
            fill_opacity=fields["fill_opacity"].number(0.05, least=0, most=1),
            color=fields["color"].color(),
        )
        return keyframe, fields.first("stroke_opacity", "fill_opacity") is not None


def _share(item: FieldReader) -> float | None:
    return item.number(least=0, most=1) if item.given else None
