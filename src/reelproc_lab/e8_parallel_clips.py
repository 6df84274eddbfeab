"""E8: should the clips of a reel be made in parallel, or in sequence?"""

from __future__ import annotations

import time
from dataclasses import dataclass

from reelproc import Clip, Output, Reel, RenderJob, RenderResult
from reelproc_lab.bench import Bench, Settings
from reelproc_lab.footage import game
from reelproc_lab.harness import Experiment
from reelproc_lab.question import Arm, Case, Question
from reelproc_lab.record import Measurement
from reelproc_lab.rules import CheapestThenFaster
from reelproc_lab.workloads import Workload, ai_model, made_by

IN_SEQUENCE, OWN_JOBS, IN_CHUNKS = "in sequence", "own jobs, then joined", "one job in chunks"


@dataclass(frozen=True)
class Scenario:
    """So many clips of so many seconds."""

    clips: int
    seconds: float

    @property
    def name(self) -> str:
        """As the original wrote it: ``"3 x 6 s"``."""
        return f"{self.clips} x {self.seconds:g} s"


FULL = (Scenario(3, 6), Scenario(10, 10))
REDUCED = (Scenario(3, 2), Scenario(5, 4))


def experiment(settings: Settings) -> Experiment:
    """Make the experiment: the original's two scenarios, in sequence and in parallel."""
    where, model = settings.executor, ai_model(settings) if settings.full else None
    scenarios = {scenario.name: scenario for scenario in (FULL if settings.full else REDUCED)}
    shrink = 1 if settings.full else 2
    # clips overlap in the footage where it is shorter than they are together
    length = min(90.0, max(s.clips * s.seconds for s in scenarios.values()))
    notes = [
        f"{OWN_JOBS!r} is the original's parallel design: each clip is encoded, moved, decoded and encoded again.",
        f"{IN_CHUNKS!r} joins packets; its parts are the plan's segments of about 10 s, so short clips share one.",
        "A reel of one segment is not divided, whatever it is asked.",
        "intermediate_bytes: written between the first and the last step; moved twice where workers share no disk.",
    ]
    if where == "local":
        notes.append("All workers share this machine: what parallel costs and brings elsewhere must be measured there.")
    question = Question(
        name="e8",
        title="Clips in parallel",
        question="Are the clips of a reel better made in parallel, one worker each, or one after the other in one?",
        hypothesis="Parallel is faster with many workers, and dearer by their starts and the second encode.",
        rule=CheapestThenFaster(),
        arms=[Arm(name=name, factors={"clips": name}) for name in (IN_SEQUENCE, OWN_JOBS, IN_CHUNKS)],
        baseline=IN_SEQUENCE,
        cases=[Case(name=name, description=f"{30 * s.clips * s.seconds:g} frames") for name, s in scenarios.items()],
        held=settings.held(executor=where, model=model, shrink=shrink),
        temperature="cold" if where == "local" else "any",
        # a clip that is encoded twice is not the same picture; that it is the same clip is seen all the same
        same_picture_db=25.0,
        notes=notes,
    )

    def measure(bench: Bench, case: Case, arm: Arm) -> Measurement:
        local = game(bench, length)
        load = Workload(bench, local, where)
        scenario = scenarios[case.name]
        step = (length - scenario.seconds) / max(1, scenario.clips - 1)
        spans = [(round(n * step, 2), round(n * step + scenario.seconds, 2)) for n in range(scenario.clips)]
        whole = load.reel(spans, model=model, shrink=shrink, chunks=scenario.clips if arm.name == IN_CHUNKS else 1)
        if arm.name == OWN_JOBS:
            result, measurement = _own_jobs(bench, load, spans, whole, model=model, shrink=shrink)
        else:
            done = bench.do([whole], where, fresh=True)
            result, measurement = done.results[0], done.measurement
            moved = bench.size_bytes(result.output) if "parts" in measurement.phases else 0
            quantities = measurement.quantities | {"intermediate_bytes": float(moved)}
            measurement = measurement.model_copy(update={"quantities": quantities})
        return measurement.model_copy(update={"made": (made_by(bench, whole, result, local),)})

    def prepare(bench: Bench) -> None:
        game(bench, length)

    return Experiment(question, measure, prepare, repeats=3)


def _own_jobs(
    bench: Bench,
    load: Workload,
    spans: list[tuple[float, float]],
    whole: RenderJob,
    *,
    model: str | None,
    shrink: int,
) -> tuple[RenderResult, Measurement]:
    """Every clip by a job of its own, all at once; then a job that joins their files."""
    begin = time.perf_counter()
    clips = [load.reel([span], model=model, shrink=shrink) for span in spans]
    first = bench.do(clips, load.where, fresh=True, at_once=True)
    output = whole.reel.output
    joined = Reel(
        clips=[Clip(source=clip.output) for clip in clips],
        output=Output(width=output.width, height=output.height, fps=output.fps),
    )
    second = bench.do([RenderJob(reel=joined, output=whole.output)], load.where, fresh=True)
    seconds = time.perf_counter() - begin
    moved = sum(bench.size_bytes(clip.output) for clip in clips)
    return second.results[0], combined(first.measurement, second.measurement, seconds, moved)


def combined(first: Measurement, second: Measurement, seconds: float, moved: int) -> Measurement:
    """Two steps as one: seconds and costs add up, but for what the client waited."""
    phases = {n: round(first.phases.get(n, 0.0) + second.phases.get(n, 0.0), 4) for n in first.phases | second.phases}
    quantities = {n: first.quantities.get(n, 0.0) + second.quantities.get(n, 0.0) for n in first.quantities}
    return first.model_copy(
        update={
            "client_seconds": round(seconds, 4),
            "phases": phases,
            "machine_seconds": _sum(first.machine_seconds, second.machine_seconds),
            "usd_billed": _sum(first.usd_billed, second.usd_billed),
            "usd_original": _sum(first.usd_original, second.usd_original),
            "cold": first.cold,
            "frames": second.frames,
            "quantities": quantities | {"intermediate_bytes": float(moved)},
        }
    )


def _sum(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else round(a + b, 9)
