"""A stage of one's own: a grey square in the top left corner."""

from fractions import Fraction
from typing import ClassVar, Literal

import reelproc as rp
from reelproc.stages.base import DrawingWork, StageWork, StreamInfo, Target
from reelproc.timing import exact, merge_spans


class Watermark(rp.Stage):
    """A grey square, shown from ``start_time`` to ``end_time`` (seconds of the stage's input; None: its end)."""

    draws_only: ClassVar[bool] = True  # so that smart copy takes all other frames as they are

    stage: Literal["watermark"] = "watermark"
    size: int = 8
    start_time: float = 0.0
    end_time: float | None = None

    def resolve(self, stream: StreamInfo, target: Target) -> StreamInfo:
        if not 0 < self.size <= min(stream.width, stream.height):
            raise rp.SpecError(f"a watermark has 1 pixel or more and fits its {stream.width}x{stream.height} picture")
        return stream

    def active_spans(self, stream: StreamInfo) -> tuple[tuple[Fraction, Fraction], ...]:
        end = stream.duration if self.end_time is None else exact(self.end_time)
        return merge_spans([(exact(self.start_time), end)], stream.duration)

    def open(self, stream: StreamInfo, target: Target) -> StageWork:
        spans = [(float(start), float(end)) for start, end in self.active_spans(stream)]

        def draw(frame: rp.Frame, time: float) -> rp.Frame:
            time = min(max(time, 0.0), float(stream.duration))  # the last frame may lie just outside
            if any(start <= time <= end for start, end in spans):
                for plane in frame.planes:  # Y', and Cb and Cr, of half the size in yuv420p
                    plane[: self.size, : self.size] = 128
            return frame

        return DrawingWork(draw)
