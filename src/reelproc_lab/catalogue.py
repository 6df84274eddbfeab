"""The experiments by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from reelproc.registry import Registry

if TYPE_CHECKING:
    from reelproc.results import ProgressCallback
    from reelproc_lab.bench import Settings
    from reelproc_lab.harness import Experiment, Outcome

EXPERIMENTS: Registry[Callable[[Settings], Experiment]] = Registry("experiment", group="reelproc_lab")
"""Experiments by name; third parties add theirs under the entry point group ``reelproc_lab``."""

TITLES = {
    "e1": "what every kind of job takes and costs",
    "e2": "which readers deliver every frame",
    "e3": "an overlay on cores or beside a GPU, by our program and the highlight app's",
    "e4": "framing without a network, likewise",
    "e5": "encoders: time, size and measured quality",
    "e6": "GPUs, programs and switches for upscaling",
    "e7": "into how many chunks a render should be divided",
    "e8": "clips in parallel, or in sequence",
    "e9": "one container for many clips, or one each",
}
"""What the list of experiments says, without building any."""

EXPERIMENTS.register("e1", "reelproc_lab.e1_baseline:experiment")
EXPERIMENTS.register("e2", "reelproc_lab.e2_frame_reading:experiment")
EXPERIMENTS.register("e3", "reelproc_lab.e3_overlay:experiment")
EXPERIMENTS.register("e4", "reelproc_lab.e4_framing:experiment")
EXPERIMENTS.register("e5", "reelproc_lab.e5_encoders:experiment")
EXPERIMENTS.register("e6", "reelproc_lab.e6_upscaling:experiment")
EXPERIMENTS.register("e7", "reelproc_lab.e7_chunks:experiment")
EXPERIMENTS.register("e8", "reelproc_lab.e8_parallel_clips:experiment")
EXPERIMENTS.register("e9", "reelproc_lab.e9_one_container:experiment")


def experiment(name: str, settings: Settings | None = None) -> Experiment:
    """Build the experiment called ``name`` for ``settings``; nothing runs yet.

    Raises:
        SpecError: there is none, or the settings do not suit it.
        MissingDependencyError: an executor of the settings is not installed.
    """
    from reelproc.executors import executors
    from reelproc_lab.bench import Settings

    for executor in settings.executors if settings else ():
        executors.get(executor)
    return EXPERIMENTS.get(name)(settings or Settings())


def run(
    name: str,
    folder: str | os.PathLike[str] = "experiments",
    settings: Settings | None = None,
    *,
    progress: ProgressCallback = lambda _: None,
) -> Outcome:
    """Run the experiment called ``name`` in ``folder/name``, or go on with it.

    Args:
        name: ``"e1"`` to ``"e9"``, or another in :data:`EXPERIMENTS`.
        folder: results of all experiments are below it.
        settings: how to run.
        progress: told before each run.

    Raises:
        SpecError: there is no such experiment, or the folder holds one with other settings.
    """
    from reelproc_lab.harness import run_experiment

    return run_experiment(experiment(name, settings), Path(folder) / name, settings, progress=progress)
