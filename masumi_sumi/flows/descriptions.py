"""A form as elements in Kodosumi's dict form: what ``read_form`` reads, written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from masumi_sumi.flows.choices import box, split
from masumi_sumi.flows.forms import Field, Form
from masumi_sumi.flows.kinds import Kind
from masumi_sumi.flows.scales import number_text

Facts = dict[str, Any]

_BOUNDS = {Kind.NUMBER: "value", Kind.DATE: "date", Kind.TIME: "time", Kind.DATETIME: "datetime"}


def form_elements(form: Form) -> list[Facts]:
    """The questions of a model's form, with the facts that Kodosumi's own types lack beside them.

    Several choices are one question, and a box for each of them after it.
    """
    return [_plain(facts) for field in form.fields for facts in _elements(field)]


def _plain(facts: Facts) -> Facts:
    return {key: value for key, value in facts.items() if value not in (None, "", False)}


def _elements(field: Field) -> Iterator[Facts]:
    match field.kind:
        case Kind.BOOLEAN:
            yield _box(field.name, field.description, field.default == "on", field.label)
        case Kind.FILE:
            yield _about(field) | {"multiple": field.many, "accept": field.accept}
        case _:
            yield _typed(field)
    if field.kind is Kind.CHOICES:
        ticked = split(field.default)
        for choice in field.choices:
            yield _box(box(field.name, choice.value), choice.label, choice.value in ticked)


def _box(name: str, option: str, ticked: bool, label: str = "") -> Facts:
    return {"type": "boolean", "name": name, "label": label, "option": option, "value": ticked}


def _about(field: Field) -> Facts:
    return {
        "type": field.kind.value,
        "name": field.name,
        "label": field.label,
        "required": field.required,
        "description": field.description,
    }


def _typed(field: Field) -> Facts:
    return {
        **_about(field),
        "value": field.default,
        "placeholder": field.placeholder,
        "min_length": field.min_length,
        "max_length": field.max_length,
        "pattern": field.pattern.pattern if field.pattern else None,
        "option": [_option(choice.value, choice.label) for choice in field.choices] or None,
        **_scaled(field),
    }


def _option(name: str, label: str) -> Facts:
    return {"type": "option", "name": name, "label": label}


def _scaled(field: Field) -> Facts:
    named = _BOUNDS.get(field.kind)
    if named is None:
        return {}
    low, high, step = field.scale.low, field.scale.high, field.scale.step
    steps = (
        {} if field.kind is Kind.DATE else {"step": "any" if step is None else number_text(step)}
    )
    return {
        f"min_{named}": low.text if low else None,
        f"max_{named}": high.text if high else None,
        **steps,
    }
