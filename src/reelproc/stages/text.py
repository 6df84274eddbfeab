"""Put words on the picture: text in any script, placed by fractions of the frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from reelproc.drawing.options import Align
from reelproc.errors import SpecError
from reelproc.schema import Colour, Fraction01, Items, Schema, Seconds, SecondsFromZero, Words
from reelproc.stages.base import DrawingWork, FrameAmounts, Mismatch, Stage, StageWork, StreamInfo, Target
from reelproc.stages.mismatch_texts import clamped, frames_between, never_active
from reelproc.timing import Time, exact, merge_spans

if TYPE_CHECKING:
    from reelproc.drawing.typeset.picture import Picture, Style

Em = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
Place = Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)]


MAX_OUTSIDE_SHARE = 0.1
"""How far beside the picture an anchor may be, as a share of its side: a text that touches the edge on purpose."""


class TextPosition(Schema):
    """Where the anchor of a text is: fractions of the frame's width and height."""

    x: Place = 0.5
    y: Place = 0.5


class TextShadow(Schema):
    """A soft shadow; offsets and blur in em, 1 (the size) at most. Blur as in CSS: twice the standard deviation."""

    offset_x: Em = 0.04
    offset_y: Em = 0.04
    blur: Annotated[Em, Field(ge=0)] = 0.08
    color: Colour = "#000000"
    opacity: Fraction01 = 0.6


class TextStroke(Schema):
    """An outline around the letters; width in em, 1 at most, all of it outside them."""

    width: Annotated[Em, Field(ge=0)] = 0.05
    color: Colour = "#000000"


class TextSpec(Schema):
    """A piece of text and its looks.

    Text stays in the frame: a block that would leave it is moved inside, lines wider than ``max_width`` are broken
    (within a word where one word is too long), and lines that do not fit the frame's height are left out, the last
    one kept ending in an ellipsis.

    Attributes:
        text: any Unicode; lines break at newlines and where ``max_width`` demands it.
        font: ``"sans"`` or ``"sans-bold"``, the path of a font file, or the name of a font that this machine has.
            Characters that it lacks are taken from others, see :mod:`reelproc.drawing.fonts`.
        size: one em as a fraction of the frame's height. Letters have their shape when displayed, on oblong pixels too.
        position: the anchor; vertical centre of the block (of its letters, between the first line's capitals and the
            last baseline), and its left, centre or right by ``align``.
        max_width: fraction of the frame's width.
        align: of the lines to one another, and of the block to its anchor.
        color: of the letters.
        opacity: of everything.
        shadow, stroke: None: without.
    """

    text: Words
    font: Words = "sans-bold"
    size: Annotated[float, Field(gt=0, le=1)] = 0.05
    position: TextPosition = TextPosition()
    max_width: Annotated[float, Field(gt=0, le=1)] = 0.9
    align: Align = "center"
    color: Colour = "#ffffff"
    opacity: Fraction01 = 1.0
    shadow: TextShadow | None = None
    stroke: TextStroke | None = None

    def picture(self, width: int, height: int, aspect: Fraction = Fraction(1)) -> Picture:
        """Draw it for frames of one size.

        Args:
            width, height: of the frames, pixels.
            aspect: the width of their pixels over its height.

        Raises:
            SpecError: there is no such font, its file is damaged, or none has one of the characters.
            MissingDependencyError: the text needs complex layout, which this machine's Pillow cannot do.
        """
        from reelproc.drawing.text_pictures import draw_text

        return draw_text(
            self.text,
            font=self.font,
            size=self.size * height,
            style=self._style(),
            x=self.position.x,
            y=self.position.y,
            max_width=self.max_width,
            align=self.align,
            width=width,
            height=height,
            aspect=aspect,
        )

    def _style(self) -> Style:
        from reelproc.drawing.typeset.picture import Style
        from reelproc.pixels.colour import hex_to_rgb

        style = Style(color=hex_to_rgb(self.color), opacity=self.opacity)
        if self.stroke:
            style = style._replace(stroke_width=self.stroke.width, stroke_color=hex_to_rgb(self.stroke.color))
        if self.shadow:
            style = style._replace(
                shadow_opacity=self.shadow.opacity,
                shadow_color=hex_to_rgb(self.shadow.color),
                shadow_offset=(self.shadow.offset_x, self.shadow.offset_y),
                shadow_blur=self.shadow.blur,
            )
        return style


class TextElement(Schema):
    """One text of a region.

    Attributes:
        spec: what it says and how it looks.
        id: kept for the caller.
        enabled: False: not drawn.
    """

    spec: TextSpec
    id: Words | None = None
    enabled: bool = True


class TextRegion(Schema):
    """Texts that are shown together.

    Attributes:
        start_time, end_time: seconds of the stage's input; shown on the half-open span.
        elements: drawn in this order, later ones on top.
        enabled: False: not drawn.
        id: kept for the caller.
    """

    start_time: Seconds
    end_time: Seconds
    elements: Items[TextElement] = ()
    enabled: bool = True
    id: Words | None = None

    if TYPE_CHECKING:  # what may be given is more than what is kept

        def __init__(
            self,
            *,
            start_time: Time,
            end_time: Time,
            elements: Sequence[TextElement] = (),
            enabled: bool = True,
            id: str | None = None,  # noqa: A002 - the field's name
        ) -> None: ...

    def model_post_init(self, _context: object, /) -> None:
        """Check the order of start and end."""
        if self.end_time < self.start_time:
            raise ValueError(
                f"a text region ends after it starts, got {self.start_time:g} to {self.end_time:g}; swap them"
            )

    @property
    def shows_anything(self) -> bool:
        """Whether there is a text in it that is drawn, and a time for it."""
        drawn = any(element.enabled and element.spec.text.strip() for element in self.elements)
        return self.enabled and self.start_time < self.end_time and drawn

    def anchored_outside(self, stream: StreamInfo) -> Iterator[tuple[int, str]]:
        """Yield the number of each text whose anchor is far outside the picture, and by how much it is."""
        for number, element in enumerate(self.elements):
            at = element.spec.position
            across, down = max(-at.x, at.x - 1, 0), max(-at.y, at.y - 1, 0)
            if element.enabled and element.spec.text.strip() and max(across, down) > MAX_OUTSIDE_SHARE:
                by = max(across * stream.width, down * stream.height)
                said = (
                    f"has text {number} ({element.spec.text[:20]!r}) at ({at.x:g}, {at.y:g}), {by:.0f} px outside the "
                    f"{stream.width}x{stream.height} picture, and it is moved in; positions are fractions, 0 to 1"
                )
                yield number, said


class Text(Stage):
    """Texts over a stream.

    Attributes:
        regions: the spans; those that overlap are all drawn.
        fade_out: seconds over which a region ends, at most half its length; with ``r`` seconds left of ``F``, every
            opacity is multiplied by ``r / F``.
    """

    draws_only: ClassVar[bool] = True

    stage: Literal["text"] = "text"
    regions: Items[TextRegion] = ()
    fade_out: SecondsFromZero = 0.25

    def drawn_regions(self) -> tuple[TextRegion, ...]:
        """Return the regions that can show anything."""
        return tuple(region for region in self.regions if region.shows_anything)

    def mismatches(self, stream: StreamInfo, target: Target, times: Sequence[float]) -> tuple[Mismatch, ...]:
        """Say which regions are never shown, and which texts are anchored outside the picture."""
        shown = clamped(times, stream.duration, closed=False)
        found = []
        for number, region in enumerate(self.regions):
            if not region.shows_anything:
                continue
            name = f"region {number}" + (f" ({region.id!r})" if region.id else "")
            if not frames_between(shown, region.start_time, region.end_time, closed=False):
                text = never_active(region.start_time, region.end_time, stream.duration)
                found.append(Mismatch(f"{name} {text}", ("regions", number)))
                continue
            for which, text in region.anchored_outside(stream):
                path = ("regions", number, "elements", which, "spec", "position")
                found.append(Mismatch(f"{name} {text}", path))
        return tuple(found)

    def resolve(self, stream: StreamInfo, target: Target) -> StreamInfo:
        """Return the same stream.

        Raises:
            SpecError: its frames are not planar, a font does not exist, or no font has one of the characters.
            MissingDependencyError: a text needs complex layout, which this machine's Pillow cannot do.
        """
        if stream.pix_fmt not in ("yuv420p", "yuv444p"):
            raise SpecError(f"text is drawn on yuv420p or yuv444p frames, got {stream.pix_fmt}")
        if regions := self.drawn_regions():
            from reelproc.drawing.text_pictures import check_text

            for region in regions:
                for element in region.elements:
                    if element.enabled:
                        check_text(element.spec.text, element.spec.font)
        return stream

    def fingerprint(self) -> str:
        """Return a digest of the fonts of this machine that it is drawn with."""
        from reelproc.drawing.text_pictures import fonts_fingerprint

        elements = [e for r in self.drawn_regions() for e in r.elements if e.enabled]
        return fonts_fingerprint((e.spec.text, e.spec.font) for e in elements)

    def active_spans(self, stream: StreamInfo) -> tuple[tuple[Fraction, Fraction], ...]:
        """Return the spans of the regions that can show anything, their ends included."""
        return merge_spans([(exact(r.start_time), exact(r.end_time)) for r in self.drawn_regions()], stream.duration)

    def amounts(self, stream: StreamInfo, target: Target, room: StreamInfo) -> tuple[FrameAmounts, ...]:
        """Return the frames that it draws on."""
        return (FrameAmounts({"stage.text": 1.0}, self.active_spans(stream)),)

    def open(self, stream: StreamInfo, target: Target) -> StageWork:
        """Return the work that draws it."""
        from reelproc.drawing.captions import Caption, Captions

        captions = []
        for region in self.drawn_regions():
            fade_out = min(self.fade_out, (region.end_time - region.start_time) / 2)
            for element in region.elements:
                if element.enabled and element.spec.text.strip():
                    draw = partial(element.spec.picture, stream.width, stream.height, stream.sample_aspect_ratio)
                    captions.append(Caption(region.start_time, region.end_time, fade_out, draw))
        return DrawingWork(Captions(captions, duration=stream.duration, pix_fmt=stream.pix_fmt))
