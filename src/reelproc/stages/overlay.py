"""Put a spotlight on a player: an ellipse that follows, with all around it dimmed or the inside brightened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import ceil, inf
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from reelproc.drawing.options import Effect, Shape
from reelproc.errors import SpecError
from reelproc.keyframes import Curve
from reelproc.pixels.frame import Window
from reelproc.schema import Colour, Fraction01, Items, Schema, Seconds, SecondsFromZero, Words
from reelproc.stages.base import DrawingWork, FrameAmounts, Mismatch, Stage, StageWork, StreamInfo, Target
from reelproc.stages.footage import MADE_FOR, bent, check_footage, scale_from
from reelproc.stages.mismatch_texts import clamped, frames_between, never_active, stands_still
from reelproc.timing import Time, exact, merge_spans

if TYPE_CHECKING:
    from reelproc.drawing.ellipse import Ellipse
    from reelproc.drawing.spotlight import SpotlightPath

Pixels = Annotated[float, Field(allow_inf_nan=False, ge=-1e9, le=1e9)]

_REFERENCE_HEIGHT = 1080
_LEAST_STROKE = 2.0
_OUTLINE_EXTRA = 2.0

_SAMPLED = 2.0
"""Pixels beside its window that scaling a crop takes something of."""


class HighlightKeyframe(Schema):
    """The ellipse at one moment.

    Attributes:
        time: seconds since the start of the stage's input.
        x, y: the centre, pixels of the stage's input; (0, 0) is the top left corner of the top left pixel.
        radius_x, radius_y: half axes, pixels, above 0.
        opacity: strength of ``dark_overlay`` and ``brightness_boost``, 0 to 1.
        stroke_opacity, fill_opacity: of the ring and of the tint inside it, 0 to 1; drawn only where the overlay's
            ``stroke_width`` and ``fill`` say so.
        color: ``"#rrggbb"``; None: the overlay's.
    """

    time: Seconds
    x: Pixels
    y: Pixels
    radius_x: Annotated[Pixels, Field(gt=0)]
    radius_y: Annotated[Pixels, Field(gt=0)]
    opacity: Fraction01 = 0.15
    stroke_opacity: Fraction01 = 0.85
    fill_opacity: Fraction01 = 0.05
    color: Colour | None = None

    if TYPE_CHECKING:  # what may be given is more than what is kept

        def __init__(
            self,
            *,
            time: Time,
            x: float,
            y: float,
            radius_x: float,
            radius_y: float,
            opacity: float = 0.15,
            stroke_opacity: float = 0.85,
            fill_opacity: float = 0.05,
            color: str | None = None,
        ) -> None: ...


class HighlightRegion(Schema):
    """A span in which one player is highlighted.

    Attributes:
        start_time, end_time: seconds of the stage's input; active on the closed span.
        keyframes: the ellipse's path, in any order; linear between, held outside. No two at the same time.
        enabled: False: not drawn.
        id, label: kept for the caller.
        video_width, video_height: the size of the frames that the keyframes were made on, both or neither; the
            keyframes are scaled to the input's size, each axis by itself.
    """

    start_time: Seconds
    end_time: Seconds
    keyframes: Items[HighlightKeyframe] = Field(min_length=1)
    enabled: bool = True
    id: Words | None = None
    label: Words | None = None
    video_width: Annotated[int, Field(gt=0)] | None = None
    video_height: Annotated[int, Field(gt=0)] | None = None

    if TYPE_CHECKING:  # what may be given is more than what is kept

        def __init__(
            self,
            *,
            start_time: Time,
            end_time: Time,
            keyframes: Sequence[HighlightKeyframe],
            enabled: bool = True,
            id: str | None = None,  # noqa: A002 - the field's name
            label: str | None = None,
            video_width: int | None = None,
            video_height: int | None = None,
        ) -> None: ...

    def model_post_init(self, _context: object, /) -> None:
        """Check what the single fields cannot tell."""
        if self.end_time < self.start_time:
            raise ValueError(
                f"a highlight region ends after it starts, got {self.start_time:g} to {self.end_time:g}; swap them"
            )
        time, count = Counter(k.time for k in self.keyframes).most_common(1)[0]
        if count > 1:
            raise ValueError(f"a region has one keyframe at a time, got {count} at {time:g} s; remove the others")
        check_footage(self.video_width, self.video_height)

    def scale(self, stream: StreamInfo) -> tuple[float, float]:
        """Return by what the keyframes' coordinates are multiplied on such a stream, across and down."""
        return scale_from(self.video_width, self.video_height, stream)

    def path(self, stream: StreamInfo) -> Curve:
        """Return the ellipse on such a stream: centre and half axes over time."""
        across, down = self.scale(stream)
        keyframes = sorted(self.keyframes, key=lambda k: k.time)
        values = [(k.x * across, k.y * down, k.radius_x * across, k.radius_y * down) for k in keyframes]
        return Curve([k.time for k in keyframes], values)


def _name(number: int, region: HighlightRegion) -> str:
    return f"region {number}" + "".join(f" ({said!r})" for said in [region.label or region.id] if said)


class Overlay(Stage):
    """Spotlights over a stream. Where two regions overlap in time, the first by start time wins.

    Layers, from the bottom: the effect, the tint, a dark outline of the ring, the ring. All of them fade out together
    over the last ``F = min(fade_out, half the region)`` seconds: with ``r`` seconds left, every opacity is multiplied
    by ``(r / F)^2``. A frame just before the stream's start or after its end counts as at its start or end.

    The dark outline is as wide as the ring and 2 px more (of a frame 1080 high, at least 2 px), its colour the ring's
    times 0.3, its opacity 0.5 or the ring's, whichever is less.

    ``dark_overlay`` scales R'G'B' (in YUV, the distance from black), exact to 1 code. ``brightness_boost`` also clips
    each of R'G'B' at white; exact to 1 code in 4:4:4, and in 4:2:0 wherever nothing clips; where something does, chroma
    is clipped at full resolution and sampled down.

    Attributes:
        regions: the spans.
        effect: ``"dark_overlay"``: everything outside the ellipse times (1 - opacity); ``"brightness_boost"``: inside
            times (1 + opacity); ``"original"``: neither.
        shape: ``"body"``: tint and ring follow the ellipse itself; ``"ground"``: they lie under the player's feet, on
            the ellipse with its centre at y + radius_y / 1.3 and half axes radius_x * 2 / 1.3 and radius_y * 0.3, and
            the ring is an arc, open behind the player (-30 to 210 degrees, clockwise from the right). The effect
            follows the body in both, or the player would be dimmed.
        dim_strength: overrides the keyframes' ``opacity`` for the effect; None: as the keyframes say.
        stroke_width: of the ring, in pixels of a frame 1080 high (scaled, at least 2 px); 0: no ring.
        stroke_opacity: overrides the keyframes'; None: as the keyframes say.
        fill: whether the inside is tinted.
        fill_opacity: overrides the keyframes'; None: as the keyframes say.
        color: of ring and tint, where a keyframe does not say.
        fade_out: seconds over which a region ends, at most half its length.
    """

    draws_only: ClassVar[bool] = True

    stage: Literal["overlay"] = "overlay"
    regions: Items[HighlightRegion] = ()
    effect: Effect = "dark_overlay"
    shape: Shape = "body"
    dim_strength: Fraction01 | None = None
    stroke_width: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)] = 0.0
    stroke_opacity: Fraction01 | None = None
    fill: bool = False
    fill_opacity: Fraction01 | None = None
    color: Colour = "#ffffff"
    fade_out: SecondsFromZero = 0.25

    def drawn_regions(self) -> tuple[HighlightRegion, ...]:
        """Return the regions that can show anything, by start time; those that start together keep their order."""
        return tuple(region for _, region in self._drawn())

    def _drawn(self) -> list[tuple[int, HighlightRegion]]:
        """Return the regions that can show anything, each with its place in ``regions``."""
        if self.effect == "original" and not self.fill and not self.stroke_width:
            return []
        drawn = ((number, region) for number, region in enumerate(self.regions) if region.enabled)
        return sorted(drawn, key=lambda r: r[1].start_time)

    def ring_widths(self, height: int) -> tuple[float, float]:
        """Return the pixels across the ring and its dark outline, on frames of that height; 0 without a ring."""
        if not self.stroke_width:
            return 0.0, 0.0
        scale = height / _REFERENCE_HEIGHT
        stroke = max(self.stroke_width * scale, _LEAST_STROKE)
        return stroke, stroke + max(_OUTLINE_EXTRA * scale, _OUTLINE_EXTRA)

    def mismatches(self, stream: StreamInfo, target: Target, times: Sequence[float]) -> tuple[Mismatch, ...]:
        """Say which regions are never to be seen, which stand still, and whose footage had another shape."""
        found = []
        for number, region, own, active in self._shown(stream, times):
            doubts = self._doubts(region, stream, [time for _, time in own], active=active)
            found += [Mismatch(f"{_name(number, region)} {text}", ("regions", number)) for text in doubts]
        return tuple(found)

    def cropped_away(
        self, stream: StreamInfo, times: Sequence[float], window_of: Callable[[int], Window], crop: str
    ) -> tuple[Mismatch, ...]:
        """Say which regions are in the picture, but in every frame outside the window of the crop after this stage."""
        found = []
        for number, region, own, _ in self._shown(stream, times):
            if not own or self._unseen(region, stream, [time for _, time in own]):
                continue  # mismatches() says it
            if text := self._beside(region, stream, own, window_of):
                text = f"{_name(number, region)} lies outside the window of {crop} in every frame, {text}"
                found.append(Mismatch(text, ("regions", number)))
        return tuple(found)

    def _shown(
        self, stream: StreamInfo, times: Sequence[float]
    ) -> Iterator[tuple[int, HighlightRegion, list[tuple[int, float]], bool]]:
        """Yield each drawn region with its number, the frames that it draws on, and whether it is active on any."""
        shown = clamped(times, stream.duration, closed=True)
        taken = bytearray(len(shown))
        for number, region in self._drawn():
            frames = frames_between(shown, region.start_time, region.end_time, closed=True)
            own = [(i, shown[i]) for i in frames if not taken[i]]
            taken[frames.start : frames.stop] = b"\1" * len(frames)
            yield number, region, own, bool(frames)

    def _doubts(self, region: HighlightRegion, stream: StreamInfo, own: list[float], *, active: bool) -> list[str]:
        """Say what is wrong with a region that draws on the frames at ``own``; ``active``: it is active on some."""
        start, end = region.start_time, region.end_time
        if not active:
            return [never_active(start, end, stream.duration)]
        if not own:
            return ["is never shown: regions that start before it are drawn at all of its time"]
        moments = [k.time for k in region.keyframes]
        wanted = max(start, 0.0), min(end, float(stream.duration))
        said = (
            stands_still(moments, *wanted, "the spotlight") if len(moments) > 1 else "",  # one stands still on purpose
            bent(region.video_width, region.video_height, stream),
            self._unseen(region, stream, own),
        )
        return [text for text in said if text]

    def _unseen(self, region: HighlightRegion, stream: StreamInfo, times: list[float]) -> str:
        """Say why nothing of a region is seen on any frame; "" if something is."""
        from reelproc.drawing.ellipse import Ellipse, encloses

        width, height = stream.width, stream.height
        nearest, where, place = inf, 0.0, Ellipse(0, 0, 1, 1)
        painted, enclosed = self._painted, self.effect == "dark_overlay"
        path = region.path(stream)
        for time in times:
            body = Ellipse(*path.at(time).tolist())
            away = self._gap(body, stream, Window(0.0, 0.0, width, height))
            enclosed = enclosed and encloses(body, width, height)
            if not enclosed and not away:
                return ""
            if away < nearest:
                nearest, where, place = away, time, body
        if enclosed and not painted:
            return f"encloses all of the {width}x{height} picture in every frame, so that nothing is darkened"
        if enclosed:
            return ""
        hint = "" if region.video_width else f"; {MADE_FOR}"
        return (
            f"lies outside the {width}x{height} picture in every frame, by {max(ceil(nearest), 1)} px or more: it is "
            f"nearest at {where:.6g} s, about ({place.x:.0f}, {place.y:.0f}) with radii of {place.radius_x:.0f} and "
            f"{place.radius_y:.0f}{hint}"
        )

    def _beside(
        self,
        region: HighlightRegion,
        stream: StreamInfo,
        frames: list[tuple[int, float]],
        window_of: Callable[[int], Window],
    ) -> str:
        """Say by how much a region misses the window of a crop on each of ``frames``; "" if it is seen on one."""
        from reelproc.drawing.ellipse import Ellipse

        nearest, said = inf, ""
        path = region.path(stream)
        for index, time in frames:
            body, window = Ellipse(*path.at(time).tolist()), window_of(index)
            away = self._gap(body, stream, window, beyond=_SAMPLED)
            if not away:
                return ""
            if away < nearest:
                nearest = away
                said = (
                    f"it is nearest at {time:.6g} s, about ({body.x:.0f}, {body.y:.0f}) with radii of "
                    f"{body.radius_x:.0f} and {body.radius_y:.0f}, and the window is {window.width:.0f}x"
                    f"{window.height:.0f} at ({window.x:.0f}, {window.y:.0f})"
                )
        hint = "" if region.video_width else f"; {MADE_FOR}"
        return f"by {max(ceil(nearest), 1)} px or more: {said}{hint}"

    @property
    def _painted(self) -> bool:
        return self.fill or self.stroke_width > 0

    def _gap(self, body: Ellipse, stream: StreamInfo, window: Window, *, beyond: float = 0.0) -> float:
        """Return how many pixels what is drawn around ``body`` is away from a window; 0 if it meets it."""
        from reelproc.drawing.ellipse import Ellipse, gap, on_the_ground

        body = Ellipse(body.x - window.x, body.y - window.y, body.radius_x, body.radius_y)
        gaps = [gap(body, window.width, window.height, reach=beyond)] if self.effect != "original" else []
        if self._painted:
            under = on_the_ground(body) if self.shape == "ground" else body
            reach = self.ring_widths(stream.height)[1] / 2 + beyond
            gaps.append(gap(under, window.width, window.height, reach=reach))
        return min(gaps)

    def resolve(self, stream: StreamInfo, target: Target) -> StreamInfo:
        """Return the same stream.

        Raises:
            SpecError: its frames are not planar.
        """
        if stream.pix_fmt not in ("yuv420p", "yuv444p"):
            raise SpecError(f"an overlay is drawn on yuv420p or yuv444p frames, got {stream.pix_fmt}")
        return stream

    def active_spans(self, stream: StreamInfo) -> tuple[tuple[Fraction, Fraction], ...]:
        """Return the spans of the regions that can show anything."""
        return merge_spans([(exact(r.start_time), exact(r.end_time)) for r in self.drawn_regions()], stream.duration)

    def amounts(self, stream: StreamInfo, target: Target, room: StreamInfo) -> tuple[FrameAmounts, ...]:
        """Return the megapixels that are dimmed, or brightened and painted in the ellipse's box, region by region."""
        return tuple(
            FrameAmounts(
                self._amounts_of(region, stream), self.model_copy(update={"regions": (region,)}).active_spans(stream)
            )
            for region in self.drawn_regions()
        )

    def _amounts_of(self, region: HighlightRegion, stream: StreamInfo) -> dict[str, float]:
        across, down = region.scale(stream)
        boxes = [4 * k.radius_x * across * k.radius_y * down for k in region.keyframes]
        box = min(sum(boxes) / len(boxes) / 1e6, stream.megapixels)
        amounts: dict[str, float] = {}
        if self.effect == "dark_overlay":
            amounts["stage.dim"] = stream.megapixels
        elif self.effect == "brightness_boost":
            amounts["stage.boost"] = box
        if self._painted:
            amounts["stage.ring"] = box
        return amounts

    def open(self, stream: StreamInfo, target: Target) -> StageWork:
        """Return the work that draws it."""
        from reelproc.drawing.spotlight import Spotlight

        spotlight = Spotlight(
            [self.spotlight_path(region, stream) for region in self.drawn_regions()],
            effect=self.effect,
            shape=self.shape,
            fill=self.fill,
            ring_widths=self.ring_widths(stream.height),
            width=stream.width,
            height=stream.height,
            pix_fmt=stream.pix_fmt,
            duration=stream.duration,
        )
        return DrawingWork(spotlight)

    def spotlight_path(self, region: HighlightRegion, stream: StreamInfo) -> SpotlightPath:
        """Return the spotlight of one of the regions on such a stream, with the overlay's overrides."""
        from reelproc.drawing.ellipse import Ellipse
        from reelproc.drawing.spotlight import SpotlightLook, SpotlightPath
        from reelproc.pixels.colour import hex_to_rgb

        across, down = region.scale(stream)
        looks = [
            (
                k.time,
                SpotlightLook(
                    ellipse=Ellipse(k.x * across, k.y * down, k.radius_x * across, k.radius_y * down),
                    effect=k.opacity if self.dim_strength is None else self.dim_strength,
                    stroke=k.stroke_opacity if self.stroke_opacity is None else self.stroke_opacity,
                    fill=k.fill_opacity if self.fill_opacity is None else self.fill_opacity,
                    color=hex_to_rgb(k.color or self.color),
                ),
            )
            for k in sorted(region.keyframes, key=lambda k: k.time)
        ]
        return SpotlightPath(region.start_time, region.end_time, self.fade_out, looks)
