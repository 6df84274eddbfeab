"""Rules by which questions are decided. Each is data, says itself in words, and is fixed before the first run.

What all have in common is stated here once:

- without complete runs of the baseline nothing is decided;
- only arms with complete runs can be chosen; one whose outputs were wrong cannot;
- a run that ended at its time limit is a result: it took, and costs, at least so much. Such an arm is not chosen, and
  where its least cost is still below the best one's, the decision waits for a longer limit.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field

from reelproc.cost.decision import MAX_EXTRA_COST, choose
from reelproc.schema import Fraction01, Schema

if TYPE_CHECKING:
    from reelproc_lab.summary import ArmSummary

Price = Literal["billed", "original"]


class Decision(Schema):
    """What came of a question in one case.

    Attributes:
        case: which; ``"all"`` where the cases are decided together.
        status: ``"decided"``; ``"undecided"``: the reason says what is missing; ``"recorded"``: nothing was to be
            decided.
        chosen: the arm; None where there is none.
        reason: one or two sentences with the figures.
    """

    case: str
    status: Literal["decided", "undecided", "recorded"]
    chosen: str | None = None
    reason: str


class Rule(Schema, abc.ABC):
    """What :meth:`decide` is asked, case by case."""

    @property
    @abc.abstractmethod
    def words(self) -> str:
        """The rule as a sentence."""

    def decide(self, cases: Sequence[Sequence[ArmSummary]]) -> list[Decision]:
        """One decision for each case, from the summaries that count."""
        return [self._decided(arms) for arms in cases if arms]

    def _decided(self, arms: Sequence[ArmSummary]) -> Decision:
        case = arms[0].case
        base = next((arm for arm in arms if arm.baseline), None)
        if base is None or not (base.complete or base.floor):
            why = "; ".join(base.errors) if base and base.errors else "it has no run that counts"
            return Decision(case=case, status="undecided", reason=f"there is no baseline: {why}")
        rivals = [arm for arm in arms if arm.complete and not arm.wrong]
        if not rivals:
            return Decision(case=case, status="undecided", reason="no arm has finished with a right output")
        if len(rivals) == 1 and not any(arm.floor for arm in arms):
            return Decision(
                case=case, status="undecided", reason=f"only {rivals[0].arm} has finished: nothing to compare"
            )
        return self._chosen(base, rivals, [arm for arm in arms if arm.floor])

    def _chosen(self, base: ArmSummary, rivals: Sequence[ArmSummary], floors: Sequence[ArmSummary]) -> Decision:
        raise TypeError(f"{type(self).__name__} decides over all cases")


class RecordOnly(Rule):
    """For baselines: nothing is compared."""

    rule: Literal["record"] = "record"

    @property
    def words(self) -> str:
        """The rule as a sentence."""
        return "Nothing is decided: the figures are what later questions are measured against."

    def _decided(self, arms: Sequence[ArmSummary]) -> Decision:
        done = [arm for arm in arms if arm.complete]
        if not done:
            why = "; ".join(dict.fromkeys(error for arm in arms for error in arm.errors)) or "no run that counts"
            return Decision(case=arms[0].case, status="undecided", reason=why)
        return Decision(case=arms[0].case, status="recorded", reason="; ".join(_figures(arm) for arm in done))


class CheapestThenFaster(Rule):
    """The original's rule for hardware: the cheaper, but for little money the faster (:mod:`reelproc.cost.decision`).

    Attributes:
        within: how much more than the cheapest the faster may cost, as a share.
        price: by which prices.
    """

    rule: Literal["cheapest-then-faster"] = "cheapest-then-faster"
    within: Fraction01 = MAX_EXTRA_COST
    price: Price = "billed"

    @property
    def words(self) -> str:
        """The rule as a sentence."""
        return (
            f"The cheapest wins ({self.price} prices), but for at most {self.within:.0%} more than the cheapest costs "
            "the fastest is taken."
        )

    def _chosen(self, base: ArmSummary, rivals: Sequence[ArmSummary], floors: Sequence[ArmSummary]) -> Decision:
        priced = [arm for arm in rivals if _usd(arm, self.price) is not None]
        case = base.case
        if len(priced) < len(rivals):
            unknown = ", ".join(arm.arm for arm in rivals if arm not in priced)
            return Decision(case=case, status="undecided", reason=f"no price is known of {unknown}")
        best = choose([_Offer(arm, _usd(arm, self.price) or 0.0, _seconds(arm)) for arm in priced], within=self.within)
        for arm in floors:
            floor = _usd(arm, self.price) or 0.0
            if best.usd > (1 + self.within) * floor:
                return Decision(
                    case=case,
                    status="undecided",
                    reason=f"{arm.arm} did not finish in {_seconds(arm):.0f} s and may still be the cheaper "
                    f"(at least ${floor:.5f}, {best.arm.arm} ${best.usd:.5f}); run it again with a longer --timeout",
                )
        others = "; ".join(_figures(arm, self.price) for arm in priced if arm is not best.arm)
        cheapest = min(priced, key=lambda arm: _usd(arm, self.price) or 0.0)
        why = "the cheapest" if best.arm is cheapest else f"within {self.within:.0%} of the cheapest, and faster"
        late = "".join(f"; {arm.arm} did not finish in {_seconds(arm):.0f} s" for arm in floors)
        reason = (
            f"{_figures(best.arm, self.price)}: {why}, against {others or 'nothing'}{late}{_noise(best.arm, rivals)}"
        )
        return Decision(case=case, status="decided", chosen=best.arm.arm, reason=reason)


class _Offer(NamedTuple):
    """An arm, as the rule of :mod:`reelproc.cost.decision` wants it."""

    arm: ArmSummary
    usd: float
    wall_seconds: float


class MostChunks(Rule):
    """For dividing work: as much as costs no more.

    Attributes:
        tolerance: a cost so much above the baseline's still counts as no more, and a time so much below not as less.
        price: by which prices.
    """

    rule: Literal["most-chunks"] = "most-chunks"
    tolerance: Fraction01 = 0.05
    price: Price = "billed"

    @property
    def words(self) -> str:
        """The rule as a sentence."""
        return (
            f"Of the divisions that cost no more than the whole (up to {self.tolerance:.0%}, {self.price} prices) and "
            "are faster than it by more than that, the greatest that is no slower than a smaller one; otherwise the "
            "whole."
        )

    def _chosen(self, base: ArmSummary, rivals: Sequence[ArmSummary], floors: Sequence[ArmSummary]) -> Decision:
        usd = _usd(base, self.price)
        if not base.complete or usd is None:
            return Decision(case=base.case, status="undecided", reason="the whole has no complete run with a price")
        best = base  # arms are in the order of their chunks
        for arm in rivals:
            cost = _usd(arm, self.price)
            cheap = cost is not None and cost <= (1 + self.tolerance) * usd
            if cheap and _seconds(arm) < (1 - self.tolerance) * _seconds(base) and _seconds(arm) <= _seconds(best):
                best = arm
        others = "; ".join(_figures(arm, self.price) for arm in rivals if arm is not best)
        why = "no division is both faster and no dearer" if best is base else "the most at no more cost"
        return Decision(
            case=base.case,
            status="decided",
            chosen=best.arm,
            reason=f"{_figures(best, self.price)}: {why}, against {others}{_noise(best, rivals)}",
        )


class QualityFloor(Rule):
    """For encoders: the fastest whose picture is good enough.

    Attributes:
        quantity: the measure of quality, greater is better, e.g. ``"ssim"``.
        loss: how much less of it than the baseline's is acceptable.
        more_bytes: how much larger a file is acceptable, as a share of the baseline's ``output_bytes``; None: any.
    """

    rule: Literal["quality-floor"] = "quality-floor"
    quantity: str
    loss: Annotated[float, Field(ge=0)]
    more_bytes: Annotated[float, Field(ge=0)] | None = None

    @property
    def words(self) -> str:
        """The rule as a sentence."""
        size = "" if self.more_bytes is None else f" and whose file is at most {self.more_bytes:.0%} larger"
        return f"The fastest whose {self.quantity} is at most {self.loss:g} below the baseline's{size}."

    def _chosen(self, base: ArmSummary, rivals: Sequence[ArmSummary], floors: Sequence[ArmSummary]) -> Decision:
        quality, size = _quantity(base, self.quantity), _quantity(base, "output_bytes")
        if quality is None:
            return Decision(case=base.case, status="undecided", reason=f"{self.quantity} of the baseline is not known")

        def fits(arm: ArmSummary) -> bool:
            mine, bytes_ = _quantity(arm, self.quantity), _quantity(arm, "output_bytes")
            small = self.more_bytes is None or not size or (bytes_ or 0.0) <= (1 + self.more_bytes) * size
            return mine is not None and mine >= quality - self.loss and small

        def said(arm: ArmSummary) -> str:
            mine = _quantity(arm, self.quantity)
            return f"{arm.arm} {_seconds(arm):.2f} s, {self.quantity} {'unknown' if mine is None else f'{mine:.4g}'}"

        best = min((arm for arm in rivals if fits(arm)), key=_seconds, default=None)
        if best is None:
            return Decision(case=base.case, status="undecided", reason="not even the baseline has finished")
        others = "; ".join(said(arm) + ("" if fits(arm) else " (not good enough)") for arm in rivals if arm is not best)
        reason = f"{said(best)}: the fastest that is good enough, against {others}{_noise(best, rivals)}"
        return Decision(case=base.case, status="decided", chosen=best.arm, reason=reason)


class AllFrames(Rule):
    """For readers: the fastest of those that lose nothing, over all cases together.

    Attributes:
        quantity: what must be zero in every case.
    """

    rule: Literal["all-frames"] = "all-frames"
    quantity: str = "dropped"

    @property
    def words(self) -> str:
        """The rule as a sentence."""
        return (
            f"Over all files together: of those whose {self.quantity} is 0 on every file, the one that is fastest in "
            "sum. The baseline must fail first; where it does not, there is nothing to repair, and it stays."
        )

    def decide(self, cases: Sequence[Sequence[ArmSummary]]) -> list[Decision]:
        """One decision for all cases."""
        names = list(dict.fromkeys(arm.arm for arms in cases for arm in arms))
        lost: dict[str, list[str]] = {name: [] for name in names}
        seconds = dict.fromkeys(names, 0.0)
        baseline = ""
        for arms in cases:
            for arm in arms:
                baseline = arm.arm if arm.baseline else baseline
                if not arm.complete or _quantity(arm, self.quantity) != 0:
                    lost[arm.arm].append(arm.case)
                seconds[arm.arm] += _seconds(arm)
        if not baseline or not any(arm.complete for arms in cases for arm in arms if arm.baseline):
            return [Decision(case="all", status="undecided", reason="there is no baseline: it has no run that counts")]
        faults = "; ".join(
            f"{name} fails on {len(files)} of {len(cases)} ({', '.join(files)})"
            for name, files in lost.items()
            if files
        )
        whole = [name for name, files in lost.items() if not files]
        if not whole:
            return [Decision(case="all", status="undecided", reason=f"none reads everything: {faults}")]
        best = baseline if baseline in whole else min(whole, key=lambda name: seconds[name])
        times = ", ".join(f"{name} {seconds[name]:.2f} s" for name in whole)
        failed = f"; {faults}" if faults else "; the baseline does not fail, so nothing needs repair"
        return [Decision(case="all", status="decided", chosen=best, reason=f"{times} lose nothing{failed}")]


AnyRule = Annotated[
    RecordOnly | CheapestThenFaster | MostChunks | QualityFloor | AllFrames, Field(discriminator="rule")
]
"""Any rule, told apart by its ``rule`` field."""


def _usd(arm: ArmSummary, price: Price) -> float | None:
    found = arm.usd_billed if price == "billed" else arm.usd_original
    return found.median if found else None


def _seconds(arm: ArmSummary) -> float:
    return arm.client_seconds.median if arm.client_seconds else 0.0


def _quantity(arm: ArmSummary, name: str) -> float | None:
    found = arm.quantities.get(name)
    return found.median if found else None


def _figures(arm: ArmSummary, price: Price = "billed") -> str:
    usd = _usd(arm, price)
    return f"{arm.arm} {_seconds(arm):.2f} s" + ("" if usd is None else f", ${usd:.6f}")


def _noise(best: ArmSummary, rivals: Sequence[ArmSummary]) -> str:
    """Which of the others are not told apart in time from the baseline by these runs."""
    unsure = [a.arm for a in rivals if a.time_ratio and a.time_ratio.low <= 1 <= a.time_ratio.high]
    if not unsure or (best.baseline and best.arm in unsure):
        return ""
    return f" (in time, these runs do not tell {', '.join(unsure)} from the baseline)"
