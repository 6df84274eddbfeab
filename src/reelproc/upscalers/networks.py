"""Upscale by a network that has a name, or is a file, through the backend that runs it.

Nothing here loads a network or imports one's library before it is opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from reelproc.errors import MissingDependencyError, SpecError
from reelproc.registry import Registry
from reelproc.upscalers.base import UpscaleOptions, Upscaler, UpscaleSpec, UpscaleWork
from reelproc.upscalers.models import MODELS, Model, exported_file, weight_files
from reelproc.upscalers.weights import SUFFIXES, kept_file, weights_sha256

if TYPE_CHECKING:
    from reelproc.upscalers.network_work import Backend

BACKENDS: Registry[Backend] = Registry("network backend", group="reelproc.network_backends")
"""What runs networks. An entry is a :class:`~reelproc.upscalers.network_work.Backend`."""

BACKENDS.register("torch", "reelproc.upscalers.torch_network:BACKEND", extra="ai")
BACKENDS.register("onnx", "reelproc.upscalers.onnx_network:BACKEND", extra="onnx")
BACKENDS.register("realesrgan", "reelproc.upscalers.realesrgan_reference:BACKEND", extra="realesrgan")

_GRAPHS = ("onnx",)
"""Backends that run ONNX graphs."""

_DEFAULTS = {"torch": ("torch", "spandrel"), "onnx": ("onnxruntime", "onnx")}
"""Backends that are taken where none is asked for, in that order, and the packages that each needs."""

Precision = Literal["fp32", "fp16", "bf16"]


class NetworkUpscaler(Upscaler):
    """A network under the options that it is to be run with.

    Args:
        model: the network.
        options: how to run it.
    """

    is_network = True
    takes_context = True

    def __init__(self, model: Model, options: UpscaleOptions | None = None) -> None:
        self.model = model
        self.options = options or UpscaleOptions()
        self.name, self.description, self.scale = model.name, model.description, model.scale

    def with_options(self, options: UpscaleOptions) -> NetworkUpscaler:
        """Return the same network with other options.

        Raises:
            SpecError: an unknown backend, or a ``denoise_strength`` for a network without a twin.
        """
        if options.denoise_strength is not None and self.model.weak_denoise_file is None:
            able = ", ".join(m.name for m in MODELS.values() if m.weak_denoise_file)
            raise SpecError(f"{self.name} has no denoise_strength; {able} has")
        made = NetworkUpscaler(self.model, options)
        if made.backend_name not in BACKENDS:
            BACKENDS.get(made.backend_name)  # says what there is
        return made

    @property
    def backend_name(self) -> str:
        """What runs it: what was asked for, or what is installed."""
        if self.options.backend is not None:
            return self.options.backend.partition(":")[0]
        return "onnx" if self.model.file.lower().endswith(".onnx") else installed_backend()

    @property
    def _for_want_of_torch(self) -> bool:
        """Whether nobody asked for the backend that runs it: pictures of another one differ by a level at most."""
        graph = self.model.file.lower().endswith(".onnx")
        return self.options.backend is None and not graph and self.backend_name != "torch"

    def flop(self, spec: UpscaleSpec) -> float:
        """Return those of the network alone, at the size of the window.

        Raises:
            BackendError: a file of your own that cannot be loaded here.
        """
        per_pixel = self.model.flop_per_pixel
        if per_pixel is None:
            backend, device = self._backend()
            per_pixel = backend.load(self.model, replace(self.options, backend=device)).flop_per_pixel
        return per_pixel * spec.source_width * spec.source_height

    def fingerprint(self) -> str:
        """Return the digests of the weights, and which backend it is where none was asked for."""
        digests = [weights_sha256(name) for name in self._files()]
        return " ".join([*digests, self.backend_name] if self._for_want_of_torch else digests)

    def remarks(self) -> tuple[str, ...]:
        """Which weights are not the official ones, and that torch was not there."""
        here = [(name, kept_file(name)) for name in self._files() if self.model.name in MODELS]
        said: tuple[str, ...] = ()
        if self._for_want_of_torch:
            said = (f"{self.name} was run by the backend {self.backend_name!r}, since torch is not installed here",)
        return said + tuple(
            f"{self.name} was run with {name} (sha256 {found.sha256[:12]}...), no official file: {found.origin}"
            for name, found in here
            if found is not None and not found.official
        )

    def open(self, spec: UpscaleSpec) -> UpscaleWork:
        """Return the work, once the network is loaded; it stays loaded for the next clip or job.

        Raises:
            MissingDependencyError: the backend's extra is not installed.
            BackendError: no weights, or no such device.
        """
        from reelproc.upscalers.network_work import NetworkWork

        backend, device = self._backend()
        return NetworkWork(spec, backend.load(self.model, replace(self.options, backend=device)))

    def _backend(self) -> tuple[Backend, str | None]:
        if self.options.backend is None and not any(map(_is_installed, _DEFAULTS)):
            raise MissingDependencyError(
                f"{self.name} is a network, and nothing that runs networks is installed: "
                "pip install 'reelproc[onnx]' (ONNX Runtime, 110 MB; Real-ESRGAN's networks and .onnx files), or "
                "'reelproc[ai]' (PyTorch, 5.6 GB; GPUs, and any network that spandrel knows)"
            )
        device = (self.options.backend or "").partition(":")[2]
        return BACKENDS.get(self.backend_name), device or None

    def _files(self) -> Sequence[str]:
        if self.backend_name in _GRAPHS and (file := exported_file(self.model, self.options)) is not None:
            return (file,)
        return weight_files(self.model, self.options)


def installed_backend() -> str:
    """Return the backend that is taken where none is asked for: torch, or what there is in its place."""
    return next(filter(_is_installed, _DEFAULTS), "torch")


def _is_installed(backend: str) -> bool:
    return all(find_spec(package) is not None for package in _DEFAULTS[backend])


def local_network(name: str) -> NetworkUpscaler | None:
    """Return the network in a file of your own, or None where ``name`` does not end as one does."""
    if Path(name).suffix.lower() not in SUFFIXES:
        return None
    return NetworkUpscaler(Model(name, "a file of your own", name))


GENERAL_X4V3 = NetworkUpscaler(MODELS["realesr-general-x4v3"])
ANIMEVIDEOV3 = NetworkUpscaler(MODELS["realesr-animevideov3"])
X4PLUS = NetworkUpscaler(MODELS["RealESRGAN_x4plus"])
X2PLUS = NetworkUpscaler(MODELS["RealESRGAN_x2plus"])
