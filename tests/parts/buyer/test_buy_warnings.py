"""What ``masumi-sumi buy`` says of doubts about who sells, and when it does not pay for them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from agent_stand_in import QUESTION, Dropped, Script, Seller
from typer.testing import Result

from masumi_sumi.buyer import AgentClient, Buyer, Purchases, World
from masumi_sumi.clock import ManualClock
from masumi_sumi.payments.client import NodeClient
from masumi_sumi.payments.statements import Statement
from masumi_sumi.sandbox import Sandbox
from masumi_sumi.signing import AgentKey

Buy = Callable[..., Result]
KEY = AgentKey(b"k" * 32)
ADA = ("-i", "name=Ada", "-i", "size=Large")


def lines(result: Result) -> dict[str, dict[str, Any]]:
    """The last of each event."""
    return {line["event"]: line for line in map(json.loads, result.stdout.splitlines())}


def codes(line: dict[str, Any]) -> list[tuple[str, bool]]:
    return [(each["code"], each["identity"]) for each in line["warnings"]]


@pytest.fixture
def elsewhere(live_seller: Seller, live_sandbox: Sandbox) -> Seller:
    """Registered at another address than the one at which it is asked."""
    agent = live_seller.terms.agent_identifier
    live_sandbox.register(agent, url="https://another.example/flow")
    return live_seller


@pytest.mark.parametrize("words", [("--json", "--yes"), ("--json", "--max-price", "10ADA")])
def test_a_machine_does_not_pay_an_agent_that_is_registered_elsewhere(
    buy: Buy, elsewhere: Seller, live_sandbox: Sandbox, words: tuple[str, ...]
):
    refused = buy(*ADA, *words)

    said = lines(refused)
    assert refused.exit_code == 3
    assert codes(said["offered"]) == [("registered-elsewhere", True)]
    assert codes(said["hired"]) == [("registered-elsewhere", True)]
    assert "https://another.example/flow" in said["error"]["message"]
    assert "--allow-warnings" in said["error"]["message"]
    assert "nothing was paid" in said["error"]["message"]
    assert "POST /purchase" not in live_sandbox.requests()


def test_yes_alone_is_no_yes_to_a_warning_at_the_terminal(
    buy: Buy, elsewhere: Seller, live_sandbox: Sandbox
):
    refused = buy(*ADA, "--yes")

    assert refused.exit_code == 3
    assert "beware" in refused.output
    assert "POST /purchase" not in live_sandbox.requests()


@pytest.mark.parametrize(
    ("words", "typed"),
    [(("--json", "--yes", "--allow-warnings"), ""), ((), "y\n")],
)
def test_who_allows_it_or_looks_at_it_may_buy_all_the_same(
    buy: Buy, elsewhere: Seller, words: tuple[str, ...], typed: str
):
    bought = buy(*ADA, *words, typed=typed)

    assert bought.exit_code == 0, bought.output


def test_an_agent_that_the_registry_does_not_know_is_not_paid_by_a_machine(
    buy: Buy, live_seller: Seller, live_sandbox: Sandbox
):
    live_sandbox.fail("GET", "/registry/*", 404, times=None, message="Agent identifier not found")
    live_seller.alters["start_job"] = lambda body: (
        body | {"amounts": [{"amount": "10000000", "unit": ""}]}
    )

    refused = buy(*ADA, "--json", "--yes")

    assert refused.exit_code == 3, refused.output
    assert codes(lines(refused)["hired"]) == [("not-registered", True)]


def test_what_a_sandbox_invents_is_told_and_holds_nobody_up(
    buy: Buy, live_seller: Seller, live_sandbox: Sandbox
):
    nobodys = live_seller.terms.agent_identifier[:56] + "ab" * 32
    live_seller.terms = replace(live_seller.terms, agent_identifier=nobodys)

    bought = buy(*ADA, "--json", "--yes")

    assert bought.exit_code == 0, bought.output
    assert codes(lines(bought)["hired"]) == [("registry-invented", False)]
    assert lines(bought)["hired"]["terms"]["sellerVKeyRegistered"] is False


# --- the wallet, and the key that answers are signed with --------------------------------------


def test_a_wallet_that_the_registry_names_is_said_to_be_so(buy: Buy, live_seller: Seller):
    shown = buy(*ADA, typed="n\n")

    assert "which the registry names" in shown.output
    assert "beware" not in shown.output


def test_a_wallet_that_the_registry_does_not_name_is_the_nodes_to_find_out(
    buy: Buy, live_seller: Seller, live_sandbox: Sandbox
):
    live_sandbox.fail("GET", "/registry", 401, times=None, message="Unauthorized")

    shown = buy(*ADA, typed="n\n")

    assert "the node to find out as it pays" in shown.output
    assert "verified" not in shown.output


class Renaming(Dropped):
    """The node's network, on which its registry names another wallet for each agent."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        if not request.url.path.endswith("/registry"):
            return answer
        said = json.loads(await answer.aread())
        for asset in said["data"]["Assets"]:
            asset["SmartContractWallet"]["walletVkey"] = "cd" * 28
        return httpx.Response(answer.status_code, json=said)


async def test_another_wallet_than_the_registered_one_is_a_warning_of_identity(
    agent: AgentClient, seller: Seller, sandbox: Sandbox, clock: ManualClock
):
    async with httpx.AsyncClient(transport=Renaming(sandbox.app)) as http:
        node = Purchases("http://node.test/api/v1", sandbox.token, http)
        buyer = Buyer(agent, node, world=World(clock))
        hire = await buyer.hire(await buyer.offer(), {"name": "Ada", "size": "Large"})

    [caution] = hire.cautions
    assert (caution.code, caution.is_of_identity) == ("other-wallet", True)
    assert "cdcdcdcdcdcdcdcd…" in caution.words
    assert hire.terms is not None
    assert not hire.terms.wallet_named


async def _vouched(seller: Seller, url: str, token: str) -> Statement:
    async with NodeClient(url, token) as node:
        return await node.vouch(seller.terms.agent_identifier, KEY.public_key)


@pytest.mark.parametrize("vouched", [True, False])
def test_a_key_that_the_wallet_vouches_for_is_told_apart_from_a_bare_one(
    buy: Buy, live_seller: Seller, live_sandbox: Sandbox, vouched: bool
):
    node = (live_sandbox.url, live_sandbox.token)
    word = asyncio.run(_vouched(live_seller, *node)) if vouched else None
    live_seller.signs_with(KEY, word)
    live_seller.script = Script(asks=(QUESTION,))

    person = buy(*ADA, "--yes", "-a", "word=hello", typed="\n")
    said = lines(buy(*ADA, "--json", "--yes", "-a", "word=hello"))

    answered = said["answered"]
    assert (answered["signed"], answered["vouched"]) == (True, vouched)
    assert codes(said["hired"]) == ([] if vouched else [("key-not-vouched", False)])
    words = "the seller's wallet vouches for" if vouched else "that it alone vouches for"
    assert words in person.output
    assert ("that wallet vouched on" in person.output) is vouched
