"""What agents ask, and answers that keep the schema's own rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masumi_sumi.buyer import Form, Type, read_schema, values
from masumi_sumi.errors import FieldsInvalid
from masumi_sumi.flows import mip003_schema, read_form, schema_hashes, submitted
from masumi_sumi.flows.questions import SchemaUnreadable


def asks(kind: str, data: dict[str, Any] | None = None, **rules: Any) -> Form:
    """A form of one field."""
    listed = [{"validation": name, "value": value} for name, value in rules.items()]
    field = {"id": "x", "type": kind, "name": "X", "validations": listed}
    return read_schema({"input_data": [field | ({"data": data} if data else {})]})


ANY = {"values": ["a", "b", "c"]}

FITS: list[tuple[Form, Any, Any]] = [
    (asks("text"), "hello", "hello"),
    (asks("string", min="2", max="3"), "abc", "abc"),
    (asks("textarea"), "two\nlines", "two\nlines"),
    (asks("password"), " kept ", " kept "),
    (asks("email", format="email"), "ada@example.org", "ada@example.org"),
    (asks("tel", format="tel_pattern"), "+49 30 123456", "+49 30 123456"),
    (asks("url", format="url"), "https://example.org", "https://example.org"),
    (asks("search", format="nonempty"), "x", "x"),
    (asks("number", min="1", max=10), 5, 5),
    (asks("number", format="integer"), 5.0, 5),
    (asks("number"), 0.1, 0.1),
    (asks("range", {"step": 5}, min="10", max="20"), 15, 15),
    (asks("boolean"), False, False),
    (asks("checkbox", {"label": "Yes"}), True, True),
    (asks("option", ANY, min="1", max="1"), "b", [1]),
    (asks("option", ANY), ["c", 0], [2, 0]),
    (asks("multiselect", ANY, max="2"), [0, 1], [0, 1]),
    (asks("radio", ANY), 2, [2]),
    (asks("date"), "2026-12-24", "2026-12-24"),
    (asks("datetime-local"), "2026-12-24T18:00", "2026-12-24T18:00"),
    (asks("time"), "18:00", "18:00"),
    (asks("month"), "2026-12", "2026-12"),
    (asks("week"), "2026-W52", "2026-W52"),
    (asks("color"), "#FF00aa", "#ff00aa"),
    (asks("file", {"outputFormat": "url"}), "https://e.org/a.pdf", "https://e.org/a.pdf"),
    (asks("file", {"outputFormat": "url"}), ["https://e.org/a"], ["https://e.org/a"]),
    (asks("hidden", {"value": "v"}), None, "v"),
    (asks("text", {"default": "d"}), None, "d"),
    (asks("option", ANY | {"default": "b"}), None, [1]),
]

BREAKS: list[tuple[Form, Any, str]] = [
    (asks("text"), None, "is required"),
    (asks("text"), "", "is required"),
    (asks("text", optional="false"), None, "is required"),
    (asks("text"), 5, "must be text"),
    (asks("text"), "a\nb", "must be one line"),
    (asks("text"), "a\0b", "NUL"),
    (asks("text"), "\ud800", "broken characters"),
    (asks("text", min="2"), "a", "at least 2"),
    (asks("text", max="2"), "😀😀", "at most 2"),
    (asks("text", format="nonempty"), "  ", "must not be empty"),
    (asks("text", format="email"), "ada", "email"),
    (asks("email"), "ada", "email"),
    (asks("url"), "example.org", "absolute URL"),
    (asks("tel", format="tel-pattern"), "call me", "telephone"),
    (asks("number"), "5", "must be a number"),
    (asks("number"), True, "must be a number"),
    (asks("number"), float("inf"), "number"),
    (asks("number", min="1"), 0, "must not be below 1"),
    (asks("number", max="1"), 2, "must not be above 1"),
    (asks("number", format="integer"), 0.5, "whole"),
    (asks("range", {"step": 5}, min="10"), 12, "multiple of 5"),
    (asks("boolean"), "true", "true or false"),
    (asks("boolean"), 1, "true or false"),
    (asks("option", ANY, min="1", max="1"), [0, 1], "must be one choice"),
    (asks("option", ANY, min="2"), [0], "at least 2 choices"),
    (asks("option", ANY), [0, 0], "once"),
    (asks("option", ANY), [3], "no choice at this position"),
    (asks("option", ANY), [-1], "no choice at this position"),
    (asks("option", ANY), [True], "must be one of: a, b, c"),
    (asks("radio", ANY), [0, 1], "must be one choice"),
    (asks("radio", ANY), "d", "must be one of: a, b, c"),
    (asks("date"), "24.12.2026", "YYYY-MM-DD"),
    (asks("date"), "2026-02-30", "YYYY-MM-DD"),
    (asks("date", min="2026-01-01"), "2025-12-31", "must not be below 2026-01-01"),
    (asks("week"), "2026-W54", "YYYY-Www"),
    (asks("color"), "red", "#rrggbb"),
    (asks("file"), "file:///etc/passwd", "URL"),
    (asks("file"), "https://e.org/\x1b[2J", "URL"),
    (asks("file", max="1"), ["https://e.org/a", "https://e.org/b"], "at most 1"),
    (asks("hidden", {"value": "v"}), "w", "cannot be changed"),
    (asks("none"), "text", "takes no value"),
]


@pytest.mark.parametrize(("form", "value", "sent"), FITS)
def test_an_answer_that_fits_is_sent_in_its_wire_form(form: Form, value: Any, sent: Any):
    assert values.answers(form, {"x": value}) == {"x": sent}


@pytest.mark.parametrize(("form", "value", "reason"), BREAKS)
def test_an_answer_that_breaks_a_rule_is_refused_by_name(form: Form, value: Any, reason: str):
    with pytest.raises(FieldsInvalid) as refusal:
        values.answers(form, {"x": value})

    assert list(refusal.value.errors) == ["x"]
    assert reason in str(refusal.value)


@pytest.mark.parametrize("kind", sorted(Type))
def test_an_optional_field_that_is_left_out_stays_out(kind: str):
    data = {"values": ["a"], "value": ""}

    assert values.answers(asks(kind, data, optional="true"), {}) == {}


@pytest.mark.parametrize(
    ("form", "text", "value"),
    [
        (asks("number"), " 5 ", 5),
        (asks("number"), "0.5", 0.5),
        (asks("boolean"), "Yes", True),
        (asks("boolean"), "off", False),
        (asks("radio", ANY), "b", [1]),
        (asks("radio", ANY), "[2]", [2]),
        (asks("option", ANY), "a, c", [0, 2]),
        (asks("option", {"values": ["a, c", "b"]}), "a, c", [0]),
        (asks("file"), "https://e.org/a https://e.org/b", ["https://e.org/a", "https://e.org/b"]),
        (asks("text"), " kept ", " kept "),
        (asks("text"), "", None),
    ],
)
def test_what_people_type_becomes_what_the_wire_wants(form: Form, text: str, value: Any):
    assert values.typed(form.questions[0], text) == value


@pytest.mark.parametrize(
    "schema",
    [
        None,
        {},
        {"input_data": None},
        {"input_data": [], "input_groups": []},
        {"input_data": {}},
        {"input_data": [{"type": "text", "name": "X"}]},
        {"input_data": [{"id": "x", "type": "telepathy", "name": "X"}]},
        {"input_data": [{"id": "x", "type": ["text"], "name": "X"}]},
        {"input_data": [{"id": "x", "type": "option", "name": "X"}]},
        {"input_data": [{"id": "x", "type": "option", "name": "X", "data": {"values": [{}]}}]},
        {"input_data": [{"id": "x", "type": "radio", "name": "X", "data": {"values": ["a", "a"]}}]},
        {"input_data": [{"id": "x", "type": "text", "name": "X"}] * 2},
        {"input_data": [{"id": "x", "type": "text", "name": "X", "validations": "required"}]},
        {"input_data": [{"id": "x" * 2000, "type": "text", "name": "X"}]},
        {"input_data": [{"id": "\ud800", "type": "text", "name": "X"}]},
        {"input_data": [{"id": "x", "type": "text", "name": 7}]},
        {"input_groups": [{"id": "g", "input_data": []}, {"id": "g", "input_data": []}]},
        {"input_data": [{"id": f"x{n}", "type": "text", "name": "X"} for n in range(501)]},
    ],
)
def test_a_schema_that_cannot_be_asked_is_refused(schema: Any):
    with pytest.raises(SchemaUnreadable):
        read_schema(schema)


def test_a_bound_that_contradicts_itself_is_refused():
    with pytest.raises(SchemaUnreadable, match="above its max"):
        asks("text", min="5", max="4")


def test_first_generation_rules_and_lists_are_understood():
    rules = {"optional": True, "min": "2"}
    form = read_schema([{"id": "x", "type": "text", "name": "X", "validations": rules}])

    assert not form.questions[0].required
    with pytest.raises(FieldsInvalid):
        values.answers(form, {"x": "a"})


def test_what_is_missing_is_what_has_no_default():
    form = read_schema(
        {
            "input_data": [
                {"id": "a", "type": "text", "name": "A"},
                {"id": "b", "type": "number", "name": "B", "data": {"default": 5}},
                {"id": "c", "type": "text", "name": "C", "data": {"default": 7}},
                {"id": "d", "type": "hidden", "name": "D", "data": {"value": "v"}},
            ]
        }
    )

    assert [question.id for question in values.missing(form, {})] == ["a", "c"]
    assert [question.id for question in values.missing(form, {"a": "x"})] == ["c"]


# --- properties --------------------------------------------------------------------------------

TEXT = st.text(max_size=8) | st.sampled_from(["1", "0.5", "yes", "2026-01-01", "12:30", "a", "[0]"])
RULES = st.dictionaries(
    st.sampled_from(["min", "max", "optional", "format"]),
    st.sampled_from(["0", "1", "3", 7, "true", "false", True, "integer", "email", "nonempty"]),
)


@st.composite
def schemas(draw: st.DrawFn) -> Any:
    kind = draw(st.sampled_from(sorted(Type)))
    field: dict[str, Any] = {"id": "x", "type": kind, "name": "X"}
    field["data"] = draw(
        st.fixed_dictionaries(
            {"values": st.lists(st.text(min_size=1), min_size=1, max_size=4, unique=True)},
            optional={
                "default": st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
                "step": st.integers(-1, 5) | st.floats(),
                "value": st.text(max_size=3),
            },
        )
    )
    rules = [{"validation": name, "value": value} for name, value in draw(RULES).items()]
    return {"input_data": [field | {"validations": rules}]}


@settings(max_examples=60, deadline=None)
@given(schemas(), st.none() | TEXT)
def test_whatever_is_typed_either_keeps_the_rules_or_is_refused_by_name(schema: Any, text: Any):
    try:
        form = read_schema(schema)
    except SchemaUnreadable:
        return
    try:
        value = None if text is None else values.typed(form.questions[0], text)
        sent = values.answers(form, {} if value is None else {"x": value})
    except FieldsInvalid as refusal:
        named = list(refusal.errors)
    else:
        named = ["x"]
        assert values.answers(form, sent) == sent
    assert named == ["x"]


KODOSUMI = st.sampled_from(
    [
        {"type": "text", "min_length": 1, "max_length": 5},
        {"type": "textarea"},
        {"type": "password"},
        {"type": "email"},
        {"type": "url"},
        {"type": "tel"},
        {"type": "search"},
        {"type": "number", "min_value": 0, "max_value": 9},
        {"type": "number", "step": "any"},
        {"type": "range", "min_value": 0, "max_value": 10, "step": 2},
        {"type": "date"},
        {"type": "time"},
        {"type": "datetime-local"},
        {"type": "month"},
        {"type": "week"},
        {"type": "boolean", "option": "Yes"},
        {"type": "select", "option": [{"name": "s", "label": "S"}, {"name": "l", "label": "L"}]},
        {"type": "radio", "option": [{"name": "1", "label": "0"}, {"name": "0", "label": "1"}]},
        {"type": "color"},
        {"type": "hidden", "value": "v"},
    ]
)


@settings(max_examples=60, deadline=None)
@given(KODOSUMI, st.booleans(), TEXT)
def test_what_the_buyer_sends_to_a_form_of_ours_is_taken_by_it(
    element: dict[str, Any], required: bool, text: str
):
    ours = read_form([{**element, "name": "x", "label": "X", "required": required}])
    served = mip003_schema(ours)
    form = read_schema(served)
    assert form.digest in schema_hashes(served)
    try:
        value = values.typed(form.questions[0], text)
        sent = values.answers(form, {} if value is None else {"x": value})
    except FieldsInvalid:
        return

    if sent != {"x": False}:  # a required box must be checked, which MIP-003 has no rule for
        submitted(ours, sent)
