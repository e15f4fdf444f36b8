"""A schema becomes a form again, and the form asks the same; strangers' words stay words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kodosumi.service.inputs import forms as F

from masumi_sumi import forms
from masumi_sumi.errors import FieldsInvalid
from masumi_sumi.flows import Form, mip003_schema, read_form, submitted
from masumi_sumi.flows.questions import SchemaUnreadable


def again(schema: Any) -> dict[str, Any]:
    """The schema of the form of a schema, as it comes over HTTP."""
    return mip003_schema(form_of(schema))


def form_of(schema: Any) -> Form:
    return read_form(json.loads(json.dumps(forms.from_schema(schema).get_model())))


def rules(**named: str) -> list[dict[str, str]]:
    return [{"validation": name, "value": value} for name, value in named.items()]


OPTIONAL = rules(optional="true")
TYPED = {"default": "d", "placeholder": "p", "description": "About"}
TEXT = {"data": TYPED, "validations": rules(optional="true", min="1", max="9")}
REQUIRED_RULES = {"validations": rules(format="nonempty")}
REQUIRED = {"data": {"description": "About"}, **REQUIRED_RULES}

CHECKED = "Must be checked (true)."
MUST = f"About. {CHECKED}"
WHOLE = {"validations": rules(format="integer")}
MOMENT = "2026-01-02T03:04"
LETTERS = "Matches the pattern “[a-z]”.” from start to end."

OURS: dict[str, list[dict[str, Any]]] = {
    "text": [
        TEXT,
        REQUIRED,
        {"data": {"description": f"See “b”. {LETTERS}"}, **REQUIRED_RULES},
    ],
    "textarea": [TEXT, REQUIRED],
    "search": [TEXT, REQUIRED],
    "tel": [TEXT, {"data": {"placeholder": "p"}}],
    "email": [{"data": TYPED, "validations": rules(min="3", format="email")}],
    "url": [{"data": TYPED, "validations": rules(optional="true", max="99", format="url")}],
    "password": [
        {"data": {"placeholder": "p", "description": "About"}, "validations": rules(min="8")}
    ],
    "number": [
        {"data": {**TYPED, "default": 5}, "validations": rules(min="0", format="integer")},
        {
            "data": {"default": 0.5, "description": "About. At least -3."},
            "validations": rules(format="integer"),
        },
        {"data": {"default": 0.25}, "validations": rules(optional="true", max="7")},
        {"data": {"description": "At least -1.5. At most 1e+30. In steps of 0.5."}},
        {"data": {"default": 3, "description": "In steps of 5 from 3."}, **WHOLE},
        {"data": {"description": "In steps of 5."}, **WHOLE},
    ],
    "boolean": [
        {
            "data": {
                "default": True,
                "placeholder": "p",
                "description": "on. Must be checked (true).",
            }
        },
        {"data": {"default": False, "description": "I <agree>"}, "validations": OPTIONAL},
    ],
    "checkbox": [
        {"data": {"label": "I agree", "default": True, "description": MUST}},
        {"data": {"label": "on", "default": False}, "validations": OPTIONAL},
    ],
    "option": [
        {
            "data": {
                "values": ["A", "B & <b>"],
                "placeholder": "p",
                "description": "About! Default: “B & <b>”.",
            },
            "validations": rules(optional="true", min="1", max="1"),
        },
        {
            "data": {"values": ["A", "B, C", "D"], "description": "Default: “B, C”, “D”."},
            "validations": rules(min="0", max="2"),
        },
        {"data": {"values": ["1"]}, "validations": rules(min="1", max="1")},
        {
            "data": {"values": ["A", "B & <b>", "C"], "placeholder": "p", "description": "About"},
            "validations": rules(min="2", max="3"),
        },
        {"data": {"values": ["A"]}, "validations": rules(optional="true", min="0", max="1")},
    ],
    "radio": [{"data": {"values": ["A", "B"], "default": "B", "description": "About"}}],
    "date": [
        {"data": {**TYPED, "default": "2026-01-02"}},
        {"data": {"description": "Not before 2026-01-02. Not after 2026-02-03."}},
    ],
    "datetime-local": [
        {"data": {**TYPED, "default": "2026-01-02T03:04"}},
        {"data": {"description": f"Not before {MOMENT}. In steps of 3600 seconds from {MOMENT}."}},
    ],
    "time": [
        {"data": {**TYPED, "default": "03:04"}, "validations": OPTIONAL},
        {"data": {"description": "From 22:00 over midnight to 06:00. In steps of 900 seconds."}},
    ],
    "month": [
        {"data": {**TYPED, "default": "2026-01"}},
        {"data": {"description": "Not after 2026-01."}},
    ],
    "week": [
        {"data": {**TYPED, "default": "2026-W01"}},
        {"data": {"description": "Not before 2026-W01."}},
    ],
    "color": [{"data": {"default": "#00ff00", "description": "About"}}],
    "range": [
        {"data": {"step": 5, "default": 50}, "validations": rules(min="0", max="100")},
        {
            "data": {
                "step": 0.25,
                "default": 2.4,
                "description": "About. At least -0.1. In steps of 0.25 from -0.1.",
            },
            "validations": rules(max="3"),
        },
        {"data": {"default": 0.1, "description": "At most 0.5."}, "validations": rules(min="0")},
    ],
    "file": [
        {
            "data": {"outputFormat": "url", "description": "About. At most 100 files."},
            "validations": rules(optional="true", accept=".pdf,image/*"),
        },
        {"data": {"outputFormat": "url", "description": "One file."}},
    ],
    "hidden": [{"data": {"value": "v1"}, "validations": OPTIONAL}],
    "none": [{"data": {"description": "Mind the <gap>."}}],
}
EACH = [(kind, facts) for kind, several in OURS.items() for facts in several]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("number", "At least 5."),
        ("number", "In steps of 1."),
        ("text", "At most -3."),
        ("text", "Matches the pattern “(” from start to end."),
        ("date", "Not before noon. Not before 2026-02-30."),
        ("tel", "Must be checked (true)."),
        ("email", "About Matches the pattern “[a-z]*” from start to end."),
    ],
)
def test_an_author_s_own_words_stay_words(kind: str, words: str) -> None:
    rule = {"number": rules(format="integer"), "email": rules(format="email")}.get(kind, [])
    field = {"id": "x", "type": kind, "name": "X", "data": {"description": words}}
    schema = {"input_data": [field | {"validations": rules(optional="true") + rule}]}

    assert again(schema) == schema


@pytest.mark.parametrize(("kind", "facts"), EACH)
def test_each_type_comes_back_as_it_was(kind: str, facts: dict[str, Any]) -> None:
    schema = {"input_data": [{"id": "x", "type": kind, "name": "X", **facts}]}

    assert again(schema) == schema


def test_all_types_of_mip003_are_there() -> None:
    assert len(OURS) == 22


ABROAD: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"type": "string"}, {"type": "text", "validations": rules(format="nonempty")}),
    (
        {"type": "text", "validations": rules(format="email")},
        {"type": "email", "validations": rules(format="email")},
    ),
    (
        {"type": "multiselect", "data": {"values": ["A"]}, "validations": rules(min="0")},
        {
            "type": "option",
            "data": {"values": ["A"]},
            "validations": rules(min="0", max="1"),
        },
    ),
    (
        {"type": "text", "validations": {"optional": True, "max": 5}},
        {"type": "text", "validations": rules(optional="true", max="5")},
    ),
    ({"type": "none"}, {"type": "none", "data": {"description": "X"}}),
    (
        {"type": "date", "validations": rules(min="2026-01-01")},
        {"type": "date", "data": {"description": "Not before 2026-01-01."}},
    ),
    (
        {"type": "boolean", "data": {"description": f"Agree? {CHECKED} Thanks"}},
        {
            "type": "boolean",
            "data": {"default": False, "description": f"Agree? {CHECKED} Thanks"},
        },
    ),
    (
        {"type": "boolean", "data": {"description": "I agree"}},
        {"type": "boolean", "data": {"default": False, "description": f"I agree. {CHECKED}"}},
    ),
    (
        {"type": "range", "data": {"default": 0.1}, "validations": rules(max="3")},
        {
            "type": "range",
            "data": {"default": 0.1, "description": "At least -1."},
            "validations": rules(max="3"),
        },
    ),
    (
        {"type": "option", "data": {"values": ["A", "B"]}, "validations": rules(max="1")},
        {
            "type": "option",
            "data": {"values": ["A", "B"]},
            "validations": rules(min="1", max="1"),
        },
    ),
    (
        {"type": "number", "data": {"step": 0.5}},
        {"type": "number", "data": {"description": "In steps of 0.5."}},
    ),
    ({"type": "date", "data": {"step": 2}}, {"type": "date"}),
]


@pytest.mark.parametrize(("theirs", "ours"), ABROAD)
def test_another_agent_s_words_become_ours(theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    about = {"id": "x", "name": "X"}

    assert again([{**about, **theirs}]) == {"input_data": [{**about, **ours}]}


def test_groups_are_asked_one_after_the_other() -> None:
    group = {"id": "g", "title": "G", "input_data": [{"id": "x", "type": "tel", "name": "X"}]}
    other = {"id": "h", "title": "H", "input_data": [{"id": "y", "type": "tel", "name": "Y"}]}

    asked = again({"input_groups": [group, other]})["input_data"]

    assert [field["id"] for field in asked] == ["x", "y"]


@pytest.mark.parametrize(
    "field",
    [
        {"id": "x", "type": "of another world"},
        {"id": "x", "type": "option", "data": {"values": ["A", "y"]}},
    ],
)
def test_what_no_form_can_ask_is_refused(field: dict[str, Any]) -> None:
    with pytest.raises(SchemaUnreadable):
        forms.from_schema([field, {"id": "x.y", "type": "text"}])


def test_several_choices_of_a_schema_are_taken_and_start_as_it_says() -> None:
    data = {"values": ["A", "B", "C"], "default": ["C"]}
    form = form_of([{"id": "x", "type": "option", "data": data, "validations": rules(max="2")}])

    assert submitted(form, {}) == {"x.C": "on"}
    assert submitted(form, {"x": [0, "B"]}) == {"x.A": "on", "x.B": "on"}
    with pytest.raises(FieldsInvalid):
        submitted(form, {"x": [0, 1, 2]})


def test_the_bounds_of_another_agent_s_dates_hold() -> None:
    bound = rules(min="2026-01-02")
    form = form_of([{"id": "x", "type": "date", "name": "X", "validations": bound}])

    with pytest.raises(Exception, match="must not be below 2026-01-02"):
        submitted(form, {"x": "2026-01-01"})


@pytest.mark.parametrize(
    ("element", "sent"),
    [
        ({"type": "number", "min_value": -5}, -6),
        ({"type": "number", "max_value": 0.5, "step": "any"}, 0.6),
        ({"type": "number", "step": 0.5}, 0.3),
        ({"type": "number", "min_value": -3, "step": 5}, 5),
        ({"type": "range", "min_value": -7, "max_value": -1, "step": 5}, -4),
        ({"type": "month", "max_month": "2026-01"}, "2026-02"),
        ({"type": "time", "min_time": "22:00", "max_time": "06:00"}, "07:00"),
        ({"type": "datetime-local", "step": 900}, "2026-01-02T03:04"),
        ({"type": "password", "pattern": "[a-z]+"}, "A"),
        ({"type": "file"}, ["https://a.b/c", "https://a.b/d"]),
        ({"type": "checkbox", "option": "I agree", "required": True}, False),
    ],
)
def test_rules_that_a_schema_puts_into_words_hold_in_its_form(
    element: dict[str, Any], sent: Any
) -> None:
    form = read_form([{"name": "x", **element}])
    refusals = []
    for asked in (form, form_of(mip003_schema(form))):
        with pytest.raises(FieldsInvalid) as refused:
            submitted(asked, {"x": sent})
        refusals.append(refused.value.errors)

    assert refusals[0] == refusals[1]


@pytest.mark.parametrize("kind", ["select", "choices"])
def test_choices_start_where_a_schema_says_in_words(kind: str) -> None:
    options = [{"name": "A"}, {"name": "B, C"}]
    chosen = "B, C" if kind == "select" else '["B, C"]'
    form = read_form([{"type": kind, "name": "x", "option": options, "value": chosen}])

    assert submitted(form_of(mip003_schema(form)), {}) == submitted(form, {})


def test_an_author_may_use_ours_for_kodosumi_s_own() -> None:
    options = [F.InputOption("a", "A")]
    pairs = [
        (forms.InputText("x", "X", "v", True, "p", 5, "[a-z]"), F.InputText),
        (forms.InputArea("x", "X", rows=3, max_length=9), F.InputArea),
        (forms.InputNumber("x", min_value=1), F.InputNumber),
        (forms.Checkbox("x", option="Yes", value=True), F.Checkbox),
        (forms.Select("x", options, value="a"), F.Select),
        (forms.InputFiles("x", multiple=True), F.InputFiles),
    ]

    for ours, theirs in pairs:
        assert isinstance(ours, theirs)
        assert ours.to_dict() == theirs.to_dict(ours)
        assert ours.render() == theirs.render(ours)


def test_a_checkbox_is_a_switch_to_kodosumi_too() -> None:
    schema = [{"id": "x", "type": "checkbox", "name": "X", "data": {"label": "Yes"}}]

    box = forms.from_schema(schema).children[0]

    assert isinstance(box, F.Checkbox)  # else an unchecked one would be None to the handler
    assert box.parse_value("on") is True


@pytest.mark.parametrize("kind", OURS)
def test_no_stranger_s_word_is_markup_in_the_panel(kind: str) -> None:
    evil = '"><script>alert(1)</script>'
    field: dict[str, Any] = {"id": "x", "type": kind, "name": evil, **OURS[kind][0]}
    field["data"] = {**field.get("data", {}), "description": evil, "placeholder": evil}
    if "values" in field["data"]:
        field["data"] |= {"values": [evil, "b"], "default": evil}

    needed = {key: field["data"][key] for key in ("values", "value") if key in field["data"]}
    bare = {"id": "x", "type": kind, "name": evil, "data": needed}

    for asked in (field, bare):
        shown = F.Model.model_validate(forms.from_schema([asked]).get_model()).render()
        assert "<script>" not in shown


def test_a_described_element_is_shown_and_rebuilt_in_a_panel(monkeypatch: Any) -> None:
    element = forms.InputArea("x", "X", description="At <length>.", min_length=5, max_length=9)
    dicts = json.loads(json.dumps(F.Model(element).get_model()))
    monkeypatch.setattr(F.Model, "model_validate", F.Model.__dict__["model_validate"])

    released = F.Model.model_validate(json.loads(json.dumps(dicts))).render()
    forms.install()
    (rebuilt,) = F.Model.model_validate(dicts, errors={"x": ["too short"]}).children

    assert 'minlength="5"' in released
    assert "At &lt;length&gt;." in released
    assert (type(rebuilt), rebuilt.facts()) == (forms.InputArea, element.facts())
    assert "too short" in rebuilt.render()
