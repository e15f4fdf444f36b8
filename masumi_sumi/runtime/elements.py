"""Form elements that MIP-003 knows and the released Kodosumi lacks.

``from masumi_sumi import forms``. They stand beside Kodosumi's own in its ``Model``, take the same
arguments, and give the handler what the browser posts. Every panel shows them; one whose process
called ``install()`` also keeps what was typed, and shows errors at the field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, ClassVar

from kodosumi.service.inputs.forms import Element, FormElement, InputOption, Model

from masumi_sumi.flows import disguised, undisguised
from masumi_sumi.runtime import markup
from masumi_sumi.runtime.asked import Asked

__all__ = [
    "DisplayText",
    "InputColor",
    "InputEmail",
    "InputHidden",
    "InputMonth",
    "InputPassword",
    "InputRadio",
    "InputRange",
    "InputSearch",
    "InputTel",
    "InputUrl",
    "InputWeek",
    "install",
]

Errors = list[str]


class _Field(FormElement):  # type: ignore[misc]
    """``attributes``: keys of the element's dict, which are its arguments too, to HTML's names."""

    type: ClassVar[str]
    attributes: ClassVar[dict[str, str]] = {}

    def facts(self) -> dict[str, Any]:
        """The element in Kodosumi's dict form."""
        named = ("type", "name", "label", "value", "required", *self.attributes)
        return {key: getattr(self, key) for key in named}

    def to_dict(self) -> dict[str, Any]:
        return disguised(self.facts(), self.render())

    def render(self) -> str:
        inside = f"{self._control()}{markup.errors(self.error)}"
        return f'{markup.legend(self.label)}<div class="field border fill">{inside}</div>'

    def _control(self, **more: Any) -> str:
        asked = {html: markup.given(getattr(self, key)) for key, html in self.attributes.items()}
        return markup.tag(
            "input",
            type=self.type,
            name=self.name,
            value=markup.given(self.value),
            required=bool(self.required),
            **asked,
            **more,
        )


class _Line(_Field):
    attributes = {
        "placeholder": "placeholder",
        "size": "size",
        "pattern": "pattern",
        "min_length": "minlength",
        "max_length": "maxlength",
    }

    def __init__(
        self,
        name: str,
        label: str | None = None,
        value: str | None = None,
        required: bool = False,
        placeholder: str | None = None,
        size: int | None = None,
        pattern: str | None = None,
        min_length: int | None = None,
        max_length: int | None = None,
        error: Errors | None = None,
    ) -> None:
        super().__init__(name, label, value, required, error=error)
        self.placeholder, self.size, self.pattern = placeholder, size, pattern
        self.min_length, self.max_length = min_length, max_length


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
    attributes = {"min_month": "min", "max_month": "max"}

    def __init__(
        self,
        name: str,
        label: str | None = None,
        value: str | None = None,
        required: bool = False,
        min_month: str | None = None,
        max_month: str | None = None,
        error: Errors | None = None,
    ) -> None:
        super().__init__(name, label, value, required, error=error)
        self.min_month, self.max_month = min_month, max_month


class InputWeek(_Field):
    """Values as ``2026-W01``."""

    type = "week"
    attributes = {"min_week": "min", "max_week": "max"}

    def __init__(
        self,
        name: str,
        label: str | None = None,
        value: str | None = None,
        required: bool = False,
        min_week: str | None = None,
        max_week: str | None = None,
        error: Errors | None = None,
    ) -> None:
        super().__init__(name, label, value, required, error=error)
        self.min_week, self.max_week = min_week, max_week


class InputRange(_Field):
    """A slider: from 0 to 100 and at its middle where nothing else is said. Posts text, as
    Kodosumi's InputNumber does.
    """

    type = "range"
    attributes = {"min_value": "min", "max_value": "max", "step": "step"}

    def __init__(
        self,
        name: str,
        label: str | None = None,
        value: float | str | None = None,
        required: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
        step: float | None = None,
        error: Errors | None = None,
    ) -> None:
        super().__init__(name, label, value, required, error=error)
        self.min_value, self.max_value, self.step = min_value, max_value, step

    def render(self) -> str:
        tip = markup.div("tooltip")
        slider = f'<label class="slider">{self._control()}<span></span>{tip}</label>'
        inside = markup.div("field middle-align", slider + markup.errors(self.error))
        return f"{markup.legend(self.label)}{inside}"


class InputColor(_Field):
    """Values as ``#3498db``; black where nothing else is said."""

    type = "color"

    def __init__(
        self,
        name: str,
        label: str | None = None,
        value: str | None = None,
        required: bool = False,
        error: Errors | None = None,
    ) -> None:
        super().__init__(name, label, value, required, error=error)

    def _control(self, **more: Any) -> str:
        seen = "opacity:1;position:static;block-size:100%;padding:.5rem"
        return super()._control(style=seen, **more)  # the panel's CSS hides color inputs


class InputHidden(_Field):
    """Not shown; its value is posted as it is."""

    type = "hidden"

    def __init__(self, name: str, value: str, error: Errors | None = None) -> None:
        super().__init__(name, None, value, error=error)

    def facts(self) -> dict[str, Any]:
        return {"type": self.type, "name": self.name, "value": self.value}

    def render(self) -> str:
        return self._control() + markup.errors(self.error, markup.ALONE)


class InputRadio(_Field):
    """One of several; an option's ``name`` is what is posted."""

    type = "radio"

    def __init__(
        self,
        name: str,
        option: Sequence[InputOption | Mapping[str, Any]],
        label: str | None = None,
        value: str | None = None,
        required: bool = False,
        error: Errors | None = None,
    ) -> None:
        super().__init__(name, label, value, required, error=error)
        self.option = [_named(each) for each in option]

    def facts(self) -> dict[str, Any]:
        options = [
            {"type": "option", "name": name, "label": label, "value": name == self.value}
            for name, label in self.option
        ]
        return super().facts() | {"option": options}

    def render(self) -> str:
        choices = "".join(self._choice(name, label) for name, label in self.option)
        shown = f'<nav class="vertical left-align">{choices}</nav>'
        told = markup.errors(self.error, markup.ALONE) + markup.div("space")
        return f"{markup.legend(self.label)}{shown}{told}"

    def _choice(self, name: str, label: str) -> str:
        told = {"value": name, "required": bool(self.required), "checked": name == self.value}
        button = markup.tag("input", type="radio", name=self.name, **told)
        return f'<label class="radio">{button}<span>{escape(label)}</span></label>'


class DisplayText(Element):  # type: ignore[misc]
    """A text between the fields, MIP-003's ``none``: plain words, no markup."""

    type = "none"

    def __init__(self, text: str, label: str | None = None) -> None:
        super().__init__(text=text)
        self.label = label

    def to_dict(self) -> dict[str, Any]:
        facts = {"type": self.type, "text": self.text, "label": self.label}
        return disguised(facts, self.render())

    def render(self) -> str:
        legend = markup.legend(self.label) if self.label else ""
        return f"{legend}<p>{escape(self.text or '')}</p>"


def _named(option: InputOption | Mapping[str, Any]) -> tuple[str, str]:
    facts = option if isinstance(option, Mapping) else option.to_dict()
    name = str(facts.get("name") or "")
    return name, str(facts.get("label") or name)


# --- the panel ---------------------------------------------------------------------------------

_OURS: dict[str, Any] = {
    kind.type: kind
    for kind in (
        DisplayText,
        InputColor,
        InputEmail,
        InputHidden,
        InputMonth,
        InputPassword,
        InputRadio,
        InputRange,
        InputSearch,
        InputTel,
        InputUrl,
        InputWeek,
    )
}


def install() -> None:
    """Make Kodosumi's ``Model.model_validate`` of this process rebuild our elements from dicts.

    For the process of a panel. All other elements go to Kodosumi's own; calling it again does
    nothing. ``Model.set_data`` needs no change: it asks the elements.
    """
    stock = Model.__dict__["model_validate"].__func__
    if stock.__module__ == __name__:
        return

    def model_validate(
        cls: type[Any],
        /,
        elms: Sequence[dict[str, Any]],
        errors: Mapping[str, Errors] | None = None,
        **kwargs: Any,
    ) -> Any:
        children: list[Any] = []
        for element in elms:
            own = _rebuilt(undisguised(element), errors or {})
            children += [own] if own else stock(cls, [element], errors).children
        return Model(*children, **kwargs)

    Model.model_validate = classmethod(model_validate)


def _rebuilt(facts: Mapping[str, Any], errors: Mapping[str, Errors]) -> Any:
    """The element of ours with these facts; None if it is none of ours."""
    reasons = errors.get(str(facts.get("name")))
    if Asked.MARK in facts:
        return Asked(facts, error=reasons)
    kind = _OURS.get(str(facts.get("type")))
    if kind is None:
        return None
    said = {key: value for key, value in facts.items() if key != "type"}
    return kind(**said, **({"error": reasons} if reasons else {}))
