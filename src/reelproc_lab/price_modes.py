"""Two ways to price a second of a container: as Modal bills it, and as the highlight app's cost experiments did."""

from __future__ import annotations

from typing import Literal, get_args

from reelproc import SpecError
from reelproc.prices import PriceTable

Mode = Literal["billed", "original"]
"""``"original"``: the rates of the app's cost experiments, to reproduce their figures, not to plan with."""

MODES: tuple[Mode, ...] = get_args(Mode)

CPU_USD_PER_SECOND = 0.0000262
"""Of a container of two cores at 0.0000131 each, read 2026-01. Their 4 GiB of memory are left out."""

_CORES = 2.0


class ExperimentPrices(PriceTable):
    """A price table with the arithmetic of the highlight app's cost experiments: one rate for each kind of container.

    Beside a GPU, cores and memory cost nothing; without a GPU memory costs nothing.
    """

    def usd_per_second(
        self,
        *,
        gpu: str | None = None,
        cores: float = 0.0,
        memory_bytes: float = 0.0,
        used_cores: float = 0.0,
        used_memory_bytes: float = 0.0,
        region: str | None = None,
    ) -> float:
        """Return what one second of a container costs: of the GPU, or of two cores where none are named.

        Raises:
            SpecError: the table has no such GPU, or a region is asked for.

        >>> from reelproc.prices import PRICES
        >>> prices_in("original", PRICES).usd_per_second(gpu="T4", cores=4, memory_bytes=8 << 30)
        0.000164
        """
        if region is not None:
            raise SpecError(f"the experiments' prices know no regions, got region={region!r}; leave one out")
        if gpu is not None:
            return super().usd_per_second(gpu=gpu)
        return CPU_USD_PER_SECOND * (cores / _CORES if cores else 1.0)


def prices_in(mode: Mode, table: PriceTable) -> PriceTable:
    """Return ``table`` with the arithmetic of a mode.

    Raises:
        SpecError: there is no such mode.
    """
    if mode not in MODES:
        raise SpecError(f"a price mode is {' or '.join(map(repr, MODES))}, got {mode!r}")
    if mode == "billed":
        return table
    return ExperimentPrices(**{name: getattr(table, name) for name in PriceTable.model_fields})
