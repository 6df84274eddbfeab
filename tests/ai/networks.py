"""Stand-ins for the deep networks, whose official weights (67 MB each) tests do not fetch."""

from __future__ import annotations

from pathlib import Path

import torch

__all__ = ["deep_network"]

FEATURES, GROWTH = 64, 32


def deep_network(path: Path, scale: int, *, blocks: int = 23, identity: bool = False, seed: int = 0) -> Path:
    """An RRDBNet like RealESRGAN_x4plus or _x2plus, in a file whose tensors are named as in the released ones.

    Args:
        path: of the file.
        scale: 4 or 2.
        blocks: 23 as released.
        identity: repeats pixels, so that what is around the network can be judged; else its weights are random.
        seed: of the random weights.
    """
    random = torch.Generator().manual_seed(seed)
    folded = 4 if scale == 2 else 1
    tensors: dict[str, torch.Tensor] = {}

    def convolution(name: str, inputs: int, outputs: int, gain: float = 1.0) -> torch.Tensor:
        weight = torch.randn(outputs, inputs, 3, 3, generator=random) * gain / (9 * inputs) ** 0.5
        tensors[f"{name}.weight"] = weight.zero_() if identity else weight
        tensors[f"{name}.bias"] = torch.zeros(outputs)
        return tensors[f"{name}.weight"]

    first = convolution("conv_first", 3 * folded, FEATURES)
    for block in range(blocks):
        for dense in (1, 2, 3):
            for number in range(1, 6):
                outputs = FEATURES if number == 5 else GROWTH
                convolution(f"body.{block}.rdb{dense}.conv{number}", FEATURES + (number - 1) * GROWTH, outputs)
    convolution("conv_body", FEATURES, FEATURES)
    tail = [convolution(f"conv_{name}", FEATURES, FEATURES, 1.4) for name in ("up1", "up2", "hr")]
    tail.append(convolution("conv_last", FEATURES, 3))
    if identity:
        for colour in range(3):
            first[colour, colour * folded : (colour + 1) * folded, 1, 1] = 1 / folded  # the mean of those folded
            for weight in tail:
                weight[colour, colour, 1, 1] = 1
    else:
        tensors["conv_last.bias"] += 0.5
    torch.save({"params_ema": tensors}, path)
    return path
