"""Kodosumi's own elements, with what MIP-003 can say beside it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from html import escape
from typing import Any, ClassVar

from kodosumi.service.inputs import forms
from kodosumi.service.inputs.forms import FormElement, InputOption

from masumi_sumi.flows import disguised
from masumi_sumi.runtime.elements import html
from masumi_sumi.runtime.elements.own import name_and_label


class More(FormElement):
    """Before a class of Kodosumi: ``more`` are further arguments by name, to HTML's names where
    it has any. Texts are shown as texts. An element that says no more is in Kodosumi's own form.
    """

    more: ClassVar[dict[str, str]] = {}

    def __init__(self, *given: Any, description: str | None = None, **named: Any) -> None:
        more = {key: named.pop(key, None) for key in self.more}
        super().__init__(*given, **named)
        self.description = description
        for key, value in more.items():
            setattr(self, key, value)

    def facts(self) -> dict[str, Any]:
        own = {key: fact for key, fact in super().to_dict().items() if key != "error"}
        more = {key: getattr(self, key) for key in ("description", *self.more)}
        return own | {key: fact for key, fact in more.items() if fact}

    def to_dict(self) -> dict[str, Any]:
        own: dict[str, Any] = super().to_dict()
        facts = self.facts()
        if facts.keys() <= own.keys() and self.type != "checkbox" and not _is_markup(facts):
            return own
        return disguised(facts, self.render())

    def render(self) -> str:
        shown = copy(self)
        for key, value in vars(self).items():
            if isinstance(value, str) and (key, self.type) != ("value", "file"):
                setattr(shown, key, escape(value))
        shown.error = [escape(each) for each in self.error or ()]
        page = str(super(More, shown).render())
        asked = {name: getattr(self, key) for key, name in self.more.items() if name}
        return html.with_attributes(page, **asked) + html.told(self.description)


class InputText(More, forms.InputText):
    more = {"min_length": "minlength", "max_length": "maxlength"}


class InputArea(More, forms.InputArea):
    more = {"min_length": "minlength"}


class InputNumber(More, forms.InputNumber):
    """As Kodosumi's, with a description."""


class InputDate(More, forms.InputDate):
    """As Kodosumi's, with a description."""


class InputTime(More, forms.InputTime):
    """As Kodosumi's, with a description."""


class InputDateTime(More, forms.InputDateTime):
    """As Kodosumi's, with a description."""


class InputFiles(More, forms.InputFiles):
    """``accept`` as in HTML: ``.pdf,image/*``."""

    more = {"accept": "accept"}


class Checkbox(More, forms.Checkbox):
    """MIP-003's ``boolean``. A buyer reads ``option`` as its description."""

    more = {"required": "required", "placeholder": ""}


class InputCheckbox(Checkbox):
    """MIP-003's ``checkbox``: ``option`` stands beside the box, as its label."""

    type = "checkbox"

    def __init__(self, name: str, option: str = "", *given: Any, **named: Any) -> None:
        super().__init__(name, option, *given, **named)


class Select(More, forms.Select):
    more = {"required": "required", "placeholder": ""}

    def render(self) -> str:
        told = copy(self)
        told.option = [
            InputOption(escape(name), escape(label), each.value)
            for each in self.option
            for name, label in (name_and_label(each),)
        ]
        chosen = any(each.value for each in self.option)
        if self.required and not chosen:  # else a browser would start at the first
            told.option.insert(0, InputOption("", ""))
        return More.render(told)


def _is_markup(value: Any) -> bool:
    """Whether Kodosumi's own element would show a text as something else."""
    if isinstance(value, Mapping):
        return any(map(_is_markup, value.values()))
    if isinstance(value, list):
        return any(map(_is_markup, value))
    return isinstance(value, str) and escape(value) != value
