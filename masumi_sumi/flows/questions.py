"""What an agent asks: a MIP-003 schema, read once into frozen values."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

from masumi_sumi.errors import BodyUnreadable, FieldsInvalid
from masumi_sumi.flows.kinds import Kind
from masumi_sumi.flows.scales import place, written
from masumi_sumi.hashing import canonical_json

MOST_QUESTIONS = 500
LONGEST_NAME = 1000


class Type(StrEnum):
    """The 22 types of MIP-003."""

    TEXT = "text"
    TEXTAREA = "textarea"
    NUMBER = "number"
    BOOLEAN = "boolean"
    OPTION = "option"
    NONE = "none"
    EMAIL = "email"
    PASSWORD = "password"
    TEL = "tel"
    URL = "url"
    DATE = "date"
    DATETIME = "datetime-local"
    TIME = "time"
    MONTH = "month"
    WEEK = "week"
    COLOR = "color"
    RANGE = "range"
    FILE = "file"
    HIDDEN = "hidden"
    SEARCH = "search"
    CHECKBOX = "checkbox"
    RADIO = "radio"


TEXTS = frozenset(
    {Type.TEXT, Type.TEXTAREA, Type.EMAIL, Type.PASSWORD, Type.TEL, Type.URL, Type.SEARCH}
)
NUMBERS = frozenset({Type.NUMBER, Type.RANGE})
MOMENTS = frozenset({Type.DATE, Type.DATETIME, Type.TIME, Type.MONTH, Type.WEEK})
SWITCHES = frozenset({Type.BOOLEAN, Type.CHECKBOX})
CHOICES = frozenset({Type.OPTION, Type.RADIO})

_ALIASES = {"string": Type.TEXT, "multiselect": Type.OPTION}


class SchemaUnreadable(ValueError):
    """Why a schema cannot be asked by a careful buyer."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A least or a greatest: characters, a value, a moment or a number of choices, by type."""

    text: str
    place: Fraction


@dataclass(frozen=True, slots=True)
class Question:
    """One field. ``default`` is JSON as the agent gave it; ``value`` is a hidden field's.

    ``formats`` are the rules of that name: nonempty, email, url, integer, tel-pattern. No schema
    has a rule for a ``pattern``: only a description tells one.
    """

    id: str
    type: Type
    name: str
    required: bool = True
    default: Any = None
    value: str = ""
    values: tuple[str, ...] = ()
    label: str = ""
    description: str = ""
    placeholder: str = ""
    low: Bound | None = None
    high: Bound | None = None
    step: Fraction | None = None
    formats: frozenset[str] = frozenset()
    accept: str = ""
    pattern: str = ""

    @property
    def asks(self) -> bool:
        return self.type is not Type.NONE

    @property
    def many(self) -> bool:
        """Whether several choices may be taken."""
        return self.type is Type.OPTION and (self.high is None or self.high.place > 1)


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that belong together; ``id`` and ``title`` are empty for a plain list."""

    id: str
    title: str
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """A schema. ``digest`` is its ``input_schema_hash``, over the schema as served."""

    groups: tuple[Group, ...]
    digest: str

    @property
    def questions(self) -> tuple[Question, ...]:
        return tuple(question for group in self.groups for question in group.questions)

    @property
    def unmixed(self) -> bool:
        """Whether one object can hold the answers to all groups."""
        ids = [question.id for question in self.questions]
        return len(ids) == len(set(ids))

    def alone(self, group: Group) -> Form:
        """The form of one of its groups."""
        return Form((group,), self.digest)

    def question(self, name: str) -> Question:
        """Raises FieldsInvalid for a name that is not asked."""
        for question in self.questions:
            if question.id == name and question.asks:
                return question
        raise FieldsInvalid({name: ["unknown field"]})


def read_schema(schema: Any) -> Form:
    """An object with ``input_data`` or ``input_groups``, or the bare list of fields.

    Ids are unique within a group; a form that mixes them says so (``unmixed``). Unknown rules are
    left to the agent. Raises SchemaUnreadable.
    """
    try:
        text = canonical_json(schema)
    except BodyUnreadable as error:
        raise SchemaUnreadable(error.reason) from error
    groups = tuple(_groups(schema))
    if len({group.id for group in groups}) != len(groups) or not groups:
        raise SchemaUnreadable("its groups have no ids of their own")
    if sum(len(group.questions) for group in groups) > MOST_QUESTIONS:
        raise SchemaUnreadable(f"it has more than {MOST_QUESTIONS} fields")
    return Form(groups, hashlib.sha256(text.encode()).hexdigest())


def _groups(schema: Any) -> Iterator[Group]:
    if isinstance(schema, list):
        schema = {"input_data": schema}
    if not isinstance(schema, Mapping):
        raise SchemaUnreadable("it is no object")
    fields, groups = schema.get("input_data"), schema.get("input_groups")
    if (fields is None) == (groups is None):
        raise SchemaUnreadable("it must have one of input_data and input_groups")
    if fields is not None:
        yield Group("", "", _questions(fields))
        return
    for group in _list(groups, "input_groups"):
        each = _object(group, "a group")
        title = _text(each, "title", "a group") or _text(each, "name", "a group")
        yield Group(_text(each, "id", "a group"), title, _questions(each.get("input_data")))


def _questions(fields: Any) -> tuple[Question, ...]:
    found = tuple(_question(_object(field, "a field")) for field in _list(fields, "input_data"))
    ids = [question.id for question in found]
    if twice := {each for each in ids if ids.count(each) > 1}:
        raise SchemaUnreadable(f"the field {min(twice)!r} is asked twice")
    return found


def _question(field: Mapping[str, Any]) -> Question:
    name = _text(field, "id", "a field")
    if not name:
        raise SchemaUnreadable("a field has no id")
    kind = _type(field.get("type"), name)
    data = _object(field.get("data") or {}, name)
    rules = dict(_rules(field.get("validations"), name))
    question = Question(
        id=name,
        type=kind,
        name=_text(field, "name", name) or name,
        required=kind not in (Type.NONE, Type.HIDDEN) and not _is_true(rules.get("optional")),
        default=data.get("default"),
        value=_text(data, "value", name) if kind is Type.HIDDEN else "",
        values=tuple(_values(data.get("values"), name)) if kind in CHOICES else (),
        label=_text(data, "label", name),
        description=_text(data, "description", name),
        placeholder=_text(data, "placeholder", name),
        low=_bound(kind, rules.get("min"), name),
        high=_bound(kind, rules.get("max"), name),
        step=_step(data.get("step")),
        formats=frozenset(rules.get("format", ())),
        accept=str(rules.get("accept") or ""),
    )
    if question.low and question.high and question.low.place > question.high.place:
        raise SchemaUnreadable(f"{name}: its min is above its max")
    return question


def _type(named: Any, field: str) -> Type:
    try:
        return _ALIASES.get(named) or Type(named)
    except (ValueError, TypeError):
        raise SchemaUnreadable(f"{field}: its type {str(named)[:50]!r} is unknown") from None


def _rules(given: Any, field: str) -> Iterator[tuple[str, Any]]:
    """``[{"validation": "min", "value": "1"}, ...]``, or the first buyers' ``{"min": "1"}``.

    Formats are collected in one set: a field may have several.
    """
    if isinstance(given, Mapping):
        pairs = list(given.items())
    else:
        rules = [_object(rule, field) for rule in _list(given or [], field)]
        pairs = [(rule.get("validation"), rule.get("value")) for rule in rules]
    yield "format", {str(value).replace("_", "-") for name, value in pairs if name == "format"}
    yield from ((str(name), value) for name, value in pairs if name != "format")


def _bound(kind: Type, value: Any, field: str) -> Bound | None:
    if value is None or value == "":
        return None
    text = value if isinstance(value, str) else _number_text(value)
    at = place(Kind(kind) if kind in MOMENTS else Kind.NUMBER, text)
    if at is None:
        raise SchemaUnreadable(f"{field}: its bound {str(value)[:50]!r} cannot be read")
    return Bound(text, at)


def _step(value: Any) -> Fraction | None:
    at = place(Kind.NUMBER, value if isinstance(value, str) else _number_text(value))
    return at if at is not None and at > 0 else None


def _number_text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return written(value) or ""


def _values(given: Any, field: str) -> Iterator[str]:
    values = _list(given, field)
    if not values or not all(isinstance(value, str) and value for value in values):
        raise SchemaUnreadable(f"{field}: its values are not a list of words")
    if len(set(values)) != len(values):
        raise SchemaUnreadable(f"{field}: two of its values are alike")
    yield from values


def _is_true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"


def _text(where: Mapping[str, Any], name: str, field: str) -> str:
    value = where.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise SchemaUnreadable(f"{field}: its {name} is no text")
    if name in ("id", "name", "title") and len(value) > LONGEST_NAME:
        raise SchemaUnreadable(f"{field[:50]}: its {name} is too long")
    return value


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise SchemaUnreadable(f"{what} is no list")
    return value


def _object(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SchemaUnreadable(f"{what} is no object")
    return value
