"""What MIP-003 has no rule for is said to the buyer in words, before anything is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mip003_buyers import assert_every_buyer_takes
from pydantic import BaseModel, Field, create_model

from masumi_sumi.errors import FieldsInvalid
from masumi_sumi.flows import Group as Question
from masumi_sumi.flows import (
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
        shown = re.sub(r"(:\d\d):00$", r"\1", bound.replace(" ", "T"))
        said = (f" At least {bound}. ", f" Not before {shown}. ", f" From {shown} over midnight")
        return self._bounds("min", bound) or any(each in self.words for each in said)

    def high(self, bound: str) -> bool:
        shown = re.sub(r"(:\d\d):00$", r"\1", bound.replace(" ", "T"))
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
    (
        "(?s)must be one of: .*|has no choice at this position: .*|must be a choice by .*",
        lambda s: s.data("values"),
    ),
    ("must not name a choice twice", lambda s: s.type == "option"),
    ("must be a URL.*", lambda s: s.data("outputFormat") == "url"),
    ("must be one file", lambda s: " One file. " in s.words),
    ("(?s)must be a file of the type (.*)", lambda s, accept: s.rules["accept"] == accept),
    ("(?:only )?one button (?:can|must) be pressed", lambda s: "is to be chosen." in s.words),
]


def is_said(served: Served, reason: str) -> bool:
    """A reason that nobody here has heard of is not said."""
    for pattern, says in REASONS:
        if found := re.fullmatch(pattern, reason):
            return bool(says(served, *found.groups()))
    return False


MOMENTS_OF = {
    "date": ["2025-01-01", "2025-01-02", "2025-01-03", "2025-02-30"],
    "time": ["06:00", "08:59:30", "22:00:00", "23:00:00.5"],
    "datetime": ["2025-01-01T09:00", "2025-01-01 09:30:15", "2025-01-02T09:00"],
    "month": ["2024-12", "2025-01", "2025-02"],
    "week": ["2024-W52", "2025-W01", "2025-W54"],
}
CHOSEN = st.lists(st.sampled_from([0, 1, 2, 3, "US", "xx", False]), max_size=3) | st.just([1, 1])
URLS = ["https://a.b/c.pdf", "https://a.b/c.png", "no address", "http://u:p@a.b/c.pdf"]
LINES = ["ab", "abcdef", "a\nb", "a@b.c", "https://a.b", 5, "\0"]


def element(kind: str, **told: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    always = {"type": st.just(kind), "option": st.just(LANDS), "text": st.sampled_from("ST")}
    return st.fixed_dictionaries(always, optional={"required": st.booleans(), **told})


def lines(kind: str) -> st.SearchStrategy[Any]:
    lengths = {f"{end}_length": st.integers(1, 5) for end in ("min", "max")}
    patterns = st.sampled_from(["[a-z]*", "a|b", "("])
    return st.tuples(element(kind, pattern=patterns, **lengths), st.sampled_from(["", *LINES]))


def numbers(kind: str) -> st.SearchStrategy[Any]:
    some = st.integers(-20, 20).map(lambda quarter: quarter / 4)
    steps = st.sampled_from([0.25, 1, 2.5, 5, "any"])
    told = {"min_value": some, "max_value": some, "value": some, "step": steps}
    return st.tuples(element(kind, **told), some)


def moments(named: str) -> st.SearchStrategy[Any]:
    some = st.sampled_from(MOMENTS_OF[named])
    told = {f"min_{named}": some, f"max_{named}": some, "value": some}
    steps = st.sampled_from([1, 60, 90, 900])
    kind = "datetime-local" if named == "datetime" else named
    return st.tuples(element(kind, step=steps, **told), some)


def choices(kind: str) -> st.SearchStrategy[Any]:
    lengths = {f"{end}_length": st.integers(1, 3) for end in ("min", "max")}
    values = st.sampled_from(["us", "", '["de"]'])
    return st.tuples(element(kind, value=values, **lengths), CHOSEN)


def files(kind: str) -> st.SearchStrategy[Any]:
    told = {"multiple": st.booleans(), "accept": st.just(".pdf")}
    return st.tuples(element(kind, **told), st.lists(st.sampled_from(URLS), min_size=1, max_size=2))


def switches(kind: str) -> st.SearchStrategy[Any]:
    sent = st.sampled_from([True, False, "perhaps"])
    return st.tuples(element(kind, value=st.booleans()), sent)


ASKED = {
    **dict.fromkeys(["text", "textarea", "password", "email", "url", "tel", "search"], lines),
    **dict.fromkeys(["number", "range"], numbers),
    **dict.fromkeys(MOMENTS_OF, moments),
    **dict.fromkeys(["select", "radio", "choices"], choices),
    **dict.fromkeys(["boolean", "checkbox"], switches),
    "file": files,
    "color": lines,
    "action": lambda kind: st.tuples(element(kind, value=st.just("1")), st.just(0)),
}


@pytest.mark.parametrize("kind", ASKED)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), submit=st.booleans())
def test_no_rule_of_a_form_is_first_heard_of_in_a_refusal(
    kind: str, data: st.DataObject, submit: bool
):
    asked = data.draw(st.lists(st.tuples(ASKED[kind](kind), st.booleans()), max_size=2))
    elements = [{"name": f"f{at}", **element} for at, ((element, _), _) in enumerate(asked)]
    form = read_form([*elements, *([{"type": "submit"}] if submit else [])])
    fields = {field["id"]: Served(field) for field in mip003_schema(form)["input_data"]}
    try:
        submitted(form, {f"f{at}": value for at, ((_, value), told) in enumerate(asked) if told})
    except FieldsInvalid as refused:
        for name, reasons in refused.errors.items():
            assert [reason for reason in reasons if not is_said(fields[name], reason)] == []
