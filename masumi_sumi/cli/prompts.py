"""A form at the terminal: each question by its own rules, until the answer keeps them.

Everything that an agent says is shown without what steers a terminal, and a name or a choice is one
line: an agent does not get to paint, nor to begin lines that look like ours.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import typer
from rich.console import Console
from rich.text import Text

from masumi_sumi.buyer import Form, Question, Type, values
from masumi_sumi.cli.escaping import escape_line, escape_text
from masumi_sumi.errors import FieldsInvalid
from masumi_sumi.flows.questions import CHOICES, SWITCHES

_HINTS = {
    Type.DATE: "YYYY-MM-DD",
    Type.TIME: "HH:MM",
    Type.DATETIME: "YYYY-MM-DDTHH:MM",
    Type.MONTH: "YYYY-MM",
    Type.WEEK: "YYYY-Www",
    Type.COLOR: "#rrggbb",
    Type.FILE: "URL, several with spaces between",
    Type.TEXTAREA: "an empty line ends it",
}


def mark_lines(text: str, width: int = 0) -> str:
    """Return a stranger's text, each line behind a bar: none of them looks like a line of ours.

    Where somebody looks, lines are wrapped to ``width``: a terminal would wrap them past the bar.
    """
    lines = escape_text(text.replace("\r\n", "\n")).split("\n")
    if width > 0:
        lines = [piece for line in lines for piece in textwrap.wrap(line, width) or [""]]
    return "\n".join(f"│ {line}" for line in lines)


def print_marked(console: Console, text: str, style: str = "default") -> None:
    width = console.width - 3 if console.is_terminal else 0
    console.print(Text(mark_lines(text, width), style=style), soft_wrap=True)


def fill_in(
    console: Console, form: Form, given: Mapping[str, Any], *, everything: bool
) -> dict[str, Any]:
    """``given`` and what is asked: all that is not given, or only what has to be said."""
    found = dict(given)
    asked = form.questions if everything else values.missing(form, given)
    wanted = {q.id for q in asked if q.id not in given and q.type is not Type.HIDDEN}
    for group in form.groups:
        if group.title:
            console.print(Text(f"— {escape_line(group.title)}", style="bold"), soft_wrap=True)
        for question in group.questions:
            if question.type is Type.NONE:
                _note(console, question)
            elif question.id in wanted:
                found[question.id] = ask_one(console, question)
    return found


def ask_one(console: Console, question: Question) -> Any:
    """The wire value; None where an optional question is passed over."""
    _introduce(console, question)
    while True:
        text = _read(question)
        try:
            value = values.typed(question, _chosen(question, text))
        except FieldsInvalid as refusal:
            _refuse(console, refusal.errors.get(question.id, ["is not valid"]))
            continue
        if value is None:
            value = values.default(question)
        if value is not None or not question.required:
            return value
        _refuse(console, ["is required"])


def _introduce(console: Console, question: Question) -> None:
    line = Text(f"? {escape_line(question.name)}", style="bold cyan")
    hints = [_HINTS.get(question.type, ""), "" if question.required else "optional"]
    if question.many:
        hints.append("several with commas between")
    if shown := ", ".join(hint for hint in hints if hint):
        line.append(f" ({shown})", style="dim")
    console.print(line, soft_wrap=True)
    for text in (question.description, question.label, question.placeholder):
        if text:
            print_marked(console, text, "dim")
    for number, choice in enumerate(question.values, start=1):
        console.print(Text(f"  {number:>3}  {escape_line(choice)}"), soft_wrap=True)


def _read(question: Question) -> str:
    if question.type is Type.TEXTAREA:
        return _read_lines()
    default = values.default(question)
    shown = "" if default is None else f" [{escape_line(values.words(question, default))}]"
    yes_no = " (yes/no)" if question.type in SWITCHES else ""
    hidden = question.type is Type.PASSWORD
    text: str = typer.prompt(
        f" {yes_no}{shown}", default="", show_default=False, hide_input=hidden, prompt_suffix=" > "
    )
    return text


def _read_lines() -> str:
    lines: list[str] = []
    while line := typer.prompt(" ", default="", show_default=False, prompt_suffix=" > "):
        lines.append(line)
    return "\n".join(lines)


def _chosen(question: Question, text: str) -> str:
    """Numbers of the list that was shown, as its words; a choice of that very name comes first."""
    if question.type not in CHOICES or text.strip() in question.values:
        return text
    numbers = [part.strip() for part in text.split(",")]
    if not all(number.isascii() and number.isdigit() for number in numbers):
        return text
    positions = [int(number[:6]) - 1 for number in numbers]
    return f"[{', '.join(map(str, positions))}]"


def _note(console: Console, question: Question) -> None:
    console.print(Text(f"│ {escape_line(question.name)}", style="bold"), soft_wrap=True)
    if question.description:
        print_marked(console, question.description)


def _refuse(console: Console, reasons: Any) -> None:
    console.print(Text(f"  {escape_line(', '.join(reasons))}", style="red"), soft_wrap=True)
