"""Several choices of one question: a JSON list of values as one text, a box each in the panel."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator

from masumi_sumi.flows.forms import Field


def joined(field: Field, values: Collection[str]) -> str:
    """The chosen values, in the form's order; empty for none of them."""
    chosen = [choice.value for choice in field.choices if choice.value in values]
    return json.dumps(chosen, ensure_ascii=False) if chosen else ""


def split(text: str | None) -> list[str]:
    """The values of ``joined``; none for a text that is no list of texts."""
    try:
        values = json.loads(text or "[]")
    except ValueError:
        return []
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


def box(field: str, value: str) -> str:
    """The name under which the panel posts the box of one choice."""
    return f"{field}.{value}"


def boxes(field: Field) -> Iterator[str]:
    return (box(field.name, choice.value) for choice in field.choices)


def ticked(field: Field, values: Iterable[str]) -> dict[str, str]:
    """What a browser posts for these choices."""
    return {box(field.name, value): "on" for value in values}
