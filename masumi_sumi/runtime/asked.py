"""A form as elements of Kodosumi's panel: what ``flows.read_form`` reads, written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from html import escape
from typing import Any, ClassVar

from kodosumi.service.inputs import forms as stock

from masumi_sumi.flows import Field, Form, Kind, disguised
from masumi_sumi.flows.choices import box, split
from masumi_sumi.flows.scales import number_text
from masumi_sumi.runtime import markup

_HTML = {
    "placeholder": "placeholder",
    "pattern": "pattern",
    "min_length": "minlength",
    "max_length": "maxlength",
    "step": "step",
    **{f"min_{what}": "min" for what in ("value", "date", "time", "datetime")},
    **{f"max_{what}": "max" for what in ("value", "date", "time", "datetime")},
}
_BOUNDS = {Kind.NUMBER: "value", Kind.DATE: "date", Kind.TIME: "time", Kind.DATETIME: "datetime"}


class Asked(stock.FormElement):
    """One question, told exactly: with a description and lengths, which Kodosumi's own elements
    have no place for, and with every text escaped.
    """

    MARK: ClassVar[str] = "asked"

    def __init__(self, facts: Mapping[str, Any], error: list[str] | None = None) -> None:
        self._facts = {**facts, self.MARK: True}
        self.type = str(facts["type"])
        super().__init__(
            facts["name"], facts["label"], facts["value"], bool(facts["required"]), error=error
        )

    def to_dict(self) -> dict[str, Any]:
        return disguised(self._facts | {"value": self.value}, self.render())

    def render(self) -> str:
        about = self._facts.get("description")
        told = f'<p class="small-text">{escape(about)}</p>' if about else ""
        return f"{markup.legend(self.label)}{told}{self._shown()}"

    def _shown(self) -> str:
        if self.type == Kind.CHOICES:
            return markup.errors(self.error, markup.ALONE)
        style = "field extra textarea border fill" if self.type == Kind.TEXTAREA else _STYLE
        return markup.div(style, self._control() + markup.errors(self.error))

    def _control(self) -> str:
        rules = {_HTML[key]: value for key, value in self._facts.items() if key in _HTML}
        named = {"name": self.name, "required": bool(self.required)}
        if self.type == Kind.TEXTAREA:
            area = markup.tag("textarea", **named, **rules)
            return f"{area}{escape(str(self.value or ''))}</textarea>"
        if self.type == _OPTION:
            options = "".join(self._options())
            return f"{markup.tag('select', **named)}{options}</select><i>arrow_drop_down</i>"
        value = markup.given(self.value)
        return markup.tag("input", type=self.type, value=value, **named, **rules)

    def _options(self) -> Iterator[str]:
        if self.required:  # a browser asks for a choice, where it would start at the first
            yield f"{markup.tag('option', value='', selected=not self.value)}</option>"
        for option in self._facts["option"]:
            name, label = str(option["name"]), str(option["label"])
            start = markup.tag("option", value=name, selected=name == (self.value or ""))
            yield f"{start}{escape(label)}</option>"


_STYLE = "field border fill"
_OPTION = "option"


class Heading(stock.HTML):
    """Seen in the panel; a buyer reads name and description of a flow elsewhere."""

    def __init__(self, title: str, text: str = "") -> None:
        super().__init__(f"<h4>{escape(title)}</h4><p>{escape(text)}</p>")

    def to_dict(self) -> dict[str, Any]:
        return disguised({"type": "break"}, self.render())


def elements_of(form: Form) -> list[Any]:
    """The fields of a form, as ``flows.read_form`` reads them back. Notes have no place here."""
    return [element for field in form.fields for element in _elements(field)]


def _elements(field: Field) -> Iterator[Any]:
    match field.kind:
        case Kind.BOOLEAN:
            about = escape(field.description) or None
            yield stock.Checkbox(field.name, about, escape(field.label), field.default == "on")
        case Kind.FILE:
            told = {"required": field.required, "multiple": field.many}
            yield stock.InputFiles(field.name, field.label, **told)
        case _:
            yield Asked(_facts(field))
    if field.kind is Kind.CHOICES:
        ticked = split(field.default)
        for choice in field.choices:
            value = choice.value in ticked
            yield stock.Checkbox(box(field.name, choice.value), escape(choice.label), value=value)


def _facts(field: Field) -> dict[str, Any]:
    facts = {
        "type": _OPTION if field.kind is Kind.SELECT else field.kind.value,
        "name": field.name,
        "label": field.label,
        "value": field.default,
        "required": field.required,
        "description": field.description,
        "placeholder": field.placeholder,
        "min_length": field.min_length,
        "max_length": field.max_length,
        "pattern": field.pattern.pattern if field.pattern else None,
        **_scaled(field),
    }
    if field.choices:
        facts["option"] = [{"name": c.value, "label": c.label} for c in field.choices]
    kept = ("value", "required")
    return {key: value for key, value in facts.items() if key in kept or value not in (None, "")}


def _scaled(field: Field) -> dict[str, Any]:
    named = _BOUNDS.get(field.kind)
    if named is None:
        return {}
    low, high, step = field.scale.low, field.scale.high, field.scale.step
    return {
        f"min_{named}": low.text if low else None,
        f"max_{named}": high.text if high else None,
        "step": None if field.kind is Kind.DATE else _step(step),
    }


def _step(step: Fraction | None) -> str:
    return "any" if step is None else number_text(step)
