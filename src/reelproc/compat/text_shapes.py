"""Text layers, as the app stores them, as a ``Text``."""

from __future__ import annotations

from typing import Literal, cast

from reelproc.compat.fields import FieldReader, RecordReader, spellings
from reelproc.stages.text import Text, TextElement, TextPosition, TextRegion, TextShadow, TextSpec, TextStroke

_REGION = spellings("start_time", "end_time", "elements", "enabled", "id")
_ELEMENT = spellings("spec", "enabled", "id")
_SPEC = spellings("text", "size", "position", "max_width", "align", "opacity", "shadow", "stroke", color="color colour",
                  font="font fontFamily font_family")  # fmt: skip
_POSITION = spellings("x", "y")
_SHADOW = spellings("offset_x", "offset_y", "blur", "opacity", color="color colour")
_STROKE = spellings("width", color="color colour")


def text_stages(layers: FieldReader) -> list[Text]:
    """Return the texts of ``render_overlay``; none where there are no layers.

    Raises:
        SpecError: a layer is not as it should be.
    """
    regions = [_region(item) for item in layers.items()]
    return [Text(regions=regions)] if regions else []


def _region(item: FieldReader) -> TextRegion:
    fields = item.record(_REGION)
    start, end = fields["start_time"].number(), fields["end_time"]
    if end.number() < start:
        raise end.refused(f"at least {start:g}, the region's start", "swap them")
    return TextRegion(
        start_time=start,
        end_time=end.number(),
        elements=[_element(element) for element in fields["elements"].items()],
        enabled=fields["enabled"].flag(default=True),
        id=fields["id"].name(),
    )


def _element(item: FieldReader) -> TextElement:
    fields = item.record(_ELEMENT)
    return TextElement(
        spec=_spec(fields["spec"].record(_SPEC)),
        id=fields["id"].name(),
        enabled=fields["enabled"].flag(default=True),
    )


def _spec(fields: RecordReader) -> TextSpec:
    plain = TextSpec.model_fields
    position, align = TextPosition(), fields["align"].choice("left", "center", "right", default="center")
    if fields["position"].given:
        place = fields["position"].record(_POSITION)
        position = TextPosition(
            x=place["x"].number(position.x, least=-100, most=100), y=place["y"].number(position.y, least=-100, most=100)
        )
    return TextSpec(
        text=fields["text"].prose(),
        font=fields["font"].text(plain["font"].default),
        size=fields["size"].number(plain["size"].default, above=0, most=1),
        position=position,
        max_width=fields["max_width"].number(plain["max_width"].default, above=0, most=1),
        align=cast("Literal['left', 'center', 'right']", align),
        color=fields["color"].color() or plain["color"].default,
        opacity=fields["opacity"].number(1.0, least=0, most=1),
        shadow=_shadow(fields["shadow"]),
        stroke=_stroke(fields["stroke"]),
    )


def _shadow(item: FieldReader) -> TextShadow | None:
    if not item.given or item.value is False:
        return None
    plain = TextShadow()
    if item.value is True:
        return plain
    fields = item.record(_SHADOW)
    return TextShadow(
        offset_x=fields["offset_x"].number(plain.offset_x, least=-1, most=1),
        offset_y=fields["offset_y"].number(plain.offset_y, least=-1, most=1),
        blur=fields["blur"].number(plain.blur, least=0, most=1),
        color=fields["color"].color() or plain.color,
        opacity=fields["opacity"].number(plain.opacity, least=0, most=1),
    )


def _stroke(item: FieldReader) -> TextStroke | None:
    if not item.given or item.value is False:
        return None
    plain = TextStroke()
    if item.value is True:
        return plain
    fields = item.record(_STROKE)
    return TextStroke(
        width=fields["width"].number(plain.width, least=0, most=1), color=fields["color"].color() or plain.color
    )
