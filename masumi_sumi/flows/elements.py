"""The border: Kodosumi's elements, as ``Model.get_model()`` lists them, read into a Form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from itertools import count
from textwrap import dedent
from typing import Any

import regex

from masumi_sumi.flows.choices import boxes
from masumi_sumi.flows.disguise import undisguised
from masumi_sumi.flows.forms import Choice, Field, Form, Note
from masumi_sumi.flows.kinds import CHOSEN, NUMERIC, ONE_LINE, SWITCHES, TEXTUAL, Kind
from masumi_sumi.flows.scales import BOUNDLESS, Limit, Scale, place, written
from masumi_sumi.flows.untouched import untouched

Element = Mapping[str, Any]

_ALIASES = {"option": Kind.SELECT, "string": Kind.TEXT}
_NOTES = {"markdown", "html", "none"}
_SILENT = {"hr", "break", "errors", "cancel", "submit"}
_BOUNDS = {
    Kind.NUMBER: ("min_value", "max_value"),
    Kind.RANGE: ("min_value", "max_value"),
    Kind.DATE: ("min_date", "max_date"),
    Kind.TIME: ("min_time", "max_time"),
    Kind.DATETIME: ("min_datetime", "max_datetime"),
    Kind.MONTH: ("min_month", "max_month"),
    Kind.WEEK: ("min_week", "max_week"),
}
_TITLE = 80


def read_form(elements: Sequence[Element]) -> Form:
    """Shape of ``elements``: ``[{"type": "text", "name": "city", "label": "City", ...}, ...]``.

    Of elements that share a name the first counts, as in the panel; fields without a name or
    without anything to choose are never posted by it and are left out. A type nobody knows is
    asked as text; an element that HTML disguises is read as itself. Buttons (``action``) that
    share a name are one field: the one to press. Boxes of several choices are those choices.
    """
    elements = [undisguised(element) for element in elements]
    items = list(_items(elements))
    names = {item.name if isinstance(item, Field) else item.id for item in items}
    submit = any(_submits(element) for element in elements)
    return _settled(Form(_numbered(items, names), submit))


def _items(elements: Sequence[Element]) -> Iterator[Field | Note]:
    seen: set[str] = set()
    for element in elements:
        kind, name = _text(element.get("type")), _text(element.get("name"))
        if kind in _NOTES and name not in seen:
            seen |= {name} - {""}
            yield from _note(element)
        elif name and name not in seen and kind not in _SILENT | _NOTES:
            seen.add(name)
            fields = _button(name, elements) if kind == "action" else _field(name, element)
            for field in fields:
                seen |= set(boxes(field)) if field.kind is Kind.CHOICES else set()
                yield field


def _numbered(items: Sequence[Field | Note], names: set[str]) -> tuple[Field | Note, ...]:
    """Notes without a name get the ids note_1, note_2, ... in their order, beside all names."""
    free = (f"note_{number}" for number in count(1) if f"note_{number}" not in names)
    return tuple(
        replace(item, id=next(free)) if isinstance(item, Note) and not item.id else item
        for item in items
    )


def _submits(element: Element) -> bool:
    kind = element.get("type")
    return kind == "submit" or (kind == "action" and not element.get("name"))


def _settled(form: Form) -> Form:
    """A form without a submit button is sent by its named one: a single one need not be told."""
    if form.submit or len(form.buttons) != 1:
        return form
    (button,) = form.buttons
    sole = button.choices[0].value if len(button.choices) == 1 else None
    told = replace(button, default=sole, required=sole is None)
    return replace(form, items=tuple(told if item is button else item for item in form.items))


# --- notes and buttons -------------------------------------------------------------------------


def _note(element: Element) -> Iterator[Note]:
    text = dedent(_text(element.get("text"))).strip()
    if element.get("type") == "html":
        text = _plain(text)
    title = _text(element.get("label")).strip() or text.partition("\n")[0].strip(" #*_`>-\t\r")
    if text:
        yield Note(_text(element.get("name")), title[:_TITLE] or "Note", text)


class _Words(HTMLParser):
    """Collects what a reader of the page sees."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.hidden += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("script", "style") and self.hidden > 0

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.words += data.split()


def _plain(html: str) -> str:
    words = _Words()
    words.feed(html)
    words.close()
    return " ".join(words.words)


def _button(name: str, elements: Sequence[Element]) -> Iterator[Field]:
    pressed = [e for e in elements if e.get("type") == "action" and _text(e.get("name")) == name]
    pairs = [(_text(e.get("value")), _text(e.get("text"))) for e in pressed]
    label = pairs[0][1].strip() if len(pairs) == 1 else ""
    yield Field(Kind.BUTTON, name, label or name, default=None, choices=_unique(pairs))


def _unique(pairs: Iterable[tuple[str, str]]) -> tuple[Choice, ...]:
    """Labels that MIP-003 can carry: not empty, no two alike."""
    choices: dict[str, Choice] = {}
    for value, label in pairs:
        plain = label.strip() or value.strip() or "-"
        variants = (f"{plain} ({number})" for number in count(2))
        free = plain if plain not in choices else next(v for v in variants if v not in choices)
        choices[free] = Choice(value, free)
    return tuple(choices.values())


# --- fields ------------------------------------------------------------------------------------


def _field(name: str, element: Element) -> Iterator[Field]:
    kind = _kind(_text(element.get("type")))
    counted = kind in TEXTUAL or kind is Kind.CHOICES
    chosen = kind in CHOSEN or kind is Kind.CHOICES
    field = Field(
        kind=kind,
        name=name,
        label=_text(element.get("label")).strip() or name,
        required=bool(element.get("required")) and kind is not Kind.HIDDEN,
        placeholder=_text(element.get("placeholder")),
        description=_description(kind, element),
        caption=_text(element.get("option")).strip() if kind is Kind.CHECKBOX else "",
        min_length=_count(element.get("min_length")) if counted else None,
        max_length=_count(element.get("max_length")) if counted else None,
        width=_count(element.get("size")) if kind in TEXTUAL else None,
        pattern=_pattern(element.get("pattern")) if kind in ONE_LINE else None,
        scale=_scale(kind, element) if kind in _BOUNDS else BOUNDLESS,
        choices=_unique(map(_option, _options(element))) if chosen else (),
        accept=_text(element.get("accept")).strip() if kind is Kind.FILE else "",
        many=kind is Kind.FILE and bool(element.get("multiple") or element.get("directory")),
    )
    if kind is Kind.CHOICES:
        field = _answerable(field)
    if field.choices or not chosen:
        yield replace(field, default=untouched(field, _value(kind, element)))


def _answerable(field: Field) -> Field:
    """Nobody can choose more than there is, or more than may be chosen."""
    most = min(len(field.choices), field.max_length or len(field.choices))
    return replace(field, min_length=min(field.min_length, most) if field.min_length else None)


def _kind(named: str) -> Kind:
    try:
        return _ALIASES.get(named) or Kind(named)
    except ValueError:
        return Kind.TEXT


def _description(kind: Kind, element: Element) -> str:
    option = _text(element.get("option")).strip() if kind is Kind.BOOLEAN else ""
    return (option if option != "on" else "") or _text(element.get("description")).strip()


def _value(kind: Kind, element: Element) -> str | None:
    """The form's value. The flag of an option does not count: the panel ignores it, and Kodosumi
    leaves it where the last caller's choice was.
    """
    value = element.get("value")
    if kind in SWITCHES:
        return "on" if value else None
    return None if value is None else _text(value)


def _options(element: Element) -> list[Element]:
    options = element.get("option")
    listed = options if isinstance(options, list | tuple) else ()
    return [option for option in listed if isinstance(option, Mapping)]


def _option(option: Element) -> tuple[str, str]:
    label, value = _text(option.get("label")), option.get("name")
    return label if value is None else _text(value), label


def _pattern(value: Any) -> regex.Pattern[str] | None:
    """A browser ignores a pattern it cannot read, and so do we where Python cannot."""
    try:
        return regex.compile(_text(value), regex.ASCII) if value else None
    except (regex.error, ValueError, OverflowError, RecursionError):
        return None


def _scale(kind: Kind, element: Element) -> Scale:
    """HTML's rules: numbers go in steps of 1 and times in minutes unless the form says otherwise,
    counted from the lower bound or else from the form's value; a range spans 0 to 100, and ends
    where it begins rather than before.
    """
    lowest, highest = ("0", "100") if kind is Kind.RANGE else ("", "")
    low = _limit(kind, element.get(_BOUNDS[kind][0]), lowest)
    high = _limit(kind, element.get(_BOUNDS[kind][1]), highest)
    if kind is Kind.RANGE and low and high and high.place < low.place:
        high = low
    if kind not in NUMERIC and kind not in (Kind.TIME, Kind.DATETIME):
        return Scale(kind, low, high)
    start = low or _limit(kind, element.get("value"), "")
    base = start.place if start else Fraction(0)
    return Scale(kind, low, high, _step(kind, element.get("step")), base)


def _limit(kind: Kind, value: Any, fallback: str) -> Limit | None:
    text = _text(value) or fallback
    at = place(kind, text)
    return None if at is None else Limit(text, at)


def _step(kind: Kind, value: Any) -> Fraction | None:
    if value == "any":
        return None
    step = place(Kind.NUMBER, _text(value))
    return step if step and step > 0 else Fraction(1 if kind in NUMERIC else 60)


# --- JSON values -------------------------------------------------------------------------------


def _text(value: Any) -> str:
    """A JSON value as an HTML attribute carries it; nothing for null, lists and objects."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return written(value) or ""


def _count(value: Any) -> int | None:
    at = place(Kind.NUMBER, _text(value))
    return int(at) if at is not None and at > 0 and at.denominator == 1 else None
