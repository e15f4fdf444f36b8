"""The notebook's answers are as the gateway's OpenAPI document says, in every state of a job."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from notebook_app import PAYMENT, PRICED, World, client_of

from masumi_sumi.faces.openapi import sumi_document
from masumi_sumi.jobs.model import JobState

GOOD = {"email": "user@example.com", "username": "DemoUser", "password": "secretpass123"}
FINAL = '{"Markdown":{"body":"done"}}'
FLOW = "/sumi/{expose}/{flow}"
LOCK = "/sumi/lock/{job_id}/{lock_id}"

STATES: dict[str, dict[str, Any]] = {
    "awaiting_payment": {"state": JobState.AWAITING_PAYMENT, "terms": PRICED, "payment": PAYMENT},
    "running": {"state": JobState.RUNNING},
    "completed": {"state": JobState.COMPLETED, "result": "done", "final": FINAL},
    "failed": {"state": JobState.FAILED, "failure": "it broke"},
}


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def document() -> Any:
    import schemathesis  # here, for it takes longer to import than most tests

    return schemathesis.openapi.from_dict(sumi_document())


def as_said(document: Any, path: str, method: str, answer: httpx.Response) -> Any:
    """What was answered, if the document knows such an answer."""
    described = document.raw_schema["paths"][path][method.lower()]["responses"]
    assert str(answer.status_code) in described
    document[path][method].validate_response(answer)
    return answer.json()


@pytest.mark.parametrize("status", STATES)
async def test_where_a_job_stands(world: World, document: Any, status: str) -> None:
    job = world.has_job(**STATES[status])
    answer = await client_of(world).get("/status", params={"job_id": job.id})
    assert as_said(document, "/sumi/status/{job_id}", "GET", answer)["status"] == status


async def test_a_question_and_its_answer(world: World, document: Any) -> None:
    job = world.has_job(JobState.RUNNING)
    named = {"job_id": job.id, "lock_id": world.asks(job).id}
    client = client_of(world)

    standing = await client.get("/status", params=named)
    lock = await client.get("/lock", params=named)
    taken = await client.post("/lock", params=named, json={"input_data": {"greeting": "hi"}})
    again = await client.post("/lock", params=named, json={"input_data": {"greeting": "hi"}})

    assert as_said(document, f"{FLOW}/status", "GET", standing)["status"] == "awaiting_input"
    assert as_said(document, LOCK, "GET", lock)["status"] == "pending"
    assert as_said(document, LOCK, "POST", taken)["status"] == "success"
    assert as_said(document, LOCK, "POST", again)["status_code"] == 409


@pytest.mark.parametrize(("data", "status"), [(GOOD, "running"), ({}, "failed")])
async def test_a_start(world: World, document: Any, data: dict[str, str], status: str) -> None:
    body = {"identifier_from_purchaser": "demo-123", "input_data": data}
    answer = await client_of(world).post("/start_job", json=body)
    assert as_said(document, f"{FLOW}/start_job", "POST", answer)["status"] == status


@pytest.mark.parametrize("action", ["availability", "input_schema"])
async def test_what_is_for_hire(world: World, document: Any, action: str) -> None:
    answer = await client_of(world).get(f"/{action}")
    assert as_said(document, f"{FLOW}/{action}", "GET", answer)
