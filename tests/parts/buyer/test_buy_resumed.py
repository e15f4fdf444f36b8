"""``masumi-sumi resume``: a hire whose buyer was killed, brought to its proven result."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from agent_stand_in import QUESTION, Script, Seller
from typer.testing import Result

from masumi_sumi.cli.hires import Hires
from masumi_sumi.errors import HireUnresumable, SettingInvalid
from masumi_sumi.sandbox import Sandbox

Buy = Callable[..., Result]
Lines = list[dict[str, Any]]
ADA = ("-i", "name=Ada", "-i", "size=Large")
RECORD = {"identifier": "ab" * 8, "job_id": "job", "bought": False}


def lines(result: Result) -> Lines:
    return [json.loads(line) for line in result.stdout.splitlines()]


def events(said: Lines) -> list[str]:
    return [line["event"] for line in said if line["event"] != "moved"]


@contextmanager
def buying(url: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A buyer in a process of its own, with the settings of this one."""
    command = [sys.executable, "-m", "masumi_sumi", "buy", url, "--json", "--yes", *ADA, *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ})
    try:
        with process:
            yield process
            process.kill()
    finally:
        process.kill()


def until(process: subprocess.Popen[str], event: str) -> Lines:
    assert process.stdout is not None
    said: Lines = []
    for line in process.stdout:
        said.append(json.loads(line))
        if said[-1]["event"] == event:
            return said
    raise AssertionError(said)


@pytest.fixture
def stuck(
    run: Buy, live_seller: Seller, served: tuple[Seller, str], tmp_path: Path
) -> tuple[Lines, Path]:
    """What a buyer said who paid and was killed while the agent waits for an answer; its file."""
    live_seller.script = Script(asks=(QUESTION,))
    with buying(served[1]) as process:
        said = until(process, "bought")
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    [file] = (tmp_path / "data" / "hires").iterdir()
    return said, file


def test_a_buyer_who_was_killed_after_paying_goes_on_to_the_proven_result(
    stuck: tuple[Lines, Path], run: Buy, live_seller: Seller, live_sandbox: Sandbox
):
    said, file = stuck
    [hired] = [line for line in said if line["event"] == "hired"]
    [open_] = lines(run("resume", "--json"))

    done = run("resume", hired["job_id"], "--json", "-a", "word=hello")

    assert (open_["event"], open_["job_id"]) == ("unfinished", hired["job_id"])
    assert open_["terms"] == hired["terms"]
    assert done.exit_code == 0, done.output
    assert events(lines(done)) == [
        *("resumed", "bought", "locked", "asked", "answered", "delivered", "proven"),
    ]
    assert live_seller.answers == [{"word": "hello"}]
    assert live_sandbox.requests()["POST /purchase"] == 1
    assert json.loads(file.read_text()) == {"ended": "verified"}  # what was sent is gone
    assert lines(run("resume", "--json")) == []


def test_what_is_kept_is_its_owners_alone_and_holds_no_token(
    stuck: tuple[Lines, Path], live_sandbox: Sandbox
):
    _, file = stuck

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert f'"{live_sandbox.token}"' not in file.read_text()


def test_a_person_sees_what_is_open_and_is_asked_on(
    stuck: tuple[Lines, Path], run: Buy, live_sandbox: Sandbox
):
    [hired] = [line for line in stuck[0] if line["event"] == "hired"]
    shown = run("resume")

    done = run("resume", hired["identifier_from_purchaser"], typed="hello\n")

    assert f"masumi-sumi resume {hired['identifier_from_purchaser']}" in shown.output
    assert done.exit_code == 0, done.output
    assert "Pay " not in done.output
    assert "the hash on chain is this result's" in done.output
    assert "nothing is unfinished" in run("resume").output
    assert live_sandbox.requests()["POST /purchase"] == 1


def test_a_hire_that_somebody_follows_is_left_to_them(
    run: Buy, live_seller: Seller, served: tuple[Seller, str]
):
    live_seller.script = Script(delivers=False)
    with buying(served[1]) as process:
        [hired] = [line for line in until(process, "locked") if line["event"] == "hired"]
        refused = run("resume", hired["job_id"], "--json")

    [error] = lines(refused)
    assert (refused.exit_code, error["error"]) == (2, "HireUnresumable")
    assert "another process follows" in error["message"]


def test_an_interrupt_says_how_to_go_on(
    run: Buy, live_seller: Seller, served: tuple[Seller, str], live_sandbox: Sandbox
):
    live_seller.script = Script(delivers=False)
    with buying(served[1]) as process:
        until(process, "locked")
        process.send_signal(signal.SIGINT)
        said = until(process, "interrupted")
        assert process.wait(20) == 130
    live_seller.script = Script()

    done = run("resume", said[-1]["job_id"], "--json")

    assert said[-1]["paid"] is True
    assert done.exit_code == 0, done.output
    assert live_sandbox.requests()["POST /purchase"] == 1


def test_a_missing_answer_ends_a_machine_and_not_the_hire(
    buy: Buy, run: Buy, live_seller: Seller, live_sandbox: Sandbox
):
    live_seller.script = Script(asks=(QUESTION,))

    stuck = lines(buy("--json", "--yes", *ADA))
    done = run("resume", stuck[-2]["job_id"], "--json", "-a", "word=hello")

    assert events(stuck)[-2:] == ["interrupted", "error"]
    assert done.exit_code == 0, done.output
    assert live_sandbox.requests()["POST /purchase"] == 1


def test_what_was_not_paid_is_paid_only_by_who_says_so_again(
    buy: Buy, run: Buy, live_sandbox: Sandbox
):
    live_sandbox.fail("POST", "/purchase", 503, times=3)
    live_sandbox.fail("POST", "/purchase/resolve*", 503, times=9)
    unsettled = lines(buy("--json", "--yes", *ADA))
    job = unsettled[-2]["job_id"]

    silent = run("resume", job, "--json")
    dear = run("resume", job, "--json", "--max-price", "1ADA")
    done = run("resume", job, "--json", "--max-price", "10ADA")

    assert unsettled[-1]["error"] == "PurchaseUnsettled"
    assert [(r.exit_code, lines(r)[-1]["error"]) for r in (silent, dear)] == [
        (2, "SettingInvalid"),
        (3, "TermsRefused"),
    ]
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("failure", ["ValueError: no", ""])
def test_a_hire_that_has_ended_is_not_taken_up(
    buy: Buy, run: Buy, live_seller: Seller, failure: str
):
    live_seller.script = Script(failure=failure)
    ended = lines(buy("--json", "--yes", *ADA))
    [hired] = [line for line in ended if line["event"] == "hired"]

    refused = run("resume", hired["job_id"], "--json")

    assert "interrupted" not in events(ended)
    assert refused.exit_code == 2
    assert "is unfinished" in lines(refused)[-1]["message"]


def test_where_nothing_can_be_kept_nothing_is_paid(buy: Buy, tmp_path: Path, live_sandbox: Sandbox):
    (tmp_path / "data").write_text("")

    refused = buy("--json", "--yes", *ADA)

    assert refused.exit_code == 2
    assert "SUMI_DATA_DIR" in lines(refused)[-1]["message"]
    assert "POST /purchase" not in live_sandbox.requests()


# --- the files ---------------------------------------------------------------------------------


def test_of_a_hire_that_ended_only_its_end_is_kept(tmp_path: Path) -> None:
    with Hires(tmp_path).begun(RECORD) as page:
        page.bought()
        page.end("verified")

    [file] = (tmp_path / "hires").iterdir()
    assert file.read_text() == '\n{"ended": "verified"}\n'


def test_a_torn_line_hides_nothing_that_was_said_before(tmp_path: Path):
    hires = Hires(tmp_path)
    with hires.begun(RECORD) as page:
        page.bought()
    [file] = (tmp_path / "hires").iterdir()
    with file.open("a") as written:
        written.write('{"end')

    with hires.taken("job") as (kept, page):
        assert kept.raw["bought"] is True
        page.end("verified")

    assert hires.unfinished() == []


@pytest.mark.parametrize("content", ["", "\n", '{"hire": {"ident', "[]\n", '"hire"\n{"hire": {}}'])
def test_a_file_that_was_never_whole_is_of_nothing_paid(tmp_path: Path, content: str):
    (tmp_path / "hires").mkdir()
    (tmp_path / "hires" / "a.jsonl").write_text(content)

    assert Hires(tmp_path).unfinished() == []


def test_jobs_of_one_name_are_told_apart_by_their_identifiers(tmp_path: Path):
    hires = Hires(tmp_path)
    for identifier in ("aa" * 8, "bb" * 8):
        with hires.begun({**RECORD, "identifier": identifier}):
            pass

    with pytest.raises(HireUnresumable, match="name one of"), hires.taken("job"):
        pass
    with hires.taken("bb" * 8) as (kept, _):
        assert kept.raw["identifier"] == "bb" * 8


def test_one_identifier_is_never_begun_twice(tmp_path: Path):
    with Hires(tmp_path).begun(RECORD):
        pass

    with pytest.raises(SettingInvalid, match="nothing was paid"), Hires(tmp_path).begun(RECORD):
        pass
