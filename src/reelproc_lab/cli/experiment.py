"""``reelproc experiment``: ask the questions about time and cost."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reelproc import MissingDependencyError
from reelproc.cli.common import common_options
from reelproc.cli.completion import executors, networks, offers
from reelproc.cli.overwrite import force_option, job_of, writing
from reelproc.cli.progress import aside, progress_bar

if TYPE_CHECKING:
    from reelproc_lab import Outcome


def _names() -> Iterable[str]:
    import reelproc_lab as x

    return x.EXPERIMENTS.names()


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=offers(_names))
@click.option(
    "--executor",
    "executors",
    multiple=True,
    default=("local",),
    show_default="local",
    metavar="NAME",
    shell_complete=executors,
    help="Where to run it. Several, the first being the baseline, for experiments that compare hardware.",
)
@click.option("--out", default="experiments", show_default=True, metavar="DIR", help="Results, a folder for each.")
@click.option("--full", is_flag=True, help="The highlight app's sizes, instead of ones for two cores and some minutes.")
@click.option("--repeats", type=click.IntRange(1, 1000), metavar="N", help="Rounds; more can be added later.")
@click.option("--warm-ups", type=click.IntRange(0, 100), metavar="N", help="Runs of each arm that do not count.")
@click.option("--timeout", type=click.FloatRange(0, min_open=True), default=600.0, show_default=True, metavar="SECONDS",
              help="Of a job; one that takes longer is recorded as such.")  # fmt: skip
@click.option("--footage", metavar="PATH", help="A video, or for e2 a folder; otherwise a match is drawn.")
@click.option("--model", metavar="NAME", shell_complete=networks, help="The network for AI; 'none' for none.")
@click.option("--calibration", metavar="FILE", help="Add what the runs teach to FILE, for reelproc estimate.")
@click.option("--staging", metavar="s3://...", help="For Modal: where footage and results are put.")
@click.option("--table", is_flag=True, help="Run nothing: show what is known from DIR, and where jobs belong.")
@force_option
@common_options
def experiment(
    names: tuple[str, ...],
    executors: tuple[str, ...],
    out: str,
    full: bool,
    repeats: int | None,
    warm_ups: int | None,
    timeout: float,
    footage: str | None,
    model: str | None,
    calibration: str | None,
    staging: str | None,
    table: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Run the experiments NAME (e1, e2, ...), or go on with them, and write their reports.

    Without a NAME the experiments are listed. Each has a folder in DIR with the question as it was stated before the
    first run, a line for every run, report.md and report.html. The same command again does the runs that are missing.
    """
    import reelproc_lab as x

    if table:
        _show_table(out, as_json=as_json)
        return
    if not names:
        _list(as_json=as_json)
        return
    settings = x.Settings(
        executors=executors, full=full, repeats=repeats, warm_ups=warm_ups, timeout=timeout,
        footage=footage, model=model, calibration=calibration, staging=staging,
    )  # fmt: skip
    for name in names:
        x.experiment(name, settings)  # what is wrong is better said before anything is run
    outcomes = []
    reports = [Path(out) / name / report for name in names for report in ("report.md", "report.html")]
    for name in names:
        with writing(*reports, job=job_of("experiment"), force=force):
            with progress_bar(as_json=as_json) as show:
                outcome = x.run(name, out, settings, progress=show)
            paths = _report(outcome, Path(out) / name, as_json=as_json)
        outcomes.append(outcome)
        if not as_json:
            _say(outcome, paths)
    if as_json:
        _echo_json([_as_data(outcome) for outcome in outcomes])


def _report(outcome: Outcome, folder: Path, *, as_json: bool) -> list[Path]:
    from reelproc_lab.report import write_report

    try:
        return write_report(outcome, folder)
    except MissingDependencyError as error:
        aside(f"no report.html: {error}", as_json=as_json, kind="warning")
        return [folder / "report.md"]


def _say(outcome: Outcome, paths: list[Path]) -> None:
    question = outcome.question
    click.echo(f"{question.name.upper()} {question.title}: {question.question}")
    for decision in outcome.decisions:
        click.echo(f"  {decision.case}: {decision.chosen or decision.status}\n    {decision.reason}")
    for summary in outcome.summaries:
        for error in summary.errors:
            click.echo(f"  {click.style('failed', fg='red')}: {summary.case}, {summary.arm}: {error}", err=True)
    click.echo(f"  {' '.join(map(str, paths))}")


def _list(*, as_json: bool) -> None:
    import reelproc_lab as x

    titles = {name: x.TITLES.get(name, "") for name in x.EXPERIMENTS.names()}
    if as_json:
        _echo_json(titles)
        return
    for name, title in titles.items():
        click.echo(f"{name:4} {title}")


def _show_table(out: str, *, as_json: bool) -> None:
    from reelproc_lab.report import table_markdown
    from reelproc_lab.tracking import placements, placements_table, read_outcomes, tracking, tracking_table

    outcomes = read_outcomes(out)
    rows, places = tracking(outcomes), placements(outcomes)
    if as_json:
        _echo_json({
            "tracking": [row.model_dump(mode="json") for row in rows],
            "placement": [place.model_dump(mode="json") for place in places],
        })  # fmt: skip
        return
    click.echo(table_markdown(tracking_table(rows)))
    click.echo()
    click.echo(table_markdown(placements_table(places)))


def _as_data(outcome: Outcome) -> dict[str, object]:
    return {
        "question": outcome.question.model_dump(mode="json"),
        "decisions": [decision.model_dump(mode="json") for decision in outcome.decisions],
        "summaries": [summary.model_dump(mode="json") for summary in outcome.summaries],
        "runs": len(outcome.records),
    }


def _echo_json(data: object) -> None:
    click.echo(json.dumps(data))
