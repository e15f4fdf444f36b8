"""The values of a form as JSON Schema: its MIP-003 fields, and rules that these cannot carry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from masumi_sumi import flows
from masumi_sumi.faces.openapi.words import CLEAN, LINE, TEXT, Schema, items, option, record
from masumi_sumi.flows.attachments import MOST_FILES
from masumi_sumi.flows.kinds import NUMERIC, SWITCHES
from masumi_sumi.flows.patterns import shown_pattern

Field = Mapping[str, Any]

_PATTERNS = {
    "date": r"^\d{4}-\d{2}-\d{2}$",
    "time": r"^\d{2}:\d{2}",
    "datetime-local": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}",
    "month": r"^\d{4}-\d{2}$",
    "week": r"^\d{4}-W\d{2}$",
    "color": "^#[0-9a-fA-F]{6}$",
}
_FORMATS = {"email": "email", "url": "uri"}


def input_values(form: flows.Form) -> Schema:
    """An object with a value for each field that asks; nothing else is taken."""
    served = flows.mip003_schema(form)["input_data"]
    asked = {field["id"]: field for field in served if field["type"] != "none"}
    narrower = {field.name: _narrower(field) for field in form.fields}
    required = [name for name, field in asked.items() if not _rules(field).get("optional")]
    return record(required, {name: _value(field) | narrower[name] for name, field in asked.items()})


def _value(field: Field) -> Schema:
    schema = _TYPES.get(field["type"], _text)(field, _rules(field))
    data = field.get("data", {})
    told = {"title": field["name"], "description": data.get("description")}
    return schema | {name: text for name, text in told.items() if text}


def _text(field: Field, rules: Mapping[str, str]) -> Schema:
    schema = dict(CLEAN if field["type"] == "textarea" else LINE)
    if field["type"] in _PATTERNS:
        return schema | {"pattern": _PATTERNS[field["type"]]}
    bounds = {"minLength": rules.get("min"), "maxLength": rules.get("max")}
    schema |= {name: int(bound) for name, bound in bounds.items() if bound}
    if rules.get("format") == "nonempty":
        schema["minLength"] = max(1, schema.get("minLength", 0))
    if field["type"] in _FORMATS:
        schema["format"] = _FORMATS[field["type"]]
    return schema


def _number(field: Field, rules: Mapping[str, str]) -> Schema:
    return {"type": "integer" if rules.get("format") == "integer" else "number"}


def _choice(field: Field, rules: Mapping[str, str]) -> Schema:
    """A list of positions, counted from 0, or the word itself."""
    words = field["data"]["values"]
    least, most = max(1, int(rules.get("min", 1))), int(rules.get("max", 1))
    position = {"type": "integer", "minimum": 0, "maximum": len(words) - 1}
    chosen = items(position, minItems=least, maxItems=most, uniqueItems=True)
    return {"anyOf": [chosen, option(*words)]} if least == 1 else chosen


def _switch(field: Field, rules: Mapping[str, str]) -> Schema:
    return {"type": "boolean"}


def _file(field: Field, rules: Mapping[str, str]) -> Schema:
    return _files(MOST_FILES)


def _files(most: int) -> Schema:
    address = {**TEXT, "format": "uri"}
    return {"anyOf": [address, items(address, minItems=1, maxItems=most)]}


def _hidden(field: Field, rules: Mapping[str, str]) -> Schema:
    return option(field["data"]["value"])


_TYPES: dict[str, Callable[[Field, Mapping[str, str]], Schema]] = {
    "number": _number,
    "range": _number,
    "option": _choice,
    "radio": _choice,
    "boolean": _switch,
    "checkbox": _switch,
    "file": _file,
    "hidden": _hidden,
}


def _narrower(field: flows.Field) -> Schema:
    if field.kind in NUMERIC:
        return _scaled(field.scale)
    if field.kind in SWITCHES and field.required:
        return option(True)
    if field.kind is flows.Kind.FILE and not field.many:
        return _files(1)
    return _matching(field.pattern.pattern) if field.pattern is not None else {}


def _scaled(scale: flows.Scale) -> Schema:
    """Of steps those that floating point holds: a reader's division would refuse good values."""
    bounds = {"minimum": scale.low, "maximum": scale.high}
    schema = {name: _plain(limit.place) for name, limit in bounds.items() if limit is not None}
    step = scale.step
    exact = step is not None and step.denominator & (step.denominator - 1) == 0
    is_told = step == 1 and scale.kind is flows.Kind.NUMBER  # as the type integer
    if step is not None and exact and scale.from_zero and not is_told:
        schema["multipleOf"] = _plain(step)
    return schema


def _plain(number: Fraction) -> int | float:
    return int(number) if number.denominator == 1 else float(number)


def _matching(pattern: str) -> Schema:
    """Where every reader of patterns reads this one alike; the description tells it anyway."""
    whole = next((each for each in (pattern, f"^{pattern}$") if shown_pattern(each)), None)
    return {"allOf": [{"pattern": whole}]} if whole else {}


def _rules(field: Field) -> dict[str, str]:
    return {rule["validation"]: rule["value"] for rule in field.get("validations", ())}
