"""One way of doing a job (where, in how many chunks, from a cold or a warm start), and what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from reelproc.cost.hardware_specs import THREADS_PER_CORE, Place, place
from reelproc.cost.pipeline import Level, Loop, at, basis_of, loop_of_parts, seconds
from reelproc.cost.rates import Basis, Rates
from reelproc.cost.work import Part, Work, added
from reelproc.executors.modal.presets import COORDINATOR
from reelproc.prices import PriceTable
from reelproc.render.chunks import divided
from reelproc.schema import Schema

Start = Literal["cold", "warm"]

PHASES = (
    "startup", "load", "download", "probe", "decode", "stages", "network", "encode", "render", "audio", "assemble",
    "upload",
)  # fmt: skip
"""In the order in which they begin."""

OVERLAPPING = ("decode", "stages", "network", "encode", "audio")
"""Those that go on at the same time; together they take as long as ``render``."""

CONTAINER_IDLE_SECONDS = 60
"""How long a container waits for another job (``scaledown_window`` of the app); that is billed as well."""


class Option(Schema):
    """What a job takes in one way of doing it.

    Attributes:
        executor: where.
        chunks: in how many parts.
        start: ``"cold"``: containers and workers are started, and networks loaded, for it; ``"warm"``: they are there.
        phases: seconds by phase, of all workers. ``decode``, ``stages``, ``network``, ``encode`` and ``audio`` are
            seconds of a processor or of the device, and overlap; ``render`` is how long they take together.
        wall_seconds, wall_low, wall_high: from submission to result, without waiting in a queue and without the time in
            which files of this machine go to a staging place; with the rates at their lower and upper quartiles (or
            bounds, where they are assumed) all at once.
        billed_seconds: of all containers together, each from its start to its end; 0 on your own machine.
        gpu_seconds: of these, those of containers with a GPU.
        usd, usd_low, usd_high: what they cost.
        idle_usd: what the containers that were started cost on top if no other job comes: they wait for one.
        basis: whether the rates that matter were measured on this hardware, or are predicted.
        why: where they come from.
    """

    executor: str
    chunks: int
    start: Start
    phases: dict[str, float] = Field(default_factory=dict)
    wall_seconds: float
    wall_low: float
    wall_high: float
    billed_seconds: float
    gpu_seconds: float
    usd: float
    usd_low: float
    usd_high: float
    idle_usd: float
    basis: Basis
    why: str


@dataclass(frozen=True, slots=True)
class Pricing:
    """How seconds become dollars.

    Attributes:
        table, region: see :meth:`reelproc.prices.PriceTable.usd_per_second`.
    """

    table: PriceTable
    region: str | None = None

    def rate(self, where: Place, used_threads: float = 0.0) -> float:
        """USD per second at a place that keeps so many logical processors busy."""
        if not where.rented:
            return self.table.own_machine.usd_per_second
        return self.table.usd_per_second(
            gpu=where.gpu,
            cores=where.cores,
            memory_bytes=where.memory_bytes,
            used_cores=used_threads / THREADS_PER_CORE,
            region=self.region,
        )


@dataclass
class _Bill:
    """What one level of the rates comes to."""

    wall: float = 0.0
    billed: float = 0.0
    gpu: float = 0.0
    usd: float = 0.0
    containers: list[Place] = field(default_factory=list)
    phases: dict[str, float] = field(default_factory=dict)

    def container(self, where: Place, pricing: Pricing, spent: float, cpu: float = 0.0) -> None:
        """Add a container that was there for ``spent`` seconds and used ``cpu`` processor seconds."""
        self.usd += spent * pricing.rate(where, cpu / spent if spent else 0.0)
        self.containers.append(where)
        if where.rented:
            self.billed += spent
            self.gpu += spent if where.gpu else 0.0


def option(work: Work, rates: Rates, pricing: Pricing, *, chunks: int, start: Start) -> Option:
    """Return what ``work`` takes at the place of ``rates``.

    Args:
        work: of the job.
        rates: of the place.
        pricing: what its seconds cost.
        chunks: in how many parts, at most as many as there are encoded segments.
        start: from a cold or a warm start.
    """
    likely, least, most = (_bill(work, rates, pricing, chunks, start, level) for level in ("value", "low", "high"))
    weights = _weights(work, rates, start)
    basis, why = basis_of(weights, rates)
    left_idle = [each for each in likely.containers if each.rented and start == "cold"]
    idle = sum(pricing.rate(each) * CONTAINER_IDLE_SECONDS for each in left_idle)
    return Option(
        executor=rates.place.executor,
        chunks=chunks,
        start=start,
        phases={name: round(likely.phases[name], 4) for name in PHASES if likely.phases.get(name)},
        wall_seconds=likely.wall,
        wall_low=least.wall,
        wall_high=most.wall,
        billed_seconds=likely.billed,
        gpu_seconds=likely.gpu,
        usd=likely.usd,
        usd_low=least.usd,
        usd_high=most.usd,
        idle_usd=idle,
        basis=basis,
        why=why,
    )


def _bill(work: Work, rates: Rates, pricing: Pricing, chunks: int, start: Start, level: Level) -> _Bill:
    parts = [work.part(share) for share in divided([s.frames for s in work.segments], chunks)] if work.segments else []
    if chunks == 1 or not parts:
        return _alone(work, parts, rates, pricing, start, level)
    if rates.place.rented:
        return _in_containers(work, parts, rates, pricing, start, level)
    return _in_processes(work, parts, rates, pricing, start, level)


def _alone(work: Work, parts: list[Part], rates: Rates, pricing: Pricing, start: Start, level: Level) -> _Bill:
    made = loop_of_parts(parts, rates, level, beside=work.beside)
    bill = _Bill(phases=added(_starting(work, rates, start, level), _around(work, rates, level), _rendering(made)))
    bill.wall = _sum(bill.phases)
    bill.container(rates.place, pricing, bill.wall, made.cpu)
    return bill


def _in_processes(work: Work, parts: list[Part], rates: Rates, pricing: Pricing, start: Start, level: Level) -> _Bill:
    """Predict workers on one machine: they share its processors, and each is started for its chunk."""
    made = loop_of_parts(parts, rates, level, beside=work.beside)
    around = _around(work, rates, level)
    first, each = _starting(work, rates, start, level), _starting(work, rates, "cold", level)
    rounds = max(1.0, len(parts) / rates.place.threads)
    more = {name: spent * rounds for name, spent in each.items()}
    again = {"probe": around.get("probe", 0.0) * rounds}
    bill = _Bill(phases=added(first, more, around, again, _rendering(made)))
    bill.wall = _sum(bill.phases)
    bill.container(rates.place, pricing, bill.wall, made.cpu)
    return bill


def _in_containers(work: Work, parts: list[Part], rates: Rates, pricing: Pricing, start: Start, level: Level) -> _Bill:
    """Count each chunk as a container of its own; another coordinates them and puts their segments together."""
    bill = _Bill()
    walls = []
    for part in parts:
        made = loop_of_parts([part], rates, level)
        share = part.frames / max(1, sum(p.frames for p in parts))
        moved = {
            "download": work.source_megabytes * share * at(rates("download"), level),
            "upload": work.output_megabytes * share * at(rates("upload"), level),
        }
        probing = {"probe": work.before.get("probe", 0.0) * at(rates("probe"), level)}
        phases = added(_starting(work, rates, start, level), moved, probing, _rendering(made))
        walls.append(_sum(phases))
        bill.container(rates.place, pricing, walls[-1], made.cpu)
        bill.phases = added(bill.phases, phases)
    coordinating = Rates(place(COORDINATOR.name), rates.calibration)
    around = _around(work, coordinating, level)
    # the segments come to it as the source would
    around["download"] = around.get("download", 0.0) + work.output_megabytes * at(coordinating("download"), level)
    own = added({"startup": at(coordinating("startup"), level)} if start == "cold" else {}, around)
    bill.wall = max(*walls, own.get("audio", 0.0)) + _sum(own)
    bill.container(coordinating.place, pricing, bill.wall)
    bill.phases = added(bill.phases, own)
    return bill


def _sum(phases: Mapping[str, float]) -> float:
    """Return the seconds of what comes one after the other."""
    return sum(spent for name, spent in phases.items() if name not in OVERLAPPING)


def _rendering(made: Loop) -> dict[str, float]:
    return added(made.phases, {"render": made.wall})


def _starting(work: Work, rates: Rates, start: Start, level: Level) -> dict[str, float]:
    if start == "warm":
        return {}
    loading = {"load": at(rates("load"), level)} if work.networks else {}
    return {"startup": at(rates("startup"), level)} | loading


def _around(work: Work, rates: Rates, level: Level) -> dict[str, float]:
    """Return what comes before, beside and after the loop."""
    phases: dict[str, float] = {}
    for kind, spent in seconds(added(work.before, work.beside, work.after), rates, level).items():
        name = "assemble" if kind == "copy" else kind.partition(".")[0]
        phases[name] = phases.get(name, 0.0) + spent
    moved = work.source_megabytes if rates.place.rented else work.remote_megabytes
    if moved:
        phases["download"] = moved * at(rates("download"), level)
    if rates.place.rented and work.output_megabytes:
        phases["upload"] = work.output_megabytes * at(rates("upload"), level)
    return phases


def _weights(work: Work, rates: Rates, start: Start) -> dict[str, float]:
    """Return the seconds by kind, to tell which rates matter."""
    counted = added(work.whole.amounts, work.before, work.beside, work.after)
    weights = {kind: spent for kind, spent in seconds(counted, rates, "value").items() if spent}
    if start == "cold":
        weights["startup"] = at(rates("startup"), "value")
        if work.networks:
            weights["load"] = at(rates("load"), "value")
    if rates.place.rented:
        weights["download"] = work.source_megabytes * at(rates("download"), "value")
        weights["upload"] = work.output_megabytes * at(rates("upload"), "value")
    return weights
