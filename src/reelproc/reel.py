"""What to make: clips, how they are joined, and the output's format. Pure data, JSON both ways."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from reelproc.errors import SpecError, shown_address
from reelproc.registered_models import Registered
from reelproc.schema import Items, Schema, Seconds, SecondsFromZero, Words
from reelproc.stages import STAGES
from reelproc.stages.base import Fit, Stage, Target
from reelproc.stages.concat import Concat
from reelproc.validation_messages import no_model

if TYPE_CHECKING:
    from reelproc.timing import Time

_PLAIN_RATE = re.compile(r"\s*[+-]?[\d_./]{1,400}([eE][+-]?\d{1,3})?\s*")
"""What may be a rate: ``Fraction`` would work out any power of ten."""


def _rate(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float):
        return Fraction(repr(float(value)))  # numpy's are floats, too, and shown by another name
    if isinstance(value, (int, str)):
        try:
            return Fraction(value if isinstance(value, int) or _PLAIN_RATE.fullmatch(value) else "?")
        except (ValueError, ZeroDivisionError):
            raise ValueError("a frame rate is a number or a fraction like '30000/1001'") from None
    return value


def _rate_schema(schema: dict[str, Any]) -> None:
    """Leave out pydantic's bounds, which are no keywords of JSON Schema."""
    schema.pop("gt", None)
    schema.pop("le", None)
    for kind in schema.get("anyOf", [schema]):
        if kind.get("type") in ("number", "integer"):
            kind |= {"exclusiveMinimum": 0, "maximum": 1000}


FrameRate = Annotated[
    Fraction,
    BeforeValidator(_rate),
    Field(gt=0, le=1000, json_schema_extra=_rate_schema),
    PlainSerializer(lambda f: int(f) if f.denominator == 1 else str(f), return_type=int | str),
]
"""Frames per second: 30, 29.97, "30000/1001" or a Fraction."""


def in_json(value: Any) -> Any:
    """Return ``value``, a path as a string.

    Raises:
        SpecError: its bytes are not UTF-8.
    """
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if isinstance(text, str) and not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise SpecError(f"a file name that is not UTF-8 cannot stand in JSON; rename it, got {text!r}") from None
    return text


Address = Annotated[str, BeforeValidator(in_json), Field(min_length=1)]
"""A path, or an address: ``file://``, ``s3://`` (extra ``s3``), and for sources ``https://``."""


class Clip(Schema):
    """A moment of a source and what is done to it.

    Attributes:
        source: where the footage is.
        start, end: seconds of the source, ``start < end``; None for ``end``: to the source's end. As for every time,
            ``83.5``, ``"1:23.5"`` and ``timedelta(seconds=83.5)`` mean the same (:data:`~reelproc.timing.Time`).
        stages: in the order in which they work.
    """

    source: Address
    start: SecondsFromZero = 0.0
    end: Seconds | None = None
    stages: Items[Annotated[Stage, Registered(Stage, STAGES, tag="stage")]] = ()

    if TYPE_CHECKING:  # what may be given is more than what is kept

        def __init__(
            self,
            *,
            source: str | os.PathLike[str],
            start: Time = 0.0,
            end: Time | None = None,
            stages: Sequence[Stage] = (),
        ) -> None: ...

    def model_post_init(self, _context: object, /) -> None:
        """Check the order of start and end."""
        if self.end is not None and not self.start < self.end:
            raise ValueError(f"a clip ends after it starts, got start={self.start:g}, end={self.end:g}")


class Output(Schema):
    """The format of the result.

    Attributes:
        width, height: pixels, even; both or neither None: the (first) clip's own size.
        fps: constant frame rate; None (one clip, no ``Speed``): the source's own timestamps, frame for frame.
        fit: how a clip of another aspect ratio meets the canvas: ``contain`` (bars), ``cover`` (cut) or ``stretch``.
        encoder: a name of :mod:`reelproc.media.write.encoders`, ``"libx264"``, ``"libx265"``,
            ``"libsvtav1"``, ``"h264_nvenc"``, ``"hevc_nvenc"``.
        preset: the encoder's; None: its default here (``"fast"`` for x264).
        crf: constant quality, the encoder's scale; None: its default here (23 for x264). 0 is lossless with x264.
        gop_size: frames from one key frame to the next at most; None: two seconds.
        pix_fmt: ``"yuv420p"``, or ``"yuv444p"`` for intermediates.
        audio: whether the result has a sound track.
        audio_bitrate: bits per second of AAC.
    """

    width: Annotated[int, Field(gt=0, le=16384, multiple_of=2)] | None = 810
    height: Annotated[int, Field(gt=0, le=16384, multiple_of=2)] | None = 1440
    fps: FrameRate | None = Fraction(30)
    fit: Fit = "contain"
    encoder: Words = "libx264"
    preset: Words | None = None
    crf: Annotated[float, Field(ge=0, le=63)] | None = None
    gop_size: Annotated[int, Field(gt=0)] | None = None
    pix_fmt: Literal["yuv420p", "yuv444p"] = "yuv420p"
    audio: bool = True
    audio_bitrate: Annotated[int, Field(ge=32_000, le=512_000)] = 192_000

    if TYPE_CHECKING:  # what may be given is more than what is kept

        def __init__(
            self,
            *,
            width: int | None = 810,
            height: int | None = 1440,
            fps: Fraction | float | str | None = Fraction(30),
            fit: Fit = "contain",
            encoder: str = "libx264",
            preset: str | None = None,
            crf: float | None = None,
            gop_size: int | None = None,
            pix_fmt: Literal["yuv420p", "yuv444p"] = "yuv420p",
            audio: bool = True,
            audio_bitrate: int = 192_000,
        ) -> None: ...

    def model_post_init(self, _context: object, /) -> None:
        """Check that width and height come together."""
        if (self.width is None) != (self.height is None):
            raise ValueError(f"width and height are given together or not at all, got {self.width} and {self.height}")

    @property
    def target(self) -> Target:
        """What the stages need to know of it."""
        return Target(self.width, self.height, self.fit)


class Reel(Schema):
    """A whole reel.

    >>> Reel(clips=[Clip(source="game.mp4", start=3, end=9)]).model_dump_json()[:60]
    '{"version":1,"clips":[{"source":"game.mp4","start":3.0,"end"'
    """

    version: Literal[1] = 1
    clips: Items[Clip] = Field(min_length=1)
    concat: Concat = Concat()
    output: Output = Output()

    def model_post_init(self, _context: object, /) -> None:
        """Check what only the whole reel can tell."""
        retiming = [type(stage).__name__ for stage in self.clips[0].stages if stage.changes_time]
        if self.output.fps is None and (len(self.clips) > 1 or retiming):
            raise ValueError(
                "fps=None keeps the source's timestamps and needs one clip without "
                f"{', '.join(dict.fromkeys(retiming)) or 'Speed'}; name a frame rate"
            )

    def _repr_html_(self) -> str:
        from reelproc.notebook import table

        rows = [
            (
                index,
                shown_address(clip.source),
                f"{clip.start:g} s to {'its end' if clip.end is None else f'{clip.end:g} s'}",
                " > ".join(stage.stage for stage in clip.stages) or "as it is",
            )
            for index, clip in enumerate(self.clips)
        ]
        size = "the first clip's size" if self.output.width is None else f"{self.output.width}x{self.output.height}"
        rate = "the source's timestamps" if self.output.fps is None else f"{self.output.fps} frames per second"
        joined = f", joined by {self.concat.transition}" if len(self.clips) > 1 else ""
        return table(f"Reel: {size}, {rate}{joined}", ("clip", "source", "span", "stages"), rows)


def check_reel(given: object) -> None:
    """Refuse what is no reel, and say how one is made of it.

    Raises:
        SpecError: it is something else.
    """
    if not isinstance(given, Reel):
        raise SpecError(no_model(given, "Reel"))
