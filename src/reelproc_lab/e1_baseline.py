"""E1: what does every kind of job take, and cost, before anything is changed?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reelproc import ExtractJob, RenderJob
from reelproc_lab.bench import Bench, Settings
from reelproc_lab.footage import game
from reelproc_lab.harness import Experiment
from reelproc_lab.question import Arm, Case, Question
from reelproc_lab.record import Measurement
from reelproc_lab.rules import CheapestThenFaster, RecordOnly
from reelproc_lab.workloads import Workload, ai_model, made_by


@dataclass(frozen=True)
class Sizes:
    """How much is done.

    Attributes:
        game: seconds of footage; all of them get the overlay.
        clip: seconds that are framed.
        ai_clip: seconds that are framed by a network.
        ai_shrink: by how much smaller than the original's the network's picture is, each side.
        compilation: spans of the footage, seconds.
    """

    game: float
    clip: float
    ai_clip: float
    ai_shrink: int
    compilation: tuple[tuple[float, float], ...]


FULL = Sizes(90, 6, 6, 1, ((3, 9), (13, 19), (59, 63.5)))
REDUCED = Sizes(10, 3, 1, 4, ((1, 3), (4, 6), (7, 8.5)))


def experiment(settings: Settings) -> Experiment:
    """Make the experiment: the original's test jobs, each on every executor of ``settings``."""
    sizes = FULL if settings.full else REDUCED
    model = ai_model(settings)
    several = len(settings.executors) > 1
    jobs = _jobs(sizes, model)
    notes = ["The original's time limit on the overlay was 600 s; a job may take as long as --timeout says."]
    if model is None:
        notes.append("Framing with AI is left out: no network can run here (extra ai, and weights: reelproc models).")
    elif not settings.full:
        notes.append(f"The network's picture is {sizes.ai_shrink} times smaller each side than the original's 540x960.")
    question = Question(
        name="e1",
        title="Baseline of every job",
        question="What does every kind of job take, phase by phase, and what does it cost?",
        hypothesis="The overlay and the framing without AI need no GPU; framing with AI is the network's time.",
        rule=CheapestThenFaster() if several else RecordOnly(),
        arms=[Arm(name=name, factors={"executor": name}) for name in settings.executors],
        baseline=settings.executor,
        cases=[case for case, _ in jobs.values()],
        held=settings.held(model=model, game_s=sizes.game),
        temperature="warm",
        same_picture_db=35.0 if several else None,
        notes=notes,
    )

    def measure(bench: Bench, case: Case, arm: Arm) -> Measurement:
        local = game(bench, sizes.game)
        job = jobs[case.name][1](Workload(bench, local, arm.name))
        done = bench.do([job], arm.name)
        return done.measurement.model_copy(update={"made": (made_by(bench, job, done.results[0], local),)})

    return Experiment(question, measure, lambda bench: _ready(bench, sizes), repeats=3, warm_ups=1)


def _ready(bench: Bench, sizes: Sizes) -> None:
    game(bench, sizes.game)


def _jobs(sizes: Sizes, model: str | None) -> dict[str, tuple[Case, Callable[[Workload], RenderJob | ExtractJob]]]:
    game_s, clip, ai_clip = sizes.game, sizes.clip, sizes.ai_clip
    start = min(3.0, game_s - max(clip, ai_clip))
    rows: list[tuple[Case, Callable[[Workload], RenderJob | ExtractJob]]] = [
        (
            Case(
                name="overlay, 3 s lit",
                description=f"a spotlight from 1 to 4 s of {game_s:g} s; the rest is copied (smart copy)",
                job_kind="overlay, partly lit",
            ),
            lambda load: load.overlay(game_s, (1.0, 4.0)),
        ),
        (
            Case(
                name="overlay, all lit",
                description=f"a spotlight over all {game_s:g} s, {round(30 * game_s)} frames",
                job_kind="overlay",
            ),
            lambda load: load.overlay(game_s, (0.0, game_s)),
        ),
        (
            Case(name="framing", description=f"crop and Lanczos, {clip:g} s", job_kind="framing"),
            lambda load: load.framing(start, start + clip),
        ),
        (
            Case(name="extract", description=f"{clip:g} s cut out, exact to the frame", job_kind="extract"),
            lambda load: load.extract(start, start + clip),
        ),
        (
            Case(
                name="compilation",
                description=f"{len(sizes.compilation)} clips joined in the footage's size",
                job_kind="compilation",
            ),
            lambda load: load.compilation(list(sizes.compilation)),
        ),
    ]
    if model is not None:
        rows.append(
            (
                Case(
                    name="framing with AI",
                    description=f"crop and {model}, {ai_clip:g} s, {round(30 * ai_clip)} frames",
                    job_kind="framing with AI",
                ),
                lambda load: load.framing(start, start + ai_clip, model=model, shrink=sizes.ai_shrink),
            )
        )
    return {case.name: (case, build) for case, build in rows}
