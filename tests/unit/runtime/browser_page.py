"""A form's page as a browser has it, and the form's way to a panel."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

from kodosumi.service.inputs import forms as F


class Browser(HTMLParser):
    """What a browser posts of a page, and which error it shows after which control."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.posts: dict[str, str] = {}
        self.controls: dict[str, dict[str, str | None]] = {}
        self.errors: dict[str, str] = {}
        self.words: list[str] = []
        self._name, self._in_error, self._in_area = "", False, False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self._in_error = tag == "span" and "error" in str(told.get("class")).split()
        if tag in ("input", "textarea", "select") and told.get("name"):
            self._name = str(told["name"])
            self.controls.setdefault(self._name, told)
            ticked = told.get("type") not in ("radio", "checkbox") or "checked" in told
            if ticked and tag != "select":
                self.posts[self._name] = told.get("value", "on" if "checked" in told else "") or ""
        if tag == "option" and ("selected" in told or self._name not in self.posts):
            self.posts[self._name] = told.get("value") or ""
        self._in_area = tag == "textarea"

    def handle_endtag(self, tag: str) -> None:
        self._in_error = self._in_area = False

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self._in_area:
            self.posts[self._name] = data
        if self._in_error:
            self.errors[self._name] = data


def over_http(*elements: Any) -> list[dict[str, Any]]:
    """The dicts of a form as they come to a panel."""
    dicts: list[dict[str, Any]] = json.loads(json.dumps(F.Model(*elements).get_model()))
    return dicts
