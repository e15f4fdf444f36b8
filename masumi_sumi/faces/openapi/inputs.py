"""The values of a form as JSON Schema, from its MIP-003 fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from masumi_sumi.faces.openapi.words import CLEAN, LINE, TEXT, Schema, items, option, record

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


def input_values(fields: list[Field]) -> Schema:
    """An object with a value for each field that asks; nothing else is taken."""
    asked = {field["id"]: field for field in fields if field["type"] != "none"}
    required = [name for name, field in asked.items() if not _rules(field).get("optional")]
    return record(required, {name: _value(field) for name, field in asked.items()})


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
    bounds = {"minimum": rules.get("min"), "maximum": rules.get("max")}
    kind = "integer" if rules.get("format") == "integer" else "number"
    return {"type": kind} | {name: int(bound) for name, bound in bounds.items() if bound}


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
    address = {**TEXT, "format": "uri"}
    return {"anyOf": [address, items(address, minItems=1)]}


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


def _rules(field: Field) -> dict[str, str]:
    return {rule["validation"]: rule["value"] for rule in field.get("validations", ())}
