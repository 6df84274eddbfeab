"""Assignment costs the least that any assignment costs."""

from __future__ import annotations

import itertools
from math import inf, isclose

from hypothesis import given
from hypothesis import strategies as st

from reelproc.players.assignment import assign

COSTS = st.one_of(st.just(inf), st.floats(0, 3))


@st.composite
def tables(draw: st.DrawFn) -> list[list[float]]:
    columns = draw(st.integers(0, 4))
    return draw(st.lists(st.lists(COSTS, min_size=columns, max_size=columns), max_size=4))


@given(costs=tables(), unmatched=st.floats(0, 3))
def test_no_assignment_costs_less(costs: list[list[float]], unmatched: float) -> None:
    def total(given: tuple[int | None, ...]) -> float:
        return sum(unmatched if column is None else costs[row][column] for row, column in enumerate(given))

    columns = range(len(costs[0]) if costs else 0)
    every = itertools.product([None, *columns], repeat=len(costs))
    valid = [g for g in every if len({c for c in g if c is not None}) == sum(c is not None for c in g)]
    found = tuple(assign(costs, unmatched=unmatched))
    assert found in valid
    assert isclose(total(found), min(total(g) for g in valid), abs_tol=1e-9)


def test_a_pair_that_is_impossible_is_never_made() -> None:
    assert assign([[inf, 0.2], [inf, 0.1]], unmatched=1.0) == [None, 1]
    assert assign([], unmatched=1.0) == []
    assert assign([[], []], unmatched=1.0) == [None, None]
