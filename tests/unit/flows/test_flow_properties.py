"""Any form, any input: a schema every buyer takes, and an answer or a refusal by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from anything import anything, words
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mip003_buyers import assert_every_buyer_takes

from masumi_sumi.errors import FieldsInvalid
from masumi_sumi.flows import (
    NO_RESULT,
    Field,
    Form,
    error_text,
    mip003_schema,
    read_form,
    result_text,
    schema_hashes,
    submitted,
    sumi_schema,
)
from masumi_sumi.flows.choices import boxes
from masumi_sumi.flows.rules import faults

quick = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))

KINDS = (
    *("text", "textarea", "password", "email", "url", "tel", "search", "number", "range"),
    *("date", "time", "datetime-local", "month", "week", "boolean", "checkbox", "select", "radio"),
    *("choices", "color"),
    *("file", "hidden", "action", "submit", "cancel", "errors", "markdown", "html", "hr", "none"),
    "mystery",
)
names = st.sampled_from(["a", "b", "c", "d", "note_1", "x y", "1", ""])
bounds = (
    st.none()
    | st.integers(-5, 200)
    | st.floats(-5, 200)
    | st.sampled_from(
        ["2025-01-01", "09:00", "2025-01-01T09:00", "2025-01", "2025-W01", "", "nonsense", "1e400"]
    )
)
values = st.none() | st.booleans() | words | bounds
choices = st.fixed_dictionaries(
    {"type": st.just("option"), "name": st.none() | words, "label": st.none() | words},
    optional={"value": st.booleans()},
)
LIMITS = ("value", "date", "time", "datetime", "month", "week", "length")
elements = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS), "name": st.none() | names},
    optional={
        "label": st.none() | words,
        "value": values,
        "required": st.booleans(),
        "placeholder": st.none() | words,
        "text": st.none() | words,
        "multiple": st.booleans(),
        "accept": words | st.just(".pdf"),
        "description": words,
        "size": bounds,
        "pattern": st.none() | st.sampled_from(["[a-z]*", "(", "a|b"]),
        "step": bounds,
        "option": st.lists(choices, max_size=4) | words,
        **{f"{end}_{name}": bounds for end in ("min", "max") for name in LIMITS},
    },
)
forms = st.lists(elements, max_size=6).map(read_form)


@quick
@given(forms)
def test_any_form_gives_a_schema_that_every_buyer_takes(form: Form):
    schema = mip003_schema(form)

    assert_every_buyer_takes(schema)
    assert len(schema_hashes(schema)) in (2, 4)
    assert sumi_schema(form)["input_groups"] is None


def _holds(field: Field, posted: dict[str, str]) -> bool:
    if field.kind == "choices":
        count = sum(box in posted for box in boxes(field))
        return count > 0 or not field.required
    text = posted.get(field.name)
    if field.kind == "hidden":
        return text == field.default
    if text is None or text == "" or text == field.default:
        return not field.required or bool(text)
    if field.choices:
        return text in [choice.value for choice in field.choices]
    return field.kind == "boolean" or not list(faults(field, text))


def _outcome(form: Form, data: Any) -> tuple[Mapping[str, Sequence[str]], dict[str, str]]:
    try:
        return {}, submitted(form, data)
    except FieldsInvalid as refused:
        return refused.fields or {"nothing": []}, {}


@quick
@given(st.data(), forms)
def test_any_input_is_posted_within_the_rules_or_refused_by_name(data: Any, form: Form):
    known = st.sampled_from([field.name for field in form.fields] or ["nobody"])
    given_data = data.draw(st.dictionaries(known | names, anything, max_size=6))
    errors, posted = _outcome(form, given_data)
    asked = {field.name for field in form.fields}

    assert set(errors) <= set(given_data) | asked
    assert all(reasons and all(reasons) for reasons in errors.values())
    assert set(posted) <= asked | {box for field in form.fields for box in boxes(field)}
    assert all(isinstance(text, str) for text in posted.values())
    assert errors or all(_holds(field, posted) for field in form.fields)
    "".join(posted.values()).encode("utf-8")


def least_of(option: Mapping[str, Any]) -> list[int]:
    """The positions of the first choices, as few as the schema lets."""
    rules = {rule["validation"]: rule["value"] for rule in option.get("validations", ())}
    least = max(1, int(rules.get("min", "1")))
    assert least <= len(option["data"]["values"])
    return list(range(least))


@quick
@given(forms)
def test_what_the_schema_offers_is_taken_back(form: Form):
    schema = mip003_schema(form)["input_data"]
    offered = {field["id"]: least_of(field) for field in schema if field["type"] == "option"}
    single = dict(list(offered.items())[:1])

    posted = submitted(form, single, required=False)

    asked = {field.name for field in form.fields}
    answered = {key if key in asked else key.partition(".")[0] for key in posted}
    assert answered >= set(single)


@quick
@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_any_failure_is_told_in_one_harmless_line(text: str):
    told = error_text(text)

    assert told
    assert len(told) <= 300
    assert len(told.splitlines()) == 1
    assert "Traceback" not in told
    told.encode("utf-8")


@quick
@given(st.text(st.characters(exclude_categories=()), max_size=40))
def test_any_result_is_a_text_that_can_be_hashed(text: str):
    told = result_text(text)

    assert told.strip()
    assert told == result_text(text)
    told.encode("utf-8")
    assert told == NO_RESULT or "\0" not in told
