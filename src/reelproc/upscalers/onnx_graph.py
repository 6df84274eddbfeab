"""Real-ESRGAN's two kinds of networks as ONNX graphs, made of their tensors by numpy: without torch.

The graphs take and give RGB bytes, (N, H, W, 3), of any size and number; a second output is the sum of what the
network made, which is not finite where a number of it is not.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from reelproc.errors import BackendError
from reelproc.upscalers.checkpoint import Tensors
from reelproc.upscalers.onnx_about import METADATA, OPSET, About
from reelproc.upscalers.picture_size import SizeNeeds
from reelproc.upscalers.tiling import DEEP_OVERLAP

IR_VERSION = 8
"""Of the file format: that of OPSET's time."""


def graph_of(tensors: Tensors, file: str) -> onnx.ModelProto | None:
    """Return the network as a graph.

    Args:
        tensors: of an SRVGGNetCompact with PReLU, or of an RRDBNet under the names that its releases use.
        file: they are from, for messages.

    Returns:
        None where they are of another kind of network.

    Raises:
        BackendError: some of them are missing, have the wrong shape, or are not finite.
    """
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise BackendError(
                f"{file}: the weights {name!r} hold NaN or infinity, so no picture can come of it; its training "
                "failed or the file is damaged: use another checkpoint"
            )
    build = None
    if all(re.fullmatch(r"body\.\d+\.(weight|bias)", name) for name in tensors) and "body.1.weight" in tensors:
        build = _compact
    elif "conv_first.weight" in tensors and "body.0.rdb1.conv1.weight" in tensors:
        build = _rrdb
    if build is None:
        return None
    graph = _Graph(tensors)
    try:
        scale, needs, overlap = build(graph)
    except (KeyError, ValueError, ZeroDivisionError) as error:
        raise BackendError(
            f"{file} is like one of Real-ESRGAN's networks, but not one of them: "
            f"{type(error).__name__}: {error}; with torch (reelproc[ai]) more kinds are known"
        ) from error
    model = graph.model()
    onnx.checker.check_model(model)
    return noted(model, About(scale, graph.flop_per_pixel, overlap, needs))


def noted(model: onnx.ModelProto, about: About) -> onnx.ModelProto:
    """Return ``model`` with what there is to know of it in its metadata."""
    del model.metadata_props[:]
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA, about.text()
    return model


class _Graph:
    """A graph that grows. Values are called by their names."""

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = dict(tensors)
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self.flop_per_pixel = 0.0

    def constant(self, name: str, value: NDArray[Any]) -> str:
        self._constants.append(numpy_helper.from_array(value, name))
        return name

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"v{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], name=f"{kind}_{name}", **attributes))
        return name

    def shape(self, name: str) -> tuple[int, ...]:
        return self._tensors[name].shape

    def take(self, name: str) -> NDArray[np.float32]:
        return self._tensors.pop(name)

    def conv(self, x: str, name: str, size: float, weight: NDArray[np.float32] | None = None) -> str:
        """Convolve by 3x3.

        Args:
            x: the input.
            name: of the weights.
            size: positions for each pixel of the network's input.
            weight: in place of those called so.
        """
        kernel, bias = self.take(f"{name}.weight"), self.take(f"{name}.bias")
        kernel = kernel if weight is None else weight
        outputs, inputs, high, wide = kernel.shape
        if (high, wide) != (3, 3) or bias.shape != (outputs,):
            raise ValueError(f"{name} has the shapes {kernel.shape} and {bias.shape}, expected (n, m, 3, 3) and (n,)")
        self.flop_per_pixel += 2.0 * outputs * inputs * 9 * size
        weights = self.constant(f"{name}.weight", kernel), self.constant(f"{name}.bias", bias)
        return self.add("Conv", x, *weights, kernel_shape=[3, 3], pads=[1, 1, 1, 1])

    def repeated(self, x: str, times: int) -> str:
        """Repeat pixels."""
        scales = self.constant(f"scales{len(self._nodes)}", np.array([1, 1, times, times], np.float32))
        how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return self.add("Resize", x, "", scales, **how)

    def picture(self) -> str:
        """Return the input, (N, 3, H, W) of 0 to 1."""
        whole = self.add("Transpose", "rgb", perm=[0, 3, 1, 2])
        levels = self.add("Cast", whole, to=TensorProto.FLOAT)
        return self.add("Div", levels, self.constant("levels", np.array(255, np.float32)))

    def finish(self, x: str) -> None:
        """Make bytes of what was made of the input."""
        if self._tensors:
            raise ValueError(f"it holds {sorted(self._tensors)[0]!r} as well")
        self._nodes.append(helper.make_node("ReduceSum", [x], ["total"], keepdims=0))
        bounds = [self.constant(name, np.array(value, np.float32)) for name, value in (("least", 0), ("most", 1))]
        levels = self.add("Round", self.add("Mul", self.add("Clip", x, *bounds), "levels"))
        made = self.add("Cast", levels, to=TensorProto.UINT8)
        self._nodes.append(helper.make_node("Transpose", [made], ["large"], perm=[0, 2, 3, 1]))

    def model(self) -> onnx.ModelProto:
        rgb = helper.make_tensor_value_info("rgb", TensorProto.UINT8, ["n", "h", "w", 3])
        large = helper.make_tensor_value_info("large", TensorProto.UINT8, ["n", "H", "W", 3])
        total = helper.make_tensor_value_info("total", TensorProto.FLOAT, [])
        graph = helper.make_graph(self._nodes, "network", [rgb], [large, total], self._constants)
        opsets = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="reelproc")


def _compact(graph: _Graph) -> tuple[int, SizeNeeds, int]:
    """SRVGGNetCompact: convolutions and PReLUs in turn; what they make is added to the repeated pixels."""
    number = 0
    x = picture = graph.picture()
    while True:
        x = graph.conv(x, f"body.{number}", 1)
        slope = f"body.{number + 1}.weight"
        if slope not in graph._tensors:
            break
        x = graph.add("PRelu", x, graph.constant(slope, graph.take(slope).reshape(-1, 1, 1)))
        number += 2
    outputs = graph._constants[-1].dims[0]
    scale = round((outputs / 3) ** 0.5)
    if 3 * scale**2 != outputs:
        raise ValueError(f"its last layer makes {outputs} numbers a pixel, expected 3 times a square")
    made = graph.add("DepthToSpace", x, blocksize=scale, mode="CRD")
    graph.finish(graph.add("Add", made, graph.repeated(picture, scale)))
    reach = number // 2 + 1
    return scale, SizeNeeds(), reach + reach % 2


def _rrdb(graph: _Graph) -> tuple[int, SizeNeeds, int]:
    """RRDBNet: blocks within blocks, then twice as large, twice."""
    inputs = graph.shape("conv_first.weight")[1]
    folded = round((inputs / 3) ** 0.5)
    if folded not in (1, 2, 4) or 3 * folded**2 != inputs:
        raise ValueError(f"its first layer takes {inputs} numbers a pixel, expected 3, 12 or 48")
    size = 1 / folded**2
    x, first = graph.picture(), None
    if folded > 1:
        x = graph.add("SpaceToDepth", x, blocksize=folded)
        # its channels are (row, column, colour), torch's (colour, row, column)
        order = np.arange(inputs).reshape(3, folded**2).T.reshape(-1)
        first = np.ascontiguousarray(graph._tensors["conv_first.weight"][:, order])
    x = feature = graph.conv(x, "conv_first", size, first)
    fifth = graph.constant("fifth", np.array(0.2, np.float32))

    def lrelu(y: str) -> str:
        return graph.add("LeakyRelu", y, alpha=0.2)

    block = 0
    while f"body.{block}.rdb1.conv1.weight" in graph._tensors:
        outer = x
        for dense in (1, 2, 3):
            seen = [x]
            for number in range(1, 6):
                joined = seen[0] if number == 1 else graph.add("Concat", *seen, axis=1)
                y = graph.conv(joined, f"body.{block}.rdb{dense}.conv{number}", size)
                seen.append(y if number == 5 else lrelu(y))
            x = graph.add("Add", graph.add("Mul", seen[-1], fifth), x)
        x = graph.add("Add", graph.add("Mul", x, fifth), outer)
        block += 1
    x = graph.add("Add", feature, graph.conv(x, "conv_body", size))
    x = lrelu(graph.conv(graph.repeated(x, 2), "conv_up1", size * 4))
    x = lrelu(graph.conv(graph.repeated(x, 2), "conv_up2", size * 16))
    x = lrelu(graph.conv(x, "conv_hr", size * 16))
    graph.finish(graph.conv(x, "conv_last", size * 16))
    return 4 // folded, SizeNeeds(multiple_of=folded, minimum=2), DEEP_OVERLAP
