"""One voice for what is wrong with data: what pydantic found, in words that say got, expected and remedy.

:func:`spec_error` is called where a model is made. It knows the model, so it can say which fields and stages there are.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic import BaseModel

from reelproc.errors import SpecError
from reelproc.registered_models import Registered
from reelproc.suggestions import did_you_mean, nearest

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_HALF_CHARACTER = "text holds half of a character beyond U+FFFF (an emoji cut in two), expected whole ones; cut between"

_KINDS = {
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "finite_number": "a finite number",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "none_required": "nothing",
}
"""What was expected, by the type of pydantic's error."""

_LISTS = ("list_type", "tuple_type", "is_instance_of", "sequence_str", "is-instance[Sequence]")


def spec_error(error: ValidationError, models: Iterable[type[BaseModel]]) -> SpecError:
    """Turn what pydantic says into a :class:`SpecError`.

    Args:
        error: about one of ``models``, or about what they hold.
        models: what the data was to become; several where one of them was to be chosen by its tag.
    """
    roots = tuple(models)
    items = error.errors(include_url=False)
    title = error.title.lstrip("_")
    if len(roots) > 1:  # a union: its member is the first part of every path, if one was chosen
        named = [m.__name__ for m in roots if items[0]["loc"] and _tag(m) == items[0]["loc"][0]]
        title = named[0] if named else "the job"
    found = [_Found(item, roots) for item in items]
    meant = {near for one in found if (near := one.meant_path) is not None}
    said = [one for one in found if not (one.kind == "missing" and one.path in meant)]  # it is there, misspelt
    return SpecError(f"{title} is not valid: " + "; ".join(map(str, said)), path=said[0].path)


class _Found:
    """One thing that is wrong, and where."""

    def __init__(self, item: ErrorDetails, roots: tuple[type[BaseModel], ...]) -> None:
        self.item, self.kind = item, item["type"]
        self.path, self.holders = _walk(item, roots)
        self.meant_path: tuple[str | int, ...] | None = None
        if self.kind == "extra_forbidden" and (near := nearest(str(self.path[-1]), self._fields())):
            self.meant_path = (*self.path[:-1], near)

    def __str__(self) -> str:
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path).lstrip(".")
        if self.kind == "missing":
            return f"{where} is missing"
        text = self._text()
        return f"{where}: {text}" if where else text

    def _fields(self) -> list[str]:
        return list(dict.fromkeys(name for holder in self.holders for name in holder.model_fields))

    def _names(self) -> list[str]:
        return sorted(tag for tag in map(_tag, self.holders) if tag)

    def _text(self) -> str:
        kind, got, context = self.kind, self.item["input"], self.item.get("ctx", {})
        if kind == "extra_forbidden":
            return self._unknown(got)
        if kind == "json_invalid":
            return _no_json(str(context.get("error", "")), got)
        if kind == "union_tag_not_found":
            return _no_tag(str(context["discriminator"]).strip("'"), got, context.get("known") or self._names())
        if kind == "union_tag_invalid":
            return _no_such(context)
        if kind in ("literal_error", "enum"):
            known = _listed(str(context["expected"]))
            return f"expected {context['expected']}{_got(got)}" + did_you_mean(got, known)
        if kind in _LISTS and not isinstance(got, (list, tuple)):
            return _no_list(got)
        if kind == "too_short" and isinstance(got, str):
            return f"expected some text{_got(got)}"
        if kind == "string_unicode":
            return f"{_HALF_CHARACTER}{_got(got)}"
        if kind == "model_type" and (isinstance(got, BaseModel) or (self.path and context["class_name"] == "Reel")):
            return no_model(got, str(context["class_name"]))
        if kind in _KINDS:
            return f"expected {_KINDS[kind]}{_got(got)}"
        if kind == "string_pattern_mismatch" and "#" in str(context.get("pattern")):
            return f'expected a colour like "#ff8800"{_got(got)}'
        message = self.item["msg"].removeprefix("Value error, ")
        own = kind == "value_error" and not isinstance(got, str | int)  # a model's own check says itself what it got
        return _plain(message) + ("" if own else _got(got))

    def _unknown(self, got: Any) -> str:
        known, name = self._fields(), str(self.path[-1])
        if near := nearest(name, known):
            return f"there is no such field{_got(got)}; did you mean {near!r}?"
        return f"there is no such field{_got(got)}; there are: {', '.join(known)}"


def _walk(item: ErrorDetails, roots: tuple[type[BaseModel], ...]) -> tuple[tuple[str | int, ...], tuple[Any, ...]]:
    """Return the path of what is wrong, without the tags that pydantic puts into it, and the models that it can lie in.

    ``stages[0].crop.keyframes`` is ``stages[0].keyframes`` to whoever wrote the data.
    """
    loc = item["loc"]
    path: list[str | int] = []
    holders = roots
    is_registered = False
    for position, part in enumerate(loc):
        chosen = tuple(model for model in holders if _tag(model) == part)
        is_tagged = len(holders) > 1 and (position == 0 or isinstance(loc[position - 1], int))
        if chosen and (is_tagged or is_registered):
            holders, is_registered = chosen, False
            continue
        path.append(part)
        if position + 1 < len(loc) or item["type"].startswith("union_tag"):
            fields = [model.model_fields[part] for model in holders if part in model.model_fields]
            if isinstance(part, str) and fields:
                registered = [one for field in fields for one in field.metadata if isinstance(one, Registered)]
                is_registered = bool(registered)
                annotations: list[Any] = [*registered] or [field.annotation for field in fields]
                holders = tuple(dict.fromkeys(model for annotation in annotations for model in _models(annotation)))
    return tuple(path), holders


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Return the models in an annotation, at any depth."""
    if isinstance(annotation, Registered):
        return list(annotation.read_models)
    if isinstance(annotation, type) and not get_args(annotation):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [model for part in get_args(annotation) for model in _models(part)]


def _tag(model: type[BaseModel]) -> str | None:
    """Return what tells ``model`` from the others of its union: the text that a field of it must be."""
    literals = (f for f in model.model_fields.values() if get_origin(f.annotation) is Literal)
    names = (f.default for f in literals if isinstance(f.default, str) and get_args(f.annotation) == (f.default,))
    return next(names, None)


def _no_tag(name: str, got: Any, known: Sequence[str]) -> str:
    text = f"{name!r} is missing, which says what it is: one of {', '.join(known)}"
    if isinstance(got, Mapping):
        for key, value in got.items():
            if value in known:
                return f'{text}; did you mean "{name}": "{value}" instead of "{key}"?'
    return text + _got(got)


def _no_such(context: Mapping[str, Any]) -> str:
    """Say that no member of a union has such a name; ``group``: the entry points that may add members."""
    kind, name = str(context["discriminator"]).strip("'"), context["tag"]
    known = context.get("known") or sorted(_listed(str(context["expected_tags"])))
    text = f"no {kind} is called {name!r}; there are: {', '.join(known)}"
    if meant := did_you_mean(str(name), known):
        return text + meant
    if group := context.get("group"):
        return f"{text}; install the package that brings it, which names it in its entry points {group!r}"
    return text


def _no_list(got: Any) -> str:
    if isinstance(got, (str, bytes, int, float, BaseModel)):
        return f"expected a list{_got(got)}; put it in one: [{_short(got, 40)}]"
    return f"expected a list{_got(got)}"


def no_model(got: object, name: str) -> str:
    """Say that something is not the model that was wanted, and for a reel what makes it one.

    >>> no_model("reel.json", "Reel")
    "expected a Reel (got 'reel.json'); read its file with rp.read_reel"
    """
    text = f"expected {'an' if name[0] in 'AEIOU' else 'a'} {name}{_got(got)}"
    kind = type(got).__name__
    if name != "Reel":
        return text
    if kind == "Clip":
        return f"{text}; make one: rp.Reel(clips=[clip])"
    if isinstance(got, (list, tuple)):
        several = bool(got) and all(type(each).__name__ == "Clip" for each in got)
        return f"{text}; make one: rp.Reel(clips=...)" if several else text
    if isinstance(got, Mapping):
        return f"{text}; make one: rp.Reel.model_validate(...)"
    return f"{text}; read its file with rp.read_reel" if isinstance(got, (str, os.PathLike)) else text


_PLACE = re.compile(r"(?P<what>.*?) at line (?P<line>\d+) column (?P<column>\d+)", re.DOTALL)


def _no_json(said: str, got: Any) -> str:
    place = _PLACE.fullmatch(said)
    if place is None:
        return f"it is not valid JSON: {said}"
    text = got.decode("utf-8", "replace") if isinstance(got, bytes) else str(got)
    return no_json(text, int(place["line"]), int(place["column"]), place["what"])


def no_json(text: str, number: int, column: int, what: str) -> str:
    """Say where text ends to be JSON, and why, as far as one can see.

    Args:
        text: what should be JSON.
        number, column: of its line and character, from 1.
        what: the parser's words.

    >>> no_json("{'clips': []}", 1, 2, "key must be a string")
    'it is not valid JSON (line 1, column 2: key must be a string); JSON wants double quotes: "..."'
    """
    if not text.strip():
        return "it is empty, expected JSON"
    lines = text.splitlines()
    line = lines[number - 1] if 0 < number <= len(lines) else ""
    rest = line[max(column - 1, 0) :].lstrip()
    dull = what.startswith(("expected ident", "expected value", "Expecting value"))
    where = f"it is not valid JSON (line {number}, column {column}{'' if dull else f': {what}'})"
    if rest.startswith(("//", "/*", "#")) or line[max(column - 2, 0) :].lstrip().startswith(("//", "/*")):
        return f"{where}; JSON has no comments, remove them"
    if "trailing comma" in what:
        return f"{where}; remove the comma before the closing bracket"
    if rest.startswith("'"):
        return f'{where}; JSON wants double quotes: "..."'
    if not text.lstrip().startswith(("{", "[")):
        return f"{where}, which begins with a brace{_got(text)}"
    return f"{where}, at {(rest or line)[:40]!r}"


def _plain(message: str) -> str:
    """Turn pydantic's words into ours."""
    for old, new in (
        (r"^Input should be (?=(greater|less))", "expected a value "),
        (r"^Input should be ", "expected "),
        (r"^(Input|String|Value|List|Tuple|Data) should (have|match) ", r"expected \2 "),
        (r"^expected have ", "expected "),
        (r"^expected match pattern ", "expected text of the form "),
        (r" after validation, not \d+$", ""),
    ):
        message = re.sub(old, new, message)
    return message


def _listed(names: str) -> list[str]:
    """Return the names in pydantic's ``'a', 'b' or 'c'``."""
    return re.findall(r"'([^']*)'", names)


def _got(value: Any) -> str:
    return f" (got {_short(value)})"


def _short(value: Any, most: int = 80) -> str:
    text = json.dumps(value) if isinstance(value, str) and most < 80 else repr(value)
    return text if len(text) <= most else text[: most - 3] + "..."
