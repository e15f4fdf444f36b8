"""Strangers who open payments and never pay, beside jobs whose results must arrive."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from ready_made import ready_made
from shopkeeper import LAUNCH, Seller, name_of, times_of

from masumi_sumi.clock import ManualClock
from masumi_sumi.errors import SellerBusy, SumiError
from masumi_sumi.jobs.model import Job, JobState, PaymentState
from masumi_sumi.jobs.policy import Policy
from masumi_sumi.jobs.settling import NODE_PATIENCE
from masumi_sumi.jobs.store import SqlJobStore
from masumi_sumi.jobs.store.migration import HISTORY
from masumi_sumi.payments.client import NodeClient
from masumi_sumi.sandbox import Sandbox
from masumi_sumi.settings import NodeSettings

S, P = JobState, PaymentState
OPEN, SUBMIT = "POST /payment", "POST /payment/submit-result"
EACH = 0.085
"""Seconds that the real node takes for an opening: its ceiling is about 12 a second."""


class Busy(Seller):
    """A seller with connections of its own for each client of a node, as in earnest."""

    def connect(self, node: NodeSettings) -> NodeClient:
        return NodeClient(node.url, node.token, pauses=(0, 0))

    async def flood(self, count: int, every: float) -> list[Job | SumiError]:
        """Starts that nobody pays, one after each ``every`` seconds, from as many addresses."""

        async def one(number: int) -> Job | SumiError:
            await asyncio.sleep(number * every)
            job = self.a_job().with_(caller=f"203.0.113.{number}")
            try:
                return await self.reconciler.start(job, LAUNCH)
            except SumiError as error:
                return error

        return await asyncio.gather(*(one(number) for number in range(count)))


@pytest.fixture(scope="module")
def node() -> Iterator[Sandbox]:
    with Sandbox(frozen=True) as sandbox:
        yield sandbox


@pytest.fixture
async def seller(node: Sandbox, tmp_path: Path) -> AsyncIterator[Busy]:
    node.reset()
    clock = ManualClock(node.node.clock.now() / 1000)
    database = await ready_made(f"sqlite:///{tmp_path / 'sumi.db'}", HISTORY)
    async with (
        httpx.AsyncClient(trust_env=False, verify=False) as http,
        SqlJobStore(database, clock) as store,
    ):
        seller = Busy(tmp_path, node, store, clock, http)
        seller.policy = Policy(runners_at_once=4)
        await seller.restart()
        yield seller
        node.calm()
        await seller.restart()


async def refused(seller: Seller, caller: str = "", count: int = 1) -> list[SellerBusy]:
    """Start jobs of one caller until ``count`` of them were refused in a row."""
    busy: list[SellerBusy] = []
    while len(busy) < count:
        try:
            await seller.start(seller.a_job().with_(caller=caller))
        except SellerBusy as error:
            busy.append(error)
        else:
            busy.clear()
    return busy


# --- openings ----------------------------------------------------------------------------------


async def test_results_are_submitted_while_strangers_open_payments_faster_than_the_node_can(
    seller: Busy,
):
    seller.stage.plays = lambda job_id: None
    jobs = [await seller.sold() for _ in range(4)]
    for job in jobs:
        seller.pay(job)
    await seller.passes(3)
    seller.sandbox.throttle(EACH)
    flood = asyncio.create_task(seller.flood(300, every=1 / 60))
    await asyncio.sleep(3.0)

    for job in jobs:
        seller.stage.finish(job.id)
    began = time.monotonic()
    while await seller.store.count([S.COMPLETED]) < len(jobs):
        await seller.reconciler.mind_payments("Preprod")
        assert time.monotonic() - began < 5
        await asyncio.sleep(0.05)
    answers = await flood

    assert seller.asked(SUBMIT) == len(jobs)
    told = Counter(type(answer) for answer in answers)
    assert set(told) == {Job, SellerBusy}
    assert told[Job] > 20


async def test_only_a_few_payments_are_opened_at_once(seller: Busy):
    seller.sandbox.delay("POST", "/payment", seconds=0.3)
    flood = asyncio.create_task(seller.flood(30, every=0.0))
    await asyncio.sleep(0.15)

    assert seller.asked(OPEN) <= Policy(1).openings_at_once
    assert sum(isinstance(answer, Job) for answer in await flood) == 30


async def test_a_start_that_was_refused_left_nothing_behind(seller: Busy):
    seller.sandbox.delay("POST", "/payment", seconds=0.5)
    answers = await seller.flood(60, every=0.0)

    jobs = [answer for answer in answers if isinstance(answer, Job)]
    assert all(isinstance(answer, Job | SellerBusy) for answer in answers)
    assert len(jobs) < 60
    assert seller.asked(OPEN) == len(jobs)
    assert await seller.store.count(list(JobState)) == len(jobs)
    assert not (seller.folder / "admin").exists()  # nobody has paid yet


# --- unpaid jobs -------------------------------------------------------------------------------


async def test_a_caller_has_a_bounded_number_of_unpaid_jobs(seller: Busy):
    [busy] = await refused(seller, "203.0.113.9")

    assert await seller.store.count([S.AWAITING_PAYMENT]) == 17  # of 20, as the flow fills
    assert "pay them first" in str(busy)
    assert busy.retry_after > 0
    assert (await seller.start(seller.a_job().with_(caller="198.51.100.7"))).id


async def test_a_flow_has_a_bounded_number_of_unpaid_jobs_whoever_calls(seller: Busy):
    seller.policy = Policy(runners_at_once=4, unpaid_per_flow=5)
    await seller.restart()
    opened = seller.asked(OPEN)

    [busy] = await refused(seller)

    assert "5 jobs of this flow" in str(busy)
    assert seller.asked(OPEN) == opened + 5
    assert (await seller.start(seller.a_job().with_(flow="/other"))).id
    assert (await seller.start(seller.a_job().with_(app_url="http://other"))).id


async def test_starts_at_the_same_moment_do_not_overrun_the_limit(seller: Busy):
    seller.policy = Policy(runners_at_once=4, unpaid_per_flow=5)
    await seller.restart()

    answers = await seller.flood(30, every=0.0)

    assert sum(isinstance(answer, Job) for answer in answers) == 5
    assert await seller.store.count(list(JobState)) == 5


@pytest.mark.parametrize("ends", ["paid", "lapsed"])
async def test_a_job_that_waits_no_more_makes_room(seller: Busy, ends: str):
    seller.policy = Policy(runners_at_once=4, unpaid_per_flow=1)
    await seller.restart()
    job = await seller.start(seller.a_job().with_(caller="203.0.113.9"))
    await refused(seller)
    await seller.restart()
    await refused(seller)

    if ends == "paid":
        seller.pay(job)
    else:
        seller.advance_to(times_of(job).pay_by / 1000 + NODE_PATIENCE)
    await seller.passes(2)

    assert (await seller.start(seller.a_job())).id
    assert (await seller.now(job)).caller == ""


async def test_a_call_that_is_made_again_is_not_counted_twice(seller: Busy):
    seller.policy = Policy(runners_at_once=4, unpaid_per_flow=1)
    await seller.restart()
    job = seller.a_job()

    first = await seller.start(job)
    again = await seller.start(job)

    assert name_of(again) == name_of(first)


async def test_free_jobs_are_not_counted(seller: Busy):
    seller.policy = Policy(runners_at_once=1, unpaid_per_flow=1)
    await seller.restart()
    for _ in range(3):
        await seller.start(seller.a_job(free=True))

    assert (await seller.sold()).state is S.AWAITING_PAYMENT
