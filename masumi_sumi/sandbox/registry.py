"""Agents as the chain knows them: their price, who holds their NFT, whether their data is sound."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from masumi_sumi.sandbox.clock import iso
from masumi_sumi.sandbox.cuid import new_id
from masumi_sumi.sandbox.errors import Broken, Invalid, Missing
from masumi_sumi.sandbox.model import Fund
from masumi_sumi.sandbox.source import POLICY_LENGTH, PaymentSource

PricingType = Literal["Fixed", "Dynamic", "Free"]
Metadata = Literal["valid", "malformed", "missing"]
Holder = Literal["selling", "stranger", "nobody"]

REQUESTED, INITIATED, CONFIRMED = (
    "RegistrationRequested",
    "RegistrationInitiated",
    "RegistrationConfirmed",
)
TOKEN_NAME = re.compile(r"(?:[0-9a-fA-F]{2})+")

STATUS = {
    "Registered": (CONFIRMED,),
    "Deregistered": ("DeregistrationConfirmed",),
    "Pending": (REQUESTED, INITIATED),
    "Failed": ("RegistrationFailed", "DeregistrationFailed"),
}


@dataclass(frozen=True, slots=True)
class Pricing:
    """The price of an agent, or of one of its advertised sources. Only Fixed has funds."""

    type: PricingType = "Fixed"
    funds: tuple[Fund, ...] = (Fund("10000000", ""),)
    chain: Literal["Cardano", "EVM"] = "Cardano"


@dataclass(frozen=True, slots=True)
class Agent:
    """A registration. V1 agents have ``pricing``, V2 agents have ``offers`` by index.

    ``pricing`` None means metadata without a pricing block.
    """

    id: str
    identifier: str
    created_at: int
    updated_at: int
    name: str = "Sandbox Agent"
    api_base_url: str = "http://localhost:8000"
    description: str | None = None
    tags: tuple[str, ...] = ("sandbox",)
    author: str = "Sandbox"
    pricing: Pricing | None = Pricing()
    offers: tuple[Pricing, ...] = ()
    metadata: Metadata = "valid"
    holder: Holder = "selling"
    owner: str | None = None
    state: str = CONFIRMED

    @property
    def invented(self) -> bool:
        """Nobody registered it: its address and its name are no agent's."""
        return not self.id


class Registry:
    """``strict`` wants every agent registered; else each of a known policy costs 10 ADA, if a
    token could be named so on chain.
    """

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._agents: dict[str, Agent] = {}
        self.dirty: dict[str, Agent] = {}

    def add(self, agent: Agent) -> None:
        self._agents[agent.identifier] = agent
        self.dirty[agent.identifier] = agent

    def newest(self) -> list[Agent]:
        return sorted(self._agents.values(), key=lambda a: (a.created_at, a.id), reverse=True)

    def listed(self, identifier: str) -> Agent | None:
        """A registration of this node; unlike ``find`` it invents none."""
        return self._agents.get(identifier)

    def find(self, identifier: str, source: PaymentSource) -> Agent | None:
        agent = self._agents.get(identifier)
        if agent is not None:
            return agent if agent.state == CONFIRMED else None
        if self._strict or not TOKEN_NAME.fullmatch(identifier[POLICY_LENGTH:]):
            return None
        invented = Agent(id="", identifier=identifier, created_at=0, updated_at=0)
        return replace(invented, pricing=None, offers=(Pricing(),)) if source.is_v2 else invented

    def step(self, now: int) -> list[Agent]:
        """One block's progress of new registrations; the agents that moved."""
        following = {REQUESTED: INITIATED, INITIATED: CONFIRMED}
        moved = [
            replace(agent, state=following[agent.state], updated_at=now)
            for agent in self._agents.values()
            if agent.state in following
        ]
        for agent in moved:
            self.add(agent)
        return moved

    @property
    def is_moving(self) -> bool:
        return any(agent.state in (REQUESTED, INITIATED) for agent in self._agents.values())


def sold(agent: Agent | None) -> Agent:
    """The agent whose NFT is held by someone, or the real node's answer for one that is not."""
    if agent is None:
        raise Broken("Error fetching asset in wallet")
    if agent.holder == "nobody":
        raise Missing("Agent identifier not found")
    return agent


def check_metadata(agent: Agent) -> None:
    if agent.metadata == "missing":
        raise Missing("Agent registry metadata not found")
    if agent.metadata == "malformed":
        raise Missing("Agent registry metadata not valid")


def offer(agent: Agent, source: PaymentSource, index: int | None) -> Pricing:
    """The price that a payment of this agent goes by."""
    if not source.is_v2:
        if index is not None:
            raise Invalid(
                "V1 Cardano payments must not set supportedPaymentSourceIndex; "
                "pricing comes from AgentPricing"
            )
        if agent.pricing is None:
            raise Invalid("Selected payment source does not advertise valid Cardano pricing")
        return agent.pricing
    if index is None:
        raise Invalid(
            "V2 Cardano payments require supportedPaymentSourceIndex to select a priced "
            "Cardano source"
        )
    if index >= len(agent.offers):
        raise Invalid(f"supportedPaymentSourceIndex {index} is not advertised by this agent")
    if agent.offers[index].chain != "Cardano":
        raise Invalid(
            f"supportedPaymentSourceIndex {index} does not select a Cardano payment source"
        )
    return agent.offers[index]


def new_agent(now: int, identifier: str | None, source: PaymentSource, **rest: Any) -> Agent:
    """An agent under the source's policy; without an identifier it gets one of its own."""
    row_id = new_id(now)
    asset = hashlib.sha256(row_id.encode()).hexdigest()
    return Agent(row_id, identifier or source.policy_id + asset, now, now, **rest)


def asset_view(agent: Agent, source: PaymentSource) -> dict[str, Any]:
    """An element of ``data.Assets`` of GET /registry."""
    return {
        "error": None,
        "id": agent.id,
        "name": agent.name,
        "description": agent.description,
        "apiBaseUrl": agent.api_base_url,
        "Capability": {"name": None, "version": None},
        "Author": {
            "name": agent.author,
            "contactEmail": None,
            "contactOther": None,
            "organization": None,
        },
        "Legal": {"privacyPolicy": None, "terms": None, "other": None},
        "state": agent.state,
        "Tags": list(agent.tags),
        "createdAt": iso(agent.created_at),
        "updatedAt": iso(agent.updated_at),
        "lastCheckedAt": None,
        "ExampleOutputs": [],
        "agentIdentifier": agent.identifier if agent.state == CONFIRMED else None,
        "AgentPricing": None if source.is_v2 else _pricing_view(agent.pricing, ""),
        "sendFundingLovelace": None,
        "supportedPaymentSources": _offers_view(agent.offers, source) if source.is_v2 else None,
        "verifications": None,
        "SmartContractWallet": {
            "walletVkey": source.selling.vkey,
            "walletAddress": source.selling.address,
        },
        "RecipientWallet": None,
        "CurrentTransaction": None,
    }


def chain_view(agent: Agent, source: PaymentSource) -> dict[str, Any]:
    """``data`` of GET /registry/agent-identifier: what the NFT itself says.

    ``invented`` is this sandbox's own word: no real node has that field.
    """
    return {
        **({"invented": True} if agent.invented else {}),
        "policyId": agent.identifier[:POLICY_LENGTH],
        "assetName": agent.identifier[POLICY_LENGTH:],
        "agentIdentifier": agent.identifier,
        "Metadata": {
            "name": agent.name,
            "description": agent.description,
            "apiBaseUrl": agent.api_base_url,
            "ExampleOutputs": [],
            "Tags": list(agent.tags),
            "Capability": {"name": None, "version": None},
            "Author": {"name": agent.author},
            "Legal": {},
            "AgentPricing": None if source.is_v2 else _pricing_view(agent.pricing, "lovelace"),
            "image": "ipfs://none",
            "metadataVersion": 2 if source.is_v2 else 1,
            "supportedPaymentSources": (
                _offers_view(agent.offers, source) if source.is_v2 else None
            ),
            "verifications": None,
        },
    }


def _pricing_view(pricing: Pricing | None, ada: str) -> dict[str, Any] | None:
    if pricing is None:
        return None
    if pricing.type != "Fixed":
        return {"pricingType": pricing.type}
    priced = [{"amount": fund.amount, "unit": fund.unit or ada} for fund in pricing.funds]
    return {"pricingType": "Fixed", "Pricing": priced}


def _offers_view(offers: Sequence[Pricing], source: PaymentSource) -> list[dict[str, Any]]:
    return [
        {
            "chain": pricing.chain,
            "network": source.network,
            "paymentSourceType": source.type,
            "address": source.contract_address,
            "pricing": _offer_pricing_view(pricing),
        }
        for pricing in offers
    ]


def _offer_pricing_view(pricing: Pricing) -> dict[str, Any]:
    if pricing.type != "Fixed":
        return {"pricingType": pricing.type}
    fixed = [{"asset": fund.unit, "amount": fund.amount} for fund in pricing.funds]
    return {"pricingType": "Fixed", "fixed": fixed}
