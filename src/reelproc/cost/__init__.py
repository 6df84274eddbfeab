"""What a job will take, in seconds and dollars, where; and what a second of rented hardware costs."""

from __future__ import annotations

from reelproc.prices import PRICES, PriceTable

__all__ = ["PRICES", "PriceTable"]
