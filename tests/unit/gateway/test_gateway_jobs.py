"""Jobs through the gateway: where they stand, their questions, and who may know of them."""

from __future__ import annotations

import httpx
import pytest
from counter import AGENT, Counter, body_of

from masumi_sumi.jobs.model import JobState, Lock, Payment, Terms

PRICED = Terms(pricing="Fixed", network="Preprod", agent_identifier=AGENT)


async def test_a_status_is_worded_from_the_store(counter: Counter) -> None:
    await counter.sells("prime", "/async")
    job = counter.jobs.has(JobState.COMPLETED, result="1", final='{"str": "1"}')
    client = counter.client()

    answers = [
        await client.get(f"/sumi/status/{job.id}"),
        await client.get(f"/sumi/status?job_id={job.id}"),
        await client.get(f"/sumi/prime/async/status/{job.id}"),
        await client.get(f"/sumi/prime/async/status?job_id={job.id}"),
    ]

    assert {answer.status_code for answer in answers} == {200}
    assert {answer.content for answer in answers} == {answers[0].content}
    assert answers[0].json()["result"] == {"str": "1"}
    assert not counter.apps.asked


@pytest.mark.parametrize("path", ["status/{}", "status?job_id={}", "status/?jobId={}"])
async def test_mip003_tells_where_a_job_stands_while_its_app_is_away(
    counter: Counter, path: str
) -> None:
    await counter.sells("prime", "/async")
    job = counter.jobs.has(JobState.RUNNING)
    form = [{"type": "text", "name": "word", "label": "Word", "required": True}]
    counter.jobs.locks_.append(Lock("lock-1", job.id, "ask", 9e9, 100.0, form=form))
    counter.apps.answer = httpx.ConnectError("refused")

    answer = await counter.client().get(f"/mip003/prime/async/{path.format(job.id)}")

    assert answer.status_code == 200
    said = answer.json()
    assert (said["status"], said["id"], said["job_id"]) == ("awaiting_input", "lock-1", job.id)
    assert [field["name"] for field in said["input_schema"]["input_data"]] == ["Word"]


async def test_mip003_asks_the_app_for_a_question_that_nobody_has_worded(counter: Counter) -> None:
    await counter.sells("prime", "/async")
    job = counter.jobs.has(JobState.RUNNING)
    counter.jobs.locks_.append(Lock("lock-1", job.id, "ask", 9e9, 100.0))
    client = counter.client()

    asked = await client.get(f"/mip003/prime/async/status?job_id={job.id}")
    counter.apps.answer = httpx.ConnectError("refused")
    away = await client.get(f"/mip003/prime/async/status?job_id={job.id}")

    assert asked.json() == {"from": "the app"}
    assert str(counter.apps.asked[0].url).endswith(f"/prime/async/status?job_id={job.id}")
    assert away.json()["status"] == "running"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("status", 400),
        ("status?job_id=%00", 400),
        ("status?job_id=none", 404),
        ("status/none", 404),
    ],
)
async def test_mip003_knows_no_job_where_none_is_named(
    counter: Counter, path: str, status: int
) -> None:
    await counter.sells("prime", "/async")
    counter.jobs.has(JobState.RUNNING)

    answer = await counter.client().get(f"/mip003/prime/async/{path}")

    assert (answer.status_code, "detail" in answer.json()) == (status, True)


async def test_a_job_of_another_flow_is_not_found_there(counter: Counter) -> None:
    await counter.sells("prime", "/", "/async")
    job = counter.jobs.has(JobState.QUEUED)
    for face in ("sumi", "mip003"):
        assert (await counter.client().get(f"/{face}/prime/status/{job.id}")).status_code == 404


async def test_a_question_nobody_has_worded_yet_is_asked_of_the_app(counter: Counter) -> None:
    await counter.sells("prime", "/async")
    job = counter.jobs.has(JobState.RUNNING)
    counter.jobs.locks_.append(Lock("lock-1", job.id, "ask", 9e9, 100.0))
    client = counter.client()

    asked = await client.get(f"/sumi/status/{job.id}")
    counter.apps.answer = httpx.ConnectError("refused")
    away = await client.get(f"/sumi/status/{job.id}")

    assert asked.json() == {"from": "the app"}
    assert counter.apps.asked[0].url.path == "/prime/async/status"
    assert away.json()["status"] == "running"


async def test_a_lock_is_the_apps(counter: Counter) -> None:
    await counter.sells("prime", "/async")
    job = counter.jobs.has(JobState.RUNNING)

    await counter.client().post(f"/sumi/lock/{job.id}/lock-1", json={"input_data": {"a": "b"}})

    (asked,) = counter.apps.asked
    assert asked.url.path == "/prime/async/lock"
    assert dict(asked.url.params) == {"job_id": job.id, "lock_id": "lock-1"}
    assert body_of(asked) == {"input_data": {"a": "b"}}


async def test_whose_job_wants_a_login(counter: Counter) -> None:
    await counter.sells("prime", "/async", network=None)
    free = counter.jobs.has(JobState.RUNNING)
    sold = counter.jobs.has(
        JobState.AWAITING_PAYMENT, id="sold", terms=PRICED, payment=Payment("Preprod")
    )
    gone = counter.jobs.has(JobState.RUNNING, id="gone", app_url="http://x/deleted")

    for job, status in ((free, 401), (sold, 200), (gone, 401)):
        assert (await counter.client().get(f"/sumi/status/{job.id}")).status_code == status
        assert (await counter.client("user").get(f"/sumi/status/{job.id}")).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"), [("status?job_id=%00", 404), ("status/%00", 400), ("lock/%00/a", 400)]
)
async def test_no_database_is_asked_for_what_it_cannot_hold(
    counter: Counter, path: str, status: int
) -> None:
    assert (await counter.client().get(f"/sumi/{path}")).status_code == status


async def test_an_unknown_job_is_the_notebooks_404(counter: Counter) -> None:
    answer = await counter.client().get("/sumi/status/69391b2a6dd6594791c3d54e")
    assert answer.json() == {
        "detail": "Job '69391b2a6dd6594791c3d54e' not found",
        "error": "NotFoundException",
        "path": "/sumi/status/69391b2a6dd6594791c3d54e",
        "status_code": 404,
    }


@pytest.mark.parametrize("in_path", [True, False])
async def test_who_bought_answers_while_the_flow_is_closed(counter: Counter, in_path: bool) -> None:
    await counter.sells("prime", "/async", network=None)
    sold = counter.jobs.has(JobState.RUNNING, terms=PRICED, payment=Payment("Preprod"))
    path, body = "/mip003/prime/async/provide_input", {"word": "it"}
    if in_path:
        path += f"/{sold.id}"
    else:
        body = {"job_id": sold.id, "input_data": body}

    answer = await counter.client().post(path, json=body)
    unknown = await counter.client().post(path, json={"job_id": "none", "input_data": {}})

    assert (answer.status_code, answer.json()) == (200, {"from": "the app"})
    [asked] = counter.apps.asked
    assert body_of(asked) == body
    assert unknown.status_code == (400 if in_path else 404)


async def test_a_job_that_was_given_away_is_answered_by_who_is_logged_in(counter: Counter) -> None:
    await counter.sells("prime", "/async", network=None)
    free = counter.jobs.has(JobState.RUNNING)
    path = f"/mip003/prime/async/provide_input/{free.id}"

    assert (await counter.client().post(path, json={"word": "it"})).status_code == 401
    assert counter.apps.asked == []
    assert (await counter.client("user").post(path, json={"word": "it"})).status_code == 200
