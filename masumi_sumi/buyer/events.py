"""What happens in a hire, as its buyer sees it: frozen values, in the order in which they come."""

from __future__ import annotations

from dataclasses import dataclass

from masumi_sumi.buyer.answers import Status
from masumi_sumi.buyer.results import HashForm
from masumi_sumi.flows.questions import Form


@dataclass(frozen=True, slots=True)
class Bought:
    """The buyer's node took the purchase; ``standing`` is in its own words."""

    blockchain_identifier: str
    standing: str


@dataclass(frozen=True, slots=True)
class Locked:
    """The money is in the escrow."""

    blockchain_identifier: str


@dataclass(frozen=True, slots=True)
class Moved:
    """The agent tells another status than before."""

    status: Status


@dataclass(frozen=True, slots=True)
class Asked:
    """The agent asks. ``refusal`` is why it did not take the answer before, if it did not."""

    job_id: str
    status_id: str
    form: Form
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """``confirmed``: the agent said the hash of this very answer (else it said none). ``signed``:
    by the key that it publishes (else it publishes none). ``vouched``: by a key that the wallet
    which is paid vouched for within the last year (else it is the agent's bare word).
    """

    input_hash: str
    confirmed: bool
    signed: bool = False
    vouched: bool = False


@dataclass(frozen=True, slots=True)
class Troubled:
    """Somebody did not answer; they are asked again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """The result. Of a paid job it is not proven yet, of a free one this is the end."""

    result: str


@dataclass(frozen=True, slots=True)
class Proven:
    """The hash on chain is this result's; ``form`` says over which form of it."""

    result: str
    result_hash: str
    form: HashForm


@dataclass(frozen=True, slots=True)
class Refunding:
    """The money was asked back; ``standing`` is in the node's own words."""

    reason: str
    standing: str


Event = Bought | Locked | Moved | Asked | Answered | Troubled | Delivered | Proven | Refunding
