"""Kodosumi's templates and formatter as the gateway uses them: corrected, and safe.

Beside ``panel`` it imports Kodosumi.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from jinja2 import BaseLoader, Environment
from kodosumi.runner.formatter import DefaultFormatter
from kodosumi.service.inputs import outputs

from masumi_sumi.gateway.page_corrections import CORRECTIONS, correct
from masumi_sumi.html_sanitizer import (
    SafeMarkup,
    clean_markup,
    escape_text,
    render_markdown,
    show_plain,
)

log = logging.getLogger(__name__)

_ERROR_START, _ERROR_END = "<h1>500 Server Error</h1><pre><code>", "</code></pre>"


def install(app: Any) -> None:
    """Let a panel serve its pages corrected. Raises PageUnknown, before it serves any."""
    engine: Environment = app.template_engine.engine
    assert engine.loader is not None
    engine.loader = CorrectedLoader(engine.loader)
    engine.filters["form_page"] = show_form
    for name in CORRECTIONS:
        engine.get_template(name)
    outputs.DefaultFormatter = PageFormatter


class CorrectedLoader(BaseLoader):
    """Templates of another loader, each corrected when it is loaded."""

    def __init__(self, originals: BaseLoader) -> None:
        self._originals = originals

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        source, file, is_current = self._originals.get_source(environment, template)
        return correct(template, source), file, is_current

    def list_templates(self) -> list[str]:
        return self._originals.list_templates()


def show_form(page: str) -> SafeMarkup:
    """Return a rendered form as it is, and an app's answer that is no form as text."""
    if isinstance(page, SafeMarkup):
        return page
    inner = page.removeprefix(_ERROR_START).removesuffix(_ERROR_END)
    title = "500 Server Error" if inner != page else "The app answered no form"
    return SafeMarkup(f"<h1>{title}</h1><pre><code>{escape_text(inner)}</code></pre>")


class PageFormatter(DefaultFormatter):
    """Words events as HTML: texts are shown as they are, Markdown and HTML are sanitised."""

    def convert(self, kind: str, message: str) -> str:
        if kind in ("error", "debug"):
            return escape_text(message)
        if kind in ("stdout", "stderr"):
            return clean_markup(self.ansi2html(message))
        return str(super().convert(kind, message))

    def obj2html(self, message: str) -> str:
        """Return what an event of a result, an action or the end tells."""
        try:
            facts = json.loads(message)
        except ValueError:
            facts = message
        if not isinstance(facts, dict):
            return show_plain(facts)
        return "\n".join(self._show(str(name), values) for name, values in facts.items())

    def _show(self, name: str, values: Any) -> str:
        if name in _KNOWN:
            try:
                return clean_markup(getattr(self, name)(values))
            except (AttributeError, TypeError):  # an author's own class of that name
                log.info("shown as text", extra={"note": name})
        title = f'<div class="info-l1"><span class="info-text">{escape_text(name)}</span></div>'
        return f"{title}\n{show_plain(values)}"

    def md(self, text: Any) -> str:
        """Return Markdown as HTML. Kodosumi's parser takes a minute for 8 KiB of brackets."""
        return render_markdown(str(text))

    def Text(self, values: dict[str, Any]) -> str:
        return str(super().Text({"body": escape_text(values.get("body", ""))}))

    def HTML(self, values: dict[str, Any]) -> str:
        return str(values.get("body", ""))

    def Markdown(self, values: dict[str, Any]) -> str:
        return str(super().Markdown({"body": str(values.get("body", ""))}))

    def TaskOutput(self, values: dict[str, Any]) -> str:
        plain = {key: escape_text(values[key]) for key in _PLAIN if values.get(key)}
        return str(super().TaskOutput({**values, **plain}))


_KNOWN = frozenset(
    {"AgentFinish", "AgentAction", "ToolResult", "TaskOutput", "CrewOutput"}
    | {"Text", "HTML", "Markdown"}
)
_PLAIN = ("agent", "name", "description")
