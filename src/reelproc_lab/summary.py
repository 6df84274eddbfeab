"""From runs to figures: medians with their intervals, and each arm beside the baseline.

The interval of a median is made of order statistics: between the k-th least and the k-th greatest value the true
median lies with a probability that the binomial distribution knows, whatever the values' own distribution is. The
narrowest one of at least 95 % is taken; below six runs there is none, and the whole range is given with what it covers.

Arms are compared within a round, where they ran next to each other: the ratio's median and interval are those of the
rounds' ratios, so that a machine that is slow for an hour slows both.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from reelproc.schema import Schema
from reelproc_lab.record import Measurement, Record, Temperature

if TYPE_CHECKING:
    from reelproc_lab.question import Question

CONFIDENCE = 0.95


class Spread(Schema):
    """A median and how sure it is.

    Attributes:
        median: of the values.
        low, high: the interval of the median.
        count: values.
        coverage: the probability that the interval holds the true median; 0 for one value.
    """

    median: float
    low: float
    high: float
    count: int
    coverage: float


def spread(values: Iterable[float]) -> Spread:
    """Return the median of ``values`` and its interval by order statistics.

    >>> spread([4.0, 1.0, 3.0, 2.0, 6.0, 5.0])
    Spread(median=3.5, low=1.0, high=6.0, count=6, coverage=0.969)
    >>> spread([2.0, 1.0, 3.0]).coverage
    0.75
    """
    ordered = sorted(values)
    count = len(ordered)
    k = max([r for r in range(1, count // 2 + 1) if _coverage(count, r) >= CONFIDENCE], default=1)
    return Spread(
        median=statistics.median(ordered),
        low=ordered[k - 1],
        high=ordered[count - k],
        count=count,
        coverage=round(_coverage(count, k), 3),
    )


def _coverage(count: int, k: int) -> float:
    """Return the probability that the median lies between the k-th least and greatest of ``count`` values."""
    outside: int = sum(math.comb(count, i) for i in range(k))
    return max(0.0, 1.0 - 2 * outside / float(2**count))


class ArmSummary(Schema):
    """What the runs of one arm on one case say, of one temperature.

    Attributes:
        case, arm, baseline: which.
        temperature: of these runs.
        counts: whether the question's rule looks at them.
        complete, wrong, timed_out, failed: runs by how they ended.
        floor: no run was complete and some ended at their time limit: seconds and cost are at least the given ones.
        client_seconds: as the client saw it.
        machine_seconds: that are paid for, all machines together.
        usd_billed, usd_original: by the two price modes; None where no price is known.
        time_ratio, usd_ratio: over the baseline's in the same round; None for the baseline, and where there is none.
        phases: seconds inside the jobs, medians.
        quantities: what else was counted.
        frames: that a run makes; 0: it makes none.
        errors: what went wrong, each once.
        machines: rented at the same time.
    """

    case: str
    arm: str
    baseline: bool
    temperature: Temperature
    counts: bool
    complete: int = 0
    wrong: int = 0
    timed_out: int = 0
    failed: int = 0
    floor: bool = False
    client_seconds: Spread | None = None
    machine_seconds: Spread | None = None
    usd_billed: Spread | None = None
    usd_original: Spread | None = None
    time_ratio: Spread | None = None
    usd_ratio: Spread | None = None
    phases: dict[str, float] = Field(default_factory=dict)
    quantities: dict[str, Spread] = Field(default_factory=dict)
    frames: int = 0
    errors: tuple[str, ...] = ()
    machines: int = 1


def summarise(question: Question, records: Sequence[Record]) -> list[ArmSummary]:
    """One summary for each case, arm and temperature that has runs, and one for each arm that has none.

    Runs of another temperature than the question's (a cold one among warm ones) are summed up beside the others, and do
    not count.
    """
    asked = question.temperature
    made: list[ArmSummary] = []
    for case in question.cases:
        here = [r for r in records if r.case == case.name]
        base = [r for r in here if r.arm == question.baseline and not r.warm_up and _temperature(r, asked) == asked]
        for arm in question.arms:
            groups: dict[Temperature, list[Record]] = {asked: []}
            for record in here:
                where = _temperature(record, asked)
                if record.arm == arm.name and not (record.warm_up and where == asked):
                    groups.setdefault(where, []).append(record)
            for temperature, runs in groups.items():
                summary = ArmSummary(
                    case=case.name,
                    arm=arm.name,
                    baseline=arm.name == question.baseline,
                    temperature=temperature,
                    counts=temperature == asked,
                )
                made.append(_filled(summary, runs, base if temperature == asked else []))
    return made


def _temperature(record: Record, asked: Temperature) -> Temperature:
    """Of a run; one that is not known, or that failed before it was, counts where it was meant to."""
    known = record.measurement.cold if record.measurement else None
    if asked == "any" or known is None:
        return asked
    return "cold" if known else "warm"


def _filled(summary: ArmSummary, runs: Sequence[Record], base: Sequence[Record]) -> ArmSummary:
    by_status = {s: [r for r in runs if r.status == s] for s in ("complete", "wrong", "timeout", "error")}
    complete = [r for r in by_status["complete"] if r.measurement]
    floor = not complete and bool(by_status["timeout"])
    used = by_status["timeout"] if floor else complete
    got = [r.measurement for r in used if r.measurement]
    values: dict[str, object] = {
        "complete": len(complete),
        "wrong": len(by_status["wrong"]),
        "timed_out": len(by_status["timeout"]),
        "failed": len(by_status["error"]),
        "floor": floor,
        "errors": tuple(dict.fromkeys(r.error for r in runs if r.error)),
    }
    for name in ("client_seconds", "machine_seconds", "usd_billed", "usd_original"):
        known = [v for m in got if (v := getattr(m, name)) is not None]
        values[name] = spread(known) if known else None
    if got:
        names = dict.fromkeys(name for m in got for name in m.phases)
        values["phases"] = {n: round(statistics.median(m.phases.get(n, 0.0) for m in got), 4) for n in names}
        counted = dict.fromkeys(name for m in got for name in m.quantities)
        values["quantities"] = {n: spread(m.quantities[n] for m in got if n in m.quantities) for n in counted}
        values["frames"] = round(statistics.median(m.frames for m in got))
        values["machines"] = max(m.machines for m in got)
    if not summary.baseline and not floor:
        values["time_ratio"] = _ratios(complete, base, "client_seconds")
        values["usd_ratio"] = _ratios(complete, base, "usd_billed")
    return summary.model_copy(update=values)


def _ratios(runs: Sequence[Record], base: Sequence[Record], name: str) -> Spread | None:
    """Of what was measured in the same round."""

    def values(records: Sequence[Record]) -> dict[int, float]:
        return {r.repeat: v for r in records if r.status == "complete" and (v := _value(r.measurement, name))}

    of_base = values(base)
    pairs = [v / of_base[repeat] for repeat, v in values(runs).items() if repeat in of_base]
    return spread(pairs) if pairs else None


def _value(measurement: Measurement | None, name: str) -> float | None:
    return getattr(measurement, name) if measurement else None
