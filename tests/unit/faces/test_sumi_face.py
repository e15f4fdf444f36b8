"""The notebook's dialect, answer by answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from notebook_app import NOW, PAYMENT, PRICED, World, client_of

from masumi_sumi.errors import SellerBusy, SellerUnavailable
from masumi_sumi.jobs.model import JobState, LockOutcome

GOOD = {"email": "user@example.com", "username": "DemoUser", "password": "secretpass123"}


def hire(**body: object) -> dict[str, object]:
    return {"identifier_from_purchaser": "demo-123", **body}


@pytest.fixture
def world() -> World:
    return World()


async def test_a_missing_identifier_is_the_notebooks_400(world: World) -> None:
    answer = await client_of(world).post("/start_job", json={})

    assert answer.status_code == 400
    assert answer.json() == {
        "detail": "Validation failed for POST /sumi/form-example/text-inputs/start_job: "
        "[{'message': 'Field required', 'key': 'identifier_from_purchaser'}]",
        "error": "ValidationException",
        "path": "/sumi/form-example/text-inputs/start_job",
        "status_code": 400,
    }


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'{"identifier_from_purchaser": NaN}'])
async def test_a_body_that_is_no_object_is_a_400(world: World, body: bytes) -> None:
    answer = await client_of(world).post("/start_job", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"] == "ValidationException"


async def test_the_author_speaks_first_of_what_the_form_requires(world: World) -> None:
    answer = await client_of(world).post("/start_job", json=hire())

    assert answer.status_code == 201
    assert answer.json() == {
        "error": "username: ['Username is required']; password: ['Password is required']; "
        "email: ['Email is required']; _global_: []",
        "status": "failed",
    }


async def test_what_the_form_requires_is_required_of_a_lenient_author_too(world: World) -> None:
    world.lenient = True

    answer = await client_of(world).post(
        "/start_job", json=hire(input_data={"username": "ada", "email": "ada@example.org"})
    )

    assert answer.json() == {"error": "password: ['is required']; _global_: []", "status": "failed"}
    assert world.jobs == {}


async def test_values_that_break_the_form_are_told_the_same_way(world: World) -> None:
    answer = await client_of(world).post("/start_job", json=hire(input_data={"shoe": "42"}))
    assert answer.status_code == 201
    assert answer.json() == {"error": "shoe: ['unknown field']; _global_: []", "status": "failed"}


async def test_a_job_that_was_taken_is_running(world: World) -> None:
    answer = await client_of(world).post("/start_job", json=hire(input_data=GOOD))

    assert answer.status_code == 201
    assert answer.json() == {
        "error": None,
        "identifier_from_purchaser": "demo-123",
        "input_schema": None,
        "job_id": f"{int(NOW):08x}6dd6594791c3d54e",
        "result": None,
        "runtime": None,
        "started_at": NOW,
        "status": "running",
        "updated_at": NOW,
    }
    assert world.launched == [GOOD]


async def test_a_priced_flow_wants_a_hexadecimal_identifier(world: World) -> None:
    refused = await client_of(world, PRICED).post("/start_job", json=hire(input_data=GOOD))
    taken = await client_of(world, PRICED).post(
        "/start_job", json={"identifier_from_purchaser": "ab" * 13, "input_data": GOOD}
    )
    assert refused.status_code == 400
    assert "hexadecimal" in refused.json()["detail"]
    assert taken.json()["status"] == "running"


async def test_a_node_that_is_away_fails_the_start_without_its_address(world: World) -> None:
    world.node_is_away()
    body = {"identifier_from_purchaser": "ab" * 13, "input_data": GOOD}

    answer = await client_of(world, PRICED).post("/start_job", json=body)

    assert (answer.status_code, answer.json()["status"]) == (201, "failed")
    assert "secret-node" not in answer.text


async def test_a_seller_without_supervisor_is_a_503(world: World) -> None:
    world.refusal = SellerUnavailable("its supervisor does not answer")
    answer = await client_of(world).post("/start_job", json=hire(input_data=GOOD))
    assert answer.status_code == 503


async def test_busy_seller_answers_429_with_retry_after(world: World) -> None:
    world.refusal = SellerBusy("50 starts wait", 0.2)
    answer = await client_of(world).post("/start_job", json=hire(input_data=GOOD))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert "nothing was started" in answer.json()["detail"]


async def test_status_of_a_paid_job_that_waits(world: World) -> None:
    job = world.has_job(JobState.AWAITING_PAYMENT, terms=PRICED, payment=PAYMENT)
    answer = await client_of(world).get("/status", params={"job_id": job.id})
    assert answer.json() == {
        "error": None,
        "identifier_from_purchaser": "demo-123",
        "input_schema": None,
        "job_id": job.id,
        "result": None,
        "runtime": 1.5,
        "started_at": NOW,
        "status": "awaiting_payment",
        "updated_at": NOW + 1.5,
    }


async def test_a_result_is_an_object(world: World) -> None:
    final = '{"Markdown": {"body": "You say hello"}}'
    job = world.has_job(JobState.COMPLETED, result="You say hello", final=final)
    answer = await client_of(world).get("/status", params={"job_id": job.id})
    assert answer.json()["result"] == {"Markdown": {"body": "You say hello"}}


async def test_a_failure_is_one_line(world: World) -> None:
    job = world.has_job(JobState.FAILED, failure="ValueError: bad number")
    answer = await client_of(world).get("/status", params={"job_id": job.id})
    assert answer.json()["error"] == "ValueError: bad number"
    assert answer.json()["result"] is None


async def test_an_unknown_job_is_the_notebooks_404(world: World) -> None:
    answer = await client_of(world).get("/status", params={"job_id": "69391b2a"})
    assert answer.status_code == 404
    assert answer.json()["detail"] == "Job '69391b2a' not found"
    assert answer.json()["error"] == "NotFoundException"


async def test_open_questions_are_a_list(world: World) -> None:
    job = world.has_job(JobState.RUNNING)
    lock = world.asks(job)

    answer = await client_of(world).get("/status", params={"job_id": job.id})

    assert answer.json()["status"] == "awaiting_input"
    assert answer.json()["input_schema"] == [
        {
            "expires_at": lock.expires_at,
            "input_data": [
                {
                    "data": {"placeholder": "Say hello..."},
                    "id": "greeting",
                    "name": "Your Greeting",
                    "type": "text",
                    "validations": None,
                }
            ],
            "input_groups": None,
            "lock_id": lock.id,
        }
    ]


async def test_a_lock_shows_its_form(world: World) -> None:
    job = world.has_job(JobState.RUNNING)
    lock = world.asks(job)

    answer = await client_of(world).get("/lock", params={"job_id": job.id, "lock_id": lock.id})

    shown = answer.json()
    assert [field["id"] for field in shown.pop("input_schema")["input_data"]] == ["greeting"]
    assert shown == {
        "expires_at": lock.expires_at,
        "job_id": job.id,
        "prompt": "greeting-lock",
        "status": "pending",
        "status_id": lock.id,
    }


async def test_an_answer_is_hashed_over_job_and_lock_as_in_the_notebook(world: World) -> None:
    job = world.has_job(JobState.RUNNING)
    lock = world.asks(job)

    answer = await client_of(world).post(
        "/lock",
        params={"job_id": job.id, "lock_id": lock.id},
        json={"input_data": {"greeting": "Hello from HITL Demo!"}},
    )

    digest = "fd78b3075fef311586e38fee323cbc91449113da3870b8e980c58e9f622eef32"
    assert answer.status_code == 201
    assert answer.json() == {"input_hash": digest, "status": "success"}
    assert world.released[lock.id] == ({"greeting": "Hello from HITL Demo!"}, digest)


async def test_an_empty_answer_to_a_required_question_releases_nothing(world: World) -> None:
    job = world.has_job(JobState.RUNNING)
    lock = world.asks(job)
    params = {"job_id": job.id, "lock_id": lock.id}

    answer = await client_of(world).post("/lock", params=params, json={"input_data": {}})

    assert answer.json() == {"error": "greeting: ['is required']; _global_: []", "status": "failed"}
    assert not world.released


async def test_locks_that_are_not_there_or_no_longer_open(world: World) -> None:
    job = world.has_job(JobState.RUNNING)
    lock = world.asks(job, LockOutcome.ANSWERED)
    client = client_of(world)

    unknown = await client.get("/lock", params={"job_id": job.id, "lock_id": "other"})
    answered = await client.get("/lock", params={"job_id": job.id, "lock_id": lock.id})
    world.jobs[job.id] = replace(job, state=JobState.COMPLETED, result="", final='{"str": ""}')
    ended = await client.get("/lock", params={"job_id": job.id, "lock_id": lock.id})

    assert (unknown.status_code, unknown.json()["detail"]) == (404, "Lock 'other' not found")
    assert (answered.status_code, ended.status_code) == (409, 409)


async def test_availability_and_schema(world: World) -> None:
    availability = await client_of(world).get("/availability")
    schema = await client_of(world).get("/input_schema")

    assert availability.json() == {
        "message": "Text Inputs is ready to accept jobs",
        "status": "available",
        "type": "masumi-agent",
    }
    assert schema.json()["input_groups"] is None
    assert schema.json()["input_data"][0]["validations"] == {"max": "20"}


@pytest.mark.parametrize(("method", "action"), [("GET", "start_job"), ("POST", "status")])
async def test_other_methods_are_405_with_what_is_allowed(
    world: World, method: str, action: str
) -> None:
    answer = await client_of(world).request(method, f"/{action}")
    assert answer.status_code == 405
    assert answer.headers["allow"] in ("GET, HEAD, OPTIONS", "POST, OPTIONS")
