"""What runs have measured: rates by kind of work, with their spread, by hardware; kept in a JSON file.

The file is written by ``reelproc calibrate``, by :meth:`Calibration.add` and by experiments. It is at
``REELPROC_CALIBRATION``, else ``calibration.json`` in the folder that ``REELPROC_HOME`` means, else in the user's data
folder. A rate keeps its latest samples, so that a median and quartiles can be told, and a machine that changes is
followed. Rates of one machine are never used as measured on another.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from reelproc.errors import SpecError, StorageError
from reelproc.executors.hardware import this_machine
from reelproc.files import whole_file
from reelproc.folders import data_folder
from reelproc.machine.cores import cpu_name
from reelproc.schema import Schema

if TYPE_CHECKING:
    from reelproc.cost.work import Work
    from reelproc.results import DetectResult, RenderResult

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


class Calibration(Schema):
    """All that is known of all machines. Adding to it makes a new one.

    >>> here = Machine(cpu="test", threads=2)
    >>> Calibration().with_samples("local", here, {"pipe": [0.001, 0.002]}).entry("local", here).spread("pipe").count
    2
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
    ) -> Calibration:
        """Return this calibration with more samples; those of a ``busy`` machine are kept apart."""
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

    def add(self, result: RenderResult | DetectResult, work: Work, *, busy: bool = False) -> Calibration:
        """Return this calibration with what a finished run teaches.

        What overlaps in a run cannot be told apart from outside; so a run gives the rates of what does not overlap
        (start, transfer, probing, sound, joining), of its network, and the *pace*: the loop's time over what the rates
        that are known say.

        Args:
            result: of the run.
            work: of its job, see :func:`reelproc.cost.job_work.work_of`.
            busy: other processes used the machine meanwhile, which a result does not say: what it teaches is kept
                apart, and never called measured.

        Raises:
            SpecError: the result is not that of such a job.
        """
        from reelproc.cost.learning import pace_in, rates_of

        machine = Machine(
            cpu="rented" if result.hardware != "local" else this_host().cpu,
            threads=this_host().threads if result.hardware == "local" else (result.cores or 0) * 2,
            gpu=result.gpu,
        )
        known = self.with_samples(result.hardware, machine, rates_of(result, work, self), busy=busy)
        return known.with_samples(result.hardware, machine, pace_in(result, work, known), busy=busy)

    @classmethod
    def load(cls, path: str | os.PathLike[str] | None = None) -> Calibration:
        """Return what the file holds; nothing, where there is none and ``path`` is None.

        Raises:
            StorageError: it cannot be read, or ``path`` is not there.
            SpecError: it is no calibration.
        """
        file = calibration_path() if path is None else Path(path)
        try:
            text = file.read_bytes()
        except FileNotFoundError as error:
            if path is None:
                return cls()
            raise StorageError(f"there is no calibration file {file}; make one with 'reelproc calibrate'") from error
        except OSError as error:
            raise StorageError(f"the calibration file {file} cannot be read: {error}") from error
        try:
            return cls.model_validate_json(text)
        except SpecError as error:
            raise SpecError(f"{file} is no calibration: {error}; remove it and run 'reelproc calibrate'") from None

    def save(self, path: str | os.PathLike[str] | None = None) -> Path:
        """Write it, whole or not at all, and say where.

        Raises:
            StorageError: it cannot be written.
        """
        file = calibration_path() if path is None else Path(path)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(file) as partial:
                partial.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise StorageError(f"the calibration file {file} cannot be written: {error}") from error
        return file


def calibration_path() -> Path:
    """Return the calibration file: ``REELPROC_CALIBRATION``, or one in :func:`reelproc.folders.data_folder`."""
    if named := os.environ.get("REELPROC_CALIBRATION"):
        return Path(named)
    return data_folder() / "calibration.json"


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
    return Calibration.model_validate_json(text).entries[0]
