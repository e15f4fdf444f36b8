"""A job from hire to end on the real parts: free, paid, never paid, and failed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from desk import Desk
from shop import AGENT, Cluster, Hired, Node, Panel, Shop, until

from masumi_sumi.hashing import result_hash

NewDesk = Callable[[], Desk]


def order(desk: Desk, word: str = "a word") -> dict[str, str]:
    return {"desk": str(desk.folder), "word": word}


@pytest.fixture(scope="module")
def free_job(shop: Shop, new_desk: NewDesk) -> Hired:
    job = shop.hire("/task", **order(new_desk()))
    shop.wait(job, "completed")
    return job


def test_a_status_is_there_as_soon_as_the_job_is(shop: Shop, desk: Desk) -> None:
    job = shop.hire("/task", **order(desk))

    assert shop.status(job)["status"] == "running"
    assert shop.result(job) == '**a word** is "done"'
    assert len(desk.begun) == len(desk.ended) == 1


def test_job_ids_sort_by_time_and_cannot_be_guessed(shop: Shop, free_job: Hired) -> None:
    assert re.fullmatch(r"[0-9a-f]{24}", free_job.id)
    assert free_job.id != free_job.terms["input_hash"][:24]


def test_the_execution_holds_each_event_once_and_in_order(shop: Shop, free_job: Hired) -> None:
    until(lambda: shop.statuses(free_job.id)[-1] == "finished", "the last event is there")

    events = shop.events(free_job.id)

    assert [event.kind for event in events] == [
        *("status", "inputs", "meta", "status"),
        *("stdout", "result", "final", "status"),
    ]
    assert shop.statuses(free_job.id) == ["starting", "running", "finished"]
    assert events[1].value == free_job.data
    assert events[4].message == "out loud"
    assert events[6].value == {"body": '**a word** is "done"'}


def test_the_meta_event_names_the_sale(shop: Shop, free_job: Hired) -> None:
    meta = shop.kinds(free_job.id, "meta")[0].value

    assert meta["extra"] == {
        "identifier_from_purchaser": free_job.identifier,
        "input_hash": free_job.terms["input_hash"],
        "sumi_endpoint": f"{shop.url}/task",
        "agentIdentifier": "",
    }
    assert (meta["fid"], meta["entry_point"]) == (free_job.id, "tests.real.agents.work")
    assert (meta["summary"], meta["version"], meta["author"]) == ("Work", "1.0.0", "tests")


def test_the_panels_admin_sees_a_strangers_job(shop: Shop, panel: Panel, free_job: Hired) -> None:
    shown = until(lambda: _finished(panel, free_job), "the panel shows the end")
    listed = panel.timeline()[free_job.id]

    assert json.loads(shown["final"]) == {"Markdown": {"body": '**a word** is "done"'}}
    assert (shown["fid"], shown["summary"], shown["locks"]) == (free_job.id, "Work", [])
    assert (listed["status"], listed["inputs"]) == ("finished", {"dict": free_job.data})


def _finished(panel: Panel, job: Hired) -> dict[str, object] | None:
    shown = panel.status(job.id)
    return shown if shown["status"] == "finished" else None


def test_a_runner_leaves_neither_actor_nor_process(cluster: Cluster, free_job: Hired) -> None:
    assert len(cluster.runners(free_job)) == 1
    cluster.wait_gone(free_job)


def test_a_paid_job_runs_when_its_funds_are_locked_and_not_before(
    shop: Shop, node: Node, cluster: Cluster, desk: Desk
) -> None:
    job = shop.hire("/sale", **order(desk))
    node.forget()
    until(lambda: node.requests("GET /payment/diff") > 1, "the supervisor has looked and again")
    assert shop.status(job)["status"] == "awaiting_payment"
    assert (cluster.runners(job), desk.begun) == ([], [])

    node.buy(job)
    result = shop.result(job)

    assert result == '**a word** is "done"'
    assert len(desk.begun) == len(desk.ended) == 1
    assert node.hash_of(job) == result_hash(job.identifier, result)
    assert shop.status(job)["result_hash"] == node.hash_of(job)
    until(lambda: shop.statuses(job.id)[-1] == "finished", "the last event is there")
    assert shop.statuses(job.id) == ["starting", "payment", "running", "finished"]
    _check_payment_events(shop, job, result)


def _check_payment_events(shop: Shop, job: Hired, result: str) -> None:
    terms = job.terms
    until(lambda: len(shop.payments(job.id)) == 3, "the last payment event is there")
    assert shop.payments(job.id) == [
        {
            "step": "initialized",
            "agentIdentifier": AGENT,
            "network": "Preprod",
            "inputHash": terms["input_hash"],
            "blockchainIdentifier": terms["blockchainIdentifier"],
            "sellerVKey": terms["sellerVKey"],
            "payByTime": str(terms["payByTime"]),
            "submitResultTime": str(terms["submitResultTime"]),
            "unlockTime": str(terms["unlockTime"]),
            "externalDisputeUnlockTime": str(terms["externalDisputeUnlockTime"]),
            "paymentSourceType": "Web3CardanoV1",
        },
        {"step": "funds_locked", "blockchainIdentifier": terms["blockchainIdentifier"]},
        {"step": "final_result", "resultHash": result_hash(job.identifier, result)},
    ]


def test_funds_locked_wrongly_start_nothing(
    shop: Shop, node: Node, cluster: Cluster, desk: Desk
) -> None:
    job = shop.hire("/sale", **order(desk))

    node.control("pay", blockchainIdentifier=job.terms["blockchainIdentifier"], bad=True)

    assert shop.failure(job).startswith("the payment is not valid")
    assert (cluster.runners(job), desk.begun) == ([], [])


def test_a_job_that_nobody_pays_fails_with_the_nodes_note_and_never_runs(
    shop: Shop, node: Node, cluster: Cluster, panel: Panel, desk: Desk
) -> None:
    job = shop.hire("/hasty", **order(desk))

    node.control("advance", seconds=420)

    note = node.payment(job)["NextAction"]["errorNote"]
    assert shop.failure(job) == f"the payment is not valid: {note}"
    assert (cluster.runners(job), desk.begun) == ([], [])
    assert shop.events(job.id) == []
    assert json.loads(panel.status(job.id)["final"]) == {"Text": {"body": shop.failure(job)}}


def test_code_that_raises_fails_its_job_in_one_line(
    shop: Shop, cluster: Cluster, desk: Desk
) -> None:
    job = shop.hire("/task", **order(desk, "fail"))

    told = shop.wait(job, "failed")

    assert told["error"] == told["message"] == "ValueError: the word was fail"
    assert "Traceback" not in json.dumps(told)
    until(lambda: shop.statuses(job.id)[-1] == "error", "the last event is there")
    [error] = shop.kinds(job.id, "error")
    assert error.message.startswith("Traceback (most recent call last)")
    assert "ValueError: the word was fail" in error.message
    cluster.wait_gone(job)


def test_a_paid_job_that_fails_submits_no_hash(
    shop: Shop, node: Node, cluster: Cluster, desk: Desk
) -> None:
    job = shop.hire("/sale", **order(desk, "fail"))
    node.buy(job)
    node.forget()

    assert shop.failure(job) == "ValueError: the word was fail"
    cluster.wait_gone(job)

    assert node.requests("POST /payment/submit-result") == 0
    assert node.hash_of(job) is None
    assert "result" not in shop.status(job)


def test_what_the_author_refuses_is_never_a_job(shop: Shop, panel: Panel, desk: Desk) -> None:
    before = set(panel.timeline())

    answer = shop.ask_to_hire("/task", **order(desk, "wrong"))

    assert answer.status_code == 400
    assert answer.json()["errors"] == {"word": ["is wrong"]}
    assert set(panel.timeline()) == before
    assert desk.begun == []
