"""Find, check, hire: up to the moment at which money could be paid, and not one step further."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from masumi_sumi import hashing
from masumi_sumi.buyer import terms, values
from masumi_sumi.buyer.agent import AgentClient
from masumi_sumi.buyer.answers import Availability, Bill, Started
from masumi_sumi.buyer.hire import Hire
from masumi_sumi.buyer.purchases import Purchases
from masumi_sumi.buyer.terms import DAY, Limits, Terms, Wanted
from masumi_sumi.buyer.watch import World
from masumi_sumi.errors import OfferUnavailable, TermsRefused
from masumi_sumi.flows.questions import Form
from masumi_sumi.payments.registration import Registration

PATIENCE = DAY
"""Seconds for which a free job is waited for; a paid one has a submitResultTime."""

IDENTIFIER_BYTES = 13
"""26 hex digits, the most that the node takes."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What an agent says of itself, and what the chain says of it where it is known there."""

    availability: Availability
    form: Form
    registration: Registration | None = None


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
        return Offer(availability, form, await self._registration(self._wanted or said))

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
        agreed = await self._terms(started.bill, wanted, offer) if started.bill else None
        if agreed is not None:
            terms.check_key(offer.availability, agreed)
        return self._hired(started, wanted, data, agreed, offer.availability.key)

    async def _terms(self, bill: Bill, wanted: Wanted, offer: Offer) -> Terms:
        if self._node is None:
            reason = "it is to be paid, and no payment node of this buyer is known"
            raise TermsRefused("payment", reason)
        registration = offer.registration
        agent = terms.agent_of(bill)
        if registration is None or registration.agent_identifier != agent:
            registration = await self._registration(agent)
        now = self._world.clock.now()
        return terms.check(bill, wanted, registration, self._limits, now)

    def _hired(
        self,
        started: Started,
        wanted: Wanted,
        data: Mapping[str, Any],
        agreed: Terms | None,
        key: str,
    ) -> Hire:
        end = self._world.clock.now() + self._patience
        return Hire(
            self._agent,
            self._node,
            self._world,
            job_id=started.job_id,
            identifier=wanted.identifier,
            input_data=data,
            input_hash=wanted.input_hash,
            terms=agreed,
            deadline=agreed.times.submit_result / 1000 if agreed else end,
            key=key,
        )

    async def _registration(self, agent_identifier: str) -> Registration | None:
        if self._node is None or not agent_identifier:
            return None
        return await self._node.registration(self._network, agent_identifier)
