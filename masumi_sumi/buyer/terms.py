"""Whether what a seller wants holds: decided before anything is paid, without asking anybody.

The signature inside the blockchainIdentifier must cover exactly what is about to be bought; the
times must leave room to pay, to work and to have the money back; the price must be known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

from masumi_sumi.buyer import money
from masumi_sumi.buyer.answers import Availability, Bill, Started
from masumi_sumi.buyer.purchases import PurchaseOrder
from masumi_sumi.errors import IdentifierUnverified, NodeUnreadable, TermsRefused
from masumi_sumi.jobs.model import Amount, Pricing, Times
from masumi_sumi.payments import identifier
from masumi_sumi.payments.identifier import Identifier, SignedTerms
from masumi_sumi.payments.registration import Offered, Registration
from masumi_sumi.payments.statements import Word, word_of

MINUTE = 60.0
DAY = 24 * 60 * MINUTE

PAY_BEFORE_SUBMIT = 5 * MINUTE
CLOCKS = 5 * MINUTE
"""By how much the clocks of two machines may differ."""

NODE_SPACING = 15 * MINUTE
"""What the node demands between now, submitResultTime, unlockTime and
externalDisputeUnlockTime."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a buyer lets a seller ask. Times in seconds from now.

    ``max_price`` by asset in its smallest unit, "" for lovelace; None: any price. ``to_pay`` is
    the least time for the lock to get on chain, ``delivery`` and ``release`` are the latest
    submitResultTime and externalDisputeUnlockTime: until then the money may be out of hand.
    """

    max_price: Mapping[str, int] | None = None
    to_pay: float = 2 * MINUTE
    delivery: float = 7 * DAY
    release: float = 30 * DAY


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the buyer sent and means to buy. ``agent_identifier`` empty: whoever is at the URL."""

    network: str
    identifier: str
    input_hash: str
    agent_identifier: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms that hold. ``price`` is what will be paid; ``registered`` says whether the chain
    itself gave it. ``order`` is what the buyer's node is told. ``wallet_named``: the registry
    names the very wallet that is paid; else the node asks the chain for it as it pays.
    """

    order: PurchaseOrder
    pricing: Pricing
    registered: bool
    agent_name: str = ""
    agent_url: str = ""
    wallet_named: bool = False

    @property
    def price(self) -> tuple[Amount, ...]:
        return self.order.price

    @property
    def times(self) -> Times:
        return self.order.times


def check_hashes(started: Started, wanted: Wanted) -> None:
    """What an agent says back of a hire, free or not. Raises TermsRefused."""
    if started.identifier and started.identifier != wanted.identifier:
        _refuse("purchaser", "the agent answers another purchaser's identifier")
    if started.input_hash and started.input_hash.lower() != wanted.input_hash:
        _refuse("input hash", "the agent took another input than the one that was sent")


def check(
    bill: Bill, wanted: Wanted, registration: Registration | None, limits: Limits, now: float
) -> Terms:
    """The terms, all of them verified. ``now`` in epoch seconds. Raises TermsRefused."""
    if bill.network and bill.network != wanted.network:
        _refuse("network", f"the agent wants {bill.network}, this buyer pays on {wanted.network}")
    signed = _decoded(bill.blockchain_identifier)
    agent = _agent(bill, signed, wanted)
    _check_source(bill, signed)
    bill = _placed(bill, signed, registration)
    _check_times(bill.times, limits, now)
    offered = registration.offer(bill.source_index) if registration else None
    pricing, price = _price(bill, signed, wanted, agent, offered)
    if limits.max_price is not None and not money.within(price, limits.max_price):
        _refuse("price", f"it costs {money.told(price)}, more than allowed")
    return Terms(
        order=_order(bill, signed, wanted, agent, price),
        pricing=pricing,
        registered=offered is not None,
        agent_name=registration.name if registration else "",
        agent_url=registration.url if registration else "",
        wallet_named=registration is not None
        and registration.selling_vkey.lower() == bill.seller_vkey,
    )


def billed(order: PurchaseOrder) -> Bill:
    """The bill that was agreed to, to be checked once more before it is paid late."""
    return Bill(
        blockchain_identifier=order.blockchain_identifier,
        seller_vkey=order.seller_vkey,
        times=order.times,
        agent_identifier=order.agent_identifier,
        amounts=order.price,
        network=order.network,
        source_type=order.source_type,
        source_index=order.source_index,
        seller_return_address=order.seller_return_address,
    )


def check_key(availability: Availability, agreed: Terms, now: float) -> Word | None:
    """The word for the key of the wallet that is paid; None where the agent shows none.

    Raises TermsRefused for a word that does not hold.
    """
    if availability.statement is None:
        return None
    try:
        word = word_of(availability.statement, availability.key)
    except NodeUnreadable as error:
        raise TermsRefused("key", error.reason) from error
    if word.wallet != agreed.order.seller_vkey:
        _refuse("key", "another wallet than the seller's vouches for it")
    if word.said_at > now + CLOCKS:
        _refuse("key", "the wallet's word for it is of a day to come")
    return word


def agent_of(bill: Bill) -> str:
    """The agentIdentifier that the seller signed. Raises TermsRefused."""
    return _decoded(bill.blockchain_identifier).agent_identifier


def _decoded(text: str) -> Identifier:
    try:
        return identifier.decode(text)
    except IdentifierUnverified as error:
        raise TermsRefused("blockchainIdentifier", error.reason) from error


def _agent(bill: Bill, signed: Identifier, wanted: Wanted) -> str:
    agent = wanted.agent_identifier or signed.agent_identifier
    if signed.agent_identifier != agent:
        _refuse("agent", "the blockchainIdentifier is of another agent than the one wanted")
    if bill.agent_identifier and bill.agent_identifier.lower() != agent.lower():
        _refuse("agent", "the answer names another agent than the one wanted")
    return agent


def _check_source(bill: Bill, signed: Identifier) -> None:
    if bill.source_type and bill.source_type != signed.source_type:
        _refuse("source", f"the answer says {bill.source_type}, it is {signed.source_type}")
    if bill.source_index is not None and signed.source_type == "Web3CardanoV1":
        _refuse("source", "a Web3CardanoV1 agent has no index of sources")


def _placed(bill: Bill, signed: Identifier, registration: Registration | None) -> Bill:
    """An agent with one source may leave its index out of the answer, though it signed it."""
    alone = registration is not None and len(registration.offers) == 1
    if bill.source_index is None and signed.source_type == "Web3CardanoV2" and alone:
        return replace(bill, source_index=0)
    return bill


def _check_times(times: Times, limits: Limits, now: float) -> None:
    pay, submit, unlock, dispute = (
        moment / 1000 - now
        for moment in (
            times.pay_by,
            times.submit_result,
            times.unlock,
            times.external_dispute_unlock,
        )
    )
    if pay < limits.to_pay:
        _refuse("times", f"payByTime leaves {pay:.0f} s to pay, {limits.to_pay:.0f} s are needed")
    if submit - pay < PAY_BEFORE_SUBMIT:
        _refuse("times", "submitResultTime is not 5 minutes after payByTime")
    if submit < NODE_SPACING:
        _refuse("times", "submitResultTime is not 15 minutes ahead")
    if unlock - submit < NODE_SPACING:
        _refuse("times", "unlockTime is not 15 minutes after submitResultTime")
    if dispute - unlock < NODE_SPACING:
        _refuse("times", "externalDisputeUnlockTime is not 15 minutes after unlockTime")
    if submit > limits.delivery:
        days = limits.delivery / DAY
        _refuse("times", f"the result may come {submit / DAY:.1f} days from now, not {days:g}")
    if dispute > limits.release:
        days = limits.release / DAY
        _refuse("times", f"the money may be held for {dispute / DAY:.1f} days, not {days:g}")


# --- signature and price -----------------------------------------------------------------------


def _price(
    bill: Bill, signed: Identifier, wanted: Wanted, agent: str, offered: Offered | None
) -> tuple[Pricing, tuple[Amount, ...]]:
    """The price, once the signature was verified for the pricing that it belongs to."""
    match offered:
        case None:
            return _unregistered(bill, signed, wanted, agent)
        case Offered("Free"):
            _refuse("price", "the agent is registered as free, but asks to be paid")
        case Offered("Dynamic"):
            _verify(bill, signed, wanted, agent, _stated(bill))
            return "Dynamic", _stated(bill)
    _verify(bill, signed, wanted, agent, ())
    price = offered.price
    if bill.amounts and money.sums(bill.amounts) != money.sums(price):
        asked, registered = money.told(bill.amounts), money.told(price)
        _refuse("price", f"the agent asks for {asked} and is registered for {registered}")
    return "Fixed", price


def _unregistered(
    bill: Bill, signed: Identifier, wanted: Wanted, agent: str
) -> tuple[Pricing, tuple[Amount, ...]]:
    """Without the chain's word the seller's counts: signed, if it is Dynamic; and if it is Fixed,
    the buyer's node compares it with the chain before it pays.
    """
    price = _stated(bill)
    try:
        _verify(bill, signed, wanted, agent, ())
    except TermsRefused:
        _verify(bill, signed, wanted, agent, price)
        return "Dynamic", price
    return "Fixed", price


def _stated(bill: Bill) -> tuple[Amount, ...]:
    if not bill.amounts:
        _refuse("price", "neither the chain nor the agent says what it costs")
    if not all(int(part.amount) > 0 for part in bill.amounts):
        _refuse("price", "one of its amounts is nothing")
    return bill.amounts


def _verify(
    bill: Bill, signed: Identifier, wanted: Wanted, agent: str, price: tuple[Amount, ...]
) -> None:
    terms = SignedTerms(
        agent_identifier=agent,
        purchaser_id=wanted.identifier,
        input_hash=wanted.input_hash,
        seller_vkey=bill.seller_vkey,
        times=bill.times,
        price=price,
        source_index=bill.source_index,
        seller_return_address=bill.seller_return_address,
    )
    try:
        identifier.verify(signed, terms)
    except IdentifierUnverified as error:
        raise TermsRefused("signature", error.reason) from error


def _order(
    bill: Bill, signed: Identifier, wanted: Wanted, agent: str, price: tuple[Amount, ...]
) -> PurchaseOrder:
    return PurchaseOrder(
        network=wanted.network,
        blockchain_identifier=bill.blockchain_identifier,
        agent_identifier=agent,
        seller_vkey=bill.seller_vkey,
        purchaser_id=wanted.identifier,
        input_hash=wanted.input_hash,
        times=bill.times,
        price=price,
        source_type=signed.source_type,
        source_index=bill.source_index,
        contract_address=signed.contract_address,
        seller_return_address=bill.seller_return_address,
    )


def _refuse(term: str, reason: str) -> NoReturn:
    raise TermsRefused(term, reason)
