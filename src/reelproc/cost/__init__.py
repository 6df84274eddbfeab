"""What a second of rented hardware costs."""

from __future__ import annotations

from reelproc.cost.prices import PRICES, PriceTable

__all__ = ["PRICES", "PriceTable"]
