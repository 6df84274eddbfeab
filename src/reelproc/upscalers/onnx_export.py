"""Write a network down for ONNX Runtime: RGB bytes in, enlarged RGB bytes out, of any size and number."""

from __future__ import annotations

import contextlib
import io
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor

from reelproc.errors import BackendError
from reelproc.files import scratch_folder
from reelproc.upscalers.base import UpscaleOptions
from reelproc.upscalers.models import Model, onnx_file, weight_files
from reelproc.upscalers.onnx_about import OPSET, About
from reelproc.upscalers.onnx_graph import noted
from reelproc.upscalers.onnx_network import OnnxNetwork, loaded
from reelproc.upscalers.picture_size import SizeNeeds
from reelproc.upscalers.torch_checkpoint import load_descriptor
from reelproc.upscalers.torch_network import TorchNetwork
from reelproc.upscalers.weights import KeptFile, add, weights_sha256

TRIED_SIZES = ((38, 26), (67, 97))
"""Sizes at which an export is compared with torch: smaller and larger than that of the export, multiples of nothing."""

MAX_LEVEL_DIFFERENCE = 2
"""Levels by which an export may differ from torch: it rounds at another place."""


class _Bytes(torch.nn.Module):  # type: ignore[misc]  # torch is Any to type checkers here
    """(N, H, W, 3) bytes to bytes, and the sum of what was made."""

    def __init__(self, descriptor: Any) -> None:
        super().__init__()
        self.network, self.call = descriptor.model, descriptor

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        large = self.call(rgb.permute(0, 3, 1, 2).float() / 255)
        return (large * 255).round().to(torch.uint8).permute(0, 2, 3, 1), large.sum()


def export(model: Model, denoise_strength: float | None = None) -> KeptFile:
    """Export ``model`` into the weights folder, where the backend ``onnx`` finds it.

    What sizes of pictures it takes stands in the file, and the backend fills up others.

    Args:
        model: which; its weights are fetched if they are not there.
        denoise_strength: blended in for good; None: as it is.

    Raises:
        BackendError: its weights are missing, or are of no network that can be exported.
        StorageError: the file cannot be written.
    """
    descriptor = load_descriptor(model, denoise_strength)
    network = TorchNetwork(descriptor, torch.device("cpu"), torch.float32)
    options = UpscaleOptions(denoise_strength=denoise_strength)
    digests = " ".join(weights_sha256(file) for file in weight_files(model, options))
    about = About(network.scale, network.flop_per_pixel, network.overlap, network.needs, digests)
    name = onnx_file(model, options)
    width, height = network.needs.size(64, 64)
    descriptor.model.to(memory_format=torch.contiguous_format)
    with scratch_folder() as folder:
        path = folder / name
        try:
            with (
                warnings.catch_warnings(),
                contextlib.redirect_stdout(io.StringIO()),
            ):  # it prints the graph it fails on
                warnings.simplefilter("ignore")  # of torch about its older exporter, which needs no further package
                torch.onnx.export(
                    _Bytes(descriptor).eval(),
                    (torch.zeros(1, height, width, 3, dtype=torch.uint8),),
                    str(path),
                    input_names=["rgb"],
                    output_names=["large", "total"],
                    dynamic_axes={"rgb": {0: "n", 1: "h", 2: "w"}, "large": {0: "n", 1: "H", 2: "W"}},
                    opset_version=OPSET,
                    dynamo=False,
                )
            written = onnx.load(path)
            onnx.checker.check_model(written)
        except Exception as error:  # the exporter fails in all ways, of its own and of the network's layers
            reason = next((line for line in str(error).splitlines() if line.strip()), "").partition("Please feel")[0]
            raise BackendError(
                f"torch cannot export {model.file} ({descriptor.architecture.name}) to ONNX: "
                f"{type(error).__name__}: {reason[:200].rstrip('. ')}; run it by backend='torch'"
            ) from error
        needs = _needs(written, about, network, path, model)
        onnx.save(noted(written, replace(about, needs=needs)), path)
        return add(path, name, origin=f"exported from {model.file} (sha256 {digests})")


def _needs(graph: onnx.ModelProto, about: About, network: TorchNetwork, path: Path, model: Model) -> SizeNeeds:
    """Find out what sizes the graph takes so that it makes the pictures that torch makes.

    Many networks fill up a picture inside themselves, and the exporter writes down what that came to for one size.

    Raises:
        BackendError: at no size but that of the export does it make the same.
    """
    multiples = [about.needs.multiple_of * factor for factor in (1, 2, 4, 8, 16, 32, 64)]
    for multiple_of in multiples:
        needs = replace(about.needs, multiple_of=multiple_of)
        onnx.save(noted(graph, replace(about, needs=needs)), path)
        if all(_agree(loaded(path, "cpu"), network, *size) for size in TRIED_SIZES):
            return needs
    raise BackendError(
        f"{model.file} ({network.kind}) was exported, but its layers have remembered the size of that picture: at "
        "others it fails, or makes another picture than in torch; run it by backend='torch'"
    )


def _agree(exported: OnnxNetwork, network: TorchNetwork, width: int, height: int) -> bool:
    rgb = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    picture = torch.from_numpy(rgb.transpose(2, 0, 1)[None].copy()).float() / 255
    with torch.inference_mode():
        wanted = (network.enlarge_rgb(picture)[0] * 255).round().permute(1, 2, 0).numpy()
    try:
        made = exported.enlarge_fitting(rgb)
    except BackendError:
        return False
    return made.shape == wanted.shape and bool(np.abs(made - wanted).max() <= MAX_LEVEL_DIFFERENCE)
