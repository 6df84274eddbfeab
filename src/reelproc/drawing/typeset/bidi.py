"""Order mixed left-to-right and right-to-left text on a line.

The Unicode Bidirectional Algorithm (UAX #9, revision 48), rules P2, P3, W1 to W7, N0 to N2, I1, I2 and L2. The explicit
embedding, override and isolate characters (X1 to X8) are not honoured: cleaned text does not contain them. Bracket
pairs are those of the ASCII and the CJK brackets.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

Level = int
"""Even: left to right. Odd: right to left."""

_STRONG = {"L": "L", "R": "R", "AL": "R", "EN": "R", "AN": "R"}
_NEUTRAL = frozenset({"B", "S", "WS", "ON", "BN"})
_BRACKETS = dict(zip("([{（［｛「『〈《【〔", ")]}）］｝」』〉》】〕", strict=True))


def levels(text: str, base: Level | None = None) -> tuple[Level, list[Level]]:
    """Return the level of a paragraph, and that of each of its characters.

    Args:
        text: one paragraph.
        base: the paragraph's level; None: from its first strong character.

    >>> levels("ab אב 12")
    (0, [0, 0, 0, 1, 1, 1, 2, 2])
    """
    classes = [unicodedata.bidirectional(c) or "L" for c in text]
    if base is None:
        base = next((int(c in ("R", "AL")) for c in classes if c in ("L", "R", "AL")), 0)
    outer = "R" if base else "L"
    _resolve_weak(classes, outer)
    _resolve_brackets(text, classes, outer)
    _resolve_neutral(classes, outer)
    return base, [_implicit(base, c) for c in classes]


def visual_order(line: Sequence[Level]) -> list[int]:
    """Return the indices of a line's characters from left to right (rule L2).

    >>> visual_order([0, 1, 1, 0])
    [0, 2, 1, 3]
    """
    order = list(range(len(line)))
    highest = max(line, default=0)
    lowest_odd = min((level for level in line if level % 2), default=highest + 1)
    for level in range(highest, lowest_odd - 1, -1):
        start = 0
        while start < len(order):
            end = start
            while end < len(order) and line[order[end]] >= level:
                end += 1
            order[start:end] = reversed(order[start:end])
            start = max(end, start + 1)
    return order


def _resolve_weak(classes: list[str], outer: str) -> None:
    previous = outer  # W1
    for i, c in enumerate(classes):
        if c in ("NSM", "BN"):
            classes[i] = previous
        previous = classes[i]
    strong = outer  # W2, W3
    for i, c in enumerate(classes):
        if c in ("L", "R", "AL"):
            strong = c
        if c == "EN" and strong == "AL":
            classes[i] = "AN"
    classes[:] = ["R" if c == "AL" else c for c in classes]
    for i in range(1, len(classes) - 1):  # W4
        before, here, after = classes[i - 1 : i + 2]
        if before == after and ((here in ("ES", "CS") and before == "EN") or (here == "CS" and before == "AN")):
            classes[i] = before
    for start, end in _stretches(classes, frozenset({"ET"})):  # W5
        if "EN" in (classes[start - 1] if start else "", classes[end] if end < len(classes) else ""):
            classes[start:end] = ["EN"] * (end - start)
    classes[:] = ["ON" if c in ("ES", "ET", "CS") else c for c in classes]  # W6
    strong = outer  # W7
    for i, c in enumerate(classes):
        if c in ("L", "R"):
            strong = c
        if c == "EN" and strong == "L":
            classes[i] = "L"


_MAX_BRACKETS = 63
"""BD16: no pairs are found after brackets that are nested more deeply."""


def _resolve_brackets(text: str, classes: list[str], outer: str) -> None:
    """Apply rule N0: a pair of brackets goes with what it holds, or with what stands before it."""
    open_at: list[tuple[str, int]] = []
    pairs: list[tuple[int, int]] = []
    for i, character in enumerate(text):
        if classes[i] != "ON":
            continue
        if character in _BRACKETS:
            if len(open_at) == _MAX_BRACKETS:
                break
            open_at.append((_BRACKETS[character], i))
        else:
            for depth in range(len(open_at) - 1, -1, -1):
                if open_at[depth][0] == character:
                    pairs.append((open_at[depth][1], i))
                    del open_at[depth:]
                    break
    for start, end in sorted(pairs):
        inside = {_STRONG[c] for c in classes[start + 1 : end] if c in _STRONG}
        if not inside:
            continue
        direction = outer
        if outer not in inside:
            before = next((_STRONG[c] for c in reversed(classes[:start]) if c in _STRONG), outer)
            direction = before if before in inside else outer
        classes[start] = classes[end] = direction


def _resolve_neutral(classes: list[str], outer: str) -> None:
    for start, end in _stretches(classes, _NEUTRAL):  # N1, N2
        before = _STRONG.get(classes[start - 1], outer) if start else outer
        after = _STRONG.get(classes[end], outer) if end < len(classes) else outer
        classes[start:end] = [before if before == after else outer] * (end - start)


def _stretches(classes: list[str], wanted: frozenset[str]) -> list[tuple[int, int]]:
    """Return the longest half-open runs of classes in ``wanted``."""
    found = []
    start = None
    for i, c in enumerate([*classes, ""]):
        if c in wanted:
            start = i if start is None else start
        elif start is not None:
            found.append((start, i))
            start = None
    return found


def _implicit(base: Level, c: str) -> Level:
    if base % 2:
        return base if c == "R" else base + 1
    return base if c == "L" else base + (1 if c == "R" else 2)
