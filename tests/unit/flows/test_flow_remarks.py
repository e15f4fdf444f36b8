"""What MIP-003 has no rule for is said to the buyer in words, before anything is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mip003_buyers import assert_every_buyer_takes
from pydantic import BaseModel, Field
from test_flow_properties import forms, sent

from masumi_sumi.errors import FieldsInvalid
from masumi_sumi.flows import (
    Form,
    form_elements,
    grouped,
    groups_schema,
    mip003_schema,
    model_form,
    read_form,
    schema_hashes,
    submitted,
    sumi_schema,
)
from masumi_sumi.flows import Group as Question

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


# --- every refusal -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Served:
    """A field as a buyer reads it."""

    field: dict[str, Any]

    @property
    def type(self) -> str:
        return str(self.field["type"])

    @property
    def words(self) -> str:
        return f" {self.field.get('data', {}).get('description', '')} "

    @property
    def rules(self) -> dict[str, str]:
        return {rule["validation"]: rule["value"] for rule in self.field.get("validations", ())}

    def data(self, key: str) -> Any:
        return self.field.get("data", {}).get(key)

    def required(self) -> bool:
        """A box that must be checked can be answered and still be refused."""
        switch = self.type in ("boolean", "checkbox")
        return "optional" not in self.rules and (not switch or "Must be checked" in self.words)

    def low(self, bound: str) -> bool:
        shown = bound.replace(" ", "T").removesuffix(":00") if ":" in bound else bound
        said = (f" At least {bound}. ", f" Not before {shown}. ", f" From {shown} over midnight")
        return self._bounds("min", bound) or any(each in self.words for each in said)

    def high(self, bound: str) -> bool:
        shown = bound.replace(" ", "T").removesuffix(":00") if ":" in bound else bound
        said = (f" At most {bound}. ", f" Not after {shown}. ", f" over midnight to {shown}. ")
        return self._bounds("max", bound) or any(each in self.words for each in said)

    def _bounds(self, name: str, bound: str) -> bool:
        moment = self.type not in ("number", "range")
        return not moment and name in self.rules and int(self.rules[name]) == float(bound)

    def steps(self, start: str, step: str) -> bool:
        """Counted from 0, or from what is said."""
        if self.type == "range" and self.rules.get("min") == start:
            return self.data("step") == float(step)
        from_zero = (float(start) / float(step)).is_integer()
        told = f" In steps of {step}. " if from_zero else f" In steps of {step} from {start}. "
        return told in self.words or (from_zero and self.data("step") == float(step))

    def seconds(self, step: str) -> bool:
        """Times are in minutes anyway."""
        return step == "60" or f" In steps of {step} second" in self.words


ALWAYS = ("text", "textarea", "password", "email", "url", "tel", "search", "number", "range")
MOMENTS = ("date", "time", "datetime-local", "month", "week", "color")

REASONS: list[tuple[str, Callable[..., bool]]] = [
    ("is required", Served.required),
    ("must have at least (.+) (?:characters|choices)", lambda s, n: s.rules["min"] == n),
    ("must have at most (.+) (?:characters|choices)", lambda s, n: s.rules["max"] == n),
    ("must not be below (.+)", Served.low),
    ("must not be above (.+)", Served.high),
    ("must be (.+) plus a multiple of (.+)", Served.steps),
    ("must be in steps of (.+) seconds", Served.seconds),
    (
        "must be a whole number",
        lambda s: s.rules.get("format") == "integer" or s.data("step") == 1,
    ),
    ("must match the pattern (.+)", lambda s, p: f" Matches the pattern “{p}” from" in s.words),
    ("must be one line", lambda s: s.type in ALWAYS and s.type != "textarea"),
    (
        "must be (?:text|a number|a finite number)|must not contain NUL or broken characters",
        lambda s: s.type in (*ALWAYS, *MOMENTS, "hidden") or s.field["data"],
    ),
    ("must be an email address", lambda s: s.rules["format"] == "email"),
    ("must be an absolute URL", lambda s: s.rules["format"] == "url"),
    ("must be a (?:date|time|date and time|month|week|color) as .+", lambda s: s.type in MOMENTS),
    ("must be true or false", lambda s: s.type in ("boolean", "checkbox")),
    ("must be one choice", lambda s: s.type == "radio" or s.rules["max"] == "1"),
    ("(?s)must be one of: .*|has no choice at this position: .*", lambda s: s.data("values")),
    ("must not name a choice twice", lambda s: s.type == "option"),
    ("must be a URL.*", lambda s: s.data("outputFormat") == "url"),
    ("must be one file", lambda s: " One file. " in s.words),
    ("(?s)must be a file of the type (.*)", lambda s, accept: s.rules["accept"] == accept),
    ("unknown field|takes no value", lambda s: s.type in ("none", "unknown", "hidden")),
    ("(?:only )?one button (?:can|must) be pressed", lambda s: "is to be chosen." in s.words),
]

edges = st.sampled_from([-6, -1, 0.3, 201, "", "1999-01-01", "2999-01-01", "00:00", "23:59:01"])


def is_said(served: Served, reason: str) -> bool:
    """A reason that nobody here has heard of is not said."""
    for pattern, says in REASONS:
        if found := re.fullmatch(pattern, reason):
            return bool(says(served, *found.groups()))
    return False


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data(), forms)
def test_no_rule_of_a_form_is_first_heard_of_in_a_refusal(data: st.DataObject, form: Form):
    fields = {field["id"]: Served(field) for field in mip003_schema(form)["input_data"]}
    names = st.sampled_from([*fields, "nobody"])
    unknown = Served({"type": "unknown", "id": "nobody"})
    try:
        submitted(form, data.draw(st.dictionaries(names, sent | edges, max_size=3)))
    except FieldsInvalid as refused:
        for name, reasons in refused.errors.items():
            assert [r for r in reasons if not is_said(fields.get(name, unknown), r)] == []
