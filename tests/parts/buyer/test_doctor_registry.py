"""What the doctor says of agents: what is exposed, against what a node's registry says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from masumi_sumi.cli.exposed import Exposed, exposed, read
from masumi_sumi.cli.findings import Finding
from masumi_sumi.cli.registered import addresses, compared, of_source, of_wallet
from masumi_sumi.cli.sold import Sold
from masumi_sumi.payments.registration import Registration
from masumi_sumi.payments.wire import Source
from masumi_sumi.sandbox import Pricing, Sandbox, SandboxKey
from masumi_sumi.settings import Settings

ADA_10 = "agentPricing: {pricingType: Fixed, fixedPricing: [{amount: 10000000, unit: lovelace}]}"
STRANGER = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ab" * 32
AVAILABLE = {"type": "masumi-agent", "status": "available"}
FIXED, DYNAMIC = Pricing(), Pricing("Dynamic", ())


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with Sandbox(frozen=True, strict=True, keys=(SandboxKey("seller-key"),)) as sandbox:
        yield sandbox


@pytest.fixture
def node(served: Sandbox) -> Sandbox:
    served.reset()
    return served


@pytest.fixture
def settings(node: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    nodes = {"Preprod": {"url": node.url, "token": "seller-key"}}
    return Settings(data_dir=tmp_path, nodes=nodes, panel="https://agents.example")


def an_expose(card: str, **changes: Any) -> dict[str, Any]:
    meta = [{"url": "/prime/", "data": card, "enabled": True}]
    return {"name": "prime", "network": "Preprod", "enabled": True, "meta": meta, **changes}


def a_flow(agent: str, **changes: Any) -> Sold:
    return Sold(
        **{"id": "prime", "network": "Preprod", "agent": agent, "pricing": "Fixed", **changes}
    )


def registered(node: Sandbox, url: str = "https://agents.example/mip003/prime", **more: Any) -> str:
    return node.register(url=url, **more)


Found = Callable[..., Awaitable[list[Finding]]]


@pytest.fixture
def found(node: Sandbox) -> Found:
    """``await found(settings, sold, ...)``: each agent answers at its registered address."""

    def availability(request: Request) -> JSONResponse:
        """That of who is registered there."""
        asked = str(request.url).removesuffix("/availability")
        agents = {agent.api_base_url.rstrip("/"): agent for agent in node.node.registry.newest()}
        return JSONResponse({**AVAILABLE, "agentIdentifier": agents[asked].identifier})

    everybody = Starlette(routes=[Route("/{path:path}/availability", availability)])

    async def found(settings: Settings, *sold: Sold) -> list[Finding]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(everybody)) as http:
            return [finding async for finding in compared(sold, settings, http)]

    return found


# --- what is exposed ---------------------------------------------------------------------------


def test_a_card_with_an_identity_is_a_flow_that_is_sold():
    card = f"agentIdentifier: '{STRANGER}'\n{ADA_10}\nterms: {{source_index: 2}}"

    found = read([an_expose(card)])
    [sold] = found.sold

    assert (found.names, found.findings) == ({"prime"}, [])
    assert (sold.id, sold.network, sold.agent, sold.index) == ("prime", "Preprod", STRANGER, 2)
    assert [(part.amount, part.unit) for part in sold.price] == [("10000000", "")]


def test_a_price_in_the_terms_makes_a_flow_dynamic():
    [sold] = read([an_expose(f"agentIdentifier: '{STRANGER}'\nterms: {{price: 5}}")]).sold

    assert sold.pricing == "Dynamic"


@pytest.mark.parametrize(
    ("expose", "words"),
    [
        (an_expose("agentIdentifier: nonsense"), "hexadecimal"),
        (an_expose(f"agentIdentifier: '{STRANGER}'", network=None), "no network"),
    ],
)
def test_a_flow_that_cannot_be_sold_is_a_finding(expose: dict[str, Any], words: str):
    found = read([expose])
    [finding] = found.findings

    assert found.sold == []
    assert (finding.what, finding.verdict) == ("flow prime", "bad")
    assert words in finding.words
    assert finding.advice


def test_what_is_free_or_disabled_is_not_looked_up():
    card = f"agentIdentifier: '{STRANGER}'"
    off = [{"url": "/prime/", "data": card, "enabled": False}]

    free, disabled = an_expose("display: Free"), an_expose(card, enabled=False)
    for exposes in ([free], [disabled], [an_expose(card, meta=off)], [an_expose(card, meta=None)]):
        found = read(exposes)
        assert (found.sold, found.findings) == ([], [])
    assert read([disabled]).names == set()


def test_without_a_panel_the_round_goes_on(tmp_path: Path):
    fresh = Settings(data_dir=tmp_path / "new", nodes={})
    assert exposed(fresh) == Exposed()

    (tmp_path / "exposes.db").touch()
    left = Settings(data_dir=tmp_path, nodes={}, panel="http://127.0.0.1:9")
    [finding] = exposed(left).findings
    assert finding.verdict == "beware"
    assert "http://127.0.0.1:9" in finding.words


# --- what is registered ------------------------------------------------------------------------


async def test_an_agent_that_agrees_is_good(found: Found, node: Sandbox, settings: Settings):
    [finding] = await found(settings, a_flow(registered(node)))

    assert (finding.what, finding.verdict, finding.advice) == ("agent of prime", "good", "")


async def test_an_agent_that_nobody_registered_is_bad(found: Found, settings: Settings):
    [finding] = await found(settings, a_flow(STRANGER))

    assert finding.verdict == "bad"
    assert "not registered on Preprod" in finding.words
    assert "register the agent" in finding.advice


async def test_what_a_sandbox_invents_is_compared_with_nothing(
    found: Found, tmp_path: Path, settings: Settings
):
    with Sandbox(frozen=True) as inventive:
        nodes = {"Preprod": {"url": inventive.url, "token": inventive.token}}
        [finding] = await found(Settings(data_dir=tmp_path, nodes=nodes), a_flow(STRANGER))

    assert finding.verdict == "beware"
    assert "is registered nowhere" in finding.words
    assert "register the agent" in finding.advice


@pytest.mark.parametrize(
    ("url", "verdict", "words"),
    [
        ("https://agents.example/mip003/prime", "good", ""),
        ("http://127.0.0.1:8005/prime", "beware", "to their own machine"),
        ("https://agents.example/mip003/prime/", "beware", "do not cut the slash"),
        ("https://elsewhere.example/mip003/prime", "beware", "this machine answers at"),
        ("https://agents.example/mip003/other", "bad", "not at https://agents.example"),
        ("https://agents.example/mip003/prime?a=1", "bad", "put a path behind"),
        ("", "bad", "put a path behind"),
    ],
)
async def test_the_address_is_ours(
    found: Found, node: Sandbox, settings: Settings, url: str, verdict: str, words: str
):
    [finding] = await found(settings, a_flow(registered(node, url)))

    assert finding.verdict == verdict
    assert words in finding.words
    assert bool(finding.advice) is (verdict != "good")


async def test_of_flows_under_one_identity_only_one_can_be_the_registered_one(
    found: Found, node: Sandbox, settings: Settings
):
    agent = registered(node, "https://agents.example/mip003/prime/async")
    one, other = a_flow(agent, id="prime/async"), a_flow(agent, id="prime/sync")

    good, twin = await found(settings, one, other)
    [alone] = await found(settings, other)

    assert (good.verdict, twin.verdict, alone.verdict) == ("good", "beware", "bad")
    assert "sells under the identity of prime/async" in twin.words


@pytest.mark.parametrize(
    ("registration", "sale", "words"),
    [
        ({"pricing": "Dynamic"}, {}, "sold as Fixed, and registered Dynamic"),
        ({}, {"pricing": "Dynamic"}, "sold as Dynamic, and registered Fixed"),
        ({"pricing": "Free"}, {}, "registered Free"),
        ({"priced": False}, {}, "without a price"),
        ({"amount": 5_000_000}, {"price": "10"}, "shows 10 ADA, and is registered for 5 ADA"),
        ({}, {"index": 1}, "registered with one source only"),
        ({"version": 2, "offers": [FIXED, FIXED]}, {}, "2 of its payment sources are Fixed"),
        ({"version": 2, "offers": [DYNAMIC]}, {}, "0 of its payment sources are Fixed"),
        ({"version": 2, "offers": [FIXED, DYNAMIC]}, {"index": 1}, "registered Dynamic"),
        ({"version": 2, "offers": [FIXED]}, {"index": 4}, "without a price"),
    ],
)
async def test_a_price_that_is_not_the_registered_one_is_bad(
    found: Found,
    node: Sandbox,
    settings: Settings,
    registration: dict[str, Any],
    sale: dict[str, Any],
    words: str,
):
    agent = registered(node, **registration)
    if "price" in sale:
        [shown] = read([an_expose(f"agentIdentifier: '{agent}'\n{ADA_10}")]).sold
        sale = {"price": shown.price}

    [finding] = await found(settings, a_flow(agent, **sale))

    assert finding.verdict == "bad"
    assert words in finding.words
    assert finding.advice


@pytest.mark.parametrize(
    ("offers", "sale"),
    [
        ([DYNAMIC, FIXED], {}),
        ([DYNAMIC, FIXED], {"pricing": "Dynamic"}),
        ([FIXED, FIXED], {"index": 1}),
    ],
)
async def test_a_source_that_is_clear_is_good(
    found: Found, node: Sandbox, settings: Settings, offers: list[Pricing], sale: dict[str, Any]
):
    agent = registered(node, version=2, offers=offers)

    [finding] = await found(settings, a_flow(agent, **sale))

    assert finding.verdict == "good"


async def test_a_key_that_may_not_see_the_network_is_told(
    found: Found, node: Sandbox, settings: Settings
):
    same = settings.nodes["Preprod"]
    both = settings.model_copy(update={"nodes": {"Preprod": same, "Mainnet": same}})

    [finding] = await found(both, a_flow(registered(node), network="Mainnet"))

    assert (finding.what, finding.verdict) == ("registry of Mainnet", "bad")
    assert "401" in finding.words


@pytest.mark.parametrize(
    ("said", "verdict", "words"),
    [
        ({"state": "RegistrationConfirmed", "selling_vkey": "c" * 56}, None, ""),
        ({"state": "RegistrationRequested", "selling_vkey": "c" * 56}, "bad", "Requested"),
        ({"state": "DeregistrationConfirmed", "selling_vkey": "c" * 56}, "bad", "Deregistration"),
        ({"state": "UpdateConfirmed"}, "bad", "no selling wallet"),
    ],
)
def test_a_registration_is_confirmed_and_names_its_wallet(
    said: dict[str, str], verdict: str | None, words: str
):
    findings = list(of_wallet(a_flow(STRANGER), True, Registration(STRANGER, "", "", (), **said)))

    assert [each.verdict for each in findings] == ([verdict] if verdict else [])
    assert all(words in each.words and each.advice for each in findings)


def test_an_agent_of_another_node_or_contract_is_told():
    known = Registration(STRANGER, "", "", ())
    source = Source(
        network="Preprod",
        paymentSourceType="Web3CardanoV1",
        smartContractAddress="addr_test1",
        policyId=STRANGER[:56],
    )

    [other_node] = of_wallet(a_flow(STRANGER), False, known)
    [other_contract] = of_source(a_flow("67" * 60), [source])

    assert (other_node.verdict, other_contract.verdict) == ("beware", "bad")
    assert "not by this node" in other_node.words
    assert list(of_source(a_flow(STRANGER), [source])) == []


async def test_a_node_that_is_down_is_told_once_and_hurts_no_other(
    found: Found, node: Sandbox, settings: Settings
):
    away = a_flow(STRANGER, network="Mainnet")

    findings = await found(settings, away, away, a_flow(registered(node)))

    assert [(each.what, each.verdict) for each in findings] == [
        ("registry of Mainnet", "bad"),
        ("agent of prime", "good"),
    ]


def test_the_addresses_are_the_gateways_and_serves(settings: Settings):
    assert addresses(a_flow(STRANGER, id="prime/async"), settings) == [
        "https://agents.example/mip003/prime/async",
        "http://127.0.0.1:8005/prime/async",
    ]


def test_an_app_that_is_no_expose_has_its_own_address_only(settings: Settings):
    met = "http://10.0.0.5:80/prime"

    assert addresses(a_flow(STRANGER, exposed=False, served_at=met), settings) == [met]


async def test_a_network_without_a_node_here_is_bad_only_where_nothing_runs_on_it(
    found: Found,
    settings: Settings,
):
    card = a_flow(STRANGER, network="Mainnet")
    app = a_flow(STRANGER, network="Mainnet", id="two", served_at="http://127.0.0.1:8005/two")

    [runs] = await found(settings, app)
    [asked] = await found(settings, app, card)

    assert (runs.what, runs.verdict, asked.verdict) == ("registry of Mainnet", "beware", "bad")
    assert "SUMI_NODES names no node of Mainnet, so two, prime could" in asked.words
