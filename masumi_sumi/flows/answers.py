"""One answer of a buyer, a JSON value, as the text that an HTML form posts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from masumi_sumi.errors import FieldsInvalid
from masumi_sumi.flows.attachments import MOST_FILES, url_faults
from masumi_sumi.flows.choices import joined
from masumi_sumi.flows.forms import Field
from masumi_sumi.flows.kinds import CHOSEN, NUMERIC, SWITCHES, TEMPORAL, Kind
from masumi_sumi.flows.scales import place, shortest, written
from masumi_sumi.flows.sizes import FIELD_BYTES, is_too_long

_TOLD = 20
_SWITCH = {"on": "on", "true": "on", "off": None, "false": None, "": None}


def unanswered(field: Field, value: Any) -> bool:
    """Whether ``value`` leaves the field as the form shows it: null, and what buyers' forms send
    for a choice, slider, color or file that nobody touched.
    """
    if value is None:
        return True
    if field.kind in CHOSEN:
        return value == [] or (value == "" and not any(c.value == "" for c in field.choices))
    if field.kind in (Kind.FILE, Kind.CHOICES):
        return value in ("", [])
    return value == "" and field.kind in (Kind.RANGE, Kind.COLOR)


def answer(field: Field, value: Any) -> str | None:
    """The posted text; None for what a browser does not post (an unchecked box).

    Raises FieldsInvalid naming the field, when the value's JSON type or the choice is wrong.
    """
    if isinstance(value, str) and is_too_long(field, value):
        raise _refusal(field, f"must have at most {FIELD_BYTES} bytes")
    if isinstance(value, str) and not is_clean(value):
        raise _refusal(field, "must not contain NUL or broken characters")
    return _READERS.get(field.kind, _text)(field, value)


def is_clean(text: str) -> bool:
    """Whether a text can travel: no NUL and no lone surrogate."""
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def _text(field: Field, value: Any) -> str:
    if isinstance(value, str):
        return value.lower() if field.kind is Kind.COLOR else value
    return _number_as_text(field, value, "must be text")


def _hidden(field: Field, value: Any) -> str:
    """What the author put there is no question: a buyer who changed it might set a price."""
    text = _text(field, value)
    if text != field.default:
        raise _refusal(field, "must be left as the schema has it")
    return text


def _number(field: Field, value: Any) -> str:
    return value if isinstance(value, str) else _number_as_text(field, value, "must be a number")


def _number_as_text(field: Field, value: Any, rule: str) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refusal(field, rule)
    text = written(value)
    if text is None:
        raise _refusal(field, "must be a finite number")
    return text


def _moment(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise _refusal(field, "must be text")
    if place(field.kind, value) is None:
        return value
    return shortest(field.kind, value)


def _switch(field: Field, value: Any) -> str | None:
    if isinstance(value, bool):
        return "on" if value else None
    if not isinstance(value, str) or value.lower() not in _SWITCH:
        raise _refusal(field, "must be true or false")
    return _SWITCH[value.lower()]


def _choice(field: Field, value: Any) -> str:
    """Numbers are positions from 0, alone or as a list of one; words are labels, or else the
    form's own values. A word is never a position, so ``"1"`` means the choice called 1.
    """
    if isinstance(value, list):
        if len(value) != 1:
            raise _refusal(field, "must be one choice")
        value = value[0]
    if isinstance(value, str):
        return _by_word(field, value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise _refusal(field, "must be a choice by its position or its label")
    if not 0 <= value < len(field.choices):
        raise _refusal(field, f"has no choice at this position: 0 to {len(field.choices) - 1}")
    return field.choices[int(value)].value


def _choices(field: Field, value: Any) -> str:
    """Each as one choice; alone, without a list, too."""
    listed = value if isinstance(value, list) else [value]
    chosen = [_choice(field, each) for each in listed]
    if len(set(chosen)) != len(chosen):
        raise _refusal(field, "must not name a choice twice")
    return joined(field, chosen)


def _by_word(field: Field, word: str) -> str:
    labelled = [choice.value for choice in field.choices if choice.label == word]
    named = [choice.value for choice in field.choices if choice.value == word]
    if labelled or named:
        return [*labelled, *named][0]
    labels = [choice.label for choice in field.choices]
    more = ", ..." if len(labels) > _TOLD else ""
    raise _refusal(field, f"must be one of: {', '.join(labels[:_TOLD])}{more}")


def _file(field: Field, value: Any) -> str:
    """URLs, one a line."""
    urls = value if isinstance(value, list) else [value]
    if not all(isinstance(url, str) for url in urls):
        raise _refusal(field, "must be a URL, or a list of URLs")
    if len(urls) > (MOST_FILES if field.many else 1):
        raise _refusal(
            field, f"must be at most {MOST_FILES} files" if field.many else "must be one file"
        )
    reasons = [reason for url in urls for reason in url_faults(field, url)]
    if reasons:
        raise _refusal(field, reasons[0])
    return "\n".join(urls)


def _refusal(field: Field, reason: str) -> FieldsInvalid:
    return FieldsInvalid({field.name: [reason]})


_READERS: dict[Kind, Callable[[Field, Any], str | None]] = {
    Kind.FILE: _file,
    Kind.HIDDEN: _hidden,
    **dict.fromkeys(SWITCHES, _switch),
    Kind.CHOICES: _choices,
    **dict.fromkeys(NUMERIC, _number),
    **dict.fromkeys(TEMPORAL, _moment),
    **dict.fromkeys(CHOSEN, _choice),
}
