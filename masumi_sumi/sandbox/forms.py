"""The requests the node takes: their fields, in the order in which the node complains."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from masumi_sumi.sandbox import schema
from masumi_sumi.sandbox.address import is_address_on
from masumi_sumi.sandbox.clock import HOUR
from masumi_sumi.sandbox.errors import Invalid
from masumi_sumi.sandbox.model import STATES, Fund
from masumi_sumi.sandbox.schema import Field
from masumi_sumi.sandbox.source import NETWORKS, TYPES

_DEFAULT_TIME = 12 * HOUR
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")

NETWORK = Field("network", schema.option(*NETWORKS))
IDENTIFIER = Field("blockchainIdentifier", schema.text(1, 8000))
ANY_IDENTIFIER = Field("blockchainIdentifier", schema.text(0, 8000))
AGENT = Field("agentIdentifier", schema.text(57, 250))
NONCE = Field("identifierFromPurchaser", schema.text(14, 26))
SOURCE_TYPE = Field("paymentSourceType", schema.option(*TYPES), optional=True)
SOURCE_INDEX = Field("supportedPaymentSourceIndex", schema.number(0, 24), optional=True)
HISTORY = Field("includeHistory", schema.flag, optional=True, default=False)
CONTRACT_FILTER = Field("filterSmartContractAddress", schema.text(), optional=True, nullable=True)
TYPE_FILTER = Field("filterPaymentSourceType", schema.option(*TYPES), optional=True)
METADATA = Field("metadata", schema.text(), optional=True)
FUND = schema.record(Field("amount", schema.text(0, 25)), Field("unit", schema.text(0, 150)))

INIT = (
    Field("inputHash", schema.text(0, 250)),
    NETWORK,
    AGENT,
    Field("RequestedFunds", schema.items(FUND, high=7), optional=True),
    Field("payByTime", schema.date, optional=True, default=_DEFAULT_TIME),
    Field("submitResultTime", schema.date, optional=True, default=_DEFAULT_TIME),
    Field("unlockTime", schema.date, optional=True),
    Field("externalDisputeUnlockTime", schema.date, optional=True),
    METADATA,
    Field("sellerReturnAddress", schema.text(0, 250), optional=True),
    SOURCE_TYPE,
    SOURCE_INDEX,
    NONCE,
)
SUBMIT = (
    NETWORK,
    Field(
        "submitResultHash",
        schema.text(
            64,
            64,
            lambda value: _SHA256.fullmatch(value) is not None,
            "submitResultHash must be a 64-char hex sha256 digest",
        ),
    ),
    IDENTIFIER,
)
ONE_ROW = (ANY_IDENTIFIER, NETWORK)
RECOVER = (
    Field("blockchainIdentifier", schema.text(1)),
    NETWORK,
    Field("updatedAt", schema.date),
    Field("retryPreviousAction", schema.boolean, optional=True, default=False),
)
RESOLVE = (NETWORK, IDENTIFIER, CONTRACT_FILTER, HISTORY)
PURCHASE = (
    ANY_IDENTIFIER,
    NETWORK,
    SOURCE_TYPE,
    Field("smartContractAddress", schema.text(0, 250), optional=True),
    Field("inputHash", schema.text(0, 250)),
    Field("sellerVkey", schema.text(0, 250)),
    AGENT,
    Field("Amounts", schema.items(FUND, high=7), optional=True),
    Field("unlockTime", schema.text()),
    Field("externalDisputeUnlockTime", schema.text()),
    Field("submitResultTime", schema.text()),
    Field("payByTime", schema.text()),
    METADATA,
    Field("buyerReturnAddress", schema.text(0, 250), optional=True),
    Field("sellerReturnAddress", schema.text(0, 250), optional=True),
    SOURCE_INDEX,
    NONCE,
)
_LIMIT = Field("limit", schema.number(1, 100, coerce=True), optional=True, default=10)
_CURSOR = Field("cursorId", schema.text(), optional=True)
LIST = (
    _LIMIT,
    _CURSOR,
    NETWORK,
    CONTRACT_FILTER,
    Field("filterOnChainState", schema.option(*STATES), optional=True),
    TYPE_FILTER,
    Field("filterNeedsManualAction", schema.flag, optional=True, default=False),
    Field("searchQuery", schema.text(), optional=True),
    HISTORY,
)
DIFF = (
    _LIMIT,
    _CURSOR,
    Field("lastUpdate", schema.date, optional=True, default=0),
    NETWORK,
    CONTRACT_FILTER,
    TYPE_FILTER,
    HISTORY,
)
REGISTRY_LIST = (
    _LIMIT,
    _CURSOR,
    NETWORK,
    CONTRACT_FILTER,
    TYPE_FILTER,
    Field("filterAgentIdentifier", schema.text(), optional=True),
    Field(
        "filterStatus",
        schema.option("Registered", "Deregistered", "Pending", "Failed"),
        optional=True,
    ),
    Field("searchQuery", schema.text(), optional=True),
)
ONE_AGENT = (AGENT, NETWORK)
_NAMED = schema.record(Field("name", schema.text(1, 250)))
REGISTER = (
    NETWORK,
    Field("sellingWalletVkey", schema.text(1, 250), optional=True),
    SOURCE_TYPE,
    Field("Tags", schema.items(schema.text(0, 63), low=1, high=15)),
    Field("name", schema.text(1, 250)),
    Field("apiBaseUrl", schema.text(1, 250)),
    Field("description", schema.text(0, 250), optional=True, nullable=True),
    Field(
        "AgentPricing",
        schema.record(
            Field("pricingType", schema.option("Fixed", "Dynamic", "Free")),
            Field("Pricing", schema.items(FUND, low=1, high=5), optional=True),
        ),
    ),
    Field("Author", _NAMED),
)
SOURCES = (
    Field("take", schema.number(1, 100, coerce=True), optional=True, default=10),
    _CURSOR,
)
PUBLISH = (
    Field("action", schema.option("VerifyAndPublishAgent")),
    Field("publicKey", schema.text(1, 1000)),
    AGENT,
)
REVEAL = (
    Field("signature", schema.text()),
    Field("key", schema.text()),
    Field("walletAddress", schema.text()),
    Field("validUntil", schema.number(0, 2**53)),
    Field("blockchainIdentifier", schema.text(0, 2500)),
    Field("action", schema.option("RevealData")),
)


@dataclass(frozen=True)
class Init:
    """POST /payment. Times are epoch milliseconds."""

    network: str
    agent_identifier: str
    input_hash: str
    nonce: str
    pay_by: int
    submit_result: int
    unlock: int
    dispute_unlock: int
    funds: tuple[Fund, ...] | None
    metadata: str | None
    seller_return: str | None
    source_type: str | None
    source_index: int | None

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Init:
        values = schema.read(INIT, body)
        _check_address(values, "sellerReturnAddress")
        submit, unlock = values["submitResultTime"], values["unlockTime"]
        dispute = values["externalDisputeUnlockTime"]
        return cls(
            network=values["network"],
            agent_identifier=values["agentIdentifier"],
            input_hash=values["inputHash"],
            nonce=values["identifierFromPurchaser"],
            pay_by=values["payByTime"],
            submit_result=submit,
            unlock=submit + 6 * HOUR if unlock is None else unlock,
            dispute_unlock=submit + 12 * HOUR if dispute is None else dispute,
            funds=_funds(values["RequestedFunds"]),
            metadata=values["metadata"],
            seller_return=values["sellerReturnAddress"],
            source_type=values["paymentSourceType"],
            source_index=values["supportedPaymentSourceIndex"],
        )


@dataclass(frozen=True)
class Purchase:
    """POST /purchase. Times stay text here: what is not a number is the node's own 500."""

    network: str
    identifier: str
    agent_identifier: str
    input_hash: str
    nonce: str
    seller_vkey: str
    pay_by: str
    submit_result: str
    unlock: str
    dispute_unlock: str
    amounts: tuple[Fund, ...] | None
    metadata: str | None
    buyer_return: str | None
    seller_return: str | None
    source_type: str | None
    source_index: int | None
    contract_address: str | None

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Purchase:
        values = schema.read(PURCHASE, body)
        _check_address(values, "buyerReturnAddress")
        _check_address(values, "sellerReturnAddress")
        return cls(
            network=values["network"],
            identifier=values["blockchainIdentifier"],
            agent_identifier=values["agentIdentifier"],
            input_hash=values["inputHash"],
            nonce=values["identifierFromPurchaser"],
            seller_vkey=values["sellerVkey"],
            pay_by=values["payByTime"],
            submit_result=values["submitResultTime"],
            unlock=values["unlockTime"],
            dispute_unlock=values["externalDisputeUnlockTime"],
            amounts=_funds(values["Amounts"]),
            metadata=values["metadata"],
            buyer_return=values["buyerReturnAddress"],
            seller_return=values["sellerReturnAddress"],
            source_type=values["paymentSourceType"],
            source_index=values["supportedPaymentSourceIndex"],
            contract_address=values["smartContractAddress"],
        )


def _funds(read: list[dict[str, str]] | None) -> tuple[Fund, ...] | None:
    if read is None:
        return None
    return tuple(Fund.of(fund["amount"], fund["unit"]) for fund in read)


def _check_address(values: Mapping[str, Any], name: str) -> None:
    address = values[name]
    if address is not None and not is_address_on(address, values["network"]):
        raise Invalid(f"{name}: {name} is not a valid Cardano address for the configured network")
