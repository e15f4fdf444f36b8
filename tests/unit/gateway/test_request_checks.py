"""What no request gets past: unclear paths, other sites, large and endless bodies."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from counter import OWN_URL, UPLOAD_BYTES, Counter

from masumi_sumi.gateway.cross_site import Origins, origin_of
from masumi_sumi.gateway.request_checks import _with_one_slash

COOKIE = {"cookie": "kodosumi_jwt=operator"}
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
FOREIGN = {"origin": "https://evil.example"}
HIRE = {"identifier_from_purchaser": "demo-123"}


# --- paths ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/files/y/in/../../../../admin.db",
        "/files/y/in/%2e%2e/%2e%2e/admin.db",
        "/files/y/in/%252e%252e/admin.db",
        "/files/y/in/..%5c..%5cadmin.db",
        "/files/..%2f..%2fadmin.db",
        "//files/y/in/a",
        "/deploy/..%2fevil",
        "/static/..%2f..%2fpanel.py",
        "/sumi/../admin",
        "//mip003/prime/start_job",
        "/mip003/..;/admin/availability",
    ],
)
async def test_unclear_path_reaches_nobody(counter: Counter, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = await counter.ask_raw(method, path, {"KODOSUMI_API_KEY": "operator"})

        assert answer.status_code == 400
        assert "path" in answer.json()["detail"]
        assert not counter.apps.asked


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("//files/complete/6b02/batch/in", "/files/complete/6b02/batch/in"),
        ("/-//127.0.0.1/8005/x/-/", "/-/127.0.0.1/8005/x/-/"),
    ],
)
async def test_kodosumis_own_double_slash_is_one(
    counter: Counter, written: str, meant: str
) -> None:
    meaning = _with_one_slash({"method": "POST", "path": written, "raw_path": written.encode()})
    other = await counter.ask_raw("GET", written)

    assert (meaning["path"], meaning["raw_path"]) == (meant, meant.encode())
    assert other.status_code == 400


# --- pages of other sites ------------------------------------------------------------------------


CHANGES = [
    ("POST", "/expose"),
    ("DELETE", "/expose/prime"),
    ("POST", "/boot"),
    ("DELETE", "/outputs/6b02"),
    ("POST", "/role"),
    ("PUT", "/role/6b02"),
    ("POST", "/inputs/-/x"),
    ("POST", "/login"),
    ("GET", "/login?name=a&password=b"),
    ("GET", "/logout"),
    ("GET", "/logout/"),
    ("GET", "/admin/logout"),
    ("GET", "/-/127.0.0.1/8005/x/-/"),
    ("GET", "/inputs/-/127.0.0.1/8005/x/-/"),
    ("GET", "/inputs/lock/6b02/lid"),
    ("GET", "/lock/6b02/lid"),
    ("POST", "/files/chunk"),
    ("POST", "/serve"),
]


@pytest.mark.parametrize(
    "sender",
    [
        FOREIGN,
        {"origin": "null"},
        {"origin": "http://panel:3371"},
        {"origin": "https://panel:3370"},
        {"origin": "http://panel.evil.example:3370"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": OWN_URL, "sec-fetch-site": "cross-site"},
        {"referer": "https://evil.example/page"},
        {"origin": "http://evil.example:3370", "host": "evil.example:3370"},
    ],
)
async def test_other_site_changes_nothing_with_the_cookie(
    counter: Counter, sender: dict[str, str]
) -> None:
    headers = {"host": "panel:3370", **COOKIE, **JSON, **sender}
    for method, path in CHANGES:
        answer = await counter.ask_raw(method, path, headers, b"{}")

        assert answer.status_code == 403, path
        assert "panel" not in answer.json()


@pytest.mark.parametrize(
    "sender",
    [
        {},
        {"origin": OWN_URL},
        {"origin": OWN_URL, "sec-fetch-site": "same-origin"},
        {"origin": "https://agents.example"},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"referer": f"{OWN_URL}/admin/flow"},
        {"origin": "http://localhost:9999", "host": "localhost:9999"},
        {"origin": "http://[::1]:9999", "host": "[::1]:9999"},
        {"origin": "http://192.0.2.7:3370", "host": "192.0.2.7:3370"},
    ],
)
async def test_own_page_and_program_change_things(counter: Counter, sender: dict[str, str]) -> None:
    headers = {"host": "panel:3370", **COOKIE, **JSON, **sender}
    assert (await counter.ask_raw("POST", "/role", headers, b"{}")).json()["panel"] == "/role"


async def test_program_with_a_key_is_free_to_say_where_it_is(counter: Counter) -> None:
    headers = {"KODOSUMI_API_KEY": "operator", **FOREIGN, "content-type": "text/plain"}
    assert (await counter.ask_raw("POST", "/role", headers, b"{}")).status_code == 200
    both = await counter.ask_raw("POST", "/role", {**headers, **COOKIE}, b"{}")
    empty = await counter.ask_raw("POST", "/role", {**headers, "KODOSUMI_API_KEY": ""}, b"{}")
    assert (both.status_code, empty.status_code) == (403, 403)


@pytest.mark.parametrize(
    ("path", "given", "status"),
    [
        ("/role", "application/json; charset=utf-8", 200),
        ("/role", "text/plain", 415),
        ("/role", "text/plain; application/json", 415),
        ("/role", "", 415),
        ("/role", "application/x-www-form-urlencoded", 415),
        ("/expose", "multipart/form-data; boundary=x", 415),
        ("/boot", "text/plain", 415),
        ("/files/complete/in", "application/x-www-form-urlencoded", 415),
        ("/files/chunk", "multipart/form-data; boundary=x", 200),
        ("/inputs/-/x", "application/x-www-form-urlencoded", 200),
        ("/login", "application/x-www-form-urlencoded", 200),
        ("/admin/routes", "application/x-www-form-urlencoded", 200),
        ("/deploy/x", "application/yaml", 200),
        ("/deploy/x", "text/plain", 415),
    ],
)
async def test_body_with_a_cookie_is_json_or_a_form_of_the_panel(
    counter: Counter, path: str, given: str, status: int
) -> None:
    headers = {**COOKIE, "content-type": given, "content-length": "2"}
    assert (await counter.ask_raw("POST", path, headers, b"{}")).status_code == status


async def test_buyers_page_of_another_site_is_a_stranger(counter: Counter) -> None:
    await counter.sells("private", "/", network=None)
    headers = {**COOKIE, "KODOSUMI_API_KEY": ""}
    own = counter.gateway._without_foreign_cookie(scope_of({**headers, "origin": OWN_URL}))
    foreign = counter.gateway._without_foreign_cookie(scope_of({**headers, **FOREIGN}))
    form = counter.gateway._without_foreign_cookie(
        scope_of({**headers, "origin": OWN_URL, "content-length": "9", **FORM})
    )
    assert cookies_of(own) == [b"kodosumi_jwt=operator"]
    assert cookies_of(foreign) == []
    assert cookies_of(form) == []


def scope_of(headers: dict[str, str]) -> dict[str, Any]:
    listed = [(name.encode(), value.encode()) for name, value in headers.items()]
    path = "/sumi/private/start_job"
    return {"type": "http", "method": "POST", "path": path, "headers": listed}


def cookies_of(scope: Any) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == b"cookie"]


def test_panel_that_listens_for_others_believes_the_host_until_its_address_is_set():
    listening = Origins.of("http://0.0.0.0:3370", "")
    named = Origins.of("http://0.0.0.0:3370", "https://agents.example")
    assert (listening.by_host, named.by_host) == (True, False)
    assert Origins.of("http://127.0.0.1:3370", "").by_host is False


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Agents.Example", "https://agents.example:443"),
        ("http://x:80/path", "http://x:80"),
        ("http://[::1]:3370", "http://[::1]:3370"),
        ("null", ""),
        ("http://x:abc", ""),
        ("", ""),
    ],
)
def test_origin_always_has_its_port(url: str, origin: str):
    assert origin_of(url) == origin


# --- bodies --------------------------------------------------------------------------------------


class Body:
    """A body that comes in pieces, and how many were asked for."""

    def __init__(self, *pieces: bytes, endless: bool = False, stalls: bool = False) -> None:
        self._pieces, self._endless, self._stalls = list(pieces), endless, stalls
        self.given = 0

    async def __call__(self) -> Any:
        self.given += 1
        if self._pieces:
            piece = self._pieces.pop(0)
            more = bool(self._pieces) or self._endless or self._stalls
            return {"type": "http.request", "body": piece, "more_body": more}
        if self._endless:
            return {"type": "http.request", "body": b"x" * 2**16, "more_body": True}
        return await asyncio.Event().wait()


async def send_body(
    counter: Counter, method: str, path: str, body: Body, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str]]:
    """Return the status and the headers of the answer."""
    listed = [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()]
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode()}
    scope |= {"query_string": b"", "headers": listed, "client": ("203.0.113.9", 1)}
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    await counter.gateway(scope, body, send)
    return told[0]["status"], {k.decode(): v.decode() for k, v in told[0]["headers"]}


PATHS = [
    ("DELETE", "/outputs"),
    ("POST", "/login"),
    ("POST", "/expose"),
    ("POST", "/boot"),
    ("POST", "/files/chunk"),
    ("POST", "/inputs/-/x"),
    ("GET", "/admin/flow"),
    ("POST", "/sumi/prime/start_job"),
    ("POST", "/mip003/prime/start_job"),
    ("POST", "/mip003/prime/provide_input"),
]


async def test_endless_body_of_a_stranger_is_a_413_after_one_mebibyte(counter: Counter) -> None:
    await counter.sells("prime", "/")
    for method, path in PATHS:
        body = Body(endless=True)

        status, headers = await send_body(counter, method, path, body)

        assert (status, headers.get("connection")) == (413, "close"), path
        assert body.given <= 18
        assert not counter.apps.asked


async def test_announced_body_that_is_too_large_is_not_read(counter: Counter) -> None:
    await counter.sells("prime", "/")
    for method, path in PATHS:
        body = Body(endless=True)

        status, _ = await send_body(counter, method, path, body, {"content-length": str(2**21)})

        assert (status, body.given) == (413, 0), path


async def test_body_that_does_not_arrive_in_time_is_a_408(counter: Counter) -> None:
    await counter.sells("prime", "/")
    counter.hurry(0.05)
    for method, path in PATHS:
        status, headers = await send_body(counter, method, path, Body(b"{", stalls=True))

        assert (status, headers.get("connection")) == (408, "close"), path
        assert not counter.apps.asked


async def test_user_who_is_logged_in_may_upload_more_but_not_anything(counter: Counter) -> None:
    key = {"KODOSUMI_API_KEY": "user"}
    large = {**key, "content-length": str(UPLOAD_BYTES)}
    pieces = [b"x" * 2**20, b"x" * 2**20]

    passed, _ = await send_body(counter, "POST", "/files/chunk", Body(*pieces), large)
    elsewhere, _ = await send_body(counter, "POST", "/role", Body(*pieces), large)
    endless, _ = await send_body(counter, "POST", "/files/chunk", Body(endless=True), key)

    assert (passed, elsewhere, endless) == (200, 413, 413)


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b"[" * 100 + b"]" * 100,
        b'{"a":' * 100_000,
        b'{"fid": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b"{" + b'"a":1,' * 20_000 + b'"b":1}',
    ],
)
async def test_json_bomb_is_a_400_that_nobody_parses(counter: Counter, content: bytes) -> None:
    headers = {"KODOSUMI_API_KEY": "operator", **JSON}
    for method, path in (("DELETE", "/outputs"), ("POST", "/role"), ("POST", "/expose")):
        assert (await counter.ask_raw(method, path, headers, content)).status_code == 400


async def test_form_of_too_many_fields_is_a_400(counter: Counter) -> None:
    answer = await counter.ask_raw("POST", "/login", FORM, b"a=1&" * 20_000)
    assert answer.status_code == 400


async def test_body_reaches_the_panel_as_it_came(counter: Counter) -> None:
    pieces = (b"a piece ", b"and another")
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    scope = {"type": "http", "method": "POST", "path": "/role", "headers": []}
    scope |= {"query_string": b"", "scheme": "http", "server": ("panel", 3370)}
    await counter.gateway(scope, Body(*pieces), send)
    answer = httpx.Response(200, content=told[1]["body"])
    assert answer.json()["body"] == "a piece and another"
