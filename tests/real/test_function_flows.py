"""Functions with a pydantic model, sold in a plain FastAPI app and in a ServeAPI app."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable

import pytest
from desk import Desk
from shelf import Shelf
from shop import AGENT, Node, Panel, Shop, until

from masumi_sumi.cli.stack import Stack
from masumi_sumi.hashing import result_hash

APPS = {"plain-functions": "plain_app", "kodosumi-functions": "kodosumi_app"}


@pytest.fixture(scope="module", params=APPS)
def seller(
    request: pytest.FixtureRequest, stack: Stack, deploy_file: Callable[[dict[str, object]], None]
) -> Shop:
    name = request.param
    deploy_file(
        {
            "name": name,
            "route_prefix": f"/{name}",
            "import_path": "masumi_sumi.plugin:application",
            "args": {"target": f"tests.real.functions:{APPS[name]}"},
            "runtime_env": {},
        }
    )
    return Shop(stack, name)


@pytest.fixture
def node(seller: Shop) -> Node:
    return seller.node


@pytest.fixture
def panel(seller: Shop) -> Panel:
    return Panel(seller.stack)


def test_a_paid_order_comes_back_as_its_result(seller: Shop, node: Node, desk: Desk) -> None:
    order = {"desk": str(desk.folder), "text": "words", "topics": ["sport"], "tone": [1]}
    job = seller.hire("/summary", **order)
    assert seller.status(job)["status"] == "awaiting_payment"
    assert desk.begun == []

    node.buy(job)
    result = seller.result(job)

    assert result == "friendly sport 100: words"
    assert node.hash_of(job) == result_hash(job.identifier, result)
    assert job.terms["agentIdentifier"] == AGENT
    assert len(desk.begun) == 1


def test_an_order_is_held_against_the_model_once_and_before_it_is_paid(
    seller: Shop, node: Node, desk: Desk
) -> None:
    limit = int(time.time()) + 2
    job = seller.hire("/summary", desk=str(desk.folder), text=f"before {limit}")
    until(lambda: time.time() > limit, "it would be too late now")

    node.buy(job)

    assert seller.result(job) == f"short  100: before {limit}"
    late = seller.ask_to_hire("/summary", "aa" * 10, **job.data)
    assert (late.status_code, late.json()["errors"]["text"]) == (400, ["is too late"])


def test_blocking_code_traces_and_can_be_watched(seller: Shop, desk: Desk) -> None:
    job = seller.hire("/blocking", desk=str(desk.hold().folder), text="words", words=20)
    until(lambda: desk.begun, "it runs")
    until(lambda: seller.kinds(job.id, "result"), "its trace is there while it blocks")
    assert seller.status(job)["status"] == "running"
    desk.let_go()

    told = json.loads(seller.result(job))

    assert (told["text"], told["words"], told["tone"]) == ("words", 20, "short")
    meta = seller.kinds(job.id, "meta")[0].value
    assert (meta["entry_point"], meta["summary"]) == ("tests.real.functions.blocking", "Blocking")
    assert seller.kinds(job.id, "inputs")[0].value["text"] == "words"


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"text": "before 100"}, "text"),
        ({"text": "words", "words": 5}, "words"),
        ({"text": "words", "tone": "loud"}, "tone"),
        ({}, "text"),
    ],
)
def test_what_the_model_refuses_names_the_field_and_is_no_job(
    seller: Shop, node: Node, panel: Panel, desk: Desk, data: dict[str, object], field: str
) -> None:
    before = set(panel.timeline())
    node.forget()

    answer = seller.ask_to_hire("/summary", "bb" * 10, desk=str(desk.folder), **data)

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert node.requests("POST /payment") == 0
    assert set(panel.timeline()) == before
    assert desk.begun == []


def test_a_buyers_files_are_what_the_function_reads(seller: Shop, shelf: Shelf) -> None:
    others = [shelf.put("/two.txt", b"two"), shelf.put("/three.txt", b"three")]

    job = seller.hire("/papers", first=shelf.put("/one.txt", b"one"), others=others)

    assert seller.result(job) == "one three two"


def test_code_that_raises_fails_its_job(seller: Shop, node: Node, desk: Desk) -> None:
    job = seller.hire("/summary", desk=str(desk.folder), text="fail")

    node.buy(job)

    assert seller.failure(job) == "LookupError: no words"
    assert node.hash_of(job) is None


def test_the_panel_lists_the_flow_shows_its_form_and_launches_it(
    seller: Shop, panel: Panel, desk: Desk
) -> None:
    app = seller.url.rpartition("/")[2]
    listed = panel.http.get("/flow", params={"pp": 500}).json()["items"]
    [url] = [each["url"] for each in listed if each["url"].endswith(f"/{app}/-/blocking")]

    page = panel.http.get(f"/inputs{url}").text
    wrong = panel.http.post(f"/inputs{url}", data={"text": "before 100", "desk": "x"}).text
    form = {"desk": str(desk.folder), "text": "by hand", "topics.news": "on", "words": "20"}
    started = panel.http.post(url, json=form)

    shown = set(re.findall(r'name="([\w.]+)"', page))
    assert {"desk", "text", "tone", "topics.news", "topics.sport", "words"} <= shown
    assert "What to summarise" in page
    assert "is too late" in wrong
    assert "before 100" in wrong
    assert started.status_code == 200, started.text
    execution = started.json()["result"]
    final = until(lambda: _final(panel, execution), "the execution ends")
    assert json.loads(final)["Order"]["topics"] == ["news"]


def _final(panel: Panel, execution: str) -> str | None:
    """What the panel shows, once it knows the execution."""
    shown: dict[str, str] = panel.http.get(f"/outputs/status/{execution}").json()
    return shown.get("final")


def test_a_plain_app_keeps_what_it_serves(seller: Shop) -> None:
    found = seller.http.get(f"{seller.url}/health")

    known = {"plain-functions": 200, "kodosumi-functions": 404}
    assert found.status_code == known[seller.url.rpartition("/")[2]]
