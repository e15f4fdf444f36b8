"""What Kodosumi's formatter and templates make of events, forms and answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import kodosumi.service.admin
import pytest
from kodosumi import dtypes
from kodosumi.helper import serialize
from kodosumi.service.inputs import outputs
from markup_attacks import ALL, ATTACKS

from masumi_sumi.gateway import kodosumi_pages
from masumi_sumi.gateway.kodosumi_pages import PageFormatter, show_form
from masumi_sumi.html_sanitizer import SafeMarkup


def crew(text: str) -> dict[str, Any]:
    task = {"name": text, "agent": text, "description": text, "raw": text}
    return {"raw": text, "tasks_output": [task]}


OUTCOMES: dict[str, Any] = {
    "html": lambda text: serialize(dtypes.HTML(body=text)),
    "markdown": lambda text: serialize(dtypes.Markdown(body=text)),
    "text": lambda text: serialize(dtypes.Text(body=text)),
    "dict": lambda text: serialize({text: text}),
    "str": serialize,
    "list": lambda text: serialize([text, dtypes.HTML(body=text)]),
    "crew": lambda text: dtypes.DynamicModel({"CrewOutput": crew(text)}).model_dump_json(),
    "agent": lambda text: dtypes.DynamicModel(
        {"AgentFinish": {"thought": text, "output": text}, text: text}
    ).model_dump_json(),
    "tool": lambda text: dtypes.DynamicModel({"ToolResult": {"result": text}}).model_dump_json(),
    "imposter": lambda text: dtypes.DynamicModel(
        {"Text": text, "HTML": [text], "CrewOutput": {"tasks_output": text}}
    ).model_dump_json(),
    "method": lambda text: dtypes.DynamicModel({"obj2html": text, "md": text}).model_dump_json(),
    "no json": lambda text: text,
}


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("kind", ["result", "final", "action"])
def test_an_outcome_is_inert(kind: str, outcome: str) -> None:
    formatter = PageFormatter()
    for attack in (*ATTACKS, ALL):
        assert_inert(formatter.convert(kind, OUTCOMES[outcome](attack)))


@pytest.mark.parametrize("kind", ["stdout", "stderr", "error", "debug"])
def test_a_line_is_inert(kind: str) -> None:
    formatter = PageFormatter()
    for attack in (*ATTACKS, ALL):
        assert_inert(formatter.convert(kind, attack))


def assert_inert(page: str) -> None:
    assert "<script" not in page
    assert "<svg" not in page
    for tag in page.split("<")[1:]:
        inside = tag.partition(">")[0]
        assert " on" not in inside
        assert "javascript:" not in inside.lower()
        assert not inside.startswith(("form", "input", "iframe", "math", "base", "meta", "style"))


@pytest.mark.parametrize("outcome", ["text", "dict", "str", "no json"])
def test_what_is_no_markup_is_shown_to_the_letter(outcome: str) -> None:
    page = PageFormatter().convert("final", OUTCOMES[outcome]("<b>one & two</b>"))

    assert "&lt;b&gt;one &amp; two&lt;/b&gt;" in page


def test_markdown_is_still_rendered() -> None:
    body = "# Title\n\n* one\n* two\n\n```python\nx < 1\n```\n\n<details>more</details>"
    page = PageFormatter().convert("final", serialize(dtypes.Markdown(body=body)))

    for piece in ("<h1>Title</h1>", "<li>one</li>", "x &lt; 1", "<details>more</details>"):
        assert piece in page


def test_colours_of_a_terminal_are_still_shown() -> None:
    page = PageFormatter().convert("stdout", "\x1b[31mred\x1b[0m <b>")

    assert page == '<span class="ansi31">red</span> &lt;b&gt;'


@pytest.mark.parametrize("kind", ["meta", "lock", "lease", "status", "payment", "upload"])
def test_data_stays_data(kind: str) -> None:
    assert PageFormatter().convert(kind, ALL) == ALL


# --- templates ------------------------------------------------------------------------------------


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> jinja2.Environment:
    """The environment of a panel whose pages are ours."""
    folder = Path(kodosumi.service.admin.__file__).parent / "templates"
    loader = jinja2.FileSystemLoader(folder)
    engine = jinja2.Environment(loader=loader, autoescape=True)
    monkeypatch.setattr(outputs, "DefaultFormatter", outputs.DefaultFormatter)
    kodosumi_pages.install(SimpleNamespace(template_engine=SimpleNamespace(engine=engine)))
    return engine


REQUEST = SimpleNamespace(scope={"masumi_sumi.nonce": "the-nonce"})


def test_every_page_has_its_nonce(engine: jinja2.Environment) -> None:
    for name in ("flow.html", "timeline/timeline.html", "dashboard/dashboard.html", "form.html"):
        page = engine.get_template(name).render(request=REQUEST, html="")
        assert page.count("<script") == page.count('nonce="the-nonce"') - page.count("<style")


def test_an_execution_s_id_in_an_address_stays_a_text(engine: jinja2.Environment) -> None:
    page = engine.get_template("status/status.html")
    harmless = page.render(fid="x", request=REQUEST)
    for attack in (*ATTACKS, ALL, '";alert(1)//', "\\", "\n"):
        shown = page.render(fid=attack, request=REQUEST)

        assert shown.count("<") == harmless.count("<")
        line = next(line for line in shown.splitlines() if line.startswith("const fid = "))
        assert json.loads(line.strip().removeprefix("const fid = ").removesuffix(";")) == attack


def assert_same_tags(show: Callable[[str], str]) -> None:
    harmless = show("harmless").count("<")
    for attack in (*ATTACKS, ALL):
        assert show(attack).count("<") == harmless, attack


def test_flows_on_the_control_page_stay_texts(engine: jinja2.Environment) -> None:
    def show(text: str) -> str:
        routes = {text: [{"summary": text, "url": text}], f"{text}2": text}
        user = SimpleNamespace(name=text, email=text, operator=True)
        return engine.get_template("routes.html").render(
            request=REQUEST, routes=routes, items=[text], user=user, spooler_status={"error": text}
        )

    assert_same_tags(show)


def test_facts_of_a_document_stay_texts(engine: jinja2.Environment) -> None:
    def show(text: str) -> str:
        names = ("fid", "summary", "version", "description", "author", "organization")
        meta = dict.fromkeys(names, text)
        final = engine.get_template("final.html")
        return final.render(request=REQUEST, meta=meta, main="", runtime=1.0, timestamp=2.0)

    assert_same_tags(show)


def test_an_answer_that_is_no_form_is_a_text(engine: jinja2.Environment) -> None:
    def show(text: str) -> str:
        return engine.get_template("form.html").render(request=REQUEST, html=text)

    def show_failure(text: str) -> str:
        return show(f"<h1>500 Server Error</h1><pre><code>{text}</code></pre>")

    assert_same_tags(show)
    assert_same_tags(show_failure)
    assert "<h1>500 Server Error</h1>" in show_failure("detail")


def test_a_form_is_shown_as_it_was_rendered() -> None:
    assert show_form(SafeMarkup("<input>")) == "<input>"
