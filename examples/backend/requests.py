"""What may be asked for, and how it becomes a job: the editor's draft, or a whole reel.

Both name their footage by the id of a source, never by a path: what a stranger sends is never opened.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

import reelproc as rp
from backend.refused import Refused
from backend.rows import Source
from backend.settings import Settings
from reelproc.schema import Schema, Seconds

__all__ = ["Draft", "ExportRequest", "reel_of", "sources_of"]

Scaler = Literal["lanczos", "bicubic", "area"]
Side = Annotated[int, Field(ge=64, le=4096, multiple_of=2)]


class Draft(Schema):
    """What the page edits. All its times are seconds of the source, all its coordinates pixels of the source.

    Attributes:
        source: the id of a source.
        title: for the user.
        start, end: what is kept of the source.
        crop: the window that follows the player; without keyframes the largest in the middle.
        spotlight: drawn on the source, before it is cropped.
        speed: slow motion and fast forward.
        width, height, fps: of the result.
        scaler: how the window is brought to the result's size.
    """

    source: str
    title: Annotated[str, Field(max_length=100)] = ""
    start: Annotated[Seconds, Field(ge=0)]
    end: Seconds
    crop: rp.Crop = rp.Crop()
    spotlight: rp.Overlay = rp.Overlay()
    speed: rp.Speed = rp.Speed()
    width: Side = 540
    height: Side = 960
    fps: Annotated[int, Field(ge=1, le=60)] = 30
    scaler: Scaler = "lanczos"

    def model_post_init(self, _context: object, /) -> None:
        """Check the order of start and end."""
        if not self.start < self.end:
            raise ValueError(f"a reel ends after it starts, got {self.start:g} to {self.end:g} s")

    def reel(self) -> rp.Reel:
        """Translate to a reelproc clip: each stage's times count from the start of its input."""
        start, length = self.start, self.end - self.start
        crop = [k.model_copy(update={"time": k.time - start}) for k in self.crop.keyframes]
        speed = [
            s.model_copy(update={"start": max(0.0, s.start - start), "end": min(length, s.end - start)})
            for s in self.speed.segments
            if s.end > start and s.start < self.end
        ]
        stages: list[rp.Overlay | rp.Crop | rp.Speed | rp.Upscale] = []
        if self.spotlight.regions:
            regions = [_moved(region, -start) for region in self.spotlight.regions]
            stages.append(self.spotlight.model_copy(update={"regions": tuple(regions)}))
        stages.append(self.crop.model_copy(update={"keyframes": tuple(crop)}))
        if speed:
            stages.append(self.speed.model_copy(update={"segments": tuple(speed)}))
        stages.append(rp.Upscale(model=self.scaler, fit="cover"))
        clip = rp.Clip(source=self.source, start=start, end=self.end, stages=stages)
        return rp.Reel(clips=[clip], output=rp.Output(width=self.width, height=self.height, fps=self.fps))


class ExportRequest(Schema):
    """A draft or a reel, one of them. A reel's clips name their sources by id as well."""

    draft: Draft | None = None
    reel: rp.Reel | None = None
    title: Annotated[str, Field(max_length=100)] = ""

    def model_post_init(self, _context: object, /) -> None:
        """Check that there is one."""
        if (self.draft is None) == (self.reel is None):
            got = "neither" if self.draft is None else "both"
            raise ValueError(f"an export is of a draft or of a reel, got {got}")


def sources_of(request: ExportRequest) -> list[str]:
    """Return the ids of a request's sources."""
    if request.draft is not None:
        return [request.draft.source]
    return [clip.source for clip in request.reel.clips] if request.reel is not None else []


def reel_of(request: ExportRequest, find: Callable[[str], Source | None], settings: Settings) -> rp.Reel:
    """Return the reel, with files in place of ids.

    Args:
        request: what was asked for.
        find: the source of an id, where the user may use it.
        settings: the limits.

    Raises:
        Refused: 404 for a source, 422 for what is not allowed here; both name the field.
    """
    reel = request.draft.reel() if request.draft is not None else request.reel
    if reel is None:
        raise AssertionError("an ExportRequest has a draft or a reel")
    asked = ("draft",) if request.draft is not None else ("reel",)
    if len(reel.clips) > settings.max_clips:
        raise _not_allowed(f"{settings.max_clips} clips or fewer", len(reel.clips), (*asked, "clips"))
    _check_output(reel.output, settings, (*asked, "output") if request.reel is not None else asked)
    clips = []
    for number, clip in enumerate(reel.clips):
        at = (*asked, "clips", number) if request.reel is not None else asked
        source = find(clip.source)
        if source is None:
            raise Refused(404, "SourceNotFound", f"you have no video {clip.source!r}", path=(*at, "source"))
        for position, stage in enumerate(clip.stages):
            _check_stage(stage, settings, (*at, "stages", position))
        clips.append(clip.model_copy(update={"source": str(Path(source.path))}))
    return reel.model_copy(update={"clips": tuple(clips)})


def _check_output(output: rp.Output, settings: Settings, at: tuple[str | int, ...]) -> None:
    if output.encoder != "libx264" or output.preset is not None or output.pix_fmt != "yuv420p":
        got = f"{output.encoder}, {output.preset}, {output.pix_fmt}"
        raise _not_allowed("the encoder libx264 with its default preset and yuv420p", got, (*at, "encoder"))
    if output.width and output.height and output.width * output.height > settings.max_output_pixels:
        got = f"{output.width} x {output.height}"
        raise _not_allowed(f"{settings.max_output_pixels} pixels or fewer", got, (*at, "width"))
    if output.fps is not None and output.fps > settings.max_fps:
        raise _not_allowed(f"{settings.max_fps} frames per second or fewer", float(output.fps), (*at, "fps"))


def _check_stage(stage: object, settings: Settings, at: tuple[str | int, ...]) -> None:
    """Refuse what would open a file of the server, or take it for hours."""
    if isinstance(stage, rp.Upscale):
        if stage.model not in ("lanczos", "bicubic", "area") or stage.backend is not None:
            raise _not_allowed("one of lanczos, bicubic, area", stage.model, (*at, "model"))
        if (stage.width or 0) * (stage.height or 0) > settings.max_output_pixels:
            raise _not_allowed(f"{settings.max_output_pixels} pixels or fewer", stage.width, (*at, "width"))
    if isinstance(stage, rp.Text):
        for region in stage.regions:
            for element in region.elements:
                if element.spec.font not in ("sans", "sans-bold"):
                    raise _not_allowed("the font sans or sans-bold", element.spec.font, (*at, "regions"))


def _moved(region: rp.HighlightRegion, seconds: float) -> rp.HighlightRegion:
    keyframes = [k.model_copy(update={"time": k.time + seconds}) for k in region.keyframes]
    return region.model_copy(
        update={
            "start_time": region.start_time + seconds,
            "end_time": region.end_time + seconds,
            "keyframes": tuple(keyframes),
        }
    )


def _not_allowed(expected: str, got: object, path: tuple[str | int, ...]) -> Refused:
    return Refused(422, "NotAllowed", f"this server takes {expected}, got {got!r}", path=path)
