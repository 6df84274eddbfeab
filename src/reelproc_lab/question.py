"""A question, stated before anything runs: what is compared, on what, and by which rule it will be decided."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from reelproc.schema import Items, Schema
from reelproc_lab.record import Temperature
from reelproc_lab.rules import AnyRule

Level = str | int | float | bool | None
"""What a factor is set to."""

Name = Annotated[str, Field(pattern=r"^[\w][\w .,:+()=/-]{0,79}$")]


class Arm(Schema):
    """One of the ways that are compared.

    Attributes:
        name: for tables.
        factors: what it is set to, e.g. ``{"executor": "local", "chunks": 2}``. All arms of a question name the same
            factors.
    """

    name: Name
    factors: dict[str, Level]


class Case(Schema):
    """One of the things that every arm is tried on: a job, a file, a length. Each is decided by itself.

    Attributes:
        name: for tables.
        description: what it is, for people.
        job_kind: the kind of job whose default placement its decision settles, e.g. ``"overlay"``; None: none.
    """

    name: Name
    description: str = ""
    job_kind: str | None = None


class Question(Schema):
    """What is asked.

    Attributes:
        name: of the experiment, ``"e1"``.
        title, question, hypothesis: for people; the hypothesis is what would be no surprise.
        rule: by which it is decided, fixed before the first run.
        arms: what is compared.
        baseline: the arm that the others are measured against; None: there is none, and nothing is decided.
        cases: what they are compared on.
        design: ``"one-at-a-time"``: every arm differs from the baseline in exactly one factor; ``"factorial"``: arms
            may differ in several, and what causes a difference is then for the reader to disentangle.
        held: what is the same in all runs, by name.
        temperature: which runs count.
        same_picture_db: outputs show the same picture as the baseline's, frame by frame, within this many decibels
            (PSNR of the luma); None: that is not promised.
        notes: what else a reader must know, e.g. what could not be done here.

    Raises:
        SpecError: the arms do not make a comparison.
    """

    version: Literal[1] = 1
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    title: str
    question: str
    hypothesis: str
    rule: AnyRule
    arms: Annotated[Items[Arm], Field(min_length=1)]
    baseline: str | None
    cases: Annotated[Items[Case], Field(min_length=1)] = (Case(name="all"),)
    design: Literal["one-at-a-time", "factorial"] = "one-at-a-time"
    held: dict[str, Level] = Field(default_factory=dict)
    temperature: Temperature = "any"
    same_picture_db: Annotated[float, Field(gt=0)] | None = None
    notes: Items[str] = ()

    def model_post_init(self, _context: object, /) -> None:
        """Check that the arms make a comparison, with one change at a time unless the design says otherwise."""
        for what, names in (("arms", [a.name for a in self.arms]), ("cases", [c.name for c in self.cases])):
            if len(set(names)) < len(names):
                raise ValueError(f"{what} have names of their own, got {', '.join(names)}")
        first = self.arms[0]
        for arm in self.arms:
            if set(arm.factors) != set(first.factors):
                raise ValueError(
                    f"all arms name the same factors: {first.name!r} has {_listed(first.factors)}, "
                    f"{arm.name!r} has {_listed(arm.factors)}"
                )
        self._check_baseline()

    def _check_baseline(self) -> None:
        if self.baseline is None:
            return
        by_name = {arm.name: arm for arm in self.arms}
        if self.baseline not in by_name:
            raise ValueError(f"the baseline {self.baseline!r} is none of the arms: {', '.join(by_name)}")
        for arm in self.arms:
            changed = self.changed(arm)
            if arm.name != self.baseline and not changed:
                raise ValueError(f"the arm {arm.name!r} differs from the baseline in nothing")
            if self.design == "one-at-a-time" and len(changed) > 1:
                raise ValueError(
                    f"one change at a time: {arm.name!r} differs from the baseline in {', '.join(changed)}; split it "
                    "into arms with one change each, or say design='factorial'"
                )

    def changed(self, arm: Arm) -> tuple[str, ...]:
        """Return the factors in which ``arm`` differs from the baseline; none without a baseline."""
        base = next((a.factors for a in self.arms if a.name == self.baseline), None)
        if base is None:
            return ()
        return tuple(name for name, level in arm.factors.items() if level != base[name])

    @property
    def fingerprint(self) -> str:
        """A digest of all that is stated: runs of another question do not count as its own."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    if TYPE_CHECKING:  # what may be given is more than what is kept

        def __init__(
            self,
            *,
            name: str,
            title: str,
            question: str,
            hypothesis: str,
            rule: AnyRule,
            arms: Sequence[Arm],
            baseline: str | None,
            cases: Sequence[Case] = ...,
            design: Literal["one-at-a-time", "factorial"] = "one-at-a-time",
            held: dict[str, Level] | None = None,
            temperature: Temperature = "any",
            same_picture_db: float | None = None,
            notes: Sequence[str] = (),
            version: Literal[1] = 1,
        ) -> None: ...


def _listed(factors: dict[str, Level]) -> str:
    return ", ".join(sorted(factors)) or "none"
