"""``masumi-sumi buy`` and ``refund`` against an agent and a sandbox on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from agent_stand_in import FREE, QUESTION, Script, Seller
from typer.testing import Result

from masumi_sumi.hashing import input_hash
from masumi_sumi.jobs.model import JobState
from masumi_sumi.sandbox import Sandbox

Buy = Callable[..., Result]
PAINT = "\x1b[2J\x1b]0;owned\x07"


@pytest.fixture
def sandbox(live_sandbox: Sandbox) -> Sandbox:
    return live_sandbox


@pytest.fixture
def seller(live_seller: Seller) -> Seller:
    return live_seller


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_person_is_asked_by_the_rules_sees_the_price_and_gets_a_verified_result(
    buy: Buy, seller: Seller
):
    seller.script = Script(asks=(QUESTION,))

    done = buy(typed="\nAda\n7\n2\ny\nhello\n")

    assert done.exit_code == 0, done.output
    [job] = seller.jobs.values()
    assert job.input_hash == input_hash(job.identifier, {"name": "Ada", "size": [1]})
    assert seller.answers == [{"word": "hello"}]
    said = done.output
    assert "is required" in said
    assert "no choice at this position" in said
    assert "10 ADA (registered on chain)" in said
    assert "within 30 minutes" in said
    assert "the hash on chain is this result's" in said
    assert "Hello, Ada" in said


def test_a_person_who_declines_pays_nothing(buy: Buy, sandbox: Sandbox):
    declined = buy("-i", "name=Ada", "-i", "size=Small", typed="n\n")

    assert declined.exit_code == 3
    assert "nothing was paid" in declined.output
    assert "POST /purchase" not in sandbox.requests()


def test_terms_that_do_not_hold_end_with_3(buy: Buy, seller: Seller, sandbox: Sandbox):
    seller.alters["start_job"] = lambda body: body | {"sellerVKey": "c" * 56}

    refused = buy("-i", "name=Ada", "--yes")

    assert refused.exit_code == 3
    assert "its key is not the seller's; nothing was paid" in refused.stderr
    assert "POST /purchase" not in sandbox.requests()


def test_a_machine_gets_one_object_per_event_and_answers_beforehand(buy: Buy, seller: Seller):
    seller.script = Script(asks=(QUESTION,))

    done = buy(
        "--json", "--max-price", "10ADA", "-i", "name=Ada", "-i", "size=Large", "-a", "word=hello"
    )

    assert done.exit_code == 0, done.output
    told = [line for line in lines(done) if line["event"] != "moved"]
    assert [line["event"] for line in told] == [
        "offered",
        "hired",
        "bought",
        "locked",
        "asked",
        "answered",
        "delivered",
        "proven",
    ]
    assert told[1]["terms"]["price"] == [{"amount": "10000000", "unit": ""}]
    assert told[-1]["result"] == "Hello, Ada"


def test_a_machine_is_told_what_is_missing_and_nothing_is_started(
    buy: Buy, seller: Seller, tmp_path: Path
):
    (tmp_path / "input.json").write_text('{"size": "Huge"}')

    missing = buy("--json", "--yes", "--input-json", "input.json")

    assert missing.exit_code == 2
    [_, error] = lines(missing)
    assert (error["event"], error["error"], error["paid"]) == ("error", "FieldsInvalid", False)
    assert set(error["fields"]) == {"name", "size"}
    assert seller.jobs == {}


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        ((), 2, "SettingInvalid"),
        (("--max-price", "9.999999ADA"), 3, "TermsRefused"),
        (("--max-price", "cheap"), 2, "SettingInvalid"),
        (("--yes", "--agent", "7e" * 60), 3, "TermsRefused"),
        (("--yes", "-i", "nonsense"), 2, "SettingInvalid"),
        (("--yes", "--input-json", "nowhere.json"), 2, "SettingInvalid"),
        (("--yes", "--node", "http://127.0.0.1:9/api/v1"), 2, "SettingInvalid"),
    ],
)
def test_a_machine_pays_only_what_it_was_allowed_to(
    buy: Buy, sandbox: Sandbox, words: tuple[str, ...], code: int, error: str
):
    refused = buy("--json", "-i", "name=Ada", *words)

    assert refused.exit_code == code, refused.output
    assert lines(refused)[-1]["error"] == error
    assert "POST /purchase" not in sandbox.requests()
    assert sandbox.token not in lines(refused)[-1]["message"]


def test_a_question_without_an_answer_is_an_error_for_a_machine(buy: Buy, seller: Seller):
    seller.script = Script(asks=(QUESTION,))

    stuck = buy("--json", "--yes", "-i", "name=Ada")

    assert stuck.exit_code == 1
    error = lines(stuck)[-1]
    assert (error["error"], error["paid"], list(error["fields"])) == (
        "FieldsInvalid",
        True,
        ["word"],
    )


def test_a_seller_that_fails_costs_a_refund_which_can_be_asked_for_by_hand_too(
    buy: Buy, run: Buy, seller: Seller
):
    seller.script = Script(failure="ValueError: no")

    failed = buy("--json", "--yes", "-i", "name=Ada")
    [bought] = [line for line in lines(failed) if line["event"] == "bought"]
    again = run("refund", bought["blockchain_identifier"])

    assert failed.exit_code == 1
    assert [line["event"] for line in lines(failed)][-2:] == ["refunding", "error"]
    assert again.exit_code == 0
    assert "the refund is asked for" in again.output


def test_a_refund_of_nothing_is_refused(run: Buy):
    refused = run("refund", "ab" * 40)

    assert refused.exit_code == 1
    assert "knows no such purchase" in refused.stderr


def test_an_agent_does_not_get_to_paint_the_terminal(buy: Buy, seller: Seller):
    seller.terms = FREE
    seller.script = Script(result=f"{PAINT}[red]done[/red]")
    seller.alters["availability"] = lambda body: body | {"message": PAINT}
    seller.alters["input_schema"] = lambda body: {
        "input_data": [
            {
                "id": "name",
                "type": "text",
                "name": f"{PAINT}Name [bold]",
                "data": {"description": PAINT, "default": "Ada"},
            },
        ]
    }
    seller.alters["start_job"] = lambda body: running(seller, body)

    done = buy(typed="\n")

    assert done.exit_code == 0, done.output
    assert "\x1b" not in done.output
    assert "\x07" not in done.output
    assert "Name [bold]" in done.output
    assert "[red]done[/red]" in done.output


def running(seller: Seller, body: dict[str, Any]) -> dict[str, Any]:
    """A free job is on its way at once."""
    job = seller.jobs[body["job_id"]]
    seller.jobs[job.id] = job.with_(state=JobState.RUNNING)
    return body
