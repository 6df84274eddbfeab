"""Whom a follow found, and what to make of it: keyframes for a crop and a spotlight, and a whole reel."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from reelproc.errors import SpecError
from reelproc.keyframes import Curve
from reelproc.players.linking import LossReason
from reelproc.reel import Clip, Output, Reel
from reelproc.results import Detection, DetectResult
from reelproc.schema import Items, Schema, Seconds
from reelproc.stages.crop import Crop, CropKeyframe
from reelproc.stages.overlay import HighlightKeyframe, HighlightRegion, Overlay
from reelproc.stages.upscale import Upscale

_REEL_HEIGHT = 1440
"""Pixels of a reel whose output the caller does not name."""


class Sighting(Schema):
    """The player, seen in a frame.

    Attributes:
        time: of the frame, seconds of the source.
        detection: their box, pixels of the source.
        crowded: somebody else covers half of the box, or it half of theirs: look here whether it is the right person.
    """

    time: Seconds
    detection: Detection
    crowded: bool = False


class LostSpan(Schema):
    """A span in which the player was not seen.

    Attributes:
        start, end: seconds of the source.
        reason: why; None for a gap after which they were found again, over which the crop moves on. "not looked at":
            earlier detections hold nothing there; such a span may lie within one of another reason.
    """

    start: Seconds
    end: Seconds
    reason: LossReason | None = None


class FollowResult(Schema):
    """A player, followed through a span of a source.

    Times of keyframes are seconds since ``start``, as the stages of a clip from ``start`` to ``end`` take them; all
    coordinates are pixels of the source.

    Attributes:
        source: the footage.
        start, end: the span, seconds of the source.
        width, height: of the source's frames, pixels.
        sightings: where the player was seen, in order of time.
        aspect: of the crop as it is displayed, width by height.
        crop: the window's path, for :class:`~reelproc.Crop`: one size, evenly spaced, inside the frame.
        regions: the spans in which the player is seen, for an :class:`~reelproc.Overlay` before the crop.
        lost: where they were not seen for longer than from one look to the next.
        outside: spans in which the player is seen, but not wholly inside the crop: too fast for it, or too large.
        warnings: the same for people, and whatever else was not as planned; empty when all was well.
        detections: everybody, in every frame that was looked at. Given to another follow over the same span, it saves
            looking again.
    """

    source: str
    start: Seconds
    end: Seconds
    width: int
    height: int
    sightings: Items[Sighting] = Field(min_length=1)
    aspect: Annotated[float, Field(gt=0)]
    crop: Items[CropKeyframe] = Field(min_length=1)
    regions: Items[HighlightRegion] = ()
    lost: Items[LostSpan] = ()
    outside: Items[LostSpan] = ()
    warnings: tuple[str, ...] = ()
    detections: DetectResult

    @property
    def highlights(self) -> tuple[HighlightKeyframe, ...]:
        """The keyframes of all :attr:`regions`."""
        return tuple(keyframe for region in self.regions for keyframe in region.keyframes)

    def spotlight(self, width: int, height: int) -> tuple[HighlightRegion, ...]:
        """:attr:`regions` in pixels of the crop, scaled to a size: for an overlay after the crop and its upscaling.

        Args:
            width, height: of what the overlay gets, pixels.

        Raises:
            SpecError: a size that is not positive.
        """
        if width <= 0 or height <= 0:
            raise SpecError(f"a size is positive, got {width}x{height}")
        windows = Curve([k.time for k in self.crop], [(k.x, k.y, k.width, k.height) for k in self.crop])

        def placed(keyframe: HighlightKeyframe) -> HighlightKeyframe:
            x, y, wide, high = windows.at(keyframe.time).tolist()
            return keyframe.model_copy(
                update={
                    "x": round((keyframe.x - x) * width / wide, 2),
                    "y": round((keyframe.y - y) * height / high, 2),
                    "radius_x": round(keyframe.radius_x * width / wide, 2),
                    "radius_y": round(keyframe.radius_y * height / high, 2),
                }
            )

        return tuple(
            region.model_copy(
                update={
                    "keyframes": tuple(placed(keyframe) for keyframe in region.keyframes),
                    "video_width": None,
                    "video_height": None,
                }
            )
            for region in self.regions
        )

    def clip(self, width: int, height: int, *, upscaler: str = "lanczos", opacity: float | None = 0.15) -> Clip:
        """Return the span as a clip: cropped, scaled to a size, the player in a spotlight.

        It does for another size of the same footage as well: what was followed on a proxy can be rendered from the
        original, ``clip.replace(source="original.mp4")``.

        Args:
            width, height: of the result, pixels, even.
            upscaler: what scales the crop, as ``Upscale.model``.
            opacity: how much everything but the player is dimmed; None: no spotlight.
        """
        stages: list[Crop | Upscale | Overlay] = [
            Crop(keyframes=self.crop, video_width=self.width, video_height=self.height),
            Upscale(model=upscaler, width=width, height=height),
        ]
        if opacity is not None and self.regions:
            stages.append(Overlay(regions=self.spotlight(width, height), dim_strength=opacity))
        return Clip(source=self.source, start=self.start, end=self.end, stages=stages)

    def reel(self, output: Output | None = None, *, upscaler: str = "lanczos", opacity: float | None = 0.15) -> Reel:
        """Return a reel of this one clip.

        Args:
            output: its format, whose shape should be the crop's; None: 1440 high, as wide as the crop's shape makes it,
                30 frames per second.
            upscaler, opacity: as in :meth:`clip`.

        Raises:
            SpecError: an output without a size.
        """
        made = output or Output(width=max(2, 2 * round(_REEL_HEIGHT * self.aspect / 2)), height=_REEL_HEIGHT)
        if made.width is None or made.height is None:
            raise SpecError("a followed reel has an output with a size, got one without width and height")
        return Reel(clips=[self.clip(made.width, made.height, upscaler=upscaler, opacity=opacity)], output=made)
