"""The file in which measured rates are kept, and how finished runs add to them.

The file is written by ``reelproc calibrate``, by :meth:`Calibration.add` and by experiments. It is at
``REELPROC_CALIBRATION``, else ``calibration.json`` in the folder that ``REELPROC_HOME`` means, else in the user's data
folder. A rate keeps its latest samples, so that a median and quartiles can be told, and a machine that changes is
followed. Rates of one machine are never used as measured on another.
"""

from __future__ import annotations

import os
from pathlib import Path

from reelproc.cost.learning import pace_in, rates_of
from reelproc.cost.measured_rates import Machine, MeasuredRates, this_host
from reelproc.cost.work import Work
from reelproc.errors import SpecError, StorageError
from reelproc.files import whole_file
from reelproc.folders import data_folder
from reelproc.results import DetectResult, RenderResult


class Calibration(MeasuredRates):
    """All that is known of all machines, and where it is kept. Adding to it makes a new one.

    >>> here = Machine(cpu="test", threads=2)
    >>> Calibration().with_samples("local", here, {"pipe": [0.001, 0.002]}).entry("local", here).spread("pipe").count
    2
    """

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
