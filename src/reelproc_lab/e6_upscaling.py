"""E6: which GPU for a network, and what are the program and its software switches worth?

The original compared a T4 with an L4 under one program, and found the newer card slower. Here the program is a factor
of its own, as is every switch, and the seconds in the network are told apart from those outside of it.
"""

from __future__ import annotations

from reelproc import SpecError
from reelproc_lab.bench import Bench, Settings
from reelproc_lab.footage import game
from reelproc_lab.harness import Experiment
from reelproc_lab.original_programs.runner import SWITCHES
from reelproc_lab.programs import ORIGINAL, OURS, do, parts
from reelproc_lab.question import Arm, Case, Question
from reelproc_lab.record import Measurement
from reelproc_lab.rules import CheapestThenFaster
from reelproc_lab.workloads import DEFAULT_MODEL, Workload, made_by

FULL = {"6 s": 6.0, "30 s": 30.0, "60 s": 60.0}
REDUCED = {"4 frames": 4 / 30}
START, REDUCED_SHRINK = 3.0, 2


def experiment(settings: Settings) -> Experiment:
    """Make the experiment: a network by both programs on every executor, and the original's with each switch."""
    if settings.model == "none":
        raise SpecError("e6 is about networks; name one with --model, or leave it out")
    model = settings.model or DEFAULT_MODEL
    lengths = FULL if settings.full else REDUCED
    shrink = 1 if settings.full else REDUCED_SHRINK
    several = len(settings.executors) > 1
    arms = [
        Arm(
            name=_name(program, where, "none", several=several),
            factors={"program": program, "executor": where, "switch": "none"},
        )
        for where in settings.executors
        for program in (ORIGINAL, OURS)
    ]
    arms += [
        Arm(
            name=_name(ORIGINAL, settings.executor, switch, several=several),
            factors={"program": ORIGINAL, "executor": settings.executor, "switch": switch},
        )
        for switch in SWITCHES
        if switch != "none"
    ]
    question = Question(
        name="e6",
        title="GPUs, programs and switches for upscaling",
        question="On which GPU does a network cost least per frame, and is that decided by the card or by the program "
        "around it?",
        hypothesis="The original's program waits for its host, so neither a faster card nor a switch of the network's "
        "helps it; with the host's work overlapped, the faster card is faster.",
        rule=CheapestThenFaster(),
        arms=arms,
        baseline=arms[0].name,
        cases=[
            Case(
                name=name,
                description=f"{round(30 * length)} frames, {540 // shrink}x{960 // shrink} by a half larger",
                job_kind="framing with AI" if several else None,
            )
            for name, length in lengths.items()
        ],
        design="factorial" if several else "one-at-a-time",
        held=settings.held(model=model, shrink=shrink),
        temperature="warm",
        same_picture_db=22.0,  # the original shifts colours, see the notes
        notes=[
            "host_ms_per_frame is what the job takes beyond the seconds in the network; reelproc's overlaps with it.",
            "The original's pictures are darker: OpenCV decodes HD as BT.709, ffmpeg encodes its PNGs as BT.601.",
            "Switches that this device has not got are recorded as errors that say so.",
            *([] if several else ["No other GPU was compared: --executor modal-t4 --executor modal-l4 does that."]),
        ],
    )

    def measure(bench: Bench, case: Case, arm: Arm) -> Measurement:
        length = lengths[case.name]
        local = game(bench, START + max(lengths.values()))
        job = Workload(bench, local, parts(arm)[1]).framing(START, START + length, model=model, shrink=shrink)
        done = do(bench, job, arm, switch=str(arm.factors["switch"]))
        found = done.measurement
        frames = max(1, found.frames)
        wall, network = found.phases.get("wall", found.client_seconds), found.phases.get("network", 0.0)
        quantities = {
            "network_ms_per_frame": round(1000 * network / frames, 2),
            "host_ms_per_frame": round(1000 * max(0.0, wall - network - found.phases.get("load", 0.0)) / frames, 2),
        }
        if found.usd_billed is not None:
            quantities["usd_per_frame"] = round(found.usd_billed / frames, 9)
        made = (made_by(bench, job, done.results[0], local),)
        return found.model_copy(update={"made": made, "quantities": found.quantities | quantities})

    def prepare(bench: Bench) -> None:
        game(bench, START + max(lengths.values()))

    return Experiment(question, measure, prepare, repeats=3, warm_ups=1)


def _name(program: str, where: str, switch: str, *, several: bool) -> str:
    with_switch = "" if switch == "none" else f" with {switch}"
    return f"{program}{with_switch}" + (f" on {where}" if several else "")
