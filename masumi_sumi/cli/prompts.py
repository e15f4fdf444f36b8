"""A form at the terminal: each question by its own rules, until the answer keeps them.

Everything that an agent says is shown without its control characters: it does not get to paint.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer
from rich.console import Console
from rich.text import Text

from masumi_sumi.buyer import Form, Question, Type, values
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


def plain(text: str) -> str:
    """A stranger's text, safe to print: newlines and tabs stay, nothing else that steers."""
    kept = (char if char.isprintable() or char in "\n\t" else "�" for char in text)
    return "".join(kept)


def fill_in(
    console: Console, form: Form, given: Mapping[str, Any], *, everything: bool
) -> dict[str, Any]:
    """``given`` and what is asked: all that is not given, or only what has to be said."""
    found = dict(given)
    asked = form.questions if everything else values.missing(form, given)
    wanted = {q.id for q in asked if q.id not in given and q.type is not Type.HIDDEN}
    for group in form.groups:
        if group.title:
            console.print(Text(plain(group.title), style="bold"))
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
    line = Text(plain(question.name), style="bold cyan")
    hints = [_HINTS.get(question.type, ""), "" if question.required else "optional"]
    if question.many:
        hints.append("several with commas between")
    if shown := ", ".join(hint for hint in hints if hint):
        line.append(f" ({shown})", style="dim")
    console.print(line)
    for text in (question.description, question.label, question.placeholder):
        if text:
            console.print(Text(f"  {plain(text)}", style="dim"))
    for number, choice in enumerate(question.values, start=1):
        console.print(Text(f"  {number:>3}  {plain(choice)}"))


def _read(question: Question) -> str:
    if question.type is Type.TEXTAREA:
        return _read_lines()
    default = values.default(question)
    shown = "" if default is None else f" [{plain(values.words(question, default))}]"
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
    console.print(Text(plain(question.name), style="bold"))
    if question.description:
        console.print(Text(plain(question.description)))


def _refuse(console: Console, reasons: Any) -> None:
    console.print(Text(f"  {', '.join(reasons)}", style="red"))
