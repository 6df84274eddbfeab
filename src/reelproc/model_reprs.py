"""What ``help()``, ``dir()`` and ``repr()`` show of a model: its own fields and methods, in a few lines."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

_SHOWN = {"model_copy", "model_dump", "model_dump_json", "model_fields", "model_json_schema"}
_SHOWN |= {"model_validate", "model_validate_json"}
"""Of pydantic's own names, those that the documentation uses."""

_HIDDEN = {*vars(BaseModel), "model_config", "model_post_init"} - _SHOWN
_DUNDERS = {"__class__", "__dict__", "__doc__", "__module__"}

_MAX_LISTED = 3
"""A ``repr`` names so many members of a list, and counts the rest."""


def is_shown(name: str) -> bool:
    """Return whether a model offers ``name``: its own, and what the documentation uses of pydantic's."""
    return name in _DUNDERS or (name not in _HIDDEN and not name.startswith(("__", "_abc")))


class _Some:
    """Text that is shown as it is."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def short_fields(model: BaseModel) -> Iterator[tuple[str, Any]]:
    """Yield the fields of ``model`` that are not what they are without being said, long lists counted."""
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if field.default is not PydanticUndefined and value == field.default:
            continue
        if field.default_factory is not None and not value:
            continue
        yield name, _short(value)


def _short(value: Any) -> Any:
    if isinstance(value, (tuple, list)) and len(value) > _MAX_LISTED:
        shown = ", ".join(map(repr, value[: _MAX_LISTED - 1]))
        return _Some(f"({shown}, ... {len(value) - _MAX_LISTED + 1} more)")
    return value


class _Written(str):
    """An annotation that is shown without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def plain_signature(model: type[BaseModel]) -> inspect.Signature:
    """Return the signature of ``model``: its fields with plain types and their defaults."""
    hints = get_type_hints(model, include_extras=True)
    parameters = []
    for name, field in model.model_fields.items():
        default: Any = inspect.Parameter.empty
        if field.default is not PydanticUndefined:
            default = field.default
        elif field.default_factory is not None:
            default = _Some("...")
        kind = inspect.Parameter.KEYWORD_ONLY
        parameters.append(inspect.Parameter(name, kind, default=default, annotation=_Written(_type(hints[name]))))
    return inspect.Signature(parameters)


def _type(annotation: Any) -> str:
    if annotation is type(None):
        return "None"
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(parts[0])
    if origin is None:
        return getattr(annotation, "__name__", repr(annotation))
    name = getattr(origin, "__name__", repr(origin))
    if name in ("Union", "UnionType"):
        return " | ".join(map(_type, parts))
    if name == "Literal" or repr(origin) == "typing.Literal":
        return f"Literal[{', '.join(map(repr, parts))}]"
    return f"{name}[{', '.join('...' if part is Ellipsis else _type(part) for part in parts)}]"
