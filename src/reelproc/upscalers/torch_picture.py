"""Colours and sizes on the network's device: from planes to RGB, and from enlarged RGB to planes of the right size.

The conversions are those of :mod:`reelproc.pixels.colour`, the filter weights those of :mod:`reelproc.pixels.scaling`,
in float arithmetic: what goes back to the host is a byte per sample, at the size that is wanted.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reelproc.pixels.colour import RGB_TO_YUV, YUV_BLACK, YUV_TO_RGB
from reelproc.pixels.frame import PixelFormat, Window, plane_shapes
from reelproc.pixels.placement import CHROMA_SITING
from reelproc.pixels.scaling import PARTS, STORED, Bands, Filter, across, down

if TYPE_CHECKING:
    from reelproc.upscalers.base import UpscaleSpec

CACHED_AXES = 64


class Resizer:
    """Separable resampling by the filters of :mod:`reelproc.pixels.scaling`, as small matrices on a device.

    Args:
        device: where.
        group: how many groups of a band go into one matrix: few keep the arithmetic small, many the number of calls.
    """

    def __init__(self, device: torch.device, group: int) -> None:
        self._device, self._group = device, group
        self._matrices: OrderedDict[tuple[Bands, int], list[tuple[int, Tensor]]] = OrderedDict()

    def __call__(self, x: Tensor, columns: slice | Bands, rows: slice | Bands) -> Tensor:
        """Resample (N, C, H, W) float32 along both axes."""
        n, channels, high, wide = x.shape
        if isinstance(rows, slice):
            x = x[:, :, rows]
        elif channels > 1 and x.is_contiguous(memory_format=torch.channels_last):
            # as it lies in memory, a row of pixels with their colours being one row: nothing is copied
            flat = x.permute(0, 2, 3, 1).reshape(n, high, wide * channels)
            parts = [torch.matmul(m, flat[:, a : a + m.shape[1]]) for a, m in self._of(rows, high, upright=True)]
            x = torch.cat([p.view(n, -1, wide, channels).permute(0, 3, 1, 2) for p in parts], dim=2).contiguous()
        else:
            x = torch.cat(
                [torch.matmul(m, x[:, :, a : a + m.shape[1]]) for a, m in self._of(rows, high, upright=True)], dim=2
            )
        if isinstance(columns, slice):
            return x[..., columns]
        return torch.cat(
            [torch.matmul(x[..., a : a + m.shape[0]], m) for a, m in self._of(columns, wide, upright=False)], dim=3
        )

    def _of(self, bands: Bands, length: int, *, upright: bool) -> list[tuple[int, Tensor]]:
        """Per some groups their first input, and their (outputs, inputs) or, across, (inputs, outputs) matrix."""
        key = bands, length
        if key in self._matrices:
            self._matrices.move_to_end(key)
            return self._matrices[key]
        made = []
        for begin in range(0, len(bands.firsts), self._group):
            groups = range(begin, min(begin + self._group, len(bands.firsts)))
            blocks = [
                (bands.firsts[group] + number * bands.advance, block * PARTS if upright else block.T)
                for group in groups
                for number, block in enumerate(bands.weights[group][: bands.blocks(group)])
            ]
            height, inputs = blocks[0][1].shape
            low = min(max(min(first for first, _ in blocks), 0), length - 1)
            end = max(min(max(first for first, _ in blocks) + inputs, length), low + 1)
            matrix = np.zeros((len(blocks) * height, end - low), np.float32)
            for number, (first, block) in enumerate(blocks):
                # beyond the picture its edge is meant: weights of one input are added up
                index = np.clip(np.arange(first, first + inputs), low, end - 1) - low
                np.add.at(matrix[number * height : (number + 1) * height].T, index, block.T)
            matrix = matrix[: bands.size - begin * STORED]
            ready = torch.from_numpy(matrix if upright else np.ascontiguousarray(matrix.T)).to(self._device)
            made.append((low, ready))
        self._matrices[key] = made
        if len(self._matrices) > CACHED_AXES:
            self._matrices.popitem(last=False)
        return made


def to_rgb(data: Tensor, pix_fmt: PixelFormat, width: int, height: int, resize: Resizer) -> Tensor:
    """Convert frames to RGB.

    Args:
        data: (N, bytes) uint8: frames' planes one after the other.
        pix_fmt: of them; planar ones are limited-range BT.709, chroma sited left.
        width, height: of them.
        resize: for the chroma.

    Returns:
        (N, 3, height, width) float32, 0 to 1.
    """
    planes = _split(data, pix_fmt, width, height)
    if len(planes) == 1:
        rgb = planes[0].permute(0, 3, 1, 2).float() / 255
        return rgb.flip(1) if pix_fmt == "bgr24" else rgb
    luma, chroma = planes[0][:, None].float(), torch.stack(planes[1:], dim=1).float()
    if pix_fmt == "yuv420p":
        columns = across(-(-width // 2), CHROMA_SITING, width / 2, width, "bicubic")
        chroma = resize(chroma, columns, down(-(-height // 2), 0.0, height / 2, height, "bicubic"))
    return _colours(torch.cat([luma, chroma], dim=1), YUV_TO_RGB, before=True).clamp_(0, 1)


def from_rgb(rgb: Tensor, window: Window, spec: UpscaleSpec, resize: Resizer, kernel: Filter = "lanczos") -> Tensor:
    """Enlarged pictures as what fills the destination.

    Args:
        rgb: (N, 3, H, W), 0 to 1.
        window: the part of it that is shown, its own pixels.
        spec: where it is shown.
        resize: the resampler.
        kernel: its filter, antialiased where it shrinks.

    Returns:
        (N, bytes) uint8: the planes of the destination one after the other, rounded once.
    """
    place = spec.destination
    high, wide = rgb.shape[2:]
    columns = across(wide, window.x, window.width, place.width, kernel)
    rows = down(high, window.y, window.height, place.height, kernel)
    # colours are converted at the size they are shown in, which is a fraction of the network's
    small = resize(rgb.float(), columns, rows)
    if spec.pix_fmt in ("rgb24", "bgr24"):
        small = small.flip(1) if spec.pix_fmt == "bgr24" else small
        return _bytes((small * 255).permute(0, 2, 3, 1))
    yuv = _colours(small, RGB_TO_YUV, before=False)
    if spec.pix_fmt == "yuv444p":
        return _bytes(yuv)
    # column C of the chroma is luma 2 (C + 1/2) - 1/2: it lies over the left of its two columns
    across_size, down_size = -(-place.width // 2), -(-place.height // 2)
    chroma = resize(
        yuv[:, 1:],
        across(place.width, -2 * CHROMA_SITING, 2.0 * across_size, across_size, kernel),
        down(place.height, 0.0, 2.0 * down_size, down_size, kernel),
    )
    return torch.cat([_bytes(yuv[:, :1]), _bytes(chroma)], dim=1)


def _split(data: Tensor, pix_fmt: PixelFormat, width: int, height: int) -> list[Tensor]:
    planes, offset = [], 0
    for shape in plane_shapes(pix_fmt, width, height):
        size = shape[0] * shape[1] * (shape[2] if len(shape) > 2 else 1)
        planes.append(data[:, offset : offset + size].reshape(-1, *shape))
        offset += size
    return planes


def _colours(x: Tensor, matrix: NDArray[np.float64], *, before: bool) -> Tensor:
    """Convert levels to RGB (``before`` the network), or RGB to levels."""
    weights = torch.tensor(matrix, dtype=torch.float32, device=x.device)
    zero = torch.tensor(YUV_BLACK, dtype=torch.float32, device=x.device)
    offset = -(weights @ zero) if before else zero
    # as a product of two matrices: a convolution by one pixel takes three times as long on a CPU
    n, _, height, width = x.shape
    return torch.baddbmm(offset[None, :, None], weights.expand(n, 3, 3), x.reshape(n, 3, -1)).view(n, 3, height, width)


def _bytes(levels: Tensor) -> Tensor:
    return levels.round().clamp_(0, 255).to(torch.uint8).flatten(1)
