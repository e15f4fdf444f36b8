"""Who runs first, and what keeps one app or the free jobs from holding up the others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from ready_made import ready_made
from shopkeeper import LAUNCH, Seller

from masumi_sumi.clock import ManualClock
from masumi_sumi.errors import SellerBusy
from masumi_sumi.jobs.machine import LAUNCH_TRIES
from masumi_sumi.jobs.model import Job, JobState, Launch
from masumi_sumi.jobs.policy import Policy
from masumi_sumi.jobs.store import SqlJobStore
from masumi_sumi.jobs.store.migration import HISTORY
from masumi_sumi.sandbox import Sandbox

S = JobState
OTHER = "http://host/other"


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
        seller.stage.plays = lambda job_id: None
        yield seller
        await seller.restart()


async def with_policy(seller: Seller, **policy: Any) -> None:
    seller.policy = Policy(**{"runners_at_once": 4, **policy})
    await seller.restart()


async def free(seller: Seller, **changes: Any) -> Job:
    return await seller.start(seller.a_job(free=True).with_(**changes))


async def test_funded_jobs_start_before_free_ones_that_waited_longer(seller: Seller):
    await with_policy(seller, runners_at_once=2)
    waiting = [await free(seller) for _ in range(5)]
    late = await seller.sold(submit_by=40_000.0)
    early = await seller.sold()
    for job in (late, early):
        seller.pay(job)

    await seller.passes(1)

    assert seller.stage.made == [early.id, late.id]
    assert {(await seller.now(job)).state for job in waiting} == {S.QUEUED}


async def test_free_jobs_leave_half_of_the_slots_to_funded_ones(seller: Seller):
    waiting = [await free(seller) for _ in range(9)]
    await seller.passes(2)
    assert len(seller.stage.made) == 2

    job = await seller.sold()
    seller.pay(job)
    await seller.passes(1)

    assert (await seller.now(job)).state is S.RUNNING
    assert len({job.id for job in waiting} & set(seller.stage.made)) == 2


async def test_free_jobs_beyond_the_queue_are_refused_and_leave_nothing(seller: Seller):
    await with_policy(seller, runners_at_once=2, free_queue=3)
    kept = [await free(seller) for _ in range(3)]

    refused = seller.a_job(free=True)
    with pytest.raises(SellerBusy) as busy:
        await seller.start(refused)

    assert busy.value.retry_after > 0
    assert await seller.store.job(refused.id) is None
    assert not seller.execution(refused).exists()
    assert (await seller.start(kept[0])).id == kept[0].id  # a call that is repeated
    assert await free(seller, app_url=OTHER)
    job = await seller.sold()
    assert (await seller.now(job)).state is S.AWAITING_PAYMENT


async def test_app_whose_runners_never_start_holds_up_no_other(seller: Seller):
    await with_policy(seller, launches_at_once=4)
    starting = seller.stage.starting = seller.new_future()
    hanging = [await seller.sold() for _ in range(6)]
    other = seller.a_job().with_(app_url=OTHER)
    await seller.start(other)
    for job in [*map(seller.now, hanging), seller.now(other)]:
        seller.pay(await job)
    await seller.passes(1)
    assert other.id in seller.stage.made
    assert len(seller.stage.made) < 5

    starting.set_result(None)
    await seller.passes(1)
    assert (await seller.now(other)).state is S.RUNNING


async def test_runner_that_never_starts_is_stopped_and_its_job_fails_in_the_end(seller: Seller):
    seller.stage.starting = seller.new_future()
    job = await free(seller)
    await seller.passes(2)
    assert (await seller.now(job)).state is S.LAUNCHING

    await seller.passes(1, every=110)
    assert (await seller.now(job)).state is S.LAUNCHING
    await seller.passes(1, every=20)
    assert (await seller.now(job)).state in (S.QUEUED, S.LAUNCHING)
    assert seller.stage.stopped == [job.id]
    await seller.passes(2 * LAUNCH_TRIES, every=121)

    found = await seller.now(job)
    assert (found.state, found.failure) == (S.FAILED, "the job could not be started")
    assert found.attempts == LAUNCH_TRIES
    assert seller.stage.runs == {}


async def test_runner_whose_environment_is_built_has_more_time(seller: Seller):
    seller.stage.starting = seller.new_future()
    job = seller.a_job(free=True)
    await seller.reconciler.start(job, Launch(LAUNCH.spec, {"pip": ["torch"]}, LAUNCH.meta))
    await seller.passes(2)

    await seller.passes(1, every=500)
    assert seller.stage.stopped == []
    await seller.passes(1, every=101)

    assert seller.stage.stopped == [job.id]
