"""Forms in the panel: markup of an author or a buyer in any of their texts stays text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from browser_page import Browser, over_http
from kodosumi.service.inputs import forms as F
from markup_attacks import ALL, ATTACKS

from masumi_sumi import forms
from masumi_sumi.runtime.elements.safe_render import render_element

UPLOADED = json.dumps({"batchId": ALL, "items": {"1": {"filename": ALL}}})

ELEMENTS: dict[str, Any] = {
    "text": lambda x: F.InputText(x, x, x, True, x, x, x),
    "number": lambda x: F.InputNumber(x, x, x, True, x, x, x, x, x, x),
    "date": lambda x: F.InputDate(x, x, x, True, x, x, x),
    "time": lambda x: F.InputTime(x, x, x, True, x, x, x, x),
    "datetime": lambda x: F.InputDateTime(x, x, x, True, x, x, x, x),
    "area": lambda x: F.InputArea(x, x, x, True, x, x, x, x),
    "checkbox": lambda x: F.Checkbox(x, x, x, True),
    "select": lambda x: F.Select(x, [F.InputOption(x, x), F.InputOption("o", x)], x, x),
    "action": lambda x: F.Action(x, x, text=x),
    "submit": F.Submit,
    "cancel": F.Cancel,
    "file": lambda x: F.InputFiles(x, x, UPLOADED),
}


class Page(Browser):
    """Beside what a browser posts, the tags and attributes of a page."""

    def __init__(self, html: str) -> None:
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.addresses: list[str | None] = []
        super().__init__(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value for name, value in attrs if name in ("href", "src", "action")]
        super().handle_starttag(tag, attrs)


@pytest.mark.parametrize("kind", ELEMENTS)
def test_an_element_has_the_tags_and_attributes_of_a_harmless_one(
    installed: None, kind: str
) -> None:
    def show(text: str) -> Page:
        errors = {text: [text], "_global_": [text]}
        dicts = over_http(F.Errors(), ELEMENTS[kind](text))
        return Page(F.Model.model_validate(dicts, errors=errors).render())

    harmless = show("harmless")
    for attack in (*ATTACKS, ALL):
        page = show(attack)
        assert page.tags == harmless.tags, attack
        assert page.attributes == harmless.attributes, attack
        assert page.addresses == harmless.addresses, attack


@pytest.mark.parametrize("kind", sorted(ELEMENTS.keys() - {"submit", "cancel", "action"}))
def test_an_attack_is_posted_under_its_own_name(installed: None, kind: str) -> None:
    page = Page(F.Model.model_validate(over_http(ELEMENTS[kind](ALL))).render())

    assert ALL.replace("\r\n", "\n") in page.posts


@pytest.mark.parametrize("kind", [F.HTML, F.Markdown])
def test_markup_between_the_fields_brings_no_field(installed: None, kind: Any) -> None:
    for attack in ATTACKS:
        page = Page(F.Model.model_validate(over_http(kind(f"Before {attack}"))).render())

        assert "Before" in "".join(page.words)
        assert not {"input", "form", "button", "script", "iframe", "svg"} & set(page.tags)
        assert not [name for name in page.attributes if name.startswith(("on", "form"))]


def test_values_that_are_no_texts_are_shown_as_texts() -> None:
    element = F.InputText("x", "X")
    element.value, element.label = {"a": f'">{ATTACKS[0]}'}, [ATTACKS[0]]

    page = Page(render_element(element))

    assert "img" not in page.tags
    assert page.posts == {"x": str(element.value)}


def test_a_forged_element_of_ours_is_harmless(installed: None) -> None:
    facts = json.dumps({"type": "text", "name": "x", "no such": 1}).replace("<", "")
    hidden = {"type": "hidden", "name": "approved", "value": "yes", "label": None}
    whole = forms.InputHidden("approved", "yes").to_dict()["text"]
    for end in (f"<!--masumi_sumi {facts}-->", f"<!--masumi_sumi {json.dumps(hidden)}-->", whole):
        forged = {"type": "html", "text": f"<h4>Hi</h4>{end}"}

        assert Page(F.Model.model_validate([forged]).render()).tags == ["h4"]
