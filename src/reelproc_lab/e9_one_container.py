"""E9: one container for all clips, or one each?"""

from __future__ import annotations

from reelproc_lab import counting_network as counting
from reelproc_lab.bench import Bench, Done, Settings
from reelproc_lab.footage import game
from reelproc_lab.harness import Experiment
from reelproc_lab.question import Arm, Case, Question
from reelproc_lab.record import Measurement
from reelproc_lab.rules import CheapestThenFaster
from reelproc_lab.workloads import Workload, ai_model, made_by

ONE_EACH, ONE_FOR_ALL, ONE_JOB = "one each", "one for all, a job each", "one for all, one job"
STARTS = (3.0, 13.0, 59.0)
"""The original's three annotated clips."""


def experiment(settings: Settings) -> Experiment:
    """Three clips with a network: its loads are counted."""
    where, found = settings.executor, ai_model(settings)
    model = found or counting.STAND_IN
    length, starts = (6.0, STARTS) if settings.full else (0.5, (1.0, 4.0, 7.0))
    shrink = 1 if settings.full else 4
    needed = max(starts) + length
    notes = ["Only the last arm makes one file of the three clips; the others make three files, each verified."]
    if found is None:
        notes.append(
            "No network can run here (extra ai, and weights): a stand-in is loaded once per process as one would be, "
            "and enlarges by interpolation. Its loads count; its times say nothing of a network's."
        )
    if where == "local":
        notes.append("Here a container is a new worker process, and those of 'one each' run one after the other.")
    else:
        notes.append("On Modal 'one each' submits all at once; whether containers were cold is Modal's to say.")
    question = Question(
        name="e9",
        title="One container for many clips",
        question="Is it better to make several clips in one container, where the network is loaded once?",
        hypothesis="One container: one start and one load instead of three.",
        rule=CheapestThenFaster(),
        arms=[Arm(name=name, factors={"containers": name}) for name in (ONE_EACH, ONE_FOR_ALL, ONE_JOB)],
        baseline=ONE_EACH,
        cases=[Case(name=f"3 x {length:g} s", description="crop and network", job_kind="several clips")],
        held=settings.held(executor=where, model=model, shrink=shrink),
        temperature="cold" if where == "local" else "any",
        notes=notes,
    )

    def measure(bench: Bench, _case: Case, arm: Arm) -> Measurement:
        local = game(bench, 90.0 if settings.full else needed)
        load = Workload(bench, local, where)
        spans = [(start, start + length) for start in starts]
        if arm.name == ONE_JOB:
            jobs = [load.reel(spans, model=model, shrink=shrink)]
        else:
            jobs = [load.reel([span], model=model, shrink=shrink) for span in spans]
        counted = [counting.CountedJob(render=job) for job in jobs]
        done = (_one_each if arm.name == ONE_EACH else _one_for_all)(bench, counted, where)
        loads = counting.model_loads(note for result in done.results for note in result.notes)
        made = tuple(made_by(bench, job, result, local) for job, result in zip(jobs, done.results, strict=True))
        quantities = done.measurement.quantities | {"model_loads": float(loads)}
        return done.measurement.model_copy(update={"made": made, "quantities": quantities})

    def prepare(bench: Bench) -> None:
        game(bench, 90.0 if settings.full else needed)

    return Experiment(question, measure, prepare, repeats=3)


def _one_for_all(bench: Bench, jobs: list[counting.CountedJob], where: str) -> Done:
    return bench.do(jobs, where, fresh=True)


def _one_each(bench: Bench, jobs: list[counting.CountedJob], where: str) -> Done:
    """Run each in its container: on Modal all at once, here one after the other, since they would share the cores."""
    if where != "local":
        return bench.do(jobs, where, fresh=True, at_once=True)
    runs = [bench.do([job], where, fresh=True) for job in jobs]
    return Done([result for run in runs for result in run.results], added([run.measurement for run in runs]))


def added(runs: list[Measurement]) -> Measurement:
    """Add up runs one after the other as one."""
    phases: dict[str, float] = {}
    quantities: dict[str, float] = {}
    for run in runs:
        for name, value in run.phases.items():
            phases[name] = round(phases.get(name, 0.0) + value, 4)
        for name, value in run.quantities.items():
            quantities[name] = quantities.get(name, 0.0) + value
    return runs[0].model_copy(
        update={
            "client_seconds": sum(run.client_seconds for run in runs),
            "phases": phases,
            "quantities": quantities,
            "frames": sum(run.frames for run in runs),
            **{
                name: None if None in (found := [getattr(run, name) for run in runs]) else sum(found)
                for name in ("machine_seconds", "usd_billed", "usd_original")
            },
        }
    )
