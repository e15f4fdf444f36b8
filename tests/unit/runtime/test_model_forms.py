"""A model's form in Kodosumi's real Model: to a panel, a browser, a buyer, and back."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import date
from enum import Enum
from typing import Annotated, Literal

import pytest
from browser_page import Browser, over_http
from kodosumi.service.inputs import forms as F
from pydantic import BaseModel, EmailStr, Field, HttpUrl

from masumi_sumi.errors import FieldsInvalid
from masumi_sumi.flows import Kind, model_form, read_form, submitted
from masumi_sumi.runtime.elements.own import Heading
from masumi_sumi.runtime.elements.panel import elements_of


class Color(Enum):
    RED = "red & <loud>"
    BLUE = 'blue "b"'


class Order(BaseModel):
    name: Annotated[str, Field(description="Who <you> are", min_length=2, max_length=9)] = 'A "q" &'
    code: Annotated[str, Field(pattern="^[A-Z]{2}$", examples=["DE"])] = "AT"
    text: Annotated[str, Field(max_length=900)] = "two\nlines <b>"
    count: Annotated[int, Field(ge=0, le=500, multiple_of=5)] = 10
    share: float = 0.25
    agreed: Annotated[bool, Field(description="I agree")] = True
    color: Color = Color.BLUE
    other: Color | None = None
    colors: Annotated[list[Color], Field(max_length=1)] = [Color.RED]
    day: Annotated[date, Field(ge=date(2030, 1, 1))] = date(2030, 1, 2)
    mail: EmailStr = "a@b.example"
    site: HttpUrl = HttpUrl("https://a.example/")


class Needed(BaseModel):
    name: str
    color: Color
    kinds: Annotated[list[Literal["a", "b"]], Field(min_length=1)]


FORM = model_form(Order)
NEEDED = model_form(Needed)


def test_a_form_is_read_as_it_was_written() -> None:
    found = read_form(
        over_http(Heading("Order", "Take it"), *elements_of(FORM.form), F.Submit("Go"))
    )

    plain = [
        replace(field, width=None, scale=replace(field.scale, base=wanted.scale.base))
        for field, wanted in zip(found.fields, FORM.form.fields, strict=True)
    ]
    assert plain == list(FORM.form.fields)
    assert found.notes == ()


@pytest.mark.parametrize("panel", ["installed", "released"])
def test_every_panel_shows_and_posts_the_defaults(
    panel: str, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    module = request.getfixturevalue(panel) or F

    with caplog.at_level(logging.ERROR):
        page = Browser(module.Model.model_validate(over_http(*elements_of(FORM.form))).render())

    assert not caplog.records
    assert page.posts == submitted(FORM.form, {})
    assert FORM.read(page.posts) == Order()
    assert "Who <you> are" in page.words
    assert page.words.count("red & <loud>") == 3  # two selects and a box


def test_rules_reach_the_browser() -> None:
    page = Browser(F.Model(*elements_of(FORM.form)).render())

    name, count, share = (page.controls[name] for name in ("name", "count", "share"))
    assert (name["minlength"], name["maxlength"]) == ("2", "9")
    assert (count["min"], count["max"], count["step"], share["step"]) == ("0", "500", "5", "any")
    assert (page.controls["code"]["pattern"], page.controls["day"]["min"]) == (
        "^[A-Z]{2}$",
        "2030-01-01",
    )
    assert page.controls["code"]["placeholder"] == "DE"
    assert not [name for name, told in page.controls.items() if "required" in told]


def test_what_must_be_chosen_starts_at_nothing() -> None:
    page = Browser(F.Model(*elements_of(NEEDED.form)).render())

    assert page.posts == {"name": "", "color": ""}
    assert {name for name, told in page.controls.items() if "required" in told} == {"name", "color"}


def test_a_buyer_must_choose_what_must_be_chosen() -> None:
    with pytest.raises(FieldsInvalid) as refused:
        submitted(read_form(over_http(*elements_of(NEEDED.form))), {})

    assert refused.value.errors == {name: ["is required"] for name in ("name", "color", "kinds")}


def test_the_installed_panel_keeps_what_was_typed_and_shows_errors(installed: None) -> None:
    errors = {name: [f"no {name}"] for name in ("name", "color", "kinds", "text")}
    form = over_http(*elements_of(FORM.form), *elements_of(NEEDED.form)[-3:])
    typed = {"name": "Eve", "text": "x", "color": "red & <loud>", "kinds.b": "on", "colors.x": "on"}

    page = F.Model.model_validate(form, errors=errors)
    page.set_data(typed)
    shown = Browser(page.render())

    assert {shown.posts[name] for name in ("name", "text", "color")} == {"Eve", "x", "red & <loud>"}
    assert shown.posts["kinds.b"] == "on"
    assert "agreed" not in shown.posts
    assert set(shown.errors.values()) == {"no name", "no color", "no text", "no kinds"}


def test_a_rebuilt_question_travels_on_as_it_came(installed: None) -> None:
    form = over_http(*elements_of(FORM.form))

    again = F.Model.model_validate(over_http(*elements_of(FORM.form)))

    assert over_http(*again.children) == form


def test_several_choices_are_one_question_to_a_buyer() -> None:
    fields = read_form(over_http(*elements_of(NEEDED.form))).fields

    assert [(field.name, field.kind) for field in fields][-1] == ("kinds", Kind.CHOICES)
    assert submitted(
        read_form(over_http(*elements_of(NEEDED.form))), {"name": "Ada", "color": [0], "kinds": [1]}
    ) == {"name": "Ada", "color": "red & <loud>", "kinds.b": "on"}
