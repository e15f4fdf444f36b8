"""A function with a pydantic model as a flow: its form, its border, and what a runner gets."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Callable
from datetime import date
from types import ModuleType
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from ray import cloudpickle
from starlette.datastructures import State

from masumi_sumi.errors import FunctionUnfit, SettingInvalid
from masumi_sumi.jobs.model import Launch
from masumi_sumi.plugin import FlowTerms, sumi
from masumi_sumi.plugin.decorator import terms_of

if TYPE_CHECKING:
    from sold_app import Shop

MakeShop = Callable[..., "Shop"]
KINDS = ("plain", "kodosumi")
FLOWS = ("/summary", "/count")


@pytest.fixture(scope="session")
def functions(sold_app: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    here = os.getcwd()
    os.chdir(tmp_path_factory.mktemp("kodosumi"))
    try:
        import function_app
    finally:
        os.chdir(here)
    return function_app


@pytest.fixture(params=KINDS)
def sold(request: pytest.FixtureRequest, shop: MakeShop, functions: ModuleType) -> Shop:
    """The functions in an app of either kind."""
    return shop(api=getattr(functions, request.param)())


async def hire(sold: Shop, flow: str = "/summary", **data: Any) -> httpx.Response:
    return await sold.start(flow, input_data={"text": "Some words", **data})


def launched(sold: Shop) -> tuple[Launch, dict[str, Any]]:
    [launch] = sold.desk.launches.values()
    from masumi_sumi.runtime.spec import unpack

    return launch, unpack(launch.spec)


async def result_of(spec: dict[str, Any], tracer: Any = None) -> Any:
    """Call the entry point as Kodosumi's runner does."""
    entry = spec["entry_point"]
    bound = inspect.signature(entry).bind_partial()
    given = {"inputs": spec["inputs"], "tracer": tracer}
    bound.arguments |= {name: given[name] for name in inspect.signature(entry).parameters}
    if asyncio.iscoroutinefunction(entry):
        return await entry(*bound.args, **bound.kwargs)
    return await asyncio.to_thread(entry, *bound.args, **bound.kwargs)


async def fetched(spec: dict[str, Any], job_id: str) -> Any:
    """The job's tracer, once its files have come as the runner brings them."""
    import internet

    from masumi_sumi.runtime.cluster import exec_dir
    from masumi_sumi.runtime.runner import tracer_of

    folder = exec_dir() / spec["username"] / job_id / "in"
    await internet.downloads().fetch(spec["files"], folder)
    return tracer_of(job_id, None, "", "", spec["username"], None)


# --- what is asked -----------------------------------------------------------------------------


async def test_the_schema_is_the_models(sold: Shop):
    answer = await sold.get("/summary/input_schema")

    assert answer.json()["input_data"] == [
        {
            "id": "text",
            "type": "textarea",
            "name": "Text",
            "data": {"description": "What to summarise"},
            "validations": [
                {"validation": "max", "value": "5000"},
                {"validation": "format", "value": "nonempty"},
            ],
        },
        {
            "id": "tone",
            "type": "option",
            "name": "Tone",
            "data": {
                "values": ["short", "friendly"],
                "placeholder": "short",
                "description": "Default: “short”.",
            },
            "validations": [
                {"validation": "optional", "value": "true"},
                {"validation": "min", "value": "1"},
                {"validation": "max", "value": "1"},
            ],
        },
        {
            "id": "topics",
            "type": "option",
            "name": "Topics",
            "data": {"values": ["news", "sport"]},
            "validations": [
                {"validation": "optional", "value": "true"},
                {"validation": "min", "value": "0"},
                {"validation": "max", "value": "2"},
            ],
        },
        {
            "id": "words",
            "type": "number",
            "name": "Words",
            "data": {"default": 100},
            "validations": [
                {"validation": "optional", "value": "true"},
                {"validation": "min", "value": "10"},
                {"validation": "max", "value": "500"},
                {"validation": "format", "value": "integer"},
            ],
        },
        {
            "id": "urgent",
            "type": "boolean",
            "name": "Urgent",
            "data": {"default": False},
            "validations": [{"validation": "optional", "value": "true"}],
        },
        {
            "id": "until",
            "type": "date",
            "name": "Until",
            "validations": [{"validation": "optional", "value": "true"}],
        },
    ]


async def test_a_flow_is_listed_under_its_functions_name_and_words(sold: Shop):
    paths = (await sold.get("/openapi.json")).json()["paths"]

    assert paths["/summary"]["get"]["x-kodosumi"] is True
    assert paths["/summary"]["get"]["summary"] == "Summary"
    assert paths["/summary"]["get"]["description"] == "Summarises a text."
    assert paths["/count"]["get"]["summary"] == "Word count"
    assert (paths["/count"]["get"]["tags"], paths["/count"]["get"]["x-author"]) == (
        ["words"],
        "ada",
    )


async def test_the_document_asks_for_as_many_choices_as_the_model_takes(sold: Shop):
    document = (await sold.get("/summary/openapi")).json()

    asked = document["components"]["schemas"]["Input"]["properties"]
    several, one = asked["topics"]["anyOf"][0], asked["tone"]["anyOf"][0]
    assert (several["minItems"], several["maxItems"], several["uniqueItems"]) == (1, 2, True)
    assert (one["minItems"], one["maxItems"]) == (1, 1)


async def test_a_plain_app_keeps_its_own_routes_and_errors(shop: MakeShop, functions: ModuleType):
    api = functions.plain()
    sold = shop(api=api)

    assert (await sold.get("/health")).json() == "the author's"
    assert (await sold.get("/nowhere")).json() == {"detail": "Not Found"}
    assert not [route for route in api.routes if route.path.startswith("/_lock_")]


# --- what is sold ------------------------------------------------------------------------------


async def test_a_job_carries_the_model_and_the_function_by_name(sold: Shop, functions: ModuleType):
    answer = await hire(sold, tone="friendly", topics=["sport"], words=50, until="2030-01-02")

    assert answer.status_code == 200
    launch, spec = launched(sold)
    assert spec["inputs"] == functions.Order(
        text="Some words",
        tone=functions.Tone.FRIENDLY,
        topics=["sport"],
        words=50,
        until=date(2030, 1, 2),
    )
    assert launch.meta["entry_point"] == "function_app.summary"
    assert launch.meta["summary"] == "Summary"
    assert spec["entry_point"].args[0] is functions.summary
    assert await result_of(spec) == "friendly: Some words"


async def test_blocking_code_is_run_in_a_thread_by_the_runner(sold: Shop):
    await hire(sold, "/count")

    launch, spec = launched(sold)

    assert not asyncio.iscoroutinefunction(spec["entry_point"])
    assert await result_of(spec) == {"words": 2}
    assert (launch.meta["summary"], launch.meta["author"]) == ("Word count", "ada")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_buyers_files_are_what_the_function_reads(
    shop: MakeShop, functions: ModuleType, online: Callable[[Shop], Shop], kind: str
):
    api = getattr(functions, kind)()
    sumi.flow(api, "/read")(functions.read)
    sold = online(shop(api=api))
    sent = {"first": "https://a.test/one.txt", "others": ["https://a.test/2", "https://b.test/3"]}

    answer = await sold.start("/read", input_data=sent)

    _, spec = launched(sold)
    assert spec["inputs"] == functions.Papers(first="in/one.txt", others=["in/2", "in/3"])
    tracer = await fetched(spec, answer.json()["job_id"])
    assert await result_of(spec, tracer) == "/one.txt /2 /3"


@pytest.mark.parametrize(
    ("data", "field", "reason"),
    [
        ({"first": ["https://a.test/1", "https://a.test/2"]}, "first", "must be one file"),
        ({"others": ["https://a.test/1"]}, "first", "is required"),
        ({"first": "https://inner.test/1"}, "first", "its host is not on the public internet"),
    ],
)
async def test_a_models_files_are_checked_before_a_sale(
    shop: MakeShop,
    functions: ModuleType,
    online: Callable[[Shop], Shop],
    data: dict[str, Any],
    field: str,
    reason: str,
):
    api = functions.plain()
    sumi.flow(api, "/read")(functions.read)
    sold = online(shop(api=api))

    answer = await sold.start("/read", input_data=data)

    assert (answer.status_code, answer.json()["errors"]) == (400, {field: [reason]})
    assert not sold.desk.jobs


async def test_a_flow_is_sold_on_its_own_terms(sold: Shop, functions: ModuleType):
    await hire(sold)
    await hire(sold, "/count")

    priced, free = sorted(sold.desk.jobs.values(), key=lambda job: job.terms.free)

    assert (priced.flow, priced.terms.agent_identifier) == ("/summary", functions.AGENT)
    assert (free.flow, free.terms.free) == ("/count", True)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_price_is_a_function_of_the_model(shop: MakeShop, functions: ModuleType, kind: str):
    terms = FlowTerms(price=lambda order: order.words * 10_000 * (1 + len(order.topics)))
    sold = shop({"*": terms}, api=getattr(functions, kind)())

    answer = await hire(sold, words=200, topics=["news", "sport"])

    assert answer.json()["amounts"] == [{"amount": "6000000", "unit": ""}]


@pytest.mark.parametrize(
    ("data", "field", "reason"),
    [
        ({"text": None}, "text", "is required"),
        ({"text": "a rude word"}, "text", "must be decent"),
        ({"tone": "loud"}, "tone", "must be one of: short, friendly"),
        ({"topics": ["news", "weather"]}, "topics", "must be one of: news, sport"),
        ({"words": 9}, "words", "must not be below 10"),
        ({"words": 10.5}, "words", "must be 10 plus a multiple of 1"),
        ({"until": "tomorrow"}, "until", "must be a date as YYYY-MM-DD"),
        ({"urgent": True, "words": 300}, "_global_", "what is urgent must be short"),
        ({"mood": "good"}, "mood", "unknown field"),
    ],
)
async def test_what_the_model_refuses_is_a_400_that_names_the_field(
    sold: Shop, data: dict[str, Any], field: str, reason: str
):
    answer = await hire(sold, **data)

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    assert sold.desk.jobs == {}


async def test_the_notebooks_dialect_names_the_field_too(sold: Shop):
    headers = {"x-sumi-dialect": "sumi"}
    body = {"identifier_from_purchaser": "b69a06808228fd00", "input_data": {"text": "rude"}}

    answer = await sold.post("/summary/start_job", body, headers=headers)

    assert answer.json()["status"] == "failed"
    assert "text: ['must be decent']" in answer.json()["error"]
    assert sold.desk.jobs == {}


# --- the panel ---------------------------------------------------------------------------------


async def test_the_panel_launches_as_ever(sold: Shop, runners: list[dict[str, Any]]):
    posted = {"text": "By hand", "tone": "friendly", "topics.news": "on", "words": "20"}

    answer = await sold.post_from_gateway("/summary", posted, headers={"x-kodosumi_user": "eve"})

    assert answer.json()["result"] == "6b49d200plain"
    [made] = runners
    assert made["username"] == "eve"
    assert (made["inputs"].text, made["inputs"].topics) == ("By hand", ["news"])
    assert sold.desk.jobs == {}


async def test_a_caller_of_kodosumis_may_send_json(sold: Shop, runners: list[dict[str, Any]]):
    sent = {"text": "x", "tone": "friendly", "topics": ["news"], "words": 20, "urgent": True}

    await sold.post_from_gateway("/summary", sent)
    refused = await sold.post_from_gateway(
        "/summary", {"text": "x", "topics": ["weather"], "words": [2]}
    )

    assert [made["inputs"].model_dump(mode="json") for made in runners] == [sent | {"until": None}]
    assert {name for name, why in refused.json()["errors"].items() if why} == {"topics", "words"}


async def test_the_panel_shows_what_the_model_says_at_the_field(
    sold: Shop, runners: list[dict[str, Any]]
):
    answer = await sold.post_from_gateway("/summary", {"text": "rude", "words": "many"})

    assert answer.json()["errors"]["text"] == ["must be decent"]
    assert set(answer.json()["errors"]) == {"text", "words", "_global_"}
    assert runners == []


# --- the decorator -----------------------------------------------------------------------------


def test_a_function_stays_what_it_was(functions: ModuleType):
    def work(order: functions.Order) -> str:  # type: ignore[name-defined]
        return "done"

    work.__annotations__["order"] = functions.Order
    before = dict(vars(work))

    assert sumi.flow(functions.plain(), "/work")(work) is work
    assert vars(work) == before


def test_an_app_travels_with_its_flows(functions: ModuleType, monkeypatch: pytest.MonkeyPatch):
    from masumi_sumi import compose
    from masumi_sumi.runtime.serving import serve_api_of

    def state_of(state: State) -> Any:  # as Ray has it, once it is connected
        return State, (state._state,)

    monkeypatch.setitem(cloudpickle.CloudPickler.dispatch, State, state_of)
    app = cloudpickle.loads(cloudpickle.dumps(functions.plain()))

    keeper = serve_api_of(app)
    assert set(compose.flows_of(keeper)) == set(FLOWS)
    assert keeper.routes is app.routes


@pytest.mark.parametrize("above", [True, False])
def test_terms_that_are_said_beside_the_flow_hold_too(functions: ModuleType, above: bool):
    from masumi_sumi import compose
    from masumi_sumi.runtime.serving import serve_api_of

    async def work(order: Any) -> str:
        return "done"

    work.__annotations__["order"] = functions.Order
    app = functions.FastAPI()
    terms = sumi(agent_identifier=functions.AGENT, network="Preprod", run=60)
    flow = sumi.flow(app, "/", run=30)
    terms(flow(work)) if above else flow(terms(work))

    [handler] = compose.flows_of(serve_api_of(app)).values()
    assert terms_of(handler) == FlowTerms(
        agent_identifier=functions.AGENT, network="Preprod", run=30
    )


@pytest.mark.parametrize("path", ["summary", "/summary", "/summary/", "/health"])
def test_a_path_that_is_served_already_is_refused(functions: ModuleType, path: str):
    with pytest.raises(SettingInvalid, match="path"):
        sumi.flow(functions.plain(), path)(functions.count)


def test_a_flow_needs_an_app(functions: ModuleType):
    with pytest.raises(SettingInvalid, match="FastAPI"):
        sumi.flow(object(), "/")(functions.count)


def test_what_is_no_function_of_one_model_is_refused(functions: ModuleType):
    order = functions.Order

    async def nothing() -> None: ...
    async def words(text: str) -> None: ...
    async def two(first: order, second: order) -> None: ...
    async def more(order: order, more: int) -> None: ...
    async def pieces(order: order) -> Any:
        yield "piece"

    for function in (nothing, words, two, more, pieces):
        function.__annotations__ = {
            name: {"order": order}.get(said, said)
            for name, said in function.__annotations__.items()
        }
        with pytest.raises(FunctionUnfit):
            sumi.flow(functions.FastAPI(), "/")(function)
    with pytest.raises(FunctionUnfit):
        sumi.flow(functions.FastAPI(), "/")(order)


def test_a_type_that_its_module_does_not_know_is_named(functions: ModuleType):
    async def late(order: Unheard) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(FunctionUnfit, match="Unheard"):
        sumi.flow(functions.FastAPI(), "/")(late)
