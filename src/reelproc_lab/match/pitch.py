"""The pitch on a picture: mown grass, lines, and a goal with its net."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from reelproc_lab.match.paint import SHIFT, bgr, fixed, polygon

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reelproc_lab.match.camera import Camera

    Array = NDArray[np.float64]
    Image = NDArray[np.uint8]

# Laws of the Game (IFAB), law 1: a full-size pitch and its markings, metres.
LENGTH, WIDTH = 105.0, 68.0
GOAL_WIDTH, GOAL_HEIGHT = 7.32, 2.44
GOAL_Y = WIDTH / 2
_LINE = 0.12
_GOAL_DEPTH = 2.0


def _flat(camera: Camera, points: list[tuple[float, float]]) -> Array:
    """Where points of the ground are seen, (N, 2) pixels."""
    import numpy as np

    return camera.project(np.array([(x, y, 0.0) for x, y in points]))[..., :2]


def paint_grass(image: Image, camera: Camera, rng: np.random.Generator) -> None:
    """Stripes from mowing, wear, and blades."""
    import cv2
    import numpy as np

    edge = 10.0
    everywhere = [(-60.0, -20.0), (140.0, -20.0), (140.0, 90.0), (-60.0, 90.0)]
    mask = np.zeros(image.shape[:2], np.uint8)
    polygon(mask, _flat(camera, everywhere), (255,))
    polygon(image, _flat(camera, everywhere), bgr("#3a7a33"))
    width = LENGTH / 20
    for stripe in range(-2, 24):
        x = stripe * width
        corners = [(x, -edge), (x + width, -edge), (x + width, WIDTH + edge / 2), (x, WIDTH + edge / 2)]
        polygon(image, _flat(camera, corners), bgr("#3f8a37" if stripe % 2 else "#4c9a40"))
    # Wear and growth: noise that lies on the ground, coarse, and blades, fine, on top of it.
    scale = 4.0
    ground = rng.standard_normal((int(120 * scale), int(210 * scale))).astype(np.float32)
    ground = cv2.GaussianBlur(ground, (0, 0), 5) * 60 + cv2.GaussianBlur(ground, (0, 0), 1.2) * 5
    corner = np.array([[-60.0, -20.0], [150.0, -20.0], [150.0, 100.0], [-60.0, 100.0]])
    texels = ((corner - corner[0]) * scale).astype(np.float32)
    pixels = _flat(camera, [(float(x), float(y)) for x, y in corner]).astype(np.float32)
    laid = cv2.warpPerspective(ground, cv2.getPerspectiveTransform(texels, pixels), (image.shape[1], image.shape[0]))
    fine = rng.standard_normal(image.shape[:2], dtype=np.float32)
    laid = np.where(mask > 0, laid + cv2.GaussianBlur(fine, (5, 3), 0) * 7, 0).astype(np.float32)
    lit = image.astype(np.float32) + laid[..., None] * np.array([0.5, 1.0, 0.6], np.float32)
    image[:] = np.clip(lit, 0, 255).astype(np.uint8)


def _stripe(image: Image, camera: Camera, points: list[tuple[float, float]], *, closed: bool = False) -> None:
    """Draw a white line of regulation width along points of the ground."""
    import numpy as np

    line = np.array([*points, points[0]] if closed else points)
    for a, b in itertools.pairwise(line):
        along = (b - a) / np.hypot(*(b - a)) * _LINE / 2
        across = np.array([-along[1], along[0]])
        a2, b2 = a - along, b + along
        corners = [tuple(p) for p in (a2 - across, b2 - across, b2 + across, a2 + across)]
        polygon(image, _flat(camera, corners), bgr("#e9efe4"))


def _arc(image: Image, camera: Camera, x: float, y: float, radius: float, start: float, end: float) -> None:
    import numpy as np

    turn = np.radians(np.linspace(start, end, 49))
    points = [(x + radius * float(np.cos(t)), y + radius * float(np.sin(t))) for t in turn]
    _stripe(image, camera, points)


def paint_lines(image: Image, camera: Camera) -> None:
    """All markings of law 1."""
    import numpy as np

    _stripe(image, camera, [(0, 0), (LENGTH, 0), (LENGTH, WIDTH), (0, WIDTH)], closed=True)
    _stripe(image, camera, [(LENGTH / 2, 0), (LENGTH / 2, WIDTH)])
    _arc(image, camera, LENGTH / 2, WIDTH / 2, 9.15, 0, 360)
    _arc(image, camera, LENGTH / 2, WIDTH / 2, 0.15, 0, 360)
    for end, inward in ((0.0, 1.0), (LENGTH, -1.0)):
        for depth, half in ((16.5, 20.16), (5.5, 9.16)):
            x = end + inward * depth
            _stripe(image, camera, [(end, GOAL_Y - half), (x, GOAL_Y - half), (x, GOAL_Y + half), (end, GOAL_Y + half)])
        middle = 0 if inward > 0 else 180
        spread = float(np.degrees(np.arccos(5.5 / 9.15)))
        _arc(image, camera, end + inward * 11, GOAL_Y, 9.15, middle - spread, middle + spread)
        _arc(image, camera, end + inward * 11, GOAL_Y, 0.12, 0, 360)
        for corner, sign in ((0.0, 1), (WIDTH, -1)):
            begin = 0 if inward > 0 else 90
            _arc(image, camera, end, corner, 1.0, sign * begin, sign * (begin + 90))


def paint_goal(image: Image, camera: Camera) -> None:
    """Draw the right-hand goal: net first, then posts and bar."""
    import cv2
    import numpy as np

    x0, x1 = LENGTH, LENGTH + _GOAL_DEPTH
    low, high = GOAL_Y - GOAL_WIDTH / 2, GOAL_Y + GOAL_WIDTH / 2
    layer = image.copy()

    def thread(points: list[tuple[float, float, float]]) -> None:
        cv2.polylines(
            layer, [fixed(camera.project(np.array(points))[..., :2])], False, (235, 240, 235), 1, cv2.LINE_AA, SHIFT
        )

    mesh = 0.3
    for y in np.arange(low, high + 0.01, mesh):
        thread([(x0, y, GOAL_HEIGHT), (x0 + 0.9, y, GOAL_HEIGHT), (x1, y, 0)])
    for t in np.arange(0, 1.001, 0.13):
        thread([(x1 - 1.1 * t, y, GOAL_HEIGHT * t) for y in (low, high)])
        thread([(x0 + 0.9 * t, y, GOAL_HEIGHT) for y in (low, high)])
        for y in (low, high):
            z = GOAL_HEIGHT * t
            thread([(x0, y, z), (x1 - 1.1 * t, y, z)])
            x = x0 + _GOAL_DEPTH * t
            thread([(x, y, 0), (x, y, GOAL_HEIGHT * min(1.0, (x1 - x) / 1.1))])
    cv2.addWeighted(layer, 0.55, image, 0.45, 0, dst=image)
    posts = np.array([[x0, low, 0], [x0, low, GOAL_HEIGHT], [x0, high, GOAL_HEIGHT], [x0, high, 0]])
    seen = camera.project(posts)
    for (ax, ay, ad), (bx, by, bd) in itertools.pairwise(seen):
        width = max(2, round(0.13 * camera.focal / ((ad + bd) / 2)))
        for colour, thick, dx in (("#9aa3ab", width, 1), ("#ffffff", width - 1, 0)):
            ends = [(round(ax) + dx, round(ay)), (round(bx) + dx, round(by))]
            cv2.line(image, ends[0], ends[1], bgr(colour), thick, cv2.LINE_AA)
