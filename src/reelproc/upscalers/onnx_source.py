"""Where the graph of a network is from: a file that was exported, a file of your own, or its weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from reelproc.errors import BackendError
from reelproc.upscalers.base import UpscaleOptions
from reelproc.upscalers.checkpoint import Tensors, read_tensors
from reelproc.upscalers.models import Model, weight_files
from reelproc.upscalers.onnx_about import About
from reelproc.upscalers.onnx_graph import graph_of
from reelproc.upscalers.picture_size import SizeNeeds
from reelproc.upscalers.tiling import DEEP_OVERLAP
from reelproc.upscalers.weights import checked_weights, weights_sha256


def made_graph(model: Model, options: UpscaleOptions) -> onnx.ModelProto:
    """Make the graph of ``model`` of its weights, without torch.

    Args:
        model: one of Real-ESRGAN's, or a file of your own that is of their kind.
        options: of which ``denoise_strength`` is blended in.

    Raises:
        BackendError: the weights are missing, or are of a kind that takes torch.
    """
    files = weight_files(model, options)
    tensors = read_tensors(checked_weights(files[0]))
    strength = options.denoise_strength
    if len(files) > 1 and strength is not None:
        tensors = _blended(tensors, read_tensors(checked_weights(files[1])), strength, files)
    graph = graph_of(tensors, model.file)
    if graph is None:
        raise BackendError(
            f"{model.file} is of no network that runs without torch: those are Real-ESRGAN's (SRVGGNetCompact with "
            "PReLU, and RRDBNet). With torch (pip install 'reelproc[ai]'), backend='torch' runs it, and "
            f"reelproc models export {model.file} makes an .onnx file of it"
        )
    made = About.of({entry.key: entry.value for entry in graph.metadata_props})
    if made is None or model.scale not in (None, made.scale):
        raise BackendError(f"{model.file} enlarges {made and made.scale} times; {model.name} is one for {model.scale}")
    digests = " ".join(weights_sha256(file) for file in files)
    graph.metadata_props[0].value = replace(made, weights_sha256=digests).text()
    return graph


def _blended(tensors: Tensors, weak: Tensors, strength: float, files: tuple[str, ...]) -> Tensors:
    """Mix two networks' weights, as torch does it."""
    if weak.keys() != tensors.keys() or any(weak[name].shape != tensors[name].shape for name in weak):
        raise BackendError(f"{files[0]} and {files[1]} are not the same network; fetch both again")
    one, two = np.float32(strength), np.float32(1 - strength)
    return {name: one * tensor + two * weak[name] for name, tensor in tensors.items()}


@dataclass(frozen=True, slots=True)
class Bare:
    """How a graph that reelproc did not make takes and gives pictures.

    Attributes:
        input, output: their names.
        dtype: of both: ``uint8``, or floats of 0 to 1.
        colours_last: whether pictures are (N, H, W, 3); else (N, 3, H, W).
    """

    input: str
    output: str
    dtype: str
    colours_last: bool

    def given(self, rgb: Any) -> Any:
        """Return (H, W, 3) bytes as the input takes them."""
        picture = rgb if self.dtype == "uint8" else rgb.astype(self.dtype) / np.array(255, self.dtype)
        return np.ascontiguousarray(picture if self.colours_last else picture.transpose(2, 0, 1))[None]

    def taken(self, made: Any) -> tuple[Any, float]:
        """Return the output as (H, W, 3) bytes, and the sum of it."""
        picture = made[0] if self.colours_last else made[0].transpose(1, 2, 0)
        if self.dtype == "uint8":
            return np.ascontiguousarray(picture), 0.0
        total = float(picture.sum(dtype=np.float32))
        if not np.isfinite(total):
            return picture, total
        levels = np.rint(np.clip(picture.astype(np.float32), 0, 1) * 255)
        return np.ascontiguousarray(levels, np.uint8), total


_DTYPES = {
    onnx.TensorProto.UINT8: "uint8",
    onnx.TensorProto.FLOAT: "float32",
    onnx.TensorProto.FLOAT16: "float16",
}


def onnx_model(path: Path) -> onnx.ModelProto:
    """Return the graph in a file.

    Raises:
        BackendError: it is none.
    """
    try:
        return onnx.load(path)
    except Exception as error:  # protobuf's own, and those of files beside it
        raise BackendError(f"{path} is not an ONNX file: {type(error).__name__}: {error}") from error


def bare_model(graph: onnx.ModelProto, path: Path) -> Bare:
    """Return how ``graph`` is called.

    Raises:
        BackendError: it does not take one RGB picture of any size and give one.
    """
    weights = {entry.name for entry in graph.graph.initializer}
    inputs = [value for value in graph.graph.input if value.name not in weights]
    wanted = (
        f"{path} does not take one RGB picture of any size and give one: expected one input of (N, 3, H, W) or "
        "(N, H, W, 3), H and W left open, of float32 or float16 of 0 to 1 or of bytes, and one output of the same kind"
    )
    if len(inputs) != 1 or len(graph.graph.output) != 1:
        raise BackendError(f"{wanted}; got {len(inputs)} inputs and {len(graph.graph.output)} outputs")
    kinds = [value.type.tensor_type for value in (inputs[0], graph.graph.output[0])]
    shape = [dim.dim_value for dim in kinds[0].shape.dim]  # 0: left open
    dtype = _DTYPES.get(kinds[0].elem_type)
    colours_last = len(shape) == 4 and shape[3] == 3 and shape[1] != 3
    sides = shape[1:3] if colours_last else shape[2:]
    colours = shape[3:] if colours_last else shape[1:2]
    if len(shape) != 4 or colours not in ([3], [0]) or dtype is None or dtype != _DTYPES.get(kinds[1].elem_type):
        types = [onnx.TensorProto.DataType.Name(kind.elem_type) for kind in kinds]
        raise BackendError(f"{wanted}; got {types[0]} of {[side or 'any' for side in shape]} and {types[1]}")
    if any(sides):
        raise BackendError(f"{wanted}; got a fixed size of {sides}: export it again with dynamic axes")
    return Bare(inputs[0].name, graph.graph.output[0].name, dtype, colours_last)


def measured_model(graph: onnx.ModelProto, call: Bare, run: Any, path: Path) -> About:
    """Find out by trying what a graph enlarges by, and what sizes it takes.

    Args:
        graph: which.
        call: how it is called.
        run: takes an input, gives the output; raises where the graph fails.
        path: for messages.

    Raises:
        BackendError: it fails on every size that was tried.
    """
    fault = ""
    for multiple_of in (1, 2, 4, 8, 16, 32, 64):
        high, wide = (64 + 3 * multiple_of, 64 + 5 * multiple_of)
        try:
            made, _ = call.taken(run(call.given(np.full((high, wide, 3), 128, np.uint8))))
        except BackendError as error:
            fault = fault or str(error)
            continue
        scale = made.shape[0] // high
        if scale and made.shape == (high * scale, wide * scale, 3):
            return About(scale, _flop(graph, call, 64, 64), DEEP_OVERLAP, SizeNeeds(multiple_of))
        fault = fault or f"of {wide}x{high} it made {made.shape[1]}x{made.shape[0]}"
    raise BackendError(f"{path} cannot be used: {fault.splitlines()[0][:300]}")


def _flop(graph: onnx.ModelProto, call: Bare, width: int, height: int) -> float:
    """Return the operations for a pixel of the input: of convolutions and products of matrices."""
    copy = onnx.ModelProto()
    copy.CopyFrom(graph)
    (taken,) = (value for value in copy.graph.input if value.name == call.input)
    shape = [1, height, width, 3] if call.colours_last else [1, 3, height, width]
    for dim, side in zip(taken.type.tensor_type.shape.dim, shape, strict=True):
        dim.dim_value = side
    del copy.graph.output[0].type.tensor_type.shape.dim[:]
    try:
        copy = onnx.shape_inference.infer_shapes(copy, data_prop=True)
    except onnx.shape_inference.InferenceError:
        return 0.0
    shapes = {entry.name: list(entry.dims) for entry in copy.graph.initializer}
    for value in copy.graph.value_info:
        shapes[value.name] = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
    total = 0.0
    for node in copy.graph.node:
        made, second = shapes.get(node.output[0], []), shapes.get(node.input[1], []) if len(node.input) > 1 else []
        if node.op_type == "Conv" and made and second:
            total += 2.0 * np.prod(made) * np.prod(second[1:])
        elif node.op_type in ("MatMul", "Gemm") and made and len(second) > 1:
            total += 2.0 * np.prod(made) * second[-2]
    return total / (width * height)
