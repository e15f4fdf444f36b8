"""The elements that ask what a MIP-003 schema asks: the way back from a schema to a form.

``mip003_schema(read_form(schema_elements(schema)))`` is the schema again where it is one of ours:
rules that it tells as sentences of a description are rules again. (A single choice that starts at
none and may be left out, such as a button, becomes a select, which starts at one.)
Of another agent's schema it is the nearest that a form can ask: text that must be an email or a
URL is a field of that type, and ``string`` is text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import count
from typing import Any

from masumi_sumi.flows.choices import box
from masumi_sumi.flows.elements import read_form
from masumi_sumi.flows.kinds import Kind
from masumi_sumi.flows.questions import (
    CHOICES,
    MOMENTS,
    NUMBERS,
    SWITCHES,
    TEXTS,
    Bound,
    Question,
    SchemaUnreadable,
    Type,
    read_schema,
)
from masumi_sumi.flows.remarks import described, readings
from masumi_sumi.flows.scales import number_text, place, written

Facts = dict[str, Any]

_NARROWER = {"email": Type.EMAIL, "url": Type.URL}
_BEYOND = 2**53
"""No bound that MIP-003 can carry: where a schema has none, and HTML wants one."""

_STEPS = 100
_WITHOUT_PLACEHOLDER = frozenset(
    {Type.RADIO, Type.CHECKBOX, Type.RANGE, Type.COLOR, Type.FILE, Type.HIDDEN, Type.NONE}
)
_BOUNDS = {
    Type.DATE: "date",
    Type.TIME: "time",
    Type.DATETIME: "datetime",
    Type.MONTH: "month",
    Type.WEEK: "week",
}


def schema_elements(schema: Any) -> list[Facts]:
    """Elements in Kodosumi's dict form, with the facts that its own types lack beside them.

    Groups are asked one after the other, and several choices have a box each. Raises
    SchemaUnreadable, also for ids that are not unique.
    """
    form = read_schema(schema)
    if not form.unmixed:
        raise SchemaUnreadable("two of its groups ask for the same field")
    asked = [question for question in form.questions if _can_be_asked(question)]
    elements = [element for question in asked for element in _elements(question)]
    names = [element["name"] for element in elements]
    if len(names) != len(set(names)):
        raise SchemaUnreadable("one of its fields is called as a choice of another")
    return elements


def _can_be_asked(question: Question) -> bool:
    return question.type is not Type.HIDDEN or bool(question.value)


def _elements(question: Question) -> Iterator[Facts]:
    yield _told(question)
    if _is_of_several(question):
        for word in question.values:
            ticked = word in _worded_all(question.default)
            about = {"type": "boolean", "name": box(question.id, word), "option": word}
            yield about | ({"value": True} if ticked else {})


def _told(question: Question) -> Facts:
    """With the rules of its description, as far as the form will tell them in the same words."""
    for reading in reversed(readings(question)[1:]):
        element = _element(reading)
        form = read_form([element])
        if [described(field, form) for field in form.fields] == [question.description]:
            return element
    return _element(question)


def _element(question: Question) -> Facts:
    about = {"name": question.id, "label": question.name, "required": question.required}
    if question.type not in _WITHOUT_PLACEHOLDER:
        about["placeholder"] = question.placeholder
    if question.asks:
        about["description"] = question.description
    known = {"type": question.type.value} | about | _READERS[question.type](question)
    return {name: fact for name, fact in known.items() if fact not in (None, "", False)}


def _text(question: Question) -> Facts:
    narrower = [_NARROWER[each] for each in sorted(question.formats) if each in _NARROWER]
    facts: Facts = {
        "min_length": _length(question.low),
        "max_length": _length(question.high),
        "pattern": question.pattern,
    }
    if question.type is not Type.PASSWORD:
        facts["value"] = _worded(question.default)
    return facts | ({"type": narrower[0].value} if narrower else {})


def _number(question: Question) -> Facts:
    at = place(Kind.NUMBER, _worded(question.default))
    whole = "integer" in question.formats
    low = question.low.text if question.low else ""
    if whole and not low and at is not None and at.denominator != 1:
        low = str(-_BEYOND)  # else the steps would be counted from the default
    return {
        "value": "" if at is None else number_text(at),
        "step": _number_step(question.step, whole),
        "min_value": low,
        "max_value": question.high.text if question.high else "",
    }


def _number_step(step: Fraction | None, whole: bool) -> str:
    if step is None or (whole and step.denominator != 1):
        return "1" if whole else "any"
    return number_text(step)


def _range(question: Question) -> Facts:
    """A slider has bounds: where the schema tells none, they are where it could tell none."""
    at, step = place(Kind.NUMBER, _worded(question.default)), question.step
    high = question.high.place if question.high else None
    low = question.low.text if question.low else _low(at or Fraction(0), step)
    return {
        "value": "" if at is None else number_text(at),
        "step": "any" if step is None else number_text(step),
        "min_value": low,
        "max_value": question.high.text if question.high and high is not None else str(_BEYOND),
    }


def _low(at: Fraction, step: Fraction | None) -> str:
    """A bound below zero from which steps lead to ``at``, as far as doubles can tell."""
    if step is None:
        return number_text(min(at, Fraction(0)) - 1)
    first = max(_STEPS, at // step + 1)
    for steps in count(first):
        low = number_text(at - steps * step)
        there = (place(Kind.NUMBER, low) or 0) + steps * step
        if number_text(there) == number_text(at) or steps > first + _STEPS:
            return low
    raise AssertionError("counting ends")


def _moment(question: Question) -> Facts:
    name = _BOUNDS[question.type]
    return {
        "value": _worded(question.default),
        f"min_{name}": question.low.text if question.low else "",
        f"max_{name}": question.high.text if question.high else "",
        **_seconds(question),
    }


def _seconds(question: Question) -> Facts:
    if question.step is None or question.type not in (Type.TIME, Type.DATETIME):
        return {}
    return {"step": number_text(question.step)}


def _switch(question: Question) -> Facts:
    if question.type is Type.CHECKBOX:
        return {"value": question.default is True, "option": question.label}
    return {"value": question.default is True}


def _choice(question: Question) -> Facts:
    options = [{"type": "option", "name": word, "label": word} for word in question.values]
    if _is_of_several(question):
        bounds = {"min_length": _length(question.low), "max_length": _length(question.high)}
        chosen = [word for word in question.values if word in _worded_all(question.default)]
        value = json.dumps(chosen, ensure_ascii=False) if chosen else ""
        return {"type": Kind.CHOICES.value, "option": options, "value": value, **bounds}
    radio = question.type is Type.RADIO
    value = next(map(_worded, _worded_all(question.default)), "")
    return {"type": "radio" if radio else "select", "option": options, "value": value}


def _is_of_several(question: Question) -> bool:
    """Also of one at most: a choice that may be left out has no first one to start at."""
    none = question.low is not None and question.low.place == 0
    return question.many or (question.type is Type.OPTION and none)


def _worded_all(default: Any) -> list[Any]:
    return default if isinstance(default, list) else [default]


def _color(question: Question) -> Facts:
    return {"value": _worded(question.default)}


def _file(question: Question) -> Facts:
    many = question.high is None or question.high.place > 1
    return {"accept": question.accept, "multiple": many}


def _hidden(question: Question) -> Facts:
    return {"value": question.value, "description": ""}


def _note(question: Question) -> Facts:
    return {"text": question.description or question.name}


def _worded(value: Any) -> str:
    """A default as an HTML attribute; nothing for what is neither text nor number."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return written(value) or ""


def _length(bound: Bound | None) -> int | None:
    return int(bound.place) if bound is not None and bound.place.denominator == 1 else None


_READERS: dict[Type, Callable[[Question], Facts]] = {
    **dict.fromkeys(TEXTS, _text),
    **dict.fromkeys(NUMBERS, _number),
    **dict.fromkeys(MOMENTS, _moment),
    **dict.fromkeys(SWITCHES, _switch),
    **dict.fromkeys(CHOICES, _choice),
    Type.RANGE: _range,
    Type.COLOR: _color,
    Type.FILE: _file,
    Type.HIDDEN: _hidden,
    Type.NONE: _note,
}
