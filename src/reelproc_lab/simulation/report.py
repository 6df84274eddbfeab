"""Ask both questions of the simulation, and write the answers down: JSON, Markdown and, with the extra, charts."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from reelproc import StorageError
from reelproc.files import whole_file
from reelproc.results import ProgressCallback
from reelproc.schema import Schema
from reelproc_lab.simulation.fleet import Day, Fleet
from reelproc_lab.simulation.parameters import Parameter, Parameters
from reelproc_lab.simulation.replay import Chance, Replayed, one_against_one, replay
from reelproc_lab.simulation.sweep import ASSUMED, frontier, knee, likely_fleet, sweep

LABEL = "SIMULATION: nothing on this page was measured on a T4, an L4 or on Modal."


class Simulation(Schema):
    """Everything that was asked and answered.

    Attributes:
        simulated: always True.
        label: to be shown wherever any of it is shown.
        seed: of every draw.
        parameters: of the replay.
        replayed: the original's recorded runs.
        chance: one run on an L4 over one on a T4.
        assumed: of the days.
        fleet: what all days share.
        days: one for each number of chunks and warm containers.
        knee: the one beyond which a shorter wait gets dear.
    """

    simulated: Literal[True] = True
    label: str = LABEL
    seed: int
    parameters: tuple[Parameter, ...]
    replayed: tuple[Replayed, ...]
    chance: Chance
    assumed: tuple[Parameter, ...]
    fleet: Fleet
    days: tuple[Day, ...]
    knee: Day


def simulate(
    *,
    jobs_per_day: float = 10_000,
    executor: str = "modal-t4",
    seconds_per_frame: float | None = None,
    seed: int = 0,
    progress: ProgressCallback = lambda _: None,
    check: Callable[[], None] = lambda: None,
) -> Simulation:
    """Replay the original's recorded runs, and simulate a day of jobs.

    Args:
        jobs_per_day: expected.
        executor: whose price the containers have, a preset of reelproc's on Modal.
        seconds_per_frame: of a chunk's work, where it is known better than assumed, e.g. from e6.
        seed: equal seeds give equal answers.
        progress: told after each simulated day.
        check: called before each; raises to stop.

    Raises:
        SpecError: no such preset, or impossible figures.
    """
    changes = {} if seconds_per_frame is None else {"seconds_per_frame": seconds_per_frame}
    fleet = likely_fleet(executor=executor, jobs_per_day=jobs_per_day, **changes)
    days = sweep(fleet, seed=seed, progress=progress, check=check)
    assumed = tuple(_given(p, seconds_per_frame) for p in ASSUMED)
    return Simulation(
        seed=seed,
        parameters=tuple(Parameters()),
        replayed=tuple(replay(seed=seed)),
        chance=one_against_one(seed=seed),
        assumed=assumed,
        fleet=fleet,
        days=tuple(days),
        knee=knee(days),
    )


def _given(parameter: Parameter, seconds_per_frame: float | None) -> Parameter:
    if parameter.name != "seconds_per_frame" or seconds_per_frame is None:
        return parameter
    value = seconds_per_frame
    return parameter.model_copy(update={"value": value, "low": value, "high": value, "source": "given"})


def write_simulation(found: Simulation, folder: str | os.PathLike[str], *, charts: bool = True) -> list[Path]:
    """Write ``simulation.json``, ``simulation.md`` and two charts as SVG; returns what was written.

    Args:
        found: what to write.
        folder: made if it is not there.
        charts: also the charts, which need the extra ``report``.

    Raises:
        MissingDependencyError: charts are wanted, and the extra is not installed.
        StorageError: something cannot be written.
    """
    place = Path(folder)
    texts = {"simulation.json": found.model_dump_json(indent=1) + "\n", "simulation.md": markdown(found, charts=charts)}
    if charts:
        from reelproc_lab.charts import knee_chart, replay_chart

        texts |= {"replay.svg": replay_chart(found.replayed), "knee.svg": knee_chart(found.days, found.knee)}
    written = []
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            path = place / name
            with whole_file(path) as partial:
                partial.write_text(text, encoding="utf-8")
            written.append(path)
    except OSError as error:
        raise StorageError(f"the simulation cannot be written to {os.fspath(folder)!r}: {error}") from error
    return written


def markdown(found: Simulation, *, charts: bool = False) -> str:
    """Return the whole report for people; ``charts``: with the pictures that lie beside it."""
    explained = [r for r in found.replayed if r.verdict == "explained"]
    asked = [r for r in found.replayed if r.verdict != "fitted"]
    chance, best, fleet = found.chance, found.knee, found.fleet
    lengths = ", ".join(map(str, sorted(set(fleet.job_frames))))
    shown = (
        f"{len(explained)} of {len(asked)} runs that nothing was fitted to lie within the middle 90 % of their "
        "simulated times."
    )
    ratio = (
        "One run on an L4 over one on a T4, each with a host of its own luck: the ratio's median is "
        f"{chance.median:.2f}, its middle 90 % {chance.low:.2f} to {chance.high:.2f}. It is at least 1.16 in "
        f"{chance.at_least_116:.0%} and at least 1.67 in {chance.at_least_167:.1%} of the pairs."
    )
    day = (
        f"Containers at ${fleet.usd_per_second:.6f} a second, {fleet.seconds_per_frame:g} s a frame, jobs of {lengths} "
        "frames. Wall is from asking for a job to having it."
    )
    answer = (
        f"The knee: **{best.chunks} chunk{'s' * (best.chunks > 1)} and {best.warm_pool} warm containers**, "
        f"${best.usd_per_job:.4f} a job, 95 % of them done within {best.wall_p95:.0f} s."
    )
    lines = [
        "# Simulation",
        "",
        f"**{LABEL}** Times and costs are worked out from the parameters below, seed {found.seed}.",
        "",
        "## The original's recorded runs, replayed",
        "",
        shown,
        "",
        *(["![Recorded against simulated times](replay.svg)", ""] if charts else []),
        "| run | recorded s | simulated s | middle 90 % | residual | verdict | remark |",
        "| --- | ---: | ---: | ---: | ---: | --- | --- |",
        *(_row(r) for r in found.replayed),
        "",
        ratio,
        "",
        *_table(found.parameters),
        "",
        f"## A day of {fleet.jobs_per_day:g} jobs",
        "",
        day,
        "",
        answer,
        "",
        *(["![Cost against waiting](knee.svg)", ""] if charts else []),
        "| chunks | warm | USD a job | wall median s | p95 s | p99 s | cold chunks | most containers | busy |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(_day_row(each, frontier(found.days), best) for each in found.days),
        "",
        "Rows in bold are those than which none is both cheaper and faster (p95).",
        "",
        *_table(found.assumed),
        "",
    ]
    return "\n".join(lines)


def _row(r: Replayed) -> str:
    recorded = f"over {r.recorded_seconds:g}" if r.timed_out else f"{r.recorded_seconds:g}"
    return (
        f"| {r.name} | {recorded} | {r.simulated_seconds:g} | {r.low:g} to {r.high:g} | {r.residual_seconds:+.1f} s, "
        f"{r.residual_share:+.0%} | {r.verdict} | {r.remark} |"
    )


def _day_row(day: Day, line: list[Day], best: Day) -> str:
    cells = [
        f"{day.chunks}",
        f"{day.warm_pool}",
        f"{day.usd_per_job:.4f}",
        f"{day.wall_median:.0f}",
        f"{day.wall_p95:.0f}",
        f"{day.wall_p99:.0f}",
        f"{day.cold_share:.0%}",
        f"{day.most_containers}",
        f"{day.busy_seconds / day.paid_seconds:.0%}",
    ]
    if day in line:
        cells = [f"**{cell}**" for cell in cells]
    if day == best:
        cells[0] += " (knee)"
    return "| " + " | ".join(cells) + " |"


def _table(parameters: tuple[Parameter, ...]) -> list[str]:
    rows = [f"| {p.name} | {p.value:g} | {p.low:g} to {p.high:g} | {p.source} |" for p in parameters]
    return ["| parameter | likely | bounds | source |", "| --- | ---: | ---: | --- |", *rows]
