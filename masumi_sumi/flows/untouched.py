"""What a browser posts for a field that nobody touched."""

from __future__ import annotations

import re
from fractions import Fraction
from math import floor

from masumi_sumi.flows.choices import joined, split
from masumi_sumi.flows.forms import Field
from masumi_sumi.flows.kinds import CHOSEN, NUMERIC, ONE_LINE, SWITCHES, TEMPORAL, Kind
from masumi_sumi.flows.scales import Scale, number_text, place, shortest

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


def untouched(field: Field, value: str | None) -> str | None:
    """The posted text, from the form's ``value``; None where a browser posts nothing.

    As HTML has it: a select starts at its first option (a required one at none), a range in its
    middle, a color at black, and a value that its kind cannot read counts as none.
    """
    if field.kind in SWITCHES | CHOSEN:
        return _chosen(field, value)
    if field.kind is Kind.FILE:
        return ""  # an upload of somebody else is no default
    text = value or ""
    if field.kind is Kind.CHOICES:
        return joined(field, split(text))
    if field.kind is Kind.RANGE:
        return _slider(field.scale, place(Kind.RANGE, text))
    if field.kind is Kind.COLOR:
        return text.lower() if _COLOR.fullmatch(text) else "#000000"
    if field.kind in NUMERIC | TEMPORAL:
        return shortest(field.kind, text) if place(field.kind, text) is not None else ""
    return re.sub(r"[\r\n]", "", text) if field.kind in ONE_LINE else text


def _chosen(field: Field, value: str | None) -> str | None:
    if field.kind in SWITCHES or any(choice.value == value for choice in field.choices):
        return value
    starts = field.kind is Kind.SELECT and not field.required
    return field.choices[0].value if starts else None


def _slider(scale: Scale, at: Fraction | None) -> str:
    low = scale.low.place if scale.low else Fraction(0)
    high = max(low, scale.high.place if scale.high else low)
    wanted = min(max(low + (high - low) / 2 if at is None else at, low), high)
    if scale.step is None:
        return number_text(wanted)
    nearest = floor((wanted - scale.base) / scale.step + Fraction(1, 2))
    last = floor((high - scale.base) / scale.step)
    return number_text(scale.base + min(nearest, last) * scale.step)
