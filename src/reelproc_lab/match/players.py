"""The brush that dresses a skeleton: kit, skin, hair, number, shadow."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from reelproc_lab.match import skeleton as sk
from reelproc_lab.match.paint import LARGER, SHADOW, SHIFT, SUN, Patch, capsule, fixed, shade, yuv

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reelproc import Frame
    from reelproc_lab.match.camera import Camera

    Array = NDArray[np.float64]
    Image = NDArray[np.uint8]
    Point = tuple[int, int]

_SHADOW_LIMBS = (
    (sk.HIP_L, sk.KNEE_L, 0.1), (sk.HIP_R, sk.KNEE_R, 0.1), (sk.KNEE_L, sk.ANKLE_L, 0.06),
    (sk.KNEE_R, sk.ANKLE_R, 0.06), (sk.ANKLE_L, sk.TOE_L, 0.05), (sk.ANKLE_R, sk.TOE_R, 0.05),
    (sk.SHOULDER_L, sk.ELBOW_L, 0.06), (sk.SHOULDER_R, sk.ELBOW_R, 0.06), (sk.ELBOW_L, sk.HAND_L, 0.045),
    (sk.ELBOW_R, sk.HAND_R, 0.045), (sk.SHOULDER_L, sk.HIP_L, 0.12), (sk.SHOULDER_R, sk.HIP_R, 0.12),
    (sk.HEAD, sk.HEAD, 0.11),
)  # fmt: skip
"""Joint, joint and radius in metres."""


@dataclass(frozen=True, slots=True)
class Kit:
    """Colours of a team, ``"#rrggbb"``."""

    shirt: str
    trim: str
    shorts: str
    socks: str
    number: str = "#ffffff"


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One player's looks; colours ``"#rrggbb"``, ``number`` 0 for none."""

    kit: Kit
    skin: str
    hair: str
    boots: str
    number: int = 0
    digits: Image | None = field(init=False)

    def __post_init__(self) -> None:
        """Draw the number once."""
        object.__setattr__(self, "digits", _digits(self.number) if self.number else None)


@cache
def _digits(number: int) -> Image:
    import numpy as np
    from PIL import Image as Pictures
    from PIL import ImageDraw, ImageFont

    sheet = Pictures.new("L", (64, 64))
    font = ImageFont.load_default(size=46)
    ImageDraw.Draw(sheet).text((32, 32), str(number), fill=255, font=font, anchor="mm", stroke_width=2)
    return np.asarray(sheet)


def outline(camera: Camera, body: Array) -> tuple[float, float, float, float]:
    """Left, top, right and bottom pixels of one actor, (16, 3) joints, with flesh on."""
    seen = camera.project(body)
    pad = 0.14 * camera.focal / float(seen[sk.PELVIS, 2])
    (left, top), (right, bottom) = seen[:, :2].min(0), seen[:, :2].max(0)
    return float(left - pad), float(top - pad), float(right + pad), float(bottom + 0.4 * pad)


def draw_player(frame: Frame, camera: Camera, body: Array, facing: float, look: Look) -> None:
    """Paint one actor and his shadow.

    Args:
        frame: yuv420p.
        camera: which sees him.
        body: (16, 3) joints, metres.
        facing: radians, as in :class:`~reelproc_lab.match.story.Story`.
        look: what he wears.
    """
    import numpy as np

    shadow = body.copy()
    shadow[:, :2] += body[:, 2:] * SUN
    shadow[:, 2] = 0.0
    seen = camera.project(np.concatenate([body, shadow]))
    unit = camera.focal / float(seen[sk.PELVIS, 2])  # pixels per metre
    patch = Patch(frame, seen[:, :2], 0.2 * unit)
    if not patch.seen:
        return
    flat = patch.place(seen[:, :2])
    points: list[Point] = [tuple(p) for p in fixed(flat).tolist()]
    brush = _Brush(patch.image, points[: sk.JOINTS], unit * LARGER, look)
    cast = points[sk.JOINTS :]
    for a, b, radius in _SHADOW_LIMBS:
        capsule(patch.image, cast[a], cast[b], 1.7 * radius * brush.scale, SHADOW)

    depth = seen[:, 2]
    arms = [(sk.SHOULDER_L, sk.ELBOW_L, sk.HAND_L), (sk.SHOULDER_R, sk.ELBOW_R, sk.HAND_R)]
    legs = [(sk.HIP_L, sk.KNEE_L, sk.ANKLE_L, sk.TOE_L), (sk.HIP_R, sk.KNEE_R, sk.ANKLE_R, sk.TOE_R)]
    if depth[sk.SHOULDER_L] < depth[sk.SHOULDER_R]:
        arms.reverse()
    if depth[sk.KNEE_L] < depth[sk.KNEE_R]:
        legs.reverse()
    brush.arm(*arms[0])
    for leg in legs:
        brush.leg(*leg)
    brush.trunk()
    to_camera = np.arctan2(camera.position[1] - body[sk.PELVIS, 1], camera.position[0] - body[sk.PELVIS, 0])
    turned = float(facing - to_camera)  # 0: he looks at us
    if abs(np.cos(turned)) > 0.3:
        brush.number(flat, from_front=bool(np.cos(turned) > 0))
    brush.head(turned)
    brush.arm(*arms[1])
    patch.stamp()


class _Brush:
    """Dresses one skeleton on a patch; every part is a darker shape under a lighter, smaller one towards the sun."""

    def __init__(self, image: Image, points: list[Point], scale: float, look: Look) -> None:
        self.image, self.points, self.scale, self.look = image, points, scale, look
        self.light = -round(0.02 * scale * (1 << SHIFT))

    def limb(self, a: Point, b: Point, radius: float, colour: str, *, share: float = 1.0) -> None:
        """Draw a capsule from ``a`` over ``share`` of the way to ``b``; the radius in metres."""
        if share < 1:
            b = (round(a[0] + (b[0] - a[0]) * share), round(a[1] + (b[1] - a[1]) * share))
        capsule(self.image, a, b, 2 * radius * self.scale, yuv(shade(colour, 0.76)))
        if radius > 0.045:
            lit = self.light
            capsule(
                self.image, (a[0] + lit, a[1] + lit), (b[0] + lit, b[1] + lit), 1.45 * radius * self.scale, yuv(colour)
            )

    def leg(self, hip: int, knee: int, ankle: int, toe: int) -> None:
        """Boot, sock, knee, shorts."""
        p, look = self.points, self.look
        self.limb(p[ankle], p[toe], 0.05, look.boots)
        self.limb(p[knee], p[ankle], 0.06, look.skin)
        self.limb(p[ankle], p[knee], 0.066, look.kit.socks, share=0.78)
        self.limb(p[hip], p[knee], 0.086, look.skin)
        self.limb(p[hip], p[knee], 0.118, look.kit.shorts, share=0.6)

    def arm(self, shoulder: int, elbow: int, hand: int) -> None:
        """Forearm, upper arm, sleeve."""
        p, look = self.points, self.look
        self.limb(p[elbow], p[hand], 0.046, look.skin)
        self.limb(p[shoulder], p[elbow], 0.052, look.skin)
        self.limb(p[shoulder], p[elbow], 0.074, look.kit.shirt, share=0.72)

    def trunk(self) -> None:
        """Shorts, shirt, neck."""
        import cv2
        import numpy as np

        p, look = self.points, self.look
        self.limb(p[sk.HIP_L], p[sk.HIP_R], 0.115, look.kit.shorts)
        left, right = np.array(p[sk.SHOULDER_L]), np.array(p[sk.SHOULDER_R])
        corners = np.array([left * 0.86 + right * 0.14, left * 0.14 + right * 0.86, p[sk.HIP_R], p[sk.HIP_L]])
        for colour, shift, width in ((shade(look.kit.shirt, 0.76), 0, 0.2), (look.kit.shirt, self.light, 0.155)):
            placed = np.rint(corners + shift).astype(np.int32)
            cv2.fillConvexPoly(self.image, placed, yuv(colour), cv2.LINE_AA, SHIFT)
            ends: list[Point] = [tuple(c) for c in placed.tolist()]
            for a, b in ((0, 1), (0, 3), (1, 2), (3, 2)):
                capsule(self.image, ends[a], ends[b], width * self.scale, yuv(colour))
        neck = (int((left[0] + right[0]) / 2), int((left[1] + right[1]) / 2))
        capsule(self.image, neck, neck, 0.15 * self.scale, yuv(look.kit.trim))
        capsule(self.image, neck, p[sk.HEAD], 0.105 * self.scale, yuv(shade(look.skin, 0.8)))

    def head(self, turned: float) -> None:
        """Draw a head that looks ``turned`` radians past the camera: skin, and hair where it is seen."""
        import cv2
        import numpy as np

        (x, y), r = self.points[sk.HEAD], self.scale * (1 << SHIFT)
        ahead, aside = float(np.cos(turned)), float(np.sin(turned))

        def oval(dx: float, dy: float, half_width: float, half_height: float, colour: str) -> None:
            centre, axes = (round(x + dx * r), round(y + dy * r)), (round(half_width * r), round(half_height * r))
            cv2.ellipse(self.image, centre, axes, 0, 0, 360, yuv(colour), -1, cv2.LINE_AA, SHIFT)

        oval(0, 0, 0.1, 0.135, shade(self.look.skin, 0.85))
        oval(0.022 * aside - 0.008, 0, 0.084, 0.125, self.look.skin)
        if ahead > 0.3:
            for side in (-1, 1):
                oval(side * 0.036 * ahead + 0.04 * aside, 0.0, 0.011, 0.016, "#1f1a17")
        # Hair: a cap on top, and the back of the head as far as it is turned to us.
        oval(-0.03 * aside, -0.075, 0.1, 0.075, self.look.hair)
        back = min(1.0, max(0.0, 0.5 - ahead))
        if back > 0:
            oval(-0.045 * aside * (1 - back * 0.5), -0.02, 0.065 + 0.04 * back, 0.115, self.look.hair)

    def number(self, flat: Array, *, from_front: bool) -> None:
        """Draw the shirt's number on back or chest, as the trunk is turned."""
        import cv2
        import numpy as np

        digits = self.look.digits
        left, right = flat[sk.SHOULDER_L], flat[sk.SHOULDER_R]
        if from_front:
            left, right = right, left
        if digits is None or right[0] - left[0] < 6:
            return
        down = (flat[sk.HIP_L] + flat[sk.HIP_R] - left - right) / 2
        across = right - left
        corner = left + across * 0.2 + down * 0.16
        x0, y0 = (int(v) for v in np.floor(np.minimum(corner, corner + np.minimum(across, 0))))
        size = (round(abs(across[0]) + abs(down[0])) + 4, round(abs(down[1]) + abs(across[1])) + 4)
        window = self.image[max(0, y0) : y0 + size[1], max(0, x0) : x0 + size[0]]
        if window.size == 0:
            return
        corner = corner - [max(0, x0), max(0, y0)]
        target = np.array([corner, corner + across * 0.6, corner + down * 0.52], np.float32)
        source = np.array([[0, 0], [64, 0], [0, 64]], np.float32)
        matrix = cv2.getAffineTransform(source, target)
        mask = cv2.warpAffine(digits, matrix, (window.shape[1], window.shape[0]), flags=cv2.INTER_AREA)
        cover = mask[..., None] * np.float32(1 / 255)
        window[:] = (window * (1 - cover) + np.array(yuv(self.look.kit.number), np.float32) * cover).astype(np.uint8)
