"""On what terms a flow is sold, as its own OpenAPI document tells the world."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from masumi_sumi.jobs.model import Pricing, Terms
from masumi_sumi.settings import Network

SALE = "x-masumi"
"""Where a flow's document has it: a name that OpenAPI leaves to others."""


class Sale(BaseModel):
    """What hangs on no input. A text is empty, and an index None, where the terms say nothing.

    ``body_bytes`` is what a request may need for the long fields of the flow's form; 0 without any.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True, extra="ignore")

    pricing: Pricing = Field(alias="pricingType")
    network: Network | Literal[""] = ""
    agent_identifier: str = Field("", alias="agentIdentifier")
    source_index: int | None = Field(None, alias="supportedPaymentSourceIndex")
    body_bytes: int = Field(0, alias="bodyBytes", ge=0)

    @classmethod
    def of(cls, terms: Terms, body_bytes: int = 0) -> Self:
        said = {
            "pricing": terms.pricing,
            "network": terms.network,
            "agent_identifier": terms.agent_identifier,
            "source_index": terms.source_index,
            "body_bytes": body_bytes,
        }
        return cls.model_validate(said)

    def told(self) -> dict[str, Any]:
        return self.model_dump(by_alias=True, exclude_defaults=True)
