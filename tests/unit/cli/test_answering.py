"""What the doctor says of an agent at its registered address, asked as a registry asks."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from masumi_sumi.cli.answering import at, of_host
from masumi_sumi.cli.findings import Finding
from masumi_sumi.cli.sold import Sold

AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ee" * 32
URL = "https://you.example/two-stage"
SAID = {"type": "masumi-agent", "status": "available", "agentIdentifier": AGENT}
SOLD = Sold("two-stage", "Preprod", AGENT, "Fixed", served_at="http://127.0.0.1:8005/two-stage")


async def found(answer: Response, url: str = URL, sold: Sold = SOLD) -> list[Finding]:
    def availability(request: Request) -> Response:
        return answer

    app = Starlette(routes=[Route("/two-stage/availability", availability)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:
        return [finding async for finding in at(url, sold, http)]


@pytest.mark.parametrize("url", [URL, f"{URL}/"])
async def test_an_agent_that_answers_where_it_is_registered_needs_no_advice(url: str):
    assert await found(JSONResponse(SAID), url) == []


@pytest.mark.parametrize(
    ("answer", "verdict", "words"),
    [
        (RedirectResponse("https://you.example/login"), "bad", "redirects"),
        (RedirectResponse(f"{URL}/availability/", 308), "bad", "redirects"),
        (JSONResponse(SAID, 401), "bad", "401"),
        (JSONResponse(SAID, 502), "bad", "502"),
        (PlainTextResponse("<html>"), "bad", "no JSON"),
        (JSONResponse({**SAID, "type": "agent"}), "bad", "type is not masumi-agent"),
        (JSONResponse({**SAID, "agentIdentifier": AGENT.upper()}), "bad", "another agent answers"),
        (JSONResponse({**SAID, "agentIdentifier": "7e8b"}), "bad", "another agent answers"),
        (JSONResponse({**SAID, "status": "unavailable", "message": "no node"}), "bad", "no node"),
        (JSONResponse({"type": SAID["type"], "status": "available"}), "beware", "not say which"),
    ],
)
async def test_what_a_registry_would_not_list_is_told(answer: Response, verdict: str, words: str):
    [finding] = await found(answer)

    assert (finding.what, finding.verdict) == ("agent of two-stage", verdict)
    assert words in finding.words
    assert finding.advice


@pytest.mark.parametrize(
    ("served_at", "verdict"), [("http://127.0.0.1:8005/a", "bad"), ("", "beware")]
)
async def test_silence_is_bad_only_of_what_runs(served_at: str, verdict: str):
    class Cut(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("no such host")

    sold = Sold("two-stage", "Preprod", AGENT, "Fixed", served_at=served_at)
    async with httpx.AsyncClient(transport=Cut()) as http:
        [finding] = [finding async for finding in at(URL, sold, http)]

    assert finding.verdict == verdict
    assert "no such host" in finding.words
    assert "leads here from outside" in finding.advice


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("you.example", None),
        ("1.1.1.1", None),
        ("[2606:4700::1111]:8443", None),
        ("localhost:8005", "their own machine"),
        ("agents.localhost", "their own machine"),
        ("127.0.0.1:8005", "their own machine"),
        ("[::1]", "their own machine"),
        ("10.0.0.5", "its own network"),
        ("192.168.1.7:80", "its own network"),
        ("169.254.1.1", "its own network"),
        ("100.64.0.1", "its own network"),
        ("[fd00::1]", "its own network"),
        ("raspberry", "its own network"),
        ("raspberry.local", "its own network"),
    ],
)
def test_a_host_that_others_cannot_reach_is_told(host: str, words: str | None):
    findings = list(of_host(f"http://{host}/two-stage", SOLD))

    assert [finding.verdict for finding in findings] == (["beware"] if words else [])
    assert all(words and words in finding.words and finding.advice for finding in findings)


async def test_an_address_that_is_none_is_bad():
    findings: Any = await found(JSONResponse(SAID), "https://you.example/two-stage?a=1")

    assert [finding.verdict for finding in findings] == ["bad"]
