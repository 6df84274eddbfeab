"""What an experiment measures with: executors that stay warm between runs, addresses for files, and jobs timed."""

from __future__ import annotations

import contextlib
import shutil
import time
import uuid
from collections.abc import Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from reelproc import (
    Calibration,
    DetectResult,
    Executor,
    JobTimeoutError,
    RenderResult,
    SpecError,
    StorageError,
    executor,
)
from reelproc.cost.busy_machine import is_loaded
from reelproc.cost.job_work import work_of
from reelproc.executors.modal.presets import COORDINATOR
from reelproc.jobs import ChunkJob, Job
from reelproc.schema import Items, Schema
from reelproc.storage import join, publish, remove, resolve, scheme_of
from reelproc_lab.container_rates import rate_of
from reelproc_lab.environment import environment
from reelproc_lab.original_programs.runner import OriginalJob
from reelproc_lab.question import Level
from reelproc_lab.record import Measurement

if TYPE_CHECKING:
    from collections.abc import Iterator

AnyResult = RenderResult | DetectResult

_STARTED_SECONDS = 0.05


class Settings(Schema):
    """How an experiment is run; what is asked is the experiment's own.

    Attributes:
        executors: where jobs run. Experiments that compare hardware compare these, the first being the baseline;
            others hold the first.
        full: the sizes of the original's experiments, instead of ones that two cores can do in minutes.
        repeats: rounds; None: as many as the experiment proposes.
        warm_ups: runs of every arm before the first round, which do not count; None: as the experiment proposes.
        timeout: seconds that a job may run. Then the run ends, and is recorded as at least so long.
        footage: a video to work on, or a folder with some; None: a drawn one.
        staging: ``s3://bucket/prefix`` for executors that cannot reach this machine's files.
        model: the network for jobs with AI; None: the default one where it can run, otherwise none.
        calibration: a file to which all jobs add what they teach of the hardware, for :func:`reelproc.estimate`.
    """

    executors: Annotated[Items[str], Field(min_length=1)] = ("local",)
    full: bool = False
    repeats: Annotated[int, Field(ge=1, le=1000)] | None = None
    warm_ups: Annotated[int, Field(ge=0, le=100)] | None = None
    timeout: Annotated[float, Field(gt=0)] = 600.0
    footage: str | None = None
    staging: str | None = None
    model: str | None = None
    calibration: str | None = None

    @property
    def executor(self) -> str:
        """The one that is held, where hardware is not compared."""
        return self.executors[0]

    def held(self, **more: Level) -> dict[str, Level]:
        """Return the settings that every experiment holds the same, and ``more``."""
        return {"full": self.full, "footage": self.footage or "drawn match", **more}


class TimedOut(JobTimeoutError):
    """A run ended at its time limit.

    Attributes:
        measurement: seconds and cost up to then: a floor.
    """

    measurement: Measurement | None = None


@dataclass(frozen=True)
class Done:
    """Some jobs, done.

    Attributes:
        results: in the order of the jobs.
        measurement: of all of them together, without the files to verify.
    """

    results: list[Any]
    measurement: Measurement


class Bench:
    """What :class:`~reelproc_lab.harness.Experiment` functions are given. A context manager.

    Args:
        settings: how to run.
        folder: for intermediate files; everything in it may be thrown away afterwards.

    Attributes:
        settings, folder: the same.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.folder = folder
        self._stack = ExitStack()
        self._executors: dict[str, Executor] = {}
        self._sources: dict[Path, str] = {}
        self._remote: list[str] = []
        self._run = uuid.uuid4().hex[:8]

    def __enter__(self) -> Bench:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._stack.__exit__(kind, error, trace)  # after an interruption, executors cancel what they do
        finally:
            shutil.rmtree(self.folder / "jobs", ignore_errors=True)
            shutil.rmtree(self.folder / "outputs", ignore_errors=True)
            for address in self._remote:
                with contextlib.suppress(StorageError):  # what cannot be removed costs a little storage, and no figure
                    remove(address)

    # ---- addresses

    def source(self, path: Path, where: str) -> str:
        """Return an address of a file of this machine that the executor ``where`` can reach; uploaded once.

        Raises:
            SpecError: it cannot, and there is no ``staging``.
        """
        if where.startswith("local"):
            return str(path)
        if path not in self._sources:
            address = join(self._staging(where), "sources", f"{uuid.uuid4().hex}{path.suffix}")
            self._remote.append(address)
            publish(path, address, keep=True)
            self._sources[path] = address
        return self._sources[path]

    def output(self, name: str, where: str) -> str:
        """Return a new address for a result, so that no run finds another's."""
        fresh = f"{self._run}-{uuid.uuid4().hex[:8]}"
        if where.startswith("local"):
            folder = self.folder / "outputs" / fresh
            folder.mkdir(parents=True)
            return str(folder / name)
        self._remote.append(join(self._staging(where), "runs", fresh, name))
        return self._remote[-1]

    def fetched(self, address: str) -> str:
        """Return a local file with the content of ``address``."""
        if scheme_of(address) == "file":
            return address
        folder = self.folder / "outputs" / uuid.uuid4().hex
        folder.mkdir(parents=True)
        return str(resolve(address, folder=folder))

    def size_bytes(self, address: str) -> int:
        """Of a result."""
        return Path(self.fetched(address)).stat().st_size

    def _staging(self, where: str) -> str:
        if self.settings.staging is None:
            raise SpecError(f"{where} cannot reach this machine's files; give staging='s3://bucket/prefix' (--staging)")
        return self.settings.staging

    # ---- jobs

    def do(
        self,
        jobs: Sequence[Job[AnyResult]],
        where: str,
        *,
        fresh: bool = False,
        at_once: bool = False,
    ) -> Done:
        """Have jobs done, and measure them together.

        Args:
            jobs: what to do.
            where: the executor's name.
            fresh: on one that has just been made: here, its worker processes start with the first jobs. What Modal
                starts, it decides itself; the measurement says.
            at_once: submit all before waiting for any; here, each has a worker of its own then. Otherwise one after the
                other.

        Raises:
            TimedOut: one ended at its time limit.
            ReelprocError: one failed, typed; the others are cancelled.
        """
        with self._executor(where, fresh=fresh, workers=len(jobs) if at_once else 1) as ex:
            begin = time.perf_counter()
            try:
                results = self._run_all(ex, jobs, at_once=at_once)
            except JobTimeoutError as error:
                raise self._timed_out(error, ex, time.perf_counter() - begin, len(jobs) if at_once else 1) from error
            seconds = time.perf_counter() - begin
            self._learn(jobs, results)
            return Done(results, measured(ex, results, seconds, machines=len(jobs) if at_once else 1))

    def _run_all(self, ex: Executor, jobs: Sequence[Job[AnyResult]], *, at_once: bool) -> list[AnyResult]:
        limit = self.settings.timeout
        if not at_once:
            return [ex.submit(job, timeout=limit).result() for job in jobs]
        return [result for result in ex.map(jobs, timeout=limit) if not isinstance(result, Exception)]

    def _learn(self, jobs: Sequence[Job[AnyResult]], results: Sequence[AnyResult]) -> None:
        """Add what the jobs teach to the calibration file; chunks are taught by the whole that they belong to.

        The highlight app's program teaches nothing of reelproc's.
        """
        path = self.settings.calibration
        if path is None:
            return
        known = Calibration.load(path) if Path(path).exists() else Calibration()
        for job, result in zip(jobs, results, strict=True):
            if not isinstance(job, ChunkJob | OriginalJob):
                busy = result.hardware == "local" and is_loaded(environment().load)
                known = known.add(result, work_of(job), busy=busy)
        known.save(path)

    @contextmanager
    def _executor(self, where: str, *, fresh: bool, workers: int) -> Iterator[Executor]:
        options: dict[str, Any] = {}
        if where == "local":
            options |= {"workers": workers, "folder": self.folder / "jobs"}
        if fresh or workers > 1:
            with executor(where, **options) as made:
                yield made
            return
        if where not in self._executors:
            self._executors[where] = self._stack.enter_context(executor(where, **options))
        yield self._executors[where]

    @staticmethod
    def _timed_out(error: JobTimeoutError, ex: Executor, seconds: float, machines: int) -> TimedOut:
        rate = rate_of(ex.hardware)
        paid = seconds if ex.hardware.usd_per_second == 0.0 else seconds * machines
        late = TimedOut(str(error))
        late.measurement = Measurement(
            client_seconds=seconds,
            machine_seconds=paid,
            machines=machines,
            hardware=ex.hardware.name,
            gpu=ex.hardware.gpu,
            cores=ex.hardware.cores,
            priced_as=rate.priced_as,
            usd_billed=paid * rate.billed_usd_per_second,
            usd_original=_times(paid, rate.original_usd_per_second),
            notes=("seconds and cost are at least these: the run ended at its time limit",),
        )
        return late


def measured(ex: Executor, results: Sequence[AnyResult], seconds: float, *, machines: int = 1) -> Measurement:
    """Return the measurement of some jobs' results.

    On your own machine the one machine is paid for as long as the client waited, whatever runs on it side by side. On
    Modal every container is paid for as long as it was busy, its start included. The original's formula takes the
    client's wall time where there was one container.
    """
    rate = rate_of(ex.hardware)
    phases: dict[str, float] = {}
    for result in results:
        for name, value in result.phases.items():
            phases[name] = round(phases.get(name, 0.0) + value, 4)
    owned = ex.hardware.usd_per_second == 0.0
    parts = phases.get("parts", 0.0)
    cold_starts = sum(bool(_cold(result)) for result in results)
    if owned:
        machine_seconds, billed = seconds, seconds * rate.billed_usd_per_second
    else:
        billed = sum(result.cost_usd for result in results)
        coordinator = COORDINATOR.hardware.usd_per_second
        of_parts = parts * rate.billed_usd_per_second
        machine_seconds = parts + (billed - of_parts) / coordinator if parts else billed / rate.billed_usd_per_second
    alone = machines == 1 and not parts
    paid = seconds if owned or alone else machine_seconds
    working = sum(r.phases.get("startup", 0.0) + r.phases.get("wall", 0.0) for r in results)
    return Measurement(
        client_seconds=round(seconds, 4),
        phases=phases,
        machine_seconds=round(machine_seconds, 4),
        machines=machines,
        cold=cold_starts > 0,
        frames=sum(result.frame_count for result in results),
        hardware=ex.hardware.name,
        gpu=next((r.gpu for r in results if r.gpu), ex.hardware.gpu),
        cores=ex.hardware.cores,
        usd_billed=round(billed, 9),
        usd_original=_times(paid, rate.original_usd_per_second),
        priced_as=rate.priced_as,
        quantities={"worker_seconds": round(working + parts, 4), "cold_starts": float(cold_starts)},
        notes=tuple(dict.fromkeys(w for r in results for w in r.warnings)),
    )


def _cold(result: AnyResult) -> bool:
    """Whether a process or container was started for it, or a network loaded, also for its parts.

    Here, either takes 0.1 s or more, and opening stages that need neither a millisecond; all are the phase startup.
    """
    return bool(result.cold_start) or result.phases.get("startup", 0.0) > _STARTED_SECONDS


def _times(seconds: float, rate: float | None) -> float | None:
    return None if rate is None else round(seconds * rate, 9)
