"""Straighten a tilted camera: rotation about the centre."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from reelproc.pixels.frame import Frame, plane_shapes
from reelproc.pixels.placement import CHROMA_SITING
from reelproc.stages.base import FrameAmounts, Stage, StageWork, StreamInfo, Target

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Rotate(Stage):
    """Rotation about the centre of the frame; the canvas keeps its size, uncovered corners are black.

    Sampled once, by a cubic filter, on every plane.

    Attributes:
        degrees: positive is counter-clockwise, as seen on the screen. Half turns are exact; by a right angle luma is,
            where width and height are both even or both odd and pixels are square, while the chroma of yuv420p lies
            between pixels and is interpolated.
    """

    stage: Literal["rotate"] = "rotate"
    degrees: Annotated[float, Field(allow_inf_nan=False)] = 0.0

    def amounts(self, stream: StreamInfo, target: Target, room: StreamInfo) -> tuple[FrameAmounts, ...]:
        """Return the megapixels of each frame."""
        return (FrameAmounts({"stage.rotate": stream.megapixels}),)

    def open(self, stream: StreamInfo, target: Target) -> StageWork | None:
        """Return the work; None for a full turn, which costs nothing."""
        return None if self.degrees % 360 == 0 else _RotateWork(self.degrees, stream)


def inverse_maps(degrees: float, stream: StreamInfo) -> list[NDArray[np.float64]]:
    """Return for each plane the (2, 3) matrix from a sample of the result to the place in the source it shows.

    In the form that ``cv2.warpAffine`` takes: samples have their centres at whole coordinates. Where pixels are not
    square the picture is turned as it is seen, not as it is stored.
    """
    import numpy as np

    quarter, rest = divmod(degrees, 90.0)
    if rest == 0:  # sin and cos of these are not exact in floats
        cos, sin = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[int(quarter) % 4]
    else:
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    aspect = float(stream.sample_aspect_ratio)
    # y points down, so a counter-clockwise turn takes (x, y) to (cos x + sin y, cos y - sin x); this is its inverse
    turn = np.array([[cos, -sin / aspect], [sin * aspect, cos]], dtype=np.float64)
    centre = np.array([stream.width / 2, stream.height / 2])
    maps = []
    for number in range(len(plane_shapes(stream.pix_fmt, stream.width, stream.height))):
        chroma = stream.pix_fmt == "yuv420p" and number > 0
        pivot = centre / 2 + (CHROMA_SITING, 0.0) if chroma else centre
        middle = pivot - 0.5
        maps.append(np.column_stack([turn, middle - turn @ middle]))
    return maps


class _RotateWork(StageWork):
    def __init__(self, degrees: float, stream: StreamInfo) -> None:
        from reelproc.pixels.colour import BLACK

        self._maps = inverse_maps(degrees, stream)
        self._black = BLACK[stream.pix_fmt]

    def __call__(self, frame: Frame, time: float) -> Frame:
        import cv2

        turned = frame.like(frame.width, frame.height)
        for number, (source, out, matrix) in enumerate(zip(frame.planes, turned.planes, self._maps, strict=True)):
            cv2.warpAffine(
                source,
                matrix,
                (source.shape[1], source.shape[0]),
                dst=out,
                flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=self._black if source.ndim == 3 else (self._black[number],),
            )
        return turned
