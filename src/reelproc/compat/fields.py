"""Reads the app's JSON field by field; whatever is not as expected is refused with the path of the field.

>>> from reelproc.errors import SpecError
>>> region = RecordReader({"startTime": "1s"}, ("highlight_regions", 0), {"start_time": ("start_time", "startTime")})
>>> try:
...     region["start_time"].number()
... except SpecError as error:
...     print(error)
highlight_regions[0].startTime: got '1s', expected a finite number
"""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reelproc.errors import SpecError

Path = tuple[str | int, ...]
"""Where a value is: ``("clips_data", 1, "keyframes", 0, "x")``."""

Names = Mapping[str, tuple[str, ...]]
"""A field's name here, and all spellings in which the app has written it."""


class _Missing:
    def __repr__(self) -> str:
        return "nothing"


MISSING = _Missing()
"""Stands for a field that is not there."""


def dotted(path: Path) -> str:
    """Return the path as people write it.

    >>> dotted(("clips_data", 1, "segmentsData", "trimRange", 0))
    'clips_data[1].segmentsData.trimRange[0]'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def refused(path: Path, got: object, expected: str, remedy: str = "") -> SpecError:
    """Return the error that says what was got where, what was expected, and what to do."""
    shown = _shown(got)
    return SpecError(f"{dotted(path)}: got {shown}, expected {expected}" + (f"; {remedy}" if remedy else ""), path=path)


def _shown(value: object) -> str:
    try:
        shown = repr(value)
    except ValueError:  # a whole number with more digits than Python writes
        return f"a {type(value).__name__} too long to write"
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def _as_float(value: numbers.Real) -> float:
    """Infinity where it is larger than any float."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def spellings(*names: str, **others: str) -> Names:
    """Return the spellings of ``snake_case`` names: as they are and in camelCase; and those that differ, by name.

    >>> spellings("start_time", end="end endTime")
    {'start_time': ('start_time', 'startTime'), 'end': ('end', 'endTime')}
    """
    table = {name: tuple(dict.fromkeys((name, _camel(name)))) for name in names}
    return table | {name: tuple(known.split()) for name, known in others.items()}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


@dataclass(frozen=True, slots=True)
class FieldReader:
    """A value and where it is. A missing one, and null, count as not given."""

    value: Any
    path: Path

    @property
    def given(self) -> bool:
        """Whether there is a value."""
        return self.value is not MISSING and self.value is not None

    def refused(self, expected: str, remedy: str = "") -> SpecError:
        """Return the error that says that this value will not do."""
        return refused(self.path, self.value, expected, remedy)

    def number(
        self,
        default: float | None = None,
        *,
        least: float | None = None,
        above: float | None = None,
        most: float | None = None,
    ) -> float:
        """Return a finite number within bounds.

        Args:
            default: what it is where it is not given; None: it must be given.
            least, above, most: ``least <= value``, ``above < value``, ``value <= most``.

        Raises:
            SpecError: it is none.
        """
        if not self.given and default is not None:
            return default
        bounds = [f"{text} {bound:g}" for text, bound in (("at least", least), ("above", above), ("at most", most))
                  if bound is not None]  # fmt: skip
        expected = " ".join(["a finite number", *([" and ".join(bounds)] if bounds else [])])
        value = self.value
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise self.refused(expected)
        number = _as_float(value)
        low = (least is not None and number < least) or (above is not None and number <= above)
        if not math.isfinite(number) or low or (most is not None and number > most):
            raise self.refused(expected)
        return number

    def whole(self, default: int | None = None, *, least: int = 0, most: int | None = None) -> int:
        """Return a whole number, also one written as ``3.0``.

        Raises:
            SpecError: it is none.
        """
        if not self.given and default is not None:
            return default
        upper = "or more" if most is None else f"to {most}"
        expected = f"a whole number from {least} {upper}"
        if isinstance(self.value, bool) or not isinstance(self.value, numbers.Real):
            raise self.refused(expected)
        value = _as_float(self.value)
        if not value.is_integer() or value < least or (most is not None and value > most):
            raise self.refused(expected)
        return int(value)

    def text(self, default: str | None = None) -> str:
        """Return a string.

        Raises:
            SpecError: it is none.
        """
        if not self.given and default is not None:
            return default
        if not isinstance(self.value, str):
            raise self.refused("a string")
        return self.value

    def prose(self, default: str | None = None) -> str:
        """Return a string for people. Half an emoji, as JavaScript's ``substring`` leaves it, becomes U+FFFD.

        Raises:
            SpecError: it is none.
        """
        return self.text(default).encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def name(self) -> str | None:
        """Return what something is called, text or a number; None where it is not given.

        Raises:
            SpecError: it cannot be written.
        """
        if not self.given:
            return None
        try:
            return FieldReader(str(self.value), self.path).prose()
        except ValueError:
            raise self.refused("a short name") from None

    def flag(self, default: bool) -> bool:
        """Return true or false.

        Raises:
            SpecError: it is neither.
        """
        if not self.given:
            return default
        if not isinstance(self.value, bool):
            raise self.refused("true or false")
        return self.value

    def choice(self, *options: str, default: str | None = None) -> str:
        """Return one of ``options``.

        Raises:
            SpecError: it is none of them.
        """
        if not self.given and default is not None:
            return default
        if self.value not in options:
            raise self.refused(" or ".join(map(repr, options)))
        return str(self.value)

    def color(self) -> str | None:
        """Return ``"#rrggbb"``, from that, ``"rrggbb"`` or ``"#rgb"``; None where it is not given.

        Raises:
            SpecError: it is none.
        """
        if not self.given:
            return None
        digits = self.value.removeprefix("#") if isinstance(self.value, str) else ""
        if len(digits) == 3:
            digits = "".join(digit * 2 for digit in digits)
        if len(digits) != 6 or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
            raise self.refused("a colour like '#22c55e'")
        return f"#{digits}"

    def items(self) -> list[FieldReader]:
        """Return the items of a list; none where it is not given.

        Raises:
            SpecError: it is no list.
        """
        if not self.given:
            return []
        if not isinstance(self.value, Sequence) or isinstance(self.value, (str, bytes)):
            raise self.refused("a list")
        return [FieldReader(value, (*self.path, number)) for number, value in enumerate(self.value)]

    def record(self, names: Names, *, open_ended: bool = False) -> RecordReader:
        """Return the object that it is; see :class:`RecordReader`."""
        return RecordReader(self.value, self.path, names, open_ended=open_ended)


class RecordReader:
    """A JSON object, its fields under one name however they are spelled.

    Args:
        value: the object.
        path: where it is.
        names: what it may hold.
        open_ended: the app keeps more in it than concerns a render: fields of other names are passed over. Otherwise
            they are refused, since a misspelled field would be a setting that is silently not applied.

    Raises:
        SpecError: it is no object, holds a field that is not known, or one field twice, differently.
    """

    def __init__(self, value: Any, path: Path, names: Names, *, open_ended: bool = False) -> None:
        if not isinstance(value, Mapping):
            raise refused(path, value, f"an object with {', '.join(names)}")
        self.path = path
        self._items: dict[str, FieldReader] = {}
        known = {spelling: name for name, all_of_it in names.items() for spelling in all_of_it}
        for key, content in value.items():
            name = known.get(key)
            if name is None:
                if open_ended:
                    continue
                raise self._unknown(key, content, known)
            before = self._items.get(name)
            if before is not None and before.value is not None and content is not None and before.value != content:
                raise refused(
                    (*path, key), content, f"the same as {before.path[-1]} ({before.value!r})", "give it once"
                )
            if before is None or before.value is None:
                self._items[name] = FieldReader(content, (*path, key))

    def __getitem__(self, name: str) -> FieldReader:
        return self._items.get(name, FieldReader(MISSING, (*self.path, name)))

    def first(self, *names: str) -> str | None:
        """Return the first of ``names`` that is given."""
        return next((name for name in names if self[name].given), None)

    def _unknown(self, key: object, content: object, known: Mapping[str, str]) -> SpecError:
        near = difflib.get_close_matches(str(key), list(known), 1, 0.5)
        remedy = f"did you mean {near[0]}?" if near else "leave it out"
        expected = f"only {', '.join(dict.fromkeys(known.values()))}"
        return refused((*self.path, str(key)), content, expected, remedy)
