"""The Content-Security-Policy of the panel's address."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from masumi_sumi.gateway.page_policy import NONCE, PagePolicy, choose_policy


def parse(policy: str) -> dict[str, str]:
    split = (directive.strip().partition(" ") for directive in policy.split(";"))
    return {name: sources for name, _, sources in split}


async def ask(path: str, **answer: Any) -> httpx.Response:
    async def endpoint(request: Request) -> Response:
        return Response(f"nonce {request.scope[NONCE]}", **answer)

    app = PagePolicy(Starlette(routes=[Route("/{path:path}", endpoint)]))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://panel") as client:
        return await client.get(f"http://panel{path}")


async def test_a_page_runs_scripts_with_the_nonce_of_this_answer_only() -> None:
    first, second = [await ask("/admin/flow", media_type="text/html") for _ in range(2)]

    policy = parse(first.headers["content-security-policy"])
    assert policy["script-src"] == f"'nonce-{first.text.split()[1]}'"
    assert first.text != second.text
    assert policy["script-src-attr"] == "'none'"
    assert policy["form-action"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'self'"
    for name in ("default-src", "base-uri", "object-src"):
        assert policy[name] == "'none'"
    assert "unsafe-inline" not in policy["script-src"] + policy["style-src"]
    assert first.headers["x-content-type-options"] == "nosniff"
    assert first.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("kind", ["text/html", "text/HTML; charset=utf-8", "image/svg+xml"])
@pytest.mark.parametrize("path", ["/-/host/1/app/-/x", "//-/host", "/lock/a/b", "/sumi/x"])
async def test_a_document_of_an_app_can_do_nothing(path: str, kind: str) -> None:
    own = "script-src 'unsafe-inline'"
    answer = await ask(path, media_type=kind, headers={"content-security-policy": own})

    (policy,) = answer.headers.get_list("content-security-policy")
    assert parse(policy)["default-src"] == "'none'"
    assert "script-src" not in parse(policy)
    assert "sandbox" in parse(policy)


async def test_documents_that_are_no_pages_are_kept_from_running_too() -> None:
    for kind in ("image/svg+xml", "application/xhtml+xml", "text/xml"):
        answer = await ask("/files/x", media_type=kind)
        assert "nonce" in parse(answer.headers["content-security-policy"])["script-src"]


async def test_data_has_a_policy_as_well() -> None:
    answer = await ask("/timeline", media_type="application/json")

    assert parse(answer.headers["content-security-policy"])["default-src"] == "'none'"


def test_the_documentation_of_the_api_has_no_origin() -> None:
    policy = parse(choose_policy("/schema/swagger", "text/html", "x"))

    assert "allow-scripts" in policy["sandbox"]
    assert "allow-same-origin" not in policy["sandbox"]
