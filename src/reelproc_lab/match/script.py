"""The script of the match: the cast, three players' paths, and the way of the ball."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from reelproc_lab.match.pitch import GOAL_Y, LENGTH

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Team = Literal["home", "away", "keeper", "referee"]

DURATION = 10.0
"""Seconds; the script below is written for it."""

GOAL_TIME = 7.62
"""When the ball crosses the line."""

HERO = 0
"""Index of the player that the reel follows."""

PASSER, LINK, KEEPER, BEATEN = 1, 2, 9, 10

# Time, x, y of the players with a script: seconds of the clip, metres of the pitch.
PATHS: dict[int, tuple[tuple[float, float, float], ...]] = {
    HERO: (
        (-3.0, 59, 25), (0.0, 62, 27), (1.2, 65, 29.5), (2.4, 70, 32.5), (3.4, 76, 35.5), (4.3, 81, 36.5),
        (5.0, 85.2, 34.6), (5.7, 89.4, 30.8), (6.4, 93.4, 30.0), (7.1, 97.0, 31.0), (7.7, 98.6, 31.0),
        (8.4, 98.6, 28.2), (9.2, 97.2, 23.0), (10.0, 95.2, 17.6), (13.0, 92, 10),
    ),
    PASSER: (
        (-3.0, 56, 43), (0.0, 60, 42), (1.0, 63.2, 41.2), (2.2, 66, 41), (4.0, 73, 42.5), (6.0, 83, 43), (8.0, 91, 40),
        (10.0, 95.5, 24.5), (13.0, 94, 12),
    ),
    LINK: (
        (-3.0, 62, 20), (0.0, 66.5, 21), (1.7, 69.0, 24.0), (2.5, 71.0, 25.0), (4.0, 76, 23), (6.0, 86, 21.5),
        (8.0, 93, 22), (9.0, 94.5, 20.5), (10.0, 93.6, 18.6), (13.0, 91, 11),
    ),
    KEEPER: (
        (-3.0, 103, 34), (3.0, 102.6, 34.4), (6.0, 101.8, 33.4), (7.0, 101.2, 33.2), (7.25, 101.2, 33.3),
        (7.75, 102.0, 35.4), (8.2, 102.2, 35.9), (13.0, 102.2, 35.9),
    ),
    BEATEN: (
        (-3.0, 84, 33), (2.0, 85, 34), (3.6, 87, 35.5), (4.5, 87.2, 35.6), (5.1, 86.4, 35.8), (5.9, 87.6, 34.6),
        (7.0, 91.5, 32.8), (8.2, 95, 32.5), (10.0, 97, 31), (13.0, 97, 31),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody on the pitch.

    Attributes:
        team: whose kit.
        number: on the shirt; 0: none.
        anchor: place in the formation while the ball is at the penalty arc, metres.
        drift: how much of the ball's way the place follows, along and across.
    """

    team: Team
    number: int
    anchor: tuple[float, float]
    drift: tuple[float, float] = (0.5, 0.3)


CAST = (
    Actor("home", 10, (0, 0)),
    Actor("home", 6, (0, 0)),
    Actor("home", 8, (0, 0)),
    Actor("home", 7, (92, 12), (0.75, 0.1)),
    Actor("home", 11, (95, 55), (0.75, 0.1)),
    Actor("home", 9, (95.5, 43.5), (0.62, 0.2)),
    Actor("home", 4, (70, 30), (0.8, 0.3)),
    Actor("home", 5, (72, 50), (0.8, 0.2)),
    Actor("home", 3, (80, 15), (0.8, 0.2)),
    Actor("keeper", 1, (103, 34)),
    Actor("away", 4, (0, 0)),
    Actor("away", 5, (97, 40.5), (0.3, 0.3)),
    Actor("away", 3, (96.5, 47), (0.35, 0.3)),
    Actor("away", 2, (96, 22), (0.35, 0.35)),
    Actor("away", 8, (88, 40), (0.7, 0.4)),
    Actor("away", 6, (88.5, 26), (0.7, 0.45)),
    Actor("away", 10, (83.5, 33.5), (0.85, 0.6)),
    Actor("away", 7, (85, 50), (0.7, 0.3)),
    Actor("away", 11, (84, 15), (0.7, 0.2)),
    Actor("referee", 0, (80.5, 41), (0.85, 0.5)),
)


@dataclass(frozen=True, slots=True)
class Sound:
    """Something to be heard: ``kind`` at ``time`` seconds, as loud as ``gain`` says."""

    kind: Literal["whistle", "kick", "net"]
    time: float
    gain: float = 1.0


WARM_UP, COOL_DOWN = 3.0, 1.0
"""Seconds that everybody runs before the clip begins and after it has ended, so that nobody starts from a stand."""

BALL_RADIUS = 0.14
"""Metres; a little more than law 2 allows, to be seen."""

_PASSES = ((1.0, 1.75, PASSER, LINK), (2.5, 3.35, LINK, HERO))
_SHOT = (7.12, GOAL_TIME)

KICKS = (*((start, giver) for start, _, giver, _ in _PASSES), (_SHOT[0], HERO))
"""When, and whose foot."""

_TOUCHES = 1.55
"""Touches of the ball per second in a dribble."""


def roll_ball(times: Array, scripted: dict[int, Array]) -> tuple[Array, list[Sound]]:
    """(N, 3) places of the ball, and what is heard of it."""
    import numpy as np

    ball = np.zeros((len(times), 3))
    ball[:, 2] = BALL_RADIUS
    sounds = [Sound("whistle", 0.25)]

    def at_feet(who: int) -> Array:
        place = scripted[who]
        velocity = np.gradient(place, times, axis=0)
        pace = np.hypot(velocity[:, 0], velocity[:, 1])[:, None]
        ahead = velocity / np.maximum(pace, 1.0)
        touch = 0.62 + 0.035 * pace * (1 - np.cos(2 * np.pi * _TOUCHES * times))[:, None]
        return np.asarray(place + ahead * touch + [0.0, -0.12])

    feet = {who: at_feet(who) for who in (PASSER, LINK, HERO)}
    holder = [
        (-WARM_UP, _PASSES[0][0], PASSER),
        (_PASSES[0][1], _PASSES[1][0], LINK),
        (_PASSES[1][1], _SHOT[0], HERO),
    ]
    for start, end, who in holder:
        held = (times >= start - 1e-9) & (times < end)
        ball[held, :2] = feet[who][held]
    for start, end, giver, taker in _PASSES:
        flight = (times >= start) & (times < end)
        u = (times[flight] - start) / (end - start)
        u = 1 - (1 - u) ** 1.35  # it slows down on the grass
        a = _at(times, feet[giver], start)
        b = _at(times, feet[taker], end)
        ball[flight, :2] = a + (b - a) * u[:, None]
        ball[flight, 2] += 0.5 * np.sin(np.pi * u) ** 2
        sounds.append(Sound("kick", start, 0.8))
    taps = np.arange(_PASSES[1][1] + 0.33, _SHOT[0] - 0.2, 1 / _TOUCHES)
    sounds += [Sound("kick", float(tap), 0.25) for tap in taps]
    start, end = _SHOT
    a, goal = np.array([*_at(times, feet[HERO], start), BALL_RADIUS]), np.array([LENGTH, GOAL_Y + 2.6, 1.75])
    flight = (times >= start) & (times < end)
    u = ((times[flight] - start) / (end - start))[:, None]
    ball[flight] = a + (goal - a) * u + np.array([0.0, 0.5, 0.5]) * np.sin(np.pi * u)
    sounds += [Sound("kick", start, 1.6), Sound("net", end + 0.06), Sound("whistle", end + 0.75, 0.9)]
    # In the net: it is stopped within 1.2 m, falls, and bounces twice.
    after = times >= end
    t = times[after] - end
    ball[after, 0] = LENGTH + 1.15 * (1 - np.exp(-t * 9))
    ball[after, 1] = goal[1] + 0.25 * (1 - np.exp(-t * 4))
    ball[after, 2] = _bounces(t, goal[2] - BALL_RADIUS) + BALL_RADIUS
    return ball, sorted(sounds, key=lambda s: s.time)


def _at(times: Array, values: Array, time: float) -> Array:
    """Return the row of ``values`` at ``time``, between frames too."""
    import numpy as np

    return np.array([np.interp(time, times, column) for column in values.T])


def _bounces(t: Array, height: float) -> Array:
    """Height of a ball dropped from ``height`` metres that keeps half its speed at each bounce."""
    import numpy as np

    gravity = 9.81
    fall = np.sqrt(2 * height / gravity)
    out = np.where(t < fall, height - 0.5 * gravity * t**2, 0.0)
    begin, pace = fall, gravity * fall * 0.5
    for _ in range(3):
        span = 2 * pace / gravity
        inside = (t >= begin) & (t < begin + span)
        out = np.where(inside, pace * (t - begin) - 0.5 * gravity * (t - begin) ** 2, out)
        begin, pace = begin + span, pace * 0.5
    return out
