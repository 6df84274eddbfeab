"""Counts how often a network is loaded, wherever a job runs: ``runner="reelproc_lab.counting_network:run_job"``.

The count is put among the result's notes, in the form that :func:`model_loads` reads. Where there is no torch, the
upscaler :data:`STAND_IN` takes the network's place: it keeps what it has loaded for as long as its process lives, as
they do, and enlarges by interpolation. Its loads can be counted; how long they take says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import cv2
import numpy as np

from reelproc import RenderResult, jobs
from reelproc.job_context import JobContext
from reelproc.jobs import Job
from reelproc.results import JobResult
from reelproc.upscalers import UPSCALERS
from reelproc.upscalers.base import UpscaleOptions, Upscaler, UpscaleSpec, UpscaleWork
from reelproc.upscalers.host_network import HostNetwork, Image
from reelproc.upscalers.models import Model
from reelproc.upscalers.network_work import Backend, Network, NetworkWork
from reelproc.upscalers.networks import BACKENDS

RUNNER = "reelproc_lab.counting_network:run_job"
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


class _Counted(Backend):
    """A backend whose loads are counted."""

    name = "counted"

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def load(self, model: Model, options: UpscaleOptions) -> Network:
        """See :class:`~reelproc.upscalers.network_work.Backend`."""
        return _COUNTER.see(self.backend.load(model, options))


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


def run_job(job: Job, context: JobContext | None = None) -> JobResult:
    """:func:`reelproc.jobs.run_job`, with the number of networks that it has loaded among the result's notes."""
    _count_backends()
    before = len(_COUNTER.networks)
    result: JobResult = jobs.run_job(job, context)
    if not isinstance(result, RenderResult):
        return result
    said = f"networks loaded: {len(_COUNTER.networks) - before}"
    return result.model_copy(update={"notes": (*result.notes, said)})


def model_loads(notes: Iterable[str]) -> int:
    """How many loads the notes of some results tell of.

    >>> model_loads(["networks loaded: 1", "model 'auto' is lanczos", "networks loaded: 0"])
    1
    """
    return sum(int(found[1]) for note in notes if (found := _NOTE.fullmatch(note)))


def _count_backends() -> None:
    """Have the backends that can be imported here counted, once."""
    for name in ("torch", "onnx", "realesrgan"):
        target = f"counted_{name}"
        if target in globals():
            continue
        try:
            backend = BACKENDS.get(name)
        except ImportError:  # its extra is not installed; a job that needs it will say so
            continue
        globals()[target] = _Counted(backend)
        BACKENDS.register(name, f"{__name__}:{target}")
