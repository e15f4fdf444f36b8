from __future__ import annotations

import hashlib
from typing import Any

import pytest
import rfc8785
from mip003_buyers import assert_every_buyer_takes

from masumi_sumi.flows import mip003_schema, read_form, schema_hashes, sumi_schema

OPTIONAL = {"validation": "optional", "value": "true"}


def rule(name: str, value: str) -> dict[str, str]:
    return {"validation": name, "value": value}


CASES: list[tuple[str, Any, dict[str, Any]]] = [
    (
        "a required text may not be empty",
        lambda F: F.InputText("x", "X", required=True, placeholder="p"),
        {
            "type": "text",
            "data": {"placeholder": "p"},
            "validations": [rule("format", "nonempty")],
        },
    ),
    (
        "a display width is no limit",
        lambda F: F.InputText("x", "X", value="v", size=20),
        {"type": "text", "data": {"default": "v"}, "validations": [OPTIONAL]},
    ),
    (
        "an area has its length",
        lambda F: F.InputArea("x", "X", max_length=300, required=True),
        {"type": "textarea", "validations": [rule("max", "300"), rule("format", "nonempty")]},
    ),
    (
        "a password keeps its default to itself",
        lambda F: _password(F, "x", "X", value="secret", min_length=8, max_length=100),
        {"type": "password", "validations": [OPTIONAL, rule("min", "8"), rule("max", "100")]},
    ),
    (
        "a number's default is a JSON number and its bounds are strings",
        lambda F: F.InputNumber("x", "X", value="5", min_value=0, max_value=150.0),
        {
            "type": "number",
            "data": {"default": 5},
            "validations": [
                OPTIONAL,
                rule("min", "0"),
                rule("max", "150"),
                rule("format", "integer"),
            ],
        },
    ),
    (
        "bounds that MIP-003 cannot carry are described",
        lambda F: F.InputNumber("x", "X", value=0.5, min_value=-1, max_value=1.5, step=0.5),
        {
            "type": "number",
            "data": {
                "default": 0.5,
                "description": "At least -1. At most 1.5. In steps of 0.5.",
            },
            "validations": [OPTIONAL],
        },
    ),
    (
        "dates have no bounds in MIP-003 but described ones",
        lambda F: F.InputDate("x", "X", required=True, min_date="2025-12-11"),
        {"type": "date", "data": {"description": "Not before 2025-12-11."}},
    ),
    ("a time", lambda F: F.InputTime("x", "X", required=True), {"type": "time"}),
    (
        "a date and time",
        lambda F: F.InputDateTime("x", "X", value="2025-01-02 03:04:00", required=True),
        {"type": "datetime-local", "data": {"default": "2025-01-02T03:04"}},
    ),
    (
        "a box is described by its option",
        lambda F: F.Checkbox("x", option="I agree", label="X", value=True),
        {
            "type": "boolean",
            "data": {"default": True, "description": "I agree"},
            "validations": [OPTIONAL],
        },
    ),
    (
        "a select offers flat unique labels, exactly one of them",
        lambda F: F.Select(
            "x",
            [
                F.InputOption("", "-- pick"),
                F.InputOption("us", "US"),
                F.InputOption("u2", "US"),
                F.InputOption("de"),
            ],
            label="X",
        ),
        {
            "type": "option",
            "data": {
                "values": ["-- pick", "US", "US (2)", "de"],
                "description": "Default: “-- pick”.",
            },
            "validations": [OPTIONAL, rule("min", "1"), rule("max", "1")],
        },
    ),
    (
        "files come as URLs",
        lambda F: F.InputFiles("x", "X", required=True, multiple=True),
        {"type": "file", "data": {"outputFormat": "url", "description": "At most 100 files."}},
    ),
]

LATER: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"type": "email", "required": True},
        {"type": "email", "validations": [rule("format", "email")]},
    ),
    ({"type": "url"}, {"type": "url", "validations": [OPTIONAL, rule("format", "url")]}),
    ({"type": "tel", "required": True}, {"type": "tel"}),
    (
        {"type": "search", "required": True},
        {"type": "search", "validations": [rule("format", "nonempty")]},
    ),
    ({"type": "month", "required": True}, {"type": "month"}),
    ({"type": "week", "required": True}, {"type": "week"}),
    (
        {"type": "range", "min_value": 0, "max_value": 100, "step": 5, "value": 50},
        {
            "type": "range",
            "data": {"step": 5, "default": 50},
            "validations": [OPTIONAL, rule("min", "0"), rule("max", "100")],
        },
    ),
    (
        {"type": "checkbox", "option": "I agree", "description": "Terms", "required": True},
        {
            "type": "checkbox",
            "data": {
                "label": "I agree",
                "default": False,
                "description": "Terms. Must be checked (true).",
            },
        },
    ),
    (
        {"type": "range", "min_value": 101, "required": True},
        {
            "type": "range",
            "data": {"step": 1, "default": 101},
            "validations": [rule("min", "101"), rule("max", "101")],
        },
    ),
    (
        {"type": "color", "value": "#3498DB"},
        {"type": "color", "data": {"default": "#3498db"}, "validations": [OPTIONAL]},
    ),
    (
        {"type": "hidden", "value": "1.0"},
        {"type": "hidden", "data": {"value": "1.0"}, "validations": [OPTIONAL]},
    ),
    (
        {
            "type": "radio",
            "value": "m",
            "required": True,
            "option": [
                {"type": "option", "name": "m", "label": "Male"},
                {"type": "option", "name": "f", "label": "Female"},
            ],
        },
        {"type": "radio", "data": {"values": ["Male", "Female"], "default": "Male"}},
    ),
    (
        {"type": "file_url", "required": True},
        {"type": "text", "validations": [rule("format", "nonempty")]},
    ),
]


def _password(forms: Any, *args: Any, **kwargs: Any) -> Any:
    return forms.InputPassword(*args, **kwargs)


@pytest.mark.parametrize(("element", "asked"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_each_kodosumi_element_is_asked_as_mip003_words_it(model, element, asked):
    schema = mip003_schema(model(lambda F: [element(F)]))

    assert_every_buyer_takes(schema)
    assert schema == {"input_data": [{"id": "x", "name": "X", **asked}]}


@pytest.mark.parametrize(("element", "asked"), LATER, ids=[e["type"] for e, _ in LATER])
def test_each_later_element_is_asked_as_mip003_words_it(element, asked):
    schema = mip003_schema(read_form([{"name": "x", "label": "X", **element}]))

    assert_every_buyer_takes(schema)
    assert schema == {"input_data": [{"id": "x", "name": "X", **asked}]}


def test_an_empty_form_asks_nothing(model):
    assert mip003_schema(read_form([])) == {"input_data": []}
    assert sumi_schema(read_form([])) == {"input_data": [], "input_groups": None}
    assert mip003_schema(model(lambda F: [F.Submit("Go"), F.Cancel("No"), F.Errors()])) == {
        "input_data": []
    }


def test_texts_between_the_fields_are_notes_and_lines_are_nothing(model):
    form = model(
        lambda F: [
            F.Markdown("# Welcome\n\nFill in."),
            F.HR(),
            F.Break(),
            F.InputText("note_1"),
            F.HTML("<p>Two <b>words</b></p><script>x()</script>"),
            F.Markdown("   "),
        ]
    )

    schema = mip003_schema(form)

    assert_every_buyer_takes(schema)
    notes = [field for field in schema["input_data"] if field["type"] == "none"]
    assert notes == [
        {
            "id": "note_2",
            "type": "none",
            "name": "Welcome",
            "data": {"description": "# Welcome\n\nFill in."},
        },
        {"id": "note_3", "type": "none", "name": "Two words", "data": {"description": "Two words"}},
    ]


def test_a_field_without_a_label_is_called_by_its_name(model):
    (field,) = mip003_schema(model(lambda F: [F.InputText("city")]))["input_data"]

    assert (field["id"], field["name"]) == ("city", "city")


def test_buttons_of_one_name_are_one_choice_that_must_be_made(model):
    form = model(
        lambda F: [
            F.Action("verdict", "yes", text="Approve"),
            F.Action("verdict", "no", text="Reject"),
        ]
    )

    (field,) = mip003_schema(form)["input_data"]

    assert field == {
        "id": "verdict",
        "name": "verdict",
        "type": "option",
        "data": {"values": ["Approve", "Reject"]},
        "validations": [rule("min", "1"), rule("max", "1")],
    }


def test_buttons_beside_a_submit_are_optional(model):
    form = model(lambda F: [F.Action("draft", "1", text="Save draft"), F.Submit("Send")])

    (field,) = mip003_schema(form)["input_data"]

    assert field["name"] == "Save draft"
    assert OPTIONAL in field["validations"]


def test_of_two_elements_with_one_name_the_first_counts(model):
    form = model(lambda F: [F.InputText("x", "First"), F.InputNumber("x", "Second")])

    assert [field["name"] for field in mip003_schema(form)["input_data"]] == ["First"]


def test_fields_that_no_buyer_could_fill_are_left_out():
    form = read_form(
        [
            {"type": "select", "name": "none", "option": []},
            {"type": "hidden", "name": "empty", "value": ""},
            {"type": "text", "name": None},
        ]
    )

    assert mip003_schema(form) == {"input_data": []}


# --- the notebook's dialect --------------------------------------------------------------------


def test_the_prime_form_looks_as_in_the_notebook(model):
    form = model(
        lambda F: [
            F.Markdown("# Prime"),
            F.InputText("start", "Start", value="0"),
            F.InputText("end", "End", value="10000000"),
            F.InputText("tasks", "Tasks", value="200"),
            F.Submit("Go"),
        ]
    )

    def text(name: str, label: str, default: str) -> dict[str, Any]:
        return {
            "data": {"default": default},
            "id": name,
            "name": label,
            "type": "text",
            "validations": {"optional": True},
        }

    assert sumi_schema(form) == {
        "input_data": [
            text("start", "Start", "0"),
            text("end", "End", "10000000"),
            text("tasks", "Tasks", "200"),
        ],
        "input_groups": None,
    }


def test_the_two_stage_form_looks_as_in_the_notebook(model):
    form = model(
        lambda F: [
            F.InputText("name", "Name", placeholder="Enter your name"),
            F.InputDate("date", "Date", required=True, min_date="2025-12-11"),
        ]
    )

    assert sumi_schema(form)["input_data"] == [
        {
            "data": {"placeholder": "Enter your name"},
            "id": "name",
            "name": "Name",
            "type": "text",
            "validations": {"optional": True},
        },
        {
            "data": None,
            "id": "date",
            "name": "Date",
            "type": "date",
            "validations": {"min": "2025-12-11"},
        },
    ]


def test_the_lock_form_looks_as_in_the_notebook(model):
    form = model(
        lambda F: [
            F.InputText("greeting", "Your Greeting", required=True, placeholder="Say hello..."),
            F.Submit("Say"),
        ]
    )

    assert sumi_schema(form)["input_data"] == [
        {
            "data": {"placeholder": "Say hello..."},
            "id": "greeting",
            "name": "Your Greeting",
            "type": "text",
            "validations": None,
        }
    ]


def test_the_text_inputs_form_looks_as_in_the_notebook(model):
    later = [
        {"type": "email", "name": "email", "label": "Email Address", "required": True},
        {"type": "url", "name": "website", "label": "Website URL"},
    ]
    mail, url = sumi_schema(read_form(later))["input_data"]
    name, password = sumi_schema(
        model(
            lambda F: [
                F.InputText("username", "Username", required=True, size=20),
                _password(F, "password", "Password", required=True, min_length=8, max_length=100),
            ]
        )
    )["input_data"]

    assert name["validations"] == {"max": "20"}
    assert password["validations"] == {"min": "8", "max": "100"}
    assert mail["validations"] == {"format": "email"}
    assert url["validations"] == {"optional": True, "format": "url"}


# --- hashes ------------------------------------------------------------------------------------


def _hash(value: Any) -> str:
    return hashlib.sha256(rfc8785.dumps(value)).hexdigest()


def test_all_forms_in_which_buyers_hash_a_schema_are_known():
    rules = [OPTIONAL, rule("min", "1"), rule("max", "20")]
    field = {"id": "x", "type": "text", "name": "X", "validations": rules}
    coerced = field | {
        "validations": [
            OPTIONAL,
            *({"validation": n, "value": v} for n, v in (("min", 1), ("max", 20))),
        ]
    }

    assert schema_hashes({"input_data": [field]}) == {
        _hash({"input_data": [field]}),
        _hash({"input_data": [coerced]}),
        _hash([field]),
        _hash([coerced]),
    }


def test_a_schema_without_bounds_has_two_hashes():
    schema = {"input_data": [{"id": "x", "type": "text", "name": "X"}]}

    assert schema_hashes(schema) == {_hash(schema), _hash(schema["input_data"])}


def test_a_default_that_looks_like_a_bound_is_not_coerced():
    schema = {"input_data": [{"id": "x", "type": "text", "name": "X", "data": {"default": "5"}}]}

    assert len(schema_hashes(schema)) == 2
