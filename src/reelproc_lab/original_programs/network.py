"""The network of the original's program, called as it was called, with the software switches that it tried."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from reelproc import BackendError
from reelproc.upscalers.models import Model
from reelproc.upscalers.networks import BACKENDS
from reelproc_lab.original_programs.framing_ai import finish_on_host

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Switches:
    """The software settings that the original tried or named, each as it had it.

    Attributes:
        cudnn_benchmark: let cuDNN try its convolutions and keep the fastest.
        compiled: ``torch.compile``.
        tf32: TensorFloat-32 in products of matrices and convolutions.
        channels_last: memory laid out as (N, H, W, C).
        precision: ``"auto"``: half on CUDA, single elsewhere; or ``"fp32"``, ``"fp16"``, ``"bf16"``.
        batch: pictures at once.
    """

    cudnn_benchmark: bool = False
    compiled: bool = False
    tf32: bool = False
    channels_last: bool = False
    precision: str = "auto"
    batch: int = 1


class Enhancer:
    """A network between pictures on the host; the seconds that it takes are told apart from the host's.

    Args:
        network: a torch module, or what behaves like one.
        device: the ``torch.device`` that it is on.
        dtype: of its arithmetic.
        channels_last: the layout of what it is given.

    Attributes:
        network_seconds: in the network so far, waited for.
    """

    def __init__(self, network: Any, device: Any, dtype: Any, *, channels_last: bool = False) -> None:
        self.network_seconds = 0.0
        self._network, self._device, self._dtype, self._channels_last = network, device, dtype, channels_last

    def __call__(self, images: Sequence[Image]) -> list[Image]:
        """(H, W, 3) BGR pictures of one size, enlarged."""
        import torch

        scaled = [cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.float32) / 255.0 for image in images]
        stacked = np.stack([np.transpose(image, (2, 0, 1)) for image in scaled])
        layout = torch.channels_last if self._channels_last else torch.contiguous_format
        x = torch.from_numpy(stacked).to(self._device, self._dtype).contiguous(memory_format=layout)
        begin = time.perf_counter()
        try:
            with torch.inference_mode():
                y = self._network(x)
            if self._device.type == "cuda":
                torch.cuda.synchronize(self._device)
        except RuntimeError as error:
            raise BackendError(f"the network failed on {self._device}: {error}") from error
        self.network_seconds += time.perf_counter() - begin
        return [finish_on_host(each) for each in y.float().cpu().numpy()]


def load_enhancer(model: Model, switches: Switches, device_name: str | None = None) -> Enhancer:
    """Load the network of ``model`` on a device, under ``switches``.

    Args:
        model: which.
        switches: settings; those of cuDNN and TF32 hold for the whole process.
        device_name: torch's name for it; None: the best one here.

    Raises:
        MissingDependencyError: the extra ``ai`` is not installed.
        BackendError: no weights, or a switch that this device has not got.
    """
    BACKENDS.get("torch")  # says what to install
    import torch

    from reelproc.upscalers.torch_checkpoint import load_descriptor
    from reelproc.upscalers.torch_network import torch_device

    device = torch_device(device_name)
    for name, wanted in (("cudnn.benchmark", switches.cudnn_benchmark), ("TF32", switches.tf32)):
        if wanted and device.type != "cuda":
            raise BackendError(f"{name} is a setting of CUDA devices, this is {device}; measure it on a GPU")
    torch.backends.cudnn.benchmark = switches.cudnn_benchmark
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = switches.tf32
    automatic = "fp16" if device.type == "cuda" else "fp32"
    precision = automatic if switches.precision == "auto" else switches.precision
    dtype = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[precision]
    descriptor = load_descriptor(model)
    descriptor.model.eval().requires_grad_(False)
    network = descriptor.model.to(device=device, dtype=dtype)
    if switches.channels_last:
        network = network.to(memory_format=torch.channels_last)
    if switches.compiled:
        network = torch.compile(network)
    return Enhancer(network, device, dtype, channels_last=switches.channels_last)
