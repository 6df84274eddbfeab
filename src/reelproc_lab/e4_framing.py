"""E4: where is framing without a network better done, on cores or in a container with a GPU?"""

from __future__ import annotations

from reelproc_lab.bench import Bench, Settings
from reelproc_lab.footage import game
from reelproc_lab.harness import Experiment
from reelproc_lab.programs import ORIGINAL, OURS, arms_of, do, parts
from reelproc_lab.question import Arm, Case, Question
from reelproc_lab.record import Measurement
from reelproc_lab.rules import CheapestThenFaster
from reelproc_lab.workloads import Workload, made_by

FULL, REDUCED = (3.0, 9.0), (1.0, 4.0)
"""Seconds of the clip in the footage."""


def experiment(settings: Settings) -> Experiment:
    """Make the experiment: a crop scaled by half, by both programs, on every executor."""
    start, end = FULL if settings.full else REDUCED
    several = len(settings.executors) > 1
    arms = arms_of(settings, (ORIGINAL, OURS))
    question = Question(
        name="e4",
        title="Framing without AI on cores or beside a GPU",
        question="Is a clip that is cropped and scaled, without a network, better made on processor cores or in a "
        "container with a GPU?",
        hypothesis="Nothing of it uses a GPU, so cores are cheaper.",
        rule=CheapestThenFaster(),
        arms=arms,
        baseline=arms[0].name,
        cases=[
            Case(
                name=f"{end - start:g} s clip",
                description="540x960 of 1920x1080 to 810x1440, libx264 fast crf 23, with sound",
                job_kind="framing" if several else None,
            )
        ],
        design="factorial" if several else "one-at-a-time",
        held=settings.held(resampler="lanczos"),
        temperature="warm",
        same_picture_db=28.0,
        notes=[
            "The original's path is one ffmpeg with crop and scale; see reelproc_lab.original_programs.framing.",
            *(
                []
                if several
                else ["No GPU container was compared: name some, e.g. --executor modal-t4 --executor modal-cpu."]
            ),
        ],
    )

    def measure(bench: Bench, _: Case, arm: Arm) -> Measurement:
        local = game(bench, end)
        job = Workload(bench, local, parts(arm)[1]).framing(start, end)
        done = do(bench, job, arm)
        return done.measurement.model_copy(update={"made": (made_by(bench, job, done.results[0], local),)})

    def prepare(bench: Bench) -> None:
        game(bench, end)

    return Experiment(question, measure, prepare, repeats=5, warm_ups=1)
