"""Guess what somebody meant by a name that there is not."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_MIN_SIMILARITY = 0.7
"""How alike two names are, from 0 to 1, for one to be a slip for the other."""


def nearest(name: object, known: Iterable[str]) -> str | None:
    """Return the name among ``known`` that ``name`` is most likely a slip for; None if none is like it.

    >>> nearest("sorce", ["start", "source"])
    'source'
    >>> nearest("libx246", ["libx264", "libx265"])
    'libx264'
    """
    names = {each.lower(): each for each in known}
    slip = str(name)[:200].lower()
    found = difflib.get_close_matches(slip, list(names), 3, _MIN_SIMILARITY)
    found.sort(key=lambda each: sorted(each) != sorted(slip))  # two letters changed places: the likeliest slip
    return names[found[0]] if found else None


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return a question to end a message with; "" if no name is like ``name``.

    >>> did_you_mean("lanzcos", ["area", "lanczos"])
    "; did you mean 'lanczos'?"
    """
    near = nearest(name, known)
    return "" if near is None else f"; did you mean {near!r}?"
