"""The loop around the rules: look at the world, ask the machine, carry out its orders.

One process owns it. Every step may die anywhere; the next pass finds the row and goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from masumi_sumi.clock import Clock
from masumi_sumi.errors import SellerBusy, SellerUnavailable, UnknownJob
from masumi_sumi.jobs import events
from masumi_sumi.jobs.model import Job, JobState, Launch, PaymentFacts, PaymentOrder
from masumi_sumi.jobs.policy import Policy
from masumi_sumi.jobs.ports import Escrow, JobStore, Journal, Launcher
from masumi_sumi.jobs.purging import Purging
from masumi_sumi.jobs.running import Running
from masumi_sumi.jobs.settling import NODE_TROUBLE, Settling
from masumi_sumi.jobs.transitions import NETWORKS, Transitions, each
from masumi_sumi.jobs.unpaid import Openings, UnpaidLimits

OPENED_AT_LEAST = 2.0
"""Seconds that the node has to open a payment, however late it is asked."""

FREE_QUEUE_PAUSE = 30.0
"""Seconds after which a stranger may try again to start a free job when too many wait."""


Add = Callable[[Job, Launch], Awaitable[bool]]


class Reconciler:
    """Brings every job to its end, in loops that never wait for each other: what concerns runners
    (``mind_jobs``), and the payments of each network (``mind_payments``), goes on while another
    network's node is slow to answer. ``wake``, and ``wake_payments`` by network, are set when
    there may be something to do at once.
    """

    def __init__(
        self,
        store: JobStore,
        escrow: Escrow,
        launcher: Launcher,
        journal: Journal,
        clock: Clock,
        policy: Policy,
    ) -> None:
        self._store, self._escrow = store, escrow
        self._journal, self._clock, self._policy = journal, clock, policy
        moves = self._transitions = Transitions(store, launcher, journal, clock)
        self._settling = {
            network: Settling(store, moves, escrow, clock, policy, network) for network in NETWORKS
        }
        self._running = Running(store, moves, launcher, journal, clock, policy)
        self._purging = Purging(store, journal, clock, policy)
        self._adding = asyncio.Lock()
        self._opening: dict[str, asyncio.Task[Job]] = {}
        self._unpaid = UnpaidLimits(store, policy)
        self._openings = Openings(policy.openings_at_once)
        self.apply = moves.apply
        self.wake, self.wake_payments = moves.wake, moves.wake_payments

    async def start(self, job: Job, launch: Launch) -> Job:
        """Take a job in; when it is priced, with its payment opened. May be called again.

        Raises NodeError, NodeNotConfigured or SellerUnavailable when the payment could not be
        opened; the job has failed then, or will. Raises SellerBusy, and takes nothing in, while
        too many payments are being opened or wait for their buyers.
        """
        opening = self._opening.get(job.id)
        if opening is None:
            opening = asyncio.create_task(self._start(job, launch))
            self._opening[job.id] = opening
            opening.add_done_callback(lambda _: self._opening.pop(job.id, None))
        return await asyncio.shield(opening)

    async def _start(self, job: Job, launch: Launch) -> Job:
        if job.payment is None:
            return await self._take_in(job, launch, self._add_free)
        if job.state is not JobState.REQUESTED:
            return await self._take_in(job, launch, self._store.add)
        is_known = await self._store.job(job.id) is not None
        if not is_known:
            await self._unpaid.check(job)
        seconds = self._time_to_open(job) - OPENED_AT_LEAST
        async with self._openings.place(job.terms.network, job.caller, seconds):
            add = self._store.add if is_known else self._unpaid.add
            return await self._take_in(job, launch, add)

    async def _take_in(self, job: Job, launch: Launch, add: Add) -> Job:
        if not await add(job, launch):
            job = await self._known(job.id)
        if job.payment is None:
            self.wake.set()
            await self._journal.opened(job, launch)
            return job
        if job.state is not JobState.REQUESTED:
            return _with_its_payment(job)
        try:
            facts = await self._escrow.open(_order_of(job), self._time_to_open(job))
        except NODE_TROUBLE as error:
            await self.apply(job.id, events.PaymentNotOpened(str(error)))
            raise
        return await self._opened(job, facts)

    async def _add_free(self, job: Job, launch: Launch) -> bool:
        """Store a job; False when it is there already. Raises SellerBusy for one too many."""
        async with self._adding:
            waiting = await self._store.count_free_queued(job.app_url)
            if waiting >= self._policy.free_queue and await self._store.job(job.id) is None:
                raise SellerBusy(f"{waiting} free jobs wait already", FREE_QUEUE_PAUSE)
            return await self._store.add(job, launch)

    def _time_to_open(self, job: Job) -> float:
        """Seconds: what checking the input has taken of the time to start is the buyer's too."""
        left = job.created_at + self._policy.start_timeout - self._clock.now()
        return max(left, OPENED_AT_LEAST)

    async def _known(self, job_id: str) -> Job:
        job = await self._store.job(job_id)
        if job is None:
            raise UnknownJob(job_id)
        return job

    async def _opened(self, job: Job, facts: PaymentFacts) -> Job:
        opened = _with_its_payment(await self.apply(job.id, events.PaymentOpened(facts)))
        await self._store.schedule_look(job.id, facts.times.pay_by / 1000)
        return opened

    async def run_once(self) -> None:
        """One pass over everything that may be due."""
        for network in NETWORKS:
            await self.mind_payments(network)
        await self.mind_jobs()
        await self.mind_storage()

    async def mind_storage(self) -> None:
        """Whatever keeps the disk from filling up."""
        await self._purging.purge()

    async def mind_payments(self, network: str) -> None:
        """Whatever asks the payment node of a network."""
        settling = self._settling[network]
        await settling.follow_payments()
        await settling.look_at_one()
        await settling.send_results()

    async def mind_jobs(self) -> None:
        """Whatever needs the store and the runners only."""
        await self._give_up_unopened()
        await self._running.mind_deadlines()
        await self._running.grant_slots()
        await self._running.watch_runners()

    async def _give_up_unopened(self) -> None:
        overdue = self._clock.now() - 2 * self._policy.start_timeout
        found = await self._store.in_state([JobState.REQUESTED], 100, not_in=self._opening)
        await each((job for job in found if job.created_at < overdue), self._give_up)

    async def _give_up(self, job: Job) -> None:
        await self.apply(job.id, events.PaymentNotOpened("interrupted at the start"))

    async def close(self) -> None:
        """Let go of the runners that are watched; they run on."""
        openings = list(self._opening.values())
        for task in openings:
            task.cancel()
        await asyncio.gather(self._running.close(), *openings, return_exceptions=True)


def _with_its_payment(job: Job) -> Job:
    """Raises SellerUnavailable for a priced job whose payment was never opened."""
    if job.payment is not None and job.payment.facts is None:
        raise SellerUnavailable("the payment of this job was interrupted while it was opened")
    return job


def _order_of(job: Job) -> PaymentOrder:
    terms = job.terms
    return PaymentOrder(
        network=terms.network,
        agent_identifier=terms.agent_identifier,
        identifier_from_purchaser=job.identifier,
        input_hash=job.input_hash,
        pay_by=job.created_at + terms.pay_by,
        submit_by=job.created_at + terms.submit_by,
        price=terms.price,
        source_index=terms.source_index,
        metadata=f'{{"job_id":"{job.id}"}}',
    )
