"""What the doctor learns from the applications that run: they are asked as a buyer asks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from masumi_sumi import sumi
from masumi_sumi.cli.ports import free_ports
from masumi_sumi.cli.served import served
from masumi_sumi.cli.sold import Sold
from masumi_sumi.plugin import FlowTerms
from masumi_sumi.settings import Settings

AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ee" * 32
OTHER = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "dd" * 32

Apps = Callable[..., Settings]


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
