"""The backend ``onnx``: a network in ONNX Runtime, without torch.

Real-ESRGAN's networks are made into graphs of their own weights. Others come as files: ``reelproc models export`` makes
one, once, where torch is installed. Either takes and gives RGB bytes, so that what crosses to a device and back is a
byte per sample, and carries what there is to know of the network. Files of other programs are tried out.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

from reelproc.errors import BackendError
from reelproc.upscalers.base import UpscaleOptions
from reelproc.upscalers.host_network import HostNetwork, Image
from reelproc.upscalers.models import Model, exported_file, weight_files
from reelproc.upscalers.network_work import Backend, not_finite
from reelproc.upscalers.onnx_about import METADATA, About
from reelproc.upscalers.weights import checked_weights, weights_sha256

if TYPE_CHECKING:
    from reelproc.upscalers.onnx_source import Bare

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}
"""ONNX Runtime's names for them."""

_MEMORY_WORDS = ("bad_alloc", "Failed to allocate memory", "out of memory")


class OnnxNetwork(HostNetwork):
    """A network in a session.

    Args:
        session: of ONNX Runtime.
        provider: what it runs on, for people.
        about: the network.
        call: how a graph is called that reelproc did not make; None: it did.
    """

    def __init__(self, session: Any, provider: str, about: About, call: Bare | None = None) -> None:
        self.session, self.device, self._call = session, f"onnxruntime, {provider}", call
        self.scale, self.flop_per_pixel = about.scale, about.flop_per_pixel
        self.overlap, self.needs = about.overlap, about.needs

    def enlarge(self, rgb: Image) -> Image:
        """See :class:`~reelproc.upscalers.host_network.HostNetwork`."""
        if self._call is None:
            made, total = run(self.session, self.device, {"rgb": rgb[None]}, ["large", "total"])
            large = made[0]
        else:
            (made,) = run(self.session, self.device, {self._call.input: self._call.given(rgb)}, [self._call.output])
            large, total = self._call.taken(made)
        if not np.isfinite(total):
            raise BackendError(not_finite(self.device, (rgb.shape[1], rgb.shape[0])))
        return np.asarray(large, np.uint8)


def run(session: Any, device: str, inputs: dict[str, Any], outputs: list[str]) -> list[Any]:
    """Run a session.

    Raises:
        MemoryError: it does not fit.
        BackendError: it fails otherwise.
    """
    try:
        made: list[Any] = session.run(outputs, inputs)
    except Exception as error:  # ONNX Runtime has a dozen kinds of errors, without a base of their own
        if any(words in str(error) for words in _MEMORY_WORDS):
            raise MemoryError(str(error)) from error
        sizes = ", ".join("x".join(map(str, value.shape)) for value in inputs.values())
        raise BackendError(f"{device} failed on an input of {sizes}: {error}") from error
    return made


class OnnxBackend(Backend):
    """See the module."""

    name = "onnx"

    def __init__(self) -> None:
        self._loaded: dict[tuple[object, ...], OnnxNetwork] = {}

    def load(self, model: Model, options: UpscaleOptions) -> OnnxNetwork:
        """See :class:`~reelproc.upscalers.network_work.Backend`."""
        if options.precision not in (None, "fp32"):
            raise BackendError(
                f"the backend 'onnx' computes in fp32, as exported, got precision={options.precision!r}; "
                "use backend='torch', or onnx:tensorrt, which chooses for itself"
            )
        provider = _provider(options.backend)
        file = exported_file(model, options)
        files = (file,) if file is not None else weight_files(model, options)
        key = (files, tuple(map(weights_sha256, files)), options.denoise_strength, provider)
        if key not in self._loaded:
            self._loaded = {
                key: loaded(checked_weights(file), provider) if file is not None else _made(model, options, provider)
            }
        return self._loaded[key]


def loaded(path: Path, provider: str) -> OnnxNetwork:
    """Return the network in a file.

    Raises:
        BackendError: it is no network that can be run.
    """
    session = _session(str(path), provider, path)
    about = About.of(session.get_modelmeta().custom_metadata_map)
    if about is not None:
        return OnnxNetwork(session, provider, about)
    if METADATA in session.get_modelmeta().custom_metadata_map:
        raise BackendError(
            f"{path} was exported by an earlier reelproc, which did not note what sizes of pictures the network takes; "
            "export it again: reelproc models export"
        )
    from reelproc.upscalers.onnx_source import bare_model, measured_model, onnx_model

    graph = onnx_model(path)
    call = bare_model(graph, path)

    def tried(picture: Any) -> Any:
        return run(session, f"onnxruntime, {provider}", {call.input: picture}, [call.output])[0]

    return OnnxNetwork(session, provider, measured_model(graph, call, tried, path), call)


def _made(model: Model, options: UpscaleOptions, provider: str) -> OnnxNetwork:
    """Return a network of its weights."""
    from reelproc.upscalers.onnx_source import made_graph

    session = _session(made_graph(model, options).SerializeToString(), provider, model.file)
    about = About.of(session.get_modelmeta().custom_metadata_map)
    if about is None:
        raise BackendError(f"ONNX Runtime lost the metadata of the graph that was made of {model.file}")
    return OnnxNetwork(session, provider, about)


def _provider(name: str | None) -> str:
    available = onnxruntime.get_available_providers()
    if name is None:
        return "cuda" if PROVIDERS["cuda"] in available else "cpu"
    if name not in PROVIDERS:
        raise BackendError(f"ONNX Runtime has no provider {name!r} here; use onnx:{', onnx:'.join(PROVIDERS)}")
    if PROVIDERS[name] not in available:
        here = ", ".join(f"onnx:{short}" for short, long in PROVIDERS.items() if long in available)
        raise BackendError(
            f"this ONNX Runtime has no {PROVIDERS[name]}; here are {here}. "
            "CUDA and TensorRT come with the package onnxruntime-gpu, which takes the place of onnxruntime"
        )
    return name


def _session(network: str | bytes, provider: str, named: object) -> Any:
    """Return a session of a file or of its content.

    Raises:
        BackendError: it cannot be loaded, or the provider not be started.
    """
    names = list(PROVIDERS)[: list(PROVIDERS).index(provider) + 1][::-1]  # what one cannot run, the next one does
    try:
        quiet = onnxruntime.SessionOptions()
        quiet.log_severity_level = 4  # what goes wrong is raised; it would be printed as well
        session = onnxruntime.InferenceSession(network, quiet, providers=[PROVIDERS[name] for name in names])
    except Exception as error:  # see run()
        raise BackendError(f"{named} cannot be loaded by ONNX Runtime: {error}") from error
    if session.get_providers()[0] != PROVIDERS[provider]:
        raise BackendError(
            f"{PROVIDERS[provider]} could not be started here, only {session.get_providers()[0]}; its libraries are "
            "missing or of another version (onnxruntime.ai lists them). onnx:cpu runs without"
        )
    return session


BACKEND = OnnxBackend()
