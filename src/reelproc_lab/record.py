"""What one run is written down as, and the file that runs are appended to, one JSON line each."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from reelproc import SpecError, StorageError
from reelproc.schema import Schema
from reelproc_lab.environment import Environment

RunStatus = Literal["complete", "wrong", "timeout", "error"]
"""``wrong``: it ended, and what it made is not what was asked for; its times do not count."""

Temperature = Literal["warm", "cold", "any"]
"""Which runs count: those whose worker was ready (its process started, its network loaded), those that started one, or
all, where nothing is started."""


class Made(Schema):
    """A file that a run made, and what it must be.

    Attributes:
        path: of a local file.
        frames: that it must have.
        duration_seconds: that they must take, within one frame.
        audio: whether it must have sound, which must end with the picture.
        reference: show the same picture as this file; empty: as the baseline's, where that is promised.
    """

    path: str
    frames: int
    duration_seconds: float
    audio: bool = True
    reference: str = ""


class Measurement(Schema):
    """What was measured in one run.

    Attributes:
        client_seconds: from asking to having, as the client saw it: queueing and starting included.
        phases: seconds by phase, measured inside the jobs and added up over them; they overlap.
        machine_seconds: that must be paid for, all machines together; None where nothing is rented or known.
        machines: rented at the same time.
        cold: whether any of them was started for this run; None where nothing is started.
        frames: made.
        hardware, gpu, cores: what it ran on.
        usd_billed: with cores and memory, as Modal bills; None: no price is known.
        usd_original: by the original's formula and its three prices; None: it had no price for that.
        priced_as: what the prices are of; on your own machine, the rented one that it is likened to.
        quantities: what else was counted, by name with its unit, e.g. ``"bytes_moved"``.
        made: the files to verify.
        notes: for people.
    """

    client_seconds: float
    phases: dict[str, float] = Field(default_factory=dict)
    machine_seconds: float | None = None
    machines: int = 1
    cold: bool | None = None
    frames: int = 0
    hardware: str = "local"
    gpu: str | None = None
    cores: float | None = None
    usd_billed: float | None = None
    usd_original: float | None = None
    priced_as: str = ""
    quantities: dict[str, float] = Field(default_factory=dict)
    made: tuple[Made, ...] = ()
    notes: tuple[str, ...] = ()


class Record(Schema):
    """One run.

    Attributes:
        experiment, question: the name, and the fingerprint of the question that was stated before it.
        case, arm: which.
        repeat: the round, from 0.
        warm_up: it was not meant to count.
        sequence: the place among all runs of the file, from 0: what ran next to what.
        started: the time, ISO 8601 in UTC.
        status: how it ended.
        error: type and message of what went wrong, or what is wrong with the output.
        measurement: None where nothing was; of a timeout, seconds and cost are those of the limit: a floor.
        checks: what was found true of the output.
        environment: where and with which versions.
    """

    version: Literal[1] = 1
    experiment: str
    question: str
    case: str
    arm: str
    repeat: Annotated[int, Field(ge=0)]
    warm_up: bool = False
    sequence: Annotated[int, Field(ge=0)]
    started: str
    status: RunStatus
    error: str = ""
    measurement: Measurement | None = None
    checks: tuple[str, ...] = ()
    environment: Environment


class RunFile:
    """Runs on disk; only ever appended to, each line whole or not counted.

    Args:
        path: of the ``.jsonl`` file; it need not be there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[Record]:
        """All runs. A last line that a killed process left half-written is not one.

        Raises:
            SpecError: a line in the middle is no run of this version.
        """
        try:
            lines = self.path.read_bytes().splitlines(keepends=True)
        except FileNotFoundError:
            return []
        records = []
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                break
            try:
                records.append(Record.model_validate(json.loads(line)))
            except ValueError as error:  # SpecError is one
                raise SpecError(f"line {number} of {self.path} is no run of this version: {error}") from None
        return records

    def append(self, record: Record) -> None:
        """Write ``record`` so that it survives this process, and this machine.

        Raises:
            StorageError: it cannot be written.
        """
        line = record.model_dump_json().encode() + b"\n"
        try:
            with self.path.open("ab") as file:
                if _is_torn(self.path):  # what a killed process left
                    os.truncate(self.path, self.path.read_bytes().rfind(b"\n") + 1)
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StorageError(f"a run cannot be written to {self.path}: {error}") from error


def _is_torn(path: Path) -> bool:
    data = path.read_bytes()
    return bool(data) and not data.endswith(b"\n")
