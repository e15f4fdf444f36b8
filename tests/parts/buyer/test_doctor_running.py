"""What the doctor learns from the applications that run: they are asked as a buyer asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from serve_stand_in import serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from masumi_sumi import sumi
from masumi_sumi.cli import doctor
from masumi_sumi.cli.findings import Finding
from masumi_sumi.cli.ports import free_ports
from masumi_sumi.cli.served import served
from masumi_sumi.cli.sold import Sold
from masumi_sumi.plugin import FlowTerms
from masumi_sumi.sandbox import Sandbox, SandboxKey
from masumi_sumi.settings import Settings

AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ee" * 32
OTHER = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "dd" * 32

Apps = Callable[..., Settings]


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Apps]:
    """``running({prefix: app}, **settings)``: the settings of who looks at these apps."""
    monkeypatch.chdir(tmp_path)
    with ExitStack() as stack:

        def start(apps: dict[str, Any], **more: Any) -> Settings:
            port = stack.enter_context(serving(apps))
            return Settings(data_dir=tmp_path, serve_port=port, **{"nodes": {}, **more})

        yield start


@pytest.fixture
def an_app(sold_app: ModuleType, tmp_path: Path) -> Callable[..., Any]:
    """``an_app({flow: terms})``: the author's app with SumiMiddleware around it."""

    def make(flows: dict[str, FlowTerms]) -> Any:
        return sold_app.Shop(tmp_path, flows).middleware

    return make


def priced(agent: str = AGENT, **more: Any) -> FlowTerms:
    return FlowTerms(agent_identifier=agent, **{"network": "Preprod", **more})


def answering(availability: Response, openapi: Response) -> Starlette:
    """An app with one flow at its root that is not ours."""
    document = {"paths": {"/": {"get": {"x-kodosumi": True}}}}

    def said(answer: Response) -> Any:
        return lambda request: answer

    return Starlette(
        routes=[
            Route("/openapi.json", said(JSONResponse(document))),
            Route("/availability", said(availability)),
            Route("/openapi", said(openapi)),
        ]
    )


AVAILABLE = {"type": "masumi-agent", "status": "available"}


class Order(BaseModel):
    text: str


async def shout(order: Order) -> str:
    return order.text.upper()


# --- what runs ---------------------------------------------------------------------------------


async def test_flows_say_themselves_on_what_terms_they_are_sold(
    running: Apps, an_app: Callable[..., Any]
):
    app = an_app({"/sync": priced(price=5), "/a/b/": priced(OTHER, source_index=1)})
    settings = running({"/prime": app, "/more/two-stage": an_app({"/": priced()})})
    url = f"http://127.0.0.1:{settings.serve_port}"

    found = await served(settings, {"prime"})

    assert found.findings == ()
    assert found.flows == {
        "prime": None,
        "prime/sync": Sold(
            "prime/sync", "Preprod", AGENT, "Dynamic", served_at=f"{url}/prime/sync"
        ),
        "prime/a/b": Sold(
            "prime/a/b", "Preprod", OTHER, "Fixed", index=1, served_at=f"{url}/prime/a/b"
        ),
        "prime/threads": None,
        "more/two-stage": Sold(
            "more/two-stage",
            "Preprod",
            AGENT,
            "Fixed",
            exposed=False,
            served_at=f"{url}/more/two-stage",
        ),
        **{f"more/two-stage/{flow}": None for flow in ("sync", "a/b", "threads")},
    }


async def test_an_app_at_the_root_is_met_too(running: Apps, an_app: Callable[..., Any]):
    settings = running({"/": an_app({"/": priced(), "/sync": priced(OTHER)})})
    url = f"http://127.0.0.1:{settings.serve_port}"

    found = await served(settings, ())

    assert {flow: sold.served_at for flow, sold in found.flows.items() if sold} == {
        "": url,
        "sync": f"{url}/sync",
    }
    assert [sold.what for sold in found.flows.values() if sold] == ["agent of /", "agent of sync"]


async def test_an_app_that_nobody_sells_is_free(running: Apps, sold_app: ModuleType):
    found = await served(running({"/bare": sold_app.build()}), ())

    assert found.findings == ()
    assert set(found.flows) == {"bare", "bare/sync", "bare/a/b", "bare/threads"}
    assert set(found.flows.values()) == {None}


async def test_a_function_sold_in_a_plain_app_says_its_terms_too(
    running: Apps, sold_app: ModuleType, tmp_path: Path
):
    app = FastAPI()
    sumi.flow(app, "/shout", agent_identifier=AGENT, network="Preprod")(shout)
    shop = sold_app.Shop(tmp_path, api=app)

    found = await served(running({"/plain": shop.middleware}), ())

    [sold] = [sold for sold in found.flows.values() if sold]
    assert (sold.id, sold.agent) == ("plain/shout", AGENT)


@pytest.mark.parametrize(
    ("app", "what", "verdict", "words"),
    [
        (Starlette(), "application /odd", "beware", "does not tell its flows: status 404"),
        (
            answering(JSONResponse({}, 500), JSONResponse({})),
            "flow odd",
            "beware",
            "failed on GET /availability with status 500",
        ),
        (answering(JSONResponse({}, 403), JSONResponse({})), "flow odd", "beware", "(403)"),
        (answering(RedirectResponse("/x"), JSONResponse({})), "flow odd", "beware", "redirects"),
        (
            answering(
                JSONResponse(AVAILABLE | {"agentIdentifier": AGENT}), JSONResponse({"paths": {}})
            ),
            "flow odd",
            "beware",
            "does not tell its terms",
        ),
    ],
)
async def test_what_cannot_be_asked_is_told_and_hurts_no_other(
    running: Apps, an_app: Callable[..., Any], app: Any, what: str, verdict: str, words: str
):
    found = await served(running({"/odd": app, "/prime": an_app({"/sync": priced()})}), ())

    [finding] = found.findings
    assert (finding.what, finding.verdict) == (what, verdict)
    assert words in finding.words
    assert finding.advice
    assert [sold.id for sold in found.flows.values() if sold] == ["prime/sync"]


async def test_a_flow_that_takes_no_job_is_bad(running: Apps, an_app: Callable[..., Any]):
    found = await served(running({"/prime": an_app({"/sync": priced(network="Mainnet")})}), ())

    [finding] = found.findings
    assert (finding.what, finding.verdict) == ("flow prime/sync", "bad")
    assert "not for sale now" in finding.words
    assert "prime/sync" not in found.flows


async def test_a_gift_under_an_identity_without_a_network_is_told(
    running: Apps, an_app: Callable[..., Any]
):
    gift = FlowTerms(agent_identifier=AGENT, pricing="Free")

    found = await served(running({"/prime": an_app({"/sync": gift})}), ())

    [finding] = found.findings
    assert (finding.what, finding.verdict) == ("flow prime/sync", "beware")
    assert "without a network" in finding.words


async def test_where_nothing_runs_it_is_said_and_nothing_is_wrong(running: Apps, tmp_path: Path):
    empty, [port] = running({}), free_ports(1)
    silent = Settings(data_dir=tmp_path, serve_port=port, nodes={})

    for settings, words in ((empty, "none runs on Ray Serve"), (silent, "does not answer at")):
        [finding] = (await served(settings, ())).findings
        assert (finding.what, finding.verdict, finding.advice) == ("applications", "good", "")
        assert words in finding.words
        assert f":{settings.serve_port}" in finding.words


async def test_a_configuration_of_serve_that_is_broken_is_bad(tmp_path: Path):
    (tmp_path / "serve_config.yaml").write_text("- no mapping")
    file = tmp_path / "serve_config.yaml"

    found = await served(Settings(data_dir=tmp_path, serve_config=file, nodes={}), ())

    [finding] = found.findings
    assert (finding.what, finding.verdict) == ("applications", "bad")


# --- and what is registered --------------------------------------------------------------------


@pytest.fixture(scope="module")
def node() -> Iterator[Sandbox]:
    with Sandbox(frozen=True, strict=True, keys=(SandboxKey("seller-key"),)) as sandbox:
        yield sandbox


async def looked(settings: Settings) -> list[Finding]:
    return [finding async for finding in doctor.registered(settings)]


async def test_an_agent_of_a_decorator_is_compared_with_its_registration(
    running: Apps, an_app: Callable[..., Any], node: Sandbox
):
    nodes = {"Preprod": {"url": node.url, "token": "seller-key"}}
    good = node.register(url="https://you.example/prime/sync")
    strange = node.register(url="https://you.example/other", pricing="Dynamic")
    app = an_app({"/sync": priced(good), "/a/b/": priced(strange)})
    settings = running({"/prime": app}, nodes=nodes)
    url = f"http://127.0.0.1:{settings.serve_port}/prime"

    first, second, third = await looked(settings)

    assert (first.what, first.verdict) == ("agent of prime/a/b", "bad")
    assert first.words == f"is registered at https://you.example/other, not at {url}/a/b"
    assert "sold as Fixed, and registered Dynamic" in second.words
    assert (third.what, third.verdict) == ("agent of prime/sync", "beware")
    assert third.words.endswith(f"this machine answers at {url}/sync")
    assert third.advice == "see that the first leads to the second"


async def test_an_agent_that_is_registered_where_it_answers_is_good(
    running: Apps, an_app: Callable[..., Any], node: Sandbox
):
    nodes = {"Preprod": {"url": node.url, "token": "seller-key"}}
    settings = running({"/prime": an_app({"/sync": priced(OTHER)})}, nodes=nodes)
    node.register(OTHER, url=f"http://127.0.0.1:{settings.serve_port}/prime/sync")

    [finding] = await looked(settings)

    assert (finding.what, finding.verdict) == ("agent of prime/sync", "good")


def a_panel(card: str) -> Starlette:
    """With one expose, ``prime``, and a card for its flow at /sync."""
    meta = [{"url": "/prime/sync", "data": card, "enabled": True}]
    expose = {"name": "prime", "network": "Preprod", "enabled": True, "meta": meta}

    def shown(request: Request) -> JSONResponse:
        return JSONResponse([expose])

    return Starlette(routes=[Route("/expose", shown)])


@pytest.mark.parametrize(
    ("carded", "found"),
    [
        (AGENT, [("agent of prime/sync", "good")]),
        (OTHER, [("flow prime/sync", "bad"), ("agent of prime/sync", "good")]),
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

    assert [(each.what, each.verdict) for each in findings] == found


async def test_where_nothing_is_for_sale_it_is_said(running: Apps, sold_app: ModuleType):
    [free] = await looked(running({"/bare": sold_app.build()}))
    [nothing, none] = await looked(running({}))

    assert (free.what, free.verdict) == ("agents", "good")
    assert "none was found for sale (4 flows run free)" in free.words
    assert (nothing.what, none.what) == ("applications", "agents")
    assert "none was found for sale, so" in none.words
