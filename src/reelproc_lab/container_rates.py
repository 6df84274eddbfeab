"""Price the seconds of a measurement in both price modes (:mod:`reelproc_lab.price_modes`).

On your own machine a second costs nothing. So that arms can be compared all the same, it is priced as a container with
as many cores and 2 GiB of memory for each, as the highlight app's CPU container had: measured seconds, another
machine's price. The record says so in ``priced_as``. A billed core is a physical one, two threads; threads are counted
here, so a machine with two threads a core is priced too high.
"""

from __future__ import annotations

from reelproc import Hardware
from reelproc.prices import PRICES
from reelproc.schema import Schema
from reelproc_lab.price_modes import prices_in

GIB_PER_CORE = 2.0
ORIGINAL_HARDWARE = ("T4", "L4", None)
"""GPUs that the highlight app's experiments had a price for."""


class ContainerRate(Schema):
    """What a second of some hardware costs.

    Attributes:
        priced_as: what the prices are of, for people.
        billed_usd_per_second: with cores and memory.
        original_usd_per_second: None where the highlight app's experiments had no price for such a GPU.
    """

    priced_as: str
    billed_usd_per_second: float
    original_usd_per_second: float | None


def rate_of(hardware: Hardware) -> ContainerRate:
    """Return the rate of what an executor rents, or is priced as.

    >>> from reelproc.executors.modal.presets import PRESETS
    >>> rate_of(PRESETS["modal-t4"].hardware).original_usd_per_second
    0.000164
    """
    cores, gib = hardware.cores, hardware.memory_bytes / (1 << 30)
    owned = hardware.usd_per_second == 0.0
    if owned:
        gib = GIB_PER_CORE * cores
        billed = PRICES.usd_per_second(cores=cores, memory_bytes=gib * (1 << 30))
    else:
        billed = hardware.usd_per_second
    original = None
    if hardware.gpu in ORIGINAL_HARDWARE:
        original = prices_in("original", PRICES).usd_per_second(gpu=hardware.gpu, cores=cores)
    what = f"{hardware.gpu or 'no GPU'}, {cores:g} cores, {gib:g} GiB"
    return ContainerRate(
        priced_as=f"as if rented: {what}" if owned else what,
        billed_usd_per_second=billed,
        original_usd_per_second=original,
    )
