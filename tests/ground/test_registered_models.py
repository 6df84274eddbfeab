"""A field that holds the models of a registry: read by name, written as they are, open to other packages."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import pytest

from reelproc.errors import BackendError, MissingDependencyError, SpecError
from reelproc.registered_models import Registered
from reelproc.registry import Registry
from reelproc.schema import Items, Schema


class Shape(Schema):
    shape: str


class Square(Shape):
    shape: Literal["square"] = "square"
    side: int


class Disc(Shape):
    shape: Literal["disc"] = "disc"
    radius: float = 1.0


SHAPES: Registry[type[Shape]] = Registry("shape", group="reelproc.test_shapes")


class Drawing(Schema):
    shapes: Items[Annotated[Shape, Registered(Shape, SHAPES, tag="shape")]] = ()


for _name in ("Square", "Disc"):
    SHAPES.register(_name.lower(), f"{__name__}:{_name}")


def refused(data: Any) -> SpecError:
    with pytest.raises(SpecError) as caught:
        Drawing.model_validate(data)
    with pytest.raises(SpecError) as again:
        Drawing.model_validate_json(json.dumps(data))
    assert str(again.value) == str(caught.value)
    assert again.value.path == caught.value.path
    return caught.value


def test_models_go_to_json_and_back() -> None:
    drawing = Drawing(shapes=[Square(side=2), Disc()])
    text = drawing.model_dump_json()
    assert text == '{"shapes":[{"shape":"square","side":2},{"shape":"disc","radius":1.0}]}'
    assert Drawing.model_validate_json(text) == drawing
    assert Drawing.model_validate(drawing.model_dump()) == drawing


def test_options_of_a_dump_reach_the_models() -> None:
    assert Drawing(shapes=[Disc()]).model_dump(exclude_defaults=True) == {"shapes": ({},)}


def test_what_is_wrong_in_a_model_is_told_with_its_path() -> None:
    error = refused({"shapes": [{"shape": "disc"}, {"shape": "square", "side": "wide", "lengt": 3}]})
    assert error.path == ("shapes", 1, "side")
    assert "shapes[1].side: expected a whole number (got 'wide')" in str(error)
    assert "shapes[1].lengt: there is no such field (got 3); there are: shape, side" in str(error)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ({"shape": "sqare"}, "no shape is called 'sqare'; there are: disc, square; did you mean 'square'?"),
        (
            {"shape": "hexagon"},
            (
                "no shape is called 'hexagon'; there are: disc, square; install the package that brings it, "
                "which names it in its entry points 'reelproc.test_shapes'"
            ),
        ),
        ({"shape": 3}, "no shape is called 3; there are: disc, square"),
        ({"radius": 3}, "'shape' is missing, which says what it is: one of disc, square (got {'radius': 3})"),
        (7, "expected an object (got 7)"),
    ],
)
def test_a_name_that_is_not_there_is_told_with_those_that_are(shape: object, said: str) -> None:
    error = refused({"shapes": [shape]})
    assert str(error).startswith(f"Drawing is not valid: shapes[0]: {said}")
    assert error.path == ("shapes", 0)


def test_a_model_that_is_not_registered_can_be_used_but_not_read() -> None:
    class Star(Shape):
        shape: Literal["star"] = "star"

    drawing = Drawing(shapes=[Star()])
    assert drawing.model_dump_json() == '{"shapes":[{"shape":"star"}]}'
    with pytest.raises(SpecError, match="no shape is called 'star'"):
        Drawing.model_validate_json(drawing.model_dump_json())


def test_a_name_is_not_taken_by_two_classes() -> None:
    class Circle(Shape):
        shape: Literal["disc"] = "disc"

    class RoundedDisc(Disc):
        pass

    assert Drawing(shapes=[RoundedDisc()]).shapes[0].shape == "disc"
    with pytest.raises(SpecError, match=r"shapes\[0\]: the shape 'disc' is .*\.Disc, and .*Circle has its name"):
        Drawing(shapes=[Circle()])


def test_an_entry_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SHAPES, "_entries", dict(SHAPES._entries))
    SHAPES.register("list", "builtins:list")
    SHAPES.register("far", "a_package_that_is_not_here:Far")
    with pytest.raises(BackendError, match=r"the shape 'list' is registered as .*, expected a subclass of Shape"):
        Drawing.model_validate({"shapes": [{"shape": "list"}]})
    with pytest.raises(MissingDependencyError, match="install a_package_that_is_not_here"):
        Drawing.model_validate({"shapes": [{"shape": "far"}]})


def test_the_json_schema_lists_all_that_are_registered() -> None:
    schema = Drawing.model_json_schema()
    assert schema["properties"]["shapes"]["items"]["discriminator"]["mapping"] == {
        "disc": "#/$defs/Disc",
        "square": "#/$defs/Square",
    }
    assert set(schema["$defs"]) == {"Disc", "Square"}
