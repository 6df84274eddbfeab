"""The backend ``torch``: any network that spandrel knows, on CUDA, MPS or the CPU.

A frame crosses to the device as the bytes of its crop and comes back as the bytes of its place on the canvas: colours,
network, resizing and rounding all happen there. On CUDA both ways go through pinned memory on a stream of their own,
so that one batch is copied while another is worked on; elsewhere a thread does the work beside the loop.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import numpy as np
import torch
from spandrel import ImageModelDescriptor
from torch import Tensor

from reelproc.errors import BackendError, OutOfMemoryError
from reelproc.machine.cores import cpu_name, has_bfloat16
from reelproc.machine.malloc import keep_large_blocks, release_free_memory
from reelproc.pixels.frame import Frame, Window, frame_bytes
from reelproc.upscalers.base import UpscaleOptions, UpscaleSpec
from reelproc.upscalers.host_picture import fill_planes, rgb_floats
from reelproc.upscalers.models import Model
from reelproc.upscalers.network_work import Backend, Cut, Enlarged, Network, not_finite, placed
from reelproc.upscalers.picture_size import SizeNeeds
from reelproc.upscalers.tiling import DEEP_OVERLAP, MIN_TILE, smaller_tile, tiles
from reelproc.upscalers.torch_checkpoint import load_descriptor
from reelproc.upscalers.torch_picture import Resizer, from_rgb, to_rgb
from reelproc.upscalers.weights import weights_sha256

CUDA_BATCH = 4
"""Pictures at once on CUDA."""

MAX_LOADED_NETWORKS = 4
"""Networks that stay loaded."""

_DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
_WITH_HALF = ("cuda", "mps")  # devices on which single precision is not the fastest
_MEMORY_WORDS = ("out of memory", "can't allocate memory", "not enough memory", "CUDNN_STATUS_ALLOC_FAILED")


class _EnlargedBatch(NamedTuple):
    """(N, bytes) of the destination, the sum of what the network made, and how long that took."""

    rows: Tensor
    total: Tensor
    seconds: float


class TorchNetwork(Network):
    """A network on a torch device.

    Args:
        descriptor: from spandrel.
        device: where it is to run.
        dtype: of its arithmetic.
        tile: side of the tiles to begin with, pixels; None: whole pictures.
    """

    def __init__(
        self, descriptor: ImageModelDescriptor[Any], device: torch.device, dtype: torch.dtype, tile: int | None = None
    ) -> None:
        self.scale, self.kind = descriptor.scale, descriptor.architecture.name
        self.dtype, self._torch_device, self.tile = dtype, device, tile
        self.device = f"{device}, {str(dtype).removeprefix('torch.')}"
        on_cuda = device.type == "cuda"
        self.batch_size = CUDA_BATCH if on_cuda else 1
        self.works_ahead = on_cuda
        # before the counting: some networks (ATD) have layers that the counter cannot follow with gradients
        descriptor.model.eval().requires_grad_(False)
        needs = descriptor.size_requirements
        self.needs = SizeNeeds(needs.multiple_of, needs.minimum, needs.square)
        self.flop_per_pixel = _flop_per_pixel(descriptor, self.needs)
        self.overlap = _overlap(descriptor)
        self.descriptor = descriptor.to(device=device, dtype=dtype)
        # channels last: twice as fast on a CPU with AVX-512, and what tensor cores want
        self.descriptor.model.to(memory_format=torch.channels_last)
        self._resize = Resizer(device, group=4 if on_cuda else 1)
        self._copies = _CudaCopies(device) if on_cuda else None

    def start(self, cuts: Sequence[Cut], spec: UpscaleSpec) -> Callable[[], Enlarged]:
        """See :class:`~reelproc.upscalers.network_work.Network`."""
        data = [cut.frame.data for cut in cuts]
        if self._copies is not None:
            finish = self._copies.run(data, lambda there: self._fitting(there, cuts, spec)[:2])
        else:
            made = self._fitting(torch.from_numpy(np.stack(data)).to(self._torch_device), cuts, spec)
            rows, total = made.rows.cpu().numpy(), float(made.total)

            def finish() -> tuple[Any, float, float]:
                return rows, total, made.seconds

        def wait() -> Enlarged:
            rows, total, seconds = finish()
            if not math.isfinite(total):
                raise BackendError(not_finite(self.device, cuts[0].size, overflows=self.dtype == torch.float16))
            return Enlarged([_frame(cut, row, spec) for cut, row in zip(cuts, rows, strict=True)], seconds)

        return wait

    def _fitting(self, data: Tensor, cuts: Sequence[Cut], spec: UpscaleSpec) -> _EnlargedBatch:
        """Return the result in pieces that memory allows: single pictures first, then smaller and smaller tiles."""
        width, height = cuts[0].size
        while True:
            try:
                if len(cuts) > self.batch_size:
                    parts = [self._fitting(data[i : i + 1], cuts[i : i + 1], spec) for i in range(len(cuts))]
                    rows, totals, seconds = zip(*parts, strict=True)
                    return _EnlargedBatch(torch.cat(rows), torch.stack(totals).sum(), sum(seconds))
                return self._enlarge(data, cuts, spec)
            except (torch.OutOfMemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise BackendError(f"{self.device} failed: {error}") from error
                said = str(error)
            # outside of the handler: the error holds on to the tensors of the failed attempt
            if self._torch_device.type == "cuda":
                torch.cuda.empty_cache()
            if self.batch_size > 1:
                self.batch_size = 1
                continue
            tile = smaller_tile(width, height, self.tile)
            if tile is None:
                raise OutOfMemoryError(
                    f"a {width}x{height} picture does not fit the memory of {self.device}, not even in tiles of "
                    f"{self.tile or MIN_TILE} pixels: {said.splitlines()[0]}; free memory, or use a smaller network"
                )
            self.tile = tile

    def _enlarge(self, data: Tensor, cuts: Sequence[Cut], spec: UpscaleSpec) -> _EnlargedBatch:
        with torch.inference_mode(), self._tuned():
            if self._torch_device.type == "cpu":
                rgb = torch.from_numpy(np.stack([rgb_floats(cut.frame) for cut in cuts])).permute(0, 3, 1, 2)
            else:
                rgb = to_rgb(data, spec.pix_fmt, *cuts[0].size, self._resize)
            begin = time.perf_counter()
            large = self.enlarge_rgb(rgb)
            seconds = time.perf_counter() - begin
            total = large.sum(dtype=torch.float32)  # of numbers up to 1: not finite where one of them is NaN
            windows = [Window(*(side * self.scale for side in cut.window)) for cut in cuts]
            if self._torch_device.type == "cpu":
                if not total.isfinite():  # bytes cannot be made of it; whoever looks at the sum says so
                    large = torch.zeros_like(large)
                return _EnlargedBatch(_shown(large, windows, spec), total, seconds)
            if len(set(windows)) == 1:
                return _EnlargedBatch(from_rgb(large, windows[0], spec, self._resize), total, seconds)
            rows = [from_rgb(large[i : i + 1], window, spec, self._resize) for i, window in enumerate(windows)]
            return _EnlargedBatch(torch.cat(rows), total, seconds)

    def enlarge_rgb(self, rgb: Tensor) -> Tensor:
        """(N, 3, H, W) of 0 to 1 on the device, ``scale`` times as large and within 0 and 1; in tiles of ``tile``."""
        x = rgb.to(self.dtype).contiguous(memory_format=torch.channels_last)
        high, wide = x.shape[2:]
        if self.tile is None or self.tile >= max(high, wide):
            return self.descriptor(x)
        s = self.scale
        whole = x.new_empty((len(x), 3, high * s, wide * s))
        for t in tiles(wide, high, self.tile, self.overlap, self.needs.multiple_of):
            part = x[:, :, t.read_y : t.read_y + t.read_height, t.read_x : t.read_x + t.read_width]
            large = self.descriptor(part.contiguous(memory_format=torch.channels_last))
            top, left = (t.y - t.read_y) * s, (t.x - t.read_x) * s
            whole[:, :, t.y * s : (t.y + t.height) * s, t.x * s : (t.x + t.width) * s] = large[
                :, :, top : top + t.height * s, left : left + t.width * s
            ]
        return whole

    def rest(self) -> None:
        """See :class:`~reelproc.upscalers.network_work.Network`."""
        if self._torch_device.type == "cpu":
            release_free_memory()

    def _tuned(self) -> AbstractContextManager[None]:
        """Have torch find the fastest convolutions: all pictures of a clip have one size, or one of four."""
        if self._torch_device.type != "cuda":
            return nullcontext()
        flags: AbstractContextManager[None] = torch.backends.cudnn.flags(benchmark=True, deterministic=False)
        return flags


class _CudaCopies:
    """Batches on their way to a CUDA device and back: pinned buffers, and streams beside the one that computes."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._up, self._down = torch.cuda.Stream(device), torch.cuda.Stream(device)
        self._free: list[Tensor] = []

    def run(
        self, data: Sequence[np.ndarray[Any, Any]], compute: Callable[[Tensor], tuple[Tensor, Tensor]]
    ) -> Callable[[], Any]:
        sent = self._pinned((len(data), len(data[0])))
        np.stack(data, out=sent.numpy())
        stream = torch.cuda.current_stream(self._device)
        began, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        with torch.cuda.stream(self._up):
            there = sent.to(self._device, non_blocking=True)
        stream.wait_stream(self._up)
        there.record_stream(stream)
        began.record(stream)
        made, total = compute(there)
        ended.record(stream)
        back, sum_back = self._pinned(tuple(made.shape)), torch.empty((), pin_memory=True)
        self._down.wait_stream(stream)
        with torch.cuda.stream(self._down):
            back.copy_(made, non_blocking=True)
            sum_back.copy_(total, non_blocking=True)
            made.record_stream(self._down)
            total.record_stream(self._down)
            arrived = torch.cuda.Event()
            arrived.record(self._down)

        def finish() -> tuple[Any, float, float]:
            arrived.synchronize()
            rows = back.numpy().copy()
            self._free += [sent, back]
            return rows, float(sum_back), began.elapsed_time(ended) / 1000

        return finish

    def _pinned(self, shape: tuple[int, ...]) -> Tensor:
        for number, tensor in enumerate(self._free):
            if tuple(tensor.shape) == shape:
                return self._free.pop(number)
        del self._free[:-4]  # of sizes that do not come any more
        return torch.empty(shape, dtype=torch.uint8, pin_memory=True)


class TorchBackend(Backend):
    """See the module."""

    name = "torch"

    def __init__(self) -> None:
        self._loaded: OrderedDict[tuple[object, ...], TorchNetwork] = OrderedDict()

    def load(self, model: Model, options: UpscaleOptions) -> TorchNetwork:
        """See :class:`~reelproc.upscalers.network_work.Backend`."""
        device = torch_device(options.backend)
        dtype = _DTYPES[options.precision] if options.precision else None
        if dtype is None and device.type not in _WITH_HALF:
            dtype = torch.float32
        _check_precision(device, dtype)
        digests = (weights_sha256(model.file), model.weak_denoise_file and weights_sha256(model.weak_denoise_file))
        key = (model.file, digests, options.denoise_strength, str(device), dtype)
        if key not in self._loaded:
            if device.type == "cpu":
                keep_large_blocks()
            descriptor = load_descriptor(model, options.denoise_strength)
            if dtype is None:
                dtype = torch.float16 if descriptor.supports_half else torch.float32
            self._loaded[key] = TorchNetwork(descriptor, device, dtype)
            if len(self._loaded) > MAX_LOADED_NETWORKS:
                self._loaded.popitem(last=False)
        self._loaded.move_to_end(key)
        return self._loaded[key]


def torch_device(name: str | None) -> torch.device:
    """Return the device called ``name``; None: the best one here.

    Raises:
        BackendError: there is none of that name on this machine.
    """
    if name is None:
        best = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        return torch.device(best)
    try:
        device = torch.device(name)
    except RuntimeError:
        raise BackendError(f"torch has no device {name!r}; use torch:cuda, torch:mps or torch:cpu") from None
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there.get(device.type, False):
        here = ", ".join(f"torch:{kind}" for kind, available in there.items() if available)
        raise BackendError(f"torch cannot use the device {name!r} on this machine; here are {here}")
    return device


def _check_precision(device: torch.device, dtype: torch.dtype | None) -> None:
    """Refuse what a CPU has no instructions for: it runs, many times slower than fp32."""
    if device.type != "cpu":
        return
    if dtype == torch.float16:
        raise BackendError("fp16 is slower than fp32 on a CPU; use precision='bf16' where it has AVX512-BF16")
    if dtype == torch.bfloat16 and not has_bfloat16():
        raise BackendError(
            f"precision='bf16' is ten times slower than fp32 on this CPU ({cpu_name()}), which says of neither "
            "AVX512-BF16 nor AMX-BF16 that it has it (nor of Arm's BF16); leave precision out, or use 'fp32'"
        )


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether torch raised ``error`` for lack of memory: on a CPU that is a plain RuntimeError."""
    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in _MEMORY_WORDS)


def _overlap(descriptor: ImageModelDescriptor[Any]) -> int:
    """Return how far the network looks around a pixel; :data:`DEEP_OVERLAP` if that is unknown or far. Even."""
    if descriptor.architecture.id != "Compact":
        return DEEP_OVERLAP
    convolutions = [m for m in descriptor.model.modules() if isinstance(m, torch.nn.Conv2d)]
    reach = sum(int(m.kernel_size[0]) // 2 for m in convolutions)
    return reach + reach % 2


def _flop_per_pixel(descriptor: ImageModelDescriptor[Any], needs: SizeNeeds) -> float:
    """Count the operations of one small picture, which is also the first test that the network runs at all."""
    from torch.utils.flop_counter import FlopCounterMode

    width, height = needs.size(64, 64)
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            descriptor(torch.zeros(1, 3, height, width))
    except Exception as error:  # other people's layers fail in all ways, also at being counted
        name, reason = descriptor.architecture.name, f"{type(error).__name__}: {error}".splitlines()[0][:300]
        raise BackendError(
            f"the network ({name}) does not run on a picture of {width}x{height}: {reason}; use another checkpoint"
        ) from error
    return float(counter.get_total_flops()) / (width * height)


def _shown(large: Tensor, windows: Sequence[Window], spec: UpscaleSpec) -> Tensor:
    """Return the same as :func:`~reelproc.upscalers.torch_picture.from_rgb`, by what is faster on a CPU."""
    place = spec.destination
    made = np.empty((len(large), frame_bytes(spec.pix_fmt, place.width, place.height)), np.uint8)
    # as it lies in memory, colours side by side: nothing is copied
    pictures = large.float().permute(0, 2, 3, 1).contiguous().numpy()
    for row, picture, window in zip(made, pictures, windows, strict=True):
        fill_planes(picture, window, spec, Frame(row, place.width, place.height, spec.pix_fmt).planes)
    return torch.from_numpy(made)


def _frame(cut: Cut, row: np.ndarray[Any, Any], spec: UpscaleSpec) -> Frame:
    place = spec.destination
    if (place.width, place.height) == (spec.width, spec.height):
        frame = cut.frame.like(spec.width, spec.height)
        frame.data[:] = row
        return frame
    part = Frame(row, place.width, place.height, spec.pix_fmt)
    if row.size != frame_bytes(spec.pix_fmt, place.width, place.height):
        raise BackendError(f"the device made {row.size} bytes for {place.width}x{place.height}")
    return placed(cut, part.planes, spec)


BACKEND = TorchBackend()
