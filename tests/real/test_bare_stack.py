"""Without panel and spooler, with nodes of its own: jobs are sold on two networks, run, asked, and
written down by us alone.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

import psutil
import pytest
import yaml
from desk import Desk
from shop import Hired, Shop, until

from masumi_sumi.cli.stack import Stack
from masumi_sumi.clock import SystemClock
from masumi_sumi.hashing import result_hash
from masumi_sumi.jobs.model import JobState
from masumi_sumi.jobs.store import SqlJobStore
from masumi_sumi.sandbox import Sandbox
from masumi_sumi.settings import NodeSettings, Settings

AGENTS = "tests.real.agents:fast_app"

TOKENS = {"Preprod": "token-of-preprod-0123456789", "Mainnet": "token-of-mainnet-0123456789"}

NewDesk = Callable[[], Desk]


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[dict[str, Sandbox]]:
    """A payment node for each network."""
    with (
        Sandbox(block_seconds=0.5, token=TOKENS["Preprod"]) as preprod,
        Sandbox(block_seconds=0.5, token=TOKENS["Mainnet"], network="Mainnet") as mainnet,
    ):
        yield {"Preprod": preprod, "Mainnet": mainnet}


@pytest.fixture(scope="module")
def stack(
    start_stack: Callable[..., AbstractContextManager[Stack]],
    sandboxes: dict[str, Sandbox],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """Three parts that run two jobs at once. The test agents are sold by their author on Preprod,
    and once more by an operator who sells one of them on Mainnet.
    """
    nodes = {
        network: NodeSettings.model_validate({"url": each.url, "token": each.token, "poll": 1.0})
        for network, each in sandboxes.items()
    }
    mainnet = {"agent_identifier": sandboxes["Mainnet"].register(), "network": "Mainnet"}
    application = {
        "name": "both",
        "route_prefix": "/both",
        "import_path": "masumi_sumi.plugin:application",
        "args": {"target": AGENTS, "flows": {"/task": mainnet}},
    }
    file = tmp_path_factory.mktemp("serve") / "serve_config.yaml"
    file.write_text(yaml.safe_dump({"applications": [application]}))
    parts = ("ray", "supervisor", "serve")
    places = {"max_runners": 4, "max_free_runners": 2}
    with start_stack(places=places, parts=parts, nodes=nodes, apps=[AGENTS, str(file)]) as stack:
        yield stack


@pytest.fixture(scope="module")
def shop(stack: Stack, sandboxes: dict[str, Sandbox]) -> Shop:
    return Shop(stack, node_url=sandboxes["Preprod"].url, node_token=TOKENS["Preprod"])


def hire(shop: Shop, desk: Desk, flow: str = "/task", **data: str) -> Hired:
    return shop.hire(flow, desk=str(desk.folder), word="word", **data)


def test_a_job_leaves_all_its_events_and_no_process(shop: Shop, desk: Desk) -> None:
    job = hire(shop, desk)

    assert shop.result(job) == '**word** is "done"'
    shop.cluster.wait_gone(job)
    assert [event.kind for event in shop.events(job.id)] == [
        *("status", "inputs", "meta", "status"),
        *("stdout", "result", "final", "status"),
    ]
    assert shop.statuses(job.id) == ["starting", "running", "finished"]


def test_preprod_and_mainnet_are_sold_side_by_side(
    stack: Stack, sandboxes: dict[str, Sandbox], new_desk: NewDesk
) -> None:
    shops = {
        name: Shop(stack, "both", sandbox.url, TOKENS[name]) for name, sandbox in sandboxes.items()
    }
    flows = {"Preprod": "/sale", "Mainnet": "/task"}
    jobs = {name: hire(shops[name], new_desk(), flow) for name, flow in flows.items()}

    assert {name: job.terms["network"] for name, job in jobs.items()} == {
        name: name for name in flows
    }
    for name, job in jobs.items():
        shops[name].node.buy(job)

    for name, job in jobs.items():
        result = shops[name].result(job)
        assert shops[name].node.hash_of(job) == result_hash(job.identifier, result)
        [other] = set(sandboxes) - {name}
        identifier = job.terms["blockchainIdentifier"]
        assert sandboxes[other].node.ledger.find("payment", identifier) is None


def test_authors_code_does_not_find_the_tokens_of_the_nodes(shop: Shop) -> None:
    result = shop.result(shop.hire("/environment", word="word"))

    assert "SUMI_NODES" in result
    assert [token for token in TOKENS.values() if token in result] == []


def test_a_question_is_asked_and_answered(shop: Shop, desk: Desk) -> None:
    job = hire(shop, desk, "/ask", how="one")
    question = shop.wait(job, "awaiting_input")

    assert shop.provide(job, {"color": "loud"}).status_code == 400
    answer = shop.provide(job, {"color": "blue"}, status_id=question["id"])
    assert (answer.status_code, answer.json()["signature"]) == (200, "")  # here nobody has a key
    assert "provideInputKey" not in shop.http.get(f"{shop.url}/ask/availability").json()

    assert shop.result(job) == "word is blue"
    shop.cluster.wait_gone(job)
    assert [event.kind for event in shop.kinds(job.id, "lock", "lease")] == ["lock", "lease"]
    assert shop.statuses(job.id)[-1] == "finished"


def test_jobs_beyond_the_places_wait_in_order(shop: Shop, new_desk: NewDesk) -> None:
    desks = [new_desk().hold() for _ in range(4)]
    jobs = [hire(shop, desk) for desk in desks]
    first, second, third, fourth = desks

    until(lambda: first.begun and second.begun, "two run")
    assert [shop.status(job)["status"] for job in jobs] == ["running"] * 4
    assert [len(shop.cluster.runners(job)) for job in jobs] == [1, 1, 0, 0]
    second.let_go()
    until(lambda: third.begun, "the third has a place")
    assert (fourth.begun, shop.cluster.runners(jobs[3])) == ([], [])
    for desk in desks:
        desk.let_go()

    assert {shop.result(job) for job in jobs} == {'**word** is "done"'}
    assert all(len(desk.begun) == 1 for desk in desks)


def test_a_runner_is_seen_off_by_the_supervisor_after_the_one_that_stored_its_outcome(
    shop: Shop, desk: Desk
) -> None:
    job = hire(shop, desk.hold())
    runner = until(lambda: desk.begun, "it runs")[0]
    supervisor = shop.cluster.supervisor_pid()
    os.kill(supervisor, signal.SIGSTOP)
    asyncio.run(_store_outcome(shop.stack.settings, job.id))

    os.kill(supervisor, signal.SIGKILL)

    shop.cluster.wait_gone(job)
    assert not psutil.pid_exists(runner)
    assert shop.result(job) == "stored"


async def _store_outcome(settings: Settings, job_id: str) -> None:
    store = await SqlJobStore.open(settings.database_url, SystemClock())
    job = await store.job(job_id)
    assert job is not None
    done = replace(job, state=JobState.COMPLETED, result="stored", final='{"str":"stored"}')
    assert await store.save(job, done)
    await store.aclose()
