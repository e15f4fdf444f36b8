"""Bodies that buyers send to an app itself, and what its answers tell a browser."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from masumi_sumi.flows import body_bytes_of, read_form
from masumi_sumi.plugin import FlowTerms

if TYPE_CHECKING:
    from sold_app import Shop

MakeShop = Callable[..., "Shop"]
AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ee" * 32
PRICED = FlowTerms(agent_identifier=AGENT, network="Preprod")
NOTEBOOK = {"x-sumi-dialect": "sumi"}
BODY = ("/start_job", "/provide_input")


def body_of(size: int) -> bytes:
    return b'{"input_data": {"name": "' + b"a" * size + b'"}}'


@pytest.mark.parametrize("headers", [{}, NOTEBOOK])
async def test_body_above_one_mebibyte_is_a_413(shop: MakeShop, headers: dict[str, str]):
    sold = shop({"*": PRICED})

    answer = await sold.post("/start_job", content=body_of(2**20), headers=headers)

    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert "1048576 bytes" in str(answer.json())
    assert sold.desk.jobs == {}


async def test_limit_of_bodies_is_the_operators(shop: MakeShop, monkeypatch: pytest.MonkeyPatch):
    sold = shop({"*": PRICED})
    given = sold.parts.settings.model_copy(update={"body_bytes": 100})
    monkeypatch.setattr(sold.parts, "settings", given)

    assert (await sold.post("/start_job", content=body_of(100))).status_code == 413
    assert (await sold.post("/provide_input", content=body_of(100))).status_code == 413


class Trickle:
    """A body of which a byte comes now and then, for ever."""

    def __init__(self, pause: float) -> None:
        self._pause = pause

    async def __call__(self) -> Any:
        await asyncio.sleep(self._pause)
        return {"type": "http.request", "body": b" ", "more_body": True}


@pytest.mark.parametrize("path", BODY)
@pytest.mark.parametrize("headers", [[], [(b"x-sumi-dialect", b"sumi")]])
async def test_trickling_body_is_a_408_in_time(
    shop: MakeShop, monkeypatch: pytest.MonkeyPatch, path: str, headers: list[Any]
):
    sold = shop({"*": PRICED})
    given = sold.parts.settings.model_copy(update={"body_seconds": 0.1})
    monkeypatch.setattr(sold.parts, "settings", given)
    path = path if not headers else "/start_job"
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
    scope |= {"query_string": b"", "scheme": "http", "server": ("serve", 80), "client": ("::1", 1)}
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    async with asyncio.timeout(5):
        await sold.middleware(scope, Trickle(0.01), send)

    assert told[0]["status"] == 408
    assert (b"connection", b"close") in told[0]["headers"]


async def test_text_longer_than_64_kib_is_refused_by_its_field(shop: MakeShop):
    sold = shop({"*": PRICED})

    fits = await sold.start(name="a" * 65536)
    long = await sold.start(name="a" * 65537)
    wide = await sold.start(name="\u20ac" * 30000)

    assert (fits.status_code, long.status_code, wide.status_code) == (200, 400, 400)
    assert long.json()["errors"] == {"name": ["must have at most 65536 bytes"]}


def test_form_with_long_fields_takes_a_larger_body():
    short = read_form([{"type": "text", "name": "a", "max_length": 100}])
    long = read_form([{"type": "textarea", "name": "a", "max_length": 1_000_000}])

    assert body_bytes_of(short) == 0
    assert body_bytes_of(long) >= 6_000_000


async def test_flow_with_a_long_field_takes_it(shop: MakeShop):
    from kodosumi.core import ServeAPI, forms
    from sold_app import work

    api = ServeAPI()
    model = forms.Model(forms.InputArea(label="Text", name="name", max_length=3_000_000))

    @api.enter(path="/", model=model)
    async def enter(request: Any, inputs: dict[str, Any]) -> Any:
        from kodosumi.core import Launch

        return Launch(request, work, inputs)

    sold = shop({"*": PRICED}, api=api)

    fits = await sold.start(name="a" * 2_500_000)
    long = await sold.start(name="a" * 3_000_001)
    document = (await sold.get("/openapi")).json()

    assert fits.status_code == 200, fits.text
    assert long.status_code == 400
    assert document["x-masumi"]["bodyBytes"] > 3_000_000


# --- headers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/availability"),
        ("GET", "/status?job_id=none"),
        ("POST", "/start_job"),
        ("DELETE", "/start_job"),
        ("OPTIONS", "/start_job"),
        ("GET", "/openapi"),
    ],
)
async def test_answers_of_ours_are_for_browsers_of_buyers(shop: MakeShop, method: str, path: str):
    sold = shop({"*": PRICED})
    async with sold.client() as client:
        answer = await client.request(method, path, headers={"origin": "https://shop.example"})

    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "headers", "allow"),
    [
        ("/start_job", {}, "POST, OPTIONS"),
        ("/availability", {}, "GET, HEAD, OPTIONS"),
        ("/provide_input/6b02", {}, "POST, OPTIONS"),
        ("/lock", NOTEBOOK, "GET, HEAD, POST, OPTIONS"),
    ],
)
async def test_browser_that_asks_first_is_told(
    shop: MakeShop, path: str, headers: dict[str, str], allow: str
):
    sold = shop({"*": PRICED})
    asked = {"origin": "https://shop.example", "access-control-request-method": "POST", **headers}
    async with sold.client() as client:
        answer = await client.options(path, headers=asked)

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["allow"] == answer.headers["access-control-allow-methods"] == allow
    assert answer.headers["access-control-allow-headers"] == "*"


async def test_headers_of_the_authors_own_answers_are_his(shop: MakeShop):
    sold = shop({"*": PRICED})
    answer = await sold.get("/health")
    assert "access-control-allow-origin" not in answer.headers
    assert "cache-control" not in answer.headers


# --- paths ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        *("/./start_job", "/x/../start_job", "/%2e/start_job", "/..%2fstart_job", "/start_job;x"),
        *("/start_job%00", "/start_job%2f", "/%2fstart_job%5c", "/START_JOB", "/start_job/."),
    ],
)
async def test_path_that_is_not_written_plainly_starts_nothing(
    shop: MakeShop, runners: list[Any], path: str
):
    sold = shop({"*": PRICED})
    body = b'{"identifier_from_purchaser": "abababababababab", "input_data": {"name": "Ada"}}'
    told: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        told.append(message)

    scope = {"type": "http", "method": "POST", "path": unquote(path), "raw_path": path.encode()}
    scope |= {"query_string": b"", "scheme": "http", "server": ("serve", 80), "client": ("::1", 1)}
    await sold.middleware({**scope, "headers": []}, receive, send)

    assert 400 <= told[0]["status"] < 500
    assert (sold.desk.jobs, runners) == ({}, [])
