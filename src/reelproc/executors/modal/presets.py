"""The frozen choices of hardware on Modal. Each distinct one is a container pool of its own, so they are few."""

from __future__ import annotations

from typing import Any

from reelproc.errors import SpecError
from reelproc.executors.base import Hardware
from reelproc.prices import PRICES
from reelproc.schema import Schema
from reelproc.suggestions import did_you_mean

APP_NAME = "reelproc"
CLASS_NAME = "Worker"


class Preset(Schema):
    """What a job's container is.

    Attributes:
        name: the executor's.
        gpu: as Modal names it; None: none.
        cores: physical cores that are reserved. Modal reserves 0.125 where nothing is said, and the size of libraries'
            thread pools follows the reservation: with that, the decoder and encoder are what a GPU waits for.
        memory_mib: reserved memory. A 4x frame of 540x960 as floats is 100 MB and a batch of them is several; decoded
            4K frames are 12 MB each and a few dozen are in flight.
        timeout_seconds: after that Modal ends a job, whatever it does. Jobs end themselves shortly before.
    """

    name: str
    gpu: str | None
    cores: float
    memory_mib: int
    timeout_seconds: int

    @property
    def hardware(self) -> Hardware:
        """The same, as executors tell it."""
        memory = self.memory_mib << 20
        rate = PRICES.usd_per_second(gpu=self.gpu, cores=self.cores, memory_bytes=memory)
        return Hardware(name=self.name, gpu=self.gpu, cores=self.cores, memory_bytes=memory, usd_per_second=rate)

    @property
    def options(self) -> dict[str, Any]:
        """For ``Cls.with_options``."""
        options: dict[str, Any] = {"cpu": self.cores, "memory": self.memory_mib, "timeout": self.timeout_seconds}
        return options | ({"gpu": self.gpu} if self.gpu else {})


PRESETS = {
    p.name: p
    for p in (
        Preset(name="modal-t4", gpu="T4", cores=4.0, memory_mib=16384, timeout_seconds=3600),
        Preset(name="modal-l4", gpu="L4", cores=4.0, memory_mib=16384, timeout_seconds=3600),
        # the work of rendering without a network is decode and encode: cores are all that helps
        Preset(name="modal-cpu", gpu=None, cores=4.0, memory_mib=8192, timeout_seconds=7200),
    )
}
"""By the name of the executor."""

COORDINATOR = Preset(name="modal-coordinator", gpu=None, cores=2.0, memory_mib=4096, timeout_seconds=14400)
"""Where a divided render is planned and put together: it waits for the others, makes the sound, and copies packets."""


def preset(name: str) -> Preset:
    """Return the preset called ``name``.

    Raises:
        SpecError: there is none.
    """
    if name not in PRESETS:
        raise SpecError(
            f"no Modal preset is called {name!r}; there are: {', '.join(PRESETS)}{did_you_mean(name, PRESETS)}"
        )
    return PRESETS[name]
