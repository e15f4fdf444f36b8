"""A question that its app has not worded yet: the app is asked, and the job is told anyway."""

from __future__ import annotations

import httpx
import pytest
from counter import Counter

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
