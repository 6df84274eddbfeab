"""What a finished run teaches about the hardware that it ran on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelproc.cost.pipeline import loop
from reelproc.cost.places import place
from reelproc.cost.rates import Rates
from reelproc.errors import SpecError

if TYPE_CHECKING:
    from reelproc.cost.calibration import Calibration
    from reelproc.cost.work import Work
    from reelproc.results import DetectResult, RenderResult

__all__ = ["rates_of"]

OUTSIDE = ("startup", "download", "probe", "load", "audio", "assemble", "upload")
"""Phases of a run that do not overlap with its loop."""

SHORTEST_LOOP = 0.5
"""Seconds: a loop that is over sooner says little of the pace."""


def rates_of(result: RenderResult | DetectResult, work: Work, calibration: Calibration) -> dict[str, list[float]]:
    """The rates that ``result`` shows, by kind.

    Args:
        result: of a run that was done by one worker; of a divided one only what one worker does is told.
        work: of its job.
        calibration: what is known so far, for the pace.

    Raises:
        SpecError: the result is not that of such a job.
    """
    if result.frame_count != work.frames:
        raise SpecError(f"the result has {result.frame_count} frames, its job's work {work.frames}: not the same job")
    phases = result.phases
    rates: dict[str, list[float]] = {}

    def learn(kind: str, seconds: float | None, amount: float) -> None:
        if seconds is not None and amount > 0 and seconds >= 0:
            rates[kind] = [seconds / amount]

    learn("probe", phases.get("probe"), work.before.get("probe", 0.0))
    learn("download", phases.get("download"), work.source_megabytes)
    learn("upload", phases.get("upload"), work.output_megabytes)
    if "audio.stretched" not in work.after:
        learn("audio", phases.get("audio"), work.after.get("audio", 0.0))
    if "copy" not in work.after:
        learn("assemble", phases.get("assemble"), work.after.get("assemble", 0.0))
    if result.cold_start:  # a warm container starts nothing
        learn("startup", phases.get("startup"), 1.0)
    part = work.whole
    tflop = {kind: amount for kind, amount in part.amounts.items() if kind.startswith(("network.", "detect."))}
    if len(tflop) == 1:
        (kind, amount), *_ = tflop.items()
        learn(kind, phases.get("network"), amount)
    if "wall" in phases and work.segments:
        rest = phases["wall"] - sum(phases.get(phase, 0.0) for phase in OUTSIDE)
        rates |= _pace(rest, work, calibration, result.hardware)
    return rates


def _pace(measured: float, work: Work, calibration: Calibration, hardware: str) -> dict[str, list[float]]:
    expected = loop(work.whole, Rates(place(hardware), calibration))
    measured -= expected.starting
    if measured < SHORTEST_LOOP or expected.ideal <= 0:
        return {}
    return {"pace": [measured / expected.ideal]}
