"""Write a network down for ONNX Runtime: RGB bytes in, enlarged RGB bytes out, of any size and number."""

from __future__ import annotations

import json
import warnings
from typing import Any

import onnx
import torch
from torch import Tensor

from reelproc.scratch import scratch_folder
from reelproc.upscalers.base import UpscaleOptions
from reelproc.upscalers.networks import Model, onnx_file
from reelproc.upscalers.onnx_network import METADATA
from reelproc.upscalers.torch_network import TorchNetwork, load_descriptor
from reelproc.upscalers.weights import Kept, add, weights_sha256

__all__ = ["export"]

OPSET = 17
"""Version of the operators: known to every ONNX Runtime since 1.14 (2023), with all that these networks need."""


class _Bytes(torch.nn.Module):  # type: ignore[misc]  # torch is Any to type checkers here
    """(N, H, W, 3) bytes to bytes."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, rgb: Tensor) -> Tensor:
        large = self.network(rgb.permute(0, 3, 1, 2).float() / 255)
        return (large.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1)


def export(model: Model, denoise_strength: float | None = None) -> Kept:
    """Export ``model`` into the weights folder, where the backend ``onnx`` finds it.

    Args:
        model: which; its weights are fetched if they are not there.
        denoise_strength: blended in for good; None: as it is.

    Raises:
        BackendError: its weights are missing, or are of no network that can be exported.
        StorageError: the file cannot be written.
    """
    descriptor = load_descriptor(model, denoise_strength)
    network = TorchNetwork(descriptor, torch.device("cpu"), torch.float32)
    about = {
        "model": model.name,
        "scale": network.scale,
        "flop_per_pixel": network.flop_per_pixel,
        "overlap": network.overlap,
        "denoise_strength": denoise_strength,
        "weights_sha256": weights_sha256(model.file),
    }
    name = onnx_file(model, UpscaleOptions(denoise_strength=denoise_strength))
    with scratch_folder() as folder:
        path = folder / name
        plain = descriptor.model.to(memory_format=torch.contiguous_format)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch about its older exporter, which needs no further package
            torch.onnx.export(
                _Bytes(plain).eval(),
                (torch.zeros(1, 64, 64, 3, dtype=torch.uint8),),
                str(path),
                input_names=["rgb"],
                output_names=["large"],
                dynamic_axes={"rgb": {0: "n", 1: "h", 2: "w"}, "large": {0: "n", 1: "H", 2: "W"}},
                opset_version=OPSET,
                dynamo=False,
            )
        written = onnx.load(path)
        entry = written.metadata_props.add()
        entry.key, entry.value = METADATA, json.dumps(about)
        onnx.checker.check_model(written)
        onnx.save(written, path)
        return add(path, name, origin=f"exported from {model.file} (sha256 {about['weights_sha256']})")
