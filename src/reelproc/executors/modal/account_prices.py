"""Read an account's own prices on Modal.

The client tells them by ``Workspace.billing.rates``, which ``modal billing rates`` prints. It passes on the service's
own names. They are matched by their parts. The unit (per second or per hour) comes from the name, or else from the
nearer list price. An unclear unit is an error, because a wrong one is a factor of 3600. Written against modal 1.6.4 and
tried against a service on this machine; the names of the real one have not been seen.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

from reelproc.errors import ExecutorError, MissingDependencyError
from reelproc.prices import PRICES, PriceTable

SOURCE = "the account's own rates, by Modal's client"
LIST_PRICE_FACTOR = 4.0
"""A rate is near the list price within this factor."""


def account_prices(base: PriceTable = PRICES) -> PriceTable:
    """Return ``base`` with the prices of the account whose token the Modal client finds.

    Raises:
        MissingDependencyError: the extra ``modal`` is not installed.
        ExecutorError: there is no account, or it cannot be asked, or its answer is not understood.
    """
    try:
        import modal
    except ImportError as error:
        raise MissingDependencyError("the prices of an account need modal; pip install 'reelproc[modal]'") from error
    try:
        workspace = modal.Workspace.from_context()
        rates = {name: float(rate) for name, rate in workspace.billing.rates().items()}
    except modal.exception.Error as error:
        raise ExecutorError(
            f"Modal does not tell the account's rates ({error}); check 'modal token info', or use the list prices"
        ) from error
    return prices_from_rates(rates, base)


def prices_from_rates(rates: Mapping[str, float], base: PriceTable = PRICES) -> PriceTable:
    """Return ``base`` with the ``rates`` of GPUs, cores and memory; other prices stay.

    Args:
        rates: USD by Modal's name of a resource.
        base: the list prices, which tell the unit where the name does not.

    Raises:
        ExecutorError: nothing in them is understood, or a unit cannot be told.

    >>> round(prices_from_rates({"gpu_t4_per_hour": 0.54}).gpus["T4"].usd_per_second, 6)
    0.00015
    """
    found: dict[str, float] = {}
    for name, rate in rates.items():
        resource = _resource(name, base)
        if resource is not None and resource not in found:
            found[resource] = _per_second(name, rate, _listed(base, resource))
    if not found:
        raise ExecutorError(
            f"none of the account's rates is understood: {', '.join(sorted(rates)) or 'there are none'}"
        )
    return base.with_rates(found, source=SOURCE, read=time.strftime("%Y-%m-%d", time.gmtime()))


def _resource(name: str, base: PriceTable) -> str | None:
    """Return the price table's entry for a rate's name; None for other rates (volumes, sandboxes, ...)."""
    words = re.sub(r"[^a-z0-9]+", " ", name.lower()).split()
    joined = "".join(words)
    if {"sandbox", "volume", "storage", "network", "nonpreemptible", "region"} & set(words):
        return None
    for gpu in sorted(base.gpus, key=len, reverse=True):
        if re.sub(r"[^a-z0-9]", "", gpu.lower()) in joined:
            return gpu
    if "cpu" in words or "core" in words or "cores" in words:
        return "core"
    return "gib" if {"memory", "mem", "gib", "ram"} & set(words) else None


def _listed(base: PriceTable, resource: str) -> float:
    price = {"core": base.core, "gib": base.gib}.get(resource) or base.gpus[resource]
    return price.usd_per_second


def _per_second(name: str, rate: float, listed: float) -> float:
    words = re.sub(r"[^a-z]+", " ", name.lower()).split()
    if {"hour", "hr", "hourly", "h"} & set(words):
        return rate / 3600
    if {"second", "seconds", "sec", "s"} & set(words):
        return rate
    for seconds in (1, 3600):
        if listed / LIST_PRICE_FACTOR <= rate / seconds <= listed * LIST_PRICE_FACTOR:
            return rate / seconds
    raise ExecutorError(
        f"the account's rate {name!r} is {rate:g}, which is neither per second nor per hour near the list price of "
        f"{listed:g} a second; write a price file instead (REELPROC_PRICES)"
    )
