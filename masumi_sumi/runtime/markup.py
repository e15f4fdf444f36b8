"""HTML of form elements, as the panel's style sheet wants it."""

from __future__ import annotations

from html import escape
from typing import Any


def tag(name: str, /, **attributes: Any) -> str:
    """A start tag; True is a bare attribute, None and False are none."""
    written = [
        key if value is True else f'{key}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    ]
    return f"<{' '.join([name, *written])}>"


def given(value: Any) -> Any:
    """None for an empty text: an empty pattern or bound is none, as in Kodosumi."""
    return None if value == "" else value


def div(style: str, inside: str = "") -> str:
    return f'<div class="{style}">{inside}</div>'


def legend(label: str | None) -> str:
    return f'<legend class="inputs-label">{escape(label or "")}</legend>'


def errors(reasons: list[str] | None, style: str | None = None) -> str:
    if not reasons:
        return ""
    return f"{tag('span', **{'class': 'error', 'style': style})}{escape(' '.join(reasons))}</span>"


ALONE = "background:none!important;color:var(--error)!important;font-size:.75rem;padding:0 1rem"
"""Of an error that is in no field: as it would look there. The panel's CSS makes it a banner."""
