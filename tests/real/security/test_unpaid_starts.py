"""Strangers try to get work done without paying, at the Serve port and at the gateway."""

from __future__ import annotations

import asyncio
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from desk import Desk
from shop import EXPOSE, Cluster, Panel, Shop, until

from masumi_sumi.cli.findings import Finding
from masumi_sumi.cli.served import served
from masumi_sumi.cli.stack import Stack
from masumi_sumi.cli.unpaid_starts import Target, targets_of_app, try_to_steal
from masumi_sumi.gateway_proof import HEADER, derive_app_secret
from masumi_sumi.secret_files import get_gateway_secret

MEMBERS = "members"
UPLOAD = '{"items": {"u": {"filename": "a.txt", "totalChunks": 1}}, "batchId": "b"}'


@pytest.fixture
def runners(cluster: Cluster) -> Callable[[], set[str]]:
    """The runners that Ray ever had."""
    return lambda: {each["actor_id"] for each in cluster.actors("class_name", "Runner")}


@pytest.fixture
def trap() -> Iterator[tuple[str, list[str]]]:
    """A server of a stranger's, and what it was asked. It says 404 to every listing of files."""
    asked: list[str] = []

    class Trap(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_POST = do_GET

        def log_message(self, *args: Any) -> None:
            """Nothing is to be seen."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Trap)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def members(stack: Stack) -> str:
    """An expose that is for those who are logged in. Its address on Ray Serve."""
    Panel(stack).boot({"name": MEMBERS, "bootstrap": "import_path: tests.real.members:fast_app"})
    return f"{stack.urls['serve']}/{MEMBERS}"


def form(desk: Desk) -> dict[str, str]:
    return {"desk": str(desk.folder), "word": "stolen"}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "HEAD", "DELETE"])
@pytest.mark.parametrize("path", ["/sale", "/sale/", "//sale", "/%73ale", "/x/../sale", "/sale;a"])
def test_a_sold_flow_is_started_by_nobody_at_the_apps_own_address(
    shop: Shop, desk: Desk, runners: Callable[[], set[str]], method: str, path: str
) -> None:
    before = runners()
    headers = {"x-kodosumi_user": "../../x", "x-kodosumi_base": shop.url, HEADER: "0" * 64}

    answer = shop.http.request(
        method, f"{shop.url}{path}", json=form(desk), headers=headers, follow_redirects=True
    )

    assert not answer.is_success, answer.text
    if (method, path) == ("POST", "/sale"):
        assert answer.status_code == 401
        assert "SUMI_ALLOW_DIRECT_LAUNCH" in answer.json()["detail"]
    assert runners() == before
    assert desk.begun == []


def test_the_proof_of_one_app_opens_no_other(
    shop: Shop, two_stage: str, desk: Desk, runners: Callable[[], set[str]]
) -> None:
    before = runners()
    secret = get_gateway_secret(shop.stack.settings)
    forged = (secret, derive_app_secret(secret, "/two-stage"), derive_app_secret("", "/agents"))

    for proof in forged:
        answer = shop.http.post(f"{shop.url}/sale", json=form(desk), headers={HEADER: proof})
        assert answer.status_code == 401

    assert runners() == before


def test_a_user_that_is_a_path_makes_no_folder(
    shop: Shop, panel: Panel, desk: Desk, trap: tuple[str, list[str]]
) -> None:
    data_dir = shop.stack.settings.data_dir
    headers = {"x-kodosumi_user": "../../escaped", "x-kodosumi-url": trap[0]}

    started = shop.http.post(f"{shop.url}/task", json=form(desk), headers=headers)
    job_id = started.json()["result"]

    assert panel.status(job_id)["fid"] == job_id  # a job of ours, with its own user
    until(lambda: shop.statuses(job_id)[-1:] == ["finished"], "it ran")
    assert not list(data_dir.rglob("escaped"))
    assert not list(data_dir.parent.glob("escaped"))
    assert trap[1] == []


def test_a_free_flow_that_is_posted_directly_is_a_job_with_a_row(shop: Shop, desk: Desk) -> None:
    started = shop.http.post(f"{shop.url}/task", json=form(desk)).json()
    status = shop.http.get(f"{shop.url}/task/status", params={"job_id": started["result"]})

    assert status.status_code == 200
    assert started["elements"]


@pytest.mark.parametrize("flow", ["/files", "/paid-files"])
def test_a_form_with_files_asks_no_address_of_a_stranger(
    shop: Shop, trap: tuple[str, list[str]], runners: Callable[[], set[str]], flow: str
) -> None:
    before = runners()
    body = {"docs": UPLOAD, "how": "async"}

    for name in ("x-kodosumi-url", "X-Kodosumi-URL", "x_kodosumi_url"):
        answer = shop.http.post(f"{shop.url}{flow}", json=body, headers={name: trap[0]})
        assert "result" not in answer.json()

    assert trap[1] == []
    assert runners() == before


def test_a_panel_user_cannot_send_an_app_to_another_host(
    panel: Panel, shop: Shop, trap: tuple[str, list[str]]
) -> None:
    """The panel repeats the Host header of its caller to the app."""
    url = panel.flow("Reads files")
    host = {"host": urlsplit(trap[0]).netloc}

    panel.http.post(url, json={"docs": UPLOAD, "how": "async"}, headers=host)
    page = panel.http.get(f"/inputs{url}", headers=host)
    posted = panel.http.post(f"/inputs{url}", data={"docs": "", "how": ""}, headers=host)

    assert trap[1] == []
    assert "how" in page.text or page.status_code in (400, 403, 421)
    assert "KeyError" in posted.text or posted.status_code in (400, 403, 421)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_lock_is_opened_by_nobody_at_the_apps_own_address(
    shop: Shop, desk: Desk, method: str
) -> None:
    job = shop.hire("/ask", desk=str(desk.folder), word="it", how="one")
    shop.wait(job, "awaiting_input")
    lock = shop.status(job)["id"]

    for path in (f"/_lock_/{job.id}/{lock}", f"//_lock_/{job.id}/{lock}"):
        answer = shop.http.request(method, f"{shop.url}{path}", json={"color": "stolen"})
        assert not answer.is_success, answer.text

    assert shop.status(job)["status"] == "awaiting_input"
    assert shop.provide(job, {"color": "blue"}).status_code == 200
    assert shop.result(job) == "it is blue"


# --- the gateway -------------------------------------------------------------------------------


def test_the_gateway_starts_a_flow_in_the_panel_for_nobody_without_a_login(
    shop: Shop, panel: Panel, desk: Desk, runners: Callable[[], set[str]]
) -> None:
    before = runners()
    url = f"{shop.stack.urls['panel']}{panel.flow('Sale')}"
    secret = derive_app_secret(get_gateway_secret(shop.stack.settings), "/agents")
    headers = {"x-kodosumi_user": "admin", HEADER: secret}

    for address in (url, url.replace("/-/", "/inputs/-/", 1)):
        answer = httpx.post(address, json=form(desk), headers=headers, trust_env=False)
        assert answer.status_code in (401, 302, 307), answer.text

    assert runners() == before
    assert desk.begun == []


def test_the_panel_starts_under_the_name_of_who_is_logged_in_and_no_other(
    shop: Shop, panel: Panel, desk: Desk
) -> None:
    headers = {"x-kodosumi_user": "../../escaped", "X-Kodosumi-User": "escaped"}

    answer = panel.http.post(panel.flow("Sale"), json=form(desk), headers=headers)
    execution = answer.json()["result"]

    until(lambda: panel.timeline().get(execution, {}).get("status") == "finished", "it ran")
    assert not list(shop.stack.settings.data_dir.rglob("escaped"))
    assert desk.begun


@pytest.mark.parametrize("path", ["/sale", "/sale/", "/sale/x", "/_lock_/job/lock", ""])
def test_the_gateway_hands_on_nothing_but_the_actions_of_a_flow(
    shop: Shop, bazaar: str, desk: Desk, runners: Callable[[], set[str]], path: str
) -> None:
    before = runners()

    for face in ("mip003", "sumi"):
        url = f"{bazaar}/{face}/{EXPOSE}{path}"
        answer = httpx.post(url, json=form(desk), trust_env=False)
        assert not answer.is_success, answer.text

    assert runners() == before
    assert desk.begun == []


# --- what asks for a login -----------------------------------------------------------------------


def test_a_flow_that_asks_for_a_login_is_not_started_at_the_apps_own_address(
    members: str, desk: Desk, runners: Callable[[], set[str]], panel: Panel
) -> None:
    before = runners()
    body = {"identifier_from_purchaser": "aa" * 8, "input_data": {"desk": str(desk.folder)}}
    with httpx.Client(trust_env=False) as http:
        native = http.post(f"{members}/", json=body["input_data"])
        hired = http.post(f"{members}/start_job", json=body)
        dialect = http.post(f"{members}/start_job", json=body, headers={"x-sumi-dialect": "sumi"})
        asked = [http.get(f"{members}/{action}") for action in ("availability", "input_schema")]
        gateway = f"{str(panel.http.base_url).rstrip('/')}/mip003/{MEMBERS}"
        stranger = http.post(f"{gateway}/start_job", json=body)

    answers = [native, hired, dialect, stranger, *asked]
    assert [answer.status_code for answer in answers] == [401] * len(answers)
    assert runners() == before

    member = panel.http.post(f"/mip003/{MEMBERS}/start_job", json=body)

    assert member.status_code == 200, member.text
    until(lambda: desk.begun, "it runs for who is logged in")
    assert panel.http.get(f"/mip003/{MEMBERS}/availability").json()["status"] == "available"


def test_the_doctor_finds_no_flow_that_a_stranger_can_start(
    stack: Stack, bazaar: str, members: str, runners: Callable[[], set[str]]
) -> None:
    before = runners()

    async def look() -> list[Finding]:
        apps = await served(stack.settings, ())
        flows = {flow: sold is not None for flow, sold in apps.flows.items()}
        login = Target(MEMBERS, members, login=True)
        targets = [*targets_of_app(apps.url, bazaar, flows), login]
        return [finding async for finding in try_to_steal(targets, stack.settings)]

    [finding] = asyncio.run(look())

    assert finding.verdict == "good", finding
    assert runners() == before


# --- the secret ----------------------------------------------------------------------------------


def test_the_secrets_are_in_nothing_that_is_shown_or_kept(
    stack: Stack, shop: Shop, panel: Panel, bazaar: str
) -> None:
    master = get_gateway_secret(stack.settings)
    secrets = [master, *(derive_app_secret(master, route) for route in ("/agents", f"/{EXPOSE}"))]
    shown = "".join(
        panel.http.get(path).text for path in ("/expose", f"/expose/{EXPOSE}", "/boot", "/flow")
    )
    files = [
        *stack.settings.data_dir.glob("*.db*"),
        *stack.settings.data_dir.glob("logs/*.log"),
        *stack.settings.data_dir.glob("execution/**/*.db*"),
    ]

    for secret in secrets:
        assert secret not in shown
        assert not [file for file in files if _holds(file, secret)]


def test_a_run_that_shows_its_environment_shows_no_secret_of_its_app(
    stack: Stack, panel: Panel
) -> None:
    """Started from the panel: its runner is Kodosumi's own, below the app's replica."""
    url = panel.flow("All that it finds in its environment")

    execution = panel.http.post(url, json={"word": "x"}).json()["result"]

    def look() -> dict[str, Any] | None:
        shown: dict[str, Any] = panel.http.get(f"/outputs/status/{execution}").json()
        return shown if shown.get("status") == "finished" else None

    shown = json.dumps(until(look, "it ran"))
    assert "KODO_EXEC_DIR" in shown  # it did show its environment
    master = get_gateway_secret(stack.settings)
    assert derive_app_secret(master, "/agents") not in shown
    assert master not in shown


def _holds(file: Path, secret: str) -> bool:
    return file.is_file() and secret.encode() in file.read_bytes()
