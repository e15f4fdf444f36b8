"""What the middleware leaves alone, and where it finds the flows."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from masumi_sumi.errors import (
    ConfigurationError,
    DeadlinesDoNotFit,
    NodeNotConfigured,
    SettingInvalid,
    TermsIncomplete,
)
from masumi_sumi.plugin import FlowTerms, sumi

if TYPE_CHECKING:
    from sold_app import Shop

MakeShop = Callable[..., "Shop"]
AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ee" * 32
PRICED = FlowTerms(agent_identifier=AGENT, network="Preprod")


async def both(shop: Shop, method: str, path: str, **options: Any) -> list[httpx.Response]:
    """The same request to the app alone and to the sold app."""
    answers = []
    for app in (shop.api, shop.middleware):
        async with shop.client(app) as client:
            answers.append(await client.request(method, path, **options))
    return answers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/openapi.json"),
        ("GET", "/docs"),
        ("GET", "/health"),
        ("GET", "/"),
        ("GET", "/sync"),
        ("GET", "/nowhere"),
        ("POST", "/health"),
        ("GET", "/nowhere/availability"),
        ("POST", "/health/start_job"),
        ("GET", "/sync/start_job/more"),
        ("GET", "/status/6b49d200/more"),
        ("GET", "/nowhere/status/6b49d200"),
        ("POST", "/start_job/6b49d200"),
        ("GET", "/demo/more"),
        ("OPTIONS", "/health"),
    ],
)
async def test_what_is_not_ours_is_answered_by_the_app_byte_for_byte(
    shop: MakeShop, method: str, path: str
):
    alone, sold = await both(shop(), method, path)

    assert (sold.status_code, sold.content) == (alone.status_code, alone.content)
    assert sold.headers == alone.headers


async def test_the_panels_own_call_launches_the_panels_own_way(
    shop: MakeShop, runners: list[dict[str, Any]]
):
    sold = shop({"*": PRICED})

    form, user = {"name": "from the panel"}, {"x-kodosumi_user": "eve"}
    answer = await sold.post_from_gateway("/", form, headers=user)

    assert answer.json()["result"] == "6b49d200plain"
    assert runners == [
        {"inputs": {"name": "from the panel", "age": None}, "username": "eve", "run": True}
    ]
    assert sold.desk.jobs == {}


@pytest.mark.parametrize("path", ["/availability", "/availability/"])
async def test_a_route_of_the_authors_with_one_of_our_names_stays_the_authors(
    shop: MakeShop, sold_app: ModuleType, path: str
):
    api = sold_app.build()

    @api.get("/availability")
    async def availability() -> str:
        return "the author's"

    alone, sold = await both(shop(api=api), "GET", path)

    assert (sold.status_code, sold.content) == (alone.status_code, alone.content)


async def test_a_flow_with_one_of_our_names_is_a_flow(shop: MakeShop, sold_app: ModuleType):
    api = sold_app.build()

    @api.enter("/status", model=sold_app.form(), summary="Status of things")
    async def status(inputs: dict[str, Any], request: Any) -> Any:
        raise AssertionError

    sold = shop(api=api)

    form = await sold.get("/status")
    schema = await sold.get("/status/input_schema")

    assert form.json()["summary"] == "Status of things"
    assert "input_data" in schema.json()


@pytest.mark.parametrize("root", ["", "/prefix", "/a"])
@pytest.mark.parametrize(
    ("path", "flow"), [("", "/"), ("/sync", "/sync"), ("/a/b", "/a/b/"), ("/threads", "/threads")]
)
async def test_every_flow_is_sold_below_its_own_path_at_any_prefix(
    shop: MakeShop, sold_app: ModuleType, root: str, path: str, flow: str
):
    sold = shop({"*": PRICED}, root=root)

    answer = await sold.start(path, name="buyer" if path != "/threads" else "create_task")
    status = await sold.get(f"{path}/status", job_id=answer.json()["id"])

    [job] = sold.desk.jobs.values()
    assert job.flow == flow
    assert status.json()["status"] == "awaiting_payment"
    endpoint = sold.desk.launches[job.id].meta["extra"]["sumi_endpoint"]
    assert endpoint == f"{sold_app.SERVE}{root}{path}"


async def test_a_server_that_cuts_the_prefix_off_is_understood(shop: MakeShop):
    sold = shop()
    sold.root = "/s"  # a prefix that another path begins with
    transport = httpx.ASGITransport(app=sold.middleware, root_path="/s")

    async with httpx.AsyncClient(transport=transport, base_url="http://serve") as client:
        answer = await client.get("/sync/input_schema")

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/availability", "GET"),
        ("PUT", "/start_job", "POST"),
        ("GET", "/start_job", "POST"),
        ("DELETE", "/status", "GET"),
        ("GET", "/sync/provide_input", "POST"),
    ],
)
async def test_another_method_is_told_the_right_one(
    shop: MakeShop, method: str, path: str, allowed: str
):
    async with shop().client() as client:
        answer = await client.request(method, path)

    told = {"GET": "GET, HEAD, OPTIONS", "POST": "POST, OPTIONS"}[allowed]
    assert (answer.status_code, answer.headers["allow"]) == (405, told)
    assert answer.json()["detail"] == f"use {allowed}"


async def test_requests_before_and_beside_http_reach_the_app(shop: MakeShop):
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    sold = shop(app=app)
    for kind in ("lifespan", "websocket"):
        await sold.middleware({"type": kind}, None, None)  # type: ignore[arg-type]

    assert seen == ["lifespan", "websocket"]


def test_a_middleware_needs_a_kodosumi_app(sold_app: ModuleType):
    with pytest.raises(TypeError, match="ServeAPI"):
        sold_app.SumiMiddleware(lambda *args: None, parts=object())


async def test_an_app_below_other_middleware_is_found(shop: MakeShop, sold_app: ModuleType):
    from starlette.middleware.cors import CORSMiddleware

    sold = shop()
    inside = CORSMiddleware(sold.api, allow_origins=["*"])

    middleware = sold_app.SumiMiddleware(inside, parts=sold.parts)

    async with sold.client(middleware) as client:
        assert (await client.get("/availability")).status_code == 200


# --- terms -------------------------------------------------------------------------------------


def sells(shop: MakeShop, sold_app: ModuleType, *said: FlowTerms, **options: Any) -> Shop:
    """A shop whose author decorated the root flow with the terms, if any."""
    api = sold_app.build()
    for terms in said:
        handler = api._route_lookup["post", "/"]
        handler.__masumi_sumi_terms__ = terms
    return shop(api=api, **options)


async def test_the_authors_terms_hold_and_the_operators_win(shop: MakeShop, sold_app: ModuleType):
    other = "7e" * 60
    author = FlowTerms(agent_identifier=AGENT, network="Preprod", run=60)
    sold = sells(shop, sold_app, author, flows={"/": FlowTerms(agent_identifier=other)})

    await sold.start()

    [job] = sold.desk.jobs.values()
    assert (job.terms.agent_identifier, job.terms.run) == (other, 60)


async def test_an_operator_can_give_a_flow_away(shop: MakeShop, sold_app: ModuleType):
    sold = sells(shop, sold_app, PRICED, flows={"*": FlowTerms(pricing="Free")})

    await sold.start()

    [job] = sold.desk.jobs.values()
    assert job.terms.free


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        (FlowTerms(agent_identifier=AGENT), TermsIncomplete),
        (FlowTerms(price=5_000_000), TermsIncomplete),
        (FlowTerms(price=lambda data: 1), TermsIncomplete),
        (FlowTerms(price=5_000_000, network="Preprod"), TermsIncomplete),
        (FlowTerms(pricing="Fixed"), TermsIncomplete),
        (FlowTerms(pricing="Dynamic", agent_identifier=AGENT, network="Preprod"), TermsIncomplete),
        (FlowTerms(agent_identifier=AGENT, network="Mainnet"), NodeNotConfigured),
        (FlowTerms(agent_identifier=AGENT, network="Mainnet", price=len), NodeNotConfigured),
        (
            FlowTerms(agent_identifier=AGENT, network="Preprod", run=10**6, submit_by=10**6),
            DeadlinesDoNotFit,
        ),
    ],
)
async def test_a_priced_flow_with_something_missing_is_an_error_and_never_free(
    shop: MakeShop, terms: FlowTerms, error: type[ConfigurationError]
):
    sold = shop({"/": terms})

    with pytest.raises(error):
        sold.middleware.check()
    answer = await sold.start()

    assert answer.status_code == 424
    assert (await sold.get("/availability")).json()["status"] == "unavailable"
    assert sold.desk.jobs == {}


async def test_terms_that_cannot_hold_stop_the_app_at_its_start(shop: MakeShop):
    sold = shop({"/": FlowTerms(agent_identifier=AGENT)})

    with pytest.raises(TermsIncomplete):
        await sold.middleware({"type": "lifespan"}, None, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"network": "Preprd"}, "network"),
        ({"agent_identifer": AGENT}, "agent_identifer"),
        ({"agent_identifier": None}, "agent_identifier"),
        ({"agent_identifier": ""}, "agent_identifier"),
        ({"pricing": "Cheap"}, "pricing"),
        ({"pay_by": -1}, "pay_by"),
        ({"pay_by": float("inf")}, "pay_by"),
        ({"source_index": 25}, "source_index"),
        ({"repeats": -1}, "repeats"),
    ],
)
def test_a_term_that_cannot_be_is_refused_where_it_is_said(said: dict[str, Any], named: str):
    with pytest.raises(SettingInvalid, match=f"@sumi: {named}"):
        sumi(**said)


@pytest.mark.parametrize(
    "typed",
    [AGENT[:-1], f"{AGENT}e", f"{AGENT}\n", f"{AGENT[:-2]}zz", AGENT[:56], "7e8b...", "7e" * 126],
)
def test_an_identifier_that_no_registry_gives_is_refused_where_it_is_said(typed: str):
    with pytest.raises(SettingInvalid, match="hexadecimal digits in pairs, 58 to 250") as refusal:
        sumi(agent_identifier=typed, network="Preprod")

    assert str(refusal.value).startswith(f"@sumi: agent_identifier={typed!r} is not valid: expect")


@pytest.mark.parametrize("given", [AGENT, AGENT.upper(), "7e" * 29, "7e" * 125])
def test_an_identifier_that_a_node_takes_is_taken(given: str):
    taken = FlowTerms.of("@sumi", {"agent_identifier": given}).agent_identifier

    assert taken == given.lower()  # as the registry has it, which compares letter by letter


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"name": "Ada", "age": "36"}, None),
        ({"name": "Ada", "age": "old"}, "age: must be a number"),
        ({"name": "Ada", "years": 36}, "years: unknown field"),
        ({}, "name: is required"),
    ],
)
def test_a_demo_that_nobody_could_order_is_refused_before_anything_is_sold(
    shop: Callable[..., Shop], given: dict[str, Any], told: str | None
):
    demo = {"input": given, "output": {"result": "done"}}
    sold = shop({"/sync": FlowTerms(demo=demo)})

    if told is None:
        sold.middleware.check()
        return
    with pytest.raises(SettingInvalid, match=f"demo of flow /sync.*{told}"):
        sold.middleware.check()


def test_a_decorated_handler_stays_what_it_was():
    def handler() -> None: ...

    assert sumi(agent_identifier=AGENT, network="Preprod")(handler) is handler
