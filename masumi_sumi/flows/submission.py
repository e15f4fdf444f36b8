"""A buyer's input as the panel would post it to the flow's own handler."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from masumi_sumi.errors import BodyUnreadable, FieldsInvalid
from masumi_sumi.flows.answers import answer, is_clean, unanswered
from masumi_sumi.flows.attachments import enclosed
from masumi_sumi.flows.choices import split, ticked
from masumi_sumi.flows.forms import Field, Form
from masumi_sumi.flows.kinds import Kind
from masumi_sumi.flows.rules import faults

_LONGEST_NAME = 100
_MOST_STRAYS = 20

Errors = dict[str, list[str]]


def submitted(form: Form, data: Any, *, required: bool = True) -> dict[str, str]:
    """The posted dict, every value a string: what ``dict(await request.form())`` gives the panel.

    ``data`` is an object by field id or a list of ``{"key": ..., "value": ...}``; a plain string
    is the answer to a form of one field; nothing at all is an empty object. What the buyer leaves
    out or sends as null gets what a browser posts for an untouched field: the form's value, a
    select's first option, a slider's middle, ``""`` for an empty text, nothing for an unchecked
    box. So a handler written for the panel finds the keys it finds there, and ``inputs.get(name)``
    is falsy for the same fields as for Kodosumi's JSON callers. The author's own defaults are not
    held against the buyer. A hidden field's value is the form's: nobody sends another one. Files
    are posted as uploads that are still to be fetched: ``attachments`` tells them.

    ``required=False`` leaves required fields and buttons to the author's own validation; all
    other rules stay. Raises FieldsInvalid with every reason of every field, BodyUnreadable if
    ``data`` has none of these shapes.
    """
    sent = _alone(form, data) if isinstance(data, str) else entries(data)
    errors = dict(_strays(form, sent))
    posted: dict[str, str] = {}
    for field in form.fields:
        try:
            text = _posted(field, sent.get(field.name) if field.served else None, required)
        except FieldsInvalid as refusal:
            errors |= {name: list(reasons) for name, reasons in refusal.errors.items()}
        else:
            posted |= _entry(field, text)
    errors |= dict(_unpressed(form, posted, required)) if not errors else {}
    if errors:
        raise FieldsInvalid(errors)
    return enclosed(form, posted)


def _entry(field: Field, text: str | None) -> dict[str, str]:
    if field.kind is Kind.CHOICES:
        return ticked(field, split(text))
    return {} if text is None else {field.name: text}


def _posted(field: Field, value: Any, required: bool) -> str | None:
    untouched = unanswered(field, value)
    text = field.default if untouched else answer(field, value)
    reasons = list(faults(field, text)) if text and not untouched else []
    if required and field.required and not text:
        reasons.append("is required")
    if reasons:
        raise FieldsInvalid({field.name: reasons})
    return text


def _unpressed(form: Form, posted: Mapping[str, str], required: bool) -> Iterator[tuple[str, Any]]:
    """A form is sent by one button: two named ones, or none where no other exists, is not a way
    to send it.
    """
    names = [button.name for button in form.buttons]
    pressed = [name for name in names if name in posted]
    if len(pressed) > 1:
        yield from ((name, ["only one button can be pressed"]) for name in pressed)
    if required and names and not pressed and not form.submit:
        yield from ((name, ["one button must be pressed"]) for name in names)


def _strays(form: Form, sent: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """A text for a note is overlooked: pip masumi's own check of an input wants one."""
    fields = {field.name for field in form.fields if field.served}
    notes = {note.id for note in form.notes}
    for name, value in sent.items():
        if name in notes and not isinstance(value, str | None):
            yield name, ["takes no value"]
    yield from strays(set(sent) - fields - notes).items()


def strays(names: Iterable[str]) -> Errors:
    """What to say of ids that no field has; of many, of the first ones."""
    return {_shown(name): ["unknown field"] for name in sorted(names)[:_MOST_STRAYS]}


def _alone(form: Form, text: str) -> dict[str, Any]:
    """First buyers send a text where there is one thing to say. What nobody fills in, a hidden
    field or a button, does not count.
    """
    asked = [f.name for f in form.fields if f.kind not in (Kind.HIDDEN, Kind.BUTTON)]
    if len(asked) == 1:
        return {asked[0]: text}
    fields = f"the fields {', '.join(asked)}" if asked else "no field"
    raise BodyUnreadable("input_data", f"must be an object: this form has {fields}")


def entries(data: Any) -> dict[str, Any]:
    """The values by field id. Raises BodyUnreadable for what is no object and no list of pairs."""
    if data is None:
        return {}
    if isinstance(data, Mapping):
        return {str(key): value for key, value in data.items()}
    if isinstance(data, list | tuple):
        return _pairs(data)
    raise BodyUnreadable("input_data", "must be an object of values by field id")


def _pairs(data: list[Any] | tuple[Any, ...]) -> dict[str, Any]:
    sent: dict[str, Any] = {}
    twice: Errors = {}
    for entry in data:
        key = entry.get("key") if isinstance(entry, Mapping) else None
        if not isinstance(key, str):
            raise BodyUnreadable("input_data", 'must list objects of "key" and "value"')
        if key in sent:
            twice[_shown(key)] = ["is sent twice"]
        sent[key] = entry.get("value")
    if twice:
        raise FieldsInvalid(twice)
    return sent


def _shown(name: str) -> str:
    """A stranger's key, safe to print and to send back."""
    clean = name if is_clean(name) else name.encode("utf-8", "replace").decode().replace("\0", "?")
    return clean[:_LONGEST_NAME]
