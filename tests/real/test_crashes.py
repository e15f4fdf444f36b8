"""Whatever is killed, a job ends once: its code runs once, its payment gets one hash."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from desk import Desk
from shop import Cluster, Hired, Node, Panel, Shop, until

from masumi_sumi.hashing import result_hash

SUBMIT = "POST /payment/submit-result"
DONE = '**word** is "done"'


@dataclass(frozen=True)
class Placed:
    """A job at its desk."""

    job: Hired
    desk: Desk


@pytest.fixture(scope="module")
def place(shop: Shop, new_desk: Callable[[], Desk]) -> Callable[..., Placed]:
    def place(flow: str, *, hold: bool = True, **data: str) -> Placed:
        desk = new_desk().hold() if hold else new_desk()
        return Placed(shop.hire(flow, desk=str(desk.folder), word="word", **data), desk)

    return place


Place = Callable[..., Placed]


@pytest.fixture(autouse=True)
def _calm(node: Node) -> Iterator[None]:
    """Whatever a test breaks at the node is whole again for the next one."""
    yield
    node.control("up")
    node.control("calm")


def _await_restart(cluster: Cluster, killed: int) -> None:
    until(lambda: cluster.supervisor_pid() != killed, "the supervisor lives again")


def _began(placed: Placed) -> int:
    """The process that runs the code, once it does."""
    return until(lambda: placed.desk.begun, f"{placed.job.id} runs")[-1]


def _check_sold_once(shop: Shop, node: Node, placed: Placed) -> None:
    result = shop.result(placed.job)
    assert result == DONE
    assert len(placed.desk.begun) == len(placed.desk.ended) == 1
    assert node.hash_of(placed.job) == result_hash(placed.job.identifier, result)
    steps = until(
        lambda: found if len(found := shop.payments(placed.job.id)) == 3 else None, "all steps"
    )
    assert [step["step"] for step in steps] == ["initialized", "funds_locked", "final_result"]


# --- the supervisor is killed ------------------------------------------------------------------


@pytest.fixture(scope="module")
def survivors(
    shop: Shop, node: Node, cluster: Cluster, place: Place
) -> Iterator[dict[str, Placed]]:
    """Jobs in every state there is, at the moment in which the supervisor was killed."""
    jobs = {
        "awaits payment": place("/sale"),
        "runs": place("/task"),
        "runs paid": place("/sale"),
        "asks": place("/ask", hold=False, how="one"),
        "delivers": place("/sale", hold=False),
    }
    node.control("fail", method="POST", path="/payment/submit-result", status=503, times=None)
    node.forget()
    node.buy(jobs["delivers"].job)
    node.buy(jobs["runs paid"].job)
    _began(jobs["runs"])
    _began(jobs["runs paid"])
    shop.wait(jobs["asks"].job, "awaiting_input")
    until(lambda: node.requests(SUBMIT), "a hash is refused by the node")
    assert shop.status(jobs["delivers"].job)["status"] == "running"
    jobs["starts"] = place("/task")
    killed = cluster.supervisor_pid()
    os.kill(killed, signal.SIGKILL)
    jobs["is hired meanwhile"] = place("/task")
    _await_restart(cluster, killed)
    node.control("calm")
    for placed in jobs.values():
        placed.desk.let_go()
    return jobs


@pytest.mark.parametrize("job", ["runs", "starts", "is hired meanwhile"])
def test_a_free_job_survives_its_supervisor(
    shop: Shop, survivors: dict[str, Placed], job: str
) -> None:
    placed = survivors[job]
    assert shop.result(placed.job) == DONE
    assert len(placed.desk.begun) == len(placed.desk.ended) == 1


@pytest.mark.parametrize("job", ["runs paid", "delivers"])
def test_a_paid_job_survives_its_supervisor(
    shop: Shop, node: Node, survivors: dict[str, Placed], job: str
) -> None:
    _check_sold_once(shop, node, survivors[job])


def test_a_job_that_awaits_payment_survives_its_supervisor(
    shop: Shop, node: Node, cluster: Cluster, survivors: dict[str, Placed]
) -> None:
    placed = survivors["awaits payment"]
    assert shop.status(placed.job)["status"] == "awaiting_payment"
    assert cluster.runners(placed.job) == []
    node.buy(placed.job)
    _check_sold_once(shop, node, placed)


def test_an_open_question_survives_the_supervisor(shop: Shop, survivors: dict[str, Placed]) -> None:
    placed = survivors["asks"]
    question = shop.status(placed.job)
    assert question["input_schema"]["input_data"][-1]["id"] == "color"
    assert shop.provide(placed.job, {"color": "red"}, status_id=question["id"]).is_success
    assert shop.result(placed.job) == "word is red"
    assert len(placed.desk.begun) == 1


def test_no_runner_survives_its_job(cluster: Cluster, survivors: dict[str, Placed]) -> None:
    for placed in survivors.values():
        cluster.wait_gone(placed.job)


# --- a runner is killed ------------------------------------------------------------------------


def test_a_job_whose_runner_dies_fails_and_says_so(
    shop: Shop, panel: Panel, cluster: Cluster, place: Place
) -> None:
    placed = place("/task")

    os.kill(_began(placed), signal.SIGKILL)

    assert shop.failure(placed.job) == "the process that ran the job died"
    assert len(placed.desk.begun) == 1
    assert panel.status(placed.job.id)["status"] == "error"
    cluster.wait_gone(placed.job)


def test_a_paid_job_whose_runner_dies_submits_nothing(shop: Shop, node: Node, place: Place) -> None:
    placed = place("/sale")
    node.buy(placed.job)

    os.kill(_began(placed), signal.SIGKILL)

    assert shop.failure(placed.job) == "the process that ran the job died"
    assert node.hash_of(placed.job) is None


def test_a_job_that_may_be_repeated_runs_again(shop: Shop, place: Place) -> None:
    placed = place("/again")

    os.kill(_began(placed), signal.SIGKILL)
    until(lambda: len(placed.desk.begun) == 2, "it runs again")
    placed.desk.let_go()

    assert shop.result(placed.job) == DONE
    assert (len(placed.desk.begun), len(placed.desk.ended)) == (2, 1)


def test_the_question_of_a_dead_run_is_not_asked_any_more(shop: Shop, place: Place) -> None:
    placed = place("/ask", hold=False, how="one")
    first = shop.wait(placed.job, "awaiting_input")["id"]

    os.kill(_began(placed), signal.SIGKILL)
    second = until(lambda: _other_question(shop, placed.job, first), "it asks again")

    assert second["input_schema"]["input_data"][-1]["id"] == "color"
    assert shop.provide(placed.job, {"color": "red"}, status_id=first).status_code == 409
    assert shop.provide(placed.job, {"color": "blue"}).status_code == 200
    assert shop.result(placed.job) == "word is blue"


def _other_question(shop: Shop, job: Hired, first: str) -> dict[str, object] | None:
    found = shop.status(job)
    return found if found["status"] == "awaiting_input" and found["id"] != first else None


def test_a_runner_that_dies_after_its_result_has_done_its_work(
    shop: Shop, node: Node, cluster: Cluster, place: Place
) -> None:
    """The supervisor is away while the run ends, and finds neither runner nor answer."""
    placed = place("/sale")
    node.buy(placed.job)
    runner = _began(placed)

    killed = cluster.supervisor_pid()
    os.kill(killed, signal.SIGKILL)
    placed.desk.let_go()
    until(lambda: "finished" in shop.statuses(placed.job.id), "the execution holds the result")
    os.kill(runner, signal.SIGKILL)
    _await_restart(cluster, killed)

    _check_sold_once(shop, node, placed)


# --- the replica is killed ---------------------------------------------------------------------


def test_a_job_survives_its_apps_replica(shop: Shop, cluster: Cluster, place: Place) -> None:
    placed = place("/task")
    _began(placed)

    replica = cluster.replica_pid("agents:Agents")
    os.kill(replica, signal.SIGKILL)
    placed.desk.let_go()
    until(lambda: placed.desk.ended, "it ends")
    until(lambda: _answers(shop, placed.job), "the app answers again")

    assert shop.result(placed.job) == DONE
    assert len(placed.desk.begun) == 1


def _answers(shop: Shop, job: Hired) -> bool:
    asked = {"job_id": job.id}
    return shop.http.get(f"{shop.url}{job.flow}/status", params=asked).status_code == 200
