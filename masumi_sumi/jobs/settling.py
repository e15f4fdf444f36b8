"""What asks a payment node: payments are followed to their end, and results handed in."""

from __future__ import annotations

import asyncio
import logging

from masumi_sumi.clock import Clock
from masumi_sumi.errors import (
    NodeConflict,
    NodeError,
    NodeFailed,
    NodeNotConfigured,
    NodeNotFound,
    NodeUnreachable,
    RecoveryUnsafe,
)
from masumi_sumi.jobs import events
from masumi_sumi.jobs.deadlines import last_deadline
from masumi_sumi.jobs.model import Job, JobState, Payment, PaymentFacts, SourceType
from masumi_sumi.jobs.policy import Policy
from masumi_sumi.jobs.ports import Escrow, JobStore
from masumi_sumi.jobs.standing import gave_up_sending, lost_hash
from masumi_sumi.jobs.transitions import Transitions, each

log = logging.getLogger(__name__)

NODE_PATIENCE = 360.0
"""Seconds after payByTime within which the node itself declares a payment unpaid (it takes 300)."""

FOLLOW_UP = 3600.0
"""Seconds between direct looks at a payment that nothing else brought to its end."""

PATIENCE = 24 * 3600.0
"""Seconds after the last of its deadlines from which on a payment is looked at daily, and given up
if its node does not know it."""

RETRY_FIRST, RETRY_MOST = 2.0, 60.0

UNSAFE_PAUSE = 600.0
"""Seconds until it is looked at again whether a node can be asked safely to send a hash again."""

RESEND_PAUSE, MOST_RESENDS = 120.0, 5
"""Seconds after the first time that a node was asked to send a hash again, doubled with each, and
how often it is asked: what makes it fail, as an empty wallet, often takes a while to mend."""

NODE_STOPS_SENDING = 300.0
"""Seconds before submitResultTime from which on the node sends no hash."""

SENT_AT_ONCE = 20

NODE_TROUBLE = (NodeError, NodeNotConfigured)
"""A node that does not do what it is asked, or that is not among the settings any more."""


class Settling:
    """The payments of one network; a node that is slow or away holds up no other's."""

    def __init__(
        self,
        store: JobStore,
        transitions: Transitions,
        escrow: Escrow,
        clock: Clock,
        policy: Policy,
        network: str,
    ) -> None:
        self._store, self._transitions, self._policy = store, transitions, policy
        self._escrow, self._clock, self._network = escrow, clock, network
        self._polled_at = 0.0
        self._looked_at = 0.0

    # --- following -----------------------------------------------------------------------------

    async def follow_payments(self) -> None:
        """Hear of every change, all payments of a (network, source type) together."""
        now = self._clock.now()
        if now - self._polled_at < self._policy.polls.get(self._network, self._policy.poll):
            return
        self._polled_at = now
        for network, source in await self._store.open_payments():
            if network != self._network:
                continue
            try:
                await self._follow(network, source)
            except NODE_TROUBLE as error:
                log.warning("payments cannot be followed", extra={"note": str(error)})

    async def _follow(self, network: str, source: SourceType) -> None:
        cursor = await self._store.cursor(network, source)
        changes = await self._escrow.changes(network, source, cursor)
        views = {view.blockchain_identifier: view for view in changes.views}

        async def seen(job: Job) -> None:
            view = views[_payment(job).blockchain_identifier]
            await self._resend(await self._transitions.apply(job.id, events.PaymentSeen(view)))

        broken = await each(await self._store.by_blockchain_identifier(views.keys()), seen)
        if changes.cursor is not None and changes.cursor != cursor and not broken:
            await self._store.keep_cursor(network, source, changes.cursor)

    async def look_at_one(self) -> None:
        """A direct look at the payment that has been due for one the longest."""
        now = self._clock.now()
        if now - self._looked_at < self._policy.look_every:
            return
        for job in await self._store.payments_to_look_at(self._network, now, 1):
            self._looked_at = now
            if await each([job], self._look):
                await self._store.schedule_look(job.id, now + RETRY_MOST)

    async def _look(self, job: Job) -> None:
        payment, now = _payment(job), self._clock.now()
        try:
            view = await self._escrow.look(payment.network, payment.blockchain_identifier)
        except NODE_TROUBLE as error:
            log.warning("payment cannot be looked at", extra={"job_id": job.id, "note": str(error)})
            away = isinstance(error, NodeNotConfigured)
            await self._store.schedule_look(job.id, now + (FOLLOW_UP if away else RETRY_MOST))
            return
        if view is not None:
            job = await self._transitions.apply(job.id, events.PaymentSeen(view))
        elif now >= (last_deadline(job) or now) + PATIENCE:
            job = await self._transitions.apply(job.id, events.PaymentForgotten())
        closed = _facts(job).times.pay_by / 1000 + NODE_PATIENCE
        is_unseen = view is None or view.on_chain_state is None
        if job.state is JobState.AWAITING_PAYMENT and now >= closed and is_unseen:
            job = await self._transitions.apply(job.id, events.PayWindowClosed())
        await self._store.schedule_look(job.id, _next_look(job, now))
        if view is not None:
            await self._resend(job)

    async def _resend(self, job: Job) -> None:
        """Once for each failure to bring a hash on chain, in growing intervals, while in time."""
        now, payment = self._clock.now(), job.payment
        if payment is None or not _can_resend(job, now):
            return
        if now < payment.next_try:
            await self._store.schedule_look(job.id, payment.next_try)
            return
        send = self._escrow.submit if lost_hash(payment) else self._escrow.resubmit
        failure = payment.view.changed_at if payment.view else ""
        try:
            await send(payment.network, payment.blockchain_identifier, payment.sent_hash)
        except RecoveryUnsafe as error:
            again_at = now + UNSAFE_PAUSE
            unsafe = events.ResendUnsafe(failure, again_at, str(error), error.advice)
            await self._transitions.apply(job.id, unsafe)
            await self._store.schedule_look(job.id, again_at)
            return
        except (NodeUnreachable, NodeFailed, NodeNotConfigured) as error:
            log.warning("hash was not sent again", extra={"job_id": job.id, "note": str(error)})
            await self._store.schedule_look(job.id, now + RETRY_MOST)
            return
        except NodeError as error:
            log.warning("node will not resend", extra={"job_id": job.id, "note": str(error)})
        again_at = now + RESEND_PAUSE * 2**payment.resent
        await self._transitions.apply(job.id, events.ResultResent(failure, again_at))

    # --- delivering ----------------------------------------------------------------------------

    async def send_results(self) -> None:
        """Hand in the hashes whose next try has come."""
        now = self._clock.now()
        due = await self._store.results_to_send(self._network, now, SENT_AT_ONCE)
        await asyncio.gather(*(each([job], self._send) for job in due))

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
            await self._transitions.apply(job.id, events.ResultTaken())

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
            await self._transitions.apply(job.id, events.ResultHopeless(late))

    async def _looked_at_again(self, job: Job) -> Job:
        payment = _payment(job)
        view = await self._escrow.look(payment.network, payment.blockchain_identifier)
        if view is None:
            return job
        return await self._transitions.apply(job.id, events.PaymentSeen(view))

    async def _try_again(self, job: Job, reason: str) -> None:
        doublings = min(_payment(job).tries, 10)
        wait = min(RETRY_FIRST * 2**doublings, RETRY_MOST)
        again = events.ResultNotTaken(reason, self._clock.now() + wait)
        await self._transitions.apply(job.id, again)


def _next_look(job: Job, now: float) -> float | None:
    if job.payment is None or job.payment.state.ended:
        return None
    closed = _facts(job).times.pay_by / 1000 + NODE_PATIENCE
    if job.state is JobState.AWAITING_PAYMENT and now < closed:
        return closed
    late = now >= (last_deadline(job) or now) + PATIENCE
    return now + (PATIENCE if late else FOLLOW_UP)


def _can_resend(job: Job, now: float) -> bool:
    payment = _payment(job)
    if payment.facts is None or payment.view is None:
        return False
    if not gave_up_sending(payment) and not lost_hash(payment):
        return False
    is_new = payment.view.changed_at != payment.resent_for and payment.resent < MOST_RESENDS
    in_time = now < payment.facts.times.submit_result / 1000 - NODE_STOPS_SENDING
    return job.state is JobState.COMPLETED and is_new and in_time


def _payment(job: Job) -> Payment:
    assert job.payment is not None, f"job {job.id} has no payment"
    return job.payment


def _facts(job: Job) -> PaymentFacts:
    facts = _payment(job).facts
    assert facts is not None, f"the payment of job {job.id} is not open"
    return facts
