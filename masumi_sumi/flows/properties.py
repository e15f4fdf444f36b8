"""One property of a model's JSON schema as one question of a form."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor
from typing import Any

from masumi_sumi.flows.choices import joined
from masumi_sumi.flows.files import FILE_FORMAT
from masumi_sumi.flows.forms import Choice, Field
from masumi_sumi.flows.kinds import CHOSEN, NUMERIC, ONE_LINE, TEMPORAL, TEXTUAL, Kind
from masumi_sumi.flows.patterns import shown_pattern
from masumi_sumi.flows.remainders import with_numbers_of, with_words_of
from masumi_sumi.flows.scales import Limit, Scale, number_text, place, shortest

POSSIBLE = (
    "possible are str, int, float, Decimal, bool, date, time, datetime, EmailStr, HttpUrl, "
    "SecretStr, masumi_sumi.File, Literal and Enum, each of them or None, masumi_sumi.Files, "
    "and lists or sets of Literal or Enum"
)

Schema = Mapping[str, Any]

_LONGEST_LINE = 255
_NO_CHOICE = Choice("", "-")
_KINDS = {
    "textarea": Kind.TEXTAREA,
    "date": Kind.DATE,
    "time": Kind.TIME,
    "date-time": Kind.DATETIME,
    "email": Kind.EMAIL,
    "uri": Kind.URL,
    "password": Kind.PASSWORD,
    FILE_FORMAT: Kind.FILE,
}
_REFUSED = {
    "path": "a buyer has no paths here: use masumi_sumi.File",
    "file-path": "a buyer has no paths here: use masumi_sumi.File",
    "directory-path": "a buyer has no paths here: use masumi_sumi.Files",
    "binary": "use str or masumi_sumi.File",
    "base64url": "use str or masumi_sumi.File",
}


class Unfit(Exception):
    """No form can ask for this; the message says what would do instead."""


@dataclass(frozen=True, slots=True)
class Property:
    """A question, and how its answer is read.

    ``optional``: the model has a default. ``nullable``: None is a value. ``values``: what the
    text of a choice stands for. ``plain``: an empty text is a value.
    """

    field: Field
    optional: bool
    nullable: bool
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    whole: bool = False
    many: bool = False
    plain: bool = False


def read_property(name: str, schema: Schema, definitions: Schema, *, optional: bool) -> Property:
    """``schema`` as pydantic writes it. Raises Unfit."""
    schema = _resolved(schema, definitions)
    inner, nullable = _without_null(schema, definitions)
    inner = {**{end: schema[end] for end in ("minimum", "maximum") if end in schema}, **inner}
    asked = _asked(_about(name, {**inner, **schema}), inner, definitions, optional, nullable)
    return _with_default(asked, schema.get("default"))


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    """A type that is named elsewhere; its title and description are the type's, not the field's."""
    named = schema.get("$ref")
    if named is None:
        return schema
    found = definitions[named.rpartition("/")[2]]
    kept = {key: value for key, value in found.items() if key not in ("title", "description")}
    return {**kept, **schema}


def _without_null(schema: Schema, definitions: Schema) -> tuple[Schema, bool]:
    """The schema of what is not None, and whether None is a value too."""
    ways = [_resolved(way, definitions) for way in schema.get("anyOf", ())]
    others = [way for way in ways if way.get("type") != "null"]
    values = schema.get("enum", ())
    if None in values:
        return {**schema, "enum": [value for value in values if value is not None]}, True
    if len(others) == 1:
        return others[0], len(ways) > 1
    if len(others) < len(ways):
        return {"anyOf": others}, True
    return schema, False


def _about(name: str, schema: Schema) -> Field:
    examples = schema.get("examples") or [""]
    return Field(
        Kind.TEXT,
        name,
        label=str(schema.get("title") or name.replace("_", " ").title()),
        description=" ".join(str(schema.get("description") or "").split()),
        placeholder=str(examples[0]),
    )


def _asked(
    about: Field, schema: Schema, definitions: Schema, optional: bool, nullable: bool
) -> Property:
    asked = Property(replace(about, required=not (optional or nullable)), optional, nullable)
    if "enum" in schema or "const" in schema:
        return _choice(asked, _listed(schema))
    match schema.get("type"):
        case "boolean":
            return _choice(asked, [("Yes", True), ("No", False)]) if nullable else _switch(asked)
        case "integer" | "number":
            return _number(asked, schema)
        case "string":
            return _worded(asked, schema)
        case "array":
            return _several(asked, schema, definitions)
    if is_decimal(schema):
        return _number(asked, schema["anyOf"][0])
    raise Unfit(POSSIBLE)


def is_decimal(schema: Schema) -> bool:
    """Pydantic writes a Decimal as a number or a text, in this order."""
    return [way.get("type") for way in schema.get("anyOf", ())] == ["number", "string"]


# --- choices -----------------------------------------------------------------------------------


def _listed(schema: Schema) -> list[tuple[str, Any]]:
    values = schema.get("enum", [schema.get("const")])
    return [(value if isinstance(value, str) else json.dumps(value), value) for value in values]


def _choices(listed: Iterable[tuple[str, Any]]) -> tuple[dict[str, Any], tuple[Choice, ...]]:
    values = dict(listed)
    texts = [text for text, _ in listed]
    if len(values) != len(texts) or not all(text.strip() == text != "" for text in texts):
        raise Unfit("its choices must have texts of their own, without spaces around")
    if any(isinstance(value, list | dict) for value in values.values()):
        raise Unfit("its choices must be words or numbers")
    return values, tuple(Choice(text, text) for text in texts)


def _choice(asked: Property, listed: list[tuple[str, Any]]) -> Property:
    values, choices = _choices(listed)
    field = replace(asked.field, kind=Kind.SELECT, choices=choices, default=None)
    return replace(asked, field=field, values=values)


def _several(asked: Property, schema: Schema, definitions: Schema) -> Property:
    items = _resolved(schema.get("items", {}), definitions)
    if items.get("format") == FILE_FORMAT:
        return replace(asked, field=replace(asked.field, kind=Kind.FILE, many=True), many=True)
    if "enum" not in items and "const" not in items:
        raise Unfit(POSSIBLE)
    values, choices = _choices(_listed(items))
    least, most = schema.get("minItems"), schema.get("maxItems")
    field = replace(
        asked.field,
        kind=Kind.CHOICES,
        choices=choices,
        min_length=least or None,
        max_length=most,
        required=asked.field.required and bool(least),
    )
    return replace(asked, field=field, values=values, many=True)


def _switch(asked: Property) -> Property:
    field = replace(asked.field, kind=Kind.BOOLEAN, required=False, default=None, placeholder="")
    return replace(asked, field=field)


# --- numbers, moments and words ----------------------------------------------------------------


def _number(asked: Property, schema: Schema) -> Property:
    whole = schema.get("type") == "integer"
    low = _bound(schema.get("minimum"), schema.get("exclusiveMinimum"), whole, 1)
    high = _bound(schema.get("maximum"), schema.get("exclusiveMaximum"), whole, -1)
    step = _step(schema.get("multipleOf"), low) if whole else None
    base = low.place if low else Fraction(0)
    scale = Scale(Kind.NUMBER, low, high, step, base)
    field = replace(asked.field, kind=Kind.NUMBER, scale=scale)
    return replace(asked, field=with_numbers_of(schema, field), whole=whole)


def _bound(at: Any, beyond: Any, whole: bool, inwards: int) -> Limit | None:
    """The tighter of the two; of what must be beyond a bound only whole numbers have a next."""
    bounds = [] if at is None else [Fraction(str(at))]
    if beyond is not None:
        edge = Fraction(str(beyond))
        nearest = floor(edge) if inwards > 0 else ceil(edge)
        bounds.append(Fraction(nearest + inwards) if whole else edge)
    if not bounds:
        return None
    found = max(bounds) if inwards > 0 else min(bounds)
    if whole:
        found = Fraction(ceil(found) if inwards > 0 else floor(found))
    return Limit(number_text(found), found)


def _step(multiple: Any, low: Limit | None) -> Fraction:
    """HTML counts steps from the lower bound: a multiple is one only where that is one itself."""
    step = Fraction(str(multiple or 1))
    fits = step.denominator == 1 and (low is None or (low.place / step).denominator == 1)
    return step if fits else Fraction(1)


def _worded(asked: Property, schema: Schema) -> Property:
    named = schema.get("format")
    if named in _REFUSED:
        raise Unfit(_REFUSED[named])
    kind = _KINDS.get(str(named), Kind.TEXT)
    least, most = schema.get("minLength"), schema.get("maxLength")
    if kind is Kind.TEXT and max(least or 0, most or 0) > _LONGEST_LINE:
        kind = Kind.TEXTAREA
    field = replace(asked.field, kind=kind)
    if kind in TEMPORAL:
        low, high = (_moment(kind, schema.get(end)) for end in ("minimum", "maximum"))
        field = replace(field, scale=Scale(kind, low, high), placeholder="")
    if kind in TEXTUAL:
        field = replace(field, min_length=least or None, max_length=most)
    if kind in ONE_LINE:
        field = replace(field, pattern=shown_pattern(schema.get("pattern")))
    if kind in TEXTUAL:
        field = with_words_of(schema.get("pattern"), field)
    return replace(asked, field=field, plain=named in (None, "textarea"))


def _moment(kind: Kind, text: str | None) -> Limit | None:
    at = place(kind, text) if text else None
    return Limit(str(text), at) if at is not None else None


# --- defaults ----------------------------------------------------------------------------------


def _with_default(asked: Property, value: Any) -> Property:
    """The form shows the model's default where it can; it counts all the same where not."""
    field = asked.field
    if field.kind is Kind.CHOICES:
        chosen = [text for each in value or () for text in _texts_of(asked, each)]
        shown = replace(field, placeholder=", ".join(chosen), default=joined(field, chosen))
        return replace(asked, field=shown)
    if field.kind in CHOSEN:
        return _with_chosen(asked, value)
    if field.kind is Kind.BOOLEAN:
        return replace(asked, field=replace(field, default="on" if value is True else None))
    if value is None or field.kind in (Kind.PASSWORD, Kind.FILE):
        return asked
    return replace(asked, field=_shown(field, value))


def _with_chosen(asked: Property, value: Any) -> Property:
    """The default is told as the placeholder too: the notebook has no other place for it. One
    that cannot be shown, like None, is what stands when nothing is chosen.
    """
    field, chosen = asked.field, _texts_of(asked, value)
    if asked.nullable or (asked.optional and not chosen):
        field = replace(field, choices=(_NO_CHOICE, *field.choices))
    text = chosen[0] if chosen else None if field.required else ""
    return replace(asked, field=replace(field, default=text, placeholder="".join(chosen)))


def _texts_of(asked: Property, value: Any) -> list[str]:
    written = json.dumps(value)
    return [text for text, each in asked.values.items() if json.dumps(each) == written]


def _shown(field: Field, value: Any) -> Field:
    text = str(value)
    if field.kind in NUMERIC | TEMPORAL:
        at = place(field.kind, text)
        if at is None:
            return field
        return replace(field, default=shortest(field.kind, text))
    if "\n" in text and field.kind is Kind.TEXT:
        return replace(field, kind=Kind.TEXTAREA, pattern=None, default=text)
    return replace(field, default=text)
