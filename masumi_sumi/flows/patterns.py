"""Patterns of a model that a form can hold too."""

from __future__ import annotations

import re

import regex

_ESCAPE = r"\\[^A-Za-z0-9]|\\d"
_PORTABLE = re.compile(rf"\^(?:[^\\(|\[]|{_ESCAPE}|\[(?:[^\\\[\]&]|{_ESCAPE})+\])*\$")


def shown_pattern(text: str | None) -> regex.Pattern[str] | None:
    """The pattern, for a form to hold beforehand; the model holds it in any case.

    None for one that browsers, Python and pydantic may read differently, that covers only a part
    of the text, or whose groups could take Python long where they take pydantic no time.
    """
    if not text or not _PORTABLE.fullmatch(text):
        return None
    try:
        return regex.compile(text, regex.ASCII)
    except regex.error:
        return None
