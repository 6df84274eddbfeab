"""The backend ``realesrgan``: the official packages, as their own scripts call them. The reference for the others.

``basicsr`` 1.4.2 imports a module of torchvision that later versions have renamed; the alias below, for the length of
that import, is all it needs. Its ``setup.py`` fails on Python 3.13 and later.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from typing import Any

import cv2
import numpy as np
import torch

from reelproc.errors import BackendError, MissingDependencyError
from reelproc.upscalers.base import UpscaleOptions
from reelproc.upscalers.host_network import HostNetwork, Image
from reelproc.upscalers.models import MODELS, Model
from reelproc.upscalers.network_work import Backend, not_finite
from reelproc.upscalers.tiling import DEEP_OVERLAP
from reelproc.upscalers.torch_network import is_out_of_memory, torch_device
from reelproc.upscalers.weights import checked_weights, weights_sha256

_ALIAS, _REAL = "torchvision.transforms.functional_tensor", "torchvision.transforms._functional_tensor"

INSTALL = "pip install --no-deps --no-build-isolation basicsr==1.4.2 realesrgan==0.3.0, after reelproc[ai]"


def import_realesrgan() -> Any:
    """Return the package ``realesrgan``.

    Raises:
        MissingDependencyError: it is not installed, or cannot be on this Python; the message says which.
    """
    added = _ALIAS not in sys.modules
    try:
        if added:
            sys.modules[_ALIAS] = importlib.import_module(_REAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its own, of names that scipy and torch have moved
            return importlib.import_module("realesrgan")
    except ImportError as error:
        raise MissingDependencyError(_absence(error, sys.version_info[:2])) from error
    finally:
        if added:
            sys.modules.pop(_ALIAS, None)


def _absence(error: ImportError, python: tuple[int, int]) -> str:
    """Return what to tell of it."""
    if python >= (3, 13):
        return (
            f"the backend 'realesrgan' needs basicsr, which cannot be built on Python {python[0]}.{python[1]} "
            f"({error}); use Python 3.12 or older for it, or backend='torch', which makes the same pictures"
        )
    return f"the backend 'realesrgan' needs packages that are not installed ({error}); {INSTALL}"


class RealESRGANNetwork(HostNetwork):
    """``RealESRGANer.enhance`` on one device.

    Args:
        engine: a ``RealESRGANer``.
        model: what it was made for.
    """

    def __init__(self, engine: Any, model: Model) -> None:
        self.engine = engine
        self.scale = model.scale or engine.scale
        self.flop_per_pixel = model.flop_per_pixel or 0.0
        self.overlap = DEEP_OVERLAP + 2
        self.device = f"{engine.device}, {'float16' if engine.half else 'float32'}"

    def enlarge(self, rgb: Image) -> Image:
        """See :class:`~reelproc.upscalers.host_network.HostNetwork`."""
        try:
            with np.errstate(invalid="ignore"):  # NaN is looked for below
                large, _ = self.engine.enhance(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), outscale=self.scale)
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise MemoryError(str(error)) from error
            raise BackendError(f"realesrgan failed on {self.device}: {error}") from error
        if not self.engine.output.sum(dtype=torch.float32).isfinite():
            size = rgb.shape[1], rgb.shape[0]
            raise BackendError(not_finite(self.device, size, overflows=self.engine.half))
        return np.asarray(cv2.cvtColor(large, cv2.COLOR_BGR2RGB), np.uint8)


class RealESRGANBackend(Backend):
    """See the module."""

    name = "realesrgan"

    def __init__(self) -> None:
        self._loaded: dict[tuple[object, ...], RealESRGANNetwork] = {}

    def load(self, model: Model, options: UpscaleOptions) -> RealESRGANNetwork:
        """See :class:`~reelproc.upscalers.network_work.Backend`."""
        if model.name not in MODELS:
            raise BackendError(
                f"the backend 'realesrgan' runs {', '.join(MODELS)}; use backend='torch' for {model.file}"
            )
        if options.precision == "bf16":
            raise BackendError("the backend 'realesrgan' computes in fp32 or fp16; use backend='torch' for bf16")
        package = import_realesrgan()
        device = torch_device(options.backend)
        half = options.precision == "fp16" or (options.precision is None and device.type == "cuda")
        files = [model.file]
        strength = options.denoise_strength
        if strength is not None and strength < 1 and model.weak_denoise_file:
            files.append(model.weak_denoise_file)
        key = (model.name, tuple(map(weights_sha256, files)), strength, str(device), half)
        if key not in self._loaded:
            paths = [str(checked_weights(file)) for file in files]
            blended = len(paths) > 1 and strength is not None
            engine = package.RealESRGANer(
                scale=model.scale,
                model_path=paths if blended else paths[0],
                dni_weight=[strength, 1 - strength] if blended and strength is not None else None,
                model=_architecture(model),
                tile=0,
                pre_pad=0,
                half=half,
                device=device,
            )
            self._loaded = {key: RealESRGANNetwork(engine, model)}  # one at a time: it is for comparisons
        return self._loaded[key]


def _architecture(model: Model) -> Any:
    """Return the network's shape, as the official scripts write it down for each model."""
    if model.name.startswith("RealESRGAN_"):
        rrdb = importlib.import_module("basicsr.archs.rrdbnet_arch")
        return rrdb.RRDBNet(num_in_ch=3, num_out_ch=3, num_feat=64, num_block=23, num_grow_ch=32, scale=model.scale)
    compact = importlib.import_module("realesrgan.archs.srvgg_arch")
    convolutions = 16 if model.name == "realesr-animevideov3" else 32
    return compact.SRVGGNetCompact(
        num_in_ch=3, num_out_ch=3, num_feat=64, num_conv=convolutions, upscale=4, act_type="prelu"
    )


BACKEND = RealESRGANBackend()
