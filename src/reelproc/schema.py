"""The base of everything that is data: frozen, strict about unknown fields, and wrong input is a :class:`SpecError`.

pydantic's own ``ValidationError`` is translated at the outermost model, so that the message names the full path of the
offending field and callers have one error type to catch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from reelproc.errors import SpecError
from reelproc.timing import NO_TIME, exact

__all__ = ["Fraction01", "Items", "Schema", "Seconds", "SecondsFromZero", "Words", "readable_path", "translated"]


def _in_seconds(value: Any) -> Any:
    """A time that is text or a ``timedelta`` as a number; all else is left to pydantic."""
    if isinstance(value, str | timedelta):
        try:
            return float(exact(value))
        except SpecError:
            raise ValueError(NO_TIME) from None
    return value


def _from_zero(schema: dict[str, Any]) -> None:
    """The bound where JSON Schema wants it."""
    schema.pop("ge", None)
    for kind in schema.get("anyOf", [schema]):
        if kind.get("type") == "number":
            kind["minimum"] = 0


_IN_SECONDS = BeforeValidator(_in_seconds, json_schema_input_type=float | str)

Seconds = Annotated[float, _IN_SECONDS, Field(allow_inf_nan=False)]
"""A finite number of seconds, given as any :data:`~reelproc.timing.Time`; kept, and written, as a number."""

SecondsFromZero = Annotated[float, _IN_SECONDS, Field(ge=0, allow_inf_nan=False, json_schema_extra=_from_zero)]
""":data:`Seconds` that are not negative."""

T = TypeVar("T")

Items = Annotated[Sequence[T], AfterValidator(tuple)]
"""Any sequence, kept as a tuple: callers may pass lists, models stay frozen."""

Fraction01 = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
"""A share between 0 and 1."""

Words = Annotated[str, Field(max_length=1_000_000)]
"""Text of whole characters. A bound is what makes pydantic look for half a surrogate pair, which no JSON can hold."""

Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
"""``"#rrggbb"``."""


def _spec_error(error: ValidationError) -> SpecError:
    lines = []
    for item in error.errors(include_url=False):
        where = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in _path(item)).lstrip(".")
        said = item["type"] == "missing" or (item["type"] == "value_error" and not isinstance(item["input"], str | int))
        got = "" if said else f" (got {_short(item['input'])})"  # a model's own check says itself what it got
        message = _TEXT if item["type"] == "string_unicode" else item["msg"].removeprefix("Value error, ")
        lines.append(f"{where}: {message}{got}" if where else f"{message}{got}")
    first = error.errors(include_url=False)[0]
    return SpecError(f"{error.title} is not valid: " + "; ".join(lines), path=_path(first))


_TEXT = "text holds half of a character beyond U+FFFF (an emoji cut in two), expected whole ones; cut between"

_tags: set[str] = set()


def _path(item: ErrorDetails) -> tuple[str | int, ...]:
    """The path of the offending field, without the tags that pydantic puts behind an index of a tagged union.

    ``stages[0].crop.keyframes`` is ``stages[0].keyframes`` to whoever wrote the data.
    """
    loc = item["loc"]
    kept: list[str | int] = []
    for position, part in enumerate(loc):
        inner = position + 1 < len(loc) or item["type"] == "value_error"
        if not (inner and part in _tags and position and isinstance(loc[position - 1], int)):
            kept.append(part)
    return tuple(kept)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


@contextmanager
def translated() -> Iterator[None]:
    """Turn pydantic's ``ValidationError`` into :class:`SpecError`."""
    try:
        yield
    except ValidationError as error:
        raise _spec_error(error) from None


if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    _Base = BaseModel
else:

    class _Meta(type(BaseModel)):
        def __call__(cls, *args, **kwargs):
            if args:
                known = ", ".join(cls.model_fields)
                raise TypeError(f"{cls.__name__} takes keyword arguments only: {known}")
            with translated():
                return super().__call__(*args, **kwargs)

    class _Base(BaseModel, metaclass=_Meta):
        @classmethod
        def model_validate(cls, *args, **kwargs):
            with translated():
                return super().model_validate(*args, **kwargs)

        @classmethod
        def model_validate_json(cls, *args, **kwargs):
            with translated():
                return super().model_validate_json(*args, **kwargs)


def readable_path(path: str | os.PathLike[str]) -> str:
    r"""``path`` as text that any output and JSON takes: bytes that are not UTF-8 stand as ``\xff``.

    >>> print(readable_path("caf\udce9.mp4"))
    caf\xe9.mp4
    """
    return os.fsencode(path).decode(errors="backslashreplace")


class Schema(_Base):
    """A frozen pydantic model that refuses unknown fields and raises :class:`SpecError`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Remember the names that tell stages and jobs apart."""
        super().__pydantic_init_subclass__(**kwargs)
        for tag in ("stage", "job"):
            field = cls.model_fields.get(tag)
            if field is not None and isinstance(field.default, str):
                _tags.add(field.default)
