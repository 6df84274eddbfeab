"""Compute the closing tables of the app's cost experiments from rates.

They say which hardware suits which kind of job, and what a frame and a workflow cost. Each stands beside the
experiments' own figure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reelproc import Calibration, Estimate
from reelproc.cost.decision import BreakEven, break_even
from reelproc.cost.estimate import estimate_work
from reelproc.cost.hardware_specs import place
from reelproc.cost.options import Option, Pricing
from reelproc.cost.rates import Basis
from reelproc.cost.work import Work
from reelproc.prices import PriceTable, current_prices
from reelproc.schema import Schema
from reelproc_lab import typical_jobs as typical
from reelproc_lab.original_costs import RUNS, original_workflow
from reelproc_lab.price_modes import Mode, prices_in

RENTED = ("modal-cpu", "modal-t4", "modal-l4")

KINDS: dict[str, tuple[str, Callable[[], Work], str]] = {
    "framing with a network": ("6 s, 540x960 to 810x1440", lambda: typical.framed(6), "upscale"),
    "framing without": ("6 s, 540x960 to 810x1440, lanczos", lambda: typical.framed(6, None), "frame"),
    "overlay": ("90 s of 1080p, 3 s highlighted", lambda: typical.overlaid(3), "overlay"),
    "overlay, all highlighted": ("90 s of 1080p", lambda: typical.overlaid(90), "overlay-full"),
    "extraction": ("6 s of 1080p, exact", typical.extraction, "extract"),
    "compilation": ("10 clips of 6 s, 1080p, banners", typical.compilation, "compile"),
}
"""By kind of job: what is estimated, and the original's run."""

MONTH = 1000
"""Exports, each a clip of 15 s."""


class HardwareChoice(Schema):
    """Where a kind of job is best done.

    Attributes:
        job: the kind.
        example: the job that was looked at.
        executor, wall_seconds, usd, basis: of the option that the rule chooses, from a cold start.
        reason: why.
        original: where the app's experiments put it; empty: nowhere.
        original_reason: why.
    """

    job: str
    example: str
    executor: str
    wall_seconds: float
    usd: float
    basis: Basis
    reason: str
    original: str = ""
    original_reason: str = ""


class FrameCost(Schema):
    """What a frame (or a clip) of some kind of job costs.

    Attributes:
        job: the kind.
        unit: ``"frame"`` or ``"job"``.
        executor: where.
        usd: of a unit, warm: without the container's start.
        usd_cold: with it.
        basis: whether that was measured or is predicted.
        original_usd: the experiments' figure; None: they have none.
    """

    job: str
    unit: str
    executor: str
    usd: float
    usd_cold: float
    basis: Basis
    original_usd: float | None = None


class WorkflowCost(Schema):
    """What a workflow costs: cut, upscaled by a network, with a spotlight, joined.

    Attributes:
        workflow: which.
        executor: where.
        wall_seconds: of one export.
        usd: of all of it, each export from a cold start.
        usd_warm: the same with containers that are there.
        idle_usd: on top, where each export's container waits in vain for another job.
        basis: whether that was measured or is predicted.
        original_usd: the experiments' figure, or what their arithmetic makes of it.
    """

    workflow: str
    executor: str
    wall_seconds: float
    usd: float
    usd_warm: float
    idle_usd: float
    basis: Basis
    original_usd: float


class ClosingTables(Schema):
    """The three tables.

    Attributes:
        placements, frames, workflows: their rows.
        break_even: how much faster an L4 must be than a T4 to be the cheaper one, at these prices.
        mode: of the prices.
        prices: whose, and when they were read.
    """

    placements: tuple[HardwareChoice, ...]
    frames: tuple[FrameCost, ...]
    workflows: tuple[WorkflowCost, ...]
    break_even: BreakEven
    mode: Mode
    prices: str

    def markdown(self) -> str:
        """Return the tables for people."""
        return "\n".join(_markdown(self))


def closing_tables(
    hardware: Sequence[str] = RENTED,
    *,
    calibration: Calibration | None = None,
    prices: PriceTable | None = None,
    mode: Mode = "billed",
    region: str | None = None,
) -> ClosingTables:
    """Compute the tables, of typical jobs on a match in 1080p30 (:mod:`reelproc_lab.typical_jobs`).

    Args:
        hardware: the executors among which the rule chooses.
        calibration: what has been measured; None: the file's.
        prices: None: :func:`reelproc.prices.current_prices`.
        mode: ``"original"`` prices as the highlight app's experiments did.
        region: see :func:`reelproc.estimate`.

    Raises:
        SpecError: nothing is known of some hardware.
    """
    known = Calibration.load() if calibration is None else calibration
    pricing = Pricing(prices_in(mode, current_prices() if prices is None else prices), region)

    def looked_at(work: Work) -> Estimate:
        return estimate_work(work, hardware, chunks=(1,), calibration=known, pricing=pricing)

    placements, frames = [], []
    for job, (example, work, run) in KINDS.items():
        made = looked_at(work())
        original = RUNS[run]
        best = made.recommended
        placements.append(_placed(job, example, made, original.hardware, original.reason))
        units = made.frames if original.frames else 1
        frames.append(
            FrameCost(
                job=job,
                unit="frame" if original.frames else "job",
                executor=best.executor,
                usd=made.option(best.executor).usd / units,
                usd_cold=best.usd / units,
                basis=best.basis,
                original_usd=original.usd_per_frame if original.frames else original.usd,
            )
        )
    flows = [
        ("one 15 s clip", typical.reel_of(1), 1, original_workflow(1)),
        ("eight 15 s clips, one reel", typical.reel_of(8), 1, original_workflow(8)),
        (f"a month of {MONTH} exports of 15 s", typical.reel_of(1), MONTH, MONTH * original_workflow(1)),
    ]
    return ClosingTables(
        placements=tuple(placements),
        frames=tuple(frames),
        workflows=tuple(_flow(name, looked_at(work), times, usd) for name, work, times, usd in flows),
        break_even=break_even(pricing.table),
        mode=mode,
        prices=f"{pricing.table.provider}, read {pricing.table.read}",
    )


def _placed(job: str, example: str, made: Estimate, original: str, original_reason: str) -> HardwareChoice:
    best = made.recommended
    return HardwareChoice(
        job=job,
        example=example,
        executor=best.executor,
        wall_seconds=best.wall_seconds,
        usd=best.usd,
        basis=best.basis,
        reason=_because(best, made),
        original=original,
        original_reason=original_reason,
    )


def _because(best: Option, made: Estimate) -> str:
    """Return the rule's reason, and the next best choice."""
    others = [o for o in made.options if o.start == best.start and o.executor != best.executor]
    second = min(others, key=lambda o: o.usd, default=None)
    if second is None or second.executor in made.reason:
        return made.reason
    return f"{made.reason}; {second.executor}: ${second.usd:.4f}, {second.wall_seconds:.1f} s"


def _flow(name: str, made: Estimate, times: int, original: float) -> WorkflowCost:
    best = made.recommended
    return WorkflowCost(
        workflow=name,
        executor=best.executor,
        wall_seconds=best.wall_seconds,
        usd=best.usd * times,
        usd_warm=made.option(best.executor).usd * times,
        idle_usd=best.idle_usd * times,
        basis=best.basis,
        original_usd=original,
    )


def _markdown(tables: ClosingTables) -> list[str]:
    even = tables.break_even
    dearer, cheaper = place(even.dearer).gpu, place(even.cheaper).gpu
    told = f"{dearer} pays where it is more than {even.ratio:.2f} times as fast as {cheaper}"
    lines = [
        f"Prices: {tables.prices}; mode {tables.mode}. {told}.",
        "",
        "| job | example | best, cold | seconds | USD | basis | because | the original |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in tables.placements:
        before = f"{row.original}: {row.original_reason}" if row.original else row.original_reason
        lines.append(
            f"| {row.job} | {row.example} | {row.executor} | {row.wall_seconds:.1f} | {row.usd:.5f} | {row.basis} "
            f"| {row.reason} | {before} |"
        )
    lines += [
        "",
        "| job | per | where | USD warm | USD cold | basis | USD, the original |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for cost in tables.frames:
        said = "" if cost.original_usd is None else f"{cost.original_usd:.3g}"
        lines.append(
            f"| {cost.job} | {cost.unit} | {cost.executor} | {cost.usd:.3g} | {cost.usd_cold:.3g} | {cost.basis} "
            f"| {said} |"
        )
    lines += [
        "",
        "| workflow | where | seconds each | USD cold | USD warm | idle, USD on top | basis | USD, the original |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {flow.workflow} | {flow.executor} | {flow.wall_seconds:.1f} | {flow.usd:.4g} | {flow.usd_warm:.4g} "
        f"| {flow.idle_usd:.4g} | {flow.basis} | {flow.original_usd:.4g} |"
        for flow in tables.workflows
    ]
    return lines
