"""What a flow asks, in the two dialects that buyers read, and the hashes they take of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

from masumi_sumi.flows.forms import Field, Form, Note
from masumi_sumi.flows.kinds import CHOSEN, NUMERIC, SWITCHES, TEMPORAL, TEXTUAL, Kind
from masumi_sumi.flows.remarks import described
from masumi_sumi.flows.scales import GREATEST_WHOLE
from masumi_sumi.hashing import canonical_json

_TYPES = {Kind.SELECT: "option", Kind.BUTTON: "option", Kind.CHOICES: "option"}

_TYPED = ("default", "placeholder", "description")
_CARRIED: dict[Kind, tuple[str, ...]] = dict.fromkeys(Kind, _TYPED) | {
    Kind.PASSWORD: ("placeholder", "description"),
    Kind.CHECKBOX: ("label", "default", "description"),
    Kind.COLOR: ("default", "description"),
    Kind.RANGE: ("step", "default", "description"),
    Kind.HIDDEN: ("value",),
    Kind.RADIO: ("values", "default", "description"),
    Kind.SELECT: ("values", "placeholder", "description"),
    Kind.BUTTON: ("values", "placeholder", "description"),
    Kind.CHOICES: ("values", "placeholder", "description"),
    Kind.FILE: ("outputFormat", "description"),
}
_FORMATS = {Kind.EMAIL: "email", Kind.URL: "url"}
_NONEMPTY = frozenset({Kind.TEXT, Kind.TEXTAREA, Kind.SEARCH})


def mip003_schema(form: Form) -> dict[str, Any]:
    """``{"input_data": [...]}`` as every known MIP-003 buyer accepts it.

    Bounds are strings of whole numbers >= 0: other bounds, those of dates, steps, patterns and
    more have no place in MIP-003, so the description ends with a sentence for each; display widths
    are no rule. A select (and a row of buttons
    of one name) becomes ``option`` with min and max "1", because the marketplace shows an
    ``option`` without both as a multiple choice; several choices have the two as the form says
    them, or all there are. ``radio`` means exactly one by itself. Boolean fields, hidden ones and
    selects that start at a choice are optional: the panel's own default stands in for them.
    """
    items = [item for item in form.items if isinstance(item, Note) or item.served]
    return {"input_data": [_mip003_item(item, form) for item in items]}


def sumi_schema(form: Form) -> dict[str, Any]:
    """``{"input_data": [...], "input_groups": None}`` as Kodosumi's notebook shows it.

    ``validations`` is an object with ``optional: True``, bounds as strings (dates too, and the
    display width of a text as its max); ``data`` and ``validations`` are null when empty; notes
    are left out.
    """
    fields = [field for field in form.fields if field.served]
    return {"input_data": [_sumi_field(field) for field in fields], "input_groups": None}


def schema_hashes(schema: Any) -> frozenset[str]:
    """Every ``input_schema_hash`` (64 hex digits) that a real buyer may compute of ``schema``.

    Buyers hash the schema as served, or after the marketplace has turned min and max into
    numbers; newer ones the whole object, older ones its list alone.
    """
    wholes = (schema, _with_numbers(schema))
    lists = [w.get("input_data", w.get("input_groups")) for w in wholes if isinstance(w, dict)]
    return frozenset(_sha256(value) for value in (*wholes, *lists) if value is not None)


# --- MIP-003 -----------------------------------------------------------------------------------


def _mip003_item(item: Field | Note, form: Form) -> dict[str, Any]:
    if isinstance(item, Note):
        data = {"description": item.text}
        return {"id": item.id, "type": "none", "name": item.title, "data": data}
    rules = [{"validation": name, "value": value} for name, value in _rules(item)]
    data = _data(replace(item, description=described(item, form)))
    return (
        _asked(item) | ({"data": data} if data else {}) | ({"validations": rules} if rules else {})
    )


def _asked(field: Field) -> dict[str, Any]:
    return {"id": field.name, "type": _TYPES.get(field.kind, field.kind.value), "name": field.label}


def _data(field: Field) -> dict[str, Any]:
    facts = {
        "default": _default(field),
        "placeholder": field.placeholder,
        "description": field.description,
        "label": field.caption,
        "value": field.default,
        "values": [choice.label for choice in field.choices],
        "step": _json_number(field.scale.step),
        "outputFormat": "url",
    }
    carried = _CARRIED[field.kind]
    return {name: facts[name] for name in carried if facts[name] not in ("", None, [])}


def _default(field: Field) -> str | bool | int | float | None:
    if field.kind in SWITCHES:
        return field.default == "on"
    if field.kind in NUMERIC:
        return _json_number(Fraction(field.default)) if field.default else None
    return field.label_of(field.default) if field.kind in CHOSEN else field.default


def _json_number(value: Fraction | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value.denominator == 1 else float(value)


def _rules(field: Field) -> Iterator[tuple[str, str]]:
    if not field.required:
        yield "optional", "true"
    for name, bound in zip(("min", "max"), _bounds(field), strict=True):
        if bound is not None and 0 <= bound <= GREATEST_WHOLE:
            yield name, str(bound)
    if field.accept and field.kind is Kind.FILE:
        yield "accept", field.accept
    yield from (("format", name) for name in (_format(field),) if name)


def _bounds(field: Field) -> tuple[int | None, int | None]:
    if field.kind in TEXTUAL:
        return field.min_length, field.max_length
    if field.kind in NUMERIC:
        low, high = field.scale.low, field.scale.high
        return low.natural if low else None, high.natural if high else None
    if field.kind is Kind.CHOICES:
        most = min(field.max_length or len(field.choices), len(field.choices))
        return min(field.min_length or 0, most), most
    return (1, 1) if field.kind in _TYPES else (None, None)


def _format(field: Field) -> str | None:
    if field.kind is Kind.NUMBER:
        return "integer" if field.scale.whole else None
    if field.kind in _NONEMPTY:
        return "nonempty" if field.required else None
    return _FORMATS.get(field.kind)


# --- the notebook ------------------------------------------------------------------------------


def _sumi_field(field: Field) -> dict[str, Any]:
    rules = dict(_sumi_rules(field))
    return _asked(field) | {"data": _data(field) or None, "validations": rules or None}


def _sumi_rules(field: Field) -> Iterator[tuple[str, str | bool]]:
    if not field.required:
        yield "optional", True
    for name, bound in zip(("min", "max"), _sumi_bounds(field), strict=True):
        if bound:
            yield name, bound
    if field.kind in _FORMATS:
        yield "format", _FORMATS[field.kind]


def _sumi_bounds(field: Field) -> tuple[str, str]:
    if field.kind in NUMERIC | TEMPORAL:
        low, high = field.scale.low, field.scale.high
        return low.text if low else "", high.text if high else ""
    lowest, highest = _bounds(field)
    return _text(lowest), _text(highest if highest is not None else field.width)


def _text(bound: int | None) -> str:
    return "" if bound is None else str(bound)


# --- hashes ------------------------------------------------------------------------------------


def _with_numbers(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_numbers(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("validation") in ("min", "max"):
        return value | {"value": _as_number(value.get("value"))}
    return {key: _with_numbers(item) for key, item in value.items()}


def _as_number(bound: Any) -> Any:
    whole = isinstance(bound, str) and bound.isascii() and bound.isdigit()
    return int(bound) if whole and len(bound) < 16 else bound


def _sha256(value: Any) -> str:
    return hashlib.sha256(canonical_json(value).encode("utf-8")).hexdigest()
