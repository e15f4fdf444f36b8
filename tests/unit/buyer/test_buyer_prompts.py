"""A person at the terminal reads each rule of a field before the line on which it is answered."""

from __future__ import annotations

from typing import Any

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from masumi_sumi.buyer import Form
from masumi_sumi.cli.prompts import fill_in
from masumi_sumi.flows import mip003_schema, read_form
from masumi_sumi.flows.questions import read_schema

LANDS = [{"name": "us", "label": "US"}, {"name": "de", "label": "Germany"}]


def asked(form: Form) -> str:
    """What is on the screen when the first answer is awaited."""
    app = typer.Typer()

    @app.command()
    def main() -> None:
        fill_in(Console(width=200), form, {}, everything=True)

    return CliRunner().invoke(app, [], input="").output.partition(" > ")[0]


@pytest.mark.parametrize(
    ("element", "rule"),
    [
        ({"type": "text", "pattern": "[a-z]+"}, "Matches the pattern “[a-z]+” from start to end."),
        ({"type": "number", "min_value": -5}, "At least -5."),
        ({"type": "date", "max_date": "2030-12-31"}, "Not after 2030-12-31."),
        ({"type": "time", "step": 900}, "In steps of 900 seconds."),
        ({"type": "select", "option": LANDS, "value": "de"}, "Default: “Germany”."),
        ({"type": "checkbox", "option": "I agree", "required": True}, "Must be checked (true)."),
        ({"type": "file"}, "One file."),
    ],
)
def test_a_rule_is_read_before_the_answer_is_typed(element: dict[str, Any], rule: str) -> None:
    form = read_schema(mip003_schema(read_form([{"name": "x", "label": "The X", **element}])))

    screen = asked(form)

    assert screen.startswith("? The X")
    assert rule in screen
