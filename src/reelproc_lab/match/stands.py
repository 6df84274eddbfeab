"""The stands on a picture: rows, boards, and a crowd that does not sit still."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reelproc_lab.match.paint import SHIFT, bgr, fixed, polygon, shade, to_yuv

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reelproc_lab.match.camera import Camera

    Array = NDArray[np.float64]
    Image = NDArray[np.uint8]

MOODS = 8
"""Pictures of the crowd, shown in turn; a spectator's movement repeats after this many."""

_STAND_FEET = ((-40.0, 76.0), (108.0, 76.0), (114.0, 70.0), (114.0, -40.0))
"""The front edge of the stands, a polyline around the far side and the right end."""
_BOARD_FEET = ((-40.0, 73.5), (107.0, 73.5), (111.5, 69.0), (111.5, -40.0))
"""Where the advertising stands."""
_ROW_DEPTH, _ROW_RISE, _ROW_COUNT, _SEAT = 0.85, 0.5, 24, 0.62
_BOARD_TEXT = "REELPROC      EVERY FRAME COUNTS      FOLLOW THE PLAYER      "


@dataclass(frozen=True, slots=True)
class Spectator:
    """Somebody in the stands: where his feet are (metres), his colours (BGR), and how he moves."""

    foot: tuple[float, float, float]
    shirt: tuple[int, int, int]
    skin: tuple[int, int, int]
    phase: int
    lively: float


def paint_stands(image: Image, camera: Camera, rng: np.random.Generator, *, home: str, away: str) -> list[Spectator]:
    """Paint the empty rows, and say who sits there, the highest row first."""
    import numpy as np

    people: list[Spectator] = []
    coats = [home, home, home, "#d8d8d8", "#2b2f3a", "#4b5563", "#7a5c46", "#8fa3b8", away, "#c8b26a"]
    skins = ["#f1c9a5", "#d9a37c", "#a66f4b", "#6b4530"]
    for row in range(_ROW_COUNT - 1, -1, -1):
        for a, b in itertools.pairwise(np.array(_STAND_FEET)):
            along = (b - a) / np.hypot(*(b - a))
            outward = np.array([-along[1], along[0]])
            z = 1.3 + row * _ROW_RISE
            near = row * _ROW_DEPTH
            far = near + _ROW_DEPTH
            spread = np.tan(np.pi / 8)  # mitres at the corners, whose turns are 45 degrees
            base = [a + outward * near - along * near * spread, b + outward * near + along * near * spread]
            step = [base[1] + outward * _ROW_DEPTH, base[0] + outward * _ROW_DEPTH]
            tread = np.array([[*p, z] for p in (*base, *step)])
            riser = np.array([[*p, h] for p, h in zip((*base, *base[::-1]), (z - 2, z - 2, z, z), strict=True)])
            polygon(image, camera.project(riser)[..., :2], bgr("#343b45"))
            polygon(image, camera.project(tread)[..., :2], bgr(("#3d4652", "#434c59")[row % 2]))
            length = float(np.hypot(*(base[1] - base[0])))
            spots = np.arange(0.3, length, _SEAT)
            taken = rng.random(spots.size) < 0.93
            for spot in spots[taken]:
                x, y = base[0] + along * (spot + rng.normal(0, 0.06)) + outward * (near - far) * -0.6
                people.append(
                    Spectator(
                        (float(x), float(y), z),
                        bgr(shade(coats[rng.integers(len(coats))], float(rng.uniform(0.6, 1.0)))),
                        bgr(shade(skins[rng.integers(len(skins))], float(rng.uniform(0.75, 1.0)))),
                        int(rng.integers(MOODS)),
                        float(rng.random()),
                    )
                )
    return people


def paint_crowd(
    image: Image, camera: Camera, people: list[Spectator], step: int, *, excited: bool
) -> tuple[Image, ...]:
    """Paint the upper band of the wide picture with everybody in it."""
    import cv2
    import numpy as np

    places = camera.project(np.array([p.foot for p in people]))
    seen = np.flatnonzero((places[:, 0] > -20) & (places[:, 0] < camera.width + 20) & (places[:, 1] > -20))
    people, (x, y, depth) = [people[i] for i in seen], places[seen].T
    bottom = min(camera.height, int(y.max(initial=0)) // 2 * 2 + 4)
    band = image[:bottom].copy()
    unit = camera.focal / depth  # pixels per metre
    lively = np.array([p.lively for p in people])
    wave = np.sin(2 * np.pi * (step + np.array([p.phase for p in people])) / MOODS)
    jumping = excited & (lively > 0.25)
    hop = np.where(jumping, 0.28 * np.maximum(0, wave) + 0.2, 0.03 * wave * (lively > 0.5))
    x, y = x + 0.05 * unit * wave * lively, y - hop * unit

    def at(dx: float | Array, dy: float | Array) -> list[tuple[int, int]]:
        return [(int(a), int(b)) for a, b in fixed(np.stack([x + dx * unit, y - dy * unit], -1))]

    def size(metres: float) -> list[int]:
        return [int(v) for v in fixed(metres * unit)]

    bodies, heads, skulls = at(0, 0.35), at(0, 0.86), size(0.125)
    trunks = list(zip(size(0.24), size(0.42), strict=True))
    limbs = [(at(side * 0.2, 0.62), at(side * 0.3, 1.1 + 0.1 * wave)) for side in (-1, 1)]
    arms = np.maximum(1, np.rint(0.11 * unit)).astype(int).tolist()
    raised = (jumping & (wave > -0.3)).tolist()
    for i, person in enumerate(people):
        if raised[i]:
            for shoulders, hands in limbs:
                cv2.line(band, shoulders[i], hands[i], person.skin, arms[i], cv2.LINE_AA, SHIFT)
        cv2.ellipse(band, bodies[i], trunks[i], 0, 0, 360, person.shirt, -1, cv2.LINE_AA, SHIFT)
        cv2.circle(band, heads[i], skulls[i], person.skin, -1, cv2.LINE_AA, SHIFT)
    return to_yuv(band)


def paint_boards(image: Image, camera: Camera) -> None:
    """Advertising in front of the stands."""
    import cv2
    import numpy as np
    from PIL import Image as Pictures
    from PIL import ImageDraw, ImageFont

    height, texels = 1.0, 72
    font = ImageFont.load_default(size=texels * 0.78)
    span = round(font.getlength(_BOARD_TEXT))
    for number, (a, b) in enumerate(itertools.pairwise(np.array(_BOARD_FEET))):
        length = float(np.hypot(*(b - a)))
        along = (b - a) / length
        for order, begin in enumerate(np.arange(0, length, span / texels)):
            wide = min(span, round((length - begin) * texels))
            left, right = a + along * begin, a + along * (begin + wide / texels)
            world = [[*left, height], [*right, height], [*right, 0.0], [*left, 0.0]]
            pixels = camera.project(np.array(world))[..., :2]
            low, high = np.floor(pixels.min(0)).astype(int), np.ceil(pixels.max(0)).astype(int)
            part = image[max(0, low[1]) : max(0, high[1]), max(0, low[0]) : max(0, high[0])]
            if part.size == 0:
                continue
            back, text = (("#12306b", "#ffffff"), ("#0f766e", "#fef3c7"))[(order + number) % 2]
            sheet = Pictures.new("RGB", (wide, texels), back)
            ImageDraw.Draw(sheet).text((texels * 0.5, texels * 0.5), _BOARD_TEXT, fill=text, font=font, anchor="lm")
            pixels = pixels - np.maximum(low, 0)
            corners = np.array([[0, 0], [wide, 0], [wide, texels], [0, texels]], np.float32)
            matrix = cv2.getPerspectiveTransform(corners, pixels.astype(np.float32))
            mask = np.zeros(part.shape[:2], np.uint8)
            polygon(mask, pixels, (255,))
            picture = np.ascontiguousarray(np.asarray(sheet)[..., ::-1])
            size = (part.shape[1], part.shape[0])
            laid = cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
            cv2.copyTo(laid, mask, part)
