"""What a model demands beyond what a form can hold, told in the field's description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from masumi_sumi.flows.forms import Field
from masumi_sumi.flows.remarks import pattern_told, remarked
from masumi_sumi.flows.scales import Limit, number_text

Schema = Mapping[str, Any]


def with_words_of(pattern: str | None, field: Field) -> Field:
    """A pattern that the form does not hold; a model asks for it in any part of the text."""
    told = [pattern_told(pattern)] if pattern and field.pattern is None else []
    return replace(field, description=remarked(field.description, told))


def with_numbers_of(schema: Schema, field: Field) -> Field:
    """Bounds that are themselves too little or too much, and steps of another kind."""
    return replace(field, description=remarked(field.description, _numbers(schema, field)))


def _numbers(schema: Schema, field: Field) -> Iterator[str]:
    scale = field.scale
    if _is_at(scale.low, schema.get("exclusiveMinimum")):
        yield f"More than {schema['exclusiveMinimum']}."
    if _is_at(scale.high, schema.get("exclusiveMaximum")):
        yield f"Less than {schema['exclusiveMaximum']}."
    if multiple := schema.get("multipleOf"):
        step = Fraction(str(multiple))
        if step not in (scale.step, 1) or (step == 1 and not scale.whole):
            yield f"A multiple of {number_text(step)}."


def _is_at(limit: Limit | None, edge: Any) -> bool:
    return limit is not None and edge is not None and limit.place == Fraction(str(edge))
