"""What the simulation is made of: each figure with its bounds, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from reelproc import SpecError
from reelproc.schema import Schema
from reelproc.suggestions import did_you_mean

if TYPE_CHECKING:
    import random

_RECORDED = "the original's cost experiments, 2026-01"
_HERE = "measured by reelproc on 2 cores of an AMD EPYC, 2026-11"


class Parameter(Schema):
    """A figure that the simulation needs.

    Attributes:
        name: with its unit.
        value: what is likely.
        low, high: the bounds between which it is drawn, from a triangular distribution with its peak at ``value``.
        source: where it comes from; one that was fitted to the recorded runs says so.
    """

    name: str
    value: float
    low: float
    high: float
    source: str

    def model_post_init(self, _context: object, /) -> None:
        """Check the order."""
        if not self.low <= self.value <= self.high:
            raise ValueError(f"{self.name} lies between its bounds, got {self.low} <= {self.value} <= {self.high}")


PARAMETERS: tuple[Parameter, ...] = (
    Parameter(name="container_start_s", value=4.5, low=2.0, high=7.0, source=f"{_RECORDED}: 2 to 7 s"),
    Parameter(name="model_load_s", value=4.0, low=3.0, high=6.0, source=f"{_RECORDED}: about 4 s"),
    Parameter(
        name="source_mb",
        value=90.0,
        low=45.0,
        high=180.0,
        source="assumed: 90 s of 1080p30 at 8 Mbit/s (4 to 16); the original names its length, not its size",
    ),
    Parameter(
        name="transfer_mb_per_s", value=50.0, low=15.0, high=200.0, source="assumed: storage to container and back"
    ),
    Parameter(
        name="t4_network_s_per_frame",
        value=0.10,
        low=0.055,
        high=0.20,
        source="1.25 TFLOP a frame at 19 % (10 to 35) of the 65 TFLOP/s in half precision of its data sheet; the "
        "share is assumed",
    ),
    Parameter(
        name="l4_over_t4",
        value=1.8,
        low=1.0,
        high=1.9,
        source="data sheets: peaks 121 over 65 TFLOP/s (1.86), memory 300 over 320 GB/s (0.94); the original took 1.8",
    ),
    Parameter(
        name="host_here_s_per_frame",
        value=0.324,
        low=0.324,
        high=0.324,
        source="the original's host work of a frame with AI, without the network: measured on 2 cores for the project",
    ),
    Parameter(
        name="host_slowness",
        value=1.97,
        low=1.4,
        high=3.4,
        source="a container's host over this machine's: FITTED to the three recorded T4 runs (1.97 the middle one, "
        "1.61 and 2.79 the others; widened, since three runs show half of a spread)",
    ),
    Parameter(
        name="overlay_draw_s_per_frame",
        value=0.0883,
        low=0.080,
        high=0.097,
        source="FITTED to the two recorded T4 overlays (3 of 90 s, and all): their difference over 2610 frames",
    ),
    Parameter(
        name="overlay_pass_s_per_frame",
        value=0.0123,
        low=0.0112,
        high=0.0135,
        source="decode, encode and copy of a 1080p frame beside a T4: FITTED to the recorded overlay of 3 of 90 s",
    ),
    Parameter(
        name="two_core_pass_s_per_frame",
        value=0.040,
        low=0.030,
        high=0.060,
        source=f"decode and encode of a 1080p frame on 2 cores: {_HERE}, about 40 ms",
    ),
    Parameter(
        name="framing_s_per_frame",
        value=0.024,
        low=0.015,
        high=0.045,
        source=f"ffmpeg's crop, scale and encode of a frame at 810x1440 on 2 cores: {_HERE} (benchmarks/rendering.py)",
    ),
)
"""Those of the replay; :mod:`~reelproc_lab.simulation.fleet` has its own beside them."""


class Parameters:
    """A set of parameters, by name.

    Args:
        parameters: with different names.
    """

    def __init__(self, parameters: Iterable[Parameter] = PARAMETERS) -> None:
        self._all = {p.name: p for p in parameters}

    def likely(self) -> dict[str, float]:
        """Every one's value."""
        return {name: p.value for name, p in self._all.items()}

    def drawn(self, rng: random.Random) -> dict[str, float]:
        """Every one drawn again."""
        return {
            name: p.value if p.low == p.high else rng.triangular(p.low, p.high, p.value)
            for name, p in self._all.items()
        }

    def changed(self, **values: float) -> Parameters:
        """Return the same with other values; widen bounds that do not hold them.

        Raises:
            SpecError: there is no such parameter.
        """
        for name in values:
            if name not in self._all:
                raise SpecError(
                    f"no parameter is called {name!r}; there are: {', '.join(self._all)}{did_you_mean(name, self._all)}"
                )
        return Parameters(
            p.model_copy(
                update={
                    "value": values[p.name],
                    "low": min(p.low, values[p.name]),
                    "high": max(p.high, values[p.name]),
                }
            )
            if p.name in values
            else p
            for p in self._all.values()
        )

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._all.values())
