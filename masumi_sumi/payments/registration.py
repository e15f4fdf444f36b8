"""What a registry says of an agent: its names, its address, and what each of its sources costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from masumi_sumi.errors import NodeUnreadable
from masumi_sumi.jobs.model import Amount, Pricing
from masumi_sumi.payments.wire import Fund, parse

CONFIRMED = ("RegistrationConfirmed", "UpdateConfirmed")
"""States in which a registration is on chain."""


@dataclass(frozen=True, slots=True)
class Offered:
    """One price of a registered agent. ``price`` only where it is Fixed."""

    pricing: Pricing
    price: tuple[Amount, ...] = ()


@dataclass(frozen=True, slots=True)
class Registration:
    """What is said of an agent. ``offers`` by source index; a V1 agent has one.

    ``indexed`` agents, those of Web3CardanoV2, are paid under an index. ``state`` and
    ``selling_vkey`` are said by the node that registered the agent, not by the chain.
    ``invented``: a sandbox made it up, so that its name and address are nobody's.
    """

    agent_identifier: str
    name: str
    url: str
    offers: tuple[Offered | None, ...]
    indexed: bool = False
    state: str = ""
    selling_vkey: str = ""
    invented: bool = False

    def offer(self, index: int | None) -> Offered | None:
        """The price of a source; None where nothing is said that can be paid here."""
        if index is None:
            return self.offers[0] if len(self.offers) == 1 else None
        return self.offers[index] if index < len(self.offers) else None

    def places(self, pricing: Pricing) -> list[int]:
        """The indices of the sources that are priced so."""
        offers = enumerate(self.offers)
        return [index for index, offer in offers if offer and offer.pricing == pricing]


def on_chain(call: str, data: object, network: str, agent_identifier: str) -> Registration:
    """``data`` of GET /registry/agent-identifier. Raises NodeUnreadable for another agent's."""
    row = parse(call, _OnChain, data)
    if row.agent_identifier != agent_identifier:
        raise NodeUnreadable(call, "it answered of another agent")
    said = row.metadata.registration(agent_identifier, network)
    return replace(said, invented=row.invented)


def own(call: str, data: object, network: str, agent_identifier: str) -> Registration | None:
    """The agent in ``data`` of GET /registry; None where the node did not register it."""
    for asset in parse(call, _Own, data).assets:
        if asset.agent_identifier == agent_identifier:
            return asset.sold(agent_identifier, network)
    return None


# --- wire --------------------------------------------------------------------------------------


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Pricing(_Answer):
    """V1 lists {amount, unit} under Pricing, V2 lists {amount, asset} under fixed."""

    kind: str = Field(alias="pricingType")
    v1: list[Mapping[str, Any]] | None = Field(None, alias="Pricing")
    v2: list[Mapping[str, Any]] | None = Field(None, alias="fixed")

    def offered(self) -> Offered | None:
        match self.kind:
            case "Dynamic" | "Free":
                return Offered(self.kind)
            case "Fixed":
                parts = [_fund(part) for part in (self.v1 or self.v2 or [])]
                price = tuple(Amount(fund.amount, fund.unit) for fund in parts)
                return Offered("Fixed", price) if price else None
            case _:
                return None


class _Source(_Answer):
    chain: str = ""
    network: str = ""
    pricing: _Pricing | None = None

    def offered(self, network: str) -> Offered | None:
        here = self.chain == "Cardano" and self.network in ("", network)
        return self.pricing.offered() if here and self.pricing else None


class _Priced(_Answer):
    name: str = ""
    url: str = Field("", alias="apiBaseUrl")
    pricing: _Pricing | None = Field(None, alias="AgentPricing")
    sources: list[_Source] | None = Field(None, alias="supportedPaymentSources")

    def registration(
        self, agent_identifier: str, network: str, *, state: str = "", selling_vkey: str = ""
    ) -> Registration:
        offers = [source.offered(network) for source in self.sources or ()]
        if not self.sources:
            offers = [self.pricing.offered() if self.pricing else None]
        return Registration(
            agent_identifier,
            self.name,
            self.url,
            tuple(offers),
            indexed=bool(self.sources),
            state=state,
            selling_vkey=selling_vkey,
        )


class _OnChain(_Answer):
    agent_identifier: str = Field(alias="agentIdentifier")
    invented: bool = False
    metadata: _Priced = Field(alias="Metadata")


class _Wallet(_Answer):
    vkey: str = Field("", alias="walletVkey")


class _Asset(_Priced):
    agent_identifier: str | None = Field(None, alias="agentIdentifier")
    state: str = ""
    wallet: _Wallet | None = Field(None, alias="SmartContractWallet")

    def sold(self, agent_identifier: str, network: str) -> Registration:
        vkey = self.wallet.vkey if self.wallet else ""
        return self.registration(agent_identifier, network, state=self.state, selling_vkey=vkey)


class _Own(_Answer):
    assets: list[_Asset] = Field(alias="Assets")


def _fund(part: Mapping[str, Any]) -> Fund:
    named = {"amount": part.get("amount"), "unit": part.get("unit", part.get("asset"))}
    return parse("the price of an agent", Fund, named)
