"""Pieces of the panel's pages: every text in them is told as text, never as markup."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any

_CONTROL = re.compile(r"<(?:input|textarea|select)\b")


def tag(tag: str, **attributes: Any) -> str:
    """A start tag; True is a bare attribute, None and False are none."""
    written = [
        key if value is True else f'{key}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    ]
    return f"<{' '.join([tag, *written])}>"


def given(value: Any) -> Any:
    """None for an empty text: an empty pattern or bound is none, as in Kodosumi."""
    return None if value == "" else value


def div(style: str, inside: str = "") -> str:
    return f'<div class="{style}">{inside}</div>'


def legend(label: str | None) -> str:
    return f'<legend class="inputs-label">{escape(label or "")}</legend>'


def errors(told: Sequence[str] | None, style: str | None = None) -> str:
    if not told:
        return ""
    return f"{tag('span', **{'class': 'error', 'style': style})}{escape(' '.join(told))}</span>"


ALONE = "background:none!important;color:var(--error)!important;font-size:.75rem;padding:0 1rem"
"""Of an error that is in no field: as it would look there. The panel's CSS makes it a banner."""


def with_attributes(page: str, **attributes: Any) -> str:
    """The page with further attributes on its first control."""
    bare = tag("x", **{key: given(value) for key, value in attributes.items()})[2:-1]
    return _CONTROL.sub(lambda found: f"{found[0]}{bare}", page, count=1)


def told(text: str | None) -> str:
    """A line of explanation under a field."""
    return f'<p class="small-text">{escape(text)}</p>' if text else ""
