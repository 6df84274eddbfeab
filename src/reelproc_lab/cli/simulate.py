"""``reelproc simulate``: what cannot be measured here, worked out, and labelled so."""

from __future__ import annotations

from pathlib import Path

import click

from reelproc import MissingDependencyError
from reelproc.cli.common import common_options, say
from reelproc.cli.completion import executors
from reelproc.cli.overwrite import force_option, job_of, writing
from reelproc.cli.progress import aside, progress_bar


@click.command()
@click.option("--out", default="simulation", show_default=True, metavar="DIR", help="Folder for what it writes.")
@click.option("--jobs", type=click.FloatRange(1, 1_000_000), default=10_000, show_default=True, help="A day, expected.")
@click.option(
    "--executor",
    default="modal-t4",
    show_default=True,
    metavar="NAME",
    shell_complete=executors,
    help="Whose price containers have.",
)
@click.option("--seconds-per-frame", type=click.FloatRange(0, 60, min_open=True), metavar="S",
              help="Of a chunk's work, where e6 has measured it; otherwise assumed.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of every draw.")
@force_option
@common_options
def simulate(
    out: str, jobs: float, executor: str, seconds_per_frame: float | None, seed: int, force: bool, as_json: bool
) -> None:
    """Replay the original's recorded runs, and simulate a day of jobs on rented containers.

    Nothing of it is a measurement: times and costs are worked out from parameters that are listed with their sources.
    DIR gets simulation.json, simulation.md and, with the extra "report", two charts.
    """
    from reelproc_lab.simulation.report import LABEL, write_simulation
    from reelproc_lab.simulation.report import simulate as run

    how = {"jobs_per_day": jobs, "executor": executor, "seconds_per_frame": seconds_per_frame, "seed": seed}
    places = [Path(out) / name for name in ("simulation.json", "simulation.md", "replay.svg", "knee.svg")]
    with writing(*places, job=job_of("simulate", **how), force=force):
        with progress_bar(as_json=as_json) as show:
            found = run(
                jobs_per_day=jobs, executor=executor, seconds_per_frame=seconds_per_frame, seed=seed, progress=show
            )
        try:
            written = write_simulation(found, out)
        except MissingDependencyError as error:
            aside(f"no charts: {error}", as_json=as_json, kind="warning")
            written = write_simulation(found, out, charts=False)
    asked = [r for r in found.replayed if r.verdict != "fitted"]
    explained = sum(r.verdict == "explained" for r in asked)
    knee = found.knee
    at = (
        f"the knee is at {knee.chunks} chunks and {knee.warm_pool} warm containers, ${knee.usd_per_job:.4f} a job, "
        f"95 % done within {knee.wall_p95:.0f} s"
    )
    lines = [
        LABEL,
        f"  {explained} of {len(asked)} recorded runs that nothing was fitted to are explained; the others:",
        *(
            f"    {r.name}: recorded {'over ' * r.timed_out}{r.recorded_seconds:g} s, simulated "
            f"{r.simulated_seconds:g} s ({r.low:g} to {r.high:g})"
            for r in asked
            if r.verdict != "explained"
        ),
        f"  {jobs:g} jobs a day: {at}",
        f"  {' '.join(str(path) for path in written)}",
    ]
    say(found, as_json=as_json, text="\n".join(lines))
