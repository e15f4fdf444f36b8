"""Our buyer at our seller: every flow of the examples is bought, paid, answered and proven."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from orders import ORDERS

from masumi_sumi.buyer import (
    AgentClient,
    Answered,
    Asked,
    Bought,
    Buyer,
    Delivered,
    Event,
    Limits,
    Locked,
    Moved,
    Proven,
    Purchases,
    Terms,
)
from masumi_sumi.cli.stack import Stack
from masumi_sumi.settings import SANDBOX_TOKEN

ADA_10 = 10_000_000
FORMS = [flow for flow in ORDERS if flow.startswith("sold-form-elements/")]


@dataclass
class Purchase:
    """A hire from its offer to its end. ``data`` is what the buyer sent."""

    terms: Terms | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    @property
    def kinds(self) -> list[type[Event]]:
        return [type(event) for event in self.events]

    @property
    def proof(self) -> Proven:
        last = self.events[-1]
        assert isinstance(last, Proven), self.events
        return last


@pytest.fixture(scope="module")
def purchases(stack: Stack, apps: str) -> dict[str, Purchase | BaseException]:
    """All bought side by side."""

    async def everything() -> list[Purchase | BaseException]:
        async with Purchases(stack.urls["sandbox"], SANDBOX_TOKEN) as node:
            buying = (buy(node, f"{apps}/{flow}", given) for flow, given in ORDERS.items())
            return list(await asyncio.gather(*buying, return_exceptions=True))

    return dict(zip(ORDERS, asyncio.run(everything()), strict=True))


async def buy(node: Purchases, url: str, given: Mapping[str, Any]) -> Purchase:
    async with AgentClient(url) as agent:
        buyer = Buyer(agent, node, limits=Limits(max_price={"": ADA_10}))
        hire = await buyer.hire(await buyer.offer(), given)
        purchase = Purchase(hire.terms, hire.input_data)
        async for event in hire.run(answer):
            purchase.events.append(event)
    return purchase


async def answer(asked: Asked) -> Mapping[str, Any]:
    assert not asked.refusal
    return {"greeting": 'a "warm" hello'}


def bought(purchases: Mapping[str, Purchase | BaseException], flow: str) -> Purchase:
    found = purchases[flow]
    if isinstance(found, BaseException):
        raise found
    return found


Purchased = dict[str, Purchase | BaseException]


@pytest.mark.parametrize("flow", ORDERS)
def test_it_is_bought_at_its_registered_price_and_proven(purchases: Purchased, flow: str) -> None:
    purchase = bought(purchases, flow)
    assert purchase.terms is not None
    assert purchase.terms.registered
    assert [(part.amount, part.unit) for part in purchase.terms.price] == [(str(ADA_10), "")]
    assert purchase.proof.form in ("escaped", "either")


@pytest.mark.parametrize("flow", ORDERS)
def test_it_goes_from_the_purchase_to_the_proof_without_trouble(
    purchases: Purchased, flow: str
) -> None:
    kinds = bought(purchases, flow).kinds
    asked = [Asked, Answered] if flow == "two-stage" else []
    assert [kind for kind in kinds if kind is not Moved] == [
        *(Bought, Locked),
        *asked,
        *(Delivered, Proven),
    ]


@pytest.mark.parametrize("flow", FORMS)
def test_a_filled_form_is_answered(purchases: Purchased, flow: str) -> None:
    assert json.loads(bought(purchases, flow).proof.result) == {"ok": True}


@pytest.mark.parametrize("flow", FORMS)
def test_every_answer_reaches_the_seller_as_the_schema_wants_it(
    purchases: Purchased, flow: str
) -> None:
    sent, given = bought(purchases, flow).data, ORDERS[flow]
    assert set(given) <= set(sent)
    positions = {"country": {"Germany": [2], "Elsewhere": [3]}, "size": {"Medium": [1]}}
    positions["plan"] = {"Professional": [1], "Premium": [1]}
    expected = {name: positions.get(name, {}).get(value, value) for name, value in given.items()}
    assert {name: sent[name] for name in given} == expected


@pytest.mark.parametrize("flow", ["sold-prime", "sold-prime/async"])
def test_primes_are_counted(purchases: Purchased, flow: str) -> None:
    counts = json.loads(bought(purchases, flow).proof.result)
    assert {gap: counts[gap] for gap in ("1", "2", "4")} == {"1": 1, "2": 1224, "4": 1215}


def test_words_are_counted(purchases: Purchased) -> None:
    proof = bought(purchases, "sold-word-count").proof
    assert json.loads(proof.result) == {"to": 2, "be": 2}


def test_the_graph_is_walked(purchases: Purchased) -> None:
    result = bought(purchases, "sold-knowledge-graph/serve").proof.result
    assert result.startswith("# From Person to Cardano\n")


def test_the_question_was_asked_and_its_answer_confirmed_and_signed(purchases: Purchased) -> None:
    purchase = bought(purchases, "two-stage")
    [answered] = [event for event in purchase.events if isinstance(event, Answered)]
    assert answered.confirmed
    assert answered.signed
    assert purchase.proof.result == 'You say a "warm" hello, I say **goodbye**.'
    assert purchase.proof.form == "escaped"


def test_a_machine_buys_it_with_the_command_and_is_asked_in_the_middle(
    stack: Stack, two_stage: str, tmp_path: Path
) -> None:
    given = [f"--input={name}={value}" for name, value in ORDERS["two-stage"].items()]
    answer = ("--answer", 'greeting=a "warm" hello')
    command = (sys.executable, "-m", "masumi_sumi", "buy", two_stage, "--json", "--yes", *answer)
    nodes = {"Preprod": {"url": stack.urls["sandbox"], "token": SANDBOX_TOKEN}}
    surroundings = {"SUMI_NODES": json.dumps(nodes), "SUMI_DATA_DIR": str(tmp_path)}

    bought = subprocess.run(
        [*command, *given],
        env={**os.environ, **surroundings},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=90,
    )

    assert bought.returncode == 0, bought.stdout + bought.stderr
    said = [json.loads(line) for line in bought.stdout.splitlines()]
    told = {line["event"]: line for line in said}
    order = [line["event"] for line in said if line["event"] not in ("moved", "troubled")]
    assert order == [
        *("offered", "hired", "bought", "locked"),
        *("asked", "answered", "delivered", "proven"),
    ]
    codes = {caution["code"] for caution in told["hired"]["warnings"]}
    assert codes == {"registry-invented", "key-not-vouched"}
    answered = told["answered"]
    assert (answered["confirmed"], answered["signed"], answered["vouched"]) == (True, True, False)
    assert told["proven"]["result"] == 'You say a "warm" hello, I say **goodbye**.'
    [kept] = (tmp_path / "hires").iterdir()
    assert json.loads(kept.read_text().splitlines()[-1]) == {"ended": "verified"}
