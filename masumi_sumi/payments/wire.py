"""What the payment node (API v1) says, as values; facts of its contract, no policy.

Strict where money depends on a field, blind to fields that are not needed. Times come in as text
of epoch milliseconds or as ISO text with ``Z``; they go out as ISO text with ``Z`` only, since the
node refuses offsets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from masumi_sumi.errors import NodeUnreadable
from masumi_sumi.jobs.model import Amount, PaymentFacts, PaymentView, SourceType, Times
from masumi_sumi.jobs.ports import Cursor

MAX_IDENTIFIER = 8000
"""Characters of a blockchainIdentifier that the node takes at most."""

_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
_MILLIS = re.compile(r"[0-9]{1,16}")


def iso(seconds: float) -> str:
    """``YYYY-MM-DDTHH:MM:SS.mmmZ`` of epoch seconds, rounded to the millisecond."""
    whole, millis = divmod(round(seconds * 1000), 1000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{millis:03d}Z"


def epoch(text: str) -> float:
    """Epoch seconds of the node's ISO text."""
    return datetime.fromisoformat(text).timestamp()


def unit(name: str) -> str:
    """An asset's unit as the node answers it: "" for lovelace."""
    return "" if name == "lovelace" else name


def _moment(text: str) -> str:
    if not _ISO.fullmatch(text):
        raise ValueError("is no ISO time ending in Z")
    epoch(text)
    return text


def _millis(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and _MILLIS.fullmatch(value):
        return int(value)
    raise ValueError("is no text of epoch milliseconds")


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


Moment = Annotated[str, AfterValidator(_moment)]
Millis = Annotated[int, BeforeValidator(_millis)]
Hash = Annotated[str | None, BeforeValidator(_none_if_empty)]
Text = Annotated[str, Field(min_length=1)]


class Answer(BaseModel):
    """A part of what the node answers; what is not needed of it is not read."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Action(Answer):
    requested: Text = Field(alias="requestedAction")
    error_type: str | None = Field(None, alias="errorType")
    error_note: str | None = Field(None, alias="errorNote")
    result_hash: Hash = Field(None, alias="resultHash")


class Fund(Answer):
    amount: str = Field(pattern="^[0-9]{1,25}$")
    unit: Annotated[str, AfterValidator(unit)]


class Source(Answer):
    """A contract that the node serves: one per network and source type."""

    network: Text
    type: SourceType = Field(alias="paymentSourceType")
    contract_address: Text = Field(alias="smartContractAddress")
    policy_id: str | None = Field(None, alias="policyId")


class SellingWallet(Answer):
    vkey: Text = Field(alias="walletVkey")


class Mark(Answer):
    """Where a row stands in the order of changes."""

    id: Text
    changed_at: Moment = Field(alias="nextActionOrOnChainStateOrResultLastChangedAt")

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.changed_at, self.id)


class StateRow(Mark):
    """What a look at a payment needs."""

    blockchain_identifier: str = Field(
        alias="blockchainIdentifier", min_length=1, max_length=MAX_IDENTIFIER
    )
    on_chain_state: str | None = Field(alias="onChainState")
    action: Action = Field(alias="NextAction")
    result_hash: Hash = Field(None, alias="resultHash")
    updated_at: str = Field("", alias="updatedAt")
    transaction: object = Field(None, alias="CurrentTransaction")

    @property
    def is_detached(self) -> bool:
        """Whether the node says that it has no transaction for what it saw on chain."""
        is_told = "transaction" in self.model_fields_set
        return is_told and self.transaction is None and self.on_chain_state is not None

    def view(self) -> PaymentView:
        return PaymentView(
            blockchain_identifier=self.blockchain_identifier,
            on_chain_state=self.on_chain_state,
            action=self.action.requested,
            error_type=self.action.error_type,
            error_note=self.action.error_note,
            result_hash=self.result_hash,
            action_result_hash=self.action.result_hash,
            row_id=self.id,
            changed_at=self.changed_at,
            is_detached=self.is_detached,
        )


class PaymentRow(StateRow):
    """What a sale needs."""

    agent_identifier: Text = Field(alias="agentIdentifier")
    input_hash: Text = Field(alias="inputHash")
    pay_by: Millis = Field(alias="payByTime")
    submit_result: Millis = Field(alias="submitResultTime")
    unlock: Millis = Field(alias="unlockTime")
    external_dispute_unlock: Millis = Field(alias="externalDisputeUnlockTime")
    funds: list[Fund] = Field(alias="RequestedFunds", min_length=1)
    source: Source = Field(alias="PaymentSource")
    wallet: SellingWallet = Field(alias="SmartContractWallet")

    def facts(self) -> PaymentFacts:
        times = Times(self.pay_by, self.submit_result, self.unlock, self.external_dispute_unlock)
        return PaymentFacts(
            blockchain_identifier=self.blockchain_identifier,
            agent_identifier=self.agent_identifier,
            input_hash=self.input_hash,
            seller_vkey=self.wallet.vkey,
            times=times,
            source_type=self.source.type,
            price=tuple(Amount(fund.amount, fund.unit) for fund in self.funds),
        )


class Sources(Answer):
    sources: list[Source] = Field(alias="PaymentSources")


class KeyStatus(Answer):
    """What the node lets our key do."""

    can_read: bool = Field(alias="canRead")
    can_pay: bool = Field(alias="canPay")
    can_admin: bool = Field(False, alias="canAdmin")
    networks: list[str] = Field(alias="NetworkLimit")
    status: str = "Active"


class Page(Answer):
    rows: list[dict[str, Any]] = Field(alias="Payments")


@dataclass(frozen=True, slots=True)
class Changed:
    """A row of the diff. ``view`` is None when the row has a place but no readable state."""

    cursor: Cursor
    view: PaymentView | None
    fault: str = ""


def parse[T: BaseModel](call: str, shape: type[T], data: object) -> T:
    """Raises NodeUnreadable that names the fields at fault, never their values."""
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        raise NodeUnreadable(call, _faults(error)) from None


def changed_rows(call: str, data: object) -> list[Changed]:
    """The rows of a page in its order.

    A node serves many sellers: one row that cannot be read is marked and does not hide the
    others. A row without a place in the order makes the page unreadable.
    """
    return [_changed(call, row) for row in parse(call, Page, data).rows]


def _changed(call: str, row: dict[str, Any]) -> Changed:
    cursor = parse(call, Mark, row).cursor
    try:
        return Changed(cursor, StateRow.model_validate(row).view())
    except ValidationError as error:
        return Changed(cursor, None, _faults(error))


def _faults(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{_path(fault['loc'])}: {fault['msg']}" for fault in faults[:5])


def _path(location: Iterable[int | str]) -> str:
    return ".".join(str(part) for part in location) or "the whole"
