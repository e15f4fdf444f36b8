"""The escrow against the sandbox, over real HTTP on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
import pytest

from masumi_sumi.errors import (
    IdentifierUnverified,
    NodeConflict,
    NodeFailed,
    NodeForbidden,
    NodeNotConfigured,
    NodeNotFound,
    NodeRefused,
    NodeUnauthorized,
    NodeUnreachable,
    SourceUnclear,
)
from masumi_sumi.jobs.model import Amount, PaymentFacts, PaymentOrder, SourceType
from masumi_sumi.jobs.ports import Cursor
from masumi_sumi.payments.client import NodeClient
from masumi_sumi.payments.escrow import NodeEscrow
from masumi_sumi.payments.identifier import SignedTerms, decode, encode, verify
from masumi_sumi.sandbox import Pricing, Sandbox, SandboxKey
from masumi_sumi.settings import NodeSettings

HASH = "cd" * 32
OTHER = {"Preprod": "Mainnet", "Mainnet": "Preprod"}
BUYER = "b69a06808228fd"
V1: SourceType = "Web3CardanoV1"
V2: SourceType = "Web3CardanoV2"
READER = SandboxKey("only-reads", can_pay=False)
SELLER = SandboxKey("sells")
STRANGER = SandboxKey("sells-something-else")


class NodeTime:
    """The seller's clock and the node's are one."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def now(self) -> float:
        return self._sandbox.node.clock.now() / 1000


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with Sandbox(frozen=True, keys=(READER, SELLER, STRANGER)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: Sandbox) -> Sandbox:
    served.reset()
    return served


def settings(sandbox: Sandbox, token: str = SELLER.token) -> NodeSettings:
    return NodeSettings.model_validate({"url": sandbox.url, "token": token})


@pytest.fixture
async def escrow(sandbox: Sandbox) -> AsyncIterator[NodeEscrow]:
    made = NodeEscrow({"Preprod": settings(sandbox)}, NodeTime(sandbox), connect=impatient)
    yield made
    await made.aclose()


def impatient(node: NodeSettings) -> NodeClient:
    return NodeClient(node.url, node.token, open_timeout=2.0, timeout=2.0, pauses=(0.0, 0.0))


def order(sandbox: Sandbox, agent: str, **rest: object) -> PaymentOrder:
    now = NodeTime(sandbox).now()
    return PaymentOrder("Preprod", agent, BUYER, "ab" * 32, now + 1800, now + 7200, **rest)


def buyers_view(facts: PaymentFacts, **rest: object) -> SignedTerms:
    return SignedTerms(
        facts.agent_identifier, BUYER, facts.input_hash, facts.seller_vkey, facts.times, **rest
    )


# --- asking --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["V1 fixed", "V1 dynamic", "V2 fixed", "V2 dynamic"])
async def test_a_payment_is_opened_that_its_buyer_can_verify(
    kind: str, sandbox: Sandbox, escrow: NodeEscrow
) -> None:
    version, dynamic = int(kind[1]), kind.endswith("dynamic")
    agent = sandbox.register(version=version, pricing="Dynamic" if dynamic else "Fixed")
    price = (Amount("5000000", "lovelace"),) if dynamic else ()
    index = 0 if version == 2 else None

    facts = await escrow.open(order(sandbox, agent, price=price, source_index=index))

    identifier = decode(facts.blockchain_identifier)
    verify(identifier, buyers_view(facts, price=price, source_index=index))
    assert encode(identifier) == facts.blockchain_identifier
    assert identifier.source_type == facts.source_type == (V2 if version == 2 else V1)
    assert facts.price == (Amount("5000000" if dynamic else "10000000"),)
    with pytest.raises(IdentifierUnverified):
        verify(identifier, buyers_view(facts, price=(Amount("1"),), source_index=index))


@pytest.mark.parametrize("version", [1, 2])
async def test_two_networks_are_sold_on_at_two_nodes(sandbox: Sandbox, version: int) -> None:
    mainnet = Sandbox(network="Mainnet", frozen=True)
    nodes = {"Preprod": sandbox, "Mainnet": mainnet}
    escrow = NodeEscrow(
        {name: settings(node, node.token) for name, node in nodes.items()},
        NodeTime(sandbox),
        connect=partial(within, {node.url: node.app for node in nodes.values()}),
    )
    agents = {name: node.register(version=version) for name, node in nodes.items()}

    for name, agent in agents.items():
        facts = await escrow.open(replace(order(sandbox, agent), network=name))
        verify(
            decode(facts.blockchain_identifier),
            buyers_view(facts, source_index=facts.source_index),
        )
        nodes[name].pay(facts.blockchain_identifier)
        nodes[name].mine()
        [view] = (await escrow.changes(name, facts.source_type, None)).views
        assert (view.blockchain_identifier, view.on_chain_state) == (
            facts.blockchain_identifier,
            "FundsLocked",
        )
        with pytest.raises(NodeRefused):
            await escrow.open(replace(order(sandbox, agent), network=OTHER[name]))
    assert mainnet.node.sources[0].selling.address.startswith("addr1")


def within(apps: Mapping[str, Any], node: NodeSettings) -> NodeClient:
    """A client that reaches a node without a socket."""
    http = httpx.AsyncClient(transport=httpx.ASGITransport(apps[node.url]))
    return NodeClient(node.url, node.token, http, pauses=(0.0, 0.0))


FIXED, DYNAMIC, FREE = Pricing("Fixed"), Pricing("Dynamic", ()), Pricing("Free", ())
EVM = Pricing("Fixed", chain="EVM")


@pytest.mark.parametrize(
    ("offers", "price", "index"),
    [
        ((FIXED,), (), 0),
        ((EVM, FREE, FIXED, DYNAMIC), (), 2),
        ((FIXED, DYNAMIC), (Amount("5000000"),), 1),
    ],
)
async def test_an_order_without_an_index_takes_the_only_source_that_fits(
    sandbox: Sandbox,
    escrow: NodeEscrow,
    offers: tuple[Pricing, ...],
    price: tuple[Amount, ...],
    index: int,
) -> None:
    ordered = order(sandbox, sandbox.register(version=2, offers=offers), price=price)

    first, second = await escrow.open(ordered), await escrow.open(ordered)

    assert (first.source_type, first.source_index) == (V2, index)
    verify(decode(first.blockchain_identifier), buyers_view(first, price=price, source_index=index))
    assert second.source_index == index
    assert sandbox.requests()["POST /payment"] == 3  # the first refusal is learned from


@pytest.mark.parametrize("offers", [(FIXED, FIXED), (DYNAMIC,), (EVM,)])
async def test_an_order_that_could_mean_several_sources_or_none_opens_nothing(
    sandbox: Sandbox, escrow: NodeEscrow, offers: tuple[Pricing, ...]
) -> None:
    with pytest.raises(SourceUnclear, match="several" if offers[0] is FIXED else "no payment"):
        await escrow.open(order(sandbox, sandbox.register(version=2, offers=offers)))

    assert sandbox.state()["rows"] == {}


async def test_an_index_that_was_named_is_never_changed(
    sandbox: Sandbox, escrow: NodeEscrow
) -> None:
    agent = sandbox.register(version=2, offers=(FREE, FIXED))

    with pytest.raises(NodeRefused, match="not supported for payments"):
        await escrow.open(order(sandbox, agent, source_index=0))


async def test_the_same_order_twice_is_two_payments(sandbox: Sandbox, escrow: NodeEscrow) -> None:
    ordered = order(sandbox, sandbox.register())

    first, second = await escrow.open(ordered), await escrow.open(ordered)

    assert first.blockchain_identifier != second.blockchain_identifier


async def test_an_order_that_the_node_refuses_says_why(
    sandbox: Sandbox, escrow: NodeEscrow
) -> None:
    with pytest.raises(NodeRefused, match="Pricing type not supported for payments"):
        await escrow.open(order(sandbox, sandbox.register(pricing="Free")))


async def test_a_failed_order_is_sent_once(sandbox: Sandbox, escrow: NodeEscrow) -> None:
    ordered = order(sandbox, sandbox.register())
    sandbox.forget_requests()
    sandbox.fail("POST", "/payment", 500)

    with pytest.raises(NodeFailed):
        await escrow.open(ordered)

    assert sandbox.requests() == {"POST /payment": 1}


async def test_an_order_whose_answer_is_lost_is_unreachable_and_not_repeated(
    sandbox: Sandbox, escrow: NodeEscrow
) -> None:
    ordered = order(sandbox, sandbox.register())
    sandbox.lose("POST", "/payment")

    with pytest.raises(NodeUnreachable):
        await escrow.open(ordered)

    assert len((await escrow.changes("Preprod", V1, None)).views) == 1


async def test_a_slow_node_does_not_hold_up_the_start(sandbox: Sandbox) -> None:
    ordered = order(sandbox, sandbox.register())
    escrow = NodeEscrow({"Preprod": settings(sandbox)}, NodeTime(sandbox), open_timeout=0.1)
    sandbox.delay("POST", "/payment", 0.3, times=1)

    with pytest.raises(NodeUnreachable, match=r"in 0\.1 s"):
        await escrow.open(ordered)
    await escrow.aclose()


# --- looking -------------------------------------------------------------------------------------


async def test_a_look_follows_a_payment_from_lock_to_payout(
    sandbox: Sandbox, escrow: NodeEscrow
) -> None:
    facts = await escrow.open(order(sandbox, sandbox.register()))
    payment = ("Preprod", facts.blockchain_identifier)
    seen = [await escrow.look(*payment)]
    sandbox.pay(facts.blockchain_identifier)
    sandbox.mine(2)
    seen.append(await escrow.look(*payment))
    await escrow.submit(*payment, HASH)
    seen.append(await escrow.look(*payment))
    sandbox.mine(3)
    seen.append(await escrow.look(*payment))
    sandbox.advance(12 * 3600)
    seen.append(await escrow.look(*payment))

    states = [view and (view.on_chain_state, view.action) for view in seen]
    assert states == [
        (None, "WaitingForExternalAction"),
        ("FundsLocked", "WaitingForExternalAction"),
        ("FundsLocked", "SubmitResultRequested"),
        ("ResultSubmitted", "WaitingForExternalAction"),
        ("Withdrawn", "None"),
    ]
    hashes = [view and (view.result_hash, view.action_result_hash) for view in seen[:4]]
    assert hashes == [(None, None), (None, None), (None, HASH), (HASH, None)]


async def test_a_payment_that_the_node_never_made_is_none(
    sandbox: Sandbox, escrow: NodeEscrow
) -> None:
    assert await escrow.look("Preprod", "abcd") is None


async def test_a_look_gets_over_two_cut_connections(sandbox: Sandbox, escrow: NodeEscrow) -> None:
    facts = await escrow.open(order(sandbox, sandbox.register()))
    sandbox.lose("POST", "*/resolve-blockchain-identifier", times=2)

    assert await escrow.look("Preprod", facts.blockchain_identifier) is not None


async def test_a_node_that_is_down_is_unreachable(sandbox: Sandbox, escrow: NodeEscrow) -> None:
    sandbox.down()

    with pytest.raises(NodeUnreachable):
        await escrow.look("Preprod", "abcd")


# --- handing in ----------------------------------------------------------------------------------


async def test_a_hash_for_an_unpaid_payment_is_not_found(
    sandbox: Sandbox, escrow: NodeEscrow
) -> None:
    facts = await escrow.open(order(sandbox, sandbox.register()))

    with pytest.raises(NodeNotFound):
        await escrow.submit("Preprod", facts.blockchain_identifier, HASH)


async def test_a_handed_in_hash_whose_answer_was_lost_is_seen_by_looking(
    sandbox: Sandbox, escrow: NodeEscrow
) -> None:
    facts = await escrow.open(order(sandbox, sandbox.register()))
    sandbox.pay(facts.blockchain_identifier)
    sandbox.mine(2)
    sandbox.forget_requests()
    sandbox.lose("POST", "/payment/submit-result")

    with pytest.raises(NodeUnreachable):
        await escrow.submit("Preprod", facts.blockchain_identifier, HASH)
    view = await escrow.look("Preprod", facts.blockchain_identifier)

    assert sandbox.requests()["POST /payment/submit-result"] == 1
    assert view is not None
    assert view.action_result_hash == HASH


async def test_another_sellers_payment_is_forbidden(sandbox: Sandbox, escrow: NodeEscrow) -> None:
    facts = await escrow.open(order(sandbox, sandbox.register()))
    sandbox.pay(facts.blockchain_identifier)
    sandbox.mine(2)
    other = NodeClient(sandbox.url, STRANGER.token)

    with pytest.raises(NodeForbidden):
        await other.submit("Preprod", facts.blockchain_identifier, HASH)
    await other.aclose()


async def test_a_parked_payment_is_recovered(sandbox: Sandbox, escrow: NodeEscrow) -> None:
    facts = await escrow.open(order(sandbox, sandbox.register()))
    sandbox.pay(facts.blockchain_identifier)
    sandbox.mine(2)
    sandbox.spoil(broadcast=True)
    await escrow.submit("Preprod", facts.blockchain_identifier, HASH)
    sandbox.mine(1)
    parked = await escrow.look("Preprod", facts.blockchain_identifier)

    node = escrow.node("Preprod")
    view = await node.recover("Preprod", facts.blockchain_identifier, retry=True)

    assert parked is not None
    assert (parked.action, parked.error_type) == ("WaitingForManualAction", "Unknown")
    assert parked.error_note == "Submitting result failed: simulated"
    assert view.action == "SubmitResultRequested"


async def test_only_the_hash_that_a_payment_is_parked_with_is_sent_again(
    sandbox: Sandbox, escrow: NodeEscrow
) -> None:
    facts = await escrow.open(order(sandbox, sandbox.register()))
    name = facts.blockchain_identifier
    sandbox.pay(name)
    sandbox.mine(2)
    with pytest.raises(NodeConflict):  # it is not parked at all
        await escrow.resubmit("Preprod", name, HASH)
    sandbox.spoil(broadcast=True)
    await escrow.submit("Preprod", name, HASH)
    sandbox.mine(1)
    with pytest.raises(NodeConflict):  # its failed step was not ours
        await escrow.resubmit("Preprod", name, "ef" * 32)
    with pytest.raises(NodeConflict):
        await escrow.resubmit("Preprod", "ab" * 300, HASH)
    assert "POST /payment/error-state-recovery" not in sandbox.requests()

    await escrow.resubmit("Preprod", name, HASH)

    view = await escrow.look("Preprod", name)
    assert view is not None
    assert (view.action, view.action_result_hash) == ("SubmitResultRequested", HASH)


async def test_openings_never_hold_up_what_follows_and_submits(sandbox: Sandbox) -> None:
    def with_one_connection(node: NodeSettings) -> NodeClient:
        http = httpx.AsyncClient(limits=httpx.Limits(max_connections=1), trust_env=False)
        return NodeClient(node.url, node.token, http, timeout=2.0, pauses=(0.0, 0.0))

    nodes = {"Preprod": settings(sandbox)}
    escrow = NodeEscrow(nodes, NodeTime(sandbox), connect=with_one_connection)
    agent = sandbox.register()
    facts = await escrow.open(order(sandbox, agent))
    sandbox.pay(facts.blockchain_identifier)
    sandbox.mine(2)
    sandbox.delay("POST", "/payment", seconds=3.0)
    opening = asyncio.create_task(escrow.open(order(sandbox, agent)))
    await asyncio.sleep(0.2)

    await escrow.submit("Preprod", facts.blockchain_identifier, HASH)
    await escrow.changes("Preprod", V1, None)

    assert not opening.done()
    opening.cancel()


# --- following -----------------------------------------------------------------------------------


async def test_changes_of_both_source_types_are_followed_apart(
    sandbox: Sandbox, escrow: NodeEscrow
) -> None:
    old = await escrow.open(order(sandbox, sandbox.register()))
    new = await escrow.open(order(sandbox, sandbox.register(version=2), source_index=0))

    first = await escrow.changes("Preprod", V1, None)
    second = await escrow.changes("Preprod", V2, None)

    assert [v.blockchain_identifier for v in first.views] == [old.blockchain_identifier]
    assert [v.blockchain_identifier for v in second.views] == [new.blockchain_identifier]


async def test_payments_that_change_at_once_all_come_once_in_one_request(
    sandbox: Sandbox, escrow: NodeEscrow
) -> None:
    agent = sandbox.register()
    opened = [await escrow.open(order(sandbox, agent)) for _ in range(25)]
    first = await escrow.changes("Preprod", V1, None)
    sandbox.advance(1)
    for facts in opened:
        sandbox.pay(facts.blockchain_identifier)
    sandbox.mine(2)
    sandbox.forget_requests()
    locked = await escrow.changes("Preprod", V1, first.cursor)
    quiet = await escrow.changes("Preprod", V1, locked.cursor)

    ours = sorted(facts.blockchain_identifier for facts in opened)
    assert sorted(v.blockchain_identifier for v in first.views) == ours
    assert sorted(v.blockchain_identifier for v in locked.views) == ours
    assert {v.on_chain_state for v in locked.views} == {"FundsLocked"}
    assert quiet.views == []
    assert sandbox.requests() == {"GET /payment/diff": 2}


async def test_a_block_that_is_stamped_too_early_is_found_by_the_next_sweep(
    sandbox: Sandbox, escrow: NodeEscrow
) -> None:
    agent = sandbox.register()
    paid = await escrow.open(order(sandbox, agent))
    sandbox.advance(100)
    await escrow.open(order(sandbox, agent))
    cursor = (await escrow.changes("Preprod", V1, None)).cursor
    sandbox.pay(paid.blockchain_identifier)
    sandbox.lag(30)
    sandbox.mine(2)
    sandbox.lag(0)
    at_once = await escrow.changes("Preprod", V1, cursor)
    sandbox.advance(10)
    swept = await escrow.changes("Preprod", V1, at_once.cursor)

    assert at_once.views == []
    assert [view.on_chain_state for view in swept.views] == ["FundsLocked"]


async def test_a_restart_goes_on_from_the_stored_cursor(
    sandbox: Sandbox, escrow: NodeEscrow
) -> None:
    facts = await escrow.open(order(sandbox, sandbox.register()))
    stored = (await escrow.changes("Preprod", V1, None)).cursor
    sandbox.pay(facts.blockchain_identifier)
    sandbox.advance(600)
    again = NodeEscrow({"Preprod": settings(sandbox)}, NodeTime(sandbox))

    answer = await again.changes("Preprod", V1, stored)

    assert [view.on_chain_state for view in answer.views] == ["FundsLocked"]
    assert isinstance(answer.cursor, Cursor)
    await again.aclose()


# --- which node ----------------------------------------------------------------------------------


async def test_a_network_without_a_node_is_a_matter_of_configuration(
    sandbox: Sandbox, escrow: NodeEscrow
) -> None:
    with pytest.raises(NodeNotConfigured, match="Mainnet"):
        await escrow.look("Mainnet", "abcd")
    with pytest.raises(NodeNotConfigured, match="Mainnet"):
        await escrow.changes("Mainnet", V1, None)
    with pytest.raises(NodeNotConfigured, match="Mainnet"):
        await escrow.submit("Mainnet", "abcd", HASH)


async def test_a_key_that_may_only_read_is_told_so(sandbox: Sandbox) -> None:
    escrow = NodeEscrow({"Preprod": settings(sandbox, READER.token)}, NodeTime(sandbox))

    with pytest.raises(NodeUnauthorized, match="payment access required"):
        await escrow.open(order(sandbox, sandbox.register()))
    status = await escrow.node("Preprod").api_key_status()
    await escrow.aclose()

    assert (status.can_read, status.can_pay) == (True, False)


async def test_a_url_without_its_path_is_told_from_an_unknown_payment(sandbox: Sandbox) -> None:
    node = NodeClient(sandbox.url.removesuffix("/api/v1"), SELLER.token)

    with pytest.raises(NodeNotFound, match="Can not POST"):
        await node.look("Preprod", "abcd")
    await node.aclose()


async def test_the_node_is_well_and_names_its_contracts(
    sandbox: Sandbox, escrow: NodeEscrow
) -> None:
    node = escrow.node("Preprod")
    await node.health()

    sources = await node.payment_sources()

    assert {(source.network, source.type) for source in sources} == {
        ("Preprod", V1),
        ("Preprod", V2),
    }
