"""What strangers leave on disk: little while they have not paid, nothing some days later."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from shopkeeper import Seller, name_of, times_of

from masumi_sumi.clock import ManualClock
from masumi_sumi.errors import UnknownJob, UserInvalid
from masumi_sumi.jobs import events, purging
from masumi_sumi.jobs.model import Job, JobState, Launch, Lock, PaymentState
from masumi_sumi.jobs.settling import NODE_PATIENCE
from masumi_sumi.jobs.store import SqlJobStore
from masumi_sumi.sandbox import Sandbox

S, P = JobState, PaymentState
DAY = 86_400.0
MIB = 2**20


@pytest.fixture(scope="module")
def node() -> Iterator[Sandbox]:
    with Sandbox(frozen=True) as sandbox:
        yield sandbox


@pytest.fixture
async def seller(node: Sandbox, tmp_path: Path) -> AsyncIterator[Seller]:
    node.reset()
    clock = ManualClock(node.node.clock.now() / 1000)
    async with (
        httpx.AsyncClient(trust_env=False, verify=False) as http,
        await SqlJobStore.open(f"sqlite:///{tmp_path / 'data' / 'sumi.db'}", clock) as store,
    ):
        seller = Seller(tmp_path / "data" / "execution", node, store, clock, http)
        yield seller
        node.calm()
        node.up()
        await seller.restart()


def used(seller: Seller) -> int:
    """Bytes of all files below the seller's folder."""
    files = [file for file in seller.folder.parent.rglob("*") if file.is_file()]
    return sum(os.stat(file).st_size for file in files)


async def unpaid(seller: Seller, size: int = 0) -> Job:
    """A job whose launch has so many bytes, and that nobody pays for."""
    job = seller.a_job()
    return await seller.reconciler.start(
        job, Launch(secrets.token_bytes(size), {}, {"fid": job.id})
    )


async def expire(seller: Seller, job: Job) -> None:
    """Let the time to pay pass, until the node says that nobody has paid."""
    seller.advance_to(times_of(job).pay_by / 1000 + NODE_PATIENCE)
    seller.sandbox.mine(2)
    await seller.passes(3)
    assert await seller.stands(job) == (S.FAILED, P.INVALID)


async def test_unpaid_job_keeps_its_input_once_and_no_execution(seller: Seller):
    before = used(seller)

    jobs = [await unpaid(seller, MIB) for _ in range(8)]
    await seller.passes(2)

    assert not any(seller.execution(job).exists() for job in jobs)
    assert used(seller) - before < 8 * MIB + 6 * MIB  # the write-ahead log is 4 MiB at most


async def test_execution_of_funded_job_begins_with_its_past_in_order(seller: Seller):
    job = await seller.running()

    assert seller.told(job, "status") == ["starting", "payment"]
    assert list(seller.payment_steps(job)) == ["initialized", "funds_locked"]
    assert (await seller.now(job)).funded_at is not None


async def test_launch_of_ended_job_is_deleted_with_its_input(seller: Seller):
    job = await unpaid(seller)
    assert await seller.store.launch(job.id)

    await expire(seller, job)

    with pytest.raises(UnknownJob):
        await seller.store.launch(job.id)


async def test_unpaid_job_is_purged_some_days_after_it_ended_with_its_disk_space(seller: Seller):
    await seller.passes(1)
    before = used(seller)
    jobs = [await unpaid(seller, MIB) for _ in range(8)]
    await seller.store.open_lock(Lock("l1", jobs[0].id, "name", 1.0, 1.0))
    await expire(seller, jobs[-1])
    folder = seller.execution(jobs[0])
    folder.mkdir(parents=True)
    (folder / "sqlite3.db").write_bytes(b"written by an earlier version")

    await seller.passes(1, every=6 * DAY)
    assert (await seller.now(jobs[0])).state is S.FAILED
    await seller.passes(2, every=1.1 * DAY)

    assert [await seller.store.job(job.id) for job in jobs] == [None] * 8
    assert await seller.store.locks(jobs[0].id) == []
    assert not folder.exists()
    assert used(seller) - before < 5 * MIB  # the write-ahead log is 4 MiB at most


async def test_job_whose_payment_was_made_is_never_purged(seller: Seller):
    refunded = await seller.running()
    await seller.reconciler.apply(refunded.id, events.Cancelled("by the operator"))
    seller.sandbox.force(name_of(refunded), "RefundWithdrawn")
    seller.stage.plays = lambda job_id: None
    late = await unpaid(seller)
    await seller.reconciler.apply(late.id, events.Cancelled("by the operator"))
    seller.pay(late)

    await seller.passes(3, every=30 * DAY)

    assert await seller.stands(refunded) == (S.FAILED, P.REFUNDED)
    assert (await seller.now(late)).state is S.FAILED


async def test_job_whose_payment_the_node_still_holds_open_is_not_purged(seller: Seller):
    job = await unpaid(seller)
    seller.sandbox.down()

    await seller.reconciler.apply(job.id, events.Cancelled("by the operator"))
    await seller.passes(3, every=30 * DAY)

    assert await seller.stands(job) == (S.FAILED, P.AWAITING_FUNDS)


async def test_job_that_was_paid_wrongly_is_not_purged(seller: Seller):
    job = await unpaid(seller)
    seller.pay(job, bad=True)
    await seller.passes(2)
    assert await seller.stands(job) == (S.FAILED, P.INVALID)

    await seller.passes(3, every=30 * DAY)

    assert await seller.stands(job) == (S.FAILED, P.INVALID)


async def test_job_that_ran_is_not_purged_whatever_became_of_its_payment(seller: Seller):
    ran = await seller.running()
    await seller.reconciler.apply(ran.id, events.Cancelled("by the operator"))
    before = await seller.now(ran)
    assert before.payment is not None
    invalid = replace(before.payment, state=P.INVALID)
    assert await seller.store.save(before, before.with_(payment=invalid))

    await seller.passes(3, every=30 * DAY)

    assert await seller.stands(ran) == (S.FAILED, P.INVALID)


async def test_execution_that_cannot_be_removed_holds_up_no_other(
    seller: Seller, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(purging, "PURGED_AT_ONCE", 1)
    stuck, fine = [await seller.start(seller.a_job(free=True)) for _ in range(2)]
    await seller.passes(2)
    remove = seller.journal.remove

    async def fail_for_one(job: Job) -> None:
        if job.id == stuck.id:
            raise OSError("read-only")
        await remove(job)

    monkeypatch.setattr(seller.journal, "remove", fail_for_one)
    await seller.passes(3, every=31 * DAY)

    assert await seller.store.job(fine.id) is None
    assert (await seller.now(stuck)).state is S.COMPLETED


async def test_purge_spares_rows_of_a_job_that_has_not_ended(seller: Seller):
    job = await seller.running()
    await seller.store.open_lock(Lock("l2", job.id, "name", 1.0, 1.0))

    await seller.store.purge(job.id)

    assert await seller.store.launch(job.id)
    assert [lock.id for lock in await seller.store.locks(job.id)] == ["l2"]


async def test_free_job_is_purged_after_its_own_time(seller: Seller):
    job = await seller.start(seller.a_job(free=True))
    await seller.passes(1)
    assert (await seller.now(job)).state is S.COMPLETED

    await seller.passes(1, every=29 * DAY)
    assert seller.execution(job).exists()
    await seller.passes(1, every=1.1 * DAY)

    assert await seller.store.job(job.id) is None
    assert not seller.execution(job).exists()


@pytest.mark.parametrize("name", ["..", "../other", "a/b", "", "."])
async def test_only_an_executions_own_folder_is_removed(seller: Seller, name: str):
    job = await seller.start(seller.a_job(free=True))
    for wrong in (job.with_(user=name), job.with_(id=name)):
        with pytest.raises((OSError, UserInvalid)):
            await seller.journal.remove(wrong)
    assert seller.execution(job).exists()
