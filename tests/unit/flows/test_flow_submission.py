from __future__ import annotations

import math
import time
from typing import Any

import pytest

from masumi_sumi.errors import BodyUnreadable, FieldsInvalid
from masumi_sumi.flows import Form, read_form, submitted
from masumi_sumi.flows.rules import MATCH_SECONDS


def form_of(**element: Any) -> Form:
    return read_form([{"name": "x", **element}])


def posts(form: Form, value: Any) -> Any:
    return submitted(form, {"x": value}).get("x")


def refusal(form: Form, value: Any) -> list[str]:
    with pytest.raises(FieldsInvalid) as refused:
        submitted(form, {"x": value})
    assert list(refused.value.fields) == ["x"]
    return list(refused.value.fields["x"])


def options(*pairs: tuple[str, str]) -> list[dict[str, Any]]:
    return [
        {"type": "option", "name": name, "label": label, "value": False} for name, label in pairs
    ]


COLORS = options(("r", "Red"), ("g", "Green"), ("b", "Blue"))

TAKEN = [
    ({"type": "text"}, "hello", "hello"),
    ({"type": "text"}, 5, "5"),
    ({"type": "text"}, 5.0, "5"),
    ({"type": "text"}, 0.5, "0.5"),
    ({"type": "text"}, "", ""),
    ({"type": "text", "size": 3}, "longer than the box", "longer than the box"),
    ({"type": "text", "pattern": "[a-z]+"}, "abc", "abc"),
    ({"type": "text", "pattern": "a|bc"}, "bc", "bc"),
    ({"type": "text", "pattern": "[a-z]+"}, "", ""),
    ({"type": "text", "pattern": r"\p{L}("}, "browsers ignore what they cannot read", ...),
    ({"type": "textarea"}, "two\nlines", "two\nlines"),
    ({"type": "textarea", "max_length": 4}, "😀😀", "😀😀"),
    ({"type": "password", "min_length": 3}, "abc", "abc"),
    ({"type": "number"}, "7", "7"),
    ({"type": "number"}, 5.0, "5"),
    ({"type": "number"}, 1e21, "1e+21"),
    ({"type": "number"}, 2**60, "1152921504606846976"),
    ({"type": "number"}, "", ""),
    ({"type": "number", "step": 0.1}, 0.3, "0.3"),
    ({"type": "number", "step": "any"}, 0.123, "0.123"),
    ({"type": "number", "min_value": 0.5}, 1.5, "1.5"),
    ({"type": "number", "min_value": -3, "max_value": 3}, -3, "-3"),
    ({"type": "range"}, 70, "70"),
    ({"type": "range", "value": 70, "step": 10}, "", "70"),
    ({"type": "date", "min_date": "2025-01-01"}, "2025-01-01", "2025-01-01"),
    ({"type": "time"}, "09:30", "09:30"),
    ({"type": "time"}, "09:30:00", "09:30"),
    ({"type": "time", "step": 1}, "09:30:15", "09:30:15"),
    ({"type": "time", "min_time": "22:00", "max_time": "06:00"}, "23:30", "23:30"),
    ({"type": "datetime-local"}, "2025-01-02 03:04", "2025-01-02T03:04"),
    ({"type": "datetime-local", "step": 0.5}, "2025-01-02T03:04:05.500", "2025-01-02T03:04:05.5"),
    ({"type": "datetime-local", "step": 5 * 86400}, "1970-01-06T00:00", "1970-01-06T00:00"),
    ({"type": "month", "max_month": "2024-12"}, "2024-12", "2024-12"),
    ({"type": "week"}, "2026-W53", "2026-W53"),
    ({"type": "email"}, "user@example.com", "user@example.com"),
    ({"type": "url"}, "https://example.com/a?b#c", "https://example.com/a?b#c"),
    ({"type": "tel"}, "+1 (555) 123-4567", "+1 (555) 123-4567"),
    ({"type": "search"}, "q", "q"),
    ({"type": "color"}, "#AABBCC", "#aabbcc"),
    ({"type": "color"}, "", "#000000"),
    ({"type": "hidden", "value": "1"}, "1", "1"),
    ({"type": "hidden", "value": "1"}, 1, "1"),
    ({"type": "boolean"}, True, "on"),
    ({"type": "boolean"}, "on", "on"),
    ({"type": "boolean"}, "true", "on"),
    ({"type": "boolean", "value": True}, False, None),
    ({"type": "boolean", "value": True}, "false", None),
    ({"type": "checkbox"}, True, "on"),
    ({"type": "checkbox", "value": True}, False, None),
    ({"type": "select", "option": COLORS}, [1], "g"),
    ({"type": "select", "option": COLORS}, 2, "b"),
    ({"type": "select", "option": COLORS}, 2.0, "b"),
    ({"type": "select", "option": COLORS}, ["Green"], "g"),
    ({"type": "select", "option": COLORS}, "Green", "g"),
    ({"type": "select", "option": COLORS}, "g", "g"),
    ({"type": "select", "option": COLORS, "value": "b"}, [], "b"),
    ({"type": "select", "option": COLORS}, "", "r"),
    ({"type": "radio", "option": COLORS}, [0], "r"),
    ({"type": "radio", "option": COLORS}, [], None),
    ({"type": "select", "option": options(("", "None"), ("a", "A"))}, "", ""),
    ({"type": "select", "option": options(("10", "0"), ("20", "10"))}, "10", "20"),
    ({"type": "select", "option": options(("3", "three"), ("1", "one"))}, 1, "1"),
    ({"type": "select", "option": options(("3", "three"), ("1", "one"))}, "1", "1"),
    ({"type": "select", "option": options(("a", "Same"), ("b", "Same"))}, "Same (2)", "b"),
]


@pytest.mark.parametrize(("element", "value", "posted"), TAKEN)
def test_an_answer_is_posted_as_a_browser_posts_it(element, value, posted):
    assert posts(form_of(**element), value) == (value if posted is ... else posted)


NEITHER = "must be a choice by its position or its label"
REFUSED = [
    ({"type": "text"}, True, "must be text"),
    ({"type": "text"}, {"a": 1}, "must be text"),
    ({"type": "text"}, ["a"], "must be text"),
    ({"type": "text"}, math.nan, "must be a finite number"),
    ({"type": "text"}, 10**400, "must be a finite number"),
    ({"type": "text"}, "a\nb", "must be one line"),
    ({"type": "text"}, "a\0b", "must not contain NUL or broken characters"),
    ({"type": "textarea"}, "\udfff", "must not contain NUL or broken characters"),
    ({"type": "textarea"}, "\ud800", "must not contain NUL or broken characters"),
    ({"type": "text", "pattern": "a|bc"}, "abc", "must match the pattern a|bc"),
    ({"type": "text", "pattern": r"\w+"}, "müller", r"must match the pattern \w+"),
    ({"type": "text", "required": True}, "", "is required"),
    ({"type": "textarea", "max_length": 3}, "😀😀", "must have at most 3 characters"),
    ({"type": "password", "min_length": 8}, "short", "must have at least 8 characters"),
    ({"type": "number"}, "seven", "must be a number"),
    ({"type": "number"}, "+5", "must be a number"),
    ({"type": "number"}, "٣", "must be a number"),
    ({"type": "number"}, "1e999999999", "must be a number"),
    ({"type": "number"}, False, "must be a number"),
    ({"type": "number"}, math.inf, "must be a finite number"),
    ({"type": "number"}, 0.5, "must be a whole number"),
    ({"type": "number", "min_value": 0}, -1, "must not be below 0"),
    ({"type": "number", "max_value": 2.5, "step": 0.5}, 3, "must not be above 2.5"),
    ({"type": "number", "min_value": 1, "step": 2}, 4, "must be 1 plus a multiple of 2"),
    ({"type": "range"}, 101, "must not be above 100"),
    ({"type": "date"}, "2025-02-30", "must be a date as YYYY-MM-DD"),
    ({"type": "date"}, "20250101", "must be a date as YYYY-MM-DD"),
    ({"type": "date"}, 20250101, "must be text"),
    ({"type": "date", "min_date": "2025-12-11"}, "2025-12-10", "must not be below 2025-12-11"),
    ({"type": "time"}, "24:00", "must be a time as HH:MM"),
    ({"type": "time"}, "09:30:15", "must be in steps of 60 seconds"),
    ({"type": "datetime-local"}, "2025-01-02T03:04:05", "must be in steps of 60 seconds"),
    (
        {"type": "datetime-local", "step": 5 * 86400},
        "1970-01-03T00:00",
        "must be in steps of 432000 seconds",
    ),
    ({"type": "boolean", "required": True}, False, "is required"),
    ({"type": "time", "max_time": "17:00"}, "17:01", "must not be above 17:00"),
    ({"type": "datetime-local"}, "2025-01-02T03:04Z", ...),
    ({"type": "datetime-local"}, "2025-01-02", ...),
    ({"type": "month"}, "2025-13", "must be a month as YYYY-MM"),
    ({"type": "month", "min_month": "2024-01"}, "2023-12", "must not be below 2024-01"),
    ({"type": "week"}, "2025-W53", "must be a week as YYYY-Www"),
    ({"type": "email"}, "user@", "must be an email address"),
    ({"type": "url"}, "example.com", "must be an absolute URL"),
    ({"type": "url"}, "https://", "must be an absolute URL"),
    ({"type": "url"}, "http://[", "must be an absolute URL"),
    ({"type": "color"}, "red", "must be a color as #rrggbb"),
    ({"type": "boolean"}, 1, "must be true or false"),
    ({"type": "boolean"}, "yes", "must be true or false"),
    ({"type": "checkbox"}, [0], "must be true or false"),
    ({"type": "checkbox", "required": True}, False, "is required"),
    ({"type": "hidden", "value": "1"}, "2", "must be left as the schema has it"),
    ({"type": "hidden", "value": "1"}, "", "must be left as the schema has it"),
    ({"type": "hidden", "value": "1"}, True, "must be text"),
    ({"type": "hidden"}, "1", "unknown field"),
    ({"type": "hidden"}, "", "unknown field"),
    ({"type": "select", "option": COLORS}, [3], "has no choice at this position: 0 to 2"),
    ({"type": "select", "option": COLORS}, -1, "has no choice at this position: 0 to 2"),
    ({"type": "select", "option": COLORS}, [True], NEITHER),
    ({"type": "select", "option": COLORS}, 0.5, NEITHER),
    (
        {"type": "select", "option": COLORS},
        {"a": 1},
        NEITHER,
    ),
    ({"type": "select", "option": COLORS}, [0, 1], "must be one choice"),
    ({"type": "select", "option": COLORS}, "Pink", "must be one of: Red, Green, Blue"),
    ({"type": "select", "option": COLORS}, "0", "must be one of: Red, Green, Blue"),
    ({"type": "select", "option": COLORS}, ["a\0"], "must be one of: Red, Green, Blue"),
    ({"type": "radio", "option": COLORS, "required": True}, [], "is required"),
]


@pytest.mark.parametrize(("element", "value", "reason"), REFUSED)
def test_an_answer_against_the_form_is_refused_by_name(element, value, reason):
    wanted = "must be a date and time as YYYY-MM-DDTHH:MM" if reason is ... else reason
    assert refusal(form_of(**element), value) == [wanted]


UNTOUCHED = [
    ({"type": "text"}, ""),
    ({"type": "text", "value": "10000000"}, "10000000"),
    ({"type": "text", "value": 0}, "0"),
    ({"type": "textarea"}, ""),
    ({"type": "number"}, ""),
    ({"type": "number", "value": "abc"}, ""),
    ({"type": "number", "value": 0.5}, "0.5"),
    ({"type": "range"}, "50"),
    ({"type": "range", "min_value": 0, "max_value": 10, "step": 4}, "4"),
    ({"type": "range", "value": 500}, "100"),
    ({"type": "date", "value": "soon"}, ""),
    ({"type": "datetime-local", "value": "2025-01-02 03:04:00"}, "2025-01-02T03:04"),
    ({"type": "boolean"}, None),
    ({"type": "boolean", "value": True}, "on"),
    ({"type": "checkbox"}, None),
    ({"type": "checkbox", "value": True}, "on"),
    ({"type": "select", "option": COLORS}, "r"),
    ({"type": "select", "option": COLORS, "value": "g"}, "g"),
    ({"type": "select", "option": COLORS, "value": "gone"}, "r"),
    ({"type": "select", "option": [*COLORS[:2], {**COLORS[2], "value": True}]}, "r"),
    ({"type": "select", "option": []}, None),
    ({"type": "radio", "option": COLORS}, None),
    ({"type": "radio", "option": COLORS, "value": "g"}, "g"),
    ({"type": "color"}, "#000000"),
    ({"type": "hidden", "value": "web"}, "web"),
    ({"type": "hidden", "value": ""}, ""),
    ({"type": "file"}, ""),
]


@pytest.mark.parametrize(("element", "posted"), UNTOUCHED)
def test_an_untouched_field_is_posted_as_a_browser_posts_it(element, posted):
    form = form_of(**element)

    assert submitted(form, {}).get("x") == posted
    assert submitted(form, None).get("x") == posted
    asked = any(field.served for field in form.fields)
    assert submitted(form, {"x": None} if asked else {}).get("x") == posted


def test_the_notebooks_prime_flow_starts_with_its_defaults(model):
    form = model(
        lambda F: [
            F.InputText("start", value="0"),
            F.InputText("end", value="10000000"),
            F.InputText("tasks", value="200"),
        ]
    )

    assert submitted(form, {"tasks": 10}) == {"start": "0", "end": "10000000", "tasks": "10"}


def test_the_panel_and_a_buyer_give_the_handler_the_same(model, kodosumi_forms):
    form = model(
        lambda F: [
            F.InputText("name"),
            F.Checkbox("agree"),
            F.Checkbox("news", value=True),
            F.Select("lang", [F.InputOption("en", "English"), F.InputOption("de", "German")]),
            F.InputFiles("doc"),
            F.Submit("Go"),
        ]
    )

    posted = submitted(form, {"agree": True, "lang": [1]})

    assert posted == {"name": "", "agree": "on", "news": "on", "lang": "de", "doc": ""}
    assert kodosumi_forms.Checkbox("agree").parse_value(posted["agree"]) is True


def test_every_reason_of_every_field_is_told_at_once():
    form = read_form(
        [
            {"type": "text", "name": "a", "required": True},
            {"type": "password", "name": "b", "min_length": 8, "pattern": "[0-9]+"},
            {"type": "number", "name": "c", "max_value": 1, "step": 1},
        ]
    )

    with pytest.raises(FieldsInvalid) as refused:
        submitted(form, {"b": "abc", "c": 1.5, "d": 1})

    assert refused.value.fields == {
        "d": ["unknown field"],
        "a": ["is required"],
        "b": ["must have at least 8 characters", "must match the pattern [0-9]+"],
        "c": ["must not be above 1", "must be a whole number"],
    }


def test_required_fields_can_be_left_to_the_authors_validation():
    form = read_form(
        [
            {"type": "text", "name": "a", "required": True},
            {"type": "radio", "name": "r", "required": True, "option": COLORS},
            {"type": "action", "name": "go", "value": "1", "text": "One"},
            {"type": "action", "name": "go", "value": "2", "text": "Two"},
        ]
    )

    assert submitted(form, {}, required=False) == {"a": ""}
    with pytest.raises(FieldsInvalid, match="position"):
        submitted(form, {"go": 7}, required=False)


def test_a_list_of_keys_and_values_is_read_too():
    form = form_of(type="text")

    assert submitted(form, [{"key": "x", "value": 5}]) == {"x": "5"}
    with pytest.raises(FieldsInvalid, match="sent twice"):
        submitted(form, [{"key": "x", "value": 5}, {"key": "x", "value": 6}])


def test_a_text_is_the_answer_where_there_is_one_thing_to_say():
    form = read_form(
        [
            {"type": "markdown", "text": "# Say something"},
            {"type": "text", "name": "said"},
            {"type": "hidden", "name": "version", "value": "2"},
            {"type": "action", "name": "go", "value": "now"},
        ]
    )

    assert submitted(form, "x=1") == {"said": "x=1", "version": "2", "go": "now"}


@pytest.mark.parametrize(("names", "told"), [(["a", "b"], "the fields a, b"), ([], "no field")])
def test_a_text_for_another_number_of_fields_is_refused_with_their_names(names, told):
    form = read_form([{"type": "text", "name": name} for name in names])

    with pytest.raises(BodyUnreadable, match=f"input_data: must be an object: .* {told}$"):
        submitted(form, "x=1")


@pytest.mark.parametrize("data", [5, True, [1], [{"value": 1}], [{"key": 1}]])
def test_other_bodies_are_unreadable(data):
    with pytest.raises(BodyUnreadable):
        submitted(form_of(type="text"), data)


def test_a_key_that_cannot_travel_is_named_so_that_it_can():
    with pytest.raises(FieldsInvalid) as refused:
        submitted(read_form([]), {"a\ud800\0" + "b" * 1000: 1})

    (name,) = refused.value.fields
    assert name.startswith("a??b")
    assert len(name) == 100


def test_a_text_for_a_note_is_overlooked():
    form = read_form([{"type": "markdown", "text": "Hello"}])

    for text in (None, "", "read"):
        assert submitted(form, {"note_1": text}) == {}
    with pytest.raises(FieldsInvalid, match="takes no value"):
        submitted(form, {"note_1": ["x"]})


# --- buttons -----------------------------------------------------------------------------------


def buttons(*pressable: tuple[str | None, str, str], submit: bool = False) -> Form:
    actions = [{"type": "action", "name": n, "value": v, "text": t} for n, v, t in pressable]
    return read_form([*actions, *([{"type": "submit", "text": "Go"}] if submit else [])])


def test_a_verdict_must_be_told():
    form = buttons(("verdict", "yes", "Approve"), ("verdict", "no", "Reject"))

    assert submitted(form, {"verdict": "Reject"}) == {"verdict": "no"}
    assert submitted(form, {"verdict": [0]}) == {"verdict": "yes"}
    with pytest.raises(FieldsInvalid, match="is required"):
        submitted(form, {})


def test_the_only_button_is_pressed_by_sending_the_form():
    assert submitted(buttons(("go", "1", "Go")), {}) == {"go": "1"}


def test_a_button_beside_a_submit_is_not_pressed_by_itself():
    assert submitted(buttons(("draft", "1", "Save"), submit=True), {}) == {}
    assert submitted(buttons(("draft", "1", "Save"), (None, "", "Send")), {}) == {}
    assert submitted(buttons(("draft", "1", "Save"), submit=True), {"draft": 0}) == {"draft": "1"}


def test_exactly_one_of_several_buttons_is_pressed():
    form = buttons(("yes", "1", "Yes"), ("no", "1", "No"))

    assert submitted(form, {"no": [0]}) == {"no": "1"}
    with pytest.raises(FieldsInvalid, match="only one button"):
        submitted(form, {"no": 0, "yes": 0})
    with pytest.raises(FieldsInvalid, match="one button must be pressed"):
        submitted(form, {})


# --- patterns ----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["a" * 60 + "!", "a" * 60_000])
def test_a_pattern_that_takes_too_long_is_a_no_in_time(text):
    form = form_of(type="text", pattern="(a|aa)+")
    begun = time.process_time()

    assert refusal(form, text) == ["must match the pattern (a|aa)+"]
    assert time.process_time() - begun < 10 * MATCH_SECONDS
