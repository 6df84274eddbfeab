"""What a second of rented hardware costs."""

from __future__ import annotations

from reelproc.prices.list_prices import PRICES, current_prices
from reelproc.prices.table import Price, PriceTable, Region, read_prices

__all__ = ["PRICES", "Price", "PriceTable", "Region", "current_prices", "read_prices"]
