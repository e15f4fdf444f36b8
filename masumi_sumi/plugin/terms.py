"""What an author says about the sale of a flow, what an operator says over it, and both settled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from masumi_sumi.errors import SettingInvalid, TermsIncomplete
from masumi_sumi.jobs.model import Amount, Pricing, SourceType, Terms
from masumi_sumi.settings import Settings

Price = int | str | Mapping[str, int] | Sequence[Mapping[str, Any]]
"""Lovelace, or amounts by unit, or MIP-style [{"amount", "unit"}]."""


class FlowTerms(BaseModel):
    """Terms of one flow, all optional. Times in seconds from the job's start.

    A flow with an ``agent_identifier`` is for sale (``Fixed`` price, from the registry, unless
    ``pricing`` says otherwise); one without is free.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    agent_identifier: str | None = None
    network: str | None = None
    pricing: Pricing | None = None
    price: Any = None  # Dynamic: a Price, or a function from the input data to one
    source_index: int | None = Field(None, ge=0, le=24)
    pay_by: float | None = Field(None, gt=0)
    submit_by: float | None = Field(None, gt=0)
    run: float | None = Field(None, gt=0)
    lock: float | None = Field(None, ge=0)
    repeats: int | None = Field(None, ge=0)
    demo: dict[str, Any] | None = None

    @field_validator("network")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value not in (None, "Preprod", "Mainnet"):
            raise ValueError("network is Preprod or Mainnet")
        return value

    @classmethod
    def of(cls, where: str, values: Mapping[str, Any]) -> Self:
        """Raises SettingInvalid naming the term and the rule."""
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"]) or "terms"
            raise SettingInvalid(f"{where}: {name}", first.get("input"), first["msg"]) from error

    def over(self, other: FlowTerms) -> FlowTerms:
        """These terms where they say something, the other's where they do not."""
        said = {name: value for name, value in self if value is not None}
        return other.model_copy(update=said)

    def settle(self, flow: str, settings: Settings, data: Any) -> Terms:
        """The terms of one job. Raises ConfigurationError when the flow cannot be sold so."""
        pricing: Pricing = self.pricing or ("Fixed" if self.agent_identifier else "Free")
        if pricing == "Free":
            return Terms(repeats=self.repeats or 0)
        network, agent = self._sale(flow)
        settings.node(network)
        times = settings.deadlines(
            network,
            f"flow {flow}",
            pay_by=self.pay_by,
            run=self.run,
            lock=self.lock,
            submit_by=self.submit_by,
        )
        return Terms(
            pricing=pricing,
            network=network,
            agent_identifier=agent,
            source_type=self._source_type(),
            source_index=self.source_index,
            price=self._price(flow, data) if pricing == "Dynamic" else (),
            pay_by=times.pay_by,
            submit_by=times.submit_by,
            run=times.run,
            repeats=self.repeats or 0,
        )

    def _sale(self, flow: str) -> tuple[str, str]:
        if not self.agent_identifier:
            raise TermsIncomplete(flow, "agent_identifier")
        if not self.network:
            raise TermsIncomplete(flow, "network")
        return self.network, self.agent_identifier

    def _source_type(self) -> SourceType:
        return "Web3CardanoV1" if self.source_index is None else "Web3CardanoV2"

    def _price(self, flow: str, data: Any) -> tuple[Amount, ...]:
        given = self.price(data) if isinstance(self.price, Callable) else self.price  # type: ignore[arg-type]
        amounts = _amounts(given)
        if not amounts:
            raise TermsIncomplete(flow, "price")
        return amounts


def _amounts(price: Any) -> tuple[Amount, ...]:
    if price is None:
        return ()
    if isinstance(price, int | str):
        return (Amount(str(price)),)
    if isinstance(price, Mapping):
        return tuple(Amount(str(amount), unit) for unit, amount in price.items())
    return tuple(Amount(str(part["amount"]), str(part.get("unit", ""))) for part in price)
