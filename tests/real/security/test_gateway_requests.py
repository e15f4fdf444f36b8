"""A stranger, or a page that an operator happens to open, at the gateway's address."""

from __future__ import annotations

import http.client
import http.server
import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from desk import Desk
from shop import EXPOSE, Hired, Node, Panel, Shop, until

from masumi_sumi.cli.panel import HEADER, login
from masumi_sumi.cli.stack import Stack

FOREIGN = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
SECONDS = 10.0
"""The default in which a body must have arrived."""


@pytest.fixture
def key(stack: Stack, bazaar: str) -> dict[str, str]:
    return {HEADER: login(bazaar, *stack.panel_login)}


@pytest.fixture
def cookie(key: dict[str, str]) -> dict[str, str]:
    """What an operator's browser sends along."""
    return {"cookie": f"kodosumi_jwt={key[HEADER]}"}


def ask_raw(
    address: str, method: str, path: str, headers: dict[str, str], body: bytes | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Send a path as it is written, which clients do not."""
    url = httpx.URL(address)
    connection = http.client.HTTPConnection(url.host, url.port or 80, timeout=30.0)
    try:
        connection.putrequest(method, path, skip_host="host" in headers)
        content = {"content-length": str(len(body))} if body is not None else {}
        for name, value in {**headers, **content}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, told, answer.read()
    finally:
        connection.close()


def hire(address: str, desk: Desk) -> dict[str, Any]:
    body = {
        "identifier_from_purchaser": secrets.token_hex(13),
        "input_data": {"desk": str(desk.folder), "word": "attack"},
    }
    answer = httpx.post(f"{address}/mip003/{EXPOSE}/sale/start_job", json=body, timeout=60.0)
    assert answer.status_code == 200, answer.text
    return {**answer.json(), "identifier": body["identifier_from_purchaser"]}


# --- path traversal ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/files/y/in/../../../../admin.db",
        "/files/y/in/%2e%2e/%2e%2e/%2e%2e/%2e%2e/admin.db",
        "/files/y/in/..%2f..%2f..%2f..%2fadmin.db",
        "/files/y/in/..%5c..%5c..%5c..%5cadmin.db",
        "/files/y/in/%252e%252e/%252e%252e/%252e%252e/%252e%252e/admin.db",
        "/files/../../in/admin.db",
        "/files/y/in/..;/..;/..;/..;/admin.db",
        "//files/y/in/../../../../admin.db",
        "/files/y/in//etc/passwd",
        "/static/../../../service/app.py",
    ],
)
def test_database_of_the_panel_is_not_read(bazaar: str, key: dict[str, str], path: str) -> None:
    for method in ("GET", "DELETE"):
        status, headers, content = ask_raw(bazaar, method, path, key)
        assert status in (400, 404), content
        assert headers["content-type"].startswith("application/json")
        assert b"SQLite" not in content
        assert "detail" in json.loads(content)
    assert httpx.get(f"{bazaar}/expose", headers=key).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"filename": "../../../../../stolen.txt"},
        {"filename": "/tmp/stolen.txt"},
        {"filename": "a\\..\\..\\stolen.txt"},
        {"filename": "a/../../../../stolen.txt"},
        {"fid": "../../stolen"},
        {"fid": ".."},
        {"fid": "", "batch_id": "../stolen"},
        {"upload_id": "."},
        {"upload_id": "../uploads"},
        {"upload_id": ""},
    ],
)
def test_upload_stays_in_its_folder(
    bazaar: str, panel: Panel, stack: Stack, change: dict[str, str]
) -> None:
    begun = {"filename": "a.txt", "total_chunks": 1}
    upload_id = panel.http.post("/files/init", json=begun).json()["upload_id"]
    form, files = {"upload_id": upload_id, "chunk_number": "0"}, {"chunk": ("a", b"stolen")}
    assert panel.http.post("/files/chunk", data=form, files=files).status_code == 201
    before = set(stack.settings.data_dir.rglob("*stolen*"))

    answer = panel.http.post(
        "/files/complete/in", json={"upload_id": upload_id, "fid": "uploaded", **begun, **change}
    )

    assert (answer.status_code, "stacktrace" in answer.json()) == (400, False), answer.text
    assert set(stack.settings.data_dir.rglob("*stolen*")) == before


def test_chunk_and_batch_stay_in_their_folders(bazaar: str, panel: Panel, stack: Stack) -> None:
    form, files = {"upload_id": "../execution", "chunk_number": "0"}, {"chunk": ("a", b"x")}
    chunk = panel.http.post("/files/chunk", data=form, files=files)
    batch = panel.http.post(
        "/files/complete/6b02/batch/in", json={"..": {"filename": "x", "totalChunks": 0}}
    )
    cancelled = panel.http.delete("/files/cancel/%2e%2e")

    assert {chunk.status_code, batch.status_code, cancelled.status_code} == {400}
    assert (stack.settings.data_dir / "uploads").is_dir()
    assert not (stack.settings.data_dir / "execution" / "chunk_0").exists()


@pytest.mark.parametrize(
    "path",
    [
        "//outputs/{}",
        "/outputs//{}",
        "/./outputs/{}",
        "/outputs/./{}",
        "/x/../outputs/{}",
        "/outputs%2f{}",
        "/outputs/{}//",
        "/OUTPUTS/{}",
        "/outputs/{};x",
    ],
)
def test_execution_is_never_archived_without_its_job(
    bazaar: str, key: dict[str, str], panel: Panel, desk: Desk, path: str
) -> None:
    job = hire(bazaar, desk)

    status, _, _ = ask_raw(bazaar, "DELETE", path.format(job["job_id"]), key)

    standing = httpx.get(f"{bazaar}/sumi/status/{job['job_id']}").json()
    assert status in (400, 404)
    assert standing["status"] == "awaiting_payment"
    assert panel.status(job["job_id"])["fid"] == job["job_id"]


@pytest.mark.parametrize("path", ["/outputs/{}/", "/%6futputs/{}"])
def test_execution_that_is_archived_takes_its_job_along(
    bazaar: str, key: dict[str, str], node: Node, desk: Desk, path: str
) -> None:
    job = hire(bazaar, desk)

    status, _, _ = ask_raw(bazaar, "DELETE", path.format(job["job_id"]), key)
    bought = Hired("/sale", job["identifier"], {}, job)
    node.buy(bought)
    until(lambda: node.payment(bought)["onChainState"] == "FundsLocked", "the funds are locked")

    standing = httpx.get(f"{bazaar}/sumi/status/{job['job_id']}").json()
    assert (status, standing["status"]) == (204, "failed")
    assert desk.begun == []


def test_list_of_executions_reaches_nobody_elses(
    bazaar: str, key: dict[str, str], panel: Panel, desk: Desk
) -> None:
    job = hire(bazaar, desk)
    body = {"fid": [f"../x/{job['job_id']}", f"./{job['job_id']}"]}

    answer = panel.http.request("DELETE", "/outputs/", json=body)

    assert answer.status_code == 400
    standing = httpx.get(f"{bazaar}/sumi/status/{job['job_id']}").json()
    assert standing["status"] == "awaiting_payment"


# --- pages of other sites ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sender",
    [
        FOREIGN,
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"referer": "https://evil.example/"},
        {"origin": "http://127.0.0.1:1"},
    ],
)
def test_foreign_page_changes_nothing_with_an_operators_cookie(
    bazaar: str, cookie: dict[str, str], panel: Panel, sender: dict[str, str]
) -> None:
    changes: list[tuple[str, str, Any]] = [
        ("POST", "/expose", {"name": "stolen", "bootstrap": "import_path: x:y"}),
        ("DELETE", f"/expose/{EXPOSE}", None),
        ("POST", "/boot", None),
        ("DELETE", "/boot", None),
        ("POST", "/role", {"name": "evil", "email": "e@example.com", "password": "x"}),
        ("POST", "/flow/unregister", {"url": ["x"]}),
        ("DELETE", "/outputs", {"fid": []}),
        ("GET", "/logout", None),
        ("GET", "/admin/logout", None),
        ("POST", "/admin/routes", None),
    ]
    for method, path, body in changes:
        answer = httpx.request(method, f"{bazaar}{path}", json=body, headers={**cookie, **sender})
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False), path

    assert {each["name"] for each in panel.http.get("/expose").json()} >= {EXPOSE}
    assert "stolen" not in panel.http.get("/expose").text


def test_foreign_form_is_no_json(bazaar: str, cookie: dict[str, str]) -> None:
    body = json.dumps({"name": "stolen", "bootstrap": "import_path: x:y"})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        headers = {**cookie, "content-type": kind}
        assert httpx.post(f"{bazaar}/expose", content=body, headers=headers).status_code == 415
    assert "stolen" not in httpx.get(f"{bazaar}/expose", headers=cookie).text


def test_foreign_page_logs_nobody_in(bazaar: str, stack: Stack) -> None:
    name, password = stack.panel_login
    form = {"name": name, "password": password}
    posted = httpx.post(f"{bazaar}/login", data=form, headers=FOREIGN)
    read = httpx.get(f"{bazaar}/login", params=form, headers=FOREIGN)
    own = httpx.post(f"{bazaar}/login", data=form, headers={"origin": bazaar})
    elsewhere = httpx.post(f"{bazaar}/login", data={**form, "redirect": "//evil.example"})

    assert (posted.status_code, read.status_code, own.status_code) == (403, 403, 200)
    assert not posted.cookies
    assert elsewhere.headers["location"] == "/"


def test_operators_own_page_and_program_go_on(
    bazaar: str, cookie: dict[str, str], key: dict[str, str]
) -> None:
    own = {**cookie, "origin": bazaar, "sec-fetch-site": "same-origin"}
    body = {"fid": []}
    for headers in (own, cookie, key, {**key, **FOREIGN}):
        answer = httpx.request("DELETE", f"{bazaar}/outputs", json=body, headers=headers)
        assert answer.status_code == 204, answer.text


# --- what of an app is shown ---------------------------------------------------------------------


def test_page_of_an_app_is_not_shown_at_the_panels_address(bazaar: str, shop: Shop) -> None:
    direct = shop.http.get(f"{shop.url}/blocking/demo")
    told = httpx.get(f"{bazaar}/mip003/{EXPOSE}/blocking/demo")

    assert "alert" in direct.text
    assert (told.status_code, told.headers["content-type"]) == (502, "application/json")
    assert "alert" not in told.text
    assert "set-cookie" not in told.headers
    assert told.headers["x-content-type-options"] == "nosniff"


def test_form_of_an_app_brings_no_headers_along(bazaar: str, panel: Panel) -> None:
    told = panel.http.get(panel.flow("Work"))
    assert told.status_code == 200
    assert told.headers["content-type"] == "application/json"
    assert "server" not in {name for name in told.headers if told.headers[name] == "uvicorn"}


# --- addresses -----------------------------------------------------------------------------------


class Listener(http.server.ThreadingHTTPServer):
    """Another server of somebody, and the paths that it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_response(404)
                self.end_headers()

            do_POST = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_foreign_host_sends_the_panel_nowhere(
    bazaar: str, panel: Panel, key: dict[str, str], listener: Listener
) -> None:
    forged = {**key, "host": f"127.0.0.1:{listener.server_port}", "accept": "text/html"}
    form = {**forged, "content-type": "application/x-www-form-urlencoded"}
    path = f"/inputs{panel.flow('Work')}"

    status, _, page = ask_raw(bazaar, "GET", path, forged)
    ask_raw(bazaar, "POST", path, form, b"word=x")

    assert (status, b"<form" in page) == (200, True)
    assert listener.asked == []


def test_foreign_host_changes_no_address_that_is_told(bazaar: str) -> None:
    forged = {"host": "evil.example", "x-forwarded-host": "evil.example"}
    for path in ("/sumi", f"/sumi/{EXPOSE}/sale", f"/mip003/{EXPOSE}/sale/openapi"):
        _, _, content = ask_raw(bazaar, "GET", path, {**forged, "x-forwarded-proto": "https"})
        honest = httpx.get(f"{bazaar}{path}")
        assert content == honest.content
    listed = httpx.get(f"{bazaar}/sumi/{EXPOSE}/sale").json()
    assert listed["api_url"] == f"{bazaar}/sumi/{EXPOSE}/sale"


# --- bodies --------------------------------------------------------------------------------------


def trickle(address: str, method: str, path: str) -> tuple[int, float]:
    """Send a byte of a body now and then, until there is an answer: its status, and when."""
    url, begun = httpx.URL(address), time.monotonic()
    with socket.create_connection((url.host, url.port or 80), timeout=60.0) as connection:
        head = f"{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        connection.sendall(f"{head}content-length: 100000\r\n\r\n".encode())
        connection.settimeout(0.5)
        told = b""
        while time.monotonic() - begun < 3 * SECONDS and not told:
            try:
                connection.sendall(b" ")
                told = connection.recv(65536)
            except TimeoutError:
                continue
    return int(told.split()[1] if told else 0), time.monotonic() - begun


def test_trickling_body_is_ended_everywhere(bazaar: str, shop: Shop) -> None:
    serve = str(httpx.URL(shop.url).copy_with(path="/"))
    expose = f"/{EXPOSE}/sale"
    places = [
        (bazaar, "DELETE", "/outputs"),
        (bazaar, "POST", "/login"),
        (bazaar, "POST", "/files/chunk"),
        (bazaar, "POST", f"/mip003{expose}/start_job"),
        (bazaar, "POST", f"/sumi{expose}/start_job"),
        (serve, "POST", f"{expose}/start_job"),
        (serve, "POST", f"{expose}/provide_input"),
    ]
    with ThreadPoolExecutor(len(places)) as pool:
        told = list(pool.map(lambda place: trickle(*place), places))

    assert [status for status, _ in told] == [408] * len(places)
    assert all(SECONDS - 1 < seconds < SECONDS + 5 for _, seconds in told), told


@pytest.mark.parametrize("content", [b"x" * (2**20 + 1), b"[" * 100_000])
def test_large_and_deep_bodies_are_refused_everywhere(
    bazaar: str, shop: Shop, content: bytes
) -> None:
    status = 413 if len(content) > 2**20 else 400
    for url in (
        f"{bazaar}/mip003/{EXPOSE}/sale/start_job",
        f"{bazaar}/sumi/{EXPOSE}/sale/start_job",
        f"{bazaar}/api/login",
        f"{shop.url}/sale/start_job",
    ):
        answer = httpx.post(url, content=content, headers={"content-type": "application/json"})
        assert answer.status_code == status, url
        assert answer.json()["detail"]
