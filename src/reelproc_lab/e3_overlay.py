"""E3: where is an overlay better rendered, on cores or in a container with a GPU, and by which program?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reelproc import ExtractJob, probe
from reelproc.jobs import run_job
from reelproc_lab.bench import Bench, Settings
from reelproc_lab.footage import game
from reelproc_lab.harness import Experiment
from reelproc_lab.programs import ORIGINAL, OURS, OURS_ENCODED, arms_of, do, parts
from reelproc_lab.question import Arm, Case, Question
from reelproc_lab.record import Measurement
from reelproc_lab.rules import CheapestThenFaster
from reelproc_lab.workloads import Workload, made_by


@dataclass(frozen=True)
class Sizes:
    """Seconds of the footage, and of its highlighted part in the case that has one."""

    game: float
    part: tuple[float, float]


FULL = Sizes(90.0, (40.0, 43.0))
REDUCED = Sizes(10.0, (4.0, 5.0))


def experiment(settings: Settings) -> Experiment:
    """Make the experiment: an overlay over part of a game and all of it, by both programs, on every executor."""
    sizes = FULL if settings.full else REDUCED
    spans = {
        f"{sizes.part[1] - sizes.part[0]:g} of {sizes.game:g} s highlighted": sizes.part,
        f"all {sizes.game:g} s highlighted": (0.0, sizes.game),
    }
    several = len(settings.executors) > 1
    arms = arms_of(settings, (ORIGINAL, OURS, OURS_ENCODED))
    question = Question(
        name="e3",
        title="Overlay on cores or beside a GPU",
        question="Is an overlay better rendered on processor cores or in a container with a GPU, and what is its "
        "program worth?",
        hypothesis="No overlay uses a GPU, so cores are cheaper; the original's took over 600 s on two because of its "
        "program.",
        rule=CheapestThenFaster(),
        arms=arms,
        baseline=arms[0].name,
        cases=[
            Case(
                name=name,
                description=f"{30 * sizes.game:g} frames of the footage's own size",
                job_kind=_kind(name) if several else None,
            )
            for name in spans
        ],
        design="factorial" if several else "one-at-a-time",
        held=settings.held(encoder="libx264 fast crf 23"),
        temperature="warm",
        same_picture_db=25.0,  # the original shifts colours, see the notes
        notes=[
            "The original's program is written anew from its description: see reelproc_lab.original_programs.",
            "Its pictures are 8 % darker on the drawn match: OpenCV decodes HD as BT.709, ffmpeg encodes it as BT.601.",
            f"{OURS!r} copies what nothing is drawn on; {OURS_ENCODED!r} encodes every frame, as the original does.",
            *(
                []
                if several
                else ["No GPU container was compared: name some, e.g. --executor modal-t4 --executor modal-cpu."]
            ),
        ],
    )

    def measure(bench: Bench, case: Case, arm: Arm) -> Measurement:
        local = _cut(bench, sizes.game)
        job = Workload(bench, local, parts(arm)[1]).overlay(sizes.game, spans[case.name])
        done = do(bench, job, arm)
        return done.measurement.model_copy(update={"made": (made_by(bench, job, done.results[0], local),)})

    def prepare(bench: Bench) -> None:
        _cut(bench, sizes.game)

    return Experiment(question, measure, prepare, repeats=3, warm_ups=1)


def _kind(case: str) -> str:
    return "overlay" if case.startswith("all") else "overlay, partly lit"


def _cut(bench: Bench, seconds: float) -> Path:
    """Return the footage, or the beginning of a longer one: the original draws over whole files."""
    path = game(bench, seconds)
    if float(probe(path).duration) < seconds + 0.03:
        return path
    cut = bench.folder / f"first-{seconds:g}s{path.suffix}"
    if not cut.exists():
        run_job(ExtractJob(source=path, output=cut, end=seconds))
    return cut
