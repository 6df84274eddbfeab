"""``reelproc.estimate``: what a job will take, in seconds and dollars, on each kind of hardware, before it is done."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pydantic import Field

from reelproc.cost.calibration import Calibration
from reelproc.cost.decision import MAX_EXTRA_COST, BreakEven, break_even, choose
from reelproc.cost.hardware_specs import PLACES, place
from reelproc.cost.job_work import as_job, work_of
from reelproc.cost.options import Option, Pricing, option
from reelproc.cost.rates import Rates
from reelproc.cost.work import Work
from reelproc.errors import SpecError
from reelproc.prices import PriceTable, current_prices
from reelproc.schema import Schema

if TYPE_CHECKING:
    from reelproc.jobs import Job
    from reelproc.reel import Reel

NO_LIBRARY = (
    "nothing that runs networks is installed here (pip install 'reelproc[onnx]' or 'reelproc[ai]'); local is estimated "
    "as if it were"
)


class Estimate(Schema):
    """What a job will take.

    Attributes:
        frames: of the result.
        copied_frames: of these, taken over bit by bit instead of being encoded.
        duration_seconds: of the result.
        upscaled_frames: source frames that go through a network, each once.
        source_megabytes: of the sources, as much as must be where the job runs.
        amounts: of work, by kind (:mod:`reelproc.cost.work`).
        options: every way of doing it that was looked at.
        recommended: of those from a cold start, the one that the rule chooses (:mod:`reelproc.cost.decision`).
        reason: why.
        recommended_rented: the same among rented hardware alone; None where none was looked at.
        break_even: how much faster the L4 must be than the T4 to be the cheaper one.
        prices: whose, and when they were read.
        region: where it is to run; None: anywhere.
        warnings: what the figures leave out, for people.
    """

    frames: int
    copied_frames: int = 0
    duration_seconds: float
    upscaled_frames: int = 0
    source_megabytes: float = 0.0
    amounts: dict[str, float] = Field(default_factory=dict)
    options: tuple[Option, ...]
    recommended: Option
    reason: str
    recommended_rented: Option | None = None
    break_even: BreakEven
    prices: str
    region: str | None = None
    warnings: tuple[str, ...] = ()

    def option(self, executor: str, *, chunks: int = 1, start: str = "warm") -> Option:
        """Return one of :attr:`options`.

        Raises:
            SpecError: it is not among them.
        """
        for each in self.options:
            if (each.executor, each.chunks, each.start) == (executor, chunks, start):
                return each
        there = ", ".join(sorted({f"{o.executor} in {o.chunks}" for o in self.options}))
        raise SpecError(f"there is no estimate for {executor} in {chunks} chunks, {start}; there are: {there}")


def estimate(
    job: Job | Reel,
    hardware: str | Sequence[str] | None = None,
    *,
    chunks: Sequence[int] = (1, 2, 4, 8),
    calibration: Calibration | None = None,
    prices: PriceTable | None = None,
    region: str | None = None,
) -> Estimate:
    """Return what ``job`` will take, without doing it: its sources are probed, nothing is decoded or rented.

    Args:
        job: a reel, or a job that renders, extracts or detects.
        hardware: names of executors; None: ``local``, ``modal-cpu``, ``modal-t4`` and ``modal-l4``.
        chunks: in how many parts; more than a plan has segments (of about 10 s) are left out.
        calibration: what has been measured; None: the file's (:func:`reelproc.cost.calibration.calibration_path`).
            What is in neither is predicted, and says so.
        prices: None: :func:`reelproc.prices.current_prices`.
        region: a key of the price table's ``regions``; None: anywhere.

    Raises:
        SpecError: the job is not possible, or nothing is known of some hardware.
        ReelprocError: a source cannot be looked at.
    """
    names = PLACES if hardware is None else (hardware,) if isinstance(hardware, str) else tuple(hardware)
    if not names or not chunks or not all(count >= 1 and count == count // 1 for count in chunks):
        raise SpecError(f"an estimate needs hardware and chunks from 1 up, got {list(names)} and {list(chunks)}")
    job = as_job(job)
    work = work_of(job)
    if "local" in names and work.networks and not any(find_spec(library) for library in ("torch", "onnxruntime")):
        work = work.model_copy(update={"warnings": (*work.warnings, NO_LIBRARY)})
    return estimate_work(
        work,
        names,
        chunks=chunks if job.is_divisible else (1,),
        calibration=Calibration.load() if calibration is None else calibration,
        pricing=Pricing(current_prices() if prices is None else prices, region),
    )


def estimate_work(
    work: Work, names: Sequence[str], *, chunks: Sequence[int], calibration: Calibration, pricing: Pricing
) -> Estimate:
    """:func:`estimate` for work that is known already, of a real job or an imagined one.

    Raises:
        SpecError: nothing is known of some hardware.
    """
    most = max(1, len(work.segments))
    wanted = sorted({count for count in chunks if count <= most} or {1})
    books = [Rates(place(name), calibration) for name in names]
    options = tuple(
        option(work, rates, pricing, chunks=count, start=start)
        for rates in books
        for count in wanted
        for start in ("cold", "warm")
    )
    cold = [each for each in options if each.start == "cold"]
    rented = [each for each in cold if each.executor != "local"]
    chosen = choose(cold)
    warnings = list(work.warnings)
    unknown = sorted({kind for rates in books for kind in rates.unknown})
    if unknown:
        warnings.append(f"nothing has been measured of {', '.join(unknown)}: the estimate is a lower bound or a guess")
    if max(chunks) > most:
        there = {0: "nothing", 1: "one segment"}.get(len(work.segments), f"{most} segments")
        warnings.append(f"the plan has {there} to encode: it cannot be divided further")
    return Estimate(
        frames=work.frames,
        copied_frames=work.copied_frames,
        duration_seconds=work.duration_seconds,
        upscaled_frames=work.upscaled_frames,
        source_megabytes=work.source_megabytes,
        amounts=dict(work.whole.amounts) | work.before | work.beside | work.after,
        options=options,
        recommended=chosen,
        reason=_reason(chosen, cold),
        recommended_rented=choose(rented) if rented else None,
        break_even=break_even(pricing.table),
        prices=f"{pricing.table.provider}, read {pricing.table.read}",
        region=pricing.region,
        warnings=tuple(warnings),
    )


def _reason(chosen: Option, offers: Sequence[Option]) -> str:
    """Why the rule chose it, in one sentence."""
    cheapest = min(offers, key=lambda each: (each.usd, each.wall_seconds))
    if chosen is cheapest or chosen.usd <= cheapest.usd:
        free = "costs nothing by the price table" if chosen.usd == 0 else f"is the cheapest at ${chosen.usd:.4f}"
        return f"{_named(chosen)} {free}, in {chosen.wall_seconds:.1f} s"
    return (
        f"{_named(chosen)} costs ${chosen.usd:.4f}, within {MAX_EXTRA_COST:.0%} of the cheapest ({_named(cheapest)}, "
        f"${cheapest.usd:.4f}), and takes {chosen.wall_seconds:.1f} s instead of {cheapest.wall_seconds:.1f} s"
    )


def _named(option: Option) -> str:
    return option.executor if option.chunks == 1 else f"{option.executor} in {option.chunks} chunks"
