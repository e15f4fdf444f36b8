"""The order of the queue, its limits, and runners that never start; over a real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from ready_made import ready_made
from shopkeeper import LAUNCH, Seller

from masumi_sumi.clock import ManualClock
from masumi_sumi.errors import SellerBusy
from masumi_sumi.jobs.model import JobState, PaymentState
from masumi_sumi.jobs.policy import Policy
from masumi_sumi.jobs.store import SqlJobStore
from masumi_sumi.jobs.store.migration import HISTORY
from masumi_sumi.sandbox import Sandbox

S, P = JobState, PaymentState


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


async def use(seller: Seller, policy: Policy) -> None:
    seller.policy = policy
    await seller.restart()


async def test_a_funded_job_passes_all_free_ones_that_wait(seller: Seller) -> None:
    await use(seller, Policy(runners_at_once=1))
    seller.stage.plays = lambda job_id: None
    for _ in range(5):
        await seller.start(seller.a_job(free=True))
    await seller.passes(1)
    [running] = seller.stage.begun
    paid = await seller.sold()
    seller.pay(paid)
    await seller.passes(1)

    seller.stage.finish(running)
    await seller.passes(1)

    assert seller.stage.begun == [running, paid.id]


async def test_the_earliest_deadline_goes_first(seller: Seller) -> None:
    await use(seller, Policy(runners_at_once=1))
    seller.stage.plays = lambda job_id: None
    first = await seller.sold(submit_by=30_000.0)
    later = await seller.sold(submit_by=28_000.0)
    soon = await seller.sold(submit_by=20_000.0)
    for job in (first, later, soon):
        seller.pay(job)
    await seller.passes(1)

    for job in (soon, later):
        seller.stage.finish(job.id)
        await seller.passes(1)

    assert seller.stage.begun == [soon.id, later.id, first.id]


async def test_free_jobs_keep_places_open_for_funded_ones(seller: Seller) -> None:
    await use(seller, Policy(runners_at_once=4))
    seller.stage.plays = lambda job_id: None
    for _ in range(6):
        await seller.start(seller.a_job(free=True))
    await seller.passes(2)
    assert await seller.store.count([S.RUNNING]) == 2

    paid = await seller.sold()
    seller.pay(paid)
    await seller.passes(1)

    assert await seller.stands(paid) == (S.RUNNING, P.LOCKED)


async def test_a_full_queue_of_free_jobs_takes_no_more(seller: Seller) -> None:
    await use(seller, Policy(runners_at_once=1, max_free_queue=3))
    seller.stage.plays = lambda job_id: None
    seller.stage.refuses = "nothing can start"
    taken = [seller.a_job(free=True) for _ in range(3)]
    starts = [seller.start(job) for job in (*taken, seller.a_job(free=True))]

    answers = await asyncio.gather(*starts, return_exceptions=True)

    assert [type(answer) for answer in answers].count(SellerBusy) == 1
    assert await seller.store.count(list(S)) == 3
    # the same call again, as Ray makes it, is the same job and no new one
    [accepted, *_] = await seller.store.in_state([S.QUEUED, S.LAUNCHING], 1)
    assert (await seller.reconciler.start(accepted, LAUNCH)).id == accepted.id
    # paid work is taken all the same
    assert (await seller.sold()).payment is not None


async def test_an_app_whose_runners_never_start_does_not_hold_up_another(seller: Seller) -> None:
    await use(seller, Policy(runners_at_once=8, launches_at_once=3))
    seller.stage.starting = asyncio.get_running_loop().create_future()
    for _ in range(8):
        job = await seller.start(seller.a_job().with_(app_url="http://app/stuck"))
        seller.pay(job)
    await seller.passes(3)
    assert len(seller.stage.made) == 2
    seller.stage.starting = None

    other = await seller.start(seller.a_job().with_(app_url="http://app/fine"))
    seller.pay(other)
    await seller.passes(2)

    assert await seller.stands(other) == (S.COMPLETED, P.RESULT_SENT)


async def test_a_runner_that_does_not_start_is_stopped_and_made_again(seller: Seller) -> None:
    await use(seller, Policy(runners_at_once=1, launch_timeout=120.0))
    starting = asyncio.get_running_loop().create_future()
    seller.stage.starting = starting
    job = await seller.sold()
    seller.pay(job)
    await seller.passes(1)
    assert await seller.stands(job) == (S.LAUNCHING, P.LOCKED)
    seller.advance(110)
    await seller.passes(1)
    assert seller.stage.stopped == []

    seller.advance(10)
    seller.stage.starting = None
    await seller.passes(1)
    assert seller.stage.stopped == [job.id]
    assert await seller.stands(job) == (S.QUEUED, P.LOCKED)
    await seller.passes(3)

    assert await seller.stands(job) == (S.COMPLETED, P.RESULT_SENT)
    starting.set_result(None)  # the first runner wakes up at last, and may not begin
    await seller.idle()
    assert seller.stage.begun == [job.id]


async def test_a_runner_that_never_starts_fails_its_job_in_the_end(seller: Seller) -> None:
    await use(seller, Policy(runners_at_once=1, launch_timeout=120.0))
    seller.stage.starting = asyncio.get_running_loop().create_future()
    job = await seller.start(seller.a_job(free=True))

    for _ in range(8):
        await seller.passes(2)
        seller.advance(121)
    await seller.passes(1)

    assert await seller.stands(job) == (S.FAILED, None)
    assert len(seller.stage.stopped) == 4
