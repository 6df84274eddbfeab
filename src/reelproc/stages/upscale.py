"""Scale to a size, by a classical resampler or a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil
from typing import Annotated, Literal

from pydantic import Field

from reelproc.errors import ReelprocError, SpecError
from reelproc.pixels.frame import Frame
from reelproc.pixels.placement import Placement, fit
from reelproc.pixels.view import View
from reelproc.schema import Fraction01
from reelproc.stages.base import Fit, FrameAmounts, Stage, StageWork, StreamInfo, Target, WindowWork
from reelproc.upscalers import find
from reelproc.upscalers.base import Sample, UpscaleOptions, Upscaler, UpscaleSpec, UpscaleWork
from reelproc.upscalers.dedupe import Deduplicated

CONTEXT = 24
"""Pixels: beyond them nothing changed the crop by a level on real frames, though the networks look 34 pixels far."""


class Upscale(Stage):
    """Scaling to a canvas of square pixels; what the picture does not cover of it is black.

    Attributes:
        model: a network, ``"realesr-general-x4v3"``, ``"realesr-animevideov3"``, ``"RealESRGAN_x4plus"``,
            ``"RealESRGAN_x2plus"`` or the path of a ``.pth``, ``.pt``, ``.ckpt``, ``.safetensors`` or ``.onnx`` file;
            a resampler, ``"lanczos"``, ``"bicubic"``, ``"area"``; or ``"auto"``: the plan chooses, and says why.
        width, height: the size to reach, pixels, even; both or neither None: the output's.
        fit: how a differing aspect ratio is met; None: as the output says.
        denoise_strength: of ``realesr-general-x4v3``, from 0 (keep the noise) to 1 (remove it); None: 1.
        backend: what runs a network, ``"torch"``, ``"onnx"`` or ``"realesrgan"``, and on which device if it is not to
            be the best one here: ``"torch:cpu"``, ``"torch:cuda:1"``, ``"onnx:tensorrt"``. None: ``"torch"``, or
            ``"onnx"`` for an ``.onnx`` file and where torch is not installed; the result's notes say so.
        precision: of a network's arithmetic, ``"fp32"``, ``"fp16"`` or ``"bf16"``; None: fp16 on a GPU, fp32 on a CPU.
            A CPU takes bf16 only where it has instructions for it.
        context: pixels around a crop that a network sees as well, as far as the source has them. With the default a
            crop comes out as a cut from the whole enlarged frame would, within a level; 0 saves their work.
        dedupe: a frame that differs from the last one that was scaled by at most so many levels in every sample of the
            picture, and shows the same window, is not scaled again; 0: identical ones only, None: never.
    """

    stage: Literal["upscale"] = "upscale"
    model: Annotated[str, Field(min_length=1)] = "realesr-general-x4v3"
    width: Annotated[int, Field(gt=0, le=16384, multiple_of=2)] | None = None
    height: Annotated[int, Field(gt=0, le=16384, multiple_of=2)] | None = None
    fit: Fit | None = None
    denoise_strength: Fraction01 | None = None
    backend: Annotated[str, Field(pattern=r"^[\w-]+(:[\w:]+)?$")] | None = None
    precision: Literal["fp32", "fp16", "bf16"] | None = None
    context: Annotated[int, Field(ge=0, le=256)] = CONTEXT
    dedupe: Annotated[int, Field(ge=0, le=32)] | None = None

    def model_post_init(self, _context: object, /) -> None:
        """Check that width and height come together."""
        if (self.width is None) != (self.height is None):
            raise ValueError(f"width and height are given together or not at all, got {self.width} and {self.height}")

    def resolve(self, stream: StreamInfo, target: Target) -> StreamInfo:
        """Return the size to reach, with square pixels.

        Raises:
            SpecError: no upscaler has that name or such options, or neither the stage nor the output has a size.
        """
        if self.model != "auto":
            self.upscaler()
        width, height = self._size(target)
        return replace(stream, width=width, height=height, sample_aspect_ratio=Fraction(1))

    def decided(self, stream: StreamInfo, target: Target) -> tuple[Stage, str]:
        """Return the stage with the model that is chosen for ``model="auto"``, and the reason.

        Raises:
            SpecError: neither the stage nor the output has a size.
        """
        if self.model != "auto":
            return self, ""
        from reelproc.upscalers.choice import choose

        window, destination = self.placement(stream, target)
        scale = max(destination.width / window.width, destination.height / window.height)
        choice = choose(scale, window.width * window.height)
        dropped: dict[str, None] = {}
        if choice.model != "realesr-general-x4v3":  # options of networks that another model would refuse
            dropped = {"denoise_strength": None}
        if choice.model == "lanczos":
            dropped = dict.fromkeys(("denoise_strength", "backend", "precision"))
        stage = self.model_copy(update={"model": choice.model, **dropped})
        return stage, f"model 'auto' is {choice.model}: {choice.reason}"

    @property
    def remembers(self) -> bool:
        """With ``dedupe`` a frame may show what was made of one before it."""
        return self.dedupe is not None

    def placement(self, stream: StreamInfo, target: Target) -> Placement:
        """Return which part of the input is shown, and where on the canvas.

        Raises:
            SpecError: neither the stage nor the output has a size.
        """
        mode = target.fit if self.fit is None else self.fit
        return fit(stream.width, stream.height, stream.sample_aspect_ratio, *self._size(target), mode)

    def upscaler(self) -> Upscaler:
        """Return what does the work; of a network, nothing is loaded yet.

        Raises:
            SpecError: no upscaler has that name, or such options.
        """
        options = UpscaleOptions(backend=self.backend, precision=self.precision, denoise_strength=self.denoise_strength)
        return find(self.model, options)

    def spec(self, stream: StreamInfo, target: Target) -> UpscaleSpec:
        """Return what the upscaler is told.

        Raises:
            SpecError: neither the stage nor the output has a size.
        """
        placement = self.placement(stream, target)
        width, height = self._size(target)
        return UpscaleSpec(
            source_width=round(placement.window.width),
            source_height=round(placement.window.height),
            width=width,
            height=height,
            destination=placement.destination,
            pix_fmt=stream.pix_fmt,
            context=self.context_pixels(),
        )

    def context_pixels(self) -> int:
        """Return how many pixels around its window it takes in: :attr:`context` of a network, 0 of a resampler."""
        if self.model == "auto":
            return self.context  # the plan has not decided yet
        return self.context if self.upscaler().takes_context else 0

    def reach(self, stream: StreamInfo, target: Target) -> tuple[int, int]:
        """Return how far beyond a window the filter's taps reach, or what a network is shown around it."""
        from reelproc.pixels.resample import REACH_PIXELS

        window, destination = self.placement(stream, target)
        context = self.context_pixels()
        around = context + 2 if context else 0  # to even pixels
        across, down = (
            max(ceil(REACH_PIXELS * max(1.0, shrink)), around)
            for shrink in (window.width / destination.width, window.height / destination.height)
        )
        return across, down

    def amounts(self, stream: StreamInfo, target: Target, room: StreamInfo) -> tuple[FrameAmounts, ...]:
        """Return a resampler's GFLOP, or a network's TFLOP with the megapixels that its host side delivers."""
        upscaler, spec = self.upscaler(), self.spec(stream, target)
        if not upscaler.is_network:
            return (FrameAmounts({"stage.scale": upscaler.flop(spec) / 1e9}),)
        seen = replace(
            spec,
            source_width=min(spec.source_width + 2 * spec.context, max(room.width, spec.source_width)),
            source_height=min(spec.source_height + 2 * spec.context, max(room.height, spec.source_height)),
        )
        host = {"stage.network": spec.width * spec.height / 1e6}
        try:
            flop = upscaler.flop(seen)
        except ReelprocError as error:
            unknown = f"what the network {upscaler.name} costs is not known, so this is a lower bound: {error}"
            return (FrameAmounts(host, network=upscaler.name, warnings=(unknown,)),)
        return (FrameAmounts(host | {f"network.{self.precision or 'default'}": flop / 1e12}, network=upscaler.name),)

    def fingerprint(self) -> str:
        """Return the digests of the weights, where there are any."""
        return self.upscaler().fingerprint()

    def remarks(self) -> tuple[str, ...]:
        """Say which weights are not the official ones."""
        return self.upscaler().remarks()

    def open(self, stream: StreamInfo, target: Target) -> StageWork:
        """Return the work of the upscaler on such a stream.

        Raises:
            SpecError: no upscaler has that name.
            MissingDependencyError: it needs a package that is not installed.
            BackendError: it cannot run here.
        """
        stage = self.decided(stream, target)[0]
        if isinstance(stage, Upscale) and stage is not self:
            return stage.open(stream, target)
        work = self.upscaler().open(self.spec(stream, target))
        if self.dedupe is not None:
            work = Deduplicated(work, self.dedupe, target.restarts)
        return _ScalingWork(self.placement(stream, target), work)

    def _size(self, target: Target) -> tuple[int, int]:
        if self.width is not None and self.height is not None:
            return self.width, self.height
        if target.width is not None and target.height is not None:
            return target.width, target.height
        raise SpecError(
            "Upscale needs a size to reach, and neither it nor the output has one; "
            "give Upscale a width and a height, or the Output"
        )


class _ScalingWork(WindowWork):
    def __init__(self, placement: Placement, work: UpscaleWork) -> None:
        self._placement, self._work = placement, work
        self.works_ahead, self.batch_size = work.works_ahead, work.batch_size

    @property
    def network_seconds(self) -> float:  # type: ignore[override]
        return self._work.network_seconds

    def view(self, view: View, time: float) -> View:
        (scaled,) = self._work([self._sample(view)])
        return View(scaled)

    def submit_views(self, views: Sequence[View], times: Sequence[float]) -> Callable[[], list[Frame]]:
        return self._work.submit([self._sample(view) for view in views])

    def _sample(self, view: View) -> Sample:
        return Sample(view.frame, view.within(self._placement.window))

    def close(self) -> None:
        self._work.close()
