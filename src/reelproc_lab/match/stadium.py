"""The stadium as one wide picture, and what a camera sees of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelproc_lab.match.paint import bgr, to_yuv
from reelproc_lab.match.pitch import paint_goal, paint_grass, paint_lines
from reelproc_lab.match.stands import MOODS, paint_boards, paint_crowd, paint_stands

if TYPE_CHECKING:
    from reelproc import Frame
    from reelproc_lab.match.camera import Camera

_CROWD_HOLD = 3
"""Frames for which one picture of the crowd stays."""


class Stadium:
    """Everything that does not run.

    Args:
        camera: of the wide picture that all frames are cut from; even size.
        seed: decides who sits where and in which colours.
        home, away: shirt colours, which the crowd wears too.
    """

    def __init__(self, camera: Camera, *, seed: int, home: str, away: str) -> None:
        import numpy as np

        self.camera = camera
        rng = np.random.default_rng([seed, 1])
        image = np.empty((camera.height, camera.width, 3), np.uint8)
        image[:] = bgr("#20252c")
        paint_grass(image, camera, rng)
        people = paint_stands(image, camera, rng, home=home, away=away)
        paint_boards(image, camera)
        paint_lines(image, camera)
        paint_goal(image, camera)
        self._planes = to_yuv(image)
        self._moods = [
            [paint_crowd(image, camera, people, step, excited=excited) for step in range(MOODS)]
            for excited in (False, True)
        ]

    def view(self, camera: Camera, frame: Frame, index: int, *, excited: bool) -> None:
        """Paint what ``camera`` sees into a yuv420p ``frame``.

        Args:
            camera: at the place of the wide picture's camera.
            frame: of the camera's size.
            index: the frame's number, which moves the crowd.
            excited: whether the crowd jumps.
        """
        import cv2
        import numpy as np

        mood = self._moods[int(excited)][index // _CROWD_HOLD % MOODS]
        luma = camera.homography_to(self.camera)
        # Chroma sample c is centred on luma 2c across and 2c + 0.5 down in frames, on 2c + 0.5 both ways in it.
        to_luma = np.array([[2, 0, 0], [0, 2, 0.5], [0, 0, 1.0]])
        from_luma = np.array([[0.5, 0, -0.25], [0, 0.5, -0.25], [0, 0, 1.0]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        for plane, source, band, matrix in zip(
            frame.planes, self._planes, mood, (luma, *[from_luma @ luma @ to_luma] * 2), strict=True
        ):
            source[: band.shape[0]] = band
            size = (plane.shape[1], plane.shape[0])
            cv2.warpPerspective(source, matrix, size, dst=plane, flags=flags, borderMode=cv2.BORDER_REPLICATE)
