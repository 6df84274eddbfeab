"""What a finished run teaches about the hardware that it ran on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelproc.cost.hardware_specs import place
from reelproc.cost.pipeline import loop, pace_of
from reelproc.cost.rates import Rates
from reelproc.errors import SpecError

if TYPE_CHECKING:
    from reelproc.cost.measured_rates import MeasuredRates
    from reelproc.cost.work import Work
    from reelproc.results import DetectResult, RenderResult

PHASES_OUTSIDE_LOOP = ("startup", "download", "probe", "load", "assemble", "upload")
"""Phases of a run that do not overlap with its loop."""

LOADED_START_SECONDS = 0.3
"""A start that took longer than this has loaded its network."""

SHORTEST_LOOP_SECONDS = 0.5
"""Seconds: a loop that is over sooner says little of the pace."""


def rates_of(result: RenderResult | DetectResult, work: Work, calibration: MeasuredRates) -> dict[str, list[float]]:
    """Return the rates that ``result`` shows, by kind, but for the pace.

    Args:
        result: of a run that was done by one worker; of a divided one only what one worker does is told.
        work: of its job.
        calibration: what is known so far.

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
    if len(work.beside) == 1:
        ((kind, amount),) = work.beside.items()
        learn(kind, phases.get("audio"), amount)
    if "copy" not in work.after:
        learn("assemble", phases.get("assemble"), work.after.get("assemble", 0.0))
    if result.cold_start and not work.networks:  # a warm container starts nothing
        learn("startup", phases.get("startup"), 1.0)
    elif result.cold_start:  # networks are loaded in the same phase
        bare = _bare_startup(calibration, result.hardware)
        learn("startup", phases.get("startup") if bare is None else None, 1.0)
        learn("load", 0.0 if bare is None else max(0.0, phases.get("startup", 0.0) - bare), 1.0)
    elif work.networks and result.hardware == "local" and phases.get("startup", 0.0) > LOADED_START_SECONDS:
        learn("load", phases["startup"], 1.0)
    part = work.whole
    tflop = {kind: amount for kind, amount in part.amounts.items() if kind.startswith(("network.", "detect."))}
    if len(tflop) == 1:
        (kind, amount), *_ = tflop.items()
        learn(kind, phases.get("network"), amount)
    return rates


def _bare_startup(calibration: MeasuredRates, hardware: str) -> float | None:
    """Return the seconds of a start without a network; None if they are not known."""
    entry = calibration.entry(hardware)
    spread = entry.spread("startup") if entry is not None else None
    return None if spread is None else spread.median


def pace_in(result: RenderResult | DetectResult, work: Work, calibration: MeasuredRates) -> dict[str, list[float]]:
    """Return the pace that ``result`` shows: its loop's time over what the rates say; none where the loop is short.

    Args:
        result, work: see :func:`rates_of`.
        calibration: with what the same result has taught of single rates.
    """
    if "wall" not in result.phases or not work.segments:
        return {}
    expected = loop(work.whole, Rates(place(result.hardware), calibration), beside=work.beside)
    outside = sum(result.phases.get(phase, 0.0) for phase in PHASES_OUTSIDE_LOOP)
    measured = result.phases["wall"] - outside - expected.starting
    if measured < SHORTEST_LOOP_SECONDS or expected.ideal <= 0:
        return {}
    return {pace_of([work.whole]): [measured / expected.ideal]}
