"""Runs a question: every arm on every case, round by round, each run verified and written down before the next.

Within a round all arms of a case run next to each other, in an order that is rotated from round to round, so that
neither a slow hour nor always being the first falls on one arm. A run that fails is a result, and the others go on. A
second run with the same folder does what is missing.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reelproc import Progress, ReelprocError, SpecError, StorageError
from reelproc.errors import redact
from reelproc.executors.outcome import as_reelproc_error
from reelproc.results import ProgressCallback
from reelproc_lab.bench import Bench, Settings, TimedOut
from reelproc_lab.environment import environment
from reelproc_lab.question import Arm, Case, Question
from reelproc_lab.record import Measurement, Record, RunFile, RunStatus
from reelproc_lab.rules import Decision
from reelproc_lab.summary import ArmSummary, summarise
from reelproc_lab.verify import WrongOutput, check_made


def _nothing(_: Bench) -> None:
    pass


@dataclass(frozen=True)
class Experiment:
    """A question and how it is answered.

    Attributes:
        question: what is asked.
        measure: does one run of an arm on a case. Raises ReelprocError where it fails.
        prepare: called once before the first run, e.g. to draw footage; its time counts nowhere.
        repeats, warm_ups: proposed.
    """

    question: Question
    measure: Callable[[Bench, Case, Arm], Measurement]
    prepare: Callable[[Bench], None] = _nothing
    repeats: int = 3
    warm_ups: int = 0


@dataclass(frozen=True)
class Outcome:
    """What is known of a question.

    Attributes:
        question: what was asked.
        records: all runs so far.
        summaries: of each arm on each case.
        decisions: by the question's rule.
    """

    question: Question
    records: list[Record]
    summaries: list[ArmSummary]
    decisions: list[Decision]

    @property
    def missing(self) -> int:
        """Arms, over all cases, without any run that counts."""
        return sum(1 for s in self.summaries if s.counts and not (s.complete or s.floor))


def run_experiment(
    experiment: Experiment,
    folder: str | os.PathLike[str],
    settings: Settings | None = None,
    *,
    progress: ProgressCallback = lambda _: None,
) -> Outcome:
    """Ask a question, or go on asking it.

    Args:
        experiment: what to do.
        folder: gets ``question.json``, written before the first run, and ``runs.jsonl``, a line for each. Where they
            are there already, the runs that are missing are done.
        settings: how to run; None: the defaults.
        progress: told before each run; ``done`` and ``total`` count runs.

    Raises:
        SpecError: the folder holds runs of another question.
        StorageError: the folder cannot be written.
    """
    settings = settings or Settings()
    question, place = experiment.question, Path(folder)
    state_question(question, place)
    file = RunFile(place / "runs.jsonl")
    records = file.read()
    repeats = experiment.repeats if settings.repeats is None else settings.repeats
    warm_ups = experiment.warm_ups if settings.warm_ups is None else settings.warm_ups
    missing = list(schedule(question, repeats, records))
    if missing:
        cells = {(case.name, arm.name): (case, arm) for case, arm, _ in missing}
        todo = [(*cell, n, True) for n in range(warm_ups) for cell in cells.values()]
        todo += [(*run, False) for run in missing]
        work = place / "work"
        with Bench(settings, work) as bench:
            experiment.prepare(bench)
            references: dict[str, str] = {}
            for done, (case, arm, repeat, warm_up) in enumerate(todo):
                message = f"{question.name}: {case.name}, {arm.name}" + (" (warm-up)" if warm_up else "")
                progress(Progress(phase="experiment", done=done, total=len(todo), message=message))
                record = _run(experiment, bench, case, arm, references)
                record = record.model_copy(update={"repeat": repeat, "warm_up": warm_up, "sequence": len(records)})
                file.append(record)
                records.append(record)
            progress(Progress(phase="experiment", done=len(todo), total=len(todo), message=question.name))
    return decide(question, records)


def read_outcome(folder: str | os.PathLike[str]) -> Outcome:
    """Read a former run's results in ``folder``.

    Raises:
        SpecError: it holds no experiment, or one of another version.
    """
    place = Path(folder)
    try:
        text = (place / "question.json").read_text(encoding="utf-8")
    except OSError as error:
        raise SpecError(f"{place} holds no experiment: {error}") from error
    return decide(Question.model_validate_json(text), RunFile(place / "runs.jsonl").read())


def decide(question: Question, records: Sequence[Record]) -> Outcome:
    """Summaries and decisions from the runs of ``question``; of a run that was done again, the last counts."""
    mine = [record for record in records if record.question == question.fingerprint]
    last = {(r.case, r.arm, r.repeat, r.warm_up): r for r in mine}
    summaries = summarise(question, list(last.values()))
    cases = [[s for s in summaries if s.case == case.name and s.counts] for case in question.cases]
    return Outcome(question, mine, summaries, question.rule.decide(cases))


def state_question(question: Question, folder: Path) -> None:
    """Write the question down; nothing may be run before.

    Raises:
        SpecError: another one is written there.
        StorageError: it cannot be written.
    """
    path = folder / "question.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists() or not (folder / "runs.jsonl").exists():  # of a question without runs nothing is lost
            path.write_text(question.model_dump_json(indent=1) + "\n", encoding="utf-8")
            return
        stated = Question.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StorageError(f"the question cannot be written to {folder}: {error}") from error
    if stated.fingerprint != question.fingerprint:
        before, now = (json.loads(q.model_dump_json()) for q in (stated, question))
        changed = ", ".join(name for name in now if before[name] != now[name])
        raise SpecError(
            f"{folder} holds the runs of another question: it differs in {changed}; use another folder, or the "
            "settings that it was begun with"
        )


def schedule(question: Question, repeats: int, records: Sequence[Record]) -> Iterator[tuple[Case, Arm, int]]:
    """Return the missing runs, in the order of their execution.

    A run that failed is missing; one that ended at its time limit is a result.
    """
    ended = {
        (r.case, r.arm, r.repeat)
        for r in records
        if r.question == question.fingerprint and not r.warm_up and r.status in ("complete", "timeout")
    }
    for repeat in range(repeats):
        for case in question.cases:
            turn = repeat % len(question.arms)
            for arm in (*question.arms[turn:], *question.arms[:turn]):
                if (case.name, arm.name, repeat) not in ended:
                    yield case, arm, repeat


def _run(experiment: Experiment, bench: Bench, case: Case, arm: Arm, references: dict[str, str]) -> Record:
    question = experiment.question
    started = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    status: RunStatus = "complete"
    error = ""
    checks: tuple[str, ...] = ()
    measurement: Measurement | None = None
    try:
        measurement = experiment.measure(bench, case, arm)
        checks = _verified(question, case, measurement, references)
    except TimedOut as late:
        status, error, measurement = "timeout", _said(late), late.measurement
    except WrongOutput as wrong:
        status, error = "wrong", str(wrong)
    except (ReelprocError, OSError, MemoryError) as failure:
        status, error = "error", _said(as_reelproc_error(failure))
    if measurement is not None:
        kept = set(references.values())
        for made in measurement.made:
            if made.path not in kept:
                Path(made.path).unlink(missing_ok=True)
        made_paths = tuple(m.model_copy(update={"path": Path(m.path).name, "reference": ""}) for m in measurement.made)
        measurement = measurement.model_copy(update={"made": made_paths})
    return Record(
        experiment=question.name,
        question=question.fingerprint,
        case=case.name,
        arm=arm.name,
        repeat=0,
        sequence=0,
        started=started,
        status=status,
        error=error,
        measurement=measurement,
        checks=checks,
        environment=environment(),
    )


def _verified(question: Question, case: Case, measurement: Measurement, references: dict[str, str]) -> tuple[str, ...]:
    """Verify the outputs of a run.

    The first output of a case, which is the baseline's unless that has failed, is the reference of all others.
    """
    found: list[str] = []
    for number, made in enumerate(measurement.made):
        key = f"{case.name}/{number}"
        reference = made.reference or references.get(key, "")
        found += check_made(made, reference=reference, same_picture_db=question.same_picture_db)
        if question.same_picture_db is not None and not reference:
            references[key] = made.path
    return tuple(dict.fromkeys(found))


def _said(error: ReelprocError) -> str:
    return redact(f"{type(error).__name__}: {error}")
