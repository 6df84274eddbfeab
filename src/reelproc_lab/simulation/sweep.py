"""The same simulated day with other numbers of chunks and of warm containers, and where its knee is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reelproc import Progress, SpecError
from reelproc.executors.modal.presets import COORDINATOR, PRESETS
from reelproc.results import ProgressCallback
from reelproc_lab.simulation.fleet import Day, Fleet, simulate_day
from reelproc_lab.simulation.parameters import Parameter

CHUNKS, POOLS = (1, 2, 4, 8, 16), (0, 5, 10, 20, 40)

_START = "the original's recorded container starts (2 to 7 s) and model loads (about 4 s), see the replay"

ASSUMED: tuple[Parameter, ...] = (
    Parameter(
        name="seconds_per_frame",
        value=0.12,
        low=0.06,
        high=0.35,
        source="0.10 s in the network of a T4 (see the replay) and a fifth for what does not overlap: assumed, to be "
        "replaced by e6 on a T4",
    ),
    Parameter(
        name="chunk_seconds", value=2.0, low=1.0, high=6.0, source="assumed: reading its part of the source, uploading"
    ),
    Parameter(
        name="join_seconds", value=1.5, low=0.5, high=4.0, source="assumed: moving packets, the sound, uploading"
    ),
    Parameter(name="start_seconds", value=9.0, low=5.0, high=13.0, source=_START),
    Parameter(name="scaledown_seconds", value=60.0, low=60.0, high=60.0, source="Modal's default window"),
    Parameter(name="limit", value=100.0, low=100.0, high=100.0, source="assumed: what an account may have at once"),
)
"""What a day is simulated with. Arrivals by hour and lengths of jobs are assumptions too: see ``Fleet``."""


def likely_fleet(*, executor: str = "modal-t4", jobs_per_day: float = 10_000, **changes: float) -> Fleet:
    """Return the fleet of :data:`ASSUMED`, at the price of a preset of reelproc's on Modal.

    Args:
        executor: whose price; the seconds do not follow it.
        jobs_per_day: expected.
        changes: other values of ``Fleet``'s fields.

    Raises:
        SpecError: no such preset, or impossible figures.
    """
    if executor not in PRESETS:
        raise SpecError(f"no price is known of {executor!r}; there are: {', '.join(PRESETS)}")
    by_name = {p.name: p for p in ASSUMED}
    start = by_name["start_seconds"]
    fields: dict[str, object] = {
        name: by_name[name].value
        for name in ("seconds_per_frame", "chunk_seconds", "join_seconds", "scaledown_seconds")
    }
    fields |= {
        "start_seconds": (start.low, start.high),
        "limit": round(by_name["limit"].value),
        "jobs_per_day": jobs_per_day,
        "usd_per_second": PRESETS[executor].hardware.usd_per_second,
        "coordinator_usd_per_second": COORDINATOR.hardware.usd_per_second,
    }
    return Fleet.model_validate(fields | changes)


def sweep(
    fleet: Fleet,
    *,
    chunks: Sequence[int] = CHUNKS,
    pools: Sequence[int] = POOLS,
    seed: int = 0,
    progress: ProgressCallback = lambda _: None,
    check: Callable[[], None] = lambda: None,
) -> list[Day]:
    """One day for each number of chunks and each warm pool, all with the same jobs.

    Args:
        fleet: all else.
        chunks, pools: to try.
        seed: of the day.
        progress: told after each.
        check: called before each; raises to stop.
    """
    pairs = [(c, w) for c in chunks for w in pools]
    days: list[Day] = []
    for number, (chunk, pool) in enumerate(pairs):
        check()
        each = fleet.model_copy(update={"chunks": chunk, "warm_pool": min(pool, fleet.limit)})
        days.append(simulate_day(each, seed=seed))
        progress(Progress(phase="simulate", done=number + 1, total=len(pairs)))
    return days


def frontier(days: Sequence[Day]) -> list[Day]:
    """Return the Pareto front of days by cost and ``wall_p95``, the cheapest first."""
    best: list[Day] = []
    for day in sorted(days, key=lambda d: (d.usd_per_job, d.wall_p95)):
        if not best or day.wall_p95 < best[-1].wall_p95:
            best.append(day)
    return best


def knee(days: Sequence[Day]) -> Day:
    """Return the knee of the Pareto front: beyond it a shorter wait gets dear.

    Cost and ``wall_p95`` are scaled to 0 to 1 over the frontier; the knee is the point farthest below the straight line
    between its two ends (V. Satopää and others, "Finding a 'kneedle' in a haystack", 2011). With two points or fewer
    there is none, and the cheapest is taken.
    """
    line = frontier(days)
    if len(line) < 3:
        return line[0]
    usd, wall = line[-1].usd_per_job - line[0].usd_per_job, line[0].wall_p95 - line[-1].wall_p95

    def below(day: Day) -> float:
        x = (day.usd_per_job - line[0].usd_per_job) / usd
        y = (day.wall_p95 - line[-1].wall_p95) / wall
        return 1 - x - y

    return max(line, key=below)
