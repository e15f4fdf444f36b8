"""An agent's answers that are no answers: redirects, pages, floods, silence, terminal tricks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from masumi_sumi.buyer import AgentClient, Bounds
from masumi_sumi.errors import (
    AgentError,
    AgentFailed,
    AgentRefused,
    AgentUnreachable,
    AgentUnreadable,
    SettingInvalid,
)

TIGHT = dict.fromkeys(
    ("availability", "input_schema", "start_job", "status", "provide_input"), Bounds(0.05, 1000)
)
FINE = {"id": "j", "status": "running"}


class Stream(httpx.AsyncByteStream):
    def __init__(self, chunk: bytes, pause: float, times: int) -> None:
        self.chunk, self.pause, self.times, self.sent = chunk, pause, times, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self.times):
            await asyncio.sleep(self.pause)
            self.sent += len(self.chunk)
            yield self.chunk


def agent(answer: Any, requests: list[httpx.Request] | None = None) -> AgentClient:
    """A client whose network always answers so; exceptions are raised."""

    async def handle(request: httpx.Request) -> httpx.Response:
        if requests is not None:
            requests.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    http = httpx.AsyncClient(transport=httpx.MockTransport(handle))
    return AgentClient("http://agent.test/a/flow/", http, bounds=TIGHT)


async def refused(answer: Any) -> AgentError:
    with pytest.raises(AgentError) as refusal:
        await agent(answer).status("j")
    assert "\n" not in str(refusal.value)
    return refusal.value


async def test_a_redirect_is_not_followed():
    requests: list[httpx.Request] = []
    moved = httpx.Response(307, headers={"location": "http://169.254.169.254/"})

    with pytest.raises(AgentUnreadable, match="redirects"):
        await agent(moved, requests).start_job("ab" * 13, {})

    assert [str(request.url) for request in requests] == ["http://agent.test/a/flow/start_job"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, html="<h1>It works</h1>"),
        httpx.Response(204),
        httpx.Response(200, content=b"[" * 900),
        httpx.Response(200, content=b'{"status": "running", "n": NaN}'),
        httpx.Response(200, content=b"\xff\xfe{}"),
        httpx.Response(200, headers={"content-encoding": "br"}, json=FINE),
        [],
        {"status": "pending"},
        {"status": "RUNNING"},
        {"status": ["running"]},
        {},
        {"status": "completed"},
        {"status": "completed", "result": ""},
        {"status": "completed", "result": {"text": "done"}},
        {"status": "awaiting_input"},
        {"status": "awaiting_input", "input_schema": {"input_data": [{"id": "x"}]}},
        {**FINE, "id": 7},
    ],
)
async def test_what_is_not_mip_003_is_unreadable(answer: Any):
    assert isinstance(await refused(answer), AgentUnreadable)


async def test_a_flood_is_cut_off_where_the_bound_is():
    flood = Stream(b"x" * 500, 0, times=10**6)

    assert isinstance(await refused(httpx.Response(200, stream=flood)), AgentUnreadable)
    assert flood.sent <= 2000


async def test_a_flood_of_a_refusal_is_cut_off_too():
    flood = Stream(b"x" * 5000, 0, times=10**6)

    assert isinstance(await refused(httpx.Response(400, stream=flood)), AgentRefused)
    assert flood.sent < 100_000


async def test_an_answer_that_drips_is_not_waited_for():
    drip = Stream(b" ", 0.01, times=10**6)

    refusal = await refused(httpx.Response(200, stream=drip))

    assert isinstance(refusal, AgentUnreachable)
    assert "longer than 0.05 s" in str(refusal)


@pytest.mark.parametrize("error", [httpx.ConnectError("no\nroute"), httpx.ReadError("cut")])
async def test_no_answer_is_no_refusal(error: Exception):
    assert isinstance(await refused(error), AgentUnreachable)


@pytest.mark.parametrize("status", [500, 503, 408])
async def test_a_failure_is_ambiguous(status: int):
    assert isinstance(await refused(httpx.Response(status, html="oops")), AgentFailed)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"detail": "name: is required"}, "name: is required"),
        ({"detail": [{"loc": ["body", "age"], "msg": "too old", "type": "x"}]}, "age: too old"),
        ({"message": "first generation"}, "first generation"),
        ({"error": {"code": 7}}, "{'code': 7}"),
        ({"detail": "\x1b]0;owned\x07 two\nlines" + "x" * 10_000}, None),
        ([], "without a reason"),
    ],
)
async def test_a_refusal_is_told_in_one_printable_line(body: Any, detail: str | None):
    refusal = await refused(httpx.Response(422, content=json.dumps(body).encode()))

    assert isinstance(refusal, AgentRefused)
    assert detail is None or refusal.detail == detail
    assert refusal.detail.isprintable()
    assert len(refusal.detail) <= 500


async def test_nothing_about_us_is_sent():
    requests: list[httpx.Request] = []

    await agent(FINE, requests).status("a job/?&")

    [request] = requests
    assert request.url.params["job_id"] == "a job/?&"
    assert not {"token", "authorization", "cookie"} & set(request.headers)


async def test_a_first_generation_answer_is_understood():
    body = {
        "status": "success",
        "job_id": "j",
        "blockchainIdentifier": "free_123",
        "identifierFromPurchaser": "ab",
    }

    started = await agent(body).start_job("ab" * 13, {})

    assert (started.job_id, started.bill) == ("j", None)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://agent.test",
        "file:///etc/passwd",
        "agent.test",
        "http://",
        "http://agent.test/?x=1",
        "http://agent.test/#x",
        "http://user:secret@agent.test",
    ],
)
def test_an_address_that_is_no_agents_is_refused(url: str):
    with pytest.raises(SettingInvalid, match="agent's URL"):
        AgentClient(url)
