"""A sale on Web3CardanoV2 at a price of its own, to its payout; and how it is registered."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import pytest
from shop import Node, Panel, Shop, until
from sources import ADA, AGENT

from masumi_sumi.buyer import AgentClient, Bought, Buyer, Hire, Limits, Proven, Purchases
from masumi_sumi.cli.stack import Stack
from masumi_sumi.settings import SANDBOX_TOKEN

WORD = {"word": "again", "count": 3}


@pytest.fixture(scope="module")
def repeater(stack: Stack, shop: Shop, node: Node) -> Shop:
    offers: dict[str, Any] = {"version": 2, "pricing": "Dynamic"}
    node.control("register", agentIdentifier=AGENT, **offers)
    stack.deploy(["tests.real.sources:fast_app"])
    return Shop(stack, "sources")


async def bought(repeater: Shop) -> tuple[Hire, list[Any]]:
    """The hire, and all that its buyer was told."""
    agent = AgentClient(repeater.url)
    node = Purchases(repeater.stack.urls["sandbox"], SANDBOX_TOKEN)
    async with agent, node:
        buyer = Buyer(agent, node, limits=Limits(max_price={"": 3 * ADA}))
        hire = await buyer.hire(await buyer.offer(), WORD)

        async def nothing_to_say(asked: Any) -> dict[str, Any]:
            raise AssertionError(asked)

        return hire, [event async for event in hire.run(nothing_to_say)]


def test_a_dynamic_price_on_the_second_contract_from_the_hire_to_the_payout(
    repeater: Shop, node: Node
) -> None:
    hire, told = asyncio.run(bought(repeater))

    assert hire.terms is not None
    order = hire.terms.order
    assert (hire.terms.pricing, hire.terms.registered) == ("Dynamic", True)
    assert [(part.amount, part.unit) for part in order.price] == [(str(3 * ADA), "")]
    assert (order.source_type, order.source_index) == ("Web3CardanoV2", 0)
    assert isinstance(told[0], Bought)
    assert isinstance(told[-1], Proven)

    asked = {"network": "Preprod", "blockchainIdentifier": order.blockchain_identifier}
    node.control("act", blockchainIdentifier=order.blockchain_identifier, step="withdraw")

    def paid_out() -> bool:
        url = f"{repeater.stack.urls['sandbox']}/payment/resolve-blockchain-identifier"
        answer = repeater.http.post(url, json=asked, headers={"token": SANDBOX_TOKEN})
        return bool(answer.json()["data"]["onChainState"] == "Withdrawn")

    until(paid_out, "the seller has the money")
    [opened, *_] = repeater.payments(hire.job_id)
    assert opened["supportedPaymentSourceIndex"] == 0
    assert opened["amounts"] == [{"amount": str(3 * ADA), "unit": ""}]


@pytest.mark.parametrize(("count", "status"), [("0", 422), ("-1", 400)])
def test_input_without_a_price_starts_nothing(
    repeater: Shop, node: Node, count: str, status: int
) -> None:
    node.forget()

    answer = repeater.ask_to_hire("", "ab" * 13, word="again", count=count)

    assert answer.status_code == status, answer.text
    assert node.requests("POST /payment") == 0


def test_the_doctor_compares_an_expose_with_its_registration(repeater: Shop, panel: Panel) -> None:
    card = f"agentIdentifier: '{AGENT}'\nagentPricing: {{pricingType: Fixed}}"
    meta = [{"url": "/repeater/", "data": card}]
    expose = {"name": "repeater", "network": "Preprod", "meta": meta}
    assert panel.http.post("/expose", json=expose).status_code == 201

    words = diagnosed(repeater.stack, "agent of repeater")
    panel.http.delete("/expose/repeater")

    assert any("0 of its payment sources are Fixed" in said for said in words), words
    assert any("is registered at http://localhost:8000" in said for said in words), words


def test_the_doctor_compares_what_a_decorator_alone_sells(repeater: Shop) -> None:
    [words] = diagnosed(repeater.stack, "agent of sources")

    assert words == f"is registered at http://localhost:8000, not at {repeater.url}"


def diagnosed(stack: Stack, what: str) -> list[str]:
    """The words of the doctor's findings of something that is not as it should be."""
    command = [sys.executable, "-m", "masumi_sumi", "doctor", "--json"]
    done = subprocess.run(
        command, env=stack.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    return [each["words"] for each in findings if each["what"] == what]
