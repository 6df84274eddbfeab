"""Modal's list prices, each with where and when it was read.

An account's own prices may differ: ``reelproc prices --account`` asks for them.
"""

from __future__ import annotations

import os

from reelproc.prices.table import Price, PriceTable, Region, read_prices

_PRICING = "https://modal.com/pricing"
_READ_IN = "2026-07 to 2026-09"
_REGIONS = "https://modal.com/docs/guide/region-selection.md"
_FORMER_REGIONS = "https://www.modal.com/docs/guide/region-selection"


def _listed(usd_per_second: float) -> Price:
    return Price(usd_per_second=usd_per_second, source=_PRICING, read=_READ_IN)


PRICES = PriceTable(
    provider="Modal",
    gpus={
        "T4": _listed(0.000164),
        "L4": _listed(0.000222),
        "A10": _listed(0.000306),
        "L40S": _listed(0.000542),
        "A100-40GB": _listed(0.000583),
        "A100-80GB": _listed(0.000694),
        "H100": _listed(0.001097),
    },
    core=_listed(0.0000131),
    gib=_listed(0.00000222),
    # an older edition of the page had 1.25 (US, EU, UK, AP) and 2.5 (CA, SA, ME, MX, AF); both are kept, by name
    regions={
        "broad": Region(multiplier=1.5, source=_REGIONS, read="2026"),
        "narrow": Region(multiplier=1.75, source=_REGIONS, read="2026"),
        "2025-us-eu-uk-ap": Region(multiplier=1.25, source=_FORMER_REGIONS, read="2025"),
        "2025-ca-sa-me-mx-af": Region(multiplier=2.5, source=_FORMER_REGIONS, read="2025"),
    },
    own_machine=Price(usd_per_second=0.0, source="nobody bills it", read="2026"),
)
"""Modal's list prices."""


def current_prices() -> PriceTable:
    """Return the prices that count here: :data:`PRICES`, with what the file of ``REELPROC_PRICES`` says otherwise.

    Raises:
        ReelprocError: that file is not there, or is no price file.
    """
    path = os.environ.get("REELPROC_PRICES")
    return read_prices(path, PRICES) if path else PRICES
