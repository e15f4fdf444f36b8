"""What a form posted, as the values that its model validates, and what the model has against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from masumi_sumi.flows.choices import box, joined
from masumi_sumi.flows.kinds import Kind
from masumi_sumi.flows.properties import Property
from masumi_sumi.flows.scales import place

WHOLE_FORM = "_global_"

_ABSENT = object()


def values_of(properties: Iterable[Property], posted: Mapping[str, Any]) -> dict[str, Any]:
    """By field name; without what nobody touched, so that the model's own default stands."""
    values = {asked.field.name: _value(asked, posted) for asked in properties}
    return {name: value for name, value in values.items() if value is not _ABSENT}


def _value(asked: Property, posted: Mapping[str, Any]) -> Any:
    field, sent = asked.field, posted.get(asked.field.name)
    match field.kind:
        case Kind.BOOLEAN:
            return sent is True or sent == "on"
        case Kind.CHOICES:
            return _several(asked, posted)
        case Kind.FILE:
            return _files(asked, sent)
    if sent is None or (asked.optional and sent == field.default):
        return None if asked.nullable and not asked.optional else _ABSENT
    if sent == "":
        return _empty(asked)
    if asked.values and isinstance(sent, str):
        return asked.values.get(sent, sent)
    return _typed(asked, sent)


def _several(asked: Property, posted: Mapping[str, Any]) -> Any:
    field, sent = asked.field, posted.get(asked.field.name)
    if isinstance(sent, list):
        return [asked.values.get(each, each) if isinstance(each, str) else each for each in sent]
    ticked = {text for text in asked.values if posted.get(box(field.name, text)) in (True, "on")}
    if asked.optional and joined(field, ticked) == field.default:
        return _ABSENT
    chosen = [value for text, value in asked.values.items() if text in ticked]
    return chosen or (None if asked.nullable else [])


def _files(asked: Property, sent: Any) -> Any:
    """Kodosumi's app names the files of an upload; they lie in the execution's ``in/``."""
    if not sent:
        return None if asked.nullable and not asked.optional else _ABSENT
    paths = sorted(f"in/{name}" for name in ([sent] if isinstance(sent, str) else sent))
    return paths if asked.many else paths[0]


def _empty(asked: Property) -> Any:
    """An empty text: None where that is a value, else a plain text, else no answer."""
    if asked.nullable:
        return None
    return "" if asked.plain and asked.optional else _ABSENT


def _typed(asked: Property, sent: Any) -> Any:
    """A whole number's text as that; pydantic reads the rest, or has a word for it."""
    if not asked.whole or not isinstance(sent, str):
        return sent
    try:
        return int(sent)
    except ValueError:
        at = place(Kind.NUMBER, sent)
        return int(at) if at is not None and at.denominator == 1 else sent


def reasons(error: ValidationError, names: set[str]) -> dict[str, list[str]]:
    """By field name; what concerns no field alone is of the form as a whole."""
    found: dict[str, list[str]] = {}
    for each in error.errors():
        first = each["loc"][0] if each["loc"] else WHOLE_FORM
        name = str(first) if first in names else WHOLE_FORM
        found.setdefault(name, []).append(_worded(each))
    return found


def _worded(error: Any) -> str:
    if error["type"] == "missing":
        return "is required"
    said = error.get("ctx", {}).get("error")  # what the author's own validator raised
    return (isinstance(said, Exception) and str(said)) or str(error["msg"])
