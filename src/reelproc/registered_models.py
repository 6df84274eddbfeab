"""Let a field hold any model of a registry, told by its name: a union that other packages can add to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel
from pydantic_core import PydanticCustomError, PydanticKnownError, SchemaValidator, core_schema

from reelproc.errors import BackendError

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

    from reelproc.registry import Registry

M = TypeVar("M", bound=BaseModel)


class Registered(Generic[M]):
    """What makes a field hold the models of a registry: ``Annotated[Stage, Registered(Stage, STAGES, tag="stage")]``.

    JSON names a model in one of its fields, the tag. The model's module is imported when that name is read.

    Args:
        base: the class that all of them derive from.
        registry: names to classes.
        tag: the field that holds the name, a literal.
    """

    def __init__(self, base: type[M], registry: Registry[type[M]], *, tag: str) -> None:
        self.base, self.registry, self.tag = base, registry, tag
        self._validators: dict[type[M], SchemaValidator] = {}

    @property
    def read_models(self) -> tuple[type[M], ...]:
        """The models that data was read into so far."""
        return tuple(self._validators)

    def __deepcopy__(self, _memo: dict[int, object]) -> Registered[M]:
        """Stay one: pydantic copies the schemas of fields, and names are also registered after that."""
        return self

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Read by name; write as the model writes itself."""
        return core_schema.no_info_plain_validator_function(self._validated)

    def __get_pydantic_json_schema__(
        self, _schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """List all models that are registered here, told apart by the tag."""
        models = {name: self._model(name).__pydantic_core_schema__ for name in self.registry.names()}
        return handler(core_schema.tagged_union_schema(models, self.tag))

    def _validated(self, value: Any) -> Any:
        if isinstance(value, self.base):
            return self._unambiguous(value)
        if not isinstance(value, Mapping):
            raise PydanticKnownError("model_attributes_type")
        name = value.get(self.tag)
        if isinstance(name, str) and name in self.registry:
            return self._validator(name).validate_python(value)
        kind = "union_tag_invalid" if self.tag in value else "union_tag_not_found"
        facts = {"discriminator": self.tag, "tag": name, "known": self.registry.names(), "group": self.registry.group}
        raise PydanticCustomError(kind, "validation_messages says it", facts)

    def _unambiguous(self, model: M) -> M:
        """Return ``model``, unless its name means another class to whoever reads its JSON."""
        name = getattr(model, self.tag)
        if name in self.registry and not isinstance(model, known := self._model(name)):
            mine = type(model)
            raise ValueError(
                f"the {self.registry.kind} {name!r} is {known.__module__}.{known.__qualname__}, and "
                f"{mine.__module__}.{mine.__qualname__} has its name; give yours another one"
            )
        return model

    def _validator(self, name: str) -> SchemaValidator:
        model = self._model(name)
        if model not in self._validators:
            # a union of one: it puts the name into the place of an error, where validation_messages looks for it
            union = core_schema.tagged_union_schema({name: model.__pydantic_core_schema__}, self.tag)
            self._validators[model] = SchemaValidator(union)
        return self._validators[model]

    def _model(self, name: str) -> type[M]:
        model: object = self.registry.get(name)
        if isinstance(model, type) and issubclass(model, self.base):
            return model
        raise BackendError(
            f"the {self.registry.kind} {name!r} is registered as {model!r}, expected a subclass of {self.base.__name__}"
        )
