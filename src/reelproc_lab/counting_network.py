"""Count how often a network is loaded, wherever a job runs: the job kind ``counted``.

The count is put among the result's notes, in the form that :func:`model_loads` reads. Where there is no torch, the
upscaler :data:`STAND_IN` takes the network's place: it keeps what it has loaded for as long as its process lives, as
they do, and enlarges by interpolation. Its loads can be counted; how long they take says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal, Self, TypeVar

import cv2
import numpy as np

from reelproc import RenderJob, RenderResult
from reelproc.job_context import JobContext
from reelproc.jobs import Job, WorkCounter
from reelproc.registry import Registry
from reelproc.upscalers import UPSCALERS
from reelproc.upscalers.base import UpscaleOptions, Upscaler, UpscaleSpec, UpscaleWork
from reelproc.upscalers.host_network import HostNetwork, Image
from reelproc.upscalers.models import Model
from reelproc.upscalers.network_work import Backend, Network, NetworkWork
from reelproc.upscalers.networks import BACKENDS

WorkT = TypeVar("WorkT")

STAND_IN = "stand-in"
_PARAMETERS = 1_210_000
"""As many as realesr-general-x4v3 has."""
_NOTE = re.compile(r"networks loaded: (\d+)")


class _Counter:
    """Has seen the networks that this process has loaded; two loads of one network are two objects."""

    def __init__(self) -> None:
        self.networks: list[Network] = []  # kept, so that no later one can be taken for it

    def see(self, network: Network) -> Network:
        if not any(network is known for known in self.networks):
            self.networks.append(network)
        return network


_COUNTER = _Counter()


_PLAIN: Registry[Backend] = Registry("network backend", group=BACKENDS.group)
"""The backends as the library registers them."""

_PLAIN.register("torch", "reelproc.upscalers.torch_network:BACKEND", extra="ai")
_PLAIN.register("onnx", "reelproc.upscalers.onnx_network:BACKEND", extra="onnx")
_PLAIN.register("realesrgan", "reelproc.upscalers.realesrgan_reference:BACKEND", extra="realesrgan")


class _Counted(Backend):
    """A backend whose loads are counted."""

    def __init__(self, name: str) -> None:
        self._plain = name

    def load(self, model: Model, options: UpscaleOptions) -> Network:
        """See :class:`~reelproc.upscalers.network_work.Backend`."""
        return _COUNTER.see(_PLAIN.get(self._plain).load(model, options))


COUNTED_TORCH, COUNTED_ONNX, COUNTED_REALESRGAN = (_Counted(name) for name in ("torch", "onnx", "realesrgan"))


class _StandInNetwork(HostNetwork):
    """Interpolation by four."""

    scale, flop_per_pixel, overlap = 4, 0.0, 0

    def __init__(self) -> None:
        self.weights = np.random.default_rng(0).standard_normal(_PARAMETERS, np.float32)

    def enlarge(self, rgb: Image) -> Image:
        """See :class:`~reelproc.upscalers.host_network.HostNetwork`."""
        height, width = rgb.shape[:2]
        size = (width * self.scale, height * self.scale)
        return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC), np.uint8)


class StandIn(Upscaler):
    """Loads something once per process, as a network does."""

    name, description, scale = STAND_IN, "for experiments: counts its loads, and interpolates", 4
    _network: _StandInNetwork | None = None

    def flop(self, spec: UpscaleSpec) -> float:
        """None that count."""
        return 0.0

    def open(self, spec: UpscaleSpec) -> UpscaleWork:
        """See :class:`~reelproc.upscalers.base.Upscaler`."""
        if self._network is None:
            self._network = _StandInNetwork()
        return NetworkWork(spec, _COUNTER.see(self._network))


INSTANCE = StandIn()
UPSCALERS.register(STAND_IN, "reelproc_lab.counting_network:INSTANCE")


class CountedJob(Job[RenderResult]):
    """A render that says among its notes how many networks it loaded.

    Attributes:
        render: what to do.
    """

    job: Literal["counted"] = "counted"
    render: RenderJob

    def sources(self) -> tuple[str, ...]:
        """See :class:`reelproc.jobs.Job`."""
        return self.render.sources()

    def destination(self) -> str:
        """See :class:`reelproc.jobs.Job`."""
        return self.render.destination()

    def with_paths(self, paths: Mapping[str, str]) -> Self:
        """See :class:`reelproc.jobs.Job`."""
        return self.model_copy(update={"render": self.render.with_paths(paths)})

    def counted_by(self, counter: WorkCounter[WorkT]) -> WorkT:
        """See :class:`reelproc.jobs.Job`."""
        return self.render.counted_by(counter)

    def run(self, context: JobContext) -> RenderResult:
        """See :class:`reelproc.jobs.Job`."""
        for name in ("torch", "onnx", "realesrgan"):
            BACKENDS.register(name, f"{__name__}:COUNTED_{name.upper()}")
        before = len(_COUNTER.networks)
        result = self.render.run(context)
        said = f"networks loaded: {len(_COUNTER.networks) - before}"
        return result.model_copy(update={"notes": (*result.notes, said)})


def model_loads(notes: Iterable[str]) -> int:
    """How many loads the notes of some results tell of.

    >>> model_loads(["networks loaded: 1", "model 'auto' is lanczos", "networks loaded: 0"])
    1
    """
    return sum(int(found[1]) for note in notes if (found := _NOTE.fullmatch(note)))
