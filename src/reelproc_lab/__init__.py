"""Questions about time and cost, asked properly: one change at a time, repeated, verified, and decided by a rule.

::

    import reelproc_lab as experiments

    outcome = experiments.run("e7", "results", experiments.Settings(executors=["local"]))
    for decision in outcome.decisions:
        print(decision.case, decision.chosen, decision.reason)

``docs/how-to/run-an-experiment.md`` shows it from the command line, and how to ask a question of your own.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reelproc_lab import dataset as dataset
    from reelproc_lab.bench import Bench, Done, Settings
    from reelproc_lab.catalogue import EXPERIMENTS, TITLES, experiment, run
    from reelproc_lab.harness import Experiment, Outcome, decide, read_outcome, run_experiment
    from reelproc_lab.question import Arm, Case, Question
    from reelproc_lab.record import Made, Measurement, Record
    from reelproc_lab.rules import AllFrames, CheapestThenFaster, Decision, MostChunks, QualityFloor, RecordOnly
    from reelproc_lab.summary import ArmSummary, Spread, spread

_NAMES = {
    "bench": ("Bench", "Done", "Settings"),
    "catalogue": ("EXPERIMENTS", "TITLES", "experiment", "run"),
    "harness": ("Experiment", "Outcome", "decide", "read_outcome", "run_experiment"),
    "question": ("Arm", "Case", "Question"),
    "record": ("Made", "Measurement", "Record"),
    "rules": ("AllFrames", "CheapestThenFaster", "Decision", "MostChunks", "QualityFloor", "RecordOnly"),
    "summary": ("ArmSummary", "Spread", "spread"),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [
    "EXPERIMENTS",
    "TITLES",
    "AllFrames",
    "Arm",
    "ArmSummary",
    "Bench",
    "Case",
    "CheapestThenFaster",
    "Decision",
    "Done",
    "Experiment",
    "Made",
    "Measurement",
    "MostChunks",
    "Outcome",
    "QualityFloor",
    "Question",
    "Record",
    "RecordOnly",
    "Settings",
    "Spread",
    "dataset",
    "decide",
    "experiment",
    "read_outcome",
    "run",
    "run_experiment",
    "spread",
]


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: ``reelproc --help`` reads the laboratory's commands from this package."""
    if name == "dataset":
        return import_module("reelproc_lab.dataset")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"reelproc_lab.{_HOME[name]}"), name)
    return value
