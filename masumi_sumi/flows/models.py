"""A pydantic model as a form, and what the form posts as the model again.

The model's own JSON schema says what each field is, so whatever pydantic writes as a word, a
number, a moment, a choice or several of them becomes a question. The rest is refused by name.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

import annotated_types
from pydantic import BaseModel, RootModel, ValidationError, create_model
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticUserError
from pydantic.fields import FieldInfo

from masumi_sumi.errors import FieldsInvalid, FieldUnfit
from masumi_sumi.flows.forms import Form
from masumi_sumi.flows.kinds import Kind
from masumi_sumi.flows.postings import WHOLE_FORM, reasons, values_of
from masumi_sumi.flows.properties import POSSIBLE, Property, Unfit, read_property

_A_MOMENT = "2030-01-02T03:04"
_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ModelForm:
    """``properties`` stand in the order of ``form.fields``."""

    model: type[BaseModel]
    form: Form
    properties: tuple[Property, ...]

    def read(self, posted: Mapping[str, Any]) -> BaseModel:
        """The instance; what nobody touched is left to the model's own defaults.

        ``posted`` is what Kodosumi's app gives a handler: texts, booleans of boxes, None for what
        is not there; a caller's JSON may have numbers, booleans and lists of choices too. Raises
        FieldsInvalid; what the model says of itself is under ``_global_``.
        """
        values = values_of(self.properties, posted)
        try:
            return self.model.model_validate(values, strict=False)  # a form posts texts
        except ValidationError as error:
            names = {asked.field.name for asked in self.properties}
            raise FieldsInvalid(reasons(error, names)) from error


def model_form(model: type[BaseModel]) -> ModelForm:
    """Raises FieldUnfit for the first field that no form can ask for."""
    if issubclass(model, RootModel):
        raise FieldUnfit(model.__name__, "root", "a RootModel", "use a BaseModel with fields")
    properties = tuple(_properties(model))
    return ModelForm(model, Form(tuple(asked.field for asked in properties)), properties)


def _properties(model: type[BaseModel]) -> Iterator[Property]:
    for name, info in model.model_fields.items():
        try:
            yield _property(model, name, info)
        except Unfit as error:
            raise FieldUnfit(model.__name__, name, _type_text(info), str(error)) from error


def _property(model: type[BaseModel], name: str, info: FieldInfo) -> Property:
    by_alias = model.model_config.get("validate_by_alias") is not False
    if by_alias and not isinstance(info.validation_alias, str | None):
        raise Unfit("its alias must be one word")
    if name == WHOLE_FORM or info.validation_alias == WHOLE_FORM:
        raise Unfit("this name stands for the form as a whole")
    said: Any = {name: (info.annotation, info)}
    try:
        alone = create_model(model.__name__, __config__=model.model_config, **said)
        schema = alone.model_json_schema(by_alias=by_alias)
    except (PydanticInvalidForJsonSchema, PydanticUserError) as error:
        raise Unfit(POSSIBLE) from error
    ((key, told),) = schema["properties"].items()
    told = {**_bounds(info), **told}
    asked = read_property(key, told, schema.get("$defs", {}), optional=not info.is_required())
    _try_out(asked, alone)
    return asked


def _bounds(info: FieldInfo) -> dict[str, str]:
    """Bounds of dates and times, which no JSON schema tells."""
    found: dict[str, str] = {}
    for rule in _rules(info):
        for end, value, step in _ends(rule):
            if isinstance(value, datetime.datetime):
                found[end] = value.replace(tzinfo=None).isoformat(timespec="seconds")
            elif isinstance(value, datetime.date):
                found[end] = (value + step).isoformat()
            elif isinstance(value, datetime.time):
                found[end] = value.isoformat(timespec="seconds")
    return found


def _rules(info: FieldInfo) -> Iterator[Any]:
    """What Annotated says of the field, and of the one type that it has besides None."""
    yield from info.metadata
    for way in get_args(info.annotation):
        for said in getattr(way, "__metadata__", ()):
            yield from said.metadata if isinstance(said, FieldInfo) else (said,)


def _ends(rule: Any) -> Iterable[tuple[str, Any, datetime.timedelta]]:
    match rule:
        case annotated_types.Ge(value):
            yield "minimum", value, 0 * _DAY
        case annotated_types.Gt(value):
            yield "minimum", value, _DAY
        case annotated_types.Le(value):
            yield "maximum", value, 0 * _DAY
        case annotated_types.Lt(value):
            yield "maximum", value, -_DAY


def _try_out(asked: Property, alone: type[BaseModel]) -> None:
    """Raises Unfit when the type refuses what the form offers."""
    name, kind = asked.field.name, asked.field.kind
    if kind is Kind.DATETIME and "timezone_aware" in _refusals(alone, name, _A_MOMENT):
        raise Unfit("a form's moments have no zone: use datetime")
    for text, value in asked.values.items():
        offered = [value] if kind is Kind.CHOICES else value
        if "literal_error" in _refusals(alone, name, offered):
            raise Unfit(f"the choice {text!r} is a member of an Enum: use the Enum itself")


def _refusals(alone: type[BaseModel], name: str, value: Any) -> set[str]:
    try:
        alone.model_validate({name: value}, strict=False)
    except ValidationError as error:
        return {each["type"] for each in error.errors()}
    return set()


def _type_text(info: FieldInfo) -> str:
    named = info.annotation
    return named.__name__ if type(named) is type else str(named).replace("typing.", "")
