"""A pinhole camera above the touchline, and what it sees of the pitch.

World coordinates are metres: x along the touchline, y away from the camera's side, z up. What a camera sees that only
turns and zooms is a homography of one wide picture (R. Hartley, A. Zisserman, "Multiple View Geometry", 8.4.2), so that
picture is painted once and warped per frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class Camera:
    """Where the camera stands, where it looks and how far it zooms.

    Attributes:
        position: metres.
        yaw: radians to the right of straight across the pitch.
        tilt: radians below the horizon.
        focal: focal length in pixels.
        width, height: size of its picture; the optical axis meets the middle.
    """

    position: tuple[float, float, float]
    yaw: float
    tilt: float
    focal: float
    width: int
    height: int

    def rotation(self) -> NDArray[np.float64]:
        """(3, 3): rows are the picture's right, down and forward directions in the world."""
        import numpy as np

        sy, cy, st, ct = np.sin(self.yaw), np.cos(self.yaw), np.sin(self.tilt), np.cos(self.tilt)
        return np.array([[cy, -sy, 0.0], [-st * sy, -st * cy, -ct], [ct * sy, ct * cy, -st]])

    def intrinsics(self) -> NDArray[np.float64]:
        """(3, 3): from directions to pixel centres."""
        import numpy as np

        return np.array([[self.focal, 0, (self.width - 1) / 2], [0, self.focal, (self.height - 1) / 2], [0, 0, 1.0]])

    def project(self, points: ArrayLike) -> NDArray[np.float64]:
        """Where world ``points`` (..., 3) are seen: (..., 3) of x and y in pixels and the depth in metres."""
        import numpy as np

        seen = (np.asarray(points, np.float64) - np.asarray(self.position)) @ self.rotation().T
        depth = np.maximum(seen[..., 2], 0.5)
        x = self.focal * seen[..., 0] / depth + (self.width - 1) / 2
        y = self.focal * seen[..., 1] / depth + (self.height - 1) / 2
        return np.stack([x, y, depth], axis=-1)

    def homography_to(self, other: Camera) -> NDArray[np.float64]:
        """(3, 3): from this camera's pixels to those of ``other``, which stands at the same place."""
        import numpy as np

        turned = other.rotation() @ self.rotation().T
        return np.asarray(other.intrinsics() @ turned @ np.linalg.inv(self.intrinsics()))
