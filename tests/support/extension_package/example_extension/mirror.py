"""An upscaler of one's own: bicubic, with left and right exchanged."""

from collections.abc import Sequence

import reelproc as rp
from reelproc.pixels.resample import resample
from reelproc.upscalers.base import Sample, Upscaler, UpscaleSpec, UpscaleWork


class MirrorWork(UpscaleWork):
    """The work for one size."""

    def __init__(self, spec: UpscaleSpec) -> None:
        self.spec = spec

    def __call__(self, samples: Sequence[Sample]) -> list[rp.Frame]:
        return [self.mirrored(frame, window) for frame, window in samples]

    def mirrored(self, frame: rp.Frame, window: tuple[float, float, float, float]) -> rp.Frame:
        spec = self.spec
        scaled = resample(frame, window, spec.width, spec.height, filter="bicubic", destination=spec.destination)
        for plane in scaled.planes:
            plane[:] = plane[:, ::-1].copy()
        return scaled


class Mirror(Upscaler):
    """Bicubic, with left and right exchanged."""

    name = "mirror"
    description = "bicubic, with left and right exchanged"

    def flop(self, spec: UpscaleSpec) -> float:
        return spec.width * spec.height * 32.0

    def open(self, spec: UpscaleSpec) -> MirrorWork:
        return MirrorWork(spec)


MIRROR = Mirror()
