"""Scale with the classical filters: lanczos, bicubic and area, registered by name."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from reelproc.pixels.frame import Frame, Window
from reelproc.pixels.placement import whole
from reelproc.pixels.resample import REACH_PIXELS, resample
from reelproc.upscalers.base import Sample, Upscaler, UpscaleSpec, UpscaleWork

if TYPE_CHECKING:
    from reelproc.pixels.scaling import Filter


class Resampler(Upscaler):
    """One of the filters as an upscaler."""

    def __init__(self, kernel: Filter, description: str) -> None:
        self.name = kernel
        self.kernel: Filter = kernel
        self.description = description

    def flop(self, spec: UpscaleSpec) -> float:
        """Return those of both passes with the filter's taps, on all planes."""
        place = spec.destination
        taps = {"lanczos": 6, "bicubic": 4, "area": 2}[self.kernel]
        wide, high = spec.source_width / place.width, spec.source_height / place.height
        luma = place.width * (spec.source_height * max(wide, 1.0) + place.height * max(high, 1.0)) * taps * 2
        return luma * (1.5 if spec.pix_fmt == "yuv420p" else 3.0)

    def open(self, spec: UpscaleSpec) -> UpscaleWork:
        """Work that samples each window once."""
        return _ResamplerWork(spec, self.kernel)


class _ResamplerWork(UpscaleWork):
    def __init__(self, spec: UpscaleSpec, kernel: Filter) -> None:
        self._spec, self._kernel = spec, kernel
        shrink = max(spec.source_width / spec.destination.width, spec.source_height / spec.destination.height, 1.0)
        self.reach = ceil(REACH_PIXELS * shrink)

    def __call__(self, samples: Sequence[Sample]) -> list[Frame]:
        return [self._one(frame, window) for frame, window in samples]

    def _one(self, frame: Frame, window: Window) -> Frame:
        spec = self._spec
        size = (spec.width, spec.height)
        if (frame.width, frame.height) == size == spec.destination[2:] and window == whole(*size):
            return frame
        return resample(frame, window, *size, filter=self._kernel, destination=spec.destination)


LANCZOS = Resampler("lanczos", "sinc over 3 lobes: the sharpest of the classical filters")
BICUBIC = Resampler("bicubic", "Keys' cubic convolution: softer, rings less")
AREA = Resampler("area", "the mean over the covered area: for shrinking; soft when enlarging, never rings")
