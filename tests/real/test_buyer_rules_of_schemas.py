"""What real buyers demand of a schema, rule by rule: of GET input_schema, and of the questions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from buyer_words import canonical
from encounter import Encounter as Met

TYPED = {"default", "placeholder", "description"}
DATA = {
    **dict.fromkeys(("text", "textarea", "number", "boolean", "email", "tel", "url"), TYPED),
    **dict.fromkeys(("date", "datetime-local", "time", "month", "week", "search"), TYPED),
    "password": {"placeholder", "description"},
    "color": {"default", "description"},
    "range": {"step", "default", "description"},
    "hidden": {"value"},
    "checkbox": {"label", "default", "description"},
    "radio": {"values", "default", "description"},
    "option": {"values", "placeholder", "description"},
    "file": {"outputFormat", "description"},
    "none": {"description"},
}
MUST_HAVE_DATA = {"range", "hidden", "checkbox", "radio", "option", "file"}
FORMATS = {
    "text": {"nonempty", "url", "email"},
    "textarea": {"nonempty"},
    "search": {"nonempty"},
    "email": {"email"},
    "url": {"url"},
    "number": {"integer"},
}
WHOLE = re.compile(r"0|[1-9][0-9]*")


def schemas(met: Met) -> list[Any]:
    asked = [turn.schema for turn in met.turns]
    assert bool(asked) == met.ware.asks
    return [met.schema.json(), *asked]


def fields(met: Met) -> Iterator[dict[str, Any]]:
    for schema in schemas(met):
        yield from schema["input_data"]


def rules(met: Met) -> Iterator[tuple[str, str, Any]]:
    """(type of the field, rule, value)"""
    for each in fields(met):
        for rule in each.get("validations", []):
            yield each["type"], rule["validation"], rule["value"]


def test_the_schema_is_there(met: Met) -> None:
    assert met.schema.status_code == 200


def test_a_schema_is_an_object_with_its_list_and_nothing_beside_it(met: Met) -> None:
    for schema in schemas(met):
        assert list(schema) == ["input_data"]
        assert isinstance(schema["input_data"], list)


def test_ids_are_there_and_unique(met: Met) -> None:
    for schema in schemas(met):
        ids = [each["id"] for each in schema["input_data"]]
        assert all(isinstance(name, str) and name for name in ids)
        assert len(ids) == len(set(ids))


def test_every_field_has_a_name(met: Met) -> None:
    assert all(isinstance(each["name"], str) and each["name"] for each in fields(met))


def test_types_are_those_that_every_buyer_knows(met: Met) -> None:
    assert len(DATA) == 22
    assert {each["type"] for each in met.schema.json()["input_data"]} == set(DATA)
    assert {each["type"] for each in fields(met)} <= set(DATA)


def test_a_field_has_no_key_that_a_buyer_would_drop(met: Met) -> None:
    for each in fields(met):
        assert set(each) <= {"id", "name", "type", "data", "validations"}
        assert set(each.get("data", {})) <= DATA[each["type"]]


def test_there_is_no_null(met: Met) -> None:
    assert b"null" not in met.schema.content
    assert not any("null" in canonical(schema) for schema in schemas(met))


def test_data_is_an_object_where_buyers_need_one(met: Met) -> None:
    for each in fields(met):
        assert "data" in each or each["type"] not in MUST_HAVE_DATA
        assert isinstance(each.get("data", {}), dict)


def test_a_hidden_field_has_a_value_and_a_file_asks_for_an_address(met: Met) -> None:
    by_type = {each["type"]: each.get("data") for each in met.schema.json()["input_data"]}
    assert by_type["hidden"] == {"value": "1.0"}
    assert by_type["file"]["outputFormat"] == "url"


def test_a_checkbox_has_what_stands_beside_it(met: Met) -> None:
    [box] = [each for each in met.schema.json()["input_data"] if each["type"] == "checkbox"]
    assert (box["name"], box["data"]) == ("Consent", {"label": "I agree", "default": False})


def test_defaults_and_steps_are_of_the_fields_own_kind(met: Met) -> None:
    for each in fields(met):
        data, numeric = each.get("data", {}), each["type"] in ("number", "range")
        switch = each["type"] in ("boolean", "checkbox")
        kind: Any = int | float if numeric else bool if switch else str
        assert isinstance(data.get("default", kind is bool or ("" if kind is str else 0)), kind)
        assert not (numeric and isinstance(data.get("default"), bool))
        assert isinstance(data.get("step", 1), int | float)


def test_choices_are_different_words(met: Met) -> None:
    chosen = [each["data"]["values"] for each in fields(met) if each["type"] in ("option", "radio")]
    assert chosen
    for values in chosen:
        assert values
        assert all(isinstance(value, str) and value for value in values)
        assert len(values) == len(set(values))


def test_rules_are_a_list_of_pairs_of_text(met: Met) -> None:
    for each in fields(met):
        assert isinstance(each.get("validations", []), list)
        for rule in each.get("validations", []):
            assert set(rule) == {"validation", "value"}
            assert all(isinstance(part, str) for part in rule.values())


def test_what_is_required_has_no_rule_that_says_optional(met: Met) -> None:
    assert {value for _, rule, value in rules(met) if rule == "optional"} == {"true"}
    by_id = {each["id"]: each for each in met.schema.json()["input_data"]}
    for required in ("desk", "size"):
        assert "optional" not in json.dumps(by_id[required])


def test_bounds_are_text_of_whole_numbers(met: Met) -> None:
    bounds = [value for _, rule, value in rules(met) if rule in ("min", "max")]
    assert bounds
    assert all(WHOLE.fullmatch(value) for value in bounds)


def test_formats_are_those_that_every_buyer_takes_for_the_type(met: Met) -> None:
    formats = [(kind, value) for kind, rule, value in rules(met) if rule == "format"]
    assert formats
    assert all(value in FORMATS.get(kind, ()) for kind, value in formats)


def test_only_files_say_what_they_accept(met: Met) -> None:
    assert {kind for kind, rule, _ in rules(met) if rule == "accept"} <= {"file"}


def test_there_are_no_other_rules(met: Met) -> None:
    known = {"optional", "min", "max", "format", "accept"}
    assert {rule for _, rule, _ in rules(met)} <= known
