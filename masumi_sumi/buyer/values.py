"""A buyer's answers by the schema's own rules, as they go over the wire.

Text is text, numbers and switches are JSON's own, choices are lists of positions from 0, files
are URLs. Every refusal is a FieldsInvalid that names its fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any
from urllib.parse import urlsplit

from masumi_sumi.errors import FieldsInvalid
from masumi_sumi.flows.answers import is_clean
from masumi_sumi.flows.forms import Field
from masumi_sumi.flows.kinds import Kind
from masumi_sumi.flows.questions import (
    CHOICES,
    MOMENTS,
    NUMBERS,
    SWITCHES,
    TEXTS,
    Form,
    Question,
    Type,
)
from masumi_sumi.flows.rules import faults
from masumi_sumi.flows.scales import FORMATS, GREATEST_WHOLE, Limit, Scale, place, written

_TELEPHONE = re.compile(r"\+?[0-9(][0-9 ()./-]{2,30}")
_YES = {"yes", "y", "true", "on", "1"}
_NO = {"no", "n", "false", "off", "0"}
_MOST_FILES = 100


def answers(form: Form, given: Mapping[str, Any]) -> dict[str, Any]:
    """All that is sent, in the form's order: ``given`` by field id, in wire or in plain words.

    Hidden fields get their value; a required field that is left out gets its default, an optional
    one stays out. Raises FieldsInvalid with every reason of every field.
    """
    asked = {question.id for question in form.questions}
    errors = {name[:100]: ["unknown field"] for name in given if name not in asked}
    sent: dict[str, Any] = {}
    for question in form.questions:
        try:
            value = _answer(question, given.get(question.id))
        except FieldsInvalid as refusal:
            errors |= {name: list(reasons) for name, reasons in refusal.errors.items()}
        else:
            sent |= {} if value is None else {question.id: value}
    if errors:
        raise FieldsInvalid(errors)
    return sent


def missing(form: Form, given: Mapping[str, Any]) -> list[Question]:
    """The required questions that ``given`` does not answer and that have no usable default."""
    return [q for q in form.questions if q.required and _bare(q, given) and default(q) is None]


def settled(question: Question, value: Any) -> Any:
    """The wire value of an answer; None where it is empty. Raises FieldsInvalid."""
    if value is None or value in ("", []):
        return None
    if isinstance(value, str) and not is_clean(value):
        raise _refusal(question, "must not contain NUL or broken characters")
    return _READERS[question.type](question, value)


def typed(question: Question, text: str) -> Any:
    """What a human typed, as the wire value; None for nothing. Raises FieldsInvalid."""
    if question.type not in TEXTS:
        text = text.strip()
    if not text:
        return None
    if question.type in NUMBERS:
        return settled(question, _number_of(text))
    if question.type in SWITCHES:
        return settled(question, _switch_of(text))
    if question.type in CHOICES or question.type is Type.FILE:
        return settled(question, _list_of(question, text))
    return settled(question, text)


def default(question: Question) -> Any:
    """The wire value of the agent's default, or None where it has none that its rules allow."""
    try:
        return settled(question, question.default)
    except FieldsInvalid:
        return None


def words(question: Question, value: Any) -> str:
    """An answer for people to read."""
    if question.type is Type.PASSWORD:
        return "•" * 8
    if question.type in CHOICES:
        return ", ".join(question.values[position] for position in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else str(value)


def _answer(question: Question, value: Any) -> Any:
    if question.type is Type.HIDDEN and value is None:
        return question.value or None
    answer = settled(question, value)
    if answer is None and question.required:
        answer = default(question)
        if answer is None:
            raise _refusal(question, "is required")
    return answer


def _bare(question: Question, given: Mapping[str, Any]) -> bool:
    return given.get(question.id) in (None, "", [])


# --- JSON by type ------------------------------------------------------------------------------


def _text(question: Question, value: Any) -> str:
    if not isinstance(value, str):
        raise _refusal(question, "must be text")
    kinds = [Kind(question.type)]
    kinds += [Kind(each) for each in ("email", "url") if each in question.formats]
    low, high = (int(b.place) if b else None for b in (question.low, question.high))
    reasons: dict[str, None] = {}
    for kind in kinds:
        field = Field(kind, question.id, question.name, min_length=low, max_length=high)
        reasons |= dict.fromkeys(faults(field, value))
    if "nonempty" in question.formats and not value.strip():
        reasons["must not be empty"] = None
    if "tel-pattern" in question.formats and not _TELEPHONE.fullmatch(value):
        reasons["must be a telephone number"] = None
    return _unless(question, list(reasons), value)


def _number(question: Question, value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refusal(question, "must be a number")
    text = written(value)
    at = place(Kind.NUMBER, text) if text is not None else None
    if at is None:
        raise _refusal(question, "must be a number of a sane size")
    low, high = (Limit(b.text, b.place) if b else None for b in (question.low, question.high))
    base = low.place if low else Fraction(0)
    reasons = list(Scale(Kind.NUMBER, low, high, question.step, base).faults(at))
    if "integer" in question.formats and at.denominator != 1:
        reasons.append("must be a whole number")
    return _unless(question, reasons, _plain(at, value))


def _plain(at: Fraction, value: int | float) -> int | float:
    """Whole numbers without a fraction: JavaScript, and so its hash, knows no other."""
    return int(at) if at.denominator == 1 and abs(at) <= GREATEST_WHOLE else value


def _moment(question: Question, value: Any) -> str:
    if not isinstance(value, str):
        raise _refusal(question, "must be text")
    kind = Kind(question.type)
    at = place(kind, value)
    if at is None:
        raise _refusal(question, FORMATS[kind])
    low, high = (Limit(b.text, b.place) if b else None for b in (question.low, question.high))
    return _unless(question, list(Scale(kind, low, high).faults(at)), value)


def _switch(question: Question, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _refusal(question, "must be true or false")
    return value


def _color(question: Question, value: Any) -> str:
    text = value.lower() if isinstance(value, str) else ""
    field = Field(Kind.COLOR, question.id, question.name)
    return _unless(question, list(faults(field, text)) if text else ["must be text"], text)


def _choice(question: Question, value: Any) -> list[int]:
    given = value if isinstance(value, list) else [value]
    positions = [_position(question, each) for each in given]
    least = int(question.low.place) if question.low else 1
    most = int(question.high.place) if question.high else len(question.values)
    most = most if question.type is Type.OPTION else 1
    return _unless(question, list(_counted(positions, least, most)), positions)


def _counted(positions: list[int], least: int, most: int) -> Iterator[str]:
    if len(set(positions)) != len(positions):
        yield "takes each choice once"
    if len(positions) < least:
        yield f"must have at least {least} choices"
    if len(positions) > most:
        yield "must be one choice" if most == 1 else f"must have at most {most} choices"


def _position(question: Question, value: Any) -> int:
    if isinstance(value, str) and value in question.values:
        return question.values.index(value)
    if isinstance(value, bool) or not isinstance(value, int):
        shown = ", ".join(question.values[:20])
        raise _refusal(question, f"must be one of: {shown}")
    if not 0 <= value < len(question.values):
        reason = f"has no choice at this position: 0 to {len(question.values) - 1}"
        raise _refusal(question, reason)
    return value


def _file(question: Question, value: Any) -> str | list[str]:
    urls = value if isinstance(value, list) else [value]
    if not all(isinstance(url, str) and _is_web(url) for url in urls) or len(urls) > _MOST_FILES:
        raise _refusal(question, "must be a URL (http or https), or a list of such URLs")
    low, high = (int(b.place) if b else None for b in (question.low, question.high))
    reasons = []
    if low is not None and len(urls) < low:
        reasons.append(f"must have at least {low} files")
    if high is not None and len(urls) > high:
        reasons.append(f"must have at most {high} files")
    return _unless(question, reasons, urls if isinstance(value, list) else str(value))


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    plain = url.isprintable() and not any(char.isspace() for char in url)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and plain


def _hidden(question: Question, value: Any) -> str:
    if value != question.value:
        raise _refusal(question, "is the agent's own and cannot be changed")
    return question.value


def _nothing(question: Question, value: Any) -> Any:
    raise _refusal(question, "takes no value")


_READERS: dict[Type, Callable[[Question, Any], Any]] = {
    **dict.fromkeys(TEXTS, _text),
    **dict.fromkeys(NUMBERS, _number),
    **dict.fromkeys(MOMENTS, _moment),
    **dict.fromkeys(SWITCHES, _switch),
    **dict.fromkeys(CHOICES, _choice),
    Type.COLOR: _color,
    Type.FILE: _file,
    Type.HIDDEN: _hidden,
    Type.NONE: _nothing,
}


# --- words by type -----------------------------------------------------------------------------


def _number_of(text: str) -> Any:
    at = place(Kind.NUMBER, text)
    if at is None:
        return text
    return _plain(at, float(at))


def _switch_of(text: str) -> Any:
    word = text.lower()
    return True if word in _YES else False if word in _NO else text


def _list_of(question: Question, text: str) -> Any:
    """One word or URL, a JSON list, or several separated by commas (words) or spaces (URLs)."""
    if text in question.values:
        return text
    if text.startswith("["):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return text
        return found if isinstance(found, list) else text
    if question.type is Type.FILE:
        urls = text.split()
        return urls if len(urls) > 1 else text
    several = [word.strip() for word in text.split(",")]
    return several if len(several) > 1 else text


def _unless[T](question: Question, reasons: list[str], value: T) -> T:
    if reasons:
        raise FieldsInvalid({question.id: reasons})
    return value


def _refusal(question: Question, reason: str) -> FieldsInvalid:
    return FieldsInvalid({question.id: [reason]})
