"""E7: into how many chunks should a render be divided?"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reelproc import RenderJob, RenderResult, executor, plan
from reelproc.job_context import JobContext
from reelproc.jobs import ChunkJob, run_job
from reelproc.render.chunks import divided
from reelproc_lab.bench import Bench, Settings
from reelproc_lab.container_rates import rate_of
from reelproc_lab.footage import game
from reelproc_lab.harness import Experiment
from reelproc_lab.question import Arm, Case, Question
from reelproc_lab.record import Measurement
from reelproc_lab.rules import MostChunks
from reelproc_lab.workloads import Workload, ai_model, made_by

CHUNKS = (1, 2, 4, 8)


@dataclass(frozen=True)
class Sizes:
    """How much is done.

    Attributes:
        seconds: of footage; the plan cuts a render into segments of about 10 s.
        size: of the footage, where it is drawn.
        fps: frames per second of the framing.
        shrink: by how much smaller than the original's the framing is, each side.
    """

    seconds: float
    size: tuple[int, int]
    fps: float
    shrink: int


FULL = Sizes(90, (1920, 1080), 30, 1)
REDUCED = Sizes(80, (640, 360), 10, 1)
REDUCED_AI = Sizes(80, (640, 360), 1, 2)


def experiment(settings: Settings) -> Experiment:
    """Make the experiment: a full overlay and a framing in 1, 2, 4 and 8 chunks."""
    where, model = settings.executor, ai_model(settings)
    sizes = FULL if settings.full else REDUCED if model is None else REDUCED_AI
    framing = "framing with AI" if model else "framing"
    build: dict[str, Callable[[Workload, int], RenderJob]] = {
        "overlay": lambda load, chunks: load.overlay(sizes.seconds, (0.0, sizes.seconds), chunks=chunks),
        framing: lambda load, chunks: load.framing(
            0.0, sizes.seconds, model=model, shrink=sizes.shrink, chunks=chunks, fps=sizes.fps
        ),
    }
    here = where == "local"
    cases = []
    for name in build:
        about = f"{sizes.seconds:g} s in segments of about 10 s"
        cases.append(
            Case(
                name=name,
                description=about + (", side by side on this machine" if here else ""),
                job_kind=None if here else name,
            )
        )
        if here:
            cases.append(Case(name=f"{name}, apart", description=f"{about}, each chunk on a machine of its own"))
    notes = []
    if here:
        notes.append(
            "Side by side, the chunks share this machine, whose time is paid for once. 'Apart' runs them one after the "
            "other, each alone in a new process: wall is the slowest plus the joining, machine seconds are their sum. "
            "It stands for containers that start at once, and transfers that take no time: what Modal adds is missing."
        )
    if model is None:
        notes.append("No network can run here (extra ai, and weights): the framing is by Lanczos.")
    question = Question(
        name="e7",
        title="A render in chunks",
        question="Into how many chunks should a render be divided, so that it is faster and costs no more?",
        hypothesis="Chunks cost a start each, and bring speed up to the number of segments.",
        rule=MostChunks(),
        arms=[Arm(name=f"{n} chunk{'s' * (n > 1)}", factors={"chunks": n}) for n in CHUNKS],
        baseline="1 chunk",
        cases=cases,
        held=settings.held(
            executor=where,
            model=model,
            seconds=sizes.seconds,
            size="x".join(map(str, sizes.size)),
            framing_fps=sizes.fps,
            framing_shrink=sizes.shrink,
        ),
        temperature="any" if here else "warm",
        same_picture_db=40.0,
        notes=notes,
    )

    def measure(bench: Bench, case: Case, arm: Arm) -> Measurement:
        local = game(bench, sizes.seconds, *sizes.size)
        load = Workload(bench, local, where)
        name, _, apart = case.name.partition(", ")
        chunks = CHUNKS[[a.name for a in question.arms].index(arm.name)]
        job = build[name](load, chunks)
        if apart:
            result, measurement = _apart(bench, job, chunks)
        else:
            done = bench.do([job], where)
            result, measurement = done.results[0], done.measurement.model_copy(update={"machines": chunks})
        return measurement.model_copy(update={"made": (made_by(bench, job, result, local),)})

    def prepare(bench: Bench) -> None:
        game(bench, sizes.seconds, *sizes.size)

    return Experiment(question, measure, prepare, repeats=3, warm_ups=0 if here else 1)


def _apart(bench: Bench, job: RenderJob, chunks: int) -> tuple[RenderResult, Measurement]:
    """Run the chunks of ``job`` one after the other, each alone in a new process, then the job that joins them."""
    segments = plan(job.reel).segments
    store = Path(job.output).parent / "segments"
    store.mkdir()
    shares = divided([segment.end - segment.first for segment in segments], chunks)
    phases: dict[str, float] = {}
    parts: list[float] = []
    for share in shares:
        chunk = ChunkJob(render=job, segments=tuple(share), output=str(store))
        part = bench.do([chunk], "local", fresh=True).measurement
        parts.append(part.client_seconds)
        for phase, value in part.phases.items():
            phases[phase] = round(phases.get(phase, 0.0) + value, 4)
    begin = time.perf_counter()
    result = run_job(job, JobContext(store=str(store)))
    joining = time.perf_counter() - begin
    with executor("local") as ex:
        hardware = ex.hardware
    rate, paid = rate_of(hardware), sum(parts) + joining
    original = rate.original_usd_per_second
    measurement = Measurement(
        client_seconds=round(max(parts) + joining, 4),
        phases=phases | {"joining": round(joining, 4)},
        machine_seconds=round(paid, 4),
        machines=len(shares),
        cold=True,
        frames=result.frame_count,
        cores=hardware.cores,
        usd_billed=round(paid * rate.billed_usd_per_second, 9),
        usd_original=None if original is None else round(paid * original, 9),
        priced_as=f"{rate.priced_as}, for each chunk and the joining",
        quantities={"slowest_chunk_seconds": round(max(parts), 4), "joining_seconds": round(joining, 4)},
    )
    return result, measurement
