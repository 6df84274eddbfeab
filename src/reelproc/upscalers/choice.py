"""``model="auto"``: which network, for the scale that is really needed, and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from reelproc.upscalers.models import MODELS, Model

NOTHING_TO_ENLARGE = 1.01
"""Up to this scale a resampler loses nothing: rounding to even sizes alone costs half a percent."""


class Choice(NamedTuple):
    """What was chosen.

    Attributes:
        model: its name.
        reason: one sentence with the figures.
    """

    model: str
    reason: str


def choose(scale: float, pixels: float, models: Iterable[Model] = MODELS.values()) -> Choice:
    """Return the network of the least cost that meets a scale.

    Costs are operations per frame at the input's size, which is what the time of these networks follows
    (``benchmarks/upscaling.py`` measures both). Only networks made for camera pictures count. Where none enlarges
    enough, the one that enlarges most at the least cost does, and a resampler does the rest.

    Args:
        scale: by which the picture is to grow, the greater of its two directions.
        pixels: of the input.
        models: to choose from.

    >>> choose(1.5, 540 * 960).model
    'realesr-general-x4v3'
    >>> choose(0.5, 1920 * 1080).model
    'lanczos'
    """
    if scale <= NOTHING_TO_ENLARGE:
        return Choice("lanczos", f"the picture grows by {scale:.2f}, so there is nothing for a network to enlarge")
    able = [(m, m.scale, m.flop_per_pixel * pixels) for m in models if m.footage and m.scale and m.flop_per_pixel]
    enough = [each for each in able if each[1] >= scale]
    most = max((each[1] for each in able), default=0)
    candidates = enough or [each for each in able if each[1] == most]
    if not candidates:
        return Choice("lanczos", "there is no network to choose from")
    model, factor, flop = min(candidates, key=lambda each: (each[2], each[1]))
    others = ", ".join(f"{m.name} {f / 1e12:.2f}" for m, _, f in able if m is not model)
    meets = (
        f"the picture grows by {scale:.2f}, which its x{factor} meets"
        if enough
        else f"the picture grows by {scale:.2f}; its x{factor} comes nearest, lanczos does the rest"
    )
    return Choice(model.name, f"{meets} at the least cost, {flop / 1e12:.2f} TFLOP a frame (beside {others})")
