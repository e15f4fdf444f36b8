"""The MIP-003 endpoints of a sold app, as buyers of every make see them."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from masumi_sumi.errors import (
    NodeFailed,
    NodeNotConfigured,
    NodeRefused,
    NodeUnreachable,
    SellerBusy,
    SellerUnavailable,
    SettingInvalid,
    SourceUnclear,
)
from masumi_sumi.hashing import canonical_json, input_hash
from masumi_sumi.jobs.model import JobState, LockOutcome, Payment, PaymentState, Terms
from masumi_sumi.plugin import FlowTerms

if TYPE_CHECKING:
    from sold_app import Shop

MakeShop = Callable[..., "Shop"]
S = JobState
IDENTIFIER = "b69a06808228fd00"
AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ee" * 32
PRICED = {"*": FlowTerms(agent_identifier=AGENT, network="Preprod")}
SECRETS = ("top-secret-token", "secret-node", "Traceback", "/srv/", 'File "')


def refused(answer: httpx.Response, status: int, *fields: str) -> dict[str, Any]:
    """A refusal as every buyer can read it: JSON, a detail in one line, the fields at fault."""
    assert answer.status_code == status
    body: dict[str, Any] = answer.json()
    assert isinstance(body["detail"], str)
    assert body["detail"]
    assert "\n" not in body["detail"]
    if fields:
        assert set(body["errors"]) == set(fields)
    assert not any(secret in answer.text for secret in SECRETS)
    return body


# --- availability and schema -------------------------------------------------------------------


async def test_a_flow_for_sale_is_available_under_its_registered_identity(shop: MakeShop):
    answer = await shop(PRICED).get("/availability")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "available",
        "type": "masumi-agent",
        "agentIdentifier": AGENT,
        "message": "Root flow is ready to accept jobs",
        "uptime": "0",
    }


async def test_uptime_is_told_in_whole_seconds_as_text(shop: MakeShop):
    sold = shop(PRICED)
    sold.clock.advance(3661.9)

    assert (await sold.get("/availability")).json()["uptime"] == "3661"


async def test_a_free_flow_has_no_identity(shop: MakeShop):
    body = (await shop().get("/availability")).json()

    assert (body["type"], body["status"]) == ("masumi-agent", "available")
    assert "agentIdentifier" not in body


async def test_a_flow_that_cannot_be_sold_says_so_and_does_not_say_why(shop: MakeShop):
    unsold = shop({"*": FlowTerms(agent_identifier=AGENT, network="Mainnet")})

    answer = await unsold.get("/availability")

    assert (answer.status_code, answer.json()["status"]) == (200, "unavailable")
    assert "Mainnet" not in answer.text


async def test_the_schema_is_a_list_of_fields(shop: MakeShop):
    answer = await shop().get("/input_schema")

    assert answer.status_code == 200
    assert [field["id"] for field in answer.json()["input_data"]] == ["name", "age"]
    assert list(answer.json()) == ["input_data"]
    assert "null" not in answer.text


# --- start -------------------------------------------------------------------------------------


async def test_a_priced_start_answers_with_all_that_a_buyer_needs_to_pay(shop: MakeShop):
    sold = shop(PRICED)

    answer = await sold.start()

    body = answer.json()
    [job] = sold.desk.jobs.values()
    assert answer.status_code == 200
    assert body["id"] == body["job_id"] == job.id
    digest = input_hash(IDENTIFIER, {"name": "Ada"})
    assert body["input_hash"] == body["inputHash"] == digest
    assert body["identifierFromPurchaser"] == IDENTIFIER
    assert body["blockchainIdentifier"] == body["payment_id"] == "5e" * 600
    assert body["agentIdentifier"] == AGENT
    assert body["sellerVKey"] == "c" * 56
    names = ("payByTime", "submitResultTime", "unlockTime", "externalDisputeUnlockTime")
    times = [body[name] for name in names]
    assert all(isinstance(time, int) and time > 10**12 for time in times)
    assert times == sorted(times)
    assert body["paymentSourceType"] == "Web3CardanoV1"
    assert "supportedPaymentSourceIndex" not in body
    assert "null" not in answer.text


async def test_a_second_generation_source_is_named_by_its_index(shop: MakeShop):
    sold = shop({"*": replace_terms(source_index=3)})

    body = (await sold.start()).json()

    assert body["paymentSourceType"] == "Web3CardanoV2"
    assert body["supportedPaymentSourceIndex"] == 3


async def test_a_free_start_has_nothing_to_pay(shop: MakeShop):
    sold = shop()

    answer = await sold.post("/start_job", {"input_data": {"name": "Ada"}})

    [job] = sold.desk.jobs.values()
    assert answer.json()["id"] == job.id
    assert not {"blockchainIdentifier", "payment_id"} & set(answer.json())
    assert (job.state, job.payment) == (S.QUEUED, None)


@pytest.mark.parametrize(
    "body",
    [
        {"identifier_from_purchaser": IDENTIFIER, "input_data": {"name": "Ada"}},
        {"identifierFromPurchaser": IDENTIFIER, "inputData": {"name": "Ada"}},
        {"identifier_from_purchaser": IDENTIFIER, "input": {"name": "Ada"}},
        {
            "identifier_from_purchaser": IDENTIFIER,
            "input_data": [{"key": "name", "value": "Ada"}],
        },
        {"identifier_from_purchaser": IDENTIFIER, "input_data": {"name": "Ada"}, "more": None},
    ],
)
async def test_every_spelling_that_buyers_use_is_understood(shop: MakeShop, body: dict[str, Any]):
    sold = shop(PRICED)

    answer = await sold.post("/start_job", body)

    assert answer.status_code == 200
    data = next(body[name] for name in ("input_data", "inputData", "input") if name in body)
    assert answer.json()["input_hash"] == input_hash(IDENTIFIER, data)


async def test_job_ids_sort_by_time_and_cannot_be_guessed_from_it(shop: MakeShop):
    sold = shop()

    job_id = (await sold.start()).json()["id"]

    assert job_id == f"{int(sold.clock.now()):08x}{0:016x}"


BAD_BODIES = {
    "none": b"",
    "no json": b"name=Ada",
    "a list": b"[]",
    "a string": b'"start"',
    "null": b"null",
    "NaN": b'{"identifier_from_purchaser": "b69a06808228fd00", "input_data": {"age": NaN}}',
    "Infinity": b'{"input_data": -Infinity}',
    "broken utf-8": b'{"input_data": "\xff\xfe"}',
    "deep": b'{"input_data": ' + b"[" * 100_000,
    "many keys": b'{"input_data": {' + b'"a": 1,' * 20_000 + b'"b": 1}}',
    "utf-16": '{"input_data": {"name": "Ada"}}'.encode("utf-16"),
    "huge number": b'{"input_data": {"age": ' + b"9" * 5000 + b"}}",
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
async def test_a_body_that_is_no_json_object_starts_nothing(shop: MakeShop, body: bytes):
    sold = shop(PRICED)

    answer = await sold.post("/start_job", content=body)

    refused(answer, 400, "body")
    assert sold.desk.jobs == {}


@pytest.mark.parametrize(
    "identifier",
    [
        *("", "ab" * 6 + "a", "ab" * 7 + "a", "ab" * 13 + "a", "ab" * 14, "xy" * 8),
        *("ab" * 7 + "\n", " " + "ab" * 7, "\uff21" * 14, "\u0663" * 14),
        *(7, 1.5, True, ["ab" * 7], {"hex": 1}, None),
    ],
)
async def test_an_identifier_that_the_node_would_not_take_starts_nothing(
    shop: MakeShop, identifier: Any
):
    sold = shop(PRICED)

    answer = await sold.start(identifier_from_purchaser=identifier)

    refused(answer, 400, "identifier_from_purchaser")
    assert sold.desk.jobs == {}


@pytest.mark.parametrize("length", [14, 16, 26])
async def test_identifiers_of_the_nodes_lengths_are_taken_as_they_are(shop: MakeShop, length: int):
    identifier = "aB" * (length // 2)

    answer = await shop(PRICED).start(identifier_from_purchaser=identifier)

    assert answer.json()["identifierFromPurchaser"] == identifier


@pytest.mark.parametrize(
    ("flows", "identifier"),
    [(None, "x" * 251), (None, "a\0b"), (None, "\ud800"), (PRICED, "\udfff")],
)
async def test_an_identifier_that_cannot_travel_starts_nothing(
    shop: MakeShop, flows: Any, identifier: str
):
    sold = shop(flows)
    body = json.dumps(
        {"identifier_from_purchaser": identifier, "input_data": {"name": "Ada"}}
    ).encode()

    answer = await sold.post("/start_job", content=body)

    refused(answer, 400, "identifier_from_purchaser")
    assert sold.desk.jobs == {}


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": ["Ada"]}, "name"),
        ({"name": "A\nda"}, "name"),
        ({"name": "Ada", "age": 121}, "age"),
        ({"name": "Ada", "age": "old"}, "age"),
        ({"name": "Ada", "age": True}, "age"),
        ({"name": "Ada", "shoe": 42}, "shoe"),
        ([{"key": "name", "value": "Ada"}, {"key": "name", "value": "Bob"}], "name"),
        ([["name", "Ada"]], "input_data"),
        ({"name": "\ud800"}, "input_data"),
        ("name=Ada", "input_data"),
        (7, "input_data"),
        (None, "input_data"),
    ],
)
async def test_values_that_break_the_form_are_named_and_start_nothing(
    shop: MakeShop, data: Any, field: str
):
    sold = shop(PRICED)
    body = json.dumps({"identifier_from_purchaser": IDENTIFIER, "input_data": data}).encode()

    answer = await sold.post("/start_job", content=body)

    refused(answer, 400, field)
    assert sold.desk.jobs == {}


async def test_infinite_numbers_are_refused_where_they_hide(shop: MakeShop):
    sold = shop()

    answer = await sold.post("/start_job", content=b'{"input_data": {"name": "A", "age": 1e999}}')

    refused(answer, 400, "input_data")
    assert sold.desk.jobs == {}


async def test_input_data_is_required(shop: MakeShop):
    answer = await shop(PRICED).post("/start_job", {"identifier_from_purchaser": IDENTIFIER})

    refused(answer, 400, "input_data")


async def test_the_authors_own_refusal_is_a_refusal(shop: MakeShop):
    sold = shop()

    answer = await sold.start(name="refused")

    body = refused(answer, 400, "name", "_global_")
    assert body["errors"] == {"name": ["is taken"], "_global_": ["not like this"]}
    assert sold.desk.jobs == {}


async def test_an_authors_refusal_without_a_word_still_has_one(shop: MakeShop):
    refused(await shop().start(name="refused silently"), 400)


@pytest.mark.parametrize("flow", ["", "/sync"])
async def test_a_handler_that_breaks_is_told_in_one_line_without_paths(shop: MakeShop, flow: str):
    sold = shop(PRICED)

    body = refused(await sold.start(flow, name="crash"), 422)

    assert "Crash" in body["detail"]
    assert sold.desk.jobs == {}


async def test_a_handler_that_launches_nothing_starts_nothing(shop: MakeShop):
    sold = shop(PRICED)

    refused(await sold.start(name="nothing"), 422)

    assert sold.desk.jobs == {}


@pytest.mark.parametrize("name", ["twice", "run_in_executor"])
async def test_a_launch_that_cannot_be_caught_is_the_sellers_fault(
    shop: MakeShop, runners: list[Any], name: str
):
    sold = shop(PRICED)

    refused(await sold.start("/threads" if name != "twice" else "", name=name), 422)

    assert sold.desk.jobs == {}
    assert runners == []


@pytest.mark.parametrize(
    ("trouble", "status", "told"),
    [
        (NodeUnreachable("http://secret-node.test", "refused"), 424, "does not answer"),
        (NodeFailed("POST /payment", 500), 424, "does not answer"),
        (NodeRefused("POST /payment", 400, "Agent secret-node is unknown"), 424, "cannot sell"),
        (SourceUnclear("secret-node", "Fixed", ()), 424, "cannot sell"),
        (NodeNotConfigured("Preprod"), 424, "not set up correctly"),
        (SellerBusy("50 starts wait", 2.5), 429, "try again later"),
        (SellerUnavailable("its supervisor does not answer"), 503, "right now"),
    ],
)
async def test_trouble_behind_the_seller_is_a_5xx_only_if_a_job_may_have_begun(
    shop: MakeShop, trouble: Exception, status: int, told: str
):
    sold = shop(PRICED)
    sold.desk.refusal = trouble

    detail = refused(await sold.start(), status)["detail"]

    assert told in detail
    assert ("nothing was started" in detail) == (status < 500)
    assert "secret-node" not in detail


async def test_busy_seller_answers_429_with_retry_after_in_whole_seconds(shop: MakeShop):
    sold = shop(PRICED)
    sold.desk.refusal = SellerBusy("50 starts wait", 2.5)

    answer = await sold.start()

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")


@pytest.mark.parametrize("slow", ["handler", "price"])
async def test_an_author_who_takes_too_long_is_told_so_in_time(
    shop: MakeShop, sold_app: ModuleType, slow: str
):
    api, enough = sold_app.build(), threading.Event()

    @api.enter("/slow", model=sold_app.form(), summary="Slow")
    async def start(inputs: dict[str, Any], request: Any) -> Any:
        await asyncio.sleep(60 if slow == "handler" else 0)
        return sold_app.Launch(request, sold_app.work, inputs=inputs)

    def price(inputs: Any) -> int:
        enough.wait(60)
        return 1

    sold = shop({"/slow": replace_terms(pricing="Dynamic", price=price)}, api=api)
    sold.parts.start_timeout = 0.05

    refusal = refused(await sold.start("/slow"), 422)
    enough.set()

    assert refusal["detail"].endswith("it took longer than 0.05 s to check the input")
    assert sold.desk.jobs == {}


async def test_what_nobody_foresaw_is_a_500_that_tells_nothing(shop: MakeShop):
    sold = shop(PRICED)
    sold.desk.refusal = RuntimeError("top-secret-token in /srv/key")

    assert refused(await sold.start(), 500)["detail"] == "internal error"


async def test_a_seller_that_cannot_be_wired_refuses(shop: MakeShop):
    sold = shop(PRICED)
    sold.parts.broken = SettingInvalid("SUMI_DATABASE_URL", "top-secret-token", "no url")

    refused(await sold.get("/availability"), 424)


# --- status ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (S.REQUESTED, "awaiting_payment"),
        (S.AWAITING_PAYMENT, "awaiting_payment"),
        (S.QUEUED, "running"),
        (S.LAUNCHING, "running"),
        (S.RUNNING, "running"),
        (S.DELIVERING, "running"),
        (S.COMPLETED, "completed"),
        (S.FAILED, "failed"),
    ],
)
async def test_every_state_has_one_of_the_five_words(shop: MakeShop, state: JobState, told: str):
    sold = shop()
    job = sold.put(state=state, result="done", failure="ValueError: no")

    answer = await sold.get("/status", job_id=job.id)

    body = answer.json()
    assert (answer.status_code, body["status"], body["job_id"]) == (200, told, job.id)
    assert ("result" in body) == (told == "completed")
    assert ("error" in body) == ("message" in body) == (told == "failed")
    assert "null" not in answer.text


async def test_a_result_is_text_with_the_hash_that_the_node_has(shop: MakeShop):
    sold = shop(PRICED)
    payment = Payment("Preprod", PaymentState.RESULT_SENT, sent_hash="ab" * 32)
    job = sold.put(state=S.COMPLETED, result="done", payment=payment)

    body = (await sold.get("/status", job_id=job.id)).json()

    assert (body["result"], body["result_hash"]) == ("done", "ab" * 32)


async def test_an_unchanged_state_is_answered_the_same_to_the_byte(shop: MakeShop):
    sold = shop()
    job = sold.put(state=S.RUNNING)
    sold.ask(job)

    first = await sold.get("/status", job_id=job.id)
    sold.clock.advance(60)
    second = await sold.get("/status", jobId=job.id)

    assert first.content == second.content


async def test_a_question_is_shown_with_its_schema_and_named_by_its_lock(shop: MakeShop):
    sold = shop()
    job = sold.put(state=S.RUNNING)
    lock = sold.ask(job)

    body = (await sold.get("/status", job_id=job.id)).json()

    assert (body["status"], body["id"]) == ("awaiting_input", lock.id)
    assert [field["id"] for field in body["input_schema"]["input_data"]] == ["name", "age"]


async def test_a_job_that_goes_on_after_a_question_is_not_where_it_was_before(shop: MakeShop):
    sold = shop()
    job = sold.put(state=S.RUNNING)
    seen = [(await sold.get("/status", job_id=job.id)).json()]
    for number in range(2):
        sold.ask(job, f"lock-{number}", outcome=LockOutcome.ANSWERED)
        seen.append((await sold.get("/status", job_id=job.id)).json())
    sold.put(state=S.DELIVERING)
    seen.append((await sold.get("/status", job_id=job.id)).json())

    assert {each["status"] for each in seen} == {"running"}
    assert len({each["id"] for each in seen[:3]}) == 3
    assert seen[3] == seen[2]


async def test_several_questions_are_groups_of_one_schema(shop: MakeShop):
    sold = shop()
    job = sold.put(state=S.RUNNING)
    sold.ask(job, "lock-1")
    sold.ask(job, "lock-2", opened_at=sold.clock.now() + 1, name="")

    schema = (await sold.get("/status", job_id=job.id)).json()["input_schema"]

    assert [group["id"] for group in schema["input_groups"]] == ["lock-1", "lock-2"]
    assert [group["title"] for group in schema["input_groups"]] == ["greeting", "lock-2"]
    assert "input_data" not in schema


async def test_a_question_whose_time_is_over_is_not_asked(shop: MakeShop):
    sold = shop()
    job = sold.put(state=S.RUNNING)
    sold.ask(job)
    sold.clock.advance(601)

    assert (await sold.get("/status", job_id=job.id)).json()["status"] == "running"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 400),
        ({"job_id": ""}, 400),
        ({"job_id": "a\0b"}, 400),
        ({"id": "6b49d2001122334455667788"}, 400),
        ({"job_id": "unknown"}, 404),
        ({"job_id": "x" * 10_000}, 404),
        ({"job_id": "'; DROP TABLE jobs"}, 404),
    ],
)
async def test_a_status_without_a_job_is_refused(shop: MakeShop, query: Any, status: int):
    sold = shop()
    sold.put(state=S.RUNNING)

    refused(await sold.get("/status", **query), status)


async def test_a_job_is_told_by_its_own_flow_only(shop: MakeShop):
    sold = shop()
    job = sold.put(state=S.RUNNING, flow="/sync")

    assert (await sold.get("/sync/status", job_id=job.id)).status_code == 200
    refused(await sold.get("/status", job_id=job.id), 404)


async def test_a_job_in_the_path_is_the_same_job_and_nobody_elses(shop: MakeShop):
    sold = shop()
    job = sold.put(state=S.RUNNING, flow="/sync")
    asked = await sold.get("/sync/status", job_id=job.id)

    for path in (f"/sync/status/{job.id}", f"/sync/status/{job.id}/"):
        assert (await sold.get(path)).content == asked.content
    refused(await sold.get(f"/status/{job.id}"), 404)
    refused(await sold.get("/sync/status/6b49d200"), 404)


# --- answers -----------------------------------------------------------------------------------


async def test_an_answer_is_taken_once_with_its_hash(shop: MakeShop):
    sold = shop()
    job = sold.put(state=S.RUNNING)
    sold.ask(job)
    body = {"job_id": job.id, "input_data": {"name": "Ada"}}

    first = await sold.post("/provide_input", body)
    second = await sold.post("/provide_input", body)

    assert first.status_code == 200
    digest = input_hash(IDENTIFIER, {"name": "Ada"})
    assert first.json()["input_hash"] == first.json()["inputHash"] == digest
    assert isinstance(first.json()["signature"], str)
    refused(second, 409)
    assert sold.parts.released == {"lock-1": {"name": "Ada", "age": ""}}


async def test_a_question_is_chosen_by_its_id_or_by_the_hash_of_its_schema(shop: MakeShop):
    import hashlib

    sold = shop()
    job = sold.put(state=S.RUNNING)
    sold.ask(job, "lock-1")
    schema = (await sold.get("/status", job_id=job.id)).json()["input_schema"]
    digest = hashlib.sha256(canonical_json(schema).encode()).hexdigest()
    body = {"job_id": job.id, "input_data": {"name": "Ada"}}

    wrong = await sold.post("/provide_input", {**body, "input_schema_hash": "0" * 64})
    by_hash = await sold.post("/provide_input", {**body, "input_schema_hash": digest})
    sold.ask(job, "lock-2")
    by_id = await sold.post("/provide_input", {**body, "status_id": "lock-2"})

    refused(wrong, 400, "input_schema_hash")
    assert (by_hash.status_code, by_id.status_code) == (200, 200)
    assert list(sold.parts.released) == ["lock-1", "lock-2"]


async def test_one_of_several_questions_must_be_named(shop: MakeShop):
    sold = shop()
    job = sold.put(state=S.RUNNING)
    sold.ask(job, "lock-1")
    sold.ask(job, "lock-2")

    answer = await sold.post("/provide_input", {"job_id": job.id, "input_data": {"name": "Ada"}})

    refused(answer, 400, "status_id")
    assert sold.parts.released == {}


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        ({"input_data": {"name": "Ada"}}, 400, ["job_id"]),
        ({"job_id": 7, "input_data": {"name": "Ada"}}, 400, ["job_id"]),
        ({"job_id": "a\0b", "input_data": {"name": "Ada"}}, 400, ["job_id"]),
        ({"job_id": "\ud800", "input_data": {"name": "Ada"}}, 400, ["job_id"]),
        ({"job_id": "unknown", "input_data": {"name": "Ada"}}, 404, []),
        ({"status_id": "unknown", "input_data": {"name": "Ada"}}, 404, []),
        ({"status_id": "\ud800", "input_data": {"name": "Ada"}}, 400, ["status_id"]),
        ({"status_id": "expired", "input_data": {"name": "Ada"}}, 409, []),
        ({"status_id": "answered", "input_data": {"name": "Ada"}}, 409, []),
        ({"status_id": 1, "input_data": {"name": "Ada"}}, 400, ["status_id"]),
        ({"input_schema_hash": [], "input_data": {"name": "Ada"}}, 400, ["input_schema_hash"]),
        ({}, 400, ["input_data"]),
        ({"input_data": "Ada"}, 400, ["input_data"]),
        ({"input_data": {}}, 400, ["name"]),
        ({"input_data": {"name": "Ada", "age": -1}}, 400, ["age"]),
    ],
)
async def test_an_answer_that_does_not_fit_is_refused_and_the_question_stays_open(
    shop: MakeShop, body: dict[str, Any], status: int, fields: list[str]
):
    sold = shop()
    job = sold.put(state=S.RUNNING)
    sold.ask(job, "open")
    sold.ask(job, "answered", outcome=LockOutcome.ANSWERED)
    sold.ask(job, "expired", expires_at=sold.clock.now() - 1)
    if "job_id" not in fields:
        body = {"job_id": job.id, **body}

    answer = await sold.post("/provide_input", content=json.dumps(body).encode())

    refused(answer, status, *fields)
    assert sold.parts.released == {}
    assert (await sold.get("/status", job_id=job.id)).json()["status"] == "awaiting_input"


@pytest.mark.parametrize("state", [S.AWAITING_PAYMENT, S.COMPLETED, S.FAILED])
async def test_a_job_that_does_not_wait_takes_no_answer(shop: MakeShop, state: JobState):
    sold = shop()
    job = sold.put(state=state)
    sold.ask(job)

    answer = await sold.post("/provide_input", {"job_id": job.id, "input_data": {"name": "Ada"}})

    refused(answer, 409)


# --- prices ------------------------------------------------------------------------------------


def replace_terms(**changes: Any) -> FlowTerms:
    return PRICED["*"].model_copy(update=changes)


def by_age(data: dict[str, Any]) -> int:
    return int(data["age"]) * 1_000_000


@pytest.mark.parametrize("age", [7, "7", 7.0])
async def test_a_price_may_depend_on_the_input_and_is_in_the_answer(shop: MakeShop, age: Any):
    given: list[Any] = []
    sold = shop({"*": replace_terms(price=lambda inputs: given.append(inputs) or by_age(inputs))})

    available = await sold.get("/availability")
    answer = await sold.start(input_data={"name": "Ada", "age": age})

    [job] = sold.desk.jobs.values()
    assert available.json()["status"] == "available"
    assert job.terms.pricing == "Dynamic"
    assert [part.amount for part in job.terms.price] == ["7000000"]
    assert answer.json()["amounts"] == [{"amount": "7000000", "unit": ""}]
    assert given == [{"name": "Ada", "age": "7"}]  # what the handler is given too


async def test_only_input_that_the_author_takes_is_priced(shop: MakeShop):
    given: list[Any] = []
    sold = shop({"*": replace_terms(price=given.append)})

    refused(await sold.start(input_data={"name": "", "age": 7}), 400, "name")
    refused(await sold.start(input_data={"name": "refused", "age": 7}), 400)

    assert given == []
    assert sold.desk.jobs == {}


TOO_MANY = [{"amount": "1", "unit": f"{n:02x}"} for n in range(8)]


@pytest.mark.parametrize("price", [None, 0, -1, 0.5, "7" * 26, {"u" * 151: 1}, TOO_MANY, object()])
async def test_a_function_that_gives_no_price_is_refused_like_one_that_fails(
    shop: MakeShop, price: Any
):
    sold = shop({"*": replace_terms(price=lambda inputs: price)})

    refused(await sold.start(), 422)

    assert sold.desk.jobs == {}


def test_a_price_is_no_coroutine():
    async def later(inputs: Any) -> int:
        return 1

    with pytest.raises(SettingInvalid, match="plain function"):
        FlowTerms.of("@sumi", {"price": later})


async def test_a_free_agent_may_be_registered(shop: MakeShop):
    sold = shop({"*": FlowTerms(agent_identifier=AGENT, network="Preprod", pricing="Free")})

    available = await sold.get("/availability")
    answer = await sold.post("/start_job", {"input_data": {"name": "Ada"}})

    [job] = sold.desk.jobs.values()
    assert available.json()["agentIdentifier"] == AGENT
    assert (job.state, job.payment) == (S.QUEUED, None)
    assert "blockchainIdentifier" not in answer.json()


async def test_input_that_has_no_price_is_refused(shop: MakeShop):
    sold = shop({"*": replace_terms(price=by_age)})

    refused(await sold.start(input_data={"name": "Ada"}), 422)

    assert sold.desk.jobs == {}


@pytest.mark.parametrize("price", [0, -5, 1.5, True, "1.5", {"": 0}, [{"unit": ""}], object()])
def test_a_price_that_is_none_is_refused_before_anything_is_sold(shop: MakeShop, price: Any):
    with pytest.raises(SettingInvalid, match="price of flow /"):
        shop({"*": replace_terms(price=price)}).middleware.check()


@pytest.mark.parametrize("price", [5, "5", {"": 5}, [{"amount": "5", "unit": ""}]])
async def test_a_price_may_be_written_in_several_ways(shop: MakeShop, price: Any):
    sold = shop({"*": replace_terms(price=price)})

    await sold.start()

    [job] = sold.desk.jobs.values()
    assert [(part.amount, part.unit) for part in job.terms.price] == [("5", "")]


async def test_terms_are_settled_when_the_job_starts(shop: MakeShop):
    sold = shop({"*": replace_terms(pay_by=600.0, run=60.0, lock=0.0, repeats=2)})

    await sold.start()

    [job] = sold.desk.jobs.values()
    assert job.terms == Terms(
        pricing="Fixed",
        network="Preprod",
        agent_identifier=AGENT,
        pay_by=600,
        submit_by=1260,
        run=60,
        repeats=2,
    )


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        (PRICED["*"], {"pricingType": "Fixed"}),
        (replace_terms(price=len), {"pricingType": "Dynamic"}),
        (replace_terms(source_index=0), {"pricingType": "Fixed", "supportedPaymentSourceIndex": 0}),
        (replace_terms(pricing="Free"), {"pricingType": "Free"}),
    ],
)
async def test_the_document_tells_the_terms(shop: MakeShop, terms: FlowTerms, told: dict[str, Any]):
    document = (await shop({"*": terms}).get("/openapi")).json()

    assert document["x-masumi"] == {"agentIdentifier": AGENT, "network": "Preprod", **told}


async def test_the_document_of_a_flow_without_an_identity_names_none(shop: MakeShop):
    document = (await shop().get("/openapi")).json()

    assert document["x-masumi"] == {"pricingType": "Free"}


# --- the kodosumi side -------------------------------------------------------------------------


async def test_the_execution_knows_its_sale(shop: MakeShop, sold_app: ModuleType):
    sold = shop(PRICED)

    job_id = (await sold.start("/a/b")).json()["id"]

    launch, job = sold.desk.launches[job_id], sold.desk.jobs[job_id]
    assert launch.meta["fid"] == job_id
    assert launch.meta["summary"] == "Deep flow"
    assert launch.meta["extra"]["sumi_endpoint"] == f"{sold_app.SERVE}/a/b"
    assert replace(job.terms, price=()).agent_identifier == AGENT
    assert (job.user, job.flow) == ("admin", "/a/b/")
