"""What is known so far, over all experiments: the original's tracking table, and where each kind of job belongs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from reelproc.schema import Schema
from reelproc_lab.harness import Outcome, read_outcome
from reelproc_lab.recorded_runs import ORIGINAL, ORIGINAL_PLACEMENT
from reelproc_lab.report import Table

UNDECIDED = "undecided"


class TrackingRow(Schema):
    """An experiment at a glance.

    Attributes:
        experiment, title: which.
        status: ``"DONE"``; ``"PARTLY"``: some arms have no run that counts; ``"FAILED"``: none has; ``"NOT RUN"``.
        result: what was decided or recorded, with figures, case by case.
        decision: the chosen arm of each case.
        original: the original's status, result and decision.
    """

    experiment: str
    title: str
    status: str
    result: str = ""
    decision: str = ""
    original: tuple[str, str, str]


class DefaultPlace(Schema):
    """Where a kind of job is to be done by default.

    Attributes:
        job_kind: which.
        default: the executor; ``"undecided"`` where no recorded comparison settles it.
        reason: with figures, or what to run.
        how: what else was decided about it, e.g. in one container; empty: nothing.
        original: the original's choice and reason.
    """

    job_kind: str
    default: str
    reason: str
    how: str = ""
    original: tuple[str, str]


def read_outcomes(folder: str | os.PathLike[str]) -> dict[str, Outcome]:
    """All experiments below ``folder``, by name.

    Raises:
        SpecError: one is not of this version.
    """
    found = sorted(Path(folder).glob("*/question.json"))
    return {outcome.question.name: outcome for path in found for outcome in [read_outcome(path.parent)]}


def tracking(outcomes: dict[str, Outcome]) -> list[TrackingRow]:
    """Return a row for each of the original's experiments, and for others that were run."""
    return [_row(name, outcomes.get(name)) for name in dict.fromkeys((*ORIGINAL, *outcomes))]


def _row(name: str, outcome: Outcome | None) -> TrackingRow:
    row = ORIGINAL.get(name)
    original = (row.status, row.result, row.decision) if row else ("", "", "")
    if outcome is None:
        return TrackingRow(experiment=name, title=row.title if row else "", status="NOT RUN", original=original)
    counting = [s for s in outcome.summaries if s.counts]
    done = len(counting) - outcome.missing
    decisions = outcome.decisions
    return TrackingRow(
        experiment=name,
        title=outcome.question.title,
        status="DONE" if not outcome.missing else "PARTLY" if done else "FAILED",
        result="; ".join(f"{d.case}: {d.reason}" for d in decisions),
        decision="; ".join(f"{d.case}: {d.chosen or d.status}" for d in decisions),
        original=original,
    )


def placements(outcomes: dict[str, Outcome]) -> list[DefaultPlace]:
    """Return the default place of each kind of job, from the recorded decisions.

    A decision among executors says where; any other one about that kind of job says how. The last of several counts. A
    comparison that was not decided places nothing: its reason says what is missing.
    """
    made = {kind: _unplaced(kind) for kind in ORIGINAL_PLACEMENT}
    for name, outcome in outcomes.items():
        kinds = {case.name: case.job_kind for case in outcome.question.cases}
        levels = {arm.name: str(arm.factors.get("executor")) for arm in outcome.question.arms}
        compared = len(set(levels.values())) > 1
        for decision in outcome.decisions:
            about = kinds.get(decision.case)
            if not about or decision.status == "recorded":
                continue
            known = made.get(about) or _unplaced(about)
            said = f"{name}: {decision.reason}"
            if not compared and decision.chosen:
                known = known.model_copy(update={"how": f"{decision.chosen} ({said})"})
            elif compared and decision.chosen:
                known = known.model_copy(update={"default": levels[decision.chosen], "reason": said})
            elif compared and known.default == UNDECIDED:
                known = known.model_copy(update={"reason": said})
            made[about] = known
    return list(made.values())


def _unplaced(kind: str) -> DefaultPlace:
    reason = "not compared yet: reelproc experiment e1 --executor modal-cpu --executor modal-t4 --executor modal-l4"
    if kind == "several clips":
        reason = "as framing with AI: it is the same work"
    if kind == "detect":
        reason = "no experiment compares it"
    return DefaultPlace(
        job_kind=kind,
        default=UNDECIDED,
        reason=f"{reason}; what is predicted: reelproc costs",
        original=ORIGINAL_PLACEMENT.get(kind, ("", "")),
    )


def tracking_table(rows: Sequence[TrackingRow]) -> Table:
    """Return the tracking table, the original's beside it."""
    header = ("experiment", "status", "result", "decision", "the original's result", "the original's decision")
    cells = [
        (
            f"{r.experiment} {r.title}",
            r.status,
            r.result,
            r.decision,
            f"{r.original[0]}: {r.original[1]}",
            r.original[2],
        )
        for r in rows
    ]
    return Table(header, cells, prose=True)


def placements_table(rows: Sequence[DefaultPlace]) -> Table:
    """Return the default placement, the original's beside it."""
    cells = [(r.job_kind, r.default, r.reason, r.how, ": ".join(r.original)) for r in rows]
    return Table(("job", "default", "why", "how", "the original's"), cells, prose=True)
