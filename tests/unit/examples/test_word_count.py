"""The example of a function: what it asks, and what it counts."""

from __future__ import annotations

from types import SimpleNamespace

from masumi_sumi.flows import mip003_schema, read_form
from masumi_sumi.runtime.agent import flows_of
from masumi_sumi.runtime.serving import serve_api_of


def test_its_model_is_its_form(apps: SimpleNamespace) -> None:
    keeper = serve_api_of(apps.word_count.app)
    [(flow, handler)] = flows_of(keeper).items()
    asked = mip003_schema(read_form(keeper._method_lookup[handler]["model"].get_model()))

    assert flow == "/"
    assert keeper._method_lookup[handler]["summary"] == "Word count"
    assert {field["id"]: field["type"] for field in asked["input_data"]} == {
        "text": "textarea",
        "count": "option",
        "most": "number",
    }


def test_it_counts_what_it_is_asked_for(apps: SimpleNamespace) -> None:
    text = apps.word_count.Text
    count = apps.word_count.word_count

    assert count(text(text="So it is. Is it?", most=2)) == {"it": 2, "is": 2}
    assert count(text(text="a\nb\na", count="lines")) == {"a": 2, "b": 1}
    assert count(text(text="a b", count="characters")) == {"a": 1, "b": 1}
