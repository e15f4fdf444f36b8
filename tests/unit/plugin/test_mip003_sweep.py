"""MIP-003's smaller rules: the demo, first buyers' texts, addresses as buyers write them."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from masumi_sumi.errors import SettingInvalid
from masumi_sumi.hashing import input_hash
from masumi_sumi.jobs.model import JobState, Payment, PaymentState
from masumi_sumi.plugin import FlowTerms, sumi

if TYPE_CHECKING:
    from sold_app import Shop

MakeShop = Callable[..., "Shop"]
IDENTIFIER = "b69a06808228fd00"
AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ee" * 32
DEMO = {"input": {"name": "Ada", "tags": [1, 2.5]}, "output": {"result": "Hello, Ada"}}


# --- demo --------------------------------------------------------------------------------------


async def test_a_demo_is_shown_below_its_flow(shop: MakeShop):
    sold = shop({"/sync": FlowTerms(demo=DEMO)})

    shown = await sold.get("/sync/demo")
    none = await sold.get("/demo")

    assert (shown.status_code, shown.json()) == (200, DEMO)
    assert (none.status_code, none.json()["detail"]) == (404, "demo of flow '/' not found")


async def test_the_operators_demo_is_shown_instead_of_the_authors(
    shop: MakeShop, sold_app: ModuleType
):
    api = sold_app.build()
    author = {"input": {}, "output": {"result": "the author's"}}
    sumi(demo=author)(api._route_lookup["post", "/"])
    sumi(demo=author)(api._route_lookup["post", "/sync"])
    sold = shop({"/": FlowTerms(demo=DEMO)}, api=api)

    assert (await sold.get("/demo")).json() == DEMO
    assert (await sold.get("/sync/demo")).json() == author


@pytest.mark.parametrize(
    "demo",
    [
        {},
        {"input": {}},
        {"input": [], "output": {"result": ""}},
        {"input": {}, "output": "x"},
        {"input": {}, "output": {"result": {"no": "text"}}},
        {"input": {}, "output": {"result": "x", "more": 1}},
        {"input": {}, "output": {"result": "x"}, "more": 1},
        {"input": {"x": float("nan")}, "output": {"result": "x"}},
        {"input": {"x": object()}, "output": {"result": "x"}},
    ],
)
def test_what_is_no_demo_is_refused_where_it_is_said(demo: Any):
    with pytest.raises(SettingInvalid, match="demo"):
        sumi(demo=demo)


# --- first buyers ------------------------------------------------------------------------------


@pytest.fixture
def one_field(shop: MakeShop, sold_app: ModuleType) -> Shop:
    """A shop whose flow /say asks for one text."""
    from fastapi import Request
    from kodosumi.core import Launch
    from kodosumi.core import forms as F

    api = sold_app.build()

    @api.enter("/say", model=F.Model(F.InputText(name="text", required=True), F.Submit("Go")))
    async def say(inputs: dict[str, Any], request: Request) -> Any:
        return Launch(request, sold_app.work, inputs=inputs, reference=say)

    return shop({"*": FlowTerms(agent_identifier=AGENT, network="Preprod")}, api=api)


@pytest.mark.parametrize("name", ["input_data", "inputData", "input"])
async def test_a_plain_text_hires_a_flow_of_one_field_and_is_hashed_as_sent(
    one_field: Shop, name: str
):
    body = {"identifier_from_purchaser": IDENTIFIER, name: 'Say "Hi"'}

    answer = await one_field.post("/say/start_job", body)

    from masumi_sumi.runtime.spec import unpack

    [job] = one_field.desk.jobs.values()
    assert answer.status_code == 200
    assert answer.json()["input_hash"] == input_hash(IDENTIFIER, 'Say "Hi"')
    assert answer.json()["payment_id"] == answer.json()["blockchainIdentifier"]
    assert unpack(one_field.desk.launches[job.id].spec)["inputs"] == {"text": 'Say "Hi"'}


async def test_a_plain_text_for_several_fields_is_told_which(one_field: Shop):
    answer = await one_field.start(input_data="Ada")

    assert answer.status_code == 400
    assert answer.json()["errors"] == {
        "input_data": ["must be an object: this form has the fields name, age"]
    }
    assert one_field.desk.jobs == {}


@pytest.mark.parametrize("data", ["", None, 5, True])
async def test_a_text_that_says_nothing_hires_nothing(one_field: Shop, data: Any):
    assert (await one_field.start("/say", input_data=data)).status_code == 400
    assert one_field.desk.jobs == {}


@pytest.mark.parametrize("empty", ["input_data", "inputData"])
async def test_a_null_beside_the_data_is_overlooked(shop: MakeShop, empty: str):
    sold = shop()

    answer = await sold.post("/start_job", {empty: None, "input": {"name": "Ada"}})

    assert answer.status_code == 200
    assert answer.json()["input_hash"] == input_hash("", {"name": "Ada"})


# --- addresses and methods ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/availability/", "http://serve//availability", "/sync//availability", "/a/b//availability/"],
)
async def test_a_slash_too_many_makes_no_difference_and_no_redirect(shop: MakeShop, path: str):
    answer = await shop().get(path)

    assert (answer.status_code, answer.json()["type"]) == (200, "masumi-agent")


@pytest.mark.parametrize("path", ["/availability", "/input_schema", "/status", "/demo"])
async def test_what_can_be_read_can_be_asked_for_its_head(shop: MakeShop, path: str):
    sold = shop({"*": FlowTerms(demo=DEMO)})
    job = sold.put(state=JobState.RUNNING)

    async with sold.client() as client:
        answer = await client.head(path, params={"job_id": job.id})

    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/provide_input/{}", "/sync/provide_input/{}/"])
@pytest.mark.parametrize("wrapped", [False, True])
async def test_an_answer_is_taken_at_the_jobs_own_path_as_bridges_send_it(
    shop: MakeShop, path: str, wrapped: bool
):
    sold = shop()
    job = sold.put(state=JobState.RUNNING, flow="/sync" if path.startswith("/sync") else "/")
    sold.ask(job)
    data = {"name": "Ada"}

    answer = await sold.post(path.format(job.id), {"input_data": data} if wrapped else data)

    assert answer.status_code == 200
    assert answer.json()["input_hash"] == input_hash(job.identifier, data)
    assert sold.parts.released == {"lock-1": {"name": "Ada", "age": ""}}


@pytest.mark.parametrize(
    "body",
    [
        {"name": "Ada", "status_id": "lock-1"},  # bare data has no names beside its own
        {"input_data": {"name": "Ada"}, "status_id": "another"},
        {"input_data": "Ada"},
        {},
    ],
)
async def test_an_answer_at_the_jobs_own_path_is_held_to_the_same_rules(
    shop: MakeShop, body: dict[str, Any]
):
    sold = shop()
    job = sold.put(state=JobState.RUNNING)
    sold.ask(job)

    answer = await sold.post(f"/provide_input/{job.id}", body)

    assert 400 <= answer.status_code < 500
    assert sold.parts.released == {}


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/provide_input", {"jobId": "another"}),
        ("/provide_input/{}", {"job_id": "another", "input_data": {"name": "Ada"}}),
        ("/provide_input", {"inputData": {"name": "Eve"}}),
        ("/provide_input", {"status_id": "lock-1", "statusId": "another"}),
    ],
)
async def test_two_spellings_that_disagree_are_refused(
    shop: MakeShop, path: str, more: dict[str, Any]
):
    sold = shop()
    job = sold.put(state=JobState.RUNNING)
    sold.ask(job)
    body = {"job_id": job.id, "input_data": {"name": "Ada"}} | more

    answer = await sold.post(path.format(job.id), body)

    assert answer.status_code == 400
    assert "something else than" in answer.json()["detail"]
    assert sold.parts.released == {}


async def test_two_spellings_that_agree_are_one(shop: MakeShop):
    sold = shop()
    job = sold.put(state=JobState.RUNNING)
    sold.ask(job)
    body = {"job_id": job.id, "jobId": job.id, "id": "anything", "input_data": {"name": "Ada"}}

    assert (await sold.get("/status", job_id=job.id, jobId="another")).status_code == 400
    assert (await sold.get(f"/status/{job.id}", job_id="another")).status_code == 400
    body |= {"inputData": {"name": "Ada"}, "status_id": "lock-1"}
    assert (await sold.post("/provide_input", body)).status_code == 200


async def test_an_author_who_serves_pages_below_an_endpoint_keeps_them(
    shop: MakeShop, sold_app: ModuleType
):
    api = sold_app.build()
    api.get("/status/{page}")(lambda page: {"page": page})
    sold = shop(api=api)

    assert (await sold.get("/status/6b49d200")).json() == {"page": "6b49d200"}
    assert (await sold.get("/status", job_id="6b49d200")).status_code == 404


async def test_a_result_whose_hash_was_never_sent_claims_none(shop: MakeShop):
    sold = shop({"*": FlowTerms(agent_identifier=AGENT, network="Preprod")})
    payment = Payment("Preprod", PaymentState.REFUNDED)
    job = sold.put(state=JobState.COMPLETED, result="done", payment=payment)

    assert "result_hash" not in (await sold.get("/status", job_id=job.id)).json()
