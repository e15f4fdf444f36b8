"""From dicts to elements: in a panel, of a form, and from a MIP-003 schema."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from kodosumi.service.inputs.forms import Model, Submit

from masumi_sumi.flows import Form, form_elements, schema_elements, undisguised
from masumi_sumi.runtime.elements import more, own
from masumi_sumi.runtime.elements.safe_render import render_elements

log = logging.getLogger(__name__)

KINDS: dict[str, Any] = {
    kind.type: kind
    for kind in (
        own.Choices,
        own.DisplayText,
        own.InputColor,
        own.InputEmail,
        own.InputHidden,
        own.InputMonth,
        own.InputPassword,
        own.InputRadio,
        own.InputRange,
        own.InputSearch,
        own.InputTel,
        own.InputUrl,
        own.InputWeek,
        more.Checkbox,
        more.InputArea,
        more.InputCheckbox,
        more.InputDate,
        more.InputDateTime,
        more.InputFiles,
        more.InputNumber,
        more.InputText,
        more.InputTime,
        more.Select,
    )
}

OURS = tuple(KINDS.values())


def install() -> None:
    """Make Kodosumi's ``Model.model_validate`` of this process rebuild our elements from dicts,
    and its ``Model.render`` show every text as text.

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
        errors: Mapping[str, list[str]] | None = None,
        **kwargs: Any,
    ) -> Any:
        children: list[Any] = []
        for element in elms:
            facts = undisguised(element)
            kind = KINDS.get(str(facts.get("type")))
            carried = facts is not element
            if kind is None or (issubclass(kind, more.More) and not carried):
                children += stock(cls, [element], errors).children
            elif carried and not _is_genuine(element, facts):
                log.error("markup that imitates a field is shown as markup")
                children += stock(cls, [element], errors).children
            else:
                children.append(_rebuilt(facts, errors or {}))
        return Model(*children, **kwargs)

    def render(self: Any) -> str:
        return render_elements(self.children, OURS)

    Model.model_validate = classmethod(model_validate)
    Model.render = render


def _is_genuine(element: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Tell whether the HTML is the whole of what an element of ours with these facts is.

    The end of an author's own HTML can be a buyer's text: it must not become a field of a form.
    """
    try:
        return bool(_rebuilt(facts, {}).to_dict() == dict(element))
    except (TypeError, ValueError, AttributeError):
        return False


def _rebuilt(facts: Mapping[str, Any], errors: Mapping[str, list[str]]) -> Any:
    """The element of ours with these facts."""
    said = {key: deepcopy(value) for key, value in facts.items() if key != "type"}
    reasons = errors.get(str(facts.get("name")))
    return KINDS[facts["type"]](**said, **({"error": reasons} if reasons else {}))


def elements_of(form: Form) -> list[Any]:
    """The fields of a model's form, as ``flows.read_form`` reads them back."""
    return [_rebuilt(facts, {}) for facts in form_elements(form)]


def from_schema(schema: Any, submit: str = "Submit") -> Model:
    """A form that asks what a MIP-003 schema asks, with a button.

    Of a schema that one of our flows has served it makes a form with the same schema. Raises
    SchemaUnreadable.
    """
    elements = [_rebuilt(facts, {}) for facts in schema_elements(schema)]
    return Model(*elements, Submit(submit))
