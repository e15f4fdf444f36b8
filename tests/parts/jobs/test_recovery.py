"""Payments that their node has parked: when it is asked to recover them, and when it must not be.

The node is the sandbox over HTTP, which detaches a payment from its transaction, and stops to see
the whole contract, exactly where the released node does.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from ready_made import ready_made
from shopkeeper import IDENTIFIER, RESULT, Seller, name_of, times_of

from masumi_sumi.clock import ManualClock
from masumi_sumi.hashing import result_hash
from masumi_sumi.jobs.model import Job, JobState, PaymentState
from masumi_sumi.jobs.service import standing_of
from masumi_sumi.jobs.settling import MOST_RESENDS, NODE_PATIENCE, UNSAFE_PAUSE
from masumi_sumi.jobs.store import SqlJobStore
from masumi_sumi.jobs.store.migration import HISTORY
from masumi_sumi.payments.wire import iso
from masumi_sumi.sandbox import Sandbox

S, P = JobState, PaymentState
HASH = result_hash(IDENTIFIER, RESULT)
RECOVERY = "POST /payment/error-state-recovery"
READINESS = "GET /rail-readiness"
SUBMIT = "POST /payment/submit-result"
EMPTY_WALLET = "no UTxO in the selling wallet"


@asynccontextmanager
async def selling(node: Sandbox, folder: Path) -> AsyncIterator[Seller]:
    node.reset()
    clock = ManualClock(node.node.clock.now() / 1000)
    database = await ready_made(f"sqlite:///{folder / 'sumi.db'}", HISTORY)
    async with (
        httpx.AsyncClient(trust_env=False, verify=False) as http,
        SqlJobStore(database, clock) as store,
    ):
        seller = Seller(folder, node, store, clock, http)
        yield seller
        await seller.restart()


@pytest.fixture(scope="module")
def released() -> Iterator[Sandbox]:
    with Sandbox(frozen=True) as sandbox:
        yield sandbox


@pytest.fixture
async def seller(released: Sandbox, tmp_path: Path) -> AsyncIterator[Seller]:
    async with selling(released, tmp_path) as seller:
        yield seller


async def parked(seller: Seller, *, broadcast: bool = False, times: int = 1) -> Job:
    """A job whose result the node took, and then failed to send."""
    job = await seller.sold()
    seller.pay(job)
    seller.sandbox.spoil(note=EMPTY_WALLET, broadcast=broadcast, times=times)
    await seller.passes(2)
    seller.sandbox.mine()
    await seller.passes(1)
    return job


def transaction_of(seller: Seller, job: Job) -> str | None:
    row = seller.sandbox.node.ledger.find("payment", name_of(job))
    assert row is not None
    return row.transaction.status if row.transaction else None


def warnings(caplog: pytest.LogCaptureFixture, text: str) -> list[logging.LogRecord]:
    return [r for r in caplog.records if text in str(getattr(r, "note", ""))]


# --- before the broadcast ----------------------------------------------------------------------


async def test_what_was_not_broadcast_is_not_recovered_and_the_contract_stays_in_sight(
    seller: Seller,
):
    job = await parked(seller)
    other = await seller.sold()

    await seller.passes(10)
    seller.sandbox.act(name_of(job), "request-refund")
    seller.sandbox.mine(2)
    seller.pay(other)
    await seller.passes(3)
    seller.sandbox.mine(3)
    await seller.passes(2)

    assert seller.asked(RECOVERY) == 0
    assert transaction_of(seller, job) == "Confirmed"
    assert seller.sandbox.state()["stopped"] == []
    assert await seller.stands(other) == (S.COMPLETED, P.RESULT_CONFIRMED)


async def test_the_operator_is_told_once_what_to_do(
    seller: Seller, caplog: pytest.LogCaptureFixture
):
    job = await parked(seller)

    await seller.passes(40, every=60)

    [told] = warnings(caplog, "nothing was broadcast")
    assert EMPTY_WALLET in told.note
    assert name_of(job)[:16] in told.note
    assert name_of(job) not in told.note
    assert "SubmitResultRequested" in told.advice
    assert max(len(told.note), len(told.advice)) <= 300  # as much as a line of the log holds
    payment = (await seller.now(job)).payment
    assert payment is not None
    assert "nothing was broadcast" in payment.attention
    assert seller.asked(READINESS) <= 2 + 40 * 60 / UNSAFE_PAUSE


async def test_the_buyer_of_a_parked_payment_has_the_result(seller: Seller):
    job = await seller.now(await parked(seller))

    standing = standing_of(job, (), seller.clock.now())

    assert (standing.status, standing.result) == ("completed", RESULT)
    assert job.payment is not None
    assert job.payment.state is P.LOCKED or job.payment.state is P.RESULT_SENT


async def test_a_hash_that_the_operator_put_back_is_sent(seller: Seller):
    job = await parked(seller)
    await seller.passes(3)
    ledger = seller.sandbox.node.ledger
    row = ledger.find("payment", name_of(job))
    assert row is not None
    ledger.save(row.changed(seller.sandbox.node.clock.now(), action=row.actions[0]))

    seller.sandbox.mine(3)
    await seller.passes(3)

    assert seller.asked(RECOVERY) == 0
    assert await seller.stands(job) == (S.COMPLETED, P.RESULT_CONFIRMED)


async def test_a_node_whose_recovery_keeps_the_transaction_is_asked(tmp_path: Path):
    with Sandbox(frozen=True, safe_recovery=True) as node:
        async with selling(node, tmp_path) as seller:
            job = await parked(seller)
            seller.sandbox.mine(3)
            await seller.passes(1)

            assert seller.asked(RECOVERY) == 1
            assert await seller.stands(job) == (S.COMPLETED, P.RESULT_CONFIRMED)


async def test_a_node_in_trouble_does_not_count_as_one_that_keeps_the_transaction(seller: Seller):
    job = await parked(seller)
    seller.sandbox.fail("GET", "/rail-readiness", status=503, times=None)
    await seller.passes(2, every=UNSAFE_PAUSE)

    assert seller.asked(RECOVERY) == 0
    assert transaction_of(seller, job) == "Confirmed"


# --- behind the broadcast ----------------------------------------------------------------------


async def test_what_failed_behind_the_broadcast_is_recovered_and_arrives(seller: Seller):
    job = await parked(seller, broadcast=True)
    seller.sandbox.mine(3)
    await seller.passes(1)

    assert seller.asked(RECOVERY) == 1
    assert seller.asked(READINESS) == 0
    assert await seller.stands(job) == (S.COMPLETED, P.RESULT_CONFIRMED)


async def test_a_recovered_payment_that_then_fails_before_the_broadcast_is_left_alone(
    seller: Seller,
):
    job = await parked(seller, broadcast=True)
    seller.sandbox.spoil(note=EMPTY_WALLET)
    seller.sandbox.mine(3)
    await seller.passes(5, every=130)

    assert seller.asked(RECOVERY) == 1
    assert transaction_of(seller, job) == "Confirmed"


# --- hashes that vanish ------------------------------------------------------------------------


async def test_a_hash_that_vanished_with_a_cleared_error_is_submitted_again(seller: Seller):
    job = await seller.sold()
    seller.pay(job)
    seller.sandbox.spoil(broadcast=True)
    seller.sandbox.fail("POST", "/payment/error-state-recovery", times=None)
    await seller.passes(2)
    seller.sandbox.mine()
    seller.sandbox.calm()
    row = seller.sandbox.node.ledger.find("payment", name_of(job))
    assert row is not None
    async with httpx.AsyncClient(trust_env=False) as operator:
        cleared = await operator.post(
            f"{seller.sandbox.url}/payment/error-state-recovery",
            headers={"token": seller.sandbox.token},
            json={
                "network": "Preprod",
                "blockchainIdentifier": name_of(job),
                "updatedAt": iso(row.updated_at / 1000),
            },
        )
    assert cleared.json()["data"]["NextAction"]["resultHash"] is None
    submitted = seller.asked(SUBMIT)

    await seller.passes(2)
    seller.sandbox.mine(3)
    await seller.passes(1)

    assert seller.asked(SUBMIT) == submitted + 1
    assert seller.hashes_taken(job) == [HASH, HASH]
    assert await seller.stands(job) == (S.COMPLETED, P.RESULT_CONFIRMED)


async def test_a_hash_that_vanishes_again_and_again_is_submitted_a_few_times(seller: Seller):
    job = await seller.sold()
    seller.pay(job)
    await seller.passes(2)
    ledger = seller.sandbox.node.ledger
    for _ in range(3 * MOST_RESENDS):
        row = ledger.find("payment", name_of(job))
        assert row is not None
        if row.action.requested == "SubmitResultRequested":
            waiting = next(a for a in row.actions if a.requested == "WaitingForExternalAction")
            ledger.save(row.changed(seller.sandbox.node.clock.now(), action=waiting))
        await seller.passes(1, every=0.5)
        await seller.passes(1, every=0)

    assert 1 < seller.asked(SUBMIT) <= 1 + MOST_RESENDS


async def test_a_hash_that_a_refund_request_dropped_is_told_to_the_operator(
    seller: Seller, caplog: pytest.LogCaptureFixture
):
    job = await seller.sold()
    seller.pay(job)
    await seller.passes(1, every=0.5)
    seller.sandbox.act(name_of(job), "request-refund")
    await seller.passes(1, every=0.5)  # the hash is taken, and is not sent yet
    assert seller.hashes_taken(job) == [HASH]
    await seller.passes(20)

    assert len(warnings(caplog, "dropped the result's hash")) == 1
    assert seller.asked(RECOVERY) == 0
    assert seller.asked(SUBMIT) == 1


# --- a chain that is rolled back ---------------------------------------------------------------


async def test_no_job_begins_while_its_lock_is_rolled_back(
    seller: Seller, caplog: pytest.LogCaptureFixture
):
    job = await seller.sold()
    seller.stage.refuses = "no room in the cluster"
    seller.pay(job)
    await seller.passes(1)
    assert (await seller.now(job)).state is S.QUEUED

    seller.sandbox.roll_back(name_of(job))
    await seller.passes(1, every=0)
    seller.stage.refuses = ""
    await seller.passes(20, every=60)

    waiting = await seller.now(job)
    assert seller.stage.made == []
    assert standing_of(waiting, (), seller.clock.now()).status == "awaiting_payment"
    assert len(warnings(caplog, "Rolled back transaction detected")) == 1
    assert seller.asked(RECOVERY) == 0

    seller.advance_to(times_of(job).submit_result / 1000 - 599)
    await seller.passes(2)
    assert (await seller.now(job)).state is S.FAILED


async def test_a_job_that_works_when_its_lock_is_rolled_back_hands_out_no_result(seller: Seller):
    job = await seller.running()
    seller.sandbox.roll_back(name_of(job))
    await seller.passes(1)
    seller.stage.finish(job.id)
    await seller.passes(5, every=60)

    waiting = await seller.now(job)
    assert waiting.state is S.DELIVERING
    assert standing_of(waiting, (), seller.clock.now()).result is None
    assert seller.asked(RECOVERY) == 0


async def test_a_result_that_is_rolled_back_is_not_recovered(seller: Seller):
    job = await seller.sold()
    seller.pay(job)
    await seller.passes(2)
    seller.sandbox.mine(1)  # it is broadcast, and not seen yet
    seller.sandbox.roll_back(name_of(job))
    await seller.passes(3)

    assert seller.asked(RECOVERY) == 0


async def test_a_lock_that_is_rolled_back_before_it_was_seen_fails_no_job_by_our_clock(
    seller: Seller,
):
    """The node decides about money: the job waits until no time is left, not until payBy."""
    job = await seller.sold()
    seller.pay(job)
    seller.sandbox.roll_back(name_of(job))
    await seller.passes(2)
    assert await seller.stands(job) == (S.AWAITING_PAYMENT, P.LOCKED)

    seller.advance_to(times_of(job).pay_by / 1000 + NODE_PATIENCE + 60)
    await seller.passes(3, every=60)
    assert await seller.stands(job) == (S.AWAITING_PAYMENT, P.LOCKED)
    assert await seller.store.launch(job.id)

    seller.advance_to(times_of(job).submit_result / 1000 - 599)
    await seller.passes(2)
    assert (await seller.now(job)).failure == (
        "no time was left to run the job before its result is due"
    )


async def test_an_unpaid_job_ends_also_when_its_node_is_gone(seller: Seller):
    """Else it would count against its flow and its caller for ever."""
    job = await seller.sold()
    seller.sandbox.down()
    seller.advance_to(times_of(job).pay_by / 1000 + NODE_PATIENCE + 60)
    await seller.passes(2)
    assert (await seller.now(job)).state is S.AWAITING_PAYMENT

    seller.advance_to(times_of(job).submit_result / 1000)
    await seller.passes(2)

    assert (await seller.now(job)).state is S.FAILED
    seller.sandbox.up()
