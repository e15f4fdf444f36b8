"""One hire: pay, follow, answer, verify, and the money back where the seller does not deliver."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from masumi_sumi.buyer import records, results
from masumi_sumi.buyer.agent import AgentClient
from masumi_sumi.buyer.answers import Standing
from masumi_sumi.buyer.cautions import Caution, is_recent
from masumi_sumi.buyer.events import (
    Bought,
    Delivered,
    Event,
    Locked,
    Moved,
    Proven,
    Refunding,
    Troubled,
)
from masumi_sumi.buyer.purchases import Purchases, told
from masumi_sumi.buyer.records import Record
from masumi_sumi.buyer.talk import Ask, Talk
from masumi_sumi.buyer.terms import MINUTE, Terms
from masumi_sumi.buyer.watch import Watch, World
from masumi_sumi.errors import (
    AgentError,
    AgentRefused,
    AnswerUnverified,
    NodeError,
    NodeFailed,
    NodeRefused,
    NodeUnreachable,
    PurchaseFailed,
    RefundImpossible,
    ResultUnverified,
    SellerFailed,
)
from masumi_sumi.jobs.model import PaymentView

LOCK_GRACE = 10 * MINUTE
"""After payByTime: the node gives up five minutes after it, when it looks again."""

CHAIN_GRACE = 20 * MINUTE
"""After submitResultTime: what was submitted in time may need so long to be confirmed."""

FORGOTTEN = MINUTE
"""For how long an agent may say that it does not know the job."""

_ENDED_BADLY = ("FundsOrDatumInvalid",)
_WITHOUT_RESULT = ("RefundWithdrawn", "RefundAuthorized")


class Hire:
    """A job that was started. ``terms`` are verified, or None for a free job.

    ``deadline`` (epoch seconds) is until when the result is waited for. ``key`` is what the agent
    signs answers with, empty if it does not; ``vouched_at`` is when its wallet vouched for it.
    ``cautions`` speak against paying. A given ``bought`` is the purchase that was made before.
    """

    def __init__(
        self,
        agent: AgentClient,
        node: Purchases | None,
        world: World,
        record: Record,
        *,
        cautions: tuple[Caution, ...] = (),
        bought: PaymentView | None = None,
    ) -> None:
        self._agent, self._node, self._world = agent, node, world
        self._record, self._bought = record, bought
        self.job_id, self.identifier = record.job_id, record.identifier
        self.input_data, self.input_hash = record.input_data, record.input_hash
        self.terms, self.deadline = record.terms, record.deadline
        self.key, self.vouched_at = record.key, record.vouched_at
        self.cautions = cautions

    @property
    def is_bought(self) -> bool:
        """Whether the node has the purchase, as far as is known here."""
        return self._bought is not None

    def record(self) -> dict[str, Any]:
        """What ``Buyer.resume`` takes the hire up from, as JSON. Keep it before ``run``: it holds
        the input, and no token of the node.
        """
        return records.written(self._record.taken() if self.is_bought else self._record)

    async def run(self, ask: Ask) -> AsyncIterator[Event]:
        """Pay, follow, verify. When the seller fails, the refund is asked for before the error.

        Raises PurchaseFailed, PurchaseUnsettled, SellerFailed, AnswerUnverified,
        ResultUnverified, and what ``ask`` raises.
        """
        if self.terms is not None:
            yield await self.pay()
        try:
            async for event in self.follow(ask):
                yield event
        except (SellerFailed, AnswerUnverified, ResultUnverified) as failure:
            if self.terms is not None:
                yield await self._money_back(str(failure))
            raise

    async def pay(self) -> Bought:
        """Buy through the node; once, also when it is called again."""
        node, terms = self._paid()
        if self._bought is None:
            try:
                self._bought = await node.buy(terms.order)
            except NodeRefused as refusal:
                raise PurchaseFailed(str(refusal)) from refusal
        return Bought(self._bought.blockchain_identifier, told(self._bought))

    async def follow(self, ask: Ask) -> AsyncIterator[Event]:
        """From the purchase to the verified result."""
        if self.terms is not None:
            async for event in self._until_locked():
                yield event
        result = ""
        async for event in self._until_delivered(ask):
            yield event
            result = event.result if isinstance(event, Delivered) else result
        if self.terms is not None:
            async for event in self._until_proven(result):
                yield event

    async def request_refund(self, reason: str = "the buyer wants it") -> Refunding:
        """Raises NodeError, RefundImpossible."""
        node, terms = self._paid()
        order = terms.order
        view = await node.request_refund(order.network, order.blockchain_identifier)
        return Refunding(reason, told(view))

    async def _money_back(self, reason: str) -> Refunding | Troubled:
        try:
            return await self.request_refund(reason)
        except (NodeError, RefundImpossible) as error:
            return Troubled(f"the refund could not be asked for: {error}")

    # --- the node ------------------------------------------------------------------------------

    async def _until_locked(self) -> AsyncIterator[Event]:
        _, terms = self._paid()
        end = terms.times.pay_by / 1000 + LOCK_GRACE
        watch = Watch(self._world)
        while True:
            view = await self._purchase(watch)
            if watch.trouble:
                yield Troubled(watch.trouble)
            if view is not None and view.on_chain_state in _ENDED_BADLY:
                raise PurchaseFailed(told(view))
            if view is not None and view.on_chain_state is not None:
                yield Locked(view.blockchain_identifier)
                return
            if view is not None and view.error_type is not None:
                raise PurchaseFailed(told(view))
            if self._world.clock.now() > end:
                raise PurchaseFailed("the money was not locked by payByTime")
            await watch.pause()

    async def _until_proven(self, result: str) -> AsyncIterator[Event]:
        _, terms = self._paid()
        end = terms.times.submit_result / 1000 + CHAIN_GRACE
        watch = Watch(self._world)
        while True:
            view = await self._purchase(watch)
            if watch.trouble:
                yield Troubled(watch.trouble)
            if view is not None and view.result_hash:
                proof = self._proof(result, view.result_hash)
                await self._check_unchanged(result)
                yield proof
                return
            if view is not None and view.on_chain_state in _WITHOUT_RESULT:
                raise ResultUnverified(self.job_id, f"its hash is not on chain ({told(view)})")
            if self._world.clock.now() > end:
                raise ResultUnverified(self.job_id, "its hash did not come on chain in time")
            await watch.pause()

    def _proof(self, result: str, on_chain: str) -> Proven:
        form = results.form_of(self.identifier, result, on_chain)
        if form is None:
            reason = f"the hash on chain is {on_chain[:64]}, and this result has another"
            raise ResultUnverified(self.job_id, reason)
        return Proven(result, on_chain, form)

    async def _check_unchanged(self, result: str) -> None:
        """What was delivered stays delivered; an agent that is silent by now has not changed it."""
        try:
            standing = await self._agent.status(self.job_id)
        except AgentError:
            return
        if standing.result != result:
            reason = "the agent changed it after it was delivered"
            raise ResultUnverified(self.job_id, reason)

    async def _purchase(self, watch: Watch) -> PaymentView | None:
        """The purchase; None, with a trouble noted, when the node cannot say it now."""
        node, terms = self._paid()
        order = terms.order
        try:
            view = await node.look(order.network, order.blockchain_identifier)
        except (NodeUnreachable, NodeFailed) as error:
            watch.note(error)
            return None
        if view is None:
            raise PurchaseFailed("the node does not know the purchase")
        watch.saw((view.on_chain_state, view.action, view.result_hash))
        return view

    def _paid(self) -> tuple[Purchases, Terms]:
        if self._node is None or self.terms is None:
            raise RefundImpossible("nothing was paid")
        return self._node, self.terms

    # --- the agent -----------------------------------------------------------------------------

    async def _until_delivered(self, ask: Ask) -> AsyncIterator[Event]:
        watch = Watch(self._world)
        now, said_at = self._world.clock.now(), self.vouched_at
        vouched = said_at is not None and is_recent(said_at, now)
        talk = Talk(self._agent, self.job_id, self.identifier, ask, self.key, vouched)
        status = ""
        while True:
            standing = await self._standing(watch)
            if watch.trouble:
                yield Troubled(watch.trouble)
            if standing is not None and standing.status != status:
                status = standing.status
                yield Moved(standing.status)
            if standing is not None and standing.result is not None:
                yield Delivered(standing.result)
                return
            if standing is not None and standing.status == "failed":
                reason = standing.failure or "the agent says no reason"
                raise SellerFailed(self.job_id, reason)
            if standing is not None:
                async for event in talk.turn(standing):
                    yield event
            if self._world.clock.now() > self.deadline:
                raise SellerFailed(self.job_id, "no result came before the deadline")
            await watch.pause()

    async def _standing(self, watch: Watch) -> Standing | None:
        """Where the job stands; None, with a trouble noted, when the agent cannot say it now."""
        try:
            standing = await self._agent.status(self.job_id)
        except AgentError as error:
            since = watch.note(error)
            if isinstance(error, AgentRefused) and self._world.clock.now() - since > FORGOTTEN:
                raise SellerFailed(self.job_id, str(error)) from error
            return None
        watch.saw((standing.status, standing.status_id))
        return standing
