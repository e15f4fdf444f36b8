"""Buyers with few words: the first clients of the network, and those who hire what is free."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from buyer_words import canonical, digest
from shop import Hired, Node, Shop, until

LINE = 'a "plain" text'
ORDER = {"word": "free"}


def start(shop: Shop, flow: str, **body: Any) -> dict[str, Any]:
    answer = shop.http.post(f"{shop.url}{flow}/start_job", json=body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


@pytest.fixture(scope="module")
def hired(shop: Shop) -> tuple[Hired, Hired]:
    """A text is the whole input of one, which is not yet paid; nobody says who hires the other."""
    buyer = secrets.token_hex(10)
    line = start(shop, "/line", identifier_from_purchaser=buyer, input_data=LINE)
    free = start(shop, "/order", input_data=ORDER)
    return Hired("/line", buyer, {}, line), Hired("/order", "", ORDER, free)


@pytest.fixture(scope="module")
def line(hired: tuple[Hired, Hired], node: Node) -> Hired:
    """Paid by the first name of its payment."""
    job = hired[0]
    terms = {**job.terms, "blockchainIdentifier": job.terms["payment_id"]}
    node.buy(Hired(job.flow, job.identifier, {}, terms))
    return job


def test_a_text_that_was_paid_for_becomes_the_one_field_of_the_form(
    shop: Shop, node: Node, line: Hired
) -> None:
    told = shop.wait(line, "completed")

    word = '\\"'.join(LINE.split('"')) * 2
    assert told["result"] == f'{{"times":2,"word":"{word}"}}'
    escaped = canonical(told["result"])[1:-1]
    assert node.hash_of(line) == told["result_hash"] == digest(line.identifier, escaped)


def test_the_hash_of_a_text_is_over_its_json_string(node: Node, line: Hired) -> None:
    ours = digest(line.identifier, canonical(LINE))
    assert line.terms["input_hash"] == node.payment(line)["inputHash"] == ours


def test_a_free_agent_works_for_somebody_without_a_name(
    shop: Shop, hired: tuple[Hired, Hired]
) -> None:
    job = hired[1]
    assert job.terms["input_hash"] == digest("", canonical(ORDER))
    assert not {"identifierFromPurchaser", "payment_id"} & set(job.terms)

    assert shop.result(job) == '{"times":2,"word":"freefree"}'
    until(lambda: shop.statuses(job.id)[-1] == "finished", "the last event is there")
    assert shop.kinds(job.id, "meta")[0].value["extra"]["identifier_from_purchaser"] == ""


def test_a_free_agent_that_nobody_registered_says_no_identifier(shop: Shop) -> None:
    available = shop.http.get(f"{shop.url}/order/availability").json()

    assert (available["type"], available["status"]) == ("masumi-agent", "available")
    assert "agentIdentifier" not in available
