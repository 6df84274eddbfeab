"""From where a player was seen to where the camera looks: a path without jitter.

Sightings become a path on an even grid, straight between two of them and still outside. It is averaged over time with
the weights of a Gaussian. An average of places never leaves the rectangle that holds them, is never faster than the
path was, and the wider the Gaussian, the smaller its speed and acceleration; so it is widened until both are within
bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, exp, inf, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_GAUSSIAN_REACH_SIGMAS = 4.0
"""Standard deviations at which the Gaussian is cut off."""

_WIDENING = sqrt(2.0)
"""Factor by which the Gaussian gets wider until the path is within its bounds."""


def grid(duration: float, step: float) -> NDArray[np.float64]:
    """Return (N,) evenly spaced times from 0 to ``duration``, at most ``step`` apart, seconds; at least two."""
    import numpy as np

    return np.linspace(0.0, duration, max(2, ceil(duration / step - 1e-9) + 1))


def on_grid(
    times: NDArray[np.float64], seen_at: Sequence[float], values: Sequence[Sequence[float]]
) -> NDArray[np.float64]:
    """Return (N, D) values at ``times``, medians of three sightings, straight between them and held outside.

    Args:
        times: (N,) seconds.
        seen_at: M times in seconds, increasing.
        values: M rows of D floats. A single box that jumps is ignored, so that it moves nothing.
    """
    import numpy as np

    rows = np.asarray(values, dtype=np.float64)
    if len(rows) > 2:
        rows = np.concatenate([rows[:1], np.median([rows[:-2], rows[1:-1], rows[2:]], axis=0), rows[-1:]])
    return np.stack([np.interp(times, seen_at, column) for column in rows.T], axis=1)


def smooth(
    path: NDArray[np.float64],
    step: float,
    sigma: float,
    *,
    low: Sequence[float] | float = -inf,
    high: Sequence[float] | float = inf,
) -> NDArray[np.float64]:
    """Return (N, D) the path averaged over time.

    Beyond its ends it is taken to go on as it came (turned about its end point), so that the average neither starts
    late nor stops early; but never beyond ``low`` and ``high``.

    Args:
        path: (N, D), N at least 2, a row every ``step`` seconds, within ``low`` and ``high``.
        step: seconds.
        sigma: standard deviation of the Gaussian, seconds.
        low, high: (D,) what no row may leave.
    """
    import numpy as np

    reach = max(1, ceil(_GAUSSIAN_REACH_SIGMAS * sigma / step))
    weights = np.array([exp(-0.5 * (k * step / sigma) ** 2) for k in range(-reach, reach + 1)])
    weights /= weights.sum()
    padded = np.clip(np.pad(path, ((reach, reach), (0, 0)), mode="reflect", reflect_type="odd"), low, high)
    return np.stack([np.convolve(column, weights, mode="valid") for column in padded.T], axis=1)


def steady(
    path: NDArray[np.float64],
    step: float,
    *,
    sigma: float,
    max_speed: float,
    max_acceleration: float,
    low: Sequence[float],
    high: Sequence[float],
) -> NDArray[np.float64]:
    """Return (N, 2) the path smoothed by ``sigma`` seconds, or by as much more as keeps it within the bounds.

    Args:
        path: (N, 2) positions, a row every ``step`` seconds, within ``low`` and ``high``.
        step: seconds.
        sigma: the least smoothing, seconds.
        max_speed: units of the path per second, above 0.
        max_acceleration: per second squared, above 0.
        low, high: (2,) finite: what the path may not leave.
    """
    made = smooth(path, step, sigma, low=low, high=high)
    while greatest_speed(made, step) > max_speed or greatest_acceleration(made, step) > max_acceleration:
        sigma *= _WIDENING  # the speed of an average over sigma is at most (high - low) / (sqrt(2 pi) sigma): this ends
        made = smooth(path, step, sigma, low=low, high=high)
    return made


def greatest_speed(path: NDArray[np.float64], step: float) -> float:
    """Return the greatest distance between two rows, per second."""
    import numpy as np

    return float(np.max(np.linalg.norm(np.diff(path, axis=0), axis=1), initial=0.0)) / step


def greatest_acceleration(path: NDArray[np.float64], step: float) -> float:
    """Return the greatest change of velocity from one step to the next, per second."""
    import numpy as np

    return float(np.max(np.linalg.norm(np.diff(path, n=2, axis=0), axis=1), initial=0.0)) / step**2
