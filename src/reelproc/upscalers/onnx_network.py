"""The backend ``onnx``: an exported network in ONNX Runtime, without torch.

``reelproc models export`` makes the file, once, where torch is installed. It takes and gives RGB bytes, so that what
crosses to a device and back is a byte per sample, and it carries what there is to know of the network.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as _errors

from reelproc.errors import BackendError
from reelproc.upscalers.base import UpscaleOptions
from reelproc.upscalers.host_network import HostNetwork, Image
from reelproc.upscalers.network_work import Backend
from reelproc.upscalers.networks import MODELS, Model, onnx_file
from reelproc.upscalers.weights import kept, ready, weights_sha256

__all__ = ["BACKEND", "PROVIDERS", "OnnxBackend", "OnnxNetwork"]

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}
"""ONNX Runtime's names for them."""

METADATA = "reelproc"
"""The key under which the exported file says what it is."""

_MEMORY_WORDS = ("bad_alloc", "Failed to allocate memory", "out of memory")


class OnnxNetwork(HostNetwork):
    """An exported network in a session.

    Args:
        session: of ONNX Runtime.
        provider: what it runs on, for people.
    """

    def __init__(self, session: Any, provider: str) -> None:
        about = json.loads(session.get_modelmeta().custom_metadata_map[METADATA])
        self.session, self.device = session, f"onnxruntime, {provider}"
        self.scale = int(about["scale"])
        self.flop_per_pixel = float(about["flop_per_pixel"])
        self.overlap = int(about["overlap"])

    def enlarge(self, rgb: Image) -> Image:
        """See :class:`~reelproc.upscalers.host_network.HostNetwork`."""
        try:
            (large,) = self.session.run(["large"], {"rgb": rgb[None]})
        except (_errors.RuntimeException, _errors.Fail) as error:
            if any(words in str(error) for words in _MEMORY_WORDS):
                raise MemoryError(str(error)) from error
            raise BackendError(f"{self.device} failed: {error}") from error
        return np.asarray(large[0], np.uint8)


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
        file = onnx_file(model, options)
        provider = _provider(options.backend)
        key = (file, weights_sha256(file), provider)
        if key not in self._loaded:
            self._loaded = {key: OnnxNetwork(_session(model, file, provider), provider)}
        return self._loaded[key]


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


def _session(model: Model, file: str, provider: str) -> Any:
    if model.name in MODELS and kept(file) is None:
        raise BackendError(
            f"{model.name} was not exported for the backend 'onnx' yet ({file} is not there); where torch is "
            f"installed: reelproc models export {model.name}; a file from another machine: "
            f"reelproc models add FILE --name {file}"
        )
    path = ready(file)
    if path.suffix != ".onnx":
        raise BackendError(f"the backend 'onnx' takes .onnx files, got {path.name}; reelproc models export makes one")
    names = list(PROVIDERS)[: list(PROVIDERS).index(provider) + 1][::-1]  # what one cannot run, the next one does
    try:
        session = onnxruntime.InferenceSession(str(path), providers=[PROVIDERS[name] for name in names])
    except (_errors.InvalidProtobuf, _errors.InvalidGraph, _errors.Fail, _errors.NoSuchFile) as error:
        raise BackendError(f"{path} cannot be loaded: {error}") from error
    if session.get_providers()[0] != PROVIDERS[provider]:
        raise BackendError(
            f"{PROVIDERS[provider]} could not be started here, only {session.get_providers()[0]}; its libraries are "
            "missing or of another version (onnxruntime.ai lists them). onnx:cpu runs without"
        )
    if METADATA not in session.get_modelmeta().custom_metadata_map:
        raise BackendError(f"{path} was not made by reelproc models export; export the network's own weights with it")
    return session


BACKEND = OnnxBackend()
