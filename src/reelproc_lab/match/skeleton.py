"""How a footballer's joints move: running, kicking, diving, rejoicing. Metres and radians, no pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reelproc_lab.match.story import Story

    Array = NDArray[np.float64]

(
    PELVIS, HIP_L, HIP_R, KNEE_L, KNEE_R, ANKLE_L, ANKLE_R, TOE_L, TOE_R,
    SHOULDER_L, SHOULDER_R, ELBOW_L, ELBOW_R, HAND_L, HAND_R, HEAD,
) = range(16)  # fmt: skip
JOINTS = 16

_SPRINT = 6.5
"""Metres per second from which limbs swing as far as they go."""


def joints(story: Story, n: int) -> Array:
    """Return the joints of all actors on frame ``n``: (A, 16, 3) metres."""
    import numpy as np

    speed, kick, joy, dive = story.speed[n], story.kick[n], story.joy[n], story.dive[n]
    effort = np.clip(speed / _SPRINT, 0, 1)
    body = np.zeros((len(speed), JOINTS, 3))  # forward, left, up
    body[:, PELVIS, 2] = 0.95
    twist = 0.12 * effort * np.sin(story.stride[n])
    _legs(body, story.stride[n], speed, effort, kick, twist)
    _trunk(body, story.stride[n], speed, effort, kick, np.maximum(joy, dive), twist)
    lowest = body[:, [TOE_L, TOE_R, ANKLE_L, ANKLE_R], 2].min(1) - 0.05
    hop = 0.06 * effort * np.abs(np.sin(story.stride[n])) + 0.18 * joy * np.maximum(0, np.sin(7.5 * story.times[n]))
    body[..., 2] += (hop - lowest)[:, None]
    _lay_down(body, dive)
    cos, sin = np.cos(story.facing[n])[:, None], np.sin(story.facing[n])[:, None]
    x = cos * body[..., 0] - sin * body[..., 1] + story.places[n, :, None, 0]
    y = sin * body[..., 0] + cos * body[..., 1] + story.places[n, :, None, 1]
    return np.stack([x, y, body[..., 2]], -1)


def _swung(angle: Array) -> Array:
    """Return (A, 3) directions: straight down for 0, forward for a quarter turn."""
    import numpy as np

    return np.stack([np.sin(angle), np.zeros_like(angle), -np.cos(angle)], -1)


def _legs(body: Array, phase: Array, speed: Array, effort: Array, kick: Array, twist: Array) -> None:
    """Thighs swing as a sine; a knee bends while its thigh comes forward."""
    import numpy as np

    moving = np.minimum(1.0, speed)
    calm = 1 - 0.85 * np.abs(kick)
    sides = ((1, HIP_L, KNEE_L, ANKLE_L, TOE_L), (-1, HIP_R, KNEE_R, ANKLE_R, TOE_R))
    for sign, hip, knee, ankle, toe in sides:
        turn = phase + (0 if sign > 0 else np.pi)
        thigh = (0.08 + 0.25 * effort + (0.12 + 0.72 * effort) * np.sin(turn) * moving) * calm
        bend = 0.14 + 0.3 * effort + (0.25 + 1.3 * effort) * np.maximum(0, np.cos(turn)) * moving
        if sign < 0:  # all of them are right-footed
            thigh = thigh + np.where(kick < 0, 0.95 * kick, 1.15 * kick)
            bend = bend * calm + np.where(kick < 0, -1.25 * kick, 0.0)
        shin = thigh - bend
        body[:, hip] = np.stack([0.5 * sign * twist, np.full_like(speed, 0.1 * sign), np.full_like(speed, 0.93)], -1)
        body[:, knee] = body[:, hip] + 0.44 * _swung(thigh)
        body[:, ankle] = body[:, knee] + 0.43 * _swung(shin)
        body[:, toe] = body[:, ankle] + 0.2 * _swung(np.clip(shin + 1.47, 0.4, 1.75))


def _trunk(body: Array, phase: Array, speed: Array, effort: Array, kick: Array, raised: Array, twist: Array) -> None:
    """Shoulders turn against the hips, arms swing against the legs or go up."""
    import numpy as np

    moving = np.minimum(1.0, speed)
    lean = 0.04 + 0.26 * effort * (1 - 0.7 * raised) - 0.15 * np.minimum(kick, 0) - 0.22 * np.maximum(kick, 0)
    chest = np.stack([np.sin(lean), np.zeros_like(lean), np.cos(lean)], -1)
    neck = body[:, PELVIS] + 0.52 * chest
    out = 0.2 + 0.15 * effort + 0.5 * np.abs(kick) + 0.25 * raised
    bend = (0.35 + 1.2 * effort) * (1 - raised) + 0.25 * raised
    for sign, shoulder, elbow, hand in ((1, SHOULDER_L, ELBOW_L, HAND_L), (-1, SHOULDER_R, ELBOW_R, HAND_R)):
        swing = -sign * np.sin(phase) * (0.1 + 0.75 * effort) * moving + 0.5 * kick * sign
        lifted = swing * (1 - raised) + 2.8 * raised
        aside = np.stack([0 * out, sign * np.sin(out), 0 * out], -1)
        body[:, shoulder] = neck + np.stack(
            [-sign * twist, np.full_like(lean, 0.19 * sign), np.full_like(lean, -0.02)], -1
        )
        body[:, elbow] = body[:, shoulder] + 0.29 * (_swung(lifted) * np.cos(out)[:, None] + aside)
        body[:, hand] = body[:, elbow] + 0.27 * (_swung(lifted + bend) * np.cos(out)[:, None] + 0.4 * aside)
    body[:, HEAD] = neck + 0.23 * chest * [0.8, 1, 1] + [0.03, 0, 0]


def _lay_down(body: Array, dive: Array) -> None:
    """Tip divers over to their right, through the air, to the ground."""
    import numpy as np

    cos, sin = np.cos(1.4 * dive)[:, None], np.sin(1.4 * dive)[:, None]
    side, up = body[..., 1].copy(), body[..., 2].copy()
    body[..., 1] = cos * side - sin * up
    body[..., 2] = cos * up + sin * side + (0.5 * np.sin(np.pi * dive) + 0.2 * dive)[:, None]
