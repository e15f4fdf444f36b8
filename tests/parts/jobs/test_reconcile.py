"""The loop around the rules, against the real store, journal and a payment node over HTTP."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from ready_made import ready_made
from shopkeeper import DONE, IDENTIFIER, LAUNCH, RESULT, Seller, name_of, times_of

from masumi_sumi.clock import ManualClock
from masumi_sumi.errors import (
    NodeFailed,
    NodeNotConfigured,
    NodeRefused,
    NodeUnreachable,
    SellerUnavailable,
)
from masumi_sumi.hashing import result_hash
from masumi_sumi.jobs import events
from masumi_sumi.jobs.model import Job, JobState, PaymentState
from masumi_sumi.jobs.policy import Policy
from masumi_sumi.jobs.ports import Outcome
from masumi_sumi.jobs.settling import NODE_PATIENCE
from masumi_sumi.jobs.store import SqlJobStore
from masumi_sumi.jobs.store.migration import HISTORY
from masumi_sumi.sandbox import Sandbox

S, P = JobState, PaymentState
UNIQUE = ("id", "payment_digest")
OPEN, SUBMIT = ("POST", "/payment"), ("POST", "/payment/submit-result")
HASH = result_hash(IDENTIFIER, RESULT)


@pytest.fixture(scope="module")
def node() -> Iterator[Sandbox]:
    with Sandbox(frozen=True) as sandbox:
        yield sandbox


@pytest.fixture
async def seller(node: Sandbox, tmp_path: Path) -> AsyncIterator[Seller]:
    node.reset()
    clock = ManualClock(node.node.clock.now() / 1000)
    database = await ready_made(f"sqlite:///{tmp_path / 'sumi.db'}", HISTORY)
    async with (
        httpx.AsyncClient(trust_env=False, verify=False) as http,
        SqlJobStore(database, clock) as store,
    ):
        seller = Seller(tmp_path, node, store, clock, http)
        yield seller
        await seller.restart()


# --- a good life -------------------------------------------------------------------------------


async def test_a_paid_job_runs_once_and_is_followed_until_the_seller_has_the_money(seller: Seller):
    job = await seller.sold()
    assert await seller.stands(job) == (S.AWAITING_PAYMENT, P.AWAITING_FUNDS)
    await seller.passes(3)
    assert seller.stage.made == []

    seller.pay(job)
    await seller.passes(2)
    assert await seller.stands(job) == (S.COMPLETED, P.RESULT_SENT)
    seller.sandbox.mine(3)
    await seller.passes(1)
    assert await seller.stands(job) == (S.COMPLETED, P.RESULT_CONFIRMED)
    seller.advance_to(times_of(job).unlock / 1000 + 660)
    await seller.passes(1)

    assert await seller.stands(job) == (S.COMPLETED, P.WITHDRAWN)
    assert (await seller.now(job)).result == RESULT
    assert seller.stage.begun == [job.id]
    assert seller.hashes_taken(job) == [HASH]
    assert seller.payment_steps(job) == Counter(initialized=1, funds_locked=1, final_result=1)
    assert seller.stage.runs == {}


async def test_a_free_job_runs_at_once_and_never_meets_the_node(seller: Seller):
    job = await seller.start(seller.a_job(free=True))

    await seller.passes(1)

    assert await seller.stands(job) == (S.COMPLETED, None)
    assert seller.sandbox.requests() == {}
    assert seller.told(job, "payment") == []


async def test_an_agent_of_the_second_contract_is_sold_the_same_way(seller: Seller):
    agent = seller.sandbox.register(version=2)
    sale = {"source_type": "Web3CardanoV2", "source_index": 0, "agent_identifier": agent}
    job = await seller.sold(**sale)

    seller.pay(job)
    await seller.passes(2)

    assert await seller.stands(job) == (S.COMPLETED, P.RESULT_SENT)
    assert seller.hashes_taken(job) == [HASH]


async def test_the_raw_hash_is_handed_in_where_the_operator_wants_it(seller: Seller):
    seller.policy = Policy(runners_at_once=1, result_form="raw")
    await seller.restart()
    job = await seller.sold()

    seller.pay(job)
    await seller.passes(2)

    assert seller.hashes_taken(job) == [result_hash(IDENTIFIER, RESULT, "raw")] != [HASH]


async def test_the_result_is_stored_before_its_hash_is_sent(seller: Seller):
    job = await seller.sold()
    at_request = []

    async def look_into_store(request: httpx.Request) -> None:
        if request.url.path.endswith("/submit-result"):
            at_request.append((request.content, await seller.now(job)))

    seller._http.event_hooks["request"] = [look_into_store]
    seller.pay(job)
    await seller.passes(2)

    [(sent, stored)] = at_request
    assert HASH.encode() in sent
    assert (stored.state, stored.result) == (S.DELIVERING, RESULT)
    assert stored.payment is not None
    assert stored.payment.sent_hash == HASH


# --- a payment that is not opened --------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (lambda node: node.down(), NodeUnreachable),
        (lambda node: node.fail(*OPEN), NodeFailed),
        (lambda node: node.fail(*OPEN, status=400, message="no such price"), NodeRefused),
        (lambda node: node.lose(*OPEN), NodeUnreachable),
    ],
    ids=["down", "5xx", "refused", "answer lost"],
)
async def test_without_a_payment_the_buyer_hears_of_it_and_nothing_is_launched(
    seller: Seller, trouble, error
):
    job = seller.a_job()
    trouble(seller.sandbox)

    with pytest.raises(error):
        await seller.start(job)
    seller.sandbox.calm()
    await seller.passes(3)

    assert await seller.stands(job) == (S.FAILED, P.ABANDONED)
    assert seller.stage.made == []
    assert not seller.execution(job).exists()


async def test_a_node_has_the_rest_of_the_time_in_which_a_job_must_start(seller: Seller):
    job = seller.a_job()
    seller.clock.advance(seller.policy.start_timeout - 0.5)  # as the input took long to check
    seller.sandbox.delay(*OPEN, seconds=8, times=1)

    with pytest.raises(NodeUnreachable, match=r"in 2 s"):
        await seller.start(job)


async def test_a_network_without_a_node_fails_its_job_at_once(seller: Seller):
    job = seller.a_job(network="Mainnet")

    with pytest.raises(NodeNotConfigured):
        await seller.start(job)

    assert (await seller.now(job)).state is S.FAILED


async def test_a_start_that_is_called_twice_opens_one_payment(seller: Seller):
    job = seller.a_job()

    first = await seller.start(job)
    second = await seller.start(job)

    assert name_of(first) == name_of(second)
    assert seller.asked("POST /payment") == 1


async def test_a_start_that_was_interrupted_is_given_up_and_a_late_call_hears_of_it(
    seller: Seller,
):
    job = seller.a_job()
    await seller.store.add(job, LAUNCH)
    await seller.passes(1)
    assert (await seller.now(job)).state is S.REQUESTED

    await seller.passes(1, every=30)

    assert await seller.stands(job) == (S.FAILED, P.ABANDONED)
    with pytest.raises(SellerUnavailable):
        await seller.start(job)


async def test_a_job_cancelled_while_its_payment_is_opened_is_not_for_sale(seller: Seller):
    job = seller.a_job()

    async def cancel(request: httpx.Request) -> None:
        await seller.reconciler.apply(job.id, events.Cancelled("by the operator"))

    seller._http.event_hooks["request"] = [cancel]
    with pytest.raises(SellerUnavailable):
        await seller.start(job)

    assert await seller.stands(job) == (S.FAILED, P.ABANDONED)
    assert await seller.store.open_payments() == set()


# --- a payment that is not paid, or not well ---------------------------------------------------


async def test_an_unpaid_job_fails_when_its_time_is_over(seller: Seller):
    job = await seller.sold()

    seller.advance_to(times_of(job).pay_by / 1000 + NODE_PATIENCE)
    await seller.passes(2)

    assert await seller.stands(job) == (S.FAILED, P.INVALID)
    assert seller.stage.made == []


async def test_a_job_unknown_to_its_node_ends_when_the_node_would_have_given_up(seller: Seller):
    job = await seller.sold()
    seller.sandbox.node.reset()
    seller.sandbox.advance(seller.clock.now() - seller.sandbox.node.clock.now() / 1000)

    seller.advance_to(times_of(job).pay_by / 1000 + 10)
    await seller.passes(2)
    assert (await seller.now(job)).state is S.AWAITING_PAYMENT
    seller.advance(NODE_PATIENCE)
    await seller.passes(2)

    assert (await seller.now(job)).failure == "no funds were locked in time"


async def test_funds_locked_wrongly_start_nothing(seller: Seller):
    job = await seller.sold()

    seller.pay(job, bad=True)
    await seller.passes(2)

    assert await seller.stands(job) == (S.FAILED, P.INVALID)
    assert seller.stage.made == []


async def test_a_lock_that_the_changes_do_not_show_is_found_by_looking(seller: Seller):
    job = await seller.sold()
    await seller.passes(1)
    seller.sandbox.lag(3600)
    seller.pay(job)
    seller.sandbox.lag(0)
    await seller.passes(2)
    assert seller.stage.made == []

    seller.advance_to(times_of(job).pay_by / 1000 + 1)
    await seller.passes(2)

    assert seller.stage.begun == [job.id]


async def test_a_lock_that_is_stamped_too_early_is_found(seller: Seller):
    job = await seller.sold()
    await seller.passes(2)
    seller.sandbox.lag(30)

    seller.pay(job)
    await seller.passes(8)

    assert seller.stage.begun == [job.id]


async def test_funds_asked_back_before_the_run_start_nothing(seller: Seller):
    seller.policy = Policy(runners_at_once=0)
    seller.born()
    job = await seller.sold()
    seller.pay(job)
    await seller.passes(1)
    assert (await seller.now(job)).state is S.QUEUED

    seller.sandbox.act(name_of(job), "request-refund")
    seller.sandbox.mine()
    seller.policy = Policy(runners_at_once=1)
    await seller.restart()
    await seller.passes(2)

    assert await seller.stands(job) == (S.FAILED, P.REFUND_REQUESTED)
    assert seller.stage.made == []


async def test_a_refund_wish_during_the_run_is_answered_with_the_result(seller: Seller):
    job = await seller.running()
    seller.sandbox.act(name_of(job), "request-refund")
    seller.sandbox.mine()
    await seller.passes(1)
    assert await seller.stands(job) == (S.RUNNING, P.REFUND_REQUESTED)

    seller.stage.finish(job.id)
    await seller.passes(2)
    seller.sandbox.mine(3)
    await seller.passes(1)

    assert await seller.stands(job) == (S.COMPLETED, P.DISPUTED)
    assert seller.hashes_taken(job) == [HASH]


async def test_funds_taken_back_during_the_run_stop_it(seller: Seller):
    job = await seller.running()

    seller.sandbox.force(name_of(job), "RefundWithdrawn")
    await seller.passes(2)

    assert await seller.stands(job) == (S.FAILED, P.REFUNDED)
    assert seller.stage.stopped == [job.id]


# --- runs --------------------------------------------------------------------------------------


async def test_a_failed_run_fails_its_job_in_one_line_and_sends_no_hash(seller: Seller):
    trace = 'Traceback (most recent call last):\n  File "/srv/a.py", line 1\nValueError: no'
    seller.stage.plays = lambda job_id: Outcome(error=trace)
    job = await seller.sold()

    seller.pay(job)
    await seller.passes(3)

    assert (await seller.now(job)).failure == "ValueError: no"
    assert seller.asked("POST /payment/submit-result") == 0


async def test_a_run_whose_process_died_fails_its_job(seller: Seller):
    job = await seller.running()

    seller.stage.kill(job.id)
    await seller.passes(2)

    assert (await seller.now(job)).failure == "the process that ran the job died"
    assert seller.stage.begun == [job.id]


async def test_a_run_is_repeated_as_often_as_the_author_allows(seller: Seller):
    job = await seller.running(repeats=1)

    seller.stage.kill(job.id)
    await seller.passes(2)
    assert (await seller.now(job)).state is S.RUNNING
    seller.stage.kill(job.id)
    await seller.passes(2)

    assert (await seller.now(job)).state is S.FAILED
    assert seller.stage.begun == [job.id, job.id]


async def test_a_runner_that_died_after_its_end_was_written_is_no_loss(seller: Seller):
    job = await seller.running()
    final = str(DONE.final)
    written = [(seller.clock.now(), "final", final), (seller.clock.now(), "status", "finished")]
    await seller.journal._write(job, written)

    seller.stage.kill(job.id)
    await seller.passes(2)

    assert (await seller.now(job)).result == RESULT
    assert seller.hashes_taken(job) == [HASH]


async def test_a_runner_that_cannot_be_made_is_tried_for_half_a_minute(seller: Seller):
    seller.stage.refuses = "no runner could be made"
    job = await seller.start(seller.a_job(free=True))
    tries = []

    for second in range(34):
        await seller.passes(1, every=1.0)
        stored = await seller.now(job)
        tries += [second] * (stored.attempts - len(tries))

    assert tries == [0, 1, 6, 31]
    assert (stored.state, stored.attempts, stored.runs) == (S.FAILED, 4, 0)


async def test_a_runner_that_can_be_made_again_brings_its_job_to_its_end(seller: Seller):
    seller.stage.refuses = "no runner could be made"
    job = await seller.sold()
    seller.pay(job)
    await seller.passes(10)

    seller.stage.refuses = ""
    await seller.passes(8)

    assert (await seller.now(job)).result == RESULT


async def test_a_job_that_rests_after_its_launch_failed_holds_up_no_other(seller: Seller):
    seller.policy = Policy(runners_at_once=1)
    await seller.restart()
    seller.stage.refuses = "no runner could be made"
    await seller.start(seller.a_job(free=True))
    await seller.passes(1)
    seller.stage.refuses = ""
    other = await seller.start(seller.a_job(free=True))

    await seller.passes(1, every=0.5)

    assert (await seller.now(other)).state is S.COMPLETED


async def test_a_launch_that_breaks_is_taken_up_by_the_next_pass_and_not_sooner(seller: Seller):
    job = await seller.start(seller.a_job(free=True))
    broken = {"launches": 0}

    async def break_off(*_: object) -> None:
        broken["launches"] += 1
        raise RuntimeError("out of memory")

    launch, seller.stage.launch = seller.stage.launch, break_off  # type: ignore[method-assign]
    seller.reconciler.wake.clear()
    await seller.passes(1)
    assert not seller.reconciler.wake.is_set()
    assert broken == {"launches": 1}
    seller.stage.launch = launch  # type: ignore[method-assign]
    await seller.passes(1)

    assert (await seller.now(job)).state is S.COMPLETED


async def test_no_more_jobs_run_than_there_are_places_and_the_oldest_come_first(seller: Seller):
    seller.policy = Policy(runners_at_once=2, free_at_once=2)
    await seller.restart()
    seller.stage.plays = lambda job_id: None
    jobs = []
    for _ in range(5):
        jobs.append(await seller.start(seller.a_job(free=True)))
        seller.clock.advance(0.01)
    most = 0

    for done in range(5):
        await seller.passes(1)
        most = max(most, await seller.store.count([S.LAUNCHING, S.RUNNING]))
        seller.stage.finish(jobs[done].id)
        await seller.idle()

    assert most == 2
    assert seller.stage.begun == [job.id for job in jobs]


async def test_runners_that_are_starting_have_their_places_too(seller: Seller):
    seller.policy = Policy(runners_at_once=2, launches_at_once=4, free_at_once=2)
    await seller.restart()
    seller.stage.starting = asyncio.get_running_loop().create_future()
    for _ in range(4):
        await seller.start(seller.a_job(free=True))

    await seller.passes(3)

    assert len(seller.stage.made) == 2


async def test_the_end_of_a_run_lets_the_next_one_start_at_once(seller: Seller):
    seller.policy = Policy(runners_at_once=1)
    await seller.restart()
    seller.stage.plays = lambda job_id: None
    for _ in range(2):
        await seller.start(seller.a_job(free=True))
    await seller.passes(1)
    seller.reconciler.wake.clear()

    seller.stage.finish(seller.stage.begun[0])
    await seller.idle()

    assert seller.reconciler.wake.is_set()


async def test_whoever_can_go_on_wakes_the_loop_that_brings_it_on(seller: Seller):
    awake = seller.reconciler.wake
    awake_payments = seller.reconciler.wake_payments["Preprod"]
    seller.stage.plays = lambda job_id: None
    await seller.start(seller.a_job(free=True))
    assert awake.is_set()

    job = await seller.sold()
    seller.pay(job)
    awake.clear()
    await seller.reconciler.mind_payments("Preprod")
    assert awake.is_set()

    await seller.reconciler.mind_jobs()
    await seller.idle()
    awake_payments.clear()
    seller.stage.finish(job.id)
    await seller.idle()
    assert awake_payments.is_set()


async def test_no_more_runners_start_at_once_than_may(seller: Seller):
    seller.policy = Policy(runners_at_once=8, launches_at_once=2)
    await seller.restart()
    seller.stage.plays = lambda job_id: None
    seller.stage.starting = asyncio.get_running_loop().create_future()
    jobs = [await seller.sold() for _ in range(5)]
    for job in jobs:
        seller.pay(job)

    await seller.passes(3)
    assert len(seller.stage.made) == 2
    seller.stage.starting.set_result(None)
    seller.reconciler.wake.clear()
    await seller.idle()
    assert seller.reconciler.wake.is_set()  # the next may start, without waiting for a pass
    await seller.passes(2)

    assert sorted(seller.stage.begun) == sorted(job.id for job in jobs)


@pytest.mark.parametrize(
    ("spoilt", "is_told_again"),
    [({"facts": None}, True), ({"state": 7}, False)],
    ids=["breaks its turn off", "cannot be read"],
)
async def test_a_job_that_breaks_holds_up_no_other(
    seller: Seller, spoilt: dict[str, Any], is_told_again: bool
):
    broken, sound = await seller.sold(), await seller.sold()
    whole = body_of(seller, broken)
    body_of(seller, broken, whole | {"payment": whole["payment"] | spoilt})
    seller.pay(broken)
    seller.pay(sound)

    await seller.passes(2)
    assert (await seller.now(sound)).state is S.COMPLETED
    assert broken.id not in seller.stage.made
    body_of(seller, broken, whole)
    if not is_told_again:  # then every payment is looked at itself
        seller.advance_to(times_of(broken).pay_by / 1000)
    await seller.passes(3)

    assert (await seller.now(broken)).state is S.COMPLETED


def body_of(seller: Seller, job: Job, new: dict[str, Any] | None = None) -> dict[str, Any]:
    """A job's row as it is stored; with ``new``, after it was made that."""
    with sqlite3.connect(seller.folder / "sumi.db") as database:
        if new is not None:
            database.execute("UPDATE jobs SET body = ? WHERE id = ?", (json.dumps(new), job.id))
        [(body,)] = database.execute("SELECT body FROM jobs WHERE id = ?", (job.id,))
    return dict(json.loads(body))


async def test_a_run_that_is_too_long_for_its_payment_is_stopped(seller: Seller):
    job = await seller.running()

    seller.advance_to(times_of(job).submit_result / 1000 - 601)
    await seller.passes(1, every=0)
    assert (await seller.now(job)).state is S.RUNNING
    await seller.passes(1, every=1)

    assert (await seller.now(job)).failure == "the job took longer than its payment allows"
    assert seller.stage.stopped == [job.id]
    assert seller.asked("POST /payment/submit-result") == 0


async def test_a_long_queue_hides_no_run_that_is_too_long(
    seller: Seller, monkeypatch: pytest.MonkeyPatch
):
    seller.policy = Policy(runners_at_once=0)
    await seller.restart()
    seller.stage.plays = lambda job_id: None
    paid = await seller.sold()
    seller.pay(paid)
    await seller.passes(1)
    for _ in range(3):
        await seller.start(seller.a_job(free=True))
    seller.policy = Policy(runners_at_once=1)
    await seller.restart()
    await seller.passes(1)
    assert (await seller.now(paid)).state is S.RUNNING
    in_state = seller.store.in_state

    async def a_few_in_state(states, limit, not_in=()):
        """As for a queue that is longer than what is read at once."""
        return await in_state(states, min(limit, 2), not_in)

    monkeypatch.setattr(seller.store, "in_state", a_few_in_state)
    seller.advance_to(times_of(paid).submit_result / 1000 - 600)
    await seller.passes(1)

    assert (await seller.now(paid)).state is S.FAILED


async def test_no_run_begins_when_no_time_is_left_for_it(seller: Seller):
    seller.policy = Policy(runners_at_once=0)
    await seller.restart()
    job = await seller.sold()
    seller.pay(job)
    await seller.passes(1)

    seller.advance_to(times_of(job).submit_result / 1000 - 600)
    seller.policy = Policy(runners_at_once=1)
    await seller.restart()
    await seller.passes(1)

    assert (await seller.now(job)).state is S.FAILED
    assert seller.stage.made == []


async def test_funds_that_come_in_after_the_deadlines_were_minded_start_nothing(seller: Seller):
    seller.policy = Policy(runners_at_once=0)
    await seller.restart()
    job = await seller.sold()
    seller.pay(job)
    await seller.passes(1)
    seller.policy = Policy(runners_at_once=1)
    await seller.restart()

    seller.advance_to(times_of(job).submit_result / 1000 - 600)
    await seller.reconciler._running.grant_slots()
    await seller.idle()

    assert seller.stage.made == []


# --- delivering --------------------------------------------------------------------------------


async def test_a_lost_answer_to_the_hash_is_settled_by_asking(seller: Seller):
    job = await seller.running()
    seller.policy = Policy(runners_at_once=4, poll=1e12)  # no change is told
    await seller.restart()
    seller.sandbox.lose(*SUBMIT)
    await seller.passes(1)
    seller.stage.finish(job.id)
    await seller.idle()

    await seller.passes(2)

    assert (await seller.now(job)).state is S.COMPLETED
    assert seller.hashes_taken(job) == [HASH]
    assert seller.payment_steps(job)["final_result"] == 1


@pytest.mark.parametrize("status", [500, 401, 403, 409, 400])
async def test_a_node_that_does_not_take_the_hash_is_asked_again(seller: Seller, status: int):
    job = await seller.sold()
    seller.pay(job)
    seller.sandbox.fail(*SUBMIT, status=status, message="not now")
    await seller.passes(2)
    delivering = await seller.now(job)
    assert delivering.state is S.DELIVERING
    assert delivering.payment is not None
    assert str(status) in delivering.payment.attention

    await seller.passes(3)

    assert (await seller.now(job)).state is S.COMPLETED
    assert seller.hashes_taken(job) == [HASH]


async def test_a_node_that_is_away_is_asked_less_and_less_often(seller: Seller):
    job = await seller.running()
    seller.sandbox.fail(*SUBMIT, times=None)
    seller.stage.finish(job.id)
    await seller.idle()
    waits = []

    for _ in range(8):
        await seller.passes(1, every=0)
        payment = (await seller.now(job)).payment
        assert payment is not None
        waits.append(round(payment.next_try - seller.clock.now()))
        seller.advance_to(payment.next_try)

    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]
    assert seller.asked("POST /payment/submit-result") == 8
    seller.sandbox.calm()
    await seller.passes(1)
    assert (await seller.now(job)).state is S.COMPLETED


async def test_thousands_of_tries_are_no_trouble(seller: Seller):
    job = await seller.running(submit_by=10**6)
    seller.sandbox.down()
    seller.stage.finish(job.id)
    await seller.idle()
    delivering = await seller.now(job)
    assert delivering.payment is not None
    tried = delivering.with_(payment=replace(delivering.payment, tries=5000))
    assert await seller.store.save(delivering, tried)

    await seller.passes(1)

    after = (await seller.now(job)).payment
    assert after is not None
    assert after.tries == 5001
    assert after.next_try == seller.clock.now() + 60


async def test_a_hash_that_was_never_taken_in_time_fails_the_job(seller: Seller):
    job = await seller.running()
    seller.sandbox.fail(*SUBMIT, times=None)
    seller.stage.finish(job.id)
    await seller.passes(2)

    seller.advance_to(times_of(job).submit_result / 1000 + 1)
    await seller.passes(1)

    failed = await seller.now(job)
    assert failed.failure == "the result could not be submitted in time"
    assert failed.result == RESULT


async def test_a_hash_that_was_taken_without_an_answer_counts_even_when_time_is_over(
    seller: Seller,
):
    job = await seller.running()
    seller.sandbox.lose(*SUBMIT)
    seller.stage.finish(job.id)
    await seller.idle()
    await seller.passes(1)
    assert (await seller.now(job)).state is S.DELIVERING
    seller.sandbox.down()
    await seller.passes(2)
    seller.advance_to(times_of(job).submit_result / 1000 + 1)
    await seller.passes(2)
    assert (await seller.now(job)).state is S.DELIVERING

    seller.sandbox.up()
    await seller.reconciler._settling["Preprod"].send_results()
    seller.advance(60)
    await seller.reconciler._settling["Preprod"].send_results()

    assert (await seller.now(job)).state is S.COMPLETED


# --- several payments at once, and nodes in trouble --------------------------------------------


async def test_a_network_that_lost_its_node_stops_nobody_else(seller: Seller):
    job = await seller.sold()
    seller.networks = ()
    await seller.restart()
    free = await seller.start(seller.a_job(free=True))

    await seller.passes(2)
    seller.advance_to(times_of(job).pay_by / 1000 + 1)
    await seller.passes(2)

    assert (await seller.now(free)).state is S.COMPLETED
    assert (await seller.now(job)).state is S.AWAITING_PAYMENT


async def test_a_node_that_is_down_for_a_while_delays_and_loses_nothing(seller: Seller):
    job = await seller.sold()
    seller.sandbox.down()
    seller.sandbox.pay(name_of(job))
    seller.sandbox.mine()
    await seller.passes(3)
    assert (await seller.now(job)).state is S.AWAITING_PAYMENT

    seller.sandbox.up()
    await seller.passes(2)

    assert (await seller.now(job)).state is S.COMPLETED


async def test_events_of_one_job_wait_for_each_other(
    seller: Seller, caplog: pytest.LogCaptureFixture
):
    job = await seller.running()
    view = await seller.escrow.look("Preprod", name_of(job))
    assert view is not None
    many = [events.PaymentSeen(view), events.Cancelled("enough"), events.PaymentSeen(view)] * 5

    await asyncio.gather(*(seller.reconciler.apply(job.id, event) for event in many))

    assert (await seller.now(job)).failure == "enough"
    assert "write refused by a newer row" not in caplog.text


async def test_a_thousand_waiting_jobs_cost_one_request_a_second(seller: Seller):
    job = await seller.sold()
    copies = 999
    with sqlite3.connect(seller.folder / "sumi.db") as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(jobs)")]
        own = [f"{name} || '-' || n" if name in UNIQUE else name for name in columns]
        counting = f"WITH RECURSIVE c(n) AS (SELECT 1 UNION SELECT n+1 FROM c WHERE n < {copies})"
        database.execute(f"INSERT INTO jobs {counting} SELECT {', '.join(own)} FROM jobs, c")
    assert await seller.store.count([S.AWAITING_PAYMENT]) == 1000
    seller.sandbox.forget_requests()

    await seller.passes(20, every=1)
    while_waiting = sum(seller.sandbox.requests().values())
    seller.advance_to(times_of(job).pay_by / 1000 + 1)
    seller.sandbox.forget_requests()
    await seller.passes(20, every=1)
    at_the_deadline = sum(seller.sandbox.requests().values())

    assert while_waiting <= 20
    assert at_the_deadline <= 20


# --- dying -------------------------------------------------------------------------------------


async def live(seller: Seller) -> None:
    """One paid job from its start to its confirmed result, whatever dies on the way."""
    job = await seller.start(seller.a_job())
    seller.pay(job)
    for _ in range(8):
        await seller.passes(1)
        seller.sandbox.mine(2)
        if await seller.stands(job) == (S.COMPLETED, P.RESULT_CONFIRMED):
            break

    assert await seller.stands(job) == (S.COMPLETED, P.RESULT_CONFIRMED)
    assert seller.stage.made.count(job.id) == 1
    assert seller.stage.begun.count(job.id) == 1
    assert seller.hashes_taken(job) == [HASH]
    assert seller.payment_steps(job) == Counter(initialized=1, funds_locked=1, final_result=1)
    assert seller.told(job, "meta") == ['{"dict": {"fid": "x"}}']


async def test_dying_after_any_act_whatsoever_neither_loses_nor_doubles_anything(seller: Seller):
    n = 0
    while True:
        n += 1
        await seller.restart(dies_at=n)
        doomed = seller.life
        await live(seller)
        if not doomed.over:
            break

    assert n > 15
