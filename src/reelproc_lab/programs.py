"""The two programs that experiments compare: reelproc, and the original's code paths rebuilt."""

from __future__ import annotations

from collections.abc import Sequence

from reelproc import RenderJob
from reelproc_lab.bench import Bench, Done, Settings
from reelproc_lab.original_programs.runner import OriginalJob
from reelproc_lab.question import Arm

ORIGINAL, OURS, OURS_ENCODED = "original", "reelproc", "reelproc, all encoded"
"""The original's program; ours; ours without smart copy, which encodes every frame as the original does."""


def arms_of(settings: Settings, programs: Sequence[str]) -> list[Arm]:
    """Every program on every executor; the first of both is the baseline."""
    several = len(settings.executors) > 1
    return [
        Arm(name=f"{program} on {where}" if several else program, factors={"program": program, "executor": where})
        for where in settings.executors
        for program in programs
    ]


def parts(arm: Arm) -> tuple[str, str]:
    """Program and executor of an arm."""
    return str(arm.factors["program"]), str(arm.factors["executor"])


def do(bench: Bench, job: RenderJob, arm: Arm, *, switch: str = "none") -> Done:
    """Have ``job`` done by the arm's program, where the arm says."""
    program, where = parts(arm)
    if program == ORIGINAL:
        return bench.do([OriginalJob(render=job, switch=switch)], where)
    return bench.do([job.model_copy(update={"smart_copy": program == OURS})], where)
