"""Test that no text of an agent steers the buyer's terminal or looks like a line of ours."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from agent_stand_in import FREE, Script, Seller
from starlette.responses import JSONResponse
from typer.testing import Result

from masumi_sumi.cli.doctor import _tell
from masumi_sumi.cli.escaping import escape_line, escape_text
from masumi_sumi.cli.findings import Finding
from masumi_sumi.cli.prompts import mark_lines
from masumi_sumi.jobs.model import JobState

Buy = Callable[..., Result]

FAKE = "  0.1 s  verified  FAKED"
HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07\x1b]8;;http://evil.test\x1b\\click\x1b]8;;\x1b\\"
    "[red]loud[/red][link=http://evil.test]\u202e\u2066\u200f\x9b31m\x08\x7f"
    f"\r{FAKE}\n{FAKE}\r\n{FAKE}\v{FAKE}\f{FAKE}\x85{FAKE}\u2028{FAKE}\u2029{FAKE}\n\nend"
)
OURS = re.compile(r"\s*\d+\.\d s  \w")


def check_screen(output: str) -> None:
    """Nothing steers, and no line that a person takes for ours holds the agent's words."""
    steering = [
        char
        for char in output
        if char not in "\n\t" and unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Cs")
    ]
    assert steering == []
    assert [line for line in output.splitlines() if line.startswith(FAKE)] == []
    for line in output.splitlines():
        assert not (OURS.match(line) and line.split(" s  ")[1].startswith("verified  FAKED"))


@pytest.fixture
def seller(live_seller: Seller) -> Seller:
    """Every text that it may choose freely is hostile; its work is for free."""
    live_seller.terms = FREE
    live_seller.script = Script(result=HOSTILE)
    live_seller.alters["availability"] = lambda body: body | {"message": HOSTILE}
    fields = [
        {
            "id": "name",
            "type": "string",
            "name": HOSTILE,
            "data": {"description": HOSTILE, "placeholder": HOSTILE, "default": HOSTILE},
        },
        {
            "id": "size",
            "type": "option",
            "name": HOSTILE,
            "data": {"description": HOSTILE, "values": [HOSTILE, f"2{HOSTILE}"]},
            "validations": [
                {"validation": "min", "value": "1"},
                {"validation": "max", "value": "1"},
            ],
        },
        {"id": "note", "type": "none", "name": HOSTILE, "data": {"description": HOSTILE}},
    ]
    groups = [{"id": "all", "title": HOSTILE, "input_data": fields}]
    live_seller.alters["input_schema"] = lambda body: {"input_groups": groups}
    live_seller.alters["start_job"] = lambda body: run_at_once(live_seller, body)
    return live_seller


def run_at_once(seller: Seller, body: dict[str, Any]) -> dict[str, Any]:
    job = seller.jobs[body["job_id"]]
    seller.jobs[job.id] = job.with_(state=JobState.RUNNING)
    return body


@pytest.fixture
def lenient(seller: Seller) -> Seller:
    """Takes the orders that its hostile form leads to."""
    options = [{"name": f"{n}", "label": f"{n}"} for n in range(2)]
    size = {"type": "select", "name": "size", "label": "Size", "option": options}
    seller.form_ = [{"type": "text", "name": "name", "label": "Name"}, size]
    return seller


def test_offer_form_and_result_do_not_paint(buy: Buy, lenient: Seller) -> None:
    done = buy(typed="Ada\n7\n1\n")

    assert "[red]loud[/red]" in done.output
    check_screen(done.output)


def test_a_refusal_does_not_paint(buy: Buy, lenient: Seller) -> None:
    body = {"detail": HOSTILE, "errors": {HOSTILE: [HOSTILE]}, "error": HOSTILE}
    lenient.before["start_job"] = lambda: JSONResponse(body, 422)

    refused = buy(typed="Ada\n1\n")

    assert refused.exit_code != 0
    assert "[red]loud[/red]" in refused.output
    check_screen(refused.output)
    assert len([line for line in refused.stderr.splitlines() if line]) <= 2


def test_a_failed_job_does_not_paint(buy: Buy, lenient: Seller) -> None:
    lenient.script = Script(failure=HOSTILE)

    failed = buy(typed="Ada\n1\n")

    assert failed.exit_code != 0
    check_screen(failed.output)
    check_screen(failed.stderr)


def test_a_question_does_not_paint(buy: Buy, lenient: Seller) -> None:
    question = {"type": "text", "name": "word", "label": HOSTILE, "description": HOSTILE}
    lenient.script = Script(asks=([question],), result=HOSTILE)

    done = buy(typed="Ada\n1\nhello\n")

    check_screen(done.output)


@pytest.mark.parametrize("action", ["availability", "input_schema", "start_job"])
def test_an_answer_that_is_no_answer_does_not_paint(buy: Buy, lenient: Seller, action: str) -> None:
    for answer in (HOSTILE, {HOSTILE: HOSTILE}, {"status": HOSTILE, "type": HOSTILE}):
        lenient.alters[action] = lambda body, answer=answer: answer
        ended = buy(typed="Ada\n1\n")

        assert ended.exit_code != 0
        check_screen(ended.output)
        check_screen(ended.stderr)


def test_for_machines_it_stays_json(buy: Buy, lenient: Seller, tmp_path: Path) -> None:
    (tmp_path / "input.json").write_text('{"name": "Ada", "size": [0]}')

    done = buy("--json", "--yes", "--input-json", "input.json")

    assert done.output.isascii()
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["event"] for event in events][:2] == ["offered", "hired"]
    assert events[-1]["result"] == HOSTILE


def test_what_is_unfinished_does_not_paint(run: Buy, buy: Buy, lenient: Seller) -> None:
    lenient.before["status"] = lambda: JSONResponse({"detail": HOSTILE}, 400)
    interrupted = buy(typed="Ada\n1\n")
    listed = run("resume")

    check_screen(interrupted.output)
    check_screen(listed.output)


def test_a_unit_of_the_price_does_not_paint(capsys: pytest.CaptureFixture[str]) -> None:
    from masumi_sumi.buyer import money
    from masumi_sumi.jobs.model import Amount

    told = money.told([Amount("7", HOSTILE[:100])])

    assert len(escape_line(f"Pay {told}?").splitlines()) == 1
    check_screen(escape_line(f"Pay {told}?"))


@pytest.mark.parametrize("verdict", ["good", "beware", "bad"])
def test_doctor_does_not_paint(verdict: Any, capsys: pytest.CaptureFixture[str]) -> None:
    _tell(Finding(HOSTILE, verdict, HOSTILE, HOSTILE), False)
    shown = capsys.readouterr().out
    _tell(Finding(HOSTILE, verdict, HOSTILE, HOSTILE), True)
    machine = capsys.readouterr().out

    check_screen(shown)
    assert len(shown.splitlines()) == 2
    assert machine.isascii()
    assert json.loads(machine)["words"] == HOSTILE


def test_every_line_of_a_text_stands_behind_its_margin() -> None:
    check_screen(mark_lines(HOSTILE))
    assert all(line.startswith("│ ") for line in mark_lines(HOSTILE).splitlines())


def test_what_steers_a_terminal_is_replaced() -> None:
    assert escape_text("a\tb\nc\x1b[1m\u202e\x9b") == "a\tb\nc�[1m��"
    assert escape_line("a\tb\nc\r\nd") == "a b c d"
