"""The ball: a white sphere whose patches roll, and its shadow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelproc_lab.match.paint import LARGER, SHADOW, SHIFT, SUN, Colour, Patch, fixed, yuv
from reelproc_lab.match.script import BALL_RADIUS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reelproc import Frame
    from reelproc_lab.match.camera import Camera

    Array = NDArray[np.float64]


def draw_ball(frame: Frame, camera: Camera, place: Array, roll: float) -> None:
    """Paint the ball, centred at ``place`` (3,), and its shadow; ``roll`` in radians turns its patches."""
    import cv2
    import numpy as np

    ground = [place[0] + SUN[0] * place[2], place[1] + SUN[1] * place[2], 0.0]
    seen = camera.project(np.array([place, ground]))
    unit = BALL_RADIUS * camera.focal / float(seen[0, 2])
    patch = Patch(frame, seen[:, :2], unit + 3)
    if not patch.seen:
        return
    (x, y), shadow = fixed(patch.place(seen[:, :2])).tolist()
    size = unit * LARGER * (1 << SHIFT)

    def oval(centre: tuple[float, float], half_width: float, half_height: float, colour: Colour) -> None:
        axes = (max(1, round(half_width * size)), max(1, round(half_height * size)))
        where = (round(centre[0]), round(centre[1]))
        cv2.ellipse(patch.image, where, axes, 0, 0, 360, colour, -1, cv2.LINE_AA, SHIFT)

    oval(tuple(shadow), 1.05, 0.5, SHADOW)
    oval((x, y), 1, 1, yuv("#b4bac2"))
    oval((x - 0.1 * size, y - 0.12 * size), 0.86, 0.86, yuv("#ffffff"))
    for step in range(5):
        turn = roll + step * 2 * np.pi / 5
        if np.cos(turn) > 0.1:
            spot = (x + 0.7 * size * np.sin(turn), y + (0.4 if step % 2 else -0.35) * size)
            oval(spot, 0.26 * float(np.cos(turn)), 0.24, yuv("#2a2e35"))
    patch.stamp()
