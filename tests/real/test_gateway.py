"""The gateway in front of the real panel: what passes, what is ours, streams of waiting jobs."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psutil
import pytest
from buyer_words import V1
from desk import Desk
from shop import AGENT, EXPOSE, FAIR, Hired, Node, Panel, Shop, until

from masumi_sumi.cli.panel import HEADER
from masumi_sumi.cli.stack import Stack

STREAMS = 10
IDLE_SHARE = 0.05
WATCHED = 10.0


@pytest.fixture
def buyer(bazaar: str) -> Iterator[httpx.Client]:
    """A stranger."""
    with httpx.Client(base_url=bazaar, timeout=60.0, trust_env=False) as client:
        yield client


def hire(buyer: httpx.Client, flow: str, desk: Desk, identifier: str = "") -> dict[str, Any]:
    """Through /mip003, whose answer has all that it takes to pay."""
    body = {
        "identifier_from_purchaser": identifier or secrets.token_hex(13),
        "input_data": {"desk": str(desk.folder), "word": "stream"},
    }
    answer = buyer.post(f"/mip003/{EXPOSE}/{flow}/start_job", json=body)
    assert answer.status_code == 200, answer.text
    return {**answer.json(), "identifier": body["identifier_from_purchaser"]}


def hired(job: dict[str, Any]) -> Hired:
    return Hired("/sale", job["identifier"], {}, job)


class Watch(threading.Thread):
    """A stream that somebody keeps open; ``kinds`` are its events so far."""

    def __init__(self, panel: Panel, job_id: str, which: str = "stream") -> None:
        super().__init__(daemon=True)
        self._panel, self._path = panel, f"/outputs/{which}/{job_id}"
        self.events: list[tuple[str, str]] = []
        self.ids: list[int] = []
        self.start()

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.events]

    def run(self) -> None:
        kind = ""
        with self._panel.http.stream("GET", self._path, timeout=60.0) as answer:
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if name == "id":
                    self.ids.append(int(value))
                elif name == "event":
                    kind = value
                elif name == "data":
                    self.events.append((kind, value.partition(":")[2]))


def gateway_of(stack: Stack) -> psutil.Process:
    return psutil.Process(stack.pids["panel"])


def test_the_panel_is_as_it_was(bazaar: str, panel: Panel, buyer: httpx.Client) -> None:
    page = buyer.get("/", headers={"accept": "text/html"})
    assert (page.status_code, "<form" in page.text) == (200, True)
    assert buyer.get("/static/favicon.ico").status_code == 200
    assert buyer.get("/flow").status_code == 401
    assert panel.http.get("/health").status_code == 200
    assert "openapi" in panel.http.get("/schema/openapi.json").json()


def test_an_upload_passes(bazaar: str, panel: Panel) -> None:
    content = secrets.token_bytes(300_000)
    begun = {"filename": "notes.bin", "total_chunks": 1}
    session = panel.http.post("/files/init", json=begun).json()
    form = {"upload_id": session["upload_id"], "chunk_number": "0"}

    sent = panel.http.post("/files/chunk", data=form, files={"chunk": ("notes.bin", content)})
    done = panel.http.post(
        "/files/complete/in",
        json={"upload_id": session["upload_id"], "fid": "uploaded", **begun},
    )
    back = panel.http.get("/files/uploaded/in/notes.bin")

    assert (sent.status_code, sent.json()["status"]) == (201, "chunk received"), sent.text
    assert done.json()["status"] == "upload complete"
    assert back.content == content


def test_cookie_and_key_are_honoured(bazaar: str, panel: Panel, stack: Stack) -> None:
    name, password = stack.panel_login
    with httpx.Client(base_url=bazaar, timeout=30.0, trust_env=False) as client:
        assert client.get("/expose").status_code == 401
        assert client.get("/expose", headers={HEADER: "broken"}).status_code == 401
        client.post("/login", data={"name": name, "password": password})
        assert client.get("/expose").status_code == 200
    assert panel.http.get("/expose").status_code == 200


def test_a_role_that_is_no_operator_keeps_out(bazaar: str, panel: Panel) -> None:
    name = f"user-{secrets.token_hex(4)}"
    role = {"name": name, "email": f"{name}@example.com", "password": "a password"}
    assert panel.http.post("/role", json=role).status_code == 201
    made = httpx.post(f"{bazaar}/api/login", json={"name": name, "password": "a password"}).json()
    key = {HEADER: made[HEADER]}

    assert httpx.get(f"{bazaar}/expose", headers=key).status_code == 403
    assert panel.http.put(f"/role/{made['id']}", json={"active": False}).status_code == 200
    assert httpx.get(f"{bazaar}/expose", headers=key).status_code == 401


def test_apps_that_are_no_exposes_go_on_and_stay_listed(
    bazaar: str, shop: Shop, panel: Panel
) -> None:
    assert shop.http.get(f"{shop.url}/task/availability").status_code == 200
    listed = panel.http.get("/flow", params={"pp": 500}).json()["items"]
    apps = {flow["url"].split("/")[4] for flow in listed}
    assert {EXPOSE, "agents"} <= apps


def test_mip003_is_the_apps_own_to_the_byte(bazaar: str, shop: Shop, buyer: httpx.Client) -> None:
    direct = f"{shop.stack.urls['serve']}/{EXPOSE}"
    for path in ("/sale/input_schema", "/sale/status?job_id=none", "/sale/status"):
        ours, theirs = buyer.get(f"/mip003/{EXPOSE}{path}"), httpx.get(f"{direct}{path}")
        assert (ours.status_code, ours.content) == (theirs.status_code, theirs.content)
    refused = buyer.post(f"/mip003/{EXPOSE}/sale/start_job", json={"input_data": {}})
    assert refused.status_code == 400


def test_a_stream_goes_over_from_waiting_to_running_without_a_break(
    bazaar: str, shop: Shop, node: Node, panel: Panel, buyer: httpx.Client, desk: Desk
) -> None:
    job = hire(buyer, "sale", desk)
    watches = [Watch(panel, job["job_id"]), Watch(panel, job["job_id"], "main")]
    until(lambda: all("alive" in watch.kinds for watch in watches), "the streams wait")

    node.buy(hired(job))
    for watch in watches:
        watch.join(120.0)

    for watch in watches:
        kinds = [kind for kind in watch.kinds if kind != "alive"]
        assert kinds.index("payment") < kinds.index("final") < kinds.index("eof"), kinds
        assert kinds[-1] == "eof"
        assert "error" not in kinds
        assert watch.kinds.count("payment") >= 2
        numbers = [number for number in watch.ids if number]
        assert numbers == sorted(set(numbers))
    steps = [
        json.loads(value)["dict"]["step"] for kind, value in watches[0].events if kind == "payment"
    ]
    assert steps[:2] == ["initialized", "funds_locked"]
    assert buyer.get(f"/sumi/status/{job['job_id']}").json()["status"] == "completed"


def test_open_streams_of_waiting_jobs_cost_next_to_nothing(
    bazaar: str, stack: Stack, panel: Panel, buyer: httpx.Client, new_desk: Callable[[], Desk]
) -> None:
    jobs = [hire(buyer, "sale", new_desk())["job_id"] for _ in range(STREAMS)]
    watches = [Watch(panel, job_id) for job_id in jobs]
    until(lambda: all("alive" in watch.kinds for watch in watches), "the streams wait")
    gateway = gateway_of(stack)

    before = gateway.cpu_times()
    time.sleep(WATCHED)
    after = gateway.cpu_times()

    share = (after.user + after.system - before.user - before.system) / WATCHED
    assert share < IDLE_SHARE
    assert all(watch.kinds.count("alive") >= WATCHED / 5 for watch in watches)
    body = {"fid": jobs}
    assert panel.http.request("DELETE", "/outputs/", json=body).status_code == 204
    for watch in watches:
        watch.join(30.0)
        assert watch.kinds[-1] == "eof"


def test_a_deleted_job_never_starts_even_if_it_is_paid(
    bazaar: str, node: Node, panel: Panel, buyer: httpx.Client, desk: Desk
) -> None:
    job = hire(buyer, "sale", desk)

    deleted = panel.http.delete(f"/outputs/{job['job_id']}")
    node.buy(hired(job))
    until(lambda: node.payment(hired(job))["onChainState"] == "FundsLocked", "the funds are locked")
    node.forget()
    until(lambda: node.requests("GET /payment/diff") > 1, "the supervisor has looked and again")

    assert deleted.status_code == 204
    assert desk.begun == []
    standing = buyer.get(f"/sumi/status/{job['job_id']}").json()
    assert (standing["status"], standing["error"]) == ("failed", "The seller cancelled this job.")
    assert job["job_id"] not in panel.timeline()
    assert panel.http.get(f"/outputs/status/{job['job_id']}").status_code == 404


def test_a_refresh_of_one_expose_is_not_felt_by_another(
    bazaar: str, shop: Shop, panel: Panel
) -> None:
    refused: list[int] = []
    going = threading.Event()

    def ask() -> None:
        while not going.is_set():
            answer = shop.http.get(f"{shop.url}/task/availability")
            refused.extend([answer.status_code] if answer.status_code != 200 else [])

    asking = threading.Thread(target=ask)
    asking.start()
    with panel.http.stream("POST", f"/boot/refresh/{EXPOSE}", timeout=300.0) as answer:
        lines = [line for line in answer.iter_lines() if line]
    going.set()
    asking.join(30.0)

    assert lines[-1].startswith("✔ "), lines
    assert refused == []


def test_an_agent_sold_by_its_operator_only(bazaar: str, panel: Panel) -> None:
    """A card's terms reach the app with the refresh, and bring the price of its flow."""
    data = f"display: Work for money\nagentIdentifier: {AGENT}\n"
    meta = [{"url": f"/{EXPOSE}/task", "data": data}]
    free = listed(bazaar, EXPOSE)[f"{EXPOSE}/task"]
    assert panel.http.post("/expose", json={"name": EXPOSE, "meta": meta}).status_code == 201
    waiting = httpx.get(f"{bazaar}/mip003/{EXPOSE}/task/availability").json()
    with panel.http.stream("POST", f"/boot/refresh/{EXPOSE}", timeout=300.0) as answer:
        assert list(answer.iter_lines())[-1].startswith("✔ ")
    sold = listed(bazaar, EXPOSE)[f"{EXPOSE}/task"]

    started = httpx.post(
        f"{bazaar}/sumi/{EXPOSE}/task/start_job",
        json={"identifier_from_purchaser": secrets.token_hex(13), "input_data": {"word": "x"}},
        timeout=60.0,
    )

    job_id = started.json()["job_id"]
    standing = httpx.get(f"{bazaar}/sumi/status/{job_id}").json()
    assert standing["status"] == "awaiting_payment"
    assert (free["agentIdentifier"], free["agentPricing"]) == (None, {"pricingType": "Free"})
    assert (sold["agentIdentifier"], sold["agentPricing"]) == (AGENT, {"pricingType": "Fixed"})
    assert (sold["display"], sold["network"]) == ("Work for money", "Preprod")
    assert (waiting["type"], waiting["status"]) == ("masumi-agent", "unavailable")
    assert "waits for a refresh" in waiting["message"]


def test_what_only_its_author_sells_is_listed_as_it_is_sold(fair: str) -> None:
    found = listed(fair, FAIR)

    assert set(found) == {f"{FAIR}/{flow}" for flow in ("asking", "free", "v1", "v2")}
    prices = {name: item["agentPricing"]["pricingType"] for name, item in found.items()}
    assert prices.pop(f"{FAIR}/free") == "Free"
    assert set(prices.values()) == {"Fixed"}
    asking = found[f"{FAIR}/asking"]
    assert (asking["agentIdentifier"], asking["agentPricing"]) == (V1, {"pricingType": "Fixed"})
    assert (asking["network"], asking["state"]) == ("Preprod", "alive")


def listed(gateway: str, expose: str) -> dict[str, Any]:
    """What a stranger finds of an expose, by its ids."""
    answer = httpx.get(f"{gateway}/sumi", params={"expose": expose, "pp": 100}, timeout=30.0)
    return {item["id"]: item for item in answer.json()["items"]}
