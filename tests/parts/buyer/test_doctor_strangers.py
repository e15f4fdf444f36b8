"""What the doctor meets that is not ours: it says so, and the round goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from masumi_sumi.cli.exposed import answers, exposed
from masumi_sumi.cli.findings import Finding
from masumi_sumi.cli.registered import compared
from masumi_sumi.cli.served import served
from masumi_sumi.cli.sold import Sold
from masumi_sumi.sandbox import Sandbox
from masumi_sumi.settings import Settings

Apps = Callable[..., Settings]


@pytest.mark.parametrize(
    "answer",
    [
        HTMLResponse("<p>It works!</p>"),
        RedirectResponse("/login"),
        JSONResponse({"items": []}),
        JSONResponse([{"name": "prime"}]),
        JSONResponse(["prime"]),
        JSONResponse(5),
    ],
    ids=["page", "redirect", "object", "other", "words", "number"],
)
async def test_a_server_that_is_no_panel_of_ours_is_a_finding(
    running: Apps, monkeypatch: pytest.MonkeyPatch, answer: Response
):
    monkeypatch.setenv("KODOSUMI_API_KEY", "the-key")
    stranger = Starlette(routes=[Route("/expose", lambda request: answer)])
    panel = f"http://127.0.0.1:{running({'/': stranger}).serve_port}"

    found = exposed(running({}, panel=panel))

    [finding] = found.findings
    assert (finding.what, finding.verdict) == ("exposes", "beware")
    assert "/expose" in finding.words
    assert finding.advice
    assert (found.sold, found.names) == ([], set())


@pytest.mark.parametrize("place", ["host: '::1'", "port: many", "port: 99999"])
async def test_an_address_of_serve_that_cannot_be_is_one_where_nobody_answers(
    tmp_path: Path, place: str
):
    file = tmp_path / "serve_config.yaml"
    file.write_text(f"http_options: {{{place}}}")

    found = await served(Settings(data_dir=tmp_path, serve_config=file, nodes={}), ())

    [finding] = found.findings
    assert finding.what == "applications"
    assert "does not answer at" in finding.words


def test_half_an_address_is_nobodys():
    assert not answers("http://[::1")


async def test_an_address_in_a_registry_that_is_none_is_bad(tmp_path: Path):
    with Sandbox(frozen=True, strict=True) as node:
        nodes = {"Preprod": {"url": node.url, "token": node.token}}
        settings = Settings(data_dir=tmp_path, nodes=nodes)
        agent = node.register(url="http://[half")
        sold = Sold("prime", "Preprod", agent, "Fixed")

        findings: list[Finding] = [each async for each in compared([sold], settings)]

    said: list[Any] = [(each.verdict, each.words) for each in findings]
    assert ("bad", "is registered at 'http://[half', which buyers cannot put a path behind") in said
