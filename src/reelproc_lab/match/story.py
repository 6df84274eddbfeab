"""What happens in the match: who runs where on every frame, and how.

Those with a path in the script follow it. Everybody else holds a place in a formation that moves with the ball, and
gets there with a runner's speed and acceleration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reelproc.keyframes import Curve
from reelproc_lab.match.pitch import GOAL_Y, LENGTH
from reelproc_lab.match.script import (
    CAST,
    COOL_DOWN,
    DURATION,
    GOAL_TIME,
    HERO,
    KEEPER,
    KICKS,
    PATHS,
    WARM_UP,
    Actor,
    Sound,
    roll_ball,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Story:
    """Everything that moves, on every frame.

    Attributes:
        actors: A of them.
        times: (N,) seconds.
        places: (N, A, 2) metres.
        facing: (N, A) radians, 0 along the pitch, growing away from the camera.
        speed: (N, A) metres per second.
        stride: (N, A) radians of the run's cycle.
        kick: (N, A) -1 (leg drawn back) to 1 (followed through); 0: not kicking.
        joy: (N, A) 0 to 1: arms up.
        dive: (N, A) 0 to 1: the keeper leaves his feet.
        ball: (N, 3) metres, its centre.
        sounds: in order of time.
    """

    actors: tuple[Actor, ...]
    times: Array
    places: Array
    facing: Array
    speed: Array
    stride: Array
    kick: Array
    joy: Array
    dive: Array
    ball: Array
    sounds: tuple[Sound, ...]


def tell(*, seed: int, fps: int) -> Story:
    """Tell the match, frame by frame; equal seeds tell equal stories."""
    import numpy as np

    rng = np.random.default_rng([seed, 2])
    times = np.arange(-round(WARM_UP * fps), round((DURATION + COOL_DOWN) * fps)) / fps
    scripted = {who: _path(keys, times) for who, keys in PATHS.items()}
    ball, sounds = roll_ball(times, scripted)
    places = _formation(times, ball, scripted, rng, fps)
    velocity = np.gradient(places, 1 / fps, axis=0)
    speed = np.hypot(velocity[..., 0], velocity[..., 1])
    facing = _facing(places, velocity, speed, ball, fps)
    # A stride takes longer steps the faster it is: about 2.1 m per cycle at a jog, 3.6 m at a sprint.
    cycle = 1.5 + 0.28 * speed
    stride = np.cumsum(2 * np.pi * speed / cycle / fps, axis=0) + rng.uniform(0, 2 * np.pi, len(CAST))

    kick = np.zeros_like(speed)
    for start, who in KICKS:
        kick[:, who] += _swing(times - start)
    joy = np.zeros_like(speed)
    for who, actor in enumerate(CAST):
        if actor.team == "home":
            late = GOAL_TIME + (0.25 if who == HERO else float(rng.uniform(0.3, 0.9)))
            joy[:, who] = np.clip((times - late) / 0.3, 0, 1)
    dive = np.zeros_like(speed)
    dive[:, KEEPER] = np.clip((times - 7.3) / 0.42, 0, 1)
    keep = (times >= -1e-9) & (times < DURATION - 1e-9)
    return Story(
        actors=CAST,
        times=times[keep],
        places=places[keep],
        facing=facing[keep],
        speed=speed[keep],
        stride=stride[keep],
        kick=kick[keep],
        joy=joy[keep],
        dive=dive[keep],
        ball=ball[keep],
        sounds=tuple(sounds),
    )


def _path(keys: tuple[tuple[float, float, float], ...], times: Array) -> Array:
    import numpy as np

    track = Curve([k[0] for k in keys], [k[1:] for k in keys], "catmull-rom")
    return smooth(np.array([track.at(float(t)) for t in times]), 4)


def smooth(values: Array, sigma: float) -> Array:
    """Smooth by a Gaussian over the frames (axis 0), the ends held."""
    import cv2
    import numpy as np

    flat = np.ascontiguousarray(values.reshape(len(values), -1))
    blurred = cv2.GaussianBlur(flat, (1, 0), sigmaX=0.01, sigmaY=sigma, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.float64).reshape(values.shape)


def _swing(t: Array) -> Array:
    """Swing the leg around a kick at 0: back over 0.22 s, through in 0.12 s, home in 0.3 s."""
    import numpy as np

    return np.interp(t, [-0.34, -0.12, 0.0, 0.1, 0.42], [0, -1, 0.35, 1, 0])


def _formation(times: Array, ball: Array, scripted: dict[int, Array], rng: np.random.Generator, fps: int) -> Array:
    """(N, A, 2) places: scripts as they are, the others steered to theirs without running into each other."""
    import numpy as np

    count = len(CAST)
    lead = smooth(ball[:, :2].copy(), 0.5 * fps)
    anchor = np.array([a.anchor for a in CAST], np.float64) + rng.normal(0, 0.9, (count, 2))
    drift = np.array([a.drift for a in CAST])
    home = np.array([a.team == "home" for a in CAST])
    restless = rng.uniform(0, 2 * np.pi, (count, 2))
    top = np.where([a.team == "referee" for a in CAST], 5.6, rng.uniform(6.6, 7.6, count))
    free = np.array([who not in scripted for who in range(count)])
    side = np.where(np.arange(count) % 2 == 0, 1.0, -1.0)
    beside = np.stack([side * np.linspace(1.2, 3.0, count), np.linspace(1.0, 2.0, count)], -1)  # the scorer is in front
    room = np.full((count, count), 2.2)  # metres that people leave to each other
    room[:, HERO] = 3.4
    places = np.empty((len(times), count, 2))
    velocity = np.zeros((count, 2))
    here = anchor + drift * (lead[0] - [88.0, GOAL_Y])
    for n, t in enumerate(times):
        want = anchor + drift * (lead[n] - [88.0, GOAL_Y])
        want = want + 0.9 * np.sin(t * np.array([0.9, 0.7]) + restless)
        if t > GOAL_TIME + 0.5:  # the scorer's team runs to him; the others are left standing
            soon = scripted[HERO][min(n + fps, len(times) - 1)]
            want = np.where(home[:, None], soon + beside, here)
        want[:, 0] = np.minimum(want[:, 0], LENGTH - 2)
        who_is = here.copy()
        for who, path in scripted.items():
            who_is[who] = path[n]
        apart = here[:, None] - who_is[None]
        distance = np.hypot(apart[..., 0], apart[..., 1]) + 1e-6
        push = np.maximum(room - distance, 0.0) / distance
        np.fill_diagonal(push, 0.0)
        goal = (want - here) * 1.3 + (apart * push[..., None]).sum(1) * 2.0
        pace = np.hypot(goal[:, 0], goal[:, 1])[:, None]
        goal *= np.minimum(1.0, top[:, None] / np.maximum(pace, 1e-6))
        change = (goal - velocity) * 3.0
        pull = np.hypot(change[:, 0], change[:, 1])[:, None]
        velocity = velocity + change * np.minimum(1.0, 7.0 / np.maximum(pull, 1e-6)) / fps
        here = here + velocity / fps
        places[n] = np.where(free[:, None], here, who_is)
    return smooth(places, 2)


def _facing(places: Array, velocity: Array, speed: Array, ball: Array, fps: int) -> Array:
    """(N, A) radians: where they run; who stands or trots watches the ball; the scorer turns to the crowd."""
    import numpy as np

    watch = ball[:, None, :2] - places
    watch = watch / np.maximum(np.hypot(watch[..., 0], watch[..., 1])[..., None], 0.5)
    run = velocity / np.maximum(speed, 0.5)[..., None]
    weight = np.clip((speed - 0.8) / 1.6, 0, 1)[..., None]
    direction = smooth(run * weight + watch * (1 - weight), 0.1 * fps)
    return np.asarray(np.arctan2(direction[..., 1], direction[..., 0]))
