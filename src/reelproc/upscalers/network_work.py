"""What every backend that runs networks has in common: cutting whole pixels, batches, and running ahead of the loop."""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from reelproc.pixels.frame import Frame, Window
from reelproc.pixels.placement import Rectangle
from reelproc.upscalers.base import Sample, UpscaleOptions, UpscaleSpec, UpscaleWork
from reelproc.upscalers.models import Model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


__all__ = ["Backend", "Cut", "Enlarged", "Network", "NetworkWork", "cut_out", "not_finite", "placed"]


@dataclass(frozen=True, slots=True)
class Cut:
    """The whole pixels around a window: what the network sees.

    Attributes:
        frame: those pixels, a frame of their own, with the timestamps of the source.
        window: what of them fills the destination, pixels, floats.
    """

    frame: Frame
    window: Window

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        return self.frame.width, self.frame.height


class Enlarged(NamedTuple):
    """What came of some cuts.

    Attributes:
        frames: one for each, on the canvas.
        network_seconds: how long the network alone has worked for them.
    """

    frames: list[Frame]
    network_seconds: float


class Network(ABC):
    """A loaded network on its device.

    Attributes:
        scale: by which it enlarges.
        flop_per_pixel: floating point operations for a pixel of its input.
        batch_size: how many pictures it works on at once.
        works_ahead: whether :meth:`start` returns while the device still works; a thread is used where it does not.
        device: for people.
    """

    scale: int
    flop_per_pixel: float
    batch_size: int = 1
    works_ahead: bool = False
    device: str = "cpu"

    @abstractmethod
    def start(self, cuts: Sequence[Cut], spec: UpscaleSpec) -> Callable[[], Enlarged]:
        """Begin to enlarge pictures of one size; calling what is returned waits for them.

        Raises:
            OutOfMemoryError: not even the smallest tiles fit.
            BackendError: the device failed.
        """

    def rest(self) -> None:  # noqa: B027 - most have nothing to give back
        """Give back the memory that is only needed while pictures come."""


class Backend(ABC):
    """A library that runs networks. It keeps what it has loaded for as long as the process lives.

    Attributes:
        name: as registered.
    """

    name: ClassVar[str]

    @abstractmethod
    def load(self, model: Model, options: UpscaleOptions) -> Network:
        """Return the network, loaded now if it was not before.

        Args:
            model: which.
            options: ``options.backend`` is the device alone, e.g. ``"cuda"``; None: the best one here.

        Raises:
            BackendError: there is no such device here, or the weights are missing or are not for this backend.
        """


def cut_out(sample: Sample, reach: int = 0) -> Cut:
    """Copy the whole pixels that the window touches, and ``reach`` more around it.

    They begin and end on even ones: chroma samples of yuv420p are whole, and networks that fold squares of two pixels
    see the squares that they would see of the whole frame.
    """
    frame, window = sample
    step = 2 if frame.pix_fmt == "yuv420p" or reach else 1
    x, width = _around(window.x - reach, window.width + 2 * reach, frame.width, step)
    y, height = _around(window.y - reach, window.height + 2 * reach, frame.height, step)
    part = frame.part(x, y, width, height)
    return Cut(part, Window(window.x - x, window.y - y, window.width, window.height))


def _around(start: float, extent: float, length: int, step: int) -> tuple[int, int]:
    slack = 1e-3  # pixels; windows come out of float arithmetic
    first = max(0, math.floor((start + slack) / step) * step)
    end = min(length, math.ceil((start + extent - slack) / step) * step)
    return first, end - first


def placed(cut: Cut, planes: Sequence[NDArray[np.uint8]], spec: UpscaleSpec) -> Frame:
    """Return the canvas with ``planes``, which are as large as the destination, in it; the rest is black."""
    from reelproc.pixels.colour import BLACK

    frame = cut.frame.like(spec.width, spec.height)
    place = spec.destination
    halves = spec.pix_fmt == "yuv420p"
    if place != Rectangle(0, 0, spec.width, spec.height):
        for plane, level in zip(frame.planes, BLACK[spec.pix_fmt], strict=False):
            plane[...] = level
    for number, (target, plane) in enumerate(zip(frame.planes, planes, strict=True)):
        step = 2 if halves and number else 1
        top, left = place.y // step, place.x // step
        target[top : top + plane.shape[0], left : left + plane.shape[1]] = plane
    return frame


def not_finite(device: str, size: tuple[int, int], *, overflows: bool = False) -> str:
    """Return what to say where a network made NaN of a picture.

    Args:
        device: what it ran on, for people.
        size: of the picture, pixels.
        overflows: whether its precision is the likely cause.
    """
    remedy = (
        "numbers above 65504 overflow in fp16: use precision='fp32'"
        if overflows
        else "its weights are of no use for this: use another checkpoint"
    )
    return f"the network made NaN of a picture of {size[0]}x{size[1]} on {device}; {remedy}"


class NetworkWork(UpscaleWork):
    """Scales the frames of one clip by a network.

    Args:
        spec: what they become.
        network: already loaded; it outlives this work.
    """

    works_ahead = True

    def __init__(self, spec: UpscaleSpec, network: Network) -> None:
        self._spec, self._network = spec, network
        self.batch_size, self.reach = network.batch_size, spec.context
        self.network_seconds = 0.0
        self._thread: ThreadPoolExecutor | None = None
        if not network.works_ahead:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="network")

    def __call__(self, samples: Sequence[Sample]) -> list[Frame]:
        """See :class:`~reelproc.upscalers.base.UpscaleWork`."""
        return self.submit(samples)()

    def submit(self, samples: Sequence[Sample]) -> Callable[[], list[Frame]]:
        """See :class:`~reelproc.upscalers.base.UpscaleWork`."""
        cuts = [cut_out(sample, self.reach) for sample in samples]
        groups = [list(alike) for _, alike in itertools.groupby(cuts, key=lambda cut: cut.size)]
        started = [self._start(group) for group in groups]

        def wait() -> list[Frame]:
            frames: list[Frame] = []
            for ready in started:
                made = ready()
                self.network_seconds += made.network_seconds
                frames += made.frames
            return frames

        return wait

    def _start(self, cuts: Sequence[Cut]) -> Callable[[], Enlarged]:
        if self._thread is None:
            return self._network.start(cuts, self._spec)
        return self._thread.submit(self._finished, cuts).result

    def _finished(self, cuts: Sequence[Cut]) -> Enlarged:
        return self._network.start(cuts, self._spec)()

    def close(self) -> None:
        """Wait for the picture that is being worked on, and drop those after it."""
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)
        self._network.rest()
