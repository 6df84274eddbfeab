"""Prices by the second, with the dates they were read at. Modal bills cores and memory on top of a GPU.

They are list prices; an account's own may differ, and Modal bills the greater of what is requested and what is used, so
a sum made of requests is a lower bound.
"""

from __future__ import annotations

from reelproc.errors import SpecError
from reelproc.schema import Schema

__all__ = ["PRICES", "PriceTable"]


class PriceTable(Schema):
    """One provider's prices.

    Attributes:
        provider: whose.
        read: when they were read there, year and month.
        source: where.
        gpu_usd_per_second: by the GPU's name, as Modal writes it.
        core_usd_per_second: one physical core (two threads).
        gib_usd_per_second: one GiB of memory.
    """

    provider: str
    read: str
    source: str
    gpu_usd_per_second: dict[str, float]
    core_usd_per_second: float
    gib_usd_per_second: float

    def usd_per_second(self, *, gpu: str | None = None, cores: float = 0.0, memory_bytes: float = 0.0) -> float:
        """What one second costs.

        Args:
            gpu: the GPU's name; None: none.
            cores: physical cores requested.
            memory_bytes: memory requested.

        Raises:
            SpecError: the table has no such GPU.

        >>> round(PRICES.usd_per_second(gpu="T4", cores=4, memory_bytes=8 << 30), 8)
        0.00023416
        """
        if gpu is not None and gpu not in self.gpu_usd_per_second:
            raise SpecError(f"no price is known of a GPU {gpu!r}; there are: {', '.join(self.gpu_usd_per_second)}")
        rate = self.gpu_usd_per_second[gpu] if gpu else 0.0
        return rate + cores * self.core_usd_per_second + memory_bytes / (1 << 30) * self.gib_usd_per_second


PRICES = PriceTable(
    provider="Modal",
    read="2026-07 to 2026-09",
    source="https://modal.com/pricing",
    gpu_usd_per_second={
        "T4": 0.000164,
        "L4": 0.000222,
        "A10": 0.000306,
        "L40S": 0.000542,
        "A100-40GB": 0.000583,
        "A100-80GB": 0.000694,
        "H100": 0.001097,
    },
    core_usd_per_second=0.0000131,
    gib_usd_per_second=0.00000222,
)
"""Modal's list prices."""
