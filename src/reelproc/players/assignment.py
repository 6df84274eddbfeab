"""Who is who: the cheapest way to give every track at most one detection, and no detection to two."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf


def assign(costs: Sequence[Sequence[float]], *, unmatched: float) -> list[int | None]:
    """For each row the column it gets, or None, such that the sum of costs is the least possible.

    The Hungarian method with potentials, by shortest augmenting paths (R. Jonker, A. Volgenant, "A shortest augmenting
    path algorithm for dense and sparse linear assignment problems", Computing 38, 1987): n rows by m columns in
    O(n^2 (n + m)).

    Args:
        costs: rows of one length; ``inf`` where a pair is impossible.
        unmatched: what it costs to leave a row without a column.

    >>> assign([[1.0, 2.0], [1.1, 9.0]], unmatched=5.0)
    [1, 0]
    >>> assign([[7.0, inf]], unmatched=5.0)
    [None]
    """
    rows = len(costs)
    columns = len(costs[0]) if rows else 0
    # a column of its own for each row to stay unmatched in; an impossible pair costs more than that ever saves
    impossible = (unmatched + max((c for row in costs for c in row if c < inf), default=0.0)) * (rows + 1) + 1.0
    square = [
        [c if c < inf else impossible for c in row] + [unmatched if k == r else impossible for k in range(rows)]
        for r, row in enumerate(costs)
    ]
    owner = _owners(square, rows, columns + rows)
    given: list[int | None] = [None] * rows
    for column, row in enumerate(owner[:columns]):
        if row is not None and costs[row][column] < inf:
            given[row] = column
    return given


def _owners(costs: list[list[float]], rows: int, columns: int) -> list[int | None]:
    """For each column the row that has it; there are at least as many columns as rows, and every row gets one."""
    owner: list[int | None] = [None] * columns
    of_row, of_column = [0.0] * rows, [0.0] * columns
    for start in range(rows):
        least = [inf] * columns
        came_from: list[int | None] = [None] * columns
        seen = [False] * columns
        row, here = start, None
        while True:
            step, nearest = inf, -1
            for column in range(columns):
                if seen[column]:
                    continue
                reduced = costs[row][column] - of_row[row] - of_column[column]
                if reduced < least[column]:
                    least[column], came_from[column] = reduced, here
                if least[column] < step:
                    step, nearest = least[column], column
            of_row[start] += step
            for column in range(columns):
                taken = owner[column]
                if not seen[column]:
                    least[column] -= step
                elif taken is not None:
                    of_row[taken] += step
                    of_column[column] -= step
            seen[nearest] = True
            here = nearest
            taken = owner[nearest]
            if taken is None:
                break
            row = taken
        while here is not None:  # turn the path over
            before = came_from[here]
            owner[here] = start if before is None else owner[before]
            here = before
    return owner
