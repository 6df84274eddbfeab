"""Play segments in slow motion or fast forward, each at its own speed. Sound keeps its pitch."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from reelproc.errors import SpecError
from reelproc.schema import Items, Schema, Seconds, SecondsFromZero
from reelproc.stages.base import Stage, StreamInfo, Target
from reelproc.timing import Time, TimeMap, exact

MIN_SPEED = 0.1
MAX_SPEED = 10.0


class SpeedSegment(Schema):
    """A span that runs at its own speed.

    Attributes:
        start, end: seconds of the stage's input, ``0 <= start < end``; what lies after the input's end is ignored.
        speed: 0.1 to 10; 0.5 takes twice as long.
    """

    start: SecondsFromZero
    end: Seconds
    speed: Annotated[float, Field(ge=MIN_SPEED, le=MAX_SPEED)]

    if TYPE_CHECKING:  # what may be given is more than what is kept

        def __init__(self, *, start: Time, end: Time, speed: float) -> None: ...

    def model_post_init(self, _context: object, /) -> None:
        """Check the order of start and end."""
        if not self.start < self.end:
            raise ValueError(f"a speed segment ends after it starts, got {self.start:g} to {self.end:g}")


class Speed(Stage):
    """Change of speed. What no segment covers runs at speed 1.

    Attributes:
        segments: disjoint spans, in any order.
    """

    changes_pixels: ClassVar[bool] = False
    changes_time: ClassVar[bool] = True

    stage: Literal["speed"] = "speed"
    segments: Items[SpeedSegment] = ()

    def model_post_init(self, _context: object, /) -> None:
        """Check that no two segments overlap."""
        ordered = self._ordered()
        for one, two in itertools.pairwise(ordered):
            if two.start < one.end:
                raise ValueError(
                    f"speed segments must not overlap, got {one.start:g} to {one.end:g} "
                    f"and {two.start:g} to {two.end:g}"
                )

    def _ordered(self) -> list[SpeedSegment]:
        return sorted(self.segments, key=lambda s: s.start)

    def time_map(self, stream: StreamInfo) -> TimeMap:
        """Return where each moment of the input lands on the output's clock."""
        return TimeMap.from_speeds(
            stream.duration, [(exact(s.start), exact(s.end), exact(s.speed)) for s in self._ordered()]
        )

    def resolve(self, stream: StreamInfo, target: Target) -> StreamInfo:
        """Return the same frames over another duration.

        Raises:
            SpecError: a segment starts after the end of the stream.
        """
        for segment in self.segments:
            if exact(segment.start) >= stream.duration:
                raise SpecError(
                    f"a speed segment starts at {segment.start:g} s, "
                    f"but its input is only {float(stream.duration):g} s long"
                )
        return replace(stream, duration=self.time_map(stream).out_duration)

    def open(self, stream: StreamInfo, target: Target) -> None:
        """Return None: there is nothing to do on pixels."""
        return
