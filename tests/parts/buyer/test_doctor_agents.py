"""The doctor over all: applications that run, cards of a panel, and a node's registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from masumi_sumi.cli import doctor
from masumi_sumi.cli.findings import Finding
from masumi_sumi.plugin import FlowTerms
from masumi_sumi.sandbox import Sandbox, SandboxKey
from masumi_sumi.settings import Settings

AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ee" * 32
OTHER = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "dd" * 32

REFUSED = ("unpaid starts", "good")

Apps = Callable[..., Settings]


def priced(agent: str = AGENT, **more: Any) -> FlowTerms:
    return FlowTerms(agent_identifier=agent, **{"network": "Preprod", **more})


@pytest.fixture(scope="module")
def node() -> Iterator[Sandbox]:
    with Sandbox(frozen=True, strict=True, keys=(SandboxKey("seller-key"),)) as sandbox:
        yield sandbox


async def looked(settings: Settings, outside: Any = None) -> list[Finding]:
    """``outside`` answers for all addresses; without it they are asked as they are."""
    if outside is None:
        return [finding async for finding in doctor.registered(settings)]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(outside)) as http:
        return [finding async for finding in doctor.registered(settings, http)]


async def test_an_agent_of_a_decorator_is_compared_with_its_registration(
    running: Apps, an_app: Callable[..., Any], node: Sandbox
):
    nodes = {"Preprod": {"url": node.url, "token": "seller-key"}}
    good = node.register(url="https://you.example/prime/sync")
    strange = node.register(url="https://you.example/other", pricing="Dynamic")
    app = an_app({"/sync": priced(good), "/a/b/": priced(strange)})
    settings = running({"/prime": app}, nodes=nodes)
    url = f"http://127.0.0.1:{settings.serve_port}/prime"

    outside = Starlette(routes=[Mount("/prime", app)])

    first, second, third, tried = await looked(settings, outside)

    assert (first.what, first.verdict) == ("agent of prime/a/b", "bad")
    assert first.words == f"is registered at https://you.example/other, not at {url}/a/b"
    assert "sold as Fixed, and registered Dynamic" in second.words
    assert (third.what, third.verdict) == ("agent of prime/sync", "beware")
    assert third.words.endswith(f"this machine answers at {url}/sync")
    assert third.advice == "see that the first leads to the second"
    assert (tried.what, tried.verdict) == REFUSED


async def test_an_agent_that_is_registered_where_it_answers_is_good_here(
    running: Apps, an_app: Callable[..., Any], node: Sandbox
):
    nodes = {"Preprod": {"url": node.url, "token": "seller-key"}}
    settings = running({"/prime": an_app({"/sync": priced(OTHER)})}, nodes=nodes)
    node.register(OTHER, url=f"http://127.0.0.1:{settings.serve_port}/prime/sync")

    finding, tried = await looked(settings)

    assert (finding.what, finding.verdict) == ("agent of prime/sync", "beware")
    assert (tried.what, tried.verdict) == REFUSED
    assert "leads everybody else to their own machine" in finding.words


def a_panel(card: str) -> Starlette:
    """With one expose, ``prime``, and a card for its flow at /sync, which it hands on."""
    meta = [{"url": "/prime/sync", "data": card, "enabled": True}]
    expose = {"name": "prime", "network": "Preprod", "enabled": True, "meta": meta}

    def shown(request: Request) -> JSONResponse:
        return JSONResponse([expose])

    def available(request: Request) -> JSONResponse:
        said = {"type": "masumi-agent", "status": "available", "agentIdentifier": AGENT}
        return JSONResponse(said)

    handed_on = Route("/mip003/prime/sync/availability", available)
    return Starlette(routes=[Route("/expose", shown), handed_on])


@pytest.mark.parametrize(
    ("carded", "found"),
    [
        (AGENT, [("agent of prime/sync", "beware")]),
        (OTHER, [("flow prime/sync", "bad"), ("agent of prime/sync", "beware")]),
    ],
)
async def test_a_flow_with_a_card_is_looked_at_once_and_held_to_its_card(
    running: Apps,
    an_app: Callable[..., Any],
    node: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    carded: str,
    found: list[tuple[str, str]],
):
    monkeypatch.setenv("KODOSUMI_API_KEY", "the-key")
    panel = running({"/": a_panel(f"agentIdentifier: '{carded}'")}).serve_port
    place = f"http://127.0.0.1:{panel}"
    nodes = {"Preprod": {"url": node.url, "token": "seller-key"}}
    node.register(AGENT, url=f"{place}/mip003/prime/sync")
    app = an_app({"/sync": priced()})

    findings = await looked(running({"/prime": app}, nodes=nodes, panel=place))

    assert [(each.what, each.verdict) for each in findings] == [*found, REFUSED]


async def test_where_nothing_is_for_sale_it_is_said(running: Apps, sold_app: ModuleType):
    free, *stolen = await looked(running({"/bare": sold_app.build()}))
    [nothing, none] = await looked(running({}))

    assert (free.what, free.verdict) == ("agents", "good")
    assert "none was found for sale (4 flows run free)" in free.words
    assert {each.verdict for each in stolen} == {"beware"}  # nobody guards it, here on loopback
    assert (nothing.what, none.what) == ("applications", "agents")
    assert "none was found for sale, so" in none.words
