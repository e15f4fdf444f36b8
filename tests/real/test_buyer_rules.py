"""What real buyers demand of an agent before and when they hire it, rule by rule, for flows that
are free, sold by either contract, and sold with questions in between.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from buyer_words import INPUT, WRONG_VALUES, canonical, digest
from encounter import Encounter as Met

MINUTE_MS = 60_000
TIMES = ("payByTime", "submitResultTime", "unlockTime", "externalDisputeUnlockTime")
PATIENCE = {
    "availability": 7.5,
    "input_schema": 5.0,
    "start_job": 15.0,
    "status": 8.0,
    "provide_input": 30.0,
    "demo": 30.0,
    "openapi": 30.0,
}

PLAIN_HEADERS = {
    *("host", "accept", "accept-encoding", "connection", "user-agent"),
    *("content-type", "content-length"),
}


@pytest.fixture
def free(encounters: Callable[[str], Met]) -> Met:
    return encounters("free")


# --- transport -----------------------------------------------------------------------------------


def test_all_is_served_to_somebody_without_credentials(met: Met) -> None:
    met.get("openapi")
    for answer in met.answers:
        assert set(answer.request.headers) <= PLAIN_HEADERS
        assert not {"www-authenticate", "set-cookie"} & set(answer.headers)
    served = {met.action(answer) for answer in met.answers if answer.status_code == 200}
    some = {"demo": met.ware.demo, "provide_input": met.ware.asks}
    assert served == {name for name in PATIENCE if some.get(name, True)}


def test_nothing_redirects(met: Met) -> None:
    met.get("availability/")
    met.get("input_schema/")
    assert not [a.url for a in met.answers if 300 <= a.status_code < 400]


def test_a_slash_after_an_endpoint_changes_nothing(met: Met) -> None:
    assert met.get("input_schema/").content == met.schema.content


def test_every_answer_is_json_in_the_clear(met: Met) -> None:
    for answer in met.answers:
        assert answer.headers["content-type"].startswith("application/json"), answer.url
        assert "content-encoding" not in answer.headers
        json.loads(answer.content)


def test_nothing_is_compressed_for_who_does_not_ask_for_it(met: Met) -> None:
    for answer in (met.availability, met.schema, met.seen["completed"][0], met.get("openapi")):
        bare = httpx.Request("GET", answer.request.url)
        assert "accept-encoding" not in bare.headers
        with httpx.Client(trust_env=False) as client:
            again = client.send(bare)
        assert "content-encoding" not in again.headers
        assert again.headers["content-type"].startswith("application/json")
        json.loads(again.content)


def test_answers_are_small(met: Met) -> None:
    assert max(len(answer.content) for answer in met.answers) < 100_000


def test_no_buyer_loses_patience(met: Met) -> None:
    slow = [a for a in met.answers if a.elapsed.total_seconds() >= PATIENCE[met.action(a)]]
    assert not slow, [(a.url, a.elapsed) for a in slow]


def test_what_the_buyer_did_wrong_is_told_by_a_4xx(met: Met) -> None:
    told = {why: answer.status_code for why, answer in met.refusals.items()}
    assert len(told) > len(WRONG_VALUES)
    assert [why for why, status in told.items() if status not in (400, 405, 422)] == []


def test_a_refusal_is_no_job_and_no_failed_one(met: Met) -> None:
    for answer in met.refusals.values():
        assert not {"id", "job_id", "status", "blockchainIdentifier"} & set(answer.json())


def test_a_refusal_opens_no_payment(met: Met) -> None:
    assert met.opened_payments == 0


def test_a_refusal_says_why_in_its_detail(met: Met) -> None:
    for why, answer in met.refusals.items():
        assert isinstance(answer.json()["detail"], str), why
        assert answer.json()["detail"], why


@pytest.mark.parametrize("name", WRONG_VALUES)
def test_a_wrong_value_is_named(met: Met, name: str) -> None:
    refused = met.refusals[f"{name} is {WRONG_VALUES[name]!r}"].json()
    assert list(refused["errors"]) == [name]
    assert name in refused["detail"]


# --- GET availability ----------------------------------------------------------------------------


def test_an_agent_that_can_be_hired_answers_200(met: Met) -> None:
    assert met.availability.status_code == 200


def test_it_is_a_masumi_agent(met: Met) -> None:
    assert met.availability.json()["type"] == "masumi-agent"


def test_it_is_available(met: Met) -> None:
    assert met.availability.json()["status"] == "available"
    assert isinstance(met.availability.json()["message"], str)


def test_it_says_the_identifier_it_is_registered_under(met: Met) -> None:
    assert met.availability.json()["agentIdentifier"] == met.ware.agent


def test_first_clients_are_told_how_long_it_has_been_up(met: Met) -> None:
    later = met.get("availability")
    first, then = (answer.json()["uptime"] for answer in (met.availability, later))
    assert re.fullmatch("[0-9]+", first)
    assert abs(int(then) - int(first) - (told_at(later) - told_at(met.availability))) <= 2


def told_at(answer: httpx.Response) -> float:
    return parsedate_to_datetime(answer.headers["date"]).timestamp()


# --- GET demo ------------------------------------------------------------------------------------


def test_an_agent_shows_the_demo_of_its_author_or_says_that_it_has_none(met: Met) -> None:
    if met.ware.demo:
        assert (met.demo.status_code, met.demo.json()) == (200, met.ware.demo)
    else:
        assert met.demo.status_code == 404
        assert isinstance(met.demo.json()["detail"], str)


def test_what_a_demo_says_can_be_ordered(encounters: Callable[[str], Met]) -> None:
    met = encounters("V1")
    known = {"identifier_from_purchaser": "identifier", "input_data": "data"}
    refused = met.half_wrong(known, **met.demo.json()["input"])
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["desk"])


# --- POST start_job ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("land", [0]),
        ("land", "Germany"),
        ("size", [1]),
        ("size", "Large"),
        ("papers", "https://example.com/a.pdf"),
        ("papers", ["https://example.com/a.pdf", "https://example.com/b.pdf"]),
    ],
    ids=str,
)
def test_a_value_is_taken_as_each_buyer_sends_it(met: Met, name: str, value: Any) -> None:
    known = {"identifier_from_purchaser": "identifier", "input_data": "data"}
    refused = met.half_wrong(known, **{name: value})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["desk"])


@pytest.mark.parametrize(
    ("who", "what"),
    [
        ("identifier_from_purchaser", "input_data"),
        ("identifierFromPurchaser", "inputData"),
        ("identifier_from_purchaser", "input"),
        ("identifier_from_purchaser", "input_data of pairs"),
    ],
)
def test_every_spelling_of_a_start_is_understood(met: Met, who: str, what: str) -> None:
    name, _, shape = what.partition(" of ")
    refused = met.half_wrong({who: "identifier", name: shape or "data"})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["desk"])


def test_a_free_agent_needs_no_identifier(free: Met) -> None:
    refused = free.half_wrong({"input_data": "data"})
    assert list(refused.json()["errors"]) == ["desk"]


def test_a_start_answers_2xx(met: Met) -> None:
    assert met.started.status_code == 200


def test_the_job_has_one_id_in_both_spellings(met: Met) -> None:
    started = met.started.json()
    assert isinstance(started["id"], str)
    assert started["id"] == started["job_id"] != met.failing.json()["job_id"]


def test_the_input_hash_is_over_the_data_as_sent(met: Met) -> None:
    assert set(INPUT) < set(met.data)
    ours = digest(met.identifier, canonical(met.data))
    assert met.started.json()["input_hash"] == met.started.json()["inputHash"] == ours


def test_the_purchasers_identifier_comes_back(met: Met) -> None:
    assert met.started.json()["identifierFromPurchaser"] == met.identifier


def test_a_free_start_has_nothing_that_looks_like_a_payment(free: Met) -> None:
    found = set(free.started.json())
    payment = {"blockchainIdentifier", "payment_id", "sellerVKey", "agentIdentifier", *TIMES}
    assert not found & payment


def test_the_blockchain_identifier_is_the_nodes_own(paid: Met) -> None:
    found = paid.started.json()["blockchainIdentifier"]
    assert 0 < len(found) <= 2048  # the marketplace's limit; the node's own is wider
    assert found == paid.row["blockchainIdentifier"]


def test_first_clients_find_the_payment_under_its_first_name(paid: Met) -> None:
    assert paid.started.json()["payment_id"] == paid.row["blockchainIdentifier"]


def test_the_agent_is_the_registered_one(paid: Met) -> None:
    assert paid.started.json()["agentIdentifier"] == paid.ware.agent


def test_the_sellers_key_is_that_of_the_nodes_wallet(paid: Met) -> None:
    found = paid.started.json()["sellerVKey"]
    assert re.fullmatch(r"[0-9a-f]{56}", found)
    assert found == paid.row["SmartContractWallet"]["walletVkey"]


def test_times_are_milliseconds_unchanged_from_the_node(paid: Met) -> None:
    found = [paid.started.json()[name] for name in TIMES]
    assert all(type(moment) is int for moment in found)
    assert found == [int(paid.row[name]) for name in TIMES]
    assert found[0] > (time.time() - 3600) * 1000


def test_times_leave_the_room_that_the_node_demands(paid: Met) -> None:
    pay, submit, unlock, dispute = (paid.started.json()[name] for name in TIMES)
    created = int(paid.job_id[:8], 16) * 1000
    assert pay <= submit - 5 * MINUTE_MS
    assert submit >= created + 15 * MINUTE_MS
    assert submit <= unlock - 15 * MINUTE_MS
    assert dispute >= unlock + 15 * MINUTE_MS


def test_there_are_minutes_to_pay_and_not_days(paid: Met) -> None:
    created = int(paid.job_id[:8], 16) * 1000
    assert 5 * MINUTE_MS <= paid.started.json()["payByTime"] - created <= 24 * 60 * MINUTE_MS


def test_the_payment_source_fits_the_registered_one(paid: Met) -> None:
    started = paid.started.json()
    assert started["paymentSourceType"] == paid.ware.source_type
    assert started.get("supportedPaymentSourceIndex") == paid.ware.source_index
    assert ("supportedPaymentSourceIndex" in started) == (paid.ware.source_index is not None)


def test_the_answer_alone_is_enough_to_pay(paid: Met) -> None:
    assert paid.row["inputHash"] == paid.started.json()["input_hash"]
    assert paid.row["onChainState"] in ("FundsLocked", "ResultSubmitted")


def test_an_old_clients_status_is_success(met: Met) -> None:
    assert met.started.json()["status"] == "success"
