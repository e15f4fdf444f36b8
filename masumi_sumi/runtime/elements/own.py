"""Elements that Kodosumi lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, ClassVar

from kodosumi.service.inputs.forms import HTML, Element, FormElement, InputOption

from masumi_sumi.flows import disguised
from masumi_sumi.runtime.elements import html


class _Field(FormElement):
    """Arguments: name, label, value, required, then the keys of ``attributes`` in their order,
    which are keys of the element's dict, to HTML's names; ``description`` stands under the field.
    """

    type: ClassVar[str]
    attributes: ClassVar[dict[str, str]] = {}

    def __init__(
        self,
        name: str,
        label: str | None = None,
        value: Any = None,
        required: bool = False,
        *given: Any,
        description: str | None = None,
        error: list[str] | None = None,
        **named: Any,
    ) -> None:
        super().__init__(name, label, value, required, error=error)
        self.description = description
        told = dict(zip(self.attributes, given, strict=False)) | named
        if len(given) > len(self.attributes) or not told.keys() <= self.attributes.keys():
            raise TypeError(f"{type(self).__name__} takes {', '.join(self.attributes)}")
        for key in self.attributes:
            setattr(self, key, told.get(key))

    def facts(self) -> dict[str, Any]:
        """The element in Kodosumi's dict form."""
        named = ("type", "name", "label", "value", "required", "description", *self.attributes)
        return {key: getattr(self, key) for key in named}

    def to_dict(self) -> dict[str, Any]:
        return disguised(self.facts(), self.render())

    def render(self) -> str:
        field = html.div("field border fill", f"{self._control()}{html.errors(self.error)}")
        return f"{html.legend(self.label)}{field}{html.told(self.description)}"

    def _control(self, **more: Any) -> str:
        asked = {name: html.given(getattr(self, key)) for key, name in self.attributes.items()}
        known = {"type": self.type, "name": self.name, "value": html.given(self.value)}
        return html.tag("input", **known, required=bool(self.required), **asked, **more)


class _Line(_Field):
    attributes = {
        "placeholder": "placeholder",
        "size": "size",
        "pattern": "pattern",
        "min_length": "minlength",
        "max_length": "maxlength",
    }


class InputEmail(_Line):
    type = "email"


class InputUrl(_Line):
    type = "url"


class InputTel(_Line):
    type = "tel"


class InputSearch(_Line):
    type = "search"


class InputPassword(_Line):
    """Kodosumi has one too, but its released panel does not show it."""

    type = "password"


class InputMonth(_Field):
    """Values as ``2026-01``."""

    type = "month"
    attributes = {"min_month": "min", "max_month": "max", "placeholder": "placeholder"}


class InputWeek(_Field):
    """Values as ``2026-W01``."""

    type = "week"
    attributes = {"min_week": "min", "max_week": "max", "placeholder": "placeholder"}


class InputRange(_Field):
    """A slider: from 0 to 100 and at its middle where nothing else is said. Posts text, as
    Kodosumi's InputNumber does.
    """

    type = "range"
    attributes = {"min_value": "min", "max_value": "max", "step": "step"}

    def render(self) -> str:
        inside = f"{self._control()}<span></span>{html.div('tooltip')}"
        slider = f'<label class="slider">{inside}</label>{html.errors(self.error)}'
        field = html.div("field middle-align", slider)
        return f"{html.legend(self.label)}{field}{html.told(self.description)}"


class InputColor(_Field):
    """Values as ``#3498db``; black where nothing else is said."""

    type = "color"

    def _control(self, **more: Any) -> str:
        seen = "opacity:1;position:static;block-size:100%;padding:.5rem"
        return super()._control(style=seen, **more)  # the panel's CSS hides color inputs


class InputHidden(_Field):
    """Not shown; its value is posted as it is. Buyers read the label."""

    type = "hidden"

    def __init__(
        self, name: str, value: str, error: list[str] | None = None, label: str | None = None
    ) -> None:
        super().__init__(name, label, value, error=error)

    def facts(self) -> dict[str, Any]:
        return {"type": self.type, "name": self.name, "value": self.value, "label": self.label}

    def render(self) -> str:
        return self._control() + html.errors(self.error, html.ALONE)


class InputRadio(_Field):
    """One of several; an option's ``name`` is what is posted."""

    type = "radio"

    def __init__(
        self,
        name: str,
        option: Sequence[InputOption | Mapping[str, Any]],
        *given: Any,
        **named: Any,
    ) -> None:
        super().__init__(name, *given, **named)
        self.option = [name_and_label(each) for each in option]

    def facts(self) -> dict[str, Any]:
        options = [
            {"type": "option", "name": name, "label": label, "value": name == self.value}
            for name, label in self.option
        ]
        return super().facts() | {"option": options}

    def render(self) -> str:
        choices = "".join(self._choice(name, label) for name, label in self.option)
        shown = f'<nav class="vertical left-align">{choices}</nav>'
        under = f"{html.told(self.description)}{html.errors(self.error, html.ALONE)}"
        return f"{html.legend(self.label)}{shown}{under}{html.div('space')}"

    def _choice(self, name: str, label: str) -> str:
        told = {"value": name, "required": bool(self.required), "checked": name == self.value}
        button = html.tag("input", type="radio", name=self.name, **told)
        return f'<label class="radio">{button}<span>{escape(label)}</span></label>'


class Choices(InputRadio):
    """Several of several: the question above its boxes, which are elements of their own."""

    type = "choices"
    attributes = dict.fromkeys(("placeholder", "min_length", "max_length"), "")

    def render(self) -> str:
        under = f"{html.told(self.description)}{html.errors(self.error, html.ALONE)}"
        return f"{html.legend(self.label)}{under}"


class Heading(HTML):
    """Seen in the panel; a buyer reads name and description of a flow elsewhere."""

    def __init__(self, title: str, text: str = "") -> None:
        super().__init__(f"<h4>{escape(title)}</h4><p>{escape(text)}</p>")

    def to_dict(self) -> dict[str, Any]:
        return disguised({"type": "break"}, self.render())


class DisplayText(Element):
    """A text between the fields, MIP-003's ``none``: plain words, no markup. ``name`` is its id,
    where a buyer is to see one.
    """

    type = "none"

    def __init__(self, text: str, label: str | None = None, name: str | None = None) -> None:
        super().__init__(text=text)
        self.label, self.id = label, name

    def to_dict(self) -> dict[str, Any]:
        facts = {"type": self.type, "text": self.text, "label": self.label}
        return disguised(facts | ({"name": self.id} if self.id else {}), self.render())

    def render(self) -> str:
        legend = html.legend(self.label) if self.label else ""
        return f"{legend}<p>{escape(self.text or '')}</p>"


def name_and_label(option: InputOption | Mapping[str, Any]) -> tuple[str, str]:
    """What an option posts, and what it shows."""
    facts = option if isinstance(option, Mapping) else option.to_dict()
    name = str(facts.get("name") or "")
    return name, str(facts.get("label") or name)
