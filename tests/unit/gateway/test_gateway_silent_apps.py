"""A job is told whatever became of its app: silent over a question, broken, or sold no more."""

from __future__ import annotations

import httpx
import pytest
from counter import Counter

from masumi_sumi.exposes import draft_of
from masumi_sumi.jobs.model import JobState, Lock

PATHS = ["/sumi/status/{}", "/mip003/prime/async/status/{}"]
BROKEN = [
    httpx.Response(500, text="Internal Server Error"),
    httpx.Response(503, json={}),
    httpx.Response(424, json={"detail": "the seller cannot be reached"}),
]


@pytest.fixture
async def path(counter: Counter, request: pytest.FixtureRequest) -> str:
    """Where a job with such a question stands."""
    await counter.sells("prime", "/async")
    job = counter.jobs.has(JobState.RUNNING)
    counter.jobs.locks_.append(Lock("lock-1", job.id, "ask", 9e9, 100.0))
    return str(request.param).format(job.id)


@pytest.mark.parametrize("path", PATHS, indirect=True)
@pytest.mark.parametrize("broken", BROKEN)
async def test_an_app_that_fails_to_word_it_hides_no_job(
    counter: Counter, path: str, broken: httpx.Response
) -> None:
    counter.apps.answer = broken

    answer = await counter.client().get(path)

    assert (answer.status_code, answer.json()["status"]) == (200, "running")


@pytest.mark.parametrize("path", PATHS, indirect=True)
async def test_an_app_that_hangs_hides_no_job(
    counter: Counter, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("masumi_sumi.gateway.jobs.FORM_SECONDS", 0.01)
    counter.apps.hang = True

    answer = await counter.client().get(path)

    assert (answer.status_code, answer.json()["status"]) == (200, "running")
    assert len(counter.apps.asked) == 1


@pytest.mark.parametrize("network", ["Preprod", None])
async def test_a_flow_that_is_sold_no_more_still_tells_of_its_jobs_to_those_who_may_know(
    counter: Counter, network: str | None
) -> None:
    await counter.sells("prime", "/async", network=network)
    job = counter.jobs.has(JobState.QUEUED)
    await counter.book.save(draft_of({"name": "prime", "enabled": False}))
    flow, stranger = "/mip003/prime/async", counter.client()

    known = await counter.client("user").get(f"{flow}/status/{job.id}")
    told = await stranger.get(f"{flow}/status/{job.id}")
    hired = await counter.client("user").post(f"{flow}/start_job", json={"input_data": {}})

    assert (known.status_code, known.json()["status"]) == (200, "running")
    assert told.status_code == (200 if network else 401)
    assert (hired.status_code, counter.apps.asked) == (404, [])
