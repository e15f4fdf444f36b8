"""Our elements in Kodosumi's real Model: from the author's app to a panel, a browser, and back."""

from __future__ import annotations

import json
import logging
from types import ModuleType
from typing import Any

import httpx
import pytest
from browser_page import Browser, over_http
from hypothesis import given
from hypothesis import strategies as st
from kodosumi.service.inputs import forms as F

from masumi_sumi import forms
from masumi_sumi.flows import mip003_schema, read_form, submitted, undisguised

SIZES = [F.InputOption("s", "Small"), F.InputOption("l", "Large & <loud>")]

ONE_OF_EACH: dict[str, Any] = {
    "email": lambda: forms.InputEmail("x", "X", "a@b.c", True, "you@there", 30, "[^ ]+", 5, 50),
    "url": lambda: forms.InputUrl("x", "X", "https://a.b", placeholder="https://"),
    "tel": lambda: forms.InputTel("x", "X", "+1 5", pattern="[+0-9 ]+"),
    "search": lambda: forms.InputSearch("x", "X", "words", max_length=100),
    "password": lambda: forms.InputPassword("x", "X", "secret99", True, min_length=8),
    "month": lambda: forms.InputMonth(
        "x", "X", "2026-05", min_month="2024-01", max_month="2030-12"
    ),
    "week": lambda: forms.InputWeek("x", "X", "2026-W05", min_week="2024-W01"),
    "range": lambda: forms.InputRange("x", "X", 5, min_value=-10, max_value=10, step=5),
    "color": lambda: forms.InputColor("x", "X", "#3498db"),
    "hidden": lambda: forms.InputHidden("x", "1.0"),
    "radio": lambda: forms.InputRadio("x", SIZES, "X", "l", required=True),
}


@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_the_installed_panel_rebuilds_each_element(installed: None, kind: str) -> None:
    element = ONE_OF_EACH[kind]()

    (rebuilt,) = F.Model.model_validate(over_http(element)).children

    assert type(rebuilt) is type(element)
    assert rebuilt.facts() == element.facts()
    assert rebuilt.render() == element.render()


@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_the_released_panel_shows_and_posts_each_element(
    released: ModuleType, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    element = ONE_OF_EACH[kind]()

    with caplog.at_level(logging.ERROR):
        shown = released.Model.model_validate(over_http(element))

    assert Browser(shown.render()).posts == Browser(element.render()).posts
    assert Browser(shown.render()).posts
    assert not caplog.records


@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_a_buyer_who_leaves_a_field_alone_posts_what_a_browser_posts(kind: str) -> None:
    element = ONE_OF_EACH[kind]()

    assert submitted(read_form(over_http(element)), {}) == Browser(element.render()).posts


@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_a_buyer_reads_each_element_by_its_own_type(kind: str) -> None:
    (field,) = mip003_schema(read_form(over_http(ONE_OF_EACH[kind]())))["input_data"]

    assert (field["id"], field["type"]) == ("x", kind)


def test_bounds_and_rules_reach_the_browser() -> None:
    email = Browser(ONE_OF_EACH["email"]().render()).controls["x"]
    slider = Browser(ONE_OF_EACH["range"]().render()).controls["x"]
    month = Browser(ONE_OF_EACH["month"]().render()).controls["x"]

    assert (email["type"], email["minlength"], email["maxlength"]) == ("email", "5", "50")
    assert (email["pattern"], email["size"], "required" in email) == ("[^ ]+", "30", True)
    assert (slider["min"], slider["max"], slider["step"], slider["value"]) == (
        "-10",
        "10",
        "5",
        "5",
    )
    assert (month["min"], month["max"], "required" in month) == ("2024-01", "2030-12", False)


def test_a_slider_at_zero_stays_there() -> None:
    slider = forms.InputRange("x", value=0, min_value=0)

    assert Browser(slider.render()).controls["x"]["min"] == "0"
    assert Browser(slider.render()).posts == {"x": "0"}


def test_an_empty_choice_can_be_chosen() -> None:
    radio = forms.InputRadio("x", [F.InputOption("", "None"), F.InputOption("a", "A")], value="")

    assert Browser(radio.render()).posts == {"x": ""}


@pytest.mark.parametrize(("value", "posted"), [(None, ""), ("gone", ""), ("l", "l")])
def test_a_required_select_starts_at_its_value_or_at_nothing(
    value: str | None, posted: str
) -> None:
    select = forms.Select("x", SIZES, value=value, required=True)

    assert Browser(select.render()).posts == {"x": posted}


def test_a_text_between_the_fields_asks_for_nothing() -> None:
    text = forms.DisplayText("Mind the <gap>.", label="Note")

    (note,) = mip003_schema(read_form(over_http(text)))["input_data"]

    assert note == {
        "id": "note_1",
        "type": "none",
        "name": "Note",
        "data": {"description": "Mind the <gap>."},
    }
    assert Browser(text.render()).words == ["Note", "Mind the <gap>."]


def test_what_was_typed_is_kept_and_each_error_stands_at_its_field(installed: None) -> None:
    elements = [
        forms.InputEmail("email", "Email"),
        F.InputText("name", "Name"),
        forms.InputRadio("size", SIZES, value="s"),
        forms.InputColor("color"),
        F.Errors(),
    ]
    errors = {"email": ["not yours"], "name": ["too short"], "_global_": ["try again"]}

    model = F.Model.model_validate(over_http(*elements), errors=errors)
    model.set_data({"email": "a@b.c", "name": "Jo", "size": "l", "color": "#ff0000"})

    page = Browser(model.render())
    assert page.errors == {"email": "not yours", "name": "too short"}
    assert page.posts["email"] == "a@b.c"
    assert page.posts["size"] == "l"
    assert page.posts["color"] == "#ff0000"
    assert any("try again" in words for words in page.words)


def test_one_caller_s_choice_is_not_the_next_one_s_default() -> None:
    radio = forms.InputRadio("x", SIZES)
    before = radio.to_dict()

    assert radio.parse_value("l") == "l"
    assert radio.to_dict() == before


def test_kodosumi_s_own_password_is_shown_where_installed(
    installed: None, released: ModuleType
) -> None:
    element = F.InputPassword("x", "X", required=True, min_length=8)

    assert Browser(F.Model.model_validate(over_http(element)).render()).controls["x"]["minlength"]
    assert not released.Model.model_validate(over_http(element)).children


def test_installing_twice_is_installing_once(installed: None) -> None:
    once = F.Model.__dict__["model_validate"]

    forms.install()

    assert F.Model.__dict__["model_validate"] is once


KODOSUMIS: list[Any] = [
    lambda text: F.Markdown(text),
    lambda text: F.HTML(text),
    lambda text: F.Errors(),
    lambda text: F.HR(),
    lambda text: F.Break(),
    lambda text: F.InputText(text or "n", text, text, True, text),
    lambda text: F.InputNumber("number", text, min_value=1),
    lambda text: F.Checkbox("box", text, text, True),
    lambda text: F.Select("select", [F.InputOption(text, text)], text, text),
    lambda text: F.Action("act", text, text=text),
    lambda text: F.InputFiles("file", text),
    lambda text: F.Submit(text),
    lambda text: F.Cancel(text),
]


PLAIN = st.text(st.characters(categories=["L", "N"]), max_size=20)


@given(st.lists(st.tuples(st.sampled_from(KODOSUMIS), PLAIN), max_size=6), PLAIN)
def test_kodosumi_s_own_elements_are_shown_and_posted_as_before(
    released: ModuleType, chosen: list[tuple[Any, str]], error: str
) -> None:
    dicts = over_http(*(build(text) for build, text in chosen))
    dicts.append({"type": "of another world"})
    errors = {"number": [error], "n": [error], "_global_": [error]}

    theirs = released.Model.model_validate(json.loads(json.dumps(dicts)), errors=errors).render()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(F.Model, "model_validate", F.Model.__dict__["model_validate"])
        patch.setattr(F.Model, "render", F.Model.render)
        forms.install()
        ours = F.Model.model_validate(dicts, errors=errors).render()

    assert ours.count("<") == theirs.count("<")
    assert Browser(ours).posts == Browser(theirs).posts
    assert "".join(Browser(ours).words).split() == "".join(Browser(theirs).words).split()


# Without what no HTML page can carry, and with what would end an attribute, a tag or a comment.
TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("<>\"'&-!"), max_size=30
) | st.sampled_from(["-->", "<!--masumi_sumi {}-->", '"><script>', "&quot;", "</legend>"])


@given(name=TEXTS.filter(bool), value=TEXTS.filter(bool), text=TEXTS, error=TEXTS.filter(bool))
def test_no_text_breaks_out_of_its_place(name: str, value: str, text: str, error: str) -> None:
    email = forms.InputEmail(name, text, value, placeholder=text, pattern=value, error=[error])

    page = Browser(email.render())

    assert page.posts == {name: value}
    assert page.controls[name]["pattern"] == value
    assert page.errors == {name: error}
    assert "".join(page.words) == text + error
    assert Browser(email.to_dict()["text"]).words == page.words


@given(st.tuples(TEXTS, TEXTS, TEXTS))
def test_every_text_survives_the_disguise(texts: tuple[str, str, str]) -> None:
    name, label, value = texts
    elements = [
        forms.InputUrl(name, label, value, placeholder=value),
        forms.InputRadio(name, [F.InputOption(value, label)], label, value),
        forms.DisplayText(value, label),
    ]

    for element, carried in zip(elements, over_http(*elements), strict=True):
        told = undisguised(carried)
        assert told["label"] == label
        assert told["type"] == element.type
        assert value in (told.get("value"), told.get("text"))


@pytest.mark.parametrize("text", ["", "<p>-->", "<!--masumi_sumi {oops-->", "<!--masumi_sumi 1-->"])
def test_html_that_carries_nothing_is_itself(text: str) -> None:
    element = F.HTML(text).to_dict()

    assert undisguised(element) == element


# --- the whole way ----------------------------------------------------------------------------


@pytest.fixture
def shop(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[httpx.AsyncClient, Any]:
    """An author's real ServeAPI, and what its handler was given."""
    monkeypatch.chdir(tmp_path)
    from kodosumi.serve import ServeAPI
    from kodosumi.service.inputs.errors import InputsError

    app, given_inputs = ServeAPI(), []
    fields = [build() for build in ONE_OF_EACH.values()]
    for kind, field in zip(ONE_OF_EACH, fields, strict=True):
        field.name = kind

    @app.enter("/", model=F.Model(*fields, F.Submit("Go")))
    async def handler(inputs: dict[str, Any]) -> Any:
        given_inputs.append(inputs)
        raise InputsError(email="taken")

    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://app"), given_inputs


async def test_a_browser_s_post_reaches_the_handler_and_its_error_comes_back(
    installed: None, shop: tuple[httpx.AsyncClient, list[dict[str, Any]]]
) -> None:
    app, given_inputs = shop
    form = (await app.get("/")).json()["elements"]
    typed = Browser(F.Model.model_validate(form).render()).posts | {
        "email": "me@b.c",
        "range": "-5",
    }

    answer = (await app.post("/", json=typed)).json()
    page = F.Model.model_validate(answer["elements"], errors=answer["errors"])
    page.set_data(typed)

    assert given_inputs == [typed]
    assert set(typed) == set(ONE_OF_EACH)
    assert Browser(page.render()).posts == typed
    assert Browser(page.render()).errors == {"email": "taken"}
