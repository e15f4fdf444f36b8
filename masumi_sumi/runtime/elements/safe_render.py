"""Render a form for the panel, so that no text of an author or a buyer becomes markup.

Kodosumi's own elements write labels, values and errors into their HTML as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from html import escape
from textwrap import dedent
from typing import Any

from kodosumi.service.inputs import forms

from masumi_sumi.html_sanitizer import SafeMarkup, clean_markup, escape_text, render_markdown


class _AttributeText(str):
    """A text that is itself to code, and escaped where it is formatted into a page."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return escape(self)


def render_elements(elements: Sequence[Any], ours: tuple[type[Any], ...]) -> SafeMarkup:
    """Return the HTML of a form. Elements of the classes ``ours`` escape their own texts."""
    return SafeMarkup(
        "\n".join(
            str(each.render()) if isinstance(each, ours) else render_element(each)
            for each in elements
        )
    )


def render_element(element: Any) -> str:
    """Return the HTML of one of Kodosumi's own elements."""
    if isinstance(element, forms.HTML):
        return clean_markup(str(element.text or ""))
    if isinstance(element, forms.Markdown):
        return render_markdown(dedent(str(element.text or "")))
    if isinstance(element, forms.Cancel):  # Kodosumi's is a link to javascript:
        return f'<a class="button" href="#" data-back>{escape_text(element.text or "")}</a>'
    return str(escape_element(element).render())


def escape_element(element: Any) -> Any:
    """Return a copy of an element whose texts are escaped, errors and options included."""
    shown = copy(element)
    for key, value in vars(element).items():
        if key == "error":
            shown.error = [escape_text(each) for each in _as_list(value)]
        elif key == "option" and isinstance(value, list):
            shown.option = [escape_element(each) for each in value]
        elif value is not None and not isinstance(value, bool | int | float):
            # Kodosumi parses a file field's value, and escapes it in one of two places.
            is_file_value = key == "value" and isinstance(element, forms.InputFiles)
            shown.__dict__[key] = _AttributeText(value) if is_file_value else escape_text(value)
    return shown


def _as_list(errors: Any) -> list[Any]:
    if isinstance(errors, list | tuple):
        return list(errors)
    return [errors] if errors else []
