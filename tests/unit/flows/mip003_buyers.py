"""What real buyers demand of a MIP-003 schema, written down a second time."""

from __future__ import annotations

import re
from typing import Any

TYPED = {"default", "placeholder", "description"}
DATA = {
    **dict.fromkeys(
        [
            "text",
            "textarea",
            "number",
            "boolean",
            "email",
            "tel",
            "url",
            "date",
            "datetime-local",
            "time",
            "month",
            "week",
            "search",
        ],
        TYPED,
    ),
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
FORMATS = {
    "text": {"nonempty", "url", "email"},
    "textarea": {"nonempty"},
    "search": {"nonempty"},
    "email": {"email"},
    "url": {"url"},
    "number": {"integer"},
}
BOUNDED = {"text", "textarea", "search", "email", "url", "tel", "password", "number", "range"}
WHOLE = re.compile(r"0|[1-9][0-9]*")


def assert_every_buyer_takes(schema: Any) -> None:
    assert list(schema) == ["input_data"]
    ids = [field["id"] for field in schema["input_data"]]
    assert len(ids) == len(set(ids))
    for field in schema["input_data"]:
        _assert_field(field)


def _assert_field(field: dict[str, Any]) -> None:
    assert set(field) <= {"id", "name", "type", "data", "validations"}
    assert all(isinstance(field[key], str) and field[key] for key in ("id", "name", "type"))
    assert field["type"] in DATA
    if "data" in field:
        assert field["data"]
        assert set(field["data"]) <= DATA[field["type"]]
    if field["type"] in ("range", "hidden", "checkbox", "option", "radio", "file", "none"):
        assert "data" in field
    _assert_data(field["type"], field.get("data", {}))
    if field["type"] == "none":
        assert "validations" not in field
    _assert_rules(field["type"], field.get("validations", ()))
    if field["type"] == "option":
        _assert_counts(field)


def _assert_data(kind: str, data: dict[str, Any]) -> None:
    for key in ("placeholder", "description", "value", "label"):
        assert key not in data or (isinstance(data[key], str) and data[key])
    if "values" in data:
        assert data["values"]
        assert all(isinstance(value, str) and value for value in data["values"])
        assert len(set(data["values"])) == len(data["values"])
    wanted: Any = {
        "number": (int, float),
        "range": (int, float),
        "boolean": bool,
        "checkbox": bool,
    }.get(kind, str)
    for key in ("default", "step"):
        assert key not in data or isinstance(data[key], wanted if key == "default" else int | float)
    assert kind in ("boolean", "checkbox") or not isinstance(data.get("default"), bool)
    assert kind not in ("option", "radio") or "values" in data
    assert kind != "file" or data["outputFormat"] == "url"
    assert kind != "hidden" or data["value"]


def _assert_counts(field: dict[str, Any]) -> None:
    """Both, or the marketplace takes its own; and of no more choices than there are."""
    rules = {rule["validation"]: rule["value"] for rule in field["validations"]}
    assert 0 <= int(rules["min"]) <= int(rules["max"])
    assert rules["max"] == "1" or int(rules["max"]) <= len(field["data"]["values"])


def _assert_rules(kind: str, rules: Any) -> None:
    assert isinstance(rules, list) or rules == ()
    names = [rule["validation"] for rule in rules]
    assert len(names) == len(set(names))
    for rule in rules:
        assert set(rule) == {"validation", "value"}
        assert isinstance(rule["value"], str)
        match rule["validation"]:
            case "optional":
                assert rule["value"] == "true"
            case "min" | "max":
                assert WHOLE.fullmatch(rule["value"])
                assert kind in BOUNDED or kind == "option"
            case "format":
                assert rule["value"] in FORMATS[kind]
            case "accept":
                assert kind == "file"
            case other:
                raise AssertionError(other)
