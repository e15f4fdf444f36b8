"""Descriptions of other agents, read for rules: whatever stands there costs little, and no rule
that a schema has is lost to words.
"""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest

from masumi_sumi.flows import mip003_schema, read_form
from masumi_sumi.flows.designs import schema_elements


def schema_of(kind: str, description: str, *rules: tuple[str, str], **data: Any) -> dict[str, Any]:
    told = [{"validation": name, "value": value} for name, value in rules]
    facts = {**data, "description": description}
    field = {"id": "a", "type": kind, "name": "A", "data": facts}
    return {"input_data": [field | ({"validations": told} if told else {})]}


@pytest.mark.parametrize(
    "opening", ["x Matches the pattern “", "x Default: “", "x At most ", "x In steps of "]
)
def test_a_long_description_is_read_in_no_time(opening: str) -> None:
    words = opening * (2**18 // len(opening)) + "x"
    began = process_time()

    (element,) = schema_elements(schema_of("number", words))

    assert process_time() - began < 2
    assert element["description"] == words


@pytest.mark.parametrize(
    "pattern", ["(?:(?:(?:a?){99}){99}){99}", "(a{2,9999}){9999}", "a" * 201, "(?V0)(?V1)a"]
)
def test_a_pattern_that_would_cost_much_to_read_stays_words(pattern: str) -> None:
    told = f"Matches the pattern “{pattern}” from start to end."

    (element,) = schema_elements(schema_of("text", told))

    assert (element.get("pattern"), element["description"]) == (None, told)


def test_a_pattern_with_counts_is_a_rule_again() -> None:
    told = "Matches the pattern “[A-Z]{2}[0-9]{2}( ?[A-Z0-9]{4}){4,7}” from start to end."

    (element,) = schema_elements(schema_of("text", told))

    assert element["pattern"] == "[A-Z]{2}[0-9]{2}( ?[A-Z0-9]{4}){4,7}"


@pytest.mark.parametrize(
    "schema",
    [
        schema_of("number", "At least 0.5.", ("min", "1")),
        schema_of("number", "At most 0.5. In steps of 0.1.", ("max", "3")),
        schema_of("range", "At least 0.5. At most 5.5.", ("min", "0"), step=1, default=3),
        schema_of("file", "One file. PDF only.", outputFormat="url"),
        schema_of("file", "One file. PDF only. At most 100 files.", outputFormat="url"),
    ],
)
def test_words_of_an_author_take_no_rule_away(schema: dict[str, Any]) -> None:
    assert mip003_schema(read_form(schema_elements(schema))) == schema
