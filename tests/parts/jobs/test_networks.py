"""Sales on two networks at two nodes, sources of both generations, and nodes in error."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from shopkeeper import IDENTIFIER, RESULT, Seller, name_of, times_of

from masumi_sumi.clock import ManualClock
from masumi_sumi.db import Database, database_url
from masumi_sumi.hashing import result_hash
from masumi_sumi.jobs.model import Amount, Job, JobState, Lock, LockOutcome, PaymentState
from masumi_sumi.jobs.policy import Policy
from masumi_sumi.jobs.settling import FOLLOW_UP, MOST_RESENDS, PATIENCE
from masumi_sumi.jobs.store import SqlJobStore, migrate
from masumi_sumi.payments.client import NodeClient
from masumi_sumi.sandbox import Pricing, Sandbox
from masumi_sumi.settings import NodeSettings

S, P = JobState, PaymentState
HASH = result_hash(IDENTIFIER, RESULT)
RECOVERY = "POST /payment/error-state-recovery"
HOUR = 3600.0


class Wire(httpx.ASGITransport):
    """A node without a socket. While ``is_mute`` it takes requests and never answers."""

    def __init__(self, node: Sandbox) -> None:
        super().__init__(node.app)
        self.is_mute, self.asked = False, asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.is_mute:
            self.asked.set()
            await asyncio.get_running_loop().create_future()
        try:
            return await super().handle_async_request(request)
        except ConnectionError as error:
            raise httpx.ReadError(str(error)) from error


class TwoNodes(Seller):
    """``sandboxes`` and ``wires`` by network; ``agents`` are registered at each."""

    def __init__(self, sandboxes: dict[str, Sandbox], *rest: Any, **more: Any) -> None:
        self.sandboxes = sandboxes
        self.wires = {network: Wire(node) for network, node in sandboxes.items()}
        super().__init__(*rest, **more)
        self.networks = tuple(sandboxes)
        self.agents = {network: node.register() for network, node in sandboxes.items()}
        self.born()

    def nodes(self) -> dict[str, NodeSettings]:
        return {
            network: NodeSettings.model_validate(
                {"url": f"http://{network}.test/api/v1", "token": node.token}
            )
            for network, node in self.sandboxes.items()
            if network in self.networks
        }

    def connect(self, node: NodeSettings) -> NodeClient:
        network = node.url.removeprefix("http://").partition(".")[0]
        http = httpx.AsyncClient(transport=self.wires[network])
        return NodeClient(node.url, node.token, http, pauses=(0, 0))

    async def sold_on(self, network: str, **terms: Any) -> Job:
        agreed = {"network": network, "agent_identifier": self.agents[network], **terms}
        return await self.sold(**agreed)

    def pay_for(self, *jobs: Job) -> None:
        for job in jobs:
            node = self.sandboxes[job.terms.network]
            node.pay(name_of(job))
            node.mine()

    def mine(self) -> None:
        for node in self.sandboxes.values():
            node.mine(3)

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        for node in self.sandboxes.values():
            node.advance(seconds)


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("empty") / "sumi.db"
    asyncio.run(migrate(f"sqlite:///{file}"))
    return file


@pytest.fixture
async def seller(empty_store: Path, tmp_path: Path) -> AsyncIterator[TwoNodes]:
    networks = ("Preprod", "Mainnet")
    sandboxes = {network: Sandbox(network=network, frozen=True) for network in networks}
    clock = ManualClock(sandboxes["Preprod"].node.clock.now() / 1000)
    file = shutil.copy(empty_store, tmp_path / "sumi.db")
    database = await Database.writing(database_url(f"sqlite:///{file}"))
    async with SqlJobStore(database, clock) as store:
        rest = (tmp_path, sandboxes["Preprod"], store, clock, httpx.AsyncClient())
        seller = TwoNodes(sandboxes, *rest)
        yield seller
        await seller.restart()


# --- two networks ------------------------------------------------------------------------------


async def test_two_networks_are_sold_on_side_by_side(seller: TwoNodes):
    test, real = await seller.sold_on("Preprod"), await seller.sold_on("Mainnet")
    seller.pay_for(test, real)

    await seller.passes(2)
    seller.mine()
    await seller.passes(1)

    for job in (test, real):
        assert await seller.stands(job) == (S.COMPLETED, P.RESULT_CONFIRMED)
    assert seller.sandboxes["Mainnet"].node.ledger.find("payment", name_of(test)) is None


async def test_a_node_that_is_down_does_not_hurt_the_other_network(seller: TwoNodes):
    test, real = await seller.sold_on("Preprod"), await seller.sold_on("Mainnet")
    seller.pay_for(test, real)
    seller.sandboxes["Mainnet"].down()

    await seller.passes(2)
    assert await seller.stands(test) == (S.COMPLETED, P.RESULT_SENT)
    assert await seller.stands(real) == (S.AWAITING_PAYMENT, P.AWAITING_FUNDS)
    seller.sandboxes["Mainnet"].up()
    await seller.passes(2)

    assert await seller.stands(real) == (S.COMPLETED, P.RESULT_SENT)


async def test_a_node_that_never_answers_keeps_no_other_network_waiting(seller: TwoNodes):
    seller.stage.plays = lambda job_id: None
    test, real = await seller.sold_on("Preprod"), await seller.sold_on("Mainnet")
    seller.pay_for(test, real)
    mute = seller.wires["Mainnet"]
    mute.is_mute = True

    hanging = asyncio.create_task(seller.reconciler.mind_payments("Mainnet"))
    await mute.asked.wait()
    seller.advance(3)
    await seller.reconciler.mind_payments("Preprod")

    assert (await seller.now(test)).state is S.QUEUED
    assert not hanging.done()
    hanging.cancel()
    await asyncio.wait([hanging])


async def test_many_payments_at_a_dead_node_take_no_look_from_the_other_network(seller: TwoNodes):
    seller.policy = Policy(runners_at_once=4, poll=1e12)  # no change is told
    await seller.restart()
    real = [await seller.sold_on("Mainnet") for _ in range(3)]
    seller.advance(1)
    test = await seller.sold_on("Preprod")
    seller.sandboxes["Mainnet"].down()
    seller.advance_to(times_of(test).pay_by / 1000 + 400)
    assert (await seller.now(real[0])).state is S.AWAITING_PAYMENT

    await seller.passes(1)

    assert (await seller.now(test)).state is S.FAILED  # it was looked at: nobody paid


async def test_each_network_is_asked_as_often_as_its_node_wants(seller: TwoNodes):
    seller.policy = Policy(runners_at_once=4, polls={"Mainnet": 1e6})
    await seller.restart()
    test, real = await seller.sold_on("Preprod"), await seller.sold_on("Mainnet")
    await seller.passes(1)
    for node in seller.sandboxes.values():
        node.forget_requests()

    await seller.passes(3)

    asked = {name: node.requests() for name, node in seller.sandboxes.items()}
    assert asked == {"Preprod": {"GET /payment/diff": 3}, "Mainnet": {}}
    assert test.id != real.id


# --- sources of the second generation ----------------------------------------------------------


async def test_an_agent_of_the_second_generation_needs_no_index_in_its_terms(seller: TwoNodes):
    agent = seller.sandboxes["Mainnet"].register(version=2)
    job = await seller.sold_on("Mainnet", agent_identifier=agent)
    assert job.payment is not None
    assert job.payment.facts is not None
    assert (job.payment.facts.source_type, job.payment.facts.source_index) == ("Web3CardanoV2", 0)
    seller.pay_for(job)

    await seller.passes(2)
    seller.mine()
    await seller.passes(1)
    assert await seller.stands(job) == (S.COMPLETED, P.RESULT_CONFIRMED)
    seller.advance_to(times_of(job).unlock / 1000 + 660)
    await seller.passes(1)

    assert await seller.stands(job) == (S.COMPLETED, P.WITHDRAWN)


async def test_a_dynamic_price_is_asked_of_the_source_that_takes_one(seller: TwoNodes):
    offers = [Pricing("Fixed"), Pricing("Dynamic", ())]
    agent = seller.sandbox.register(version=2, offers=offers)
    price = (Amount("7000000"),)

    job = await seller.sold(agent_identifier=agent, pricing="Dynamic", price=price)

    assert job.payment is not None
    assert job.payment.facts is not None
    assert (job.payment.facts.source_index, job.payment.facts.price) == (1, price)


async def test_a_refund_of_the_second_generation_is_followed_to_its_end(seller: TwoNodes):
    agent = seller.sandbox.register(version=2)
    job = await seller.running(agent_identifier=agent, source_index=0)
    seller.sandbox.act(name_of(job), "request-refund")
    seller.sandbox.mine()
    await seller.passes(1)
    assert await seller.stands(job) == (S.RUNNING, P.REFUND_REQUESTED)

    node = seller.escrow.node("Preprod")
    await node.authorize_refund("Preprod", name_of(job))
    seller.sandbox.mine(3)
    await seller.passes(1)
    assert await seller.stands(job) == (S.RUNNING, P.REFUND_REQUESTED)
    seller.sandbox.act(name_of(job), "withdraw-refund")
    seller.sandbox.mine()
    await seller.passes(1)

    assert await seller.stands(job) == (S.FAILED, P.REFUNDED)
    assert seller.stage.stopped == [job.id]


# --- the node fails to bring a hash on chain ---------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
async def test_a_hash_that_the_node_failed_to_send_is_sent_again(seller: TwoNodes, version: int):
    agent = seller.sandbox.register(version=version)
    job = await seller.sold(agent_identifier=agent)
    seller.pay(job)
    seller.sandbox.spoil(note="timed out", broadcast=True)

    await seller.passes(2)
    seller.sandbox.mine()
    await seller.passes(1)
    seller.sandbox.mine(3)
    await seller.passes(1)

    assert seller.asked(RECOVERY) == 1
    assert await seller.stands(job) == (S.COMPLETED, P.RESULT_CONFIRMED)
    payment = (await seller.now(job)).payment
    assert payment is not None
    assert (payment.attention, payment.resent) == ("", 1)


async def test_a_hash_that_keeps_failing_is_sent_a_few_times_in_growing_intervals(
    seller: TwoNodes,
):
    job = await seller.sold()
    seller.pay(job)
    seller.sandbox.spoil(times=100, broadcast=True)
    await seller.passes(2)
    seller.sandbox.mine()
    await seller.passes(1)
    seller.sandbox.mine()

    await seller.passes(20)
    assert seller.asked(RECOVERY) == 1
    await seller.passes(30, every=120)

    assert seller.asked(RECOVERY) == MOST_RESENDS
    payment = (await seller.now(job)).payment
    assert payment is not None
    assert "failed" in payment.attention


async def test_a_repeat_that_got_lost_is_tried_again(seller: TwoNodes):
    job = await seller.sold()
    seller.pay(job)
    seller.sandbox.spoil(broadcast=True)
    seller.sandbox.fail("POST", "/payment/error-state-recovery", times=2)
    await seller.passes(2)
    seller.sandbox.mine()

    await seller.passes(4, every=61)

    assert seller.asked(RECOVERY) == 3
    assert await seller.stands(job) == (S.COMPLETED, P.RESULT_CONFIRMED)


async def test_a_hash_is_not_sent_again_when_the_node_sends_none_any_more(seller: TwoNodes):
    job = await seller.sold()
    seller.pay(job)
    seller.sandbox.spoil(broadcast=True)
    await seller.passes(2)
    seller.sandbox.mine()
    seller.advance_to(times_of(job).submit_result / 1000 - 299)

    await seller.passes(3)

    assert seller.asked(RECOVERY) == 0


# --- payments that nobody knows any more -------------------------------------------------------


async def test_a_payment_that_its_node_forgot_is_given_up_after_its_last_deadline(
    seller: TwoNodes,
):
    job = await seller.sold()
    seller.sandbox.reset()
    seller.sandbox.node.clock.offset = 0.0
    seller.clock.advance(times_of(job).external_dispute_unlock / 1000 - seller.clock.now())
    await seller.passes(1)
    assert await seller.stands(job) == (S.FAILED, P.AWAITING_FUNDS)

    await seller.passes(1, every=PATIENCE + FOLLOW_UP)
    assert await seller.stands(job) == (S.FAILED, P.FORGOTTEN)
    seller.sandbox.forget_requests()
    await seller.passes(3, every=2 * PATIENCE)

    assert seller.sandbox.requests() == {}


async def test_a_payment_that_never_ends_is_looked_at_once_a_day_in_the_end(seller: TwoNodes):
    job = await seller.running()
    seller.sandbox.force(name_of(job), "Disputed")
    seller.advance_to(times_of(job).external_dispute_unlock / 1000 + PATIENCE)
    await seller.passes(2)
    seller.sandbox.forget_requests()

    await seller.passes(24, every=HOUR)

    assert seller.asked("POST /payment/resolve-blockchain-identifier") == 1


# --- how long a run may take -------------------------------------------------------------------


async def test_a_run_ends_when_its_time_is_over(seller: TwoNodes):
    job = await seller.running(run=60.0)

    await seller.passes(1, every=59)
    assert (await seller.now(job)).state is S.RUNNING
    await seller.passes(1, every=2)

    assert await seller.stands(job) == (S.FAILED, P.LOCKED)
    assert seller.stage.stopped == [job.id]


async def test_waiting_for_an_answer_takes_no_time_of_a_run(seller: TwoNodes):
    job = await seller.running(run=60.0)
    now = seller.clock.now()
    await seller.store.open_lock(Lock("l", job.id, "which?", now + 9 * HOUR, now))

    await seller.passes(1, every=HOUR)
    assert (await seller.now(job)).state is S.RUNNING
    await seller.store.close_lock("l", LockOutcome.ANSWERED, "")
    await seller.passes(1, every=50)
    assert (await seller.now(job)).state is S.RUNNING
    await seller.passes(1, every=20)

    assert (await seller.now(job)).state is S.FAILED


async def test_a_free_run_has_the_sellers_limit_unless_its_terms_say_otherwise(
    seller: TwoNodes,
):
    seller.stage.plays = lambda job_id: None
    patient = await seller.start(seller.a_job(free=True, run=240 * HOUR))
    hasty = await seller.start(seller.a_job(free=True))
    await seller.passes(2)
    assert (await seller.now(hasty)).state is S.RUNNING

    await seller.passes(1, every=HOUR)

    assert (await seller.now(patient)).state is S.RUNNING
    assert (await seller.now(hasty)).state is S.FAILED
    assert (await seller.now(hasty)).failure == (
        "the job worked for longer than the 3600 s that it may"
    )
