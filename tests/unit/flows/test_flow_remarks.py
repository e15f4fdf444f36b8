"""What MIP-003 has no rule for is said to the buyer in words, before anything is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import pytest
from mip003_buyers import assert_every_buyer_takes
from pydantic import BaseModel, Field, create_model

from masumi_sumi.flows import Group as Question
from masumi_sumi.flows import (
    form_elements,
    grouped,
    groups_schema,
    mip003_schema,
    model_form,
    read_form,
    schema_hashes,
    sumi_schema,
)

LANDS = [{"name": "us", "label": "US"}, {"name": "de", "label": "Germany"}, {"name": "fr"}]

SAID: list[tuple[dict[str, Any], str]] = [
    ({"type": "number", "min_value": -5}, "At least -5."),
    ({"type": "number", "min_value": 0.5, "step": "any"}, "At least 0.5."),
    ({"type": "number", "max_value": "1e300"}, "At most 1e300."),
    ({"type": "number", "max_value": -1, "step": 5}, "At most -1. In steps of 5."),
    ({"type": "number", "step": 0.5}, "In steps of 0.5."),
    ({"type": "number", "min_value": 3, "step": 5}, "In steps of 5 from 3."),
    ({"type": "number", "value": 0.25}, "In steps of 1 from 0.25."),
    ({"type": "range", "min_value": -10, "max_value": 10, "step": 5}, "At least -10."),
    (
        {"type": "range", "min_value": -7, "max_value": 0.5, "step": 5},
        "At least -7. At most 0.5. In steps of 5 from -7.",
    ),
    ({"type": "date", "min_date": "2025-12-11"}, "Not before 2025-12-11."),
    ({"type": "date", "max_date": "2030-12-31"}, "Not after 2030-12-31."),
    (
        {"type": "month", "min_month": "2024-01", "max_month": "2025-01"},
        "Not before 2024-01. Not after 2025-01.",
    ),
    ({"type": "week", "max_week": "2024-W10"}, "Not after 2024-W10."),
    (
        {"type": "time", "min_time": "09:00", "max_time": "17:30:00", "step": 900},
        "Not before 09:00. Not after 17:30. In steps of 900 seconds.",
    ),
    (
        {"type": "time", "min_time": "22:00", "max_time": "06:00"},
        "From 22:00 over midnight to 06:00.",
    ),
    ({"type": "time", "value": "09:00:30"}, "In steps of 60 seconds from 09:00:30."),
    ({"type": "time", "step": 1}, "In steps of 1 second."),
    (
        {"type": "datetime-local", "min_datetime": "2025-01-02 03:04:00", "step": 3600},
        "Not before 2025-01-02T03:04. In steps of 3600 seconds from 2025-01-02T03:04.",
    ),
    ({"type": "file", "multiple": False}, "One file."),
    ({"type": "file", "multiple": True}, "At most 100 files."),
    ({"type": "boolean", "required": True}, "Must be checked (true)."),
    ({"type": "checkbox", "required": True}, "Must be checked (true)."),
    ({"type": "select", "option": LANDS}, "Default: “US”."),
    ({"type": "select", "option": LANDS, "value": "de"}, "Default: “Germany”."),
    (
        {"type": "choices", "option": LANDS, "value": '["fr", "us"]'},
        "Default: “US”, “fr”.",
    ),
    *[
        ({"type": kind, "pattern": "[a-z]+."}, "Matches the pattern “[a-z]+.” from start to end.")
        for kind in ("text", "password", "email", "url", "tel", "search")
    ],
    ({"type": "text", "pattern": "a" * 200}, f"Matches the pattern “{'a' * 200}” from start"),
    ({"type": "text", "pattern": "a" * 201}, f"Matches a pattern that begins with “{'a' * 200}”."),
    ({"type": "text", "pattern": "[\ud800]"}, r"Matches the pattern “[\ud800]” from start to end."),
]

UNSAID: list[dict[str, Any]] = [
    {"type": "text", "min_length": 2, "max_length": 5, "size": 9, "required": True},
    {"type": "textarea", "pattern": "[a-z]", "max_length": 5},
    {"type": "text", "pattern": "("},
    {"type": "number", "min_value": 0, "max_value": 2**53 - 1, "required": True},
    {"type": "number", "step": "any"},
    {"type": "range"},
    {"type": "range", "min_value": 3, "step": 5},
    {"type": "time", "min_time": "nonsense"},
    {"type": "time", "step": 60},
    {"type": "datetime-local", "value": "2025-01-02T03:04"},
    {"type": "date"},
    {"type": "boolean", "value": True},
    {"type": "radio", "option": LANDS, "value": "de", "required": True},
    {"type": "select", "option": LANDS, "required": True},
    {"type": "choices", "option": LANDS, "min_length": 1},
    {"type": "color", "required": True},
    {"type": "hidden", "value": "v"},
]


def asked(element: dict[str, Any], **more: Any) -> dict[str, Any]:
    schema = mip003_schema(read_form([{"name": "x", "label": "X", **element, **more}]))
    assert_every_buyer_takes(schema)
    (field,) = schema["input_data"]
    return field


@pytest.mark.parametrize(("element", "words"), SAID)
def test_a_rule_without_a_place_is_a_sentence(element: dict[str, Any], words: str):
    assert asked(element)["data"]["description"].startswith(words)
    assert schema_hashes({"input_data": [asked(element)]})  # it can travel


@pytest.mark.parametrize("element", UNSAID)
def test_what_a_buyer_knows_without_words_is_not_said(element: dict[str, Any]):
    assert "description" not in asked(element).get("data", {})


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ("Your age", "Your age. At least -5."),
        ("Your age.", "Your age. At least -5."),
        ("How old? ", "How old? At least -5."),
        ("年齢。", "年齢。 At least -5."),
        ("At least -5.", "At least -5."),
        ("At least -5.5. or so", "At least -5.5. or so. At least -5."),
    ],
)
def test_the_author_speaks_first_and_nothing_is_said_twice(own: str, told: str):
    assert asked({"type": "number", "min_value": -5}, description=own)["data"] == {
        "description": told
    }


def test_other_texts_of_a_field_stay_where_they_are():
    field = asked(
        {"type": "checkbox", "option": "I agree", "required": True, "description": "Terms"}
    )

    assert field["data"]["label"] == "I agree"
    assert field["data"]["description"] == "Terms. Must be checked (true)."


@pytest.mark.parametrize(
    ("submit", "words"),
    [
        ([], "Exactly one of “Save”, “two” is to be chosen."),
        ([{"type": "submit", "text": "Go"}], "At most one of “Save”, “two” is to be chosen."),
    ],
)
def test_buttons_tell_of_each_other(submit: list[dict[str, Any]], words: str):
    buttons: list[dict[str, Any]] = [
        {"type": "action", "name": "one", "value": "1", "text": "Save"},
        {"type": "action", "name": "two", "value": "1", "text": "Send"},
        {"type": "action", "name": "two", "value": "2", "text": "Send all"},
    ]
    schema = mip003_schema(read_form([*buttons, *submit]))

    assert_every_buyer_takes(schema)
    assert [field["data"]["description"] for field in schema["input_data"]] == [words] * 2


def test_the_notebook_has_rules_of_its_own_and_the_author_s_words():
    element = {"type": "date", "name": "x", "min_date": "2025-01-01", "description": "Soon"}

    (field,) = sumi_schema(read_form([element]))["input_data"]

    assert field["data"]["description"] == "Soon"
    assert field["validations"]["min"] == "2025-01-01"


def test_the_questions_of_a_group_are_described_too():
    form = read_form([{"type": "date", "name": "x", "min_date": "2025-01-01"}])

    schema = groups_schema(grouped([Question("a", "A", form), Question("b", "B", form)]))

    told = [group["input_data"][0]["data"] for group in schema["input_groups"]]
    assert told == [{"description": "Not before 2025-01-01."}] * 2


def test_the_rules_of_a_model_are_described():
    class Order(BaseModel):
        code: str = Field(pattern=r"^[A-Z]{3}$", description="Where")
        rate: float = Field(ge=-0.5)
        tone: bool | None = None

    schema = mip003_schema(read_form(form_elements(model_form(Order).form)))

    assert [field["data"]["description"] for field in schema["input_data"]] == [
        "Where. Matches the pattern “^[A-Z]{3}$” from start to end.",
        "At least -0.5.",
        "Default: “-”.",
    ]


@pytest.mark.parametrize(
    ("type_", "words"),
    [
        (Annotated[str, Field(pattern="(a|b)+")], "Matches the pattern “(a|b)+”."),
        (Annotated[str, Field(pattern="^a", max_length=300)], "Matches the pattern “^a”."),
        (Annotated[float, Field(gt=0, lt=0.5)], "More than 0. Less than 0.5. At most 0.5."),
        (Annotated[Decimal, Field(multiple_of="0.01")], "A multiple of 0.01."),
        (Annotated[int, Field(gt=0, multiple_of=5)], "A multiple of 5."),
        (Annotated[int, Field(gt=0)], None),
        (Annotated[int, Field(ge=0, multiple_of=5)], "In steps of 5."),
        (Annotated[int, Field(multiple_of=1)], None),
        (Annotated[float, Field(multiple_of=1)], "A multiple of 1."),
    ],
)
def test_what_no_form_can_hold_of_a_model_is_described(type_: Any, words: str | None):
    model = create_model("Order", it=(type_, ...))

    (field,) = mip003_schema(read_form(form_elements(model_form(model).form)))["input_data"]

    assert field.get("data", {}).get("description") == words
