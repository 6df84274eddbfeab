"""What a clip's rating, 1 to 5, means: its notation, its word, its colour, and how a rated clip is titled.

The banner draws it, the annotation table holds it, the app's compilation passes it on: all of them look here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Rating(NamedTuple):
    """How a rating is shown.

    Attributes:
        notation: as in chess, ``"??"`` to ``"!!"``.
        word: ``"Blunder"`` to ``"Brilliant"``.
        color: ``"#rrggbb"``.
    """

    notation: str
    word: str
    color: str


RATINGS: dict[int, Rating] = {
    1: Rating("??", "Blunder", "#ef4444"),
    2: Rating("?", "Mistake", "#f59e0b"),
    3: Rating("!?", "Interesting", "#3b82f6"),
    4: Rating("!", "Good", "#22c55e"),
    5: Rating("!!", "Brilliant", "#86efac"),
}
"""The five ratings."""


def clip_name(rating: int, name: str | None, tags: Sequence[str] = ()) -> str:
    """Return a clip's name on one line or, where it is blank, its rating's word and its first two tags.

    >>> clip_name(4, None, ["Pass", "Dribble", "Control"])
    'Good Pass and Dribble'
    >>> clip_name(1, " Own   goal ")
    'Own goal'
    """
    if given := " ".join((name or "").split()):
        return given
    named = [tag for tag in (" ".join(t.split()) for t in tags) if tag][:2]
    return f"{RATINGS[rating].word} {' and '.join(named)}".rstrip()


def clip_title(rating: int, name: str | None, tags: Sequence[str] = ()) -> str:
    """Return the notation, two spaces, and the name.

    >>> clip_title(5, "Solo run")
    '!!  Solo run'
    """
    return f"{RATINGS[rating].notation}  {clip_name(rating, name, tags)}"
