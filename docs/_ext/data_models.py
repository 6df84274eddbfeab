"""How autodoc shows this package: data models with plain types, and "start, end: ..." as one entry for two names.

A model's ``keyframes: Annotated[tuple[CropKeyframe, ...], AfterValidator(...)] = ()`` is shown as
``keyframes: tuple[CropKeyframe, ...] = ()``, and what it has of pydantic is left out.
"""

from __future__ import annotations

import re
from typing import Any, get_type_hints

from docutils import nodes
from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.typing import stringify_annotation

TAGS = ("stage", "job")
HIDDEN = {"model_config", "model_post_init", "resolve", "open", "time_map", "active_spans", *TAGS}
HIDDEN |= {"decided", "fingerprint", "remarks", "upscaler", "spec", "placement", "mismatches", "cropped_away"}
HIDDEN |= {"ring_widths", "spotlight_path", "picture", "changes_time"}
HIDDEN |= {"changes_pixels", "draws_only", "remembers", "window_at", "reach", "amounts"}
"""What every stage and every model has; ``Stage`` itself shows it."""

JOINED = "\N{INVISIBLE SEPARATOR}"
"""Between two names of one entry while Sphinx looks at it, which would take the first of two words for a type."""

_NAMES = re.compile(r"^( +)(\w+(?:, \w+)+): ")


def _signature(model: type[BaseModel]) -> str:
    hints = get_type_hints(model)
    parts = []
    for name, field in model.model_fields.items():
        if name in TAGS:
            continue
        part = f"{name}: {stringify_annotation(hints[name], 'smart')}"
        part = re.sub(r"~?\b(?:[a-z_]+\.)+(?=\w)", "", part)
        if field.default is not PydanticUndefined:
            short = f"{type(field.default).__name__}()" if isinstance(field.default, BaseModel) else repr(field.default)
            part += f" = {short}"
        elif field.default_factory is not None:
            part += " = {}"
        parts.append(part)
    return f"(*, {', '.join(parts)})"


def sign(_app: Sphinx, what: str, _name: str, obj: Any, *_: Any) -> tuple[str, None] | None:
    """Return the signature of a data model; leave all others."""
    if what == "class" and isinstance(obj, type) and issubclass(obj, BaseModel):
        return _signature(obj), None
    return None


def skip(_app: Sphinx, _what: str, name: str, obj: Any, *_: Any) -> bool | None:
    """Leave out what every model has."""
    place = getattr(obj, "__qualname__", "").split(".")[0]
    return True if name in HIDDEN and place != "Stage" else None


def join_names(_app: Sphinx, _what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    """Keep ``start, end: seconds`` together until the field lists are made."""
    lines[:] = [_NAMES.sub(lambda m: f"{m[1]}{m[2].replace(', ', JOINED)}: ", line) for line in lines]


class PartNames(SphinxTransform):
    """Undo :func:`join_names`, and call attributes attributes."""

    default_priority = 900

    def apply(self, **kwargs: Any) -> None:
        """Change the names in all field lists."""
        for text in list(self.document.findall(nodes.Text)):
            if JOINED in text:
                text.parent.replace(text, nodes.Text(text.replace(JOINED, ", ")))
        for name in self.document.findall(nodes.field_name):
            if name.astext() == "Variables":
                name.children = [nodes.Text("Attributes")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect it all to autodoc."""
    app.connect("autodoc-process-signature", sign)
    app.connect("autodoc-skip-member", skip)
    app.connect("autodoc-process-docstring", join_names, priority=100)  # before napoleon
    app.add_transform(PartNames)
    return {"parallel_read_safe": True}
