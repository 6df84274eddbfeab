"""Turn a picture upright: the display matrix, reduced to what reelproc applies.

All backends turn frames themselves by this one definition (ffmpeg's own autorotation is switched off), so that they
cannot differ.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# vflip alone only walks the rows backwards, which not every consumer expects: "copy" and hflip write them again.
_FILTERS: dict[tuple[int, bool], tuple[str, ...]] = {
    (0, False): (),
    (90, False): ("transpose=clock",),
    (180, False): ("vflip", "hflip"),
    (270, False): ("transpose=cclock",),
    (0, True): ("hflip",),
    (90, True): ("transpose=cclock_flip",),
    (180, True): ("vflip", "copy"),
    (270, True): ("transpose=clock_flip",),
}


@dataclass(frozen=True, slots=True)
class Orientation:
    """A turn by a multiple of 90 degrees, then perhaps a mirror.

    Attributes:
        rotation: 0, 90, 180 or 270 degrees clockwise.
        hflip: mirrored left to right, after the turn.
        exact: False where the display matrix holds another angle or a scaling, which is not applied.
    """

    rotation: int = 0
    hflip: bool = False
    exact: bool = True

    @classmethod
    def from_display_matrix(cls, matrix: bytes) -> Orientation:
        """Return the orientation that a display matrix asks for, read as ffmpeg's autorotation reads it.

        Args:
            matrix: nine native-endian int32 (3x3, row-major; 16.16 fixed point but for the last column), as in ffmpeg's
                ``AV_FRAME_DATA_DISPLAYMATRIX``.

        >>> import struct
        >>> quarter = struct.pack("=9i", 0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
        >>> Orientation.from_display_matrix(quarter)
        Orientation(rotation=90, hflip=False, exact=True)
        """
        if len(matrix) < 36:
            return cls()
        m = struct.unpack("=9i", matrix[:36])
        across, down = math.hypot(m[0], m[3]), math.hypot(m[1], m[4])
        if not across or not down:
            return cls(exact=not any(m))
        angle = math.degrees(math.atan2(m[1] / down, m[0] / across)) % 360
        rotation = round(angle / 90) * 90 % 360
        off = abs((angle - rotation + 180) % 360 - 180)
        if off > 1:
            return cls(exact=False)
        mirrored = m[0] * m[4] - m[1] * m[3] < 0
        if not mirrored:
            return cls(rotation)
        # atan2 looks at the matrix's first row only. With a mirror in it, a matrix that shows 0 degrees flips upside
        # down (a half turn and a left-right mirror), and one that shows 180 degrees flips left to right.
        return cls({0: 180, 90: 90, 180: 0, 270: 270}[rotation], hflip=True)

    @property
    def swaps_sides(self) -> bool:
        """Whether width and height change places."""
        return self.rotation in (90, 270)

    @property
    def filters(self) -> tuple[str, ...]:
        """The ffmpeg filters that do it; none for an upright picture."""
        return _FILTERS[self.rotation, self.hflip]

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the (H, W) or (H, W, C) array turned; a view where possible."""
        import numpy as np

        turned = np.rot90(image, -self.rotation // 90, axes=(0, 1))
        return turned[:, ::-1] if self.hflip else turned
