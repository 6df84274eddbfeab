"""Rates by kind of work that were measured, with their spread, by hardware."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Annotated, Literal, Self

from pydantic import Field

from reelproc.executors.hardware import this_machine
from reelproc.machine.cores import cpu_name
from reelproc.schema import Schema

MAX_SAMPLES = 40
"""Samples of a rate that are kept, the newest."""

Sample = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Machine(Schema):
    """What the samples were taken on; those of another are not mixed with them.

    Attributes:
        cpu: its name, as the system says.
        threads: logical processors that may be used.
        gpu: the device's name, or None.
    """

    cpu: str
    threads: float
    gpu: str | None = None


class SampleSpread(Schema):
    """Samples of one rate, summed up.

    Attributes:
        median: the middle one.
        low, high: the quartiles; of fewer than four samples the least and the greatest.
        count: how many there are.
    """

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, samples: Sequence[float]) -> SampleSpread:
        """Return the spread of at least one sample.

        >>> SampleSpread.of([1.0, 2.0, 3.0, 4.0, 10.0])
        SampleSpread(median=3.0, low=2.0, high=4.0, count=5)
        """
        ordered = sorted(samples)
        if len(ordered) < 4:
            low, high = ordered[0], ordered[-1]
        else:
            low, _, high = statistics.quantiles(ordered, n=4, method="inclusive")
        return cls(median=statistics.median(ordered), low=low, high=high, count=len(ordered))


class Entry(Schema):
    """What is known of one machine.

    Attributes:
        hardware: the executor's name: ``"local"``, ``"modal-t4"``, ...
        machine: what it is.
        updated: when the last sample came, ISO 8601.
        versions: of what made the samples: reelproc, ffmpeg, Python, ...
        rates: by kind (:mod:`reelproc.cost.work`; and ``startup``, ``load``, ``pace``, ...) the samples, newest last.
        busy: the samples were taken while other processes used the machine: they are never called measured.
    """

    hardware: str
    machine: Machine
    updated: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
    rates: dict[str, tuple[Sample, ...]] = Field(default_factory=dict)
    busy: bool = False

    def spread(self, kind: str) -> SampleSpread | None:
        """Return the samples of ``kind``, summed up; None without any."""
        samples = self.rates.get(kind)
        return SampleSpread.of(samples) if samples else None


class MeasuredRates(Schema):
    """What was measured of all machines.

    Attributes:
        version: of this form.
        entries: one per machine, the one that was measured last at the end.
    """

    version: Literal[1] = 1
    entries: tuple[Entry, ...] = ()

    def entry(self, hardware: str, machine: Machine | None = None, *, busy: bool = False) -> Entry | None:
        """Return what is known of ``hardware``; of ``"local"`` only what was measured on ``machine``.

        Args:
            hardware: the executor's name.
            machine: None takes any.
            busy: return what was measured while the machine was busy, which is kept apart.
        """
        for entry in reversed(self.entries):
            if (entry.hardware, entry.busy) == (hardware, busy) and (machine is None or entry.machine == machine):
                return entry
        return None

    def with_samples(
        self,
        hardware: str,
        machine: Machine,
        rates: Mapping[str, Sequence[float]],
        versions: Mapping[str, str] | None = None,
        *,
        busy: bool = False,
    ) -> Self:
        """Return these rates with more samples; those of a ``busy`` machine are kept apart."""
        old = self.entry(hardware, machine, busy=busy) or Entry(hardware=hardware, machine=machine, busy=busy)
        merged = dict(old.rates)
        for kind, samples in rates.items():
            merged[kind] = (*merged.get(kind, ()), *samples)[-MAX_SAMPLES:]
        new = old.model_copy(
            update={
                "rates": merged,
                "versions": {**old.versions, **(versions or software())},
                "updated": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            }
        )
        # the latest comes last: of a rented kind of machine that one counts
        mine = (hardware, machine, busy)
        others = tuple(e for e in self.entries if (e.hardware, e.machine, e.busy) != mine)
        return self.model_copy(update={"entries": (*others, new)})


@cache
def this_host() -> Machine:
    """Return this machine."""
    return Machine(cpu=cpu_name(), threads=this_machine().cores)


def software() -> dict[str, str]:
    """Return the versions that rates depend on."""
    from reelproc import __version__
    from reelproc.media.ffmpeg_build import ffmpeg_version

    return {"reelproc": __version__, "python": platform.python_version(), "ffmpeg": ffmpeg_version()}


@cache
def reference() -> Entry:
    """Return the package's own rates: measured on one machine, which they name, and a prediction on any other."""
    text = (resources.files("reelproc.cost") / "reference.json").read_text(encoding="utf-8")
    return MeasuredRates.model_validate_json(text).entries[0]
