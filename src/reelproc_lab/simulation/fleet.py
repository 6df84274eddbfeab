"""A day of jobs on rented containers, event by event: what it costs, and how long people wait.

Jobs arrive at random, more often at some hours than at others; each is divided into chunks; a chunk takes an idle
container (the one that was busy last, so that the others can end), or a new one, or, where no more may be had, waits in
line. A container that was idle for the scale-down window ends, unless it belongs to the warm pool. Containers are paid
for from their start to their end, idle seconds included. **This is a simulation.**
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
import statistics
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from reelproc import SpecError
from reelproc.schema import Items, Schema

HOURS, DAY_SECONDS = 24, 86_400.0

EVENING: tuple[float, ...] = (
    *(0.6, 0.3, 0.2, 0.1, 0.1, 0.2, 0.4, 0.7, 0.9, 1.0, 1.1, 1.2),
    *(1.2, 1.2, 1.2, 1.3, 1.5, 1.9, 2.6, 3.0, 2.8, 2.2, 1.6, 1.0),
)
"""How often people cut their games, hour by hour, relative to each other: assumed, with its peak at 19 h."""

_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Fleet(Schema):
    """What arrives, what does it, and what that costs. Times are seconds.

    Attributes:
        jobs_per_day: expected.
        by_hour: weights of the day's 24 hours.
        job_frames: how many frames a job has; one is drawn for each.
        seconds_per_frame: of a chunk's work.
        chunk_seconds: of a chunk beyond its frames: its part of the source, its upload.
        join_seconds: of a job with more than one chunk, when they are done.
        start_seconds: of a container, the network's load included: drawn between these two.
        scaledown_seconds: that a container waits for more work before it ends.
        warm_pool: containers that never end.
        limit: containers that may be had at once.
        chunks: into how many a job is divided, at most one for each frame.
        usd_per_second: of a container.
        coordinator_usd_per_second: of what waits for a divided job's chunks and joins them.
    """

    jobs_per_day: _Positive = 10_000
    by_hour: Items[_NotNegative] = EVENING
    job_frames: Annotated[Items[Annotated[int, Field(gt=0)]], Field(min_length=1)] = (180, 180, 450, 900)
    seconds_per_frame: _Positive = 0.15
    chunk_seconds: _NotNegative = 2.0
    join_seconds: _NotNegative = 1.5
    start_seconds: tuple[_NotNegative, _NotNegative] = (5.0, 13.0)
    scaledown_seconds: _NotNegative = 60.0
    warm_pool: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=1)] = 100
    chunks: Annotated[int, Field(ge=1, le=64)] = 1
    usd_per_second: _NotNegative
    coordinator_usd_per_second: _NotNegative = 0.0

    def model_post_init(self, _context: object, /) -> None:
        """Check what the single fields cannot tell."""
        if len(self.by_hour) != HOURS or not sum(self.by_hour):
            raise ValueError(f"by_hour has {HOURS} weights, not all 0, got {len(self.by_hour)}")
        if self.warm_pool > self.limit:
            raise ValueError(f"the warm pool is within the limit, got {self.warm_pool} of {self.limit}")
        if self.start_seconds[0] > self.start_seconds[1]:
            raise ValueError("start_seconds are in order")


class Day(Schema):
    """What came of a simulated day.

    Attributes:
        simulated: always True: nothing of it was measured.
        chunks, warm_pool: of the fleet.
        jobs, tasks: that arrived, and the chunks they were divided into; all are done.
        wall_median, wall_p95, wall_p99: from asking for a job to having it.
        waited_p95: until a job's last chunk began.
        usd, usd_per_job: all containers, warm pool and coordinators included.
        busy_seconds, paid_seconds: of the containers; their ratio is how well they are used.
        starts: containers that were started.
        cold_share: of the chunks, those that waited for a container to start.
        most_containers, longest_line: at any time.
    """

    simulated: Literal[True] = True
    chunks: int
    warm_pool: int
    jobs: int
    tasks: int
    wall_median: float
    wall_p95: float
    wall_p99: float
    waited_p95: float
    usd: float
    usd_per_job: float
    busy_seconds: float
    paid_seconds: float
    starts: int
    cold_share: float
    most_containers: int
    longest_line: int


def arrivals(fleet: Fleet, rng: random.Random) -> Iterator[float]:
    """When jobs arrive, in order: a Poisson process whose rate is constant within each hour.

    (P. Lewis, G. Shedler, "Simulation of nonhomogeneous Poisson processes by thinning", 1979.)
    """
    total, top = sum(fleet.by_hour), max(fleet.by_hour)
    peak = fleet.jobs_per_day * top / total / 3600
    time = rng.expovariate(peak)
    while time < DAY_SECONDS:
        if rng.random() * top < fleet.by_hour[int(time // 3600)]:
            yield time
        time += rng.expovariate(peak)


@dataclass
class _Job:
    arrived: float
    frames: int
    open: int
    started: float = 0.0


@dataclass
class _Container:
    born: float
    idle_since: float | None = None
    alive: bool = True


@dataclass(frozen=True)
class _Arrival:
    job: _Job
    shares: list[int]


@dataclass(frozen=True)
class _Done:
    job: _Job
    container: _Container


@dataclass(frozen=True)
class _Rested:
    container: _Container
    since: float


_Event = _Arrival | _Done | _Rested


@dataclass
class _State:
    """The fleet at a moment."""

    fleet: Fleet
    rng: random.Random
    events: list[tuple[float, int, _Event]] = field(default_factory=list)
    idle: list[_Container] = field(default_factory=list)
    line: deque[tuple[_Job, int]] = field(default_factory=deque)
    alive: int = 0
    most: int = 0
    starts: int = 0
    cold: int = 0
    longest: int = 0
    busy: float = 0.0
    paid: float = 0.0
    coordinated: float = 0.0
    walls: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    serial: itertools.count[int] = field(default_factory=itertools.count)

    def later(self, time: float, event: _Event) -> None:
        heapq.heappush(self.events, (time, next(self.serial), event))


def simulate_day(fleet: Fleet, *, seed: int = 0) -> Day:
    """One day; what is still being done at its end is finished, and paid for.

    Args:
        fleet: what to simulate.
        seed: equal seeds give equal days, and the same jobs whatever the fleet does with them.

    Raises:
        SpecError: not a single job arrived.
    """
    jobs_rng = random.Random(seed)  # noqa: S311 - a simulation, not a secret
    state = _State(fleet, random.Random(seed + 1))  # noqa: S311
    tasks = 0
    for time in arrivals(fleet, jobs_rng):
        frames = jobs_rng.choice(fleet.job_frames)
        shares = split_frames(frames, fleet.chunks)
        tasks += len(shares)
        state.later(time, _Arrival(_Job(time, frames, len(shares)), shares))
    if not tasks:
        raise SpecError(f"no job arrived on the simulated day, at {fleet.jobs_per_day:g} a day; ask for more")
    for _ in range(fleet.warm_pool):
        container = _Container(born=0.0)
        state.alive += 1
        _rest(state, container, 0.0)
    state.most = state.alive
    end = DAY_SECONDS
    while state.events:
        time, _, event = heapq.heappop(state.events)
        match event:
            case _Arrival(job, shares):
                for share in shares:
                    _ask(state, job, share, time)
            case _Done(job, container):
                _finished(state, job, container, time)
                end = max(end, time)
            case _Rested(container, since):
                _expired(state, container, since, time)
    state.paid += sum(max(end, DAY_SECONDS) - c.born for c in state.idle if c.alive)
    return _day(state, tasks)


def split_frames(frames: int, chunks: int) -> list[int]:
    """``frames`` in at most so many parts, as even as can be.

    >>> split_frames(10, 4), split_frames(2, 4)
    ([3, 3, 2, 2], [1, 1])
    """
    count = min(chunks, frames)
    each, more = divmod(frames, count)
    return [each + (n < more) for n in range(count)]


def _ask(state: _State, job: _Job, frames: int, time: float) -> None:
    """Give a chunk to a container, or put it in the line."""
    while state.idle:
        container = state.idle.pop()
        if container.alive:
            _begin(state, job, frames, container, time)
            return
    if state.alive < state.fleet.limit:
        container = _Container(born=time)
        state.alive += 1
        state.starts += 1
        state.cold += 1
        state.most = max(state.most, state.alive)
        _begin(state, job, frames, container, time + state.rng.uniform(*state.fleet.start_seconds))
        return
    state.line.append((job, frames))
    state.longest = max(state.longest, len(state.line))


def _begin(state: _State, job: _Job, frames: int, container: _Container, start: float) -> None:
    container.idle_since = None
    job.started = max(job.started, start)
    seconds = state.fleet.chunk_seconds + frames * state.fleet.seconds_per_frame
    state.busy += seconds
    state.later(start + seconds, _Done(job, container))


def _finished(state: _State, job: _Job, container: _Container, time: float) -> None:
    job.open -= 1
    if not job.open:
        divided_job = state.fleet.chunks > 1 and job.frames > 1
        wall = time - job.arrived + (state.fleet.join_seconds if divided_job else 0.0)
        state.coordinated += wall if divided_job else 0.0
        state.walls.append(wall)
        state.waits.append(job.started - job.arrived)
    if state.line:
        waiting, frames = state.line.popleft()
        _begin(state, waiting, frames, container, time)
    else:
        _rest(state, container, time)


def _rest(state: _State, container: _Container, time: float) -> None:
    container.idle_since = time
    state.idle.append(container)
    state.later(time + state.fleet.scaledown_seconds, _Rested(container, time))


def _expired(state: _State, container: _Container, since: float, time: float) -> None:
    """End a container that has been idle since then, unless it is of the warm pool: those that are left."""
    if not container.alive or container.idle_since != since or state.alive <= state.fleet.warm_pool:
        return
    container.alive = False
    state.alive -= 1
    state.paid += time - container.born


def _day(state: _State, tasks: int) -> Day:
    fleet = state.fleet
    usd = state.paid * fleet.usd_per_second + state.coordinated * fleet.coordinator_usd_per_second
    return Day(
        chunks=fleet.chunks,
        warm_pool=fleet.warm_pool,
        jobs=len(state.walls),
        tasks=tasks,
        wall_median=round(statistics.median(state.walls), 2),
        wall_p95=round(percentile(state.walls, 0.95), 2),
        wall_p99=round(percentile(state.walls, 0.99), 2),
        waited_p95=round(percentile(state.waits, 0.95), 2),
        usd=round(usd, 4),
        usd_per_job=round(usd / len(state.walls), 6),
        busy_seconds=round(state.busy, 1),
        paid_seconds=round(state.paid, 1),
        starts=state.starts,
        cold_share=round(state.cold / tasks, 4),
        most_containers=state.most,
        longest_line=state.longest,
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Return the least of ``values`` that at least ``share`` of them do not exceed.

    >>> percentile([4.0, 1.0, 3.0, 2.0], 0.5)
    2.0
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
