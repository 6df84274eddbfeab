"""Scale to a size, by a classical resampler or a network."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from reelproc.errors import SpecError
from reelproc.media.frame import Frame
from reelproc.media.placement import Placement, compose, fit
from reelproc.stages.base import Fit, Stage, StageWork, StreamInfo, Target
from reelproc.upscalers import UPSCALERS
from reelproc.upscalers.base import Sample, UpscaleSpec, UpscaleWork

__all__ = ["Upscale"]


class Upscale(Stage):
    """Scaling to a canvas of square pixels; what the picture does not cover of it is black.

    Attributes:
        model: a name in the upscaler registry: ``"lanczos"``, ``"bicubic"``, ``"area"``.
        width, height: the size to reach, pixels, even; both or neither None: the output's.
        fit: how a differing aspect ratio is met; None: as the output says.
    """

    stage: Literal["upscale"] = "upscale"
    model: str
    width: Annotated[int, Field(gt=0, le=16384, multiple_of=2)] | None = None
    height: Annotated[int, Field(gt=0, le=16384, multiple_of=2)] | None = None
    fit: Fit | None = None

    def model_post_init(self, _context: object, /) -> None:
        """Check that width and height come together."""
        if (self.width is None) != (self.height is None):
            raise ValueError(f"width and height are given together or not at all, got {self.width} and {self.height}")

    def resolve(self, stream: StreamInfo, target: Target) -> StreamInfo:
        """The size to reach, with square pixels.

        Raises:
            SpecError: no upscaler has that name, or neither the stage nor the output has a size.
        """
        if self.model not in UPSCALERS:
            UPSCALERS.get(self.model)  # says what there is
        width, height = self._size(target)
        return replace(stream, width=width, height=height, sample_aspect_ratio=Fraction(1))

    def placement(self, stream: StreamInfo, target: Target) -> Placement:
        """Which part of the input is shown, and where on the canvas.

        Raises:
            SpecError: neither the stage nor the output has a size.
        """
        mode = target.fit if self.fit is None else self.fit
        return fit(stream.width, stream.height, stream.sample_aspect_ratio, *self._size(target), mode)

    def open(self, stream: StreamInfo, target: Target) -> StageWork:
        """The work of the upscaler on such a stream.

        Raises:
            SpecError: no upscaler has that name.
            MissingDependencyError: it needs a package that is not installed.
            BackendError: it cannot run here.
        """
        placement = self.placement(stream, target)
        width, height = self._size(target)
        spec = UpscaleSpec(
            source_width=round(placement.window.width),
            source_height=round(placement.window.height),
            width=width,
            height=height,
            destination=placement.destination,
            pix_fmt=stream.pix_fmt,
        )
        return _UpscaleStageWork(placement, UPSCALERS.get(self.model).open(spec))

    def _size(self, target: Target) -> tuple[int, int]:
        if self.width is not None and self.height is not None:
            return self.width, self.height
        if target.width is not None and target.height is not None:
            return target.width, target.height
        raise SpecError(
            "Upscale needs a size to reach, and neither it nor the output has one; "
            "give Upscale a width and a height, or the Output"
        )


class _UpscaleStageWork:
    accepts_window = True

    def __init__(self, placement: Placement, work: UpscaleWork) -> None:
        self._placement, self._work = placement, work

    def __call__(self, frame: Frame, time: float) -> Frame:
        window = self._placement.window
        if frame.window is not None and frame.nominal_size is not None:
            window = compose(window, frame.window, *frame.nominal_size)
        (scaled,) = self._work([Sample(frame, window)])
        return scaled

    def close(self) -> None:
        self._work.close()
