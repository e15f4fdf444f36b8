"""Find, check, hire, take up again: up to the moment of paying, and not one step further."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from masumi_sumi import hashing
from masumi_sumi.buyer import cautions, records, terms, values
from masumi_sumi.buyer.agent import AgentClient
from masumi_sumi.buyer.answers import Availability, Bill, Started
from masumi_sumi.buyer.cautions import Caution
from masumi_sumi.buyer.hire import Hire
from masumi_sumi.buyer.purchases import Purchases
from masumi_sumi.buyer.records import Record
from masumi_sumi.buyer.terms import DAY, Limits, Terms, Wanted
from masumi_sumi.buyer.watch import World
from masumi_sumi.errors import HireUnresumable, NodeRefused, OfferUnavailable, TermsRefused
from masumi_sumi.flows.questions import Form
from masumi_sumi.jobs.model import PaymentView
from masumi_sumi.payments.registration import Registration
from masumi_sumi.payments.statements import Word

PATIENCE = DAY
"""Seconds for which a free job is waited for; a paid one has a submitResultTime."""

IDENTIFIER_BYTES = 13
"""26 hex digits, the most that the node takes."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What an agent says of itself, and what the chain says of it where it is known there.

    ``cautions`` are what speaks against it so far; a hire has its own.
    """

    availability: Availability
    form: Form
    registration: Registration | None = None
    cautions: tuple[Caution, ...] = ()


@dataclass(frozen=True, slots=True)
class _Agreed:
    """Terms that hold, the word of the wallet for the agent's key, and what speaks against it."""

    terms: Terms
    word: Word | None
    cautions: tuple[Caution, ...]


class Buyer:
    """Hires one agent. Without a ``node`` only free jobs can be hired.

    ``agent_identifier`` is the agent that is wanted, whatever the URL says; empty: the one there.
    ``token`` gives a fresh purchaser's identifier, hex, 14 to 26 digits.
    """

    def __init__(
        self,
        agent: AgentClient,
        node: Purchases | None = None,
        *,
        network: str = "Preprod",
        agent_identifier: str = "",
        limits: Limits | None = None,
        patience: float = PATIENCE,
        world: World | None = None,
        token: Callable[[], str] = lambda: secrets.token_hex(IDENTIFIER_BYTES),
    ) -> None:
        self._agent, self._node = agent, node
        self._network, self._wanted = network, agent_identifier
        self._limits, self._patience = limits or Limits(), patience
        self._world, self._token = world or World(), token

    async def offer(self) -> Offer:
        """Raises OfferUnavailable, TermsRefused for another agent than wanted, AgentError."""
        availability = await self._agent.availability()
        said = availability.agent_identifier
        if self._wanted and said and said.lower() != self._wanted.lower():
            raise TermsRefused("agent", "another agent than the wanted one is at this address")
        if not availability.available:
            raise OfferUnavailable(availability.message or "it says no reason")
        form = await self._agent.input_schema()
        registration = await self._registration(self._wanted or said)
        known = bool(self._node and (self._wanted or said))
        found = cautions.of_address(self._agent.url, registration) if known else ()
        return Offer(availability, form, registration, tuple(found))

    async def hire(self, offer: Offer, given: Mapping[str, Any]) -> Hire:
        """Start the job and verify its terms; nothing is paid yet.

        ``given`` are the answers by field id, in wire or in plain words. Raises FieldsInvalid
        before anything is sent; TermsRefused; AgentError; NodeError.
        """
        data = values.answers(offer.form, given)
        identifier = self._token()
        wanted = Wanted(
            network=self._network,
            identifier=identifier,
            input_hash=hashing.input_hash(identifier, data),
            agent_identifier=self._wanted or offer.availability.agent_identifier,
        )
        started = await self._agent.start_job(identifier, data)
        terms.check_hashes(started, wanted)
        if not started.bill:
            return self._hired(started, wanted, data, offer, None)
        agreed = await self._agreed(started.bill, wanted, offer)
        return self._hired(started, wanted, data, offer, agreed)

    async def resume(self, record: Mapping[str, Any]) -> Hire:
        """Take up a hire from its ``record()``, after its process died; nothing is paid yet.

        Its node is asked whether it has the purchase: ``run`` pays only what the node never had,
        and only terms that hold still, of a job that waits for the money. Raises HireUnresumable,
        TermsRefused, AgentError, NodeError.
        """
        kept = records.read(record)
        self._check_own(kept)
        bought = await self._purchase(kept)
        if kept.terms is None or bought is not None:
            return Hire(self._agent, self._node, self._world, kept, bought=bought)
        return await self._unpaid(kept, kept.terms)

    # --- terms ---------------------------------------------------------------------------------

    async def _agreed(self, bill: Bill, wanted: Wanted, offer: Offer) -> _Agreed:
        known = offer.registration
        registration, agreed = await self._terms(bill, wanted, known)
        now = self._world.clock.now()
        word = terms.check_key(offer.availability, agreed, now)
        found = (
            *cautions.of_address(self._agent.url, registration),
            *cautions.of_wallet(registration, agreed.order.seller_vkey),
            *cautions.of_key(offer.availability.key, word, now),
        )
        return _Agreed(agreed, word, found)

    async def _terms(
        self, bill: Bill, wanted: Wanted, known: Registration | None
    ) -> tuple[Registration | None, Terms]:
        if self._node is None:
            reason = "it is to be paid, and no payment node of this buyer is known"
            raise TermsRefused("payment", reason)
        agent = terms.agent_of(bill)
        if known is None or known.agent_identifier != agent:
            known = await self._registration(agent)
        now = self._world.clock.now()
        return known, terms.check(bill, wanted, known, self._limits, now)

    def _hired(
        self,
        started: Started,
        wanted: Wanted,
        data: Mapping[str, Any],
        offer: Offer,
        agreed: _Agreed | None,
    ) -> Hire:
        end = self._world.clock.now() + self._patience
        record = Record(
            agent_url=self._agent.url,
            node_url=self._node.url if self._node else "",
            network=self._network,
            job_id=started.job_id,
            identifier=wanted.identifier,
            input_data=data,
            input_hash=wanted.input_hash,
            terms=agreed.terms if agreed else None,
            deadline=agreed.terms.times.submit_result / 1000 if agreed else end,
            key=offer.availability.key,
            vouched_at=agreed.word.said_at if agreed and agreed.word else None,
        )
        found = agreed.cautions if agreed else ()
        return Hire(self._agent, self._node, self._world, record, cautions=found)

    async def _registration(self, agent_identifier: str) -> Registration | None:
        """With its wallet where the node registered it itself, and lets its key see that."""
        if self._node is None or not agent_identifier:
            return None
        said = await self._node.registration(self._network, agent_identifier)
        if said is None or said.invented:
            return said
        try:
            wallet = await self._node.selling_wallet(self._network, agent_identifier)
        except NodeRefused:
            return said
        return replace(said, selling_vkey=wallet)

    # --- taken up again ------------------------------------------------------------------------

    def _check_own(self, kept: Record) -> None:
        """Another node would not know the purchase, and could pay it a second time."""
        if kept.agent_url != self._agent.url:
            raise HireUnresumable(f"it is of the agent at {kept.agent_url}")
        node = self._node.url if self._node else ""
        if kept.terms and (kept.node_url, kept.network) != (node, self._network):
            reason = f"it is paid through the node {kept.node_url} of {kept.network} and no other"
            raise HireUnresumable(reason)

    async def _purchase(self, kept: Record) -> PaymentView | None:
        if self._node is None or kept.terms is None:
            return None
        identifier = kept.terms.order.blockchain_identifier
        bought = await self._node.look(kept.network, identifier)
        if bought is None and kept.bought:
            raise HireUnresumable("its node took the purchase and does not know it any more")
        return bought

    async def _unpaid(self, kept: Record, before: Terms) -> Hire:
        """All that was verified is verified again: a job may be gone, and time is."""
        order = before.order
        wanted = Wanted(kept.network, kept.identifier, kept.input_hash, order.agent_identifier)
        registration, now_agreed = await self._terms(terms.billed(order), wanted, None)
        standing = await self._agent.status(kept.job_id)
        if standing.status != "awaiting_payment":
            reason = f"it was not paid, and the agent says that it is {standing.status}"
            raise HireUnresumable(reason)
        found = (
            *cautions.of_address(self._agent.url, registration),
            *cautions.of_wallet(registration, order.seller_vkey),
        )
        fresh = replace(kept, terms=now_agreed)
        return Hire(self._agent, self._node, self._world, fresh, cautions=found)
