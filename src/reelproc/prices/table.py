"""A provider's prices by the second, and what a second of some hardware comes to.

``cost = sum(seconds x rate)``, as Modal bills: GPU, cores and memory add up; of cores and memory the greater of what is
requested and what is used counts.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from reelproc.errors import ObjectNotFoundError, SpecError, StorageError
from reelproc.schema import Schema
from reelproc.suggestions import did_you_mean

GIB = 1 << 30

Usd = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Price(Schema):
    """One price.

    Attributes:
        usd_per_second: of one GPU, one physical core (two threads) or one GiB.
        source: where it was read.
        read: when, year and month (and day).
    """

    usd_per_second: Usd
    source: str
    read: str


class Region(Schema):
    """What choosing where a container runs does to all of its prices.

    Attributes:
        multiplier: of GPU, cores and memory.
        source: where it was read.
        read: when.
    """

    multiplier: Annotated[float, Field(ge=1, allow_inf_nan=False)]
    source: str
    read: str


class PriceTable(Schema):
    """One provider's prices.

    Attributes:
        provider: whose.
        gpus: by the GPU's name, as Modal writes it.
        core: one physical core (two threads).
        gib: one GiB of memory.
        regions: by the kind of region that is asked for.
        own_machine: what a second of your own machine costs you; 0 unless you say otherwise.
    """

    provider: str
    gpus: Mapping[str, Price]
    core: Price
    gib: Price
    regions: Mapping[str, Region] = Field(default_factory=dict)
    own_machine: Price

    @property
    def read(self) -> str:
        """When its prices were read, the earliest and the latest."""
        dates = sorted({price.read for price in (*self.gpus.values(), self.core, self.gib)})
        return dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"

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
        """Return what one second of a container costs.

        Args:
            gpu: the GPU's name; None: none.
            cores: physical cores requested.
            memory_bytes: memory requested.
            used_cores, used_memory_bytes: what is used; where it is more than what is requested, it is billed.
            region: a key of ``regions``; None: anywhere.

        Raises:
            SpecError: the table has no such GPU or region.

        >>> from reelproc.prices import PRICES
        >>> round(PRICES.usd_per_second(gpu="T4", cores=4, memory_bytes=8 << 30), 8)
        0.00023416
        """
        if gpu is not None and gpu not in self.gpus:
            raise SpecError(
                f"no price is known of a GPU {gpu!r}; there are: {', '.join(self.gpus)}{did_you_mean(gpu, self.gpus)}"
            )
        if region is not None and region not in self.regions:
            raise SpecError(f"no region is called {region!r} in the prices; there are: {', '.join(self.regions)}")
        device = self.gpus[gpu].usd_per_second if gpu else 0.0
        rate = (
            device
            + max(cores, used_cores) * self.core.usd_per_second
            + max(memory_bytes, used_memory_bytes) / GIB * self.gib.usd_per_second
        )
        return rate * (self.regions[region].multiplier if region else 1.0)

    def with_rates(self, rates: Mapping[str, float], *, source: str, read: str) -> PriceTable:
        """Return the table with other prices of some things: of a GPU by its name, ``core``, ``gib``, ``own_machine``.

        Raises:
            SpecError: a price below 0.
        """
        priced = {name: Price(usd_per_second=rate, source=source, read=read) for name, rate in rates.items()}
        own: dict[str, object] = {name: priced.pop(name) for name in ("core", "gib", "own_machine") if name in priced}
        return self.model_copy(update={**own, "gpus": {**self.gpus, **priced}})


class _Changes(Schema):
    """What a price file may say: all of it is optional, the rest stays as it was."""

    provider: str | None = None
    gpus: dict[str, Price] = Field(default_factory=dict)
    core: Price | None = None
    gib: Price | None = None
    regions: dict[str, Region] = Field(default_factory=dict)
    own_machine: Price | None = None


def read_prices(path: str | os.PathLike[str], base: PriceTable) -> PriceTable:
    """Return ``base`` with the prices that a JSON file gives; what it does not name stays.

    Raises:
        ObjectNotFoundError: there is no such file.
        StorageError: it cannot be read.
        SpecError: it is not a price file; the message names the offending field.
    """
    name = os.fspath(path)
    try:
        text = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise ObjectNotFoundError(f"there is no price file {name!r}") from error
    except OSError as error:
        raise StorageError(f"the price file {name!r} cannot be read: {error}") from error
    try:
        changes = _Changes.model_validate_json(text)
    except SpecError as error:
        raise SpecError(f"{name}: {error}", path=error.path) from None
    given = {field: value for field in _Changes.model_fields if (value := getattr(changes, field)) is not None}
    given["gpus"] = {**base.gpus, **changes.gpus}
    given["regions"] = {**base.regions, **changes.regions}
    return base.model_copy(update=given)
