"""Any form comes back from the schema that it is served as, and what answers the one the other."""

from __future__ import annotations

import json
from typing import Any

from anything import answers_to
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from masumi_sumi import forms
from masumi_sumi.errors import FieldsInvalid
from masumi_sumi.flows import Field, Form, mip003_schema, read_form, submitted
from masumi_sumi.flows.choices import box

quick = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


words = st.text(st.characters(codec="utf-8"), max_size=6)
names = st.sampled_from(["a", "b", "c", "note_1", "x y"])
lengths = st.none() | st.integers(1, 9)
numbers = st.integers(-5, 200) | st.integers(-20, 800).map(lambda quarter: quarter / 4)
LISTED = ("select", "radio", "choices")
LINES = ("text", "textarea", "password", "email", "url", "tel", "search")
KINDS = (
    *LINES,
    *("number", "range", "date", "time", "datetime-local", "month", "week", "boolean"),
    *(
        "checkbox",
        "select",
        "radio",
        "choices",
        "color",
        "file",
        "hidden",
        "action",
        "submit",
        "markdown",
    ),
    *("html", "none"),
)
moments = st.sampled_from(["2025-01-01", "09:00", "2025-01-01T09:00", "2025-01", "2025-W01"])
options = st.fixed_dictionaries({"name": words, "label": words})


@st.composite
def elements(draw: Any) -> dict[str, Any]:
    kind = draw(st.sampled_from(KINDS))
    low, high = sorted(draw(st.tuples(numbers, numbers)))
    element: dict[str, Any] = {"type": kind, "name": draw(names)}
    told = {
        "label": words,
        "value": words | numbers | moments | st.booleans(),
        "required": st.booleans(),
        "placeholder": words,
        "description": words,
        "text": words,
        "accept": words,
        "step": st.sampled_from([0.25, 1, 2, 2.5, 7, "any", ""]),
        "min_value": st.just(low),
        "max_value": st.just(high),
        "min_length": lengths,
        "option": st.lists(options, max_size=3) if kind in LISTED else words,
    }
    element |= {key: draw(told[key]) for key in draw(st.sets(st.sampled_from(sorted(told))))}
    return element


any_form = st.lists(elements(), max_size=4).map(read_form)


def again(schema: Any) -> dict[str, Any]:
    """The schema of the form of a schema, as it comes over HTTP."""
    return mip003_schema(form_of(schema))


def form_of(schema: Any) -> Form:
    return read_form(json.loads(json.dumps(forms.from_schema(schema).get_model())))


def starts_at_nothing(field: Field) -> bool:
    only = field.kind == "choices" and field.min_length == 1 == len(field.choices)
    return not field.default and (field.kind == "button" or (only and not field.required))


@quick
@given(any_form)
def test_any_form_comes_back_from_its_schema(form: Form) -> None:
    schema = mip003_schema(form)
    if any(map(starts_at_nothing, form.fields)):  # it becomes a select, which starts at a choice
        schema = again(schema)

    assert again(schema) == schema


def said(form: Form, sent: dict[str, Any]) -> dict[str, Any]:
    """What is taken of an answer, choices by their labels; None for what is refused."""
    try:
        posted = submitted(form, sent, required=False)
    except FieldsInvalid as refused:
        return dict.fromkeys(refused.fields)
    return {field.name: _said(field, posted) for field in form.fields}


def _said(field: Field, posted: dict[str, str]) -> Any:
    if field.kind == "choices":
        return [c.label for c in field.choices if box(field.name, c.value) in posted]
    text = posted.get(field.name)
    return field.label_of(text) if field.choices else text


def are_apart(values: list[str]) -> bool:
    return len(set(values)) == len(values)


def by_label(field: Field, value: Any) -> bool:
    """A word may be a label in the one form and another choice's value in the other."""
    words_ = value if isinstance(value, list) else [value]
    labels = [choice.label for choice in field.choices]
    return not labels or all(word in labels for word in words_ if isinstance(word, str))


@quick
@given(st.data(), any_form)
def test_what_answers_the_one_form_answers_the_other(data: Any, form: Form) -> None:
    assume(not any(starts_at_nothing(field) and not field.required for field in form.fields))
    assume(all(are_apart([choice.value for choice in field.choices]) for field in form.fields))
    other = form_of(mip003_schema(form))
    served = {field.name: field for field in form.fields if field.served}
    drawn = data.draw(answers_to(tuple(served.values())))
    sent = {name: value for name, value in drawn.items() if by_label(served[name], value)}

    mine, theirs = said(form, sent), said(other, sent)

    assert set(served) == {field.name for field in other.fields}
    untold = {name for name in served if served[name].kind == "password" and not sent.get(name)}
    assert [theirs.get(name) for name in served if name not in untold] == [
        mine.get(name) for name in served if name not in untold
    ]
