"""What sizes of pictures a network takes, and how others are filled up to one that it does.

Every backend that pads does it by this one rule, so that all of them see the same picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Sample = TypeVar("Sample", np.uint8, np.float32)


@dataclass(frozen=True, slots=True)
class SizeNeeds:
    """The sizes that a network takes.

    Attributes:
        multiple_of: what both sides are multiples of.
        minimum: of both sides, pixels.
        square: whether the sides are equal.
    """

    multiple_of: int = 1
    minimum: int = 0
    square: bool = False

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return the smallest size that the network takes and that holds the picture.

        >>> SizeNeeds(multiple_of=8).size(38, 16), SizeNeeds(2, minimum=16, square=True).size(5, 19)
        ((40, 16), (20, 20))
        """
        sides = [-(-max(side, self.minimum) // self.multiple_of) * self.multiple_of for side in (width, height)]
        return (max(sides), max(sides)) if self.square else (sides[0], sides[1])

    def padded(self, rgb: NDArray[Sample]) -> NDArray[Sample]:
        """Fill up (H, W, 3) at the right and at the bottom.

        The picture is mirrored at its last row and column, which are not repeated, as the official program does. What
        is wanted beyond the whole mirrored picture repeats its last pixel.
        """
        height, width = rgb.shape[:2]
        wide, high = self.size(width, height)
        if (wide, high) == (width, height):
            return rgb
        right, bottom = min(wide - width, width - 1), min(high - height, height - 1)
        mirrored = np.pad(rgb, ((0, bottom), (0, right), (0, 0)), "reflect")
        rest = (0, high - height - bottom), (0, wide - width - right), (0, 0)
        return np.pad(mirrored, rest, "edge")
