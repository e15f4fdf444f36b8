"""The document of a flow says as JSON Schema what its input_schema has to put into words."""

from __future__ import annotations

from typing import Any

import pytest

from masumi_sumi.faces.openapi.inputs import input_values
from masumi_sumi.flows import read_form

ADDRESS = {"type": "string", "format": "uri"}


def value(**element: Any) -> dict[str, Any]:
    """The schema of the field ``x``, without the texts about it."""
    schema = input_values(read_form([{"name": "x", **element}]))["properties"]["x"]
    return {key: rule for key, rule in schema.items() if key not in ("title", "description")}


@pytest.mark.parametrize(
    ("element", "rules"),
    [
        (
            {"type": "number", "min_value": -1.5, "max_value": 9, "step": 0.5},
            {"type": "number", "minimum": -1.5, "maximum": 9, "multipleOf": 0.5},
        ),
        ({"type": "number", "min_value": 1}, {"type": "integer", "minimum": 1}),
        (
            {"type": "number", "max_value": -5, "step": 5},
            {"type": "integer", "maximum": -5, "multipleOf": 5},
        ),
        ({"type": "number", "min_value": 3, "step": 5}, {"type": "integer", "minimum": 3}),
        ({"type": "number", "step": 0.1}, {"type": "number"}),
        (
            {"type": "range", "min_value": -10, "max_value": 10, "step": 5},
            {"type": "number", "minimum": -10, "maximum": 10, "multipleOf": 5},
        ),
        ({"type": "range"}, {"type": "number", "minimum": 0, "maximum": 100, "multipleOf": 1}),
    ],
)
def test_bounds_and_steps_are_numbers_of_any_kind(element: dict[str, Any], rules: dict[str, Any]):
    assert value(**element) == rules


@pytest.mark.parametrize(
    ("pattern", "shown"),
    [("[A-Z]{3}", "^[A-Z]{3}$"), ("^[A-Z]{3}$", "^[A-Z]{3}$"), ("(?P<year>x)", None)],
)
def test_a_pattern_is_shown_where_all_read_it_alike(pattern: str, shown: str | None):
    found = value(type="text", pattern=pattern)

    assert found.get("allOf") == ([{"pattern": shown}] if shown else None)
    assert found["pattern"] == r"^[^\u0000\r\n]*$"


def test_a_box_that_must_be_checked_takes_nothing_else():
    assert value(type="boolean", required=True)["enum"] == [True]
    assert value(type="checkbox") == {"type": "boolean"}


@pytest.mark.parametrize(("multiple", "most"), [(False, 1), (True, 100)])
def test_files_are_counted(multiple: bool, most: int):
    several = {"type": "array", "items": ADDRESS, "minItems": 1, "maxItems": most}

    assert value(type="file", multiple=multiple) == {"anyOf": [ADDRESS, several]}


def test_what_has_no_rule_there_is_described():
    schema = input_values(read_form([{"type": "date", "name": "x", "min_date": "2025-01-01"}]))

    assert schema["properties"]["x"]["description"] == "Not before 2025-01-01."
