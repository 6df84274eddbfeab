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
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reelproc.media.frame import Frame, PixelFormat, Window
from reelproc.media.placement import Rectangle

__all__ = ["Sample", "UpscaleSpec", "UpscaleWork", "Upscaler"]


@dataclass(frozen=True, slots=True)
class UpscaleSpec:
    """What every frame of a clip is to become.

    Attributes:
        source_width, source_height: size of the windows that will come, pixels. A moving crop's may differ from it by
            the rounding to even sizes, a zooming crop's be smaller.
        width, height: of the canvas, pixels, even.
        destination: the part of the canvas that the window fills, on even pixels; all else is black.
        pix_fmt: of the frames, in and out.
    """

    source_width: int
    source_height: int
    width: int
    height: int
    destination: Rectangle
    pix_fmt: PixelFormat


class Sample(NamedTuple):
    """One frame's work.

    Attributes:
        frame: the source; owned by the work, which may return it if nothing needs to be done. Its own ``window`` is
            already part of the one here and is to be ignored.
        window: the part of the source that fills the destination, within the frame, pixels, floats.
    """

    frame: Frame
    window: Window


class UpscaleWork(ABC):
    """Scales the frames of one clip. Called from one thread, frames in order."""

    batch_size: int = 1
    """How many samples it would like to get at once."""

    @abstractmethod
    def __call__(self, samples: Sequence[Sample]) -> list[Frame]:
        """The scaled frames, one for each sample, in order, with the timestamps of their sources and without a window.

        Args:
            samples: from one to ``batch_size`` of them. Their windows may differ in place and size.

        Raises:
            BackendError: the model cannot do it; nothing less is returned instead.
        """

    def close(self) -> None:
        """Release what belongs to this clip; a loaded network stays with its :class:`Upscaler`. Safe to call twice."""
        return


class Upscaler(ABC):
    """A named way to scale.

    Attributes:
        name: as registered.
        description: one line for people.
        scale: the factor of a network; None where any size is made directly.
    """

    name: str
    description: str
    scale: int | None = None

    @abstractmethod
    def flop(self, spec: UpscaleSpec) -> float:
        """Floating point operations per frame, a multiplication with its addition counting two; for estimates."""

    @abstractmethod
    def open(self, spec: UpscaleSpec) -> UpscaleWork:
        """The work for such frames.

        Raises:
            BackendError: it cannot run here: no device, no weights, no memory.
        """
