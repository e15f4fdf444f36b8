"""What every answer of the gateway has, and what of an app never gets through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from counter import OWN_URL, Counter, opened
from ready_made import ready_made
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from masumi_sumi.clock import ManualClock
from masumi_sumi.exposes import ExposeBook
from masumi_sumi.exposes.schema import HISTORY
from masumi_sumi.faces.headers import format_allow
from masumi_sumi.gateway.panel_border import PanelBorder, PanelRoutes, find_own_url
from masumi_sumi.jobs.model import JobState
from masumi_sumi.settings import Settings

PAGE = "<script>alert(document.cookie)</script>"
HIRE = {"identifier_from_purchaser": "demo-123"}
FOREIGN = {"origin": "https://shop.example"}


# --- apps ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, html=PAGE),
        httpx.Response(500, html=PAGE),
        httpx.Response(200, text=PAGE),
        httpx.Response(200, text=PAGE, headers={"content-type": "application/json+html"}),
        httpx.Response(200, content=PAGE.encode(), headers={"content-type": "image/svg+xml"}),
        httpx.Response(200, content=PAGE.encode()),
        httpx.Response(302, headers={"location": "https://evil.example"}),
        httpx.Response(307, json={}, headers={"location": "https://evil.example"}),
    ],
)
async def test_page_of_an_app_is_a_502_of_the_gateway(
    counter: Counter, answer: httpx.Response
) -> None:
    await counter.sells("prime", "/")
    counter.apps.answer = answer
    for face in ("sumi", "mip003"):
        told = await counter.client().post(f"/{face}/prime/start_job", json=HIRE)

        assert told.status_code == 502
        assert told.headers["content-type"] == "application/json"
        assert "location" not in told.headers
        assert "alert" not in told.text


async def test_app_sets_no_header_of_the_gateway(counter: Counter) -> None:
    await counter.sells("prime", "/")
    headers = {
        "set-cookie": "kodosumi_jwt=stolen",
        "access-control-allow-credentials": "true",
        "access-control-allow-origin": "https://evil.example",
        "content-security-policy": "default-src *",
        "content-type": "application/json; charset=latin-1",
        "cache-control": "public, max-age=9999",
        "refresh": "0; url=https://evil.example",
    }
    counter.apps.answer = httpx.Response(200, content=b'{"a": 1}', headers=headers)

    told = await counter.client().get("/mip003/prime/demo")

    assert told.json() == {"a": 1}
    assert told.headers["content-type"] == "application/json"
    assert told.headers["access-control-allow-origin"] == "*"
    assert told.headers["cache-control"] == "no-store"
    unwanted = {"set-cookie", "access-control-allow-credentials", "content-security-policy"}
    assert not ({*unwanted, "refresh"} & set(told.headers))


# --- the panel's own proxy -----------------------------------------------------------------------


def answering(answer: Response, seen: list[Request] | None = None) -> httpx.AsyncClient:
    """Return a client of a panel that answers so."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        (seen if seen is not None else []).append(Request(scope, receive))
        await answer(scope, receive, send)

    border = PanelBorder(app, OWN_URL, frozenset({"https://friend.example:443"}))
    transport = httpx.ASGITransport(app=border)
    return httpx.AsyncClient(transport=transport, base_url="http://evil.example")


@pytest.mark.parametrize("path", ["/-/host/8005/x/-/", "/lock/6b02/lid"])
@pytest.mark.parametrize("status", [200, 404, 500])
async def test_page_of_an_app_does_not_come_through_the_panels_proxy(
    path: str, status: int
) -> None:
    async with answering(HTMLResponse(PAGE, status)) as client:
        told = await client.get(path)
    assert (told.status_code, told.headers["content-type"]) == (502, "application/json")
    assert "alert" not in told.text


@pytest.mark.parametrize("path", ["/-/host/8005/x/-/", "/lock/6b02/lid", "/inputs/-/x"])
async def test_header_of_an_app_does_not_come_through_the_panels_proxy(path: str) -> None:
    answer = JSONResponse({"elements": []}, headers={"access-control-allow-origin": "*"})
    answer.set_cookie("kodosumi_jwt", "stolen")
    answer.headers["x-anything"] = "1"
    async with answering(answer) as client:
        told = await client.get(path)
    assert told.json() == {"elements": []}
    assert set(told.headers) == {"content-type", "content-length"}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("/admin/flow", "/admin/flow"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
async def test_panel_sends_nobody_elsewhere(given: str, kept: str) -> None:
    async with answering(Response(status_code=302, headers={"location": given})) as client:
        told = await client.get(f"/login?redirect={given}")
    assert (told.status_code, told.headers["location"]) == (302, kept)


async def test_panel_tells_which_methods_it_takes() -> None:
    routes = PanelRoutes(
        [
            ("/role/{rid:uuid}", ["DELETE", "PUT"]),
            ("/role/{name:str}", ["GET"]),
            ("/files/{fid:str}/{path:path}", ["GET"]),
            ("/", ["GET"]),
        ]
    )
    assert routes.find_methods("/role/6b02/") == ["DELETE", "GET", "PUT"]
    assert routes.find_methods("/files/6b02/in/a.txt") == ["GET"]
    assert routes.find_methods("/") == ["GET"]
    assert routes.find_methods("/role") == []

    border = PanelBorder(JSONResponse({}, 405), OWN_URL, frozenset(), routes)
    transport = httpx.ASGITransport(app=border)
    async with httpx.AsyncClient(transport=transport, base_url=OWN_URL) as client:
        told = await client.patch("/role/6b02")
    assert (told.status_code, told.headers["allow"]) == (405, "DELETE, GET, PUT")


async def test_panel_keeps_its_own_cookie_and_pages() -> None:
    page = HTMLResponse("<form>")
    page.set_cookie("kodosumi_jwt", "own")
    async with answering(page) as client:
        told = await client.get("/admin/flow")
    assert (told.text, told.cookies["kodosumi_jwt"]) == ("<form>", "own")


async def test_panel_sees_itself_at_its_own_address() -> None:
    seen: list[Request] = []
    forwarded = {"x-forwarded-for": "1.2.3.4", "x-forwarded-host": "evil", "forwarded": "for=x"}
    async with answering(JSONResponse({}), seen) as client:
        await client.post("/inputs/-/x", headers={"origin": "https://agents.example", **forwarded})
    (request,) = seen
    assert str(request.base_url) == f"{OWN_URL}/"
    assert request.headers["origin"] == OWN_URL
    assert not set(forwarded) & set(request.headers)


async def test_only_pages_that_the_operator_named_read_the_panel() -> None:
    answer = JSONResponse({}, headers={"access-control-allow-origin": "https://friend.example"})
    async with answering(answer) as client:
        friend = await client.get("/flow", headers={"origin": "https://friend.example"})
        other = await client.get("/flow", headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" in friend.headers
    assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize(
    ("listens_at", "public_url", "own"),
    [
        ("http://127.0.0.1:3370", "https://agents.example", "http://127.0.0.1:3370"),
        ("http://0.0.0.0:3370", "", "http://127.0.0.1:3370"),
        ("http://[::]:3370", "", "http://127.0.0.1:3370"),
        ("https://0.0.0.0:443", "https://agents.example", "https://agents.example"),
        ("http://10.0.0.7:3370", "", "http://10.0.0.7:3370"),
    ],
)
def test_panel_reaches_itself_where_it_listens(listens_at: str, public_url: str, own: str):
    assert find_own_url(listens_at, public_url) == own


# --- every answer --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/expose", "/boot", "/sumi", "/sumi/none", "/mip003/none/availability", "/login"),
        *("/sumi/openapi.json", "/mip003/openapi.json", "/outputs/status/x", "//", "/static/x"),
        *("/mip003/prime/status?job_id=6b02", "/sumi/status/none", "/expose/a/b/c"),
    ],
)
async def test_no_browser_guesses_or_keeps_what_is_told(counter: Counter, path: str) -> None:
    told = await counter.ask_raw("GET", path)

    assert told.headers["x-content-type-options"] == "nosniff"
    assert told.headers["referrer-policy"] == "same-origin"
    assert told.headers.get("cache-control") == (None if path == "/static/x" else "no-store")
    assert told.headers["content-type"] == "application/json"


async def test_operators_answers_are_for_no_other_site(counter: Counter) -> None:
    for path in ("/expose", "/boot", "/role", "/outputs/x", "/expose/none"):
        for method in ("GET", "OPTIONS"):
            headers = {**FOREIGN, "KODOSUMI_API_KEY": "operator"}
            told = await counter.ask_raw(method, path, headers)
            assert not [name for name in told.headers if name.startswith("access-control-allow-o")]


async def test_buyers_page_of_any_site_may_ask_without_a_cookie(counter: Counter) -> None:
    await counter.sells("prime", "/")
    for path in ("/sumi", "/sumi/prime", "/mip003/prime/availability", "/sumi/status/none"):
        told = await counter.client().get(path, headers=FOREIGN)
        assert told.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in told.headers


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/sumi", "GET, HEAD, OPTIONS"),
        ("/sumi/openapi.json", "GET, HEAD, OPTIONS"),
        ("/sumi/status/6b02", "GET, HEAD, OPTIONS"),
        ("/sumi/lock/6b02/lid", "GET, HEAD, POST, OPTIONS"),
        ("/sumi/prime", "GET, HEAD, OPTIONS"),
        ("/sumi/prime/async", "GET, HEAD, OPTIONS"),
        ("/sumi/prime/async/start_job", "POST, OPTIONS"),
        ("/sumi/prime/status/6b02", "GET, HEAD, OPTIONS"),
        ("/mip003/openapi.json", "GET, HEAD, OPTIONS"),
        ("/mip003/prime/start_job", "POST, OPTIONS"),
        ("/mip003/prime/availability", "GET, HEAD, OPTIONS"),
        ("/mip003/prime/provide_input/6b02", "POST, OPTIONS"),
        ("/expose", "GET, HEAD, POST, OPTIONS"),
        ("/expose/prime", "GET, HEAD, DELETE, OPTIONS"),
        ("/expose/prime/health", "POST, OPTIONS"),
        ("/boot", "GET, HEAD, POST, DELETE, OPTIONS"),
        ("/boot/stream", "GET, HEAD, OPTIONS"),
        ("/boot/refresh/prime", "POST, OPTIONS"),
    ],
)
async def test_options_and_405_tell_what_is_allowed(
    counter: Counter, path: str, allow: str
) -> None:
    asked = {"access-control-request-method": "POST", **FOREIGN}
    options = await counter.client().options(path, headers=asked)
    wrong = await counter.client().patch(path)

    assert (options.status_code, options.content) == (204, b"")
    assert options.headers["allow"] == options.headers["access-control-allow-methods"] == allow
    assert (wrong.status_code, wrong.headers["allow"]) == (405, allow)
    assert wrong.json()["detail"].startswith("use ")


def test_allow_of_an_endpoint_lists_head_with_get():
    assert format_allow(["GET"]) == "GET, HEAD, OPTIONS"
    assert format_allow(iter(["POST", "DELETE"])) == "POST, DELETE, OPTIONS"


@pytest.mark.parametrize("path", ["/expose/a/b/c", "/boot/none", "/mip003", "/mip003/x", "/boot/x"])
async def test_unknown_path_of_ours_is_a_404_in_json(counter: Counter, path: str) -> None:
    told = await counter.client("operator").get(path)
    assert (told.status_code, told.headers["content-type"]) == (404, "application/json")
    assert told.json()["detail"]
    assert "panel" not in told.json()


async def test_head_answers_where_get_does(counter: Counter) -> None:
    await counter.sells("prime", "/")
    job = counter.jobs.has(JobState.RUNNING)
    paths = ["/sumi", "/sumi/prime", f"/sumi/status/{job.id}", "/mip003/prime/availability"]
    for path in [*paths, "/expose", "/boot", "/boot/stream", "/sumi/openapi.json"]:
        told = await counter.client("operator").head(path)
        assert told.status_code == 200, path


# --- addresses -----------------------------------------------------------------------------------


async def test_foreign_host_changes_no_address(counter: Counter) -> None:
    await counter.sells("prime", "/")
    forged = {
        "host": "evil.example",
        "x-forwarded-host": "evil.example",
        "x-forwarded-proto": "https",
        "forwarded": "host=evil.example;proto=https",
    }
    for path in ("/sumi", "/sumi/prime", "/mip003/openapi.json", "/sumi/openapi.json"):
        honest = await counter.client().get(path)
        told = await counter.client().get(path, headers=forged)
        assert told.content == honest.content
        assert "evil" not in told.text
    listed = (await counter.client().get("/sumi", headers=forged)).json()["items"]
    assert listed[0]["api_url"] == f"{OWN_URL}/sumi/prime"


async def test_public_url_is_where_all_addresses_begin(tmp_path: Path) -> None:
    clock = ManualClock()
    given = Settings(data_dir=tmp_path, nodes={}, public_url="https://agents.example/shop/")
    database = await ready_made(f"sqlite:///{tmp_path / 'exposes.db'}", HISTORY)
    async with ExposeBook(database, clock) as book, opened(book, clock, given) as counter:
        await counter.sells("prime", "/", "/async")
        counter.apps.answer = httpx.Response(200, json={"servers": [{"url": "./"}], "paths": {}})
        client = counter.client()

        listed = (await client.get("/sumi/prime/async")).json()
        document = (await client.get("/mip003/openapi.json")).json()
        flow = (await client.get("/mip003/prime/async/openapi")).json()

    assert listed["api_url"] == "https://agents.example/shop/sumi/prime/async"
    assert listed["mip003_url"] == "https://agents.example/shop/mip003/prime/async"
    assert document["servers"] == [{"url": "https://agents.example/shop/mip003/"}]
    assert flow["servers"] == [{"url": "https://agents.example/shop/mip003/prime/async/"}]
