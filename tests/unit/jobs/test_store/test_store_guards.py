"""A write lands only on the row that it was decided from, and never changes what is settled."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from samples import LAUNCH, a_delivering_job, a_job, a_payment
from sqlalchemy.exc import StatementError

from masumi_sumi.clock import ManualClock
from masumi_sumi.jobs.model import Job, JobState, Launch, Payment
from masumi_sumi.jobs.store import SqlJobStore


async def test_an_id_is_added_once(store: SqlJobStore) -> None:
    job = a_job()
    await store.add(job, LAUNCH)

    assert not await store.add(job.with_(flow="/other/"), Launch(b"other"))

    assert await store.job(job.id) == job
    assert await store.launch(job.id) == LAUNCH


async def test_a_job_whose_launch_cannot_be_stored_is_not_added(store: SqlJobStore) -> None:
    job = a_job()

    with pytest.raises(StatementError):
        await store.add(job, Launch(b"", runtime_env={"not": object()}))

    assert await store.job(job.id) is None


async def test_a_save_counts_the_version(store: SqlJobStore) -> None:
    job = await _added(store, a_job())

    assert await store.save(job, job.with_(state=JobState.QUEUED, version=17))

    assert await store.job(job.id) == job.with_(state=JobState.QUEUED, version=1)


@pytest.mark.parametrize("stale", [{"version": 7}, {"state": JobState.RUNNING}])
async def test_a_save_from_another_version_or_state_does_not_land(
    store: SqlJobStore, stale: dict[str, Any]
) -> None:
    job = await _added(store, a_job())

    assert not await store.save(job.with_(**stale), job.with_(failure="late"))

    assert await store.job(job.id) == job


async def test_of_many_saves_from_one_version_exactly_one_lands(store: SqlJobStore) -> None:
    job = await _added(store, a_job())
    rivals = [job.with_(attempts=n) for n in range(20)]

    landed = await asyncio.gather(*(store.save(job, rival) for rival in rivals))

    assert landed.count(True) == 1
    assert await store.job(job.id) == rivals[landed.index(True)].with_(version=1)


async def test_a_job_is_not_saved_as_another(store: SqlJobStore) -> None:
    job = await _added(store, a_job())
    with pytest.raises(ValueError, match="cannot be saved as"):
        await store.save(job, a_job())


@pytest.mark.parametrize("state", [JobState.DELIVERING, JobState.COMPLETED])
async def test_a_result_never_changes(store: SqlJobStore, state: JobState) -> None:
    job = await _added(store, a_delivering_job().with_(state=state))

    assert not await store.save(job, job.with_(result="better"))
    assert not await store.save(job, job.with_(result=None))

    assert await store.job(job.id) == job


async def test_a_job_that_failed_gets_no_result_any_more(store: SqlJobStore) -> None:
    failed = await _added(store, a_job(state=JobState.FAILED, failure="timeout"))

    assert not await store.save(failed, failed.with_(result="at last"))


async def test_the_payment_goes_on_after_the_result(store: SqlJobStore) -> None:
    delivering = await _added(store, a_delivering_job())
    payment = replace(_payment(delivering), attention="disputed")

    assert await store.save(delivering, delivering.with_(payment=payment))

    assert await store.job(delivering.id) == delivering.with_(payment=payment, version=1)


async def test_one_payment_never_gets_two_hashes(store: SqlJobStore) -> None:
    job = await _added(store, a_delivering_job(sent_hash="d" * 64))
    for other in ("e" * 64, ""):
        changed = replace(_payment(job), sent_hash=other)
        assert not await store.save(job, job.with_(payment=changed))
    assert not await store.save(job, job.with_(payment=None))

    assert await store.job(job.id) == job


async def test_a_payment_keeps_its_blockchain_identifier(store: SqlJobStore) -> None:
    job = await _added(store, a_job(payment=a_payment("ab" * 600)))
    for changed in (a_payment("cd" * 600), replace(_payment(job), facts=None), None):
        assert not await store.save(job, job.with_(payment=changed))

    assert await store.job(job.id) == job


async def test_two_jobs_never_share_a_blockchain_identifier(store: SqlJobStore) -> None:
    await _added(store, a_job(payment=a_payment("ab" * 600)))
    second = await _added(store, a_job(payment=Payment("Preprod")))

    assert not await store.save(second, second.with_(payment=a_payment("ab" * 600)))
    assert not await store.add(a_job(payment=a_payment("ab" * 600)), LAUNCH)

    assert await store.job(second.id) == second


async def test_a_write_whose_caller_is_cancelled_is_carried_to_its_end(
    url: str, clock: ManualClock
) -> None:
    job = a_job()
    store = await SqlJobStore.open(url, clock)
    adding = asyncio.create_task(store.add(job, LAUNCH))
    await asyncio.sleep(0)
    adding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await adding
    await store.aclose()

    async with await SqlJobStore.open(url, clock) as again:
        assert await again.job(job.id) == job


async def _added(store: SqlJobStore, job: Job) -> Job:
    assert await store.add(job, LAUNCH)
    return job


def _payment(job: Job) -> Payment:
    assert job.payment is not None
    return job.payment
