"""Keyframe interpolation: the one place where a value between two keyframes is computed.

``linear`` is piecewise linear. ``catmull-rom`` is the uniform Catmull-Rom spline (E. Catmull, R. Rom, "A class of
local interpolating splines", 1974), each segment's parameter running from 0 to 1 between its keyframes whatever their
distance in time, with the end points doubled ("clamped"). Both hold the first and last value outside the keyframes'
range.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from reelproc.errors import SpecError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Interpolation = Literal["linear", "catmull-rom"]


class Curve:
    """Values over time, given at keyframes.

    Args:
        times: N times in seconds, strictly increasing.
        values: N rows of D floats.
        method: ``"linear"`` or ``"catmull-rom"``.

    Raises:
        SpecError: no keyframes, times that do not increase, rows of different lengths.

    >>> Curve([0, 2], [[0.0, 10.0], [4.0, 10.0]]).at(0.5).tolist()
    [1.0, 10.0]
    """

    __slots__ = ("_times", "_values", "method")

    def __init__(
        self, times: Sequence[float], values: Sequence[Sequence[float]], method: Interpolation = "linear"
    ) -> None:
        import numpy as np

        if len(times) == 0:
            raise SpecError("interpolation needs at least one keyframe, got none")
        if method not in ("linear", "catmull-rom"):
            raise SpecError(f"interpolation is 'linear' or 'catmull-rom', got {method!r}")
        self._times = np.asarray(times, dtype=np.float64)
        try:
            self._values = np.asarray(values, dtype=np.float64).reshape(len(times), -1)
        except ValueError as error:
            raise SpecError(f"keyframes hold rows of one length, one per time: {error}") from error
        if not np.all(np.diff(self._times) > 0):
            raise SpecError(f"keyframe times must increase, got {list(times)}; sort them and remove doubles")
        self.method: Interpolation = method

    def at(self, time: float) -> NDArray[np.float64]:
        """Return the (D,) float64 values at ``time`` seconds."""
        import numpy as np

        times, values = self._times, self._values
        if time <= times[0]:
            return np.array(values[0])
        if time >= times[-1]:
            return np.array(values[-1])
        i = int(np.searchsorted(times, time, side="right")) - 1
        u = (time - times[i]) / (times[i + 1] - times[i])
        if self.method == "linear":
            return np.asarray(values[i] + (values[i + 1] - values[i]) * u)
        a, b, c, d = self._cubic(i)
        return np.asarray(((a * u + b) * u + c) * u + d)

    def maximum(self) -> NDArray[np.float64]:
        """Return the (D,) greatest value that each column takes anywhere, overshoot of the spline included."""
        return self._extreme(largest=True)

    def minimum(self) -> NDArray[np.float64]:
        """Return the (D,) least value that each column takes anywhere, undershoot of the spline included."""
        return self._extreme(largest=False)

    def _cubic(self, i: int) -> tuple[NDArray[np.float64], ...]:
        """Coefficients a, b, c, d of segment ``i``: ``a u^3 + b u^2 + c u + d`` for u in [0, 1]."""
        import numpy as np

        v, last = self._values, len(self._values) - 1
        p0, p1, p2, p3 = v[max(i - 1, 0)], v[i], v[i + 1], v[min(i + 2, last)]
        return (
            np.asarray(0.5 * (3 * p1 - 3 * p2 + p3 - p0)),
            np.asarray(0.5 * (2 * p0 - 5 * p1 + 4 * p2 - p3)),
            np.asarray(0.5 * (p2 - p0)),
            np.asarray(p1),
        )

    def _extreme(self, *, largest: bool) -> NDArray[np.float64]:
        import numpy as np

        best: NDArray[np.float64] = np.max(self._values, axis=0) if largest else np.min(self._values, axis=0)
        if self.method == "linear":
            return best
        pick = max if largest else min
        for i in range(len(self._times) - 1):
            a, b, c, d = self._cubic(i)
            for column in range(best.size):
                roots = np.roots([3 * a[column], 2 * b[column], c[column]])
                for u in roots[np.isreal(roots)].real:
                    if 0 < u < 1:
                        value = ((a[column] * u + b[column]) * u + c[column]) * u + d[column]
                        best[column] = pick(best[column], value)
        return best
