"""The colours that a person wears, two numbers that tell a red player from a blue one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelproc.results import Detection

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MIDDLE_SHARES = 0.3, 0.7
_CHEST_AND_LEGS_SHARES = (0.18, 0.45), (0.55, 0.8)
"""Shares of the box: its middle, at the height of the chest and of the legs, where there is least background."""


def with_colours(detection: Detection, image: NDArray[np.uint8]) -> Detection:
    """Return ``detection`` with the colours of its upper and lower half.

    Args:
        detection: on ``image``.
        image: (H, W, 3) uint8, blue, green, red.
    """
    import numpy as np

    left, top, _, _ = detection.corners
    height, width = image.shape[:2]

    def cut(start: float, length: float, part: tuple[float, float], limit: int) -> slice:
        first = min(max(int(start + part[0] * length), 0), limit - 1)
        return slice(first, min(max(int(start + part[1] * length), first + 1), limit))

    columns = cut(left, detection.width, _MIDDLE_SHARES, width)
    colours = []
    for part in _CHEST_AND_LEGS_SHARES:
        patch = image[cut(top, detection.height, part, height), columns].reshape(-1, 3)
        blue, green, red = (round(float(level)) for level in np.median(patch, axis=0))
        colours.append(f"#{red:02x}{green:02x}{blue:02x}")
    return detection.model_copy(update={"colours": tuple(colours)})
