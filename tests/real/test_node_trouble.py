"""The payment node is away, slow, or does not say what it did: nothing runs unpaid or is lost."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator

import pytest
from desk import Desk
from shop import Hired, Node, Panel, Shop, until

from masumi_sumi.hashing import result_hash

SUBMIT = "/payment/submit-result"


@pytest.fixture(autouse=True)
def _calm(node: Node) -> Iterator[None]:
    node.forget()
    yield
    node.control("up")
    node.control("calm")


@pytest.mark.parametrize("trouble", ["down", "silent", "failing", "losing"])
def test_a_job_whose_payment_cannot_be_opened_is_refused_in_time(
    shop: Shop, node: Node, panel: Panel, desk: Desk, trouble: str
) -> None:
    before, listed = shop.job_ids(), set(panel.timeline())
    _break(node, trouble)
    began = time.monotonic()

    answer = shop.ask_to_hire("/sale", secrets.token_hex(13), desk=str(desk.folder), word="x")

    assert time.monotonic() - began < 15
    assert answer.status_code == 424
    assert "try again" in answer.json()["detail"]
    [job_id] = until(lambda: shop.job_ids() - before, "it is stored")
    until(lambda: panel.status(job_id)["status"] == "error", "the panel tells that it failed")
    assert shop.cluster.actors("name", job_id) == []
    assert set(panel.timeline()) == listed
    assert desk.begun == []


def _break(node: Node, trouble: str) -> None:
    match trouble:
        case "down":
            node.control("down")
        case "silent":
            node.control("delay", method="POST", path="/payment", seconds=20, times=1)
        case "failing":
            node.control("fail", method="POST", path="/payment", status=500)
        case "losing":
            node.control("lose", method="POST", path="/payment")


def test_a_free_job_needs_no_node(shop: Shop, node: Node, desk: Desk) -> None:
    node.control("down")
    assert shop.result(shop.hire("/task", desk=str(desk.folder), word="free")).startswith("**free")


@pytest.fixture
def running(shop: Shop, node: Node, new_desk: Callable[[], Desk]) -> tuple[Hired, Desk]:
    """A paid job that runs and can be let go."""
    desk = new_desk().hold()
    job = shop.hire("/sale", desk=str(desk.folder), word="word")
    node.buy(job)
    until(lambda: desk.begun, "it runs")
    return job, desk


def _check_one_hash(shop: Shop, node: Node, job: Hired, desk: Desk) -> None:
    result = shop.result(job)
    assert node.hash_of(job) == result_hash(job.identifier, result)
    until(lambda: node.payment(job)["onChainState"] == "ResultSubmitted", "the chain has it")
    assert node.payment(job)["resultHash"] == result_hash(job.identifier, result)
    assert len(desk.begun) == 1


def test_a_result_waits_for_a_node_that_is_away(
    shop: Shop, node: Node, running: tuple[Hired, Desk]
) -> None:
    job, desk = running
    node.control("down")
    desk.let_go()
    until(lambda: node.requests(f"POST {SUBMIT}") > 1, "the hash is offered again and again")
    assert shop.status(job)["status"] == "running"
    assert "result" not in shop.status(job)

    node.control("up")

    _check_one_hash(shop, node, job, desk)


def test_a_hash_whose_answer_was_lost_is_not_lost_and_not_changed(
    shop: Shop, node: Node, running: tuple[Hired, Desk]
) -> None:
    job, desk = running
    node.control("lose", method="POST", path=SUBMIT)

    desk.let_go()

    _check_one_hash(shop, node, job, desk)
    assert [step["step"] for step in shop.payments(job.id)] == [
        *("initialized", "funds_locked", "final_result")
    ]
