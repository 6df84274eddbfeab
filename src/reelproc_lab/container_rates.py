"""What the seconds of a measurement cost, in two price modes.

``original`` is the original experiments' formula: seconds times one of three prices, of a T4, an L4, or two processor
cores. It leaves out cores and memory beside a GPU, and memory beside the cores. ``billed`` is what Modal charges for
what is requested: GPU, cores and memory.

On your own machine a second costs nothing. So that arms can be compared all the same, it is likened to a container with
as many cores, and 2 GiB of memory for each, as the original's CPU container had: measured seconds, another machine's
price. The record says so in ``priced_as``. A core that is billed is a physical one, two threads; a machine whose
threads are counted here is likened to a dearer one than it is.
"""

from __future__ import annotations

from reelproc.executors import Hardware
from reelproc.prices import PRICES
from reelproc.schema import Schema

__all__ = ["Rate", "rate_of"]

GIB_PER_CORE = 2.0
ORIGINAL_HARDWARE = ("T4", "L4", None)


class Rate(Schema):
    """What a second of some hardware costs.

    Attributes:
        priced_as: what the prices are of, for people.
        billed_usd_per_second: with cores and memory.
        original_usd_per_second: None where the original had no price for such a GPU.
    """

    priced_as: str
    billed_usd_per_second: float
    original_usd_per_second: float | None


def rate_of(hardware: Hardware) -> Rate:
    """The rate of what an executor rents, or is likened to.

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
        original = PRICES.usd_per_second(gpu=hardware.gpu, cores=cores, mode="original")
    what = f"{hardware.gpu or 'no GPU'}, {cores:g} cores, {gib:g} GiB"
    return Rate(
        priced_as=f"as if rented: {what}" if owned else what,
        billed_usd_per_second=billed,
        original_usd_per_second=original,
    )
