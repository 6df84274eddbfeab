"""The rule by which one way of doing a job is chosen over others, stated once.

The app's experiments had it in two sentences: cost comes first, and within 20 % the faster is preferred. Here: of all
that cost at most 1.2 times the cheapest, the fastest; on a tie the cheaper, then the one named first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from reelproc.prices import PriceTable
from reelproc.schema import Schema

MAX_EXTRA_COST = 0.20
"""Share by which a faster one may cost more."""


class Offer(Protocol):
    """What can be chosen."""

    @property
    def usd(self) -> float:
        """What it costs."""
        ...

    @property
    def wall_seconds(self) -> float:
        """How long it takes."""
        ...


OfferT = TypeVar("OfferT", bound=Offer)


def choose(offers: Sequence[OfferT], *, within: float = MAX_EXTRA_COST) -> OfferT:
    """Return the offer that the rule chooses.

    Args:
        offers: at least one.
        within: share by which the chosen may cost more than the cheapest.

    Raises:
        ValueError: no offers.
    """
    least = min(offer.usd for offer in offers)
    affordable = [offer for offer in offers if offer.usd <= least * (1 + within)]
    return min(affordable, key=lambda offer: (offer.wall_seconds, offer.usd))


class BreakEven(Schema):
    """When the dearer of two kinds of hardware is the cheaper way.

    Attributes:
        dearer, cheaper: the executors.
        ratio: of their rates: the dearer pays where it is more than so many times as fast.
    """

    dearer: str
    cheaper: str
    ratio: float


def break_even(prices: PriceTable, dearer: str = "modal-l4", cheaper: str = "modal-t4") -> BreakEven:
    """Return how much faster ``dearer`` must be to cost less than ``cheaper``: the ratio of what their seconds cost.

    >>> from reelproc.prices import PRICES
    >>> round(break_even(PRICES).ratio, 2)
    1.23

    Raises:
        SpecError: nothing is known of one of them.
    """
    from reelproc.cost.hardware_specs import place

    def rate(name: str) -> float:
        at = place(name)
        return prices.usd_per_second(gpu=at.gpu, cores=at.cores, memory_bytes=at.memory_bytes)

    return BreakEven(dearer=dearer, cheaper=cheaper, ratio=rate(dearer) / rate(cheaper))
