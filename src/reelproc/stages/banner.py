"""Show the banner of a rated clip: notation, name and notes on a white plate framed in the rating's colour."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from reelproc.errors import SpecError
from reelproc.ratings import RATINGS, clip_title
from reelproc.schema import Items, Seconds, Words
from reelproc.stages.base import DrawingWork, FrameAmounts, Mismatch, Stage, StageWork, StreamInfo, Target
from reelproc.stages.mismatch_texts import clamped, frames_between, never_active
from reelproc.timing import Time, exact, merge_spans

if TYPE_CHECKING:
    from reelproc.drawing.typeset.picture import Picture

_NOTES_LIMIT = 100
_REFERENCE_SIDE = 1080


class Banner(Stage):
    """The banner of a rated clip.

    A plate, white at 95 %, over the middle 80 % of the frame's width, 10 px from its top, 50 px high (80 with notes),
    with a 4 px border in the rating's colour; the title at 24 px bold, the notes at 16 px. A title that is too long is
    shrunk to 16 px at most, notes to 12 px; what is still too long ends in an ellipsis.

    Attributes:
        rating: 1 to 5: Blunder, Mistake, Interesting, Good, Brilliant.
        name: the clip's name; None or blank: the rating's word and the first two tags ("Good Pass and Dribble").
        tags: the clip's tags.
        notes: a second line, its first 100 characters.
        start_time, end_time: seconds of the stage's input, half-open; None: from its start, to its end.
        scale: multiplies all these pixels. None: 1 on frames whose shorter side has up to 1080 pixels, and in
            proportion to it beyond, so that a 4K frame's banner looks like a 1080p frame's.
    """

    draws_only: ClassVar[bool] = True

    stage: Literal["banner"] = "banner"
    rating: Annotated[int, Field(ge=1, le=5)]
    name: Words | None = None
    tags: Items[Words] = ()
    notes: Words | None = None
    start_time: Seconds | None = None
    end_time: Seconds | None = None
    scale: Annotated[float, Field(gt=0, le=20, allow_inf_nan=False)] | None = None

    if TYPE_CHECKING:  # what may be given is more than what is kept

        def __init__(
            self,
            *,
            rating: int,
            name: str | None = None,
            tags: Sequence[str] = (),
            notes: str | None = None,
            start_time: Time | None = None,
            end_time: Time | None = None,
            scale: float | None = None,
            stage: Literal["banner"] = "banner",
        ) -> None: ...

    def model_post_init(self, _context: object, /) -> None:
        """Check the order of start and end."""
        if self.start_time is not None and self.end_time is not None and self.end_time < self.start_time:
            raise ValueError(f"a banner ends after it starts, got {self.start_time:g} to {self.end_time:g}; swap them")

    @property
    def title(self) -> str:
        """The first line.

        >>> Banner(rating=4, tags=["Pass", "Dribble", "Control"]).title
        '!  Good Pass and Dribble'
        >>> Banner(rating=1, name="Own goal").title
        '??  Own goal'
        """
        return clip_title(self.rating, self.name, self.tags)

    @property
    def second_line(self) -> str:
        """The notes' first 100 characters on one line; empty without notes."""
        return " ".join((self.notes or "")[:_NOTES_LIMIT].split())

    def pixel_scale(self, stream: StreamInfo) -> float:
        """Return by what the banner's pixels are multiplied on such a stream."""
        return self.scale or max(1.0, min(stream.width, stream.height) / _REFERENCE_SIDE)

    def picture(self, width: int, scale: float, aspect: Fraction = Fraction(1)) -> Picture:
        """Draw it for frames of one width.

        Args:
            width: of the frames, pixels.
            scale: multiplies its own pixels.
            aspect: the width of the frames' pixels over its height.

        Raises:
            SpecError: no font has one of the characters.
            MissingDependencyError: a text needs complex layout, which this machine's Pillow cannot do.
        """
        from reelproc.drawing.banner_pictures import draw_banner

        color = RATINGS[self.rating].color
        return draw_banner(self.title, self.second_line, color, width=width, scale=scale, aspect=aspect)

    def resolve(self, stream: StreamInfo, target: Target) -> StreamInfo:
        """Return the same stream.

        Raises:
            SpecError: its frames are not planar, or no font has one of the characters.
            MissingDependencyError: a text needs complex layout, which this machine's Pillow cannot do.
        """
        if stream.pix_fmt not in ("yuv420p", "yuv444p"):
            raise SpecError(f"a banner is drawn on yuv420p or yuv444p frames, got {stream.pix_fmt}")
        from reelproc.drawing.text_pictures import check_text

        check_text(self.title, "sans-bold")
        check_text(self.second_line, "sans")
        return stream

    def fingerprint(self) -> str:
        """Return a digest of the fonts of this machine that it is drawn with."""
        from reelproc.drawing.text_pictures import fonts_fingerprint

        return fonts_fingerprint([(self.title, "sans-bold"), (self.second_line, "sans")])

    def mismatches(self, stream: StreamInfo, target: Target, times: Sequence[float]) -> tuple[Mismatch, ...]:
        """Say that it is never shown, if no frame falls into its span."""
        start = 0.0 if self.start_time is None else self.start_time
        end = float(stream.duration) if self.end_time is None else self.end_time
        shown = clamped(times, stream.duration, closed=False)
        if start == end or frames_between(shown, start, end, closed=False):
            return ()
        return (Mismatch(f"the banner {never_active(start, end, stream.duration)}"),)

    def active_spans(self, stream: StreamInfo) -> tuple[tuple[Fraction, Fraction], ...]:
        """Return its span, the end included."""
        start = Fraction(0) if self.start_time is None else exact(self.start_time)
        end = stream.duration if self.end_time is None else exact(self.end_time)
        return merge_spans([(start, end)] if start < end else [], stream.duration)

    def amounts(self, stream: StreamInfo, target: Target, room: StreamInfo) -> tuple[FrameAmounts, ...]:
        """Return the frames that it draws on."""
        return (FrameAmounts({"stage.text": 1.0}, self.active_spans(stream)),)

    def open(self, stream: StreamInfo, target: Target) -> StageWork:
        """Return the work that draws it."""
        from reelproc.drawing.captions import Caption, Captions

        start = -inf if self.start_time is None else self.start_time
        end = inf if self.end_time is None else self.end_time
        draw = partial(self.picture, stream.width, self.pixel_scale(stream), stream.sample_aspect_ratio)
        return DrawingWork(Captions([Caption(start, end, 0.0, draw)], duration=stream.duration, pix_fmt=stream.pix_fmt))
