"""What an upscaler is: a name that knows its scale and its price, and opens the work for one kind of picture.

``Upscale`` has settled all geometry by then: an upscaler is told which rectangle of the canvas to fill (the rest is
black) and gets, with every frame, the window of it that is to fill that rectangle, to the fraction of a pixel. A
resampler samples the window once. A network cuts the whole pixels around it, enlarges them by its own scale, and lets
the resize to the destination, which follows anyway, take the fraction out.

An implementation registers an instance in :data:`reelproc.upscalers.UPSCALERS`. The instance is made when its module is
imported and lives as long as the process, so it is the place to keep a loaded network between jobs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

from reelproc.errors import SpecError
from reelproc.pixels.frame import Frame, PixelFormat, Window
from reelproc.pixels.placement import Rectangle

__all__ = ["Sample", "UpscaleOptions", "UpscaleSpec", "UpscaleWork", "Upscaler"]


@dataclass(frozen=True, slots=True)
class UpscaleSpec:
    """What every frame of a clip is to become.

    Attributes:
        source_width, source_height: size of the windows that will come, pixels. A moving crop's may differ from it by
            the rounding to even sizes, a zooming crop's be smaller.
        width, height: of the canvas, pixels, even.
        destination: the part of the canvas that the window fills, on even pixels; all else is black.
        pix_fmt: of the frames, in and out.
        context: pixels around a window that a network is shown as well, as far as the frame has them.
    """

    source_width: int
    source_height: int
    width: int
    height: int
    destination: Rectangle
    pix_fmt: PixelFormat
    context: int = 0


@dataclass(frozen=True, slots=True)
class UpscaleOptions:
    """How a network is to be run; None: as it is best.

    Attributes:
        backend: ``"torch"``, ``"onnx"`` or ``"realesrgan"``, with a device if wanted: ``"torch:cpu"``,
            ``"onnx:tensorrt"``.
        precision: ``"fp32"``, ``"fp16"`` or ``"bf16"``.
        denoise_strength: 0 to 1.
    """

    backend: str | None = None
    precision: str | None = None
    denoise_strength: float | None = None

    def given(self) -> tuple[str, ...]:
        """Return the names of those that are not None."""
        return tuple(f.name for f in fields(self) if getattr(self, f.name) is not None)


class Sample(NamedTuple):
    """One frame's work.

    Attributes:
        frame: the source; owned by the work, which may return it if nothing needs to be done.
        window: the part of the source that fills the destination, within the frame, pixels, floats.
    """

    frame: Frame
    window: Window


class UpscaleWork(ABC):
    """Scales the frames of one clip. Called from one thread, frames in order."""

    batch_size: int = 1
    """How many samples it would like to get at once."""

    works_ahead: bool = False
    """Whether :meth:`submit` returns before the work is done: the caller then keeps two batches under way."""

    network_seconds: float = 0.0
    """How long its network has worked so far; 0 for what has none."""

    reach: int = 0
    """How many pixels around a window it looks at."""

    @abstractmethod
    def __call__(self, samples: Sequence[Sample]) -> list[Frame]:
        """Return the scaled frames, one for each sample, in order, with the timestamps of their sources.

        Args:
            samples: from one to ``batch_size`` of them. Their windows may differ in place and size.

        Raises:
            BackendError: the model cannot do it; nothing less is returned instead.
        """

    def submit(self, samples: Sequence[Sample]) -> Callable[[], list[Frame]]:
        """Begin the work on ``samples``; calling what is returned waits for it, and raises what went wrong.

        The results must be asked for in the order of the calls. Here, for work that does not go ahead, all is done at
        once.
        """
        frames = self(samples)
        return lambda: frames

    def close(self) -> None:
        """Release what belongs to this clip; a loaded network stays with its :class:`Upscaler`. Safe to call twice."""
        return


class Upscaler(ABC):
    """A named way to scale.

    Attributes:
        name: as registered.
        description: one line for people.
        scale: the factor of a network; None where any size is made directly.
        is_network: whether it is one.
        takes_context: whether pixels around the window change the result, so that ``Upscale.context`` counts.
    """

    name: str
    description: str
    scale: int | None = None
    is_network: bool = False
    takes_context: bool = False

    @abstractmethod
    def flop(self, spec: UpscaleSpec) -> float:
        """Floating point operations per frame, a multiplication with its addition counting two; for estimates."""

    def fingerprint(self) -> str:
        """Return what beyond name and options decides the pixels: of a network, the digest of its weights."""
        return ""

    def remarks(self) -> tuple[str, ...]:
        """Return what a result made with it should say of it, for people."""
        return ()

    def with_options(self, options: UpscaleOptions) -> Upscaler:
        """Return this upscaler, set up so.

        Raises:
            SpecError: it has no such option.
        """
        for name in options.given():
            raise SpecError(f"the upscaler {self.name!r} is not a network and has no {name}; leave it out")
        return self

    @abstractmethod
    def open(self, spec: UpscaleSpec) -> UpscaleWork:
        """Return the work for such frames.

        Raises:
            BackendError: it cannot run here: no device, no weights, no memory.
        """
