"""The loop around the rules: look at the world, ask the machine, carry out its orders.

One process owns it. Every step may die anywhere; the next pass finds the row and goes on.
Payment events are told before the state that implies them is saved, and told once by step, so
none is missing after a crash. Runners are stopped after it.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Literal
from weakref import WeakValueDictionary

from masumi_sumi import hashing
from masumi_sumi.clock import Clock
from masumi_sumi.errors import (
    NodeConflict,
    NodeError,
    NodeNotConfigured,
    NodeNotFound,
    SellerUnavailable,
    UnknownJob,
)
from masumi_sumi.flows import error_text, result_text
from masumi_sumi.jobs import events
from masumi_sumi.jobs.machine import decide, result_due
from masumi_sumi.jobs.model import Job, JobState, Launch, Payment, PaymentFacts, PaymentOrder
from masumi_sumi.jobs.ports import Escrow, JobStore, Journal, Launcher, Outcome, RunnerGone

log = logging.getLogger(__name__)

NODE_PATIENCE = 360.0
"""Seconds after payByTime within which the node itself declares a payment unpaid (it takes 300)."""

FOLLOW_UP = 3600.0
"""Seconds between direct looks at a payment that nothing else brought to its end."""

RETRY_FIRST, RETRY_MOST = 2.0, 60.0

NODE_TROUBLE = (NodeError, NodeNotConfigured)
"""A node that does not do what it is asked, or that is not among the settings any more."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator decides about running and delivering. Times in seconds."""

    runners_at_once: int
    result_form: Literal["escaped", "raw"] = "escaped"
    poll: float = 2.0
    look_every: float = 2.0  # at most one direct look in this time
    start_timeout: float = 12.0


class Reconciler:
    """Brings every job to its end, in two loops that never wait for each other: what concerns
    runners (``mind_jobs``) goes on while a payment node is slow to answer (``mind_payments``).
    ``wake`` and ``wake_payments`` are set when there may be something to do at once.
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
        self._store, self._escrow, self._launcher = store, escrow, launcher
        self._journal, self._clock, self._policy = journal, clock, policy
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._opening: dict[str, asyncio.Task[Job]] = {}
        self._watching: dict[str, asyncio.Task[None]] = {}
        self._polled_at = 0.0
        self._looked_at = 0.0
        self.wake = asyncio.Event()
        self.wake_payments = asyncio.Event()

    # --- starting ------------------------------------------------------------------------------

    async def start(self, job: Job, launch: Launch) -> Job:
        """Take a job in; when it is priced, with its payment opened. May be called again.

        Raises NodeError, NodeNotConfigured or SellerUnavailable when the payment could not be
        opened; the job has failed then, or will.
        """
        opening = self._opening.get(job.id)
        if opening is None:
            opening = asyncio.create_task(self._start(job, launch))
            self._opening[job.id] = opening
            opening.add_done_callback(lambda _: self._opening.pop(job.id, None))
        return await asyncio.shield(opening)

    async def _start(self, job: Job, launch: Launch) -> Job:
        if not await self._store.add(job, launch):
            job = await self._job(job.id)
        if job.state is not JobState.REQUESTED:
            self.wake.set()
            await self._journal.opened(job, launch)
            return _with_its_payment(job)
        told = asyncio.create_task(self._journal.opened(job, launch))
        try:
            facts = await self._escrow.open(_order_of(job))
        except NODE_TROUBLE as error:
            await told
            await self.apply(job.id, events.PaymentNotOpened(str(error)))
            raise
        await told
        return await self._opened(job, facts)

    async def _opened(self, job: Job, facts: PaymentFacts) -> Job:
        opened = _with_its_payment(await self.apply(job.id, events.PaymentOpened(facts)))
        await self._store.schedule_look(job.id, facts.times.pay_by / 1000)
        return opened

    # --- the only writer of states -------------------------------------------------------------

    async def apply(self, job_id: str, event: events.Event) -> Job:
        """Decide on an event and carry the decision out; returns the job as it is then."""
        async with self._locks.setdefault(job_id, asyncio.Lock()):
            job = await self._job(job_id)
            decision = decide(job, event, self._clock.now())
            for order in decision.orders:
                await self._tell(decision.job, order)
            if decision.job is not job:
                if not await self._store.save(job, decision.job):
                    log.error("write refused by a newer row", extra={"job_id": job_id})
                    return await self._job(job_id)
                log.info(
                    "job moved",
                    extra={"job_id": job_id, "was": job.state, "now": decision.job.state},
                )
            for order in decision.orders:
                await self._act(decision.job, order)
        self._wake_for(decision.job)
        return await self._job(job_id)

    def _wake_for(self, job: Job) -> None:
        if job.state is JobState.QUEUED:
            self.wake.set()
        elif job.state is JobState.DELIVERING:
            self.wake_payments.set()

    async def _tell(self, job: Job, order: events.Order) -> None:
        match order:
            case events.TellPayment(step):
                await self._journal.payment(job, step)
            case events.TellStatus(status, error):
                await self._journal.status(job, status, error)

    async def _act(self, job: Job, order: events.Order) -> None:
        match order:
            case events.StopRunner():
                await self._launcher.stop(job.id)
            case events.Warn(note):
                log.warning("job needs attention", extra={"job_id": job.id, "note": note})

    async def _job(self, job_id: str) -> Job:
        job = await self._store.job(job_id)
        if job is None:
            raise UnknownJob(job_id)
        return job

    # --- one pass ------------------------------------------------------------------------------

    async def run_once(self) -> None:
        """One pass over everything that may be due."""
        await self.mind_payments()
        await self.mind_jobs()

    async def mind_payments(self) -> None:
        """Whatever asks a payment node."""
        await self._follow_payments()
        await self._look_at_one()
        await self._send_results()

    async def mind_jobs(self) -> None:
        """Whatever needs the store and the runners only."""
        await self._give_up_unopened()
        await self._mind_deadlines()
        await self._grant_slots()
        await self._watch_runners()

    async def _give_up_unopened(self) -> None:
        for job in await self._store.in_state([JobState.REQUESTED], 100, not_in=self._opening):
            if self._clock.now() > job.created_at + 2 * self._policy.start_timeout:
                await self.apply(job.id, events.PaymentNotOpened("interrupted at the start"))

    async def _follow_payments(self) -> None:
        now = self._clock.now()
        if now - self._polled_at < self._policy.poll:
            return
        self._polled_at = now
        for network, source in await self._store.open_payments():
            try:
                cursor = await self._store.cursor(network, source)
                changes = await self._escrow.changes(network, source, cursor)
            except NODE_TROUBLE as error:
                log.warning("payments cannot be followed", extra={"note": str(error)})
                continue
            views = {view.blockchain_identifier: view for view in changes.views}
            for job in await self._store.by_blockchain_identifier(views.keys()):
                view = views[_payment(job).blockchain_identifier]
                await self.apply(job.id, events.PaymentSeen(view))
            if changes.cursor is not None and changes.cursor != cursor:
                await self._store.keep_cursor(network, source, changes.cursor)

    async def _look_at_one(self) -> None:
        now = self._clock.now()
        if now - self._looked_at < self._policy.look_every:
            return
        for job in await self._store.payments_to_look_at(now, 1):
            self._looked_at = now
            await self._look(job)

    async def _look(self, job: Job) -> None:
        payment, now = _payment(job), self._clock.now()
        try:
            view = await self._escrow.look(payment.network, payment.blockchain_identifier)
        except NODE_TROUBLE as error:
            log.warning("payment cannot be looked at", extra={"job_id": job.id, "note": str(error)})
            await self._store.schedule_look(job.id, now + RETRY_MOST)
            return
        if view is not None:
            job = await self.apply(job.id, events.PaymentSeen(view))
        closed = _pay_by(job) + NODE_PATIENCE
        if job.state is JobState.AWAITING_PAYMENT and now >= closed:
            job = await self.apply(job.id, events.PayWindowClosed())
        ended = job.payment is None or job.payment.state.ended
        awaiting = job.state is JobState.AWAITING_PAYMENT
        later = closed if awaiting and now < closed else now + FOLLOW_UP
        await self._store.schedule_look(job.id, None if ended else later)

    async def _mind_deadlines(self) -> None:
        now = self._clock.now()
        for state in (JobState.QUEUED, JobState.LAUNCHING, JobState.RUNNING):
            for job in await self._store.in_state([state], 1000):
                if _is_too_late(job, now):
                    await self.apply(job.id, events.TimeRanOut())

    async def _grant_slots(self) -> None:
        taken = await self._store.count([JobState.LAUNCHING, JobState.RUNNING])
        free = self._policy.runners_at_once - taken
        if free <= 0:
            return
        now = self._clock.now()
        for job in await self._store.in_state([JobState.QUEUED], free):
            if not _is_too_late(job, now):  # funds may have come in since the deadlines were minded
                self._watch(await self.apply(job.id, events.SlotGranted()))

    async def _watch_runners(self) -> None:
        live = (JobState.LAUNCHING, JobState.RUNNING)
        for job in await self._store.in_state(live, 1000, not_in=self._watching):
            self._watch(job)

    async def _send_results(self) -> None:
        due = await self._store.results_to_send(self._clock.now(), 20)
        await asyncio.gather(*(self._send(job) for job in due))

    # --- running -------------------------------------------------------------------------------

    def _watch(self, job: Job) -> None:
        if job.id in self._watching or job.state not in (JobState.LAUNCHING, JobState.RUNNING):
            return
        task = asyncio.create_task(self._see_through(job))
        self._watching[job.id] = task
        task.add_done_callback(lambda _: self._unwatch(job.id))

    def _unwatch(self, job_id: str) -> None:
        task = self._watching.pop(job_id)
        if task.cancelled():
            return
        if error := task.exception():  # taken up again by the next pass, not at once
            log.error("watching a runner broke", extra={"job_id": job_id}, exc_info=error)
            return
        self.wake.set()

    async def _see_through(self, job: Job) -> None:
        """From the launch, or from wherever it is, to the stored outcome."""
        try:
            if job.state is JobState.LAUNCHING:
                await self._launcher.launch(job, await self._store.launch(job.id))
            outcome = await self._launcher.outcome(job.id)
        except RunnerGone as gone:
            final = await self._journal.final(job)
            if final is None:
                await self.apply(job.id, events.RunnerLost(gone.reason))
                return
            outcome = Outcome(final=final)
        await self.apply(job.id, self._ended(job, outcome))
        await self._launcher.release(job.id)

    def _ended(self, job: Job, outcome: Outcome) -> events.Event:
        if outcome.final is None:
            return events.WorkFailed(error_text(outcome.error or "the job ended without a result"))
        text = result_text(outcome.final)
        paid = job.payment is not None
        digest = hashing.result_hash(job.identifier, text, self._policy.result_form) if paid else ""
        return events.WorkFinished(outcome.final, text, digest)

    # --- delivering ----------------------------------------------------------------------------

    async def _send(self, job: Job) -> None:
        if self._clock.now() * 1000 >= _facts(job).times.submit_result:
            await self._settle_late(job)
            return
        payment = _payment(job)
        network, name = payment.network, payment.blockchain_identifier
        try:
            await self._escrow.submit(network, name, payment.sent_hash)
        except (NodeNotFound, NodeConflict) as error:
            await self._settle_by_looking(job, str(error))
        except NODE_TROUBLE as error:
            await self._try_again(job, str(error))
        else:
            await self.apply(job.id, events.ResultTaken())

    async def _settle_by_looking(self, job: Job, refusal: str) -> None:
        """A refusal may mean that the hash is there already: the node knows, not we."""
        try:
            job = await self._looked_at_again(job)
        except NODE_TROUBLE as error:
            await self._try_again(job, str(error))
            return
        if job.state is JobState.DELIVERING:
            await self._try_again(job, refusal)

    async def _settle_late(self, job: Job) -> None:
        """Too late to hand the hash in, but the node may have taken it without our knowing."""
        try:
            job = await self._looked_at_again(job)
        except NODE_TROUBLE as error:
            if self._clock.now() * 1000 < _facts(job).times.unlock:
                await self._try_again(job, str(error))
                return
        if job.state is JobState.DELIVERING:
            late = _payment(job).attention or "the node did not take the result in time"
            await self.apply(job.id, events.ResultHopeless(late))

    async def _looked_at_again(self, job: Job) -> Job:
        payment = _payment(job)
        view = await self._escrow.look(payment.network, payment.blockchain_identifier)
        return job if view is None else await self.apply(job.id, events.PaymentSeen(view))

    async def _try_again(self, job: Job, reason: str) -> None:
        doublings = min(_payment(job).tries, 10)
        wait = min(RETRY_FIRST * 2**doublings, RETRY_MOST)
        again = events.ResultNotTaken(reason, self._clock.now() + wait)
        await self.apply(job.id, again)

    # --- the end -------------------------------------------------------------------------------

    async def close(self) -> None:
        """Let go of the runners that are watched; they run on."""
        tasks = [*self._watching.values(), *self._opening.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _with_its_payment(job: Job) -> Job:
    """Raises SellerUnavailable for a priced job whose payment was never opened."""
    if job.payment is not None and job.payment.facts is None:
        raise SellerUnavailable("the payment of this job was interrupted while it was opened")
    return job


def _payment(job: Job) -> Payment:
    assert job.payment is not None, f"job {job.id} has no payment"
    return job.payment


def _facts(job: Job) -> PaymentFacts:
    facts = _payment(job).facts
    assert facts is not None, f"the payment of job {job.id} is not open"
    return facts


def _is_too_late(job: Job, now: float) -> bool:
    due = result_due(job)
    return due is not None and now >= due


def _pay_by(job: Job) -> float:
    return _facts(job).times.pay_by / 1000


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
