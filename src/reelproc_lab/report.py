"""What is known of a question, as a report: the same sections in Markdown and in one HTML file with charts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reelproc_lab.harness import Outcome
from reelproc_lab.record import Record
from reelproc_lab.summary import ArmSummary, Spread

MANY_CASES = 6
"""With more cases than that, arms stand side by side in one table, instead of one table for each case."""


@dataclass(frozen=True)
class Table:
    """Rows of text under a header; the first column names the row.

    Attributes:
        header, rows: cells.
        prose: the cells are sentences and no figures.
    """

    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    prose: bool = False


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Attributes:
        title: its heading.
        paragraphs: before the tables.
        tables: after them.
        charts: of which case, ``""`` of all; drawn in HTML only.
        notes: after all that.
    """

    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    charts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def write_report(outcome: Outcome, folder: str | os.PathLike[str], *, html: bool = True) -> list[Path]:
    """Write ``report.md`` and, with charts, ``report.html`` into ``folder``.

    Args:
        outcome: of :func:`~reelproc_lab.harness.run_experiment` or
            :func:`~reelproc_lab.harness.read_outcome`.
        folder: where to; usually the experiment's own.
        html: whether the HTML report is wanted.

    Raises:
        MissingDependencyError: the HTML report needs the extra ``report``; the Markdown report is written by then.
    """
    made = sections(outcome)
    place = Path(folder)
    path = place / "report.md"
    path.write_text(markdown(made), encoding="utf-8")
    if not html:
        return [path]
    from reelproc_lab.report_html import page

    whole = place / "report.html"
    whole.write_text(page(outcome, made), encoding="utf-8")
    return [path, whole]


def sections(outcome: Outcome) -> list[Section]:
    """Return the report's content: the question, the decisions, the figures, and how they were made."""
    question = outcome.question
    held = ", ".join(f"{name} = {_level(level)}" for name, level in question.held.items())
    made = [
        Section(
            f"{question.name.upper()}: {question.title}",
            (
                f"**Question.** {question.question}",
                f"**Expected.** {question.hypothesis}",
                f"**Rule**, stated before the first run. {question.rule.words}",
                f"**Held the same.** {held or 'nothing but the machine'}.",
            ),
            notes=tuple(question.notes),
        ),
        Section("Decision", tables=(_decisions(outcome),)),
    ]
    counting = [s for s in outcome.summaries if s.counts]
    if len(question.cases) > MANY_CASES:
        made.append(Section("Figures", tables=tuple(_matrices(counting)), charts=("",)))
    else:
        for case in question.cases:
            mine = [s for s in outcome.summaries if s.case == case.name]
            tables = [_figures(mine), *_details(mine)]
            said = (f"{_capital(case.description)}.",) if case.description else ()
            made.append(Section(_capital(case.name), said, tuple(tables), (case.name,), _troubles(mine)))
    made.append(_how(outcome))
    return made


def markdown(made: Sequence[Section]) -> str:
    """Render the sections as Markdown; charts are for the HTML report."""
    blocks: list[str] = []
    for number, section in enumerate(made):
        blocks.append(f"{'#' if number == 0 else '##'} {section.title}")
        blocks += section.paragraphs
        blocks += [table_markdown(table) for table in section.tables]
        if section.notes:
            blocks.append("\n".join(f"- {note}" for note in section.notes))
    return "\n\n".join(blocks) + "\n"


def table_markdown(table: Table) -> str:
    """Render a table in Markdown."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    rest = "---" if table.prose else "---:"
    rule = "| " + " | ".join(["---"] + [rest] * (len(table.header) - 1)) + " |"
    return "\n".join([line(table.header), rule, *map(line, table.rows)])


# ---- tables


def _decisions(outcome: Outcome) -> Table:
    rows = [(d.case, d.chosen or d.status, d.reason) for d in outcome.decisions]
    return Table(("case", "chosen", "why"), rows, prose=True)


def _figures(arms: Sequence[ArmSummary]) -> Table:
    mixed = len({arm.temperature for arm in arms}) > 1
    header = (
        "arm",
        "runs",
        "wall, s",
        "over the baseline",
        "machine s",
        "frames/s",
        "billed, $",
        "original's price, $",
    )
    rows = []
    for arm in arms:
        seconds = arm.client_seconds
        rate = arm.frames / seconds.median if seconds and seconds.median and arm.frames and not arm.floor else None
        rows.append(
            (
                arm.arm + (f" ({arm.temperature})" if mixed else ""),
                _runs(arm),
                _floor(arm, spread_text(seconds, seconds_text)),
                "baseline" if arm.baseline else spread_text(arm.time_ratio, lambda v: f"{v:.2f}"),
                _floor(arm, spread_text(arm.machine_seconds, seconds_text)),
                "" if rate is None else f"{rate:.1f}",
                _floor(arm, spread_text(arm.usd_billed, usd_text)),
                _floor(arm, spread_text(arm.usd_original, usd_text)),
            )
        )
    return Table(header, rows)


def _details(arms: Sequence[ArmSummary]) -> list[Table]:
    """Seconds inside the job by phase, and what else was counted; an arm a row."""
    made = []
    counting = [arm for arm in arms if arm.counts]
    phases = dict.fromkeys(name for arm in counting for name in arm.phases)
    if phases:
        rows = [(a.arm, *(f"{a.phases[n]:.2f}" if n in a.phases else "" for n in phases)) for a in counting if a.phases]
        made.append(Table(("phases inside the job, s", *phases), rows))
    names = dict.fromkeys(name for arm in counting for name in arm.quantities)
    if names:
        values = [
            (arm.arm, *(spread_text(arm.quantities.get(name), number_text) for name in names)) for arm in counting
        ]
        made.append(Table(("counted", *(name.replace("_", " ") for name in names)), values))
    return made


def _matrices(arms: Sequence[ArmSummary]) -> list[Table]:
    """Cases down, arms across: of the time, and of each quantity that differs between arms."""
    cases, names = list(dict.fromkeys(a.case for a in arms)), list(dict.fromkeys(a.arm for a in arms))
    by_cell = {(arm.case, arm.arm): arm for arm in arms}

    def matrix(title: str, cell: Callable[[ArmSummary], str]) -> Table:
        rows = [(case, *(cell(by_cell[case, name]) for name in names)) for case in cases]
        return Table((title, *names), rows)

    quantities = dict.fromkeys(name for arm in arms for name in arm.quantities)
    made = []
    for name in quantities:

        def value(arm: ArmSummary, name: str = name) -> str:
            found = arm.quantities.get(name)
            return "failed" if found is None else number_text(found.median)

        table = matrix(name.replace("_", " "), value)
        if any(len(set(row[1:])) > 1 for row in table.rows):
            made.append(table)
    made.append(matrix("wall, s", lambda a: spread_text(a.client_seconds, seconds_text) or "failed"))
    return made


def _troubles(arms: Sequence[ArmSummary]) -> tuple[str, ...]:
    return tuple(f"{arm.arm}: {error}" for arm in arms for error in arm.errors)


def _how(outcome: Outcome) -> Section:
    records = outcome.records
    if not records:
        return Section("How it was measured", ("Nothing has been run yet.",))
    counted = [r for r in records if not r.warm_up]
    machines = _each(r.environment.machine for r in records)
    versions = _each(_versions(r) for r in records)
    loads = ", ".join(_each(f"{r.environment.load:g}" for r in records))
    prices = "; ".join(_each(r.measurement.priced_as for r in records if r.measurement)) or "none"
    when = f"from {records[0].started} to {records[-1].started}"
    again = len(counted) - len({(r.case, r.arm, r.repeat) for r in counted})
    runs = f"{len(counted)} runs and {len(records) - len(counted)} warm-ups, {when}."
    runs += f" {again} of the runs failed and were done again." if again else ""
    paragraphs = [f"{runs} Arms ran in turn within each round, their order rotated."]
    checks = [r.checks for r in counted if r.checks]
    if checks:
        paragraphs.append(f"Outputs were verified in {len(checks)} of the runs, e.g.: {'; '.join(checks[-1])}.")
    meaning = "Wall is the client's; machine seconds are what is paid for, on all machines together; phases overlap."
    paragraphs += [
        f"Machine: {'; '.join(machines)}. Load when it began: {loads}. Prices: {prices}.",
        f"Versions: {'; '.join(versions)}.",
        f"Figures are medians. {_interval(outcome.summaries)} Ratios are medians over rounds. {meaning}",
    ]
    notes = []
    if len(machines) > 1:
        notes.append("Runs of several machines are mixed here: compare within one.")
    if len(versions) > 1:
        notes.append("Runs of several versions are mixed here.")
    return Section("How it was measured", tuple(paragraphs), notes=tuple(notes))


def _interval(arms: Sequence[ArmSummary]) -> str:
    found = [arm.client_seconds for arm in arms if arm.client_seconds and arm.counts]
    least = min((s.coverage for s in found), default=0.0)
    if not least:
        return "Where there is one run, there is no interval."
    return (
        "In brackets is the interval between order statistics; it holds the true median with a probability of at "
        f"least {least:.0%}. With fewer than six runs it is the whole range."
    )


# ---- texts


def spread_text(spread: Spread | None, text: Callable[[float], str]) -> str:
    """Write the median and, of several values, its interval; empty for None."""
    if spread is None:
        return ""
    if spread.low == spread.high:
        return text(spread.median)
    return f"{text(spread.median)} [{text(spread.low)}, {text(spread.high)}]"


def seconds_text(value: float) -> str:
    """Seconds to three digits or so."""
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:.0f}"


def usd_text(value: float) -> str:
    """Dollars, down to a millionth."""
    return f"{value:.6f}" if value < 0.01 else f"{value:.4f}"


def number_text(value: float) -> str:
    """Write a count, or a measure to four digits."""
    return f"{value:,.0f}" if value == int(value) or value >= 10_000 else f"{value:.4g}"


def _runs(arm: ArmSummary) -> str:
    bad = ((arm.timed_out, "timed out"), (arm.failed, "failed"), (arm.wrong, "wrong"))
    return ", ".join([f"{arm.complete}", *(f"{count} {what}" for count, what in bad if count)])


def _floor(arm: ArmSummary, text: str) -> str:
    return f"at least {text}" if arm.floor and text else text


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _level(level: object) -> str:
    return "none" if level is None else str(level).lower() if isinstance(level, bool) else str(level)


def _each(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(text for text in texts if text))


def _versions(record: Record) -> str:
    e = record.environment
    packages = ", ".join(f"{name} {version}" for name, version in e.packages.items())
    commit = f" ({e.commit})" if e.commit else ""
    return f"reelproc {e.reelproc}{commit}, Python {e.python}, ffmpeg {e.ffmpeg}, {packages}"
