"""The base of everything that is data: frozen, strict about unknown fields, and wrong input is a :class:`SpecError`.

pydantic's own ``ValidationError`` is translated at the outermost model, so that the message names the full path of the
offending field and callers have one error type to catch.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from reelproc.errors import SpecError
from reelproc.model_reprs import is_shown, plain_signature, short_fields
from reelproc.timing import NO_TIME, exact
from reelproc.validation_messages import spec_error

__all__ = [
    "Fraction01",
    "Items",
    "Schema",
    "Seconds",
    "SecondsFromZero",
    "WithFloats",
    "Words",
    "readable_path",
    "translated",
]


def _in_seconds(value: Any) -> Any:
    """Return a time that is text or a ``timedelta`` as a number; all else is left to pydantic."""
    if isinstance(value, str | timedelta):
        try:
            return float(exact(value))
        except SpecError:
            raise ValueError(NO_TIME) from None
    return value


def _from_zero(schema: dict[str, Any]) -> None:
    """Put the bound where JSON Schema wants it."""
    schema.pop("ge", None)
    for kind in schema.get("anyOf", [schema]):
        if kind.get("type") == "number":
            kind["minimum"] = 0


_SECONDS_INPUT = BeforeValidator(_in_seconds, json_schema_input_type=float | str)

Seconds = Annotated[float, _SECONDS_INPUT, Field(allow_inf_nan=False)]
"""A finite number of seconds, given as any :data:`~reelproc.timing.Time`; kept, and written, as a number."""

SecondsFromZero = Annotated[float, _SECONDS_INPUT, Field(ge=0, allow_inf_nan=False, json_schema_extra=_from_zero)]
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


@contextmanager
def translated(*models: type[BaseModel]) -> Iterator[None]:
    """Turn pydantic's ``ValidationError`` into :class:`SpecError`.

    Args:
        models: what the data is to become: one, or those of a union.
    """
    try:
        yield
    except ValidationError as error:
        raise spec_error(error, models) from None


if TYPE_CHECKING:
    _Base = BaseModel
else:

    class _Meta(type(BaseModel)):
        def __call__(cls, *args, **kwargs):
            if args:
                known = ", ".join(cls.model_fields)
                raise TypeError(f"{cls.__name__} takes keyword arguments only: {known}")
            with translated(cls):
                return super().__call__(*args, **kwargs)

        def __dir__(cls):
            return [name for name in super().__dir__() if is_shown(name)]

    class _Base(BaseModel, metaclass=_Meta):
        @classmethod
        def model_validate(cls, obj, **options):
            """Make one out of ``obj``, a dict as JSON has it; a SpecError says what is wrong with it."""
            with translated(cls):
                return super().model_validate(obj, **options)

        @classmethod
        def model_validate_json(cls, json_data, **options):
            """Make one out of JSON, text or bytes; a SpecError says what is wrong with it."""
            with translated(cls):
                return super().model_validate_json(json_data, **options)

        @classmethod
        def model_json_schema(cls, *args, **options):
            """Return the JSON Schema, a dict."""
            return super().model_json_schema(*args, **options)

        def model_dump(self, **options):
            """Return a dict; with ``mode="json"`` one that JSON can hold."""
            return super().model_dump(**options)

        def model_dump_json(self, **options):
            """Return JSON."""
            return super().model_dump_json(**options)

        def model_copy(self, *, update=None, deep=False):
            """Return a copy, changed as by :meth:`replace`."""
            copy = super().model_copy(deep=deep)
            return copy.replace(**update) if update else copy

        def __setattr__(self, name, value):
            raise SpecError(f"{_frozen(self)}: {type(self).__name__.lower()}.replace({name}=...)", path=(name,))

        def __delattr__(self, name):
            raise SpecError(_frozen(self), path=(name,))


def _frozen(model: BaseModel) -> str:
    return f"a {type(model).__name__} is frozen, nothing of it can be set; make a changed copy"


def readable_path(path: str | os.PathLike[str]) -> str:
    r"""Return ``path`` as text that any output and JSON takes: bytes that are not UTF-8 stand as ``\xff``.

    >>> print(readable_path("caf\udce9.mp4"))
    caf\xe9.mp4
    """
    return os.fsencode(path).decode(errors="backslashreplace")


class Schema(_Base):
    """A frozen pydantic model that refuses unknown fields and raises :class:`SpecError`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Show plain types to ``help()`` and editors: what pydantic checks them with is no matter of the reader's."""
        super().__pydantic_init_subclass__(**kwargs)
        cls.__signature__ = plain_signature(cls)

    def replace(self, **changes: Any) -> Self:
        """Return a copy with other values for some fields, checked as a new one is.

        Raises:
            SpecError: there is no such field, or a value makes no sense in it.
        """
        kept = {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}
        return type(self)(**{**kept, **changes})

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if is_shown(name)]

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        return short_fields(self)


class WithFloats(Schema):
    """A model whose JSON has floats beside its exact fractions, for readers without fractions (JavaScript).

    The floats are properties with pydantic's ``computed_field``. JSON that is read may hold them; they are worked out
    again from what is exact.
    """

    @model_validator(mode="before")
    @classmethod
    def _without_floats(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if name not in cls.model_computed_fields}
