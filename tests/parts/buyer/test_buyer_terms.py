"""Nothing is bought that does not verify: every altered term, and every careless one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from agent_stand_in import Seller, priced

from masumi_sumi.buyer import Buyer, Limits, money
from masumi_sumi.clock import ManualClock
from masumi_sumi.errors import (
    AgentUnreadable,
    BuyerError,
    PurchaseFailed,
    SettingInvalid,
    TermsRefused,
)
from masumi_sumi.jobs.model import Amount
from masumi_sumi.payments.statements import Statement
from masumi_sumi.sandbox import Sandbox
from masumi_sumi.sandbox.registry import Pricing
from masumi_sumi.sandbox.wallet import Wallet
from masumi_sumi.signing import AgentKey

MakeBuyer = Callable[..., Buyer]
Alter = Callable[[dict[str, Any]], dict[str, Any]]
GIVEN = {"name": "Ada", "size": "Large"}
ADA_10, ADA_4 = {"": 10_000_000}, {"": 4_000_000}


def put(**changes: Any) -> Alter:
    return lambda body: body | changes


def later(name: str, milliseconds: int) -> Alter:
    return lambda body: body | {name: body[name] + milliseconds}


def without(*names: str) -> Alter:
    return lambda body: {name: value for name, value in body.items() if name not in names}


def flipped(name: str, at: int) -> Alter:
    """One hex digit of a text is another."""

    def alter(body: dict[str, Any]) -> dict[str, Any]:
        text = body[name]
        digit = "0" if text[at] != "0" else "1"
        return body | {name: text[:at] + digit + text[at + 1 :]}

    return alter


async def refused(buyer: Buyer, sandbox: Sandbox) -> BuyerError:
    """How a hire is refused, before any purchase."""
    offer = await buyer.offer()
    with pytest.raises(BuyerError) as refusal:
        await buyer.hire(offer, GIVEN)
    assert "POST /purchase" not in sandbox.requests()
    return refusal.value


ALTERED: dict[str, tuple[Alter, str]] = {
    "the purchaser's identifier": (put(identifierFromPurchaser="b" * 26), "purchaser"),
    "the input hash": (put(input_hash="0" * 64, inputHash="0" * 64), "input hash"),
    "the agent": (put(agentIdentifier="7e" * 60), "agent"),
    "the seller's key": (put(sellerVKey="c" * 56), "signature"),
    "payByTime": (later("payByTime", 1), "signature"),
    "submitResultTime": (later("submitResultTime", 1), "signature"),
    "unlockTime": (later("unlockTime", 1), "signature"),
    "externalDisputeUnlockTime": (later("externalDisputeUnlockTime", -1), "signature"),
    "the price": (put(amounts=[{"amount": "1", "unit": ""}]), "price or signature"),
    "the network": (put(network="Mainnet"), "network"),
    "a free price": (put(amounts=[{"amount": "0", "unit": ""}]), "price"),
    "no blockchainIdentifier at all": (
        put(blockchainIdentifier="5e" * 600),
        "blockchainIdentifier",
    ),
}


@pytest.mark.parametrize("altered", ALTERED)
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("pricing", ["Fixed", "Dynamic"])
async def test_every_altered_term_is_refused_before_anything_is_bought(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox, altered: str, version: int, pricing: str
):
    seller.terms = priced(sandbox, version, pricing=pricing)
    alter, term = ALTERED[altered]
    seller.alters["start_job"] = alter

    refusal = await refused(buyer(), sandbox)

    assert isinstance(refusal, TermsRefused)
    assert refusal.term in term.split(" or ")
    assert "nothing was paid" in str(refusal)


@pytest.mark.parametrize(
    "change", [put(supportedPaymentSourceIndex=3), without("supportedPaymentSourceIndex")]
)
async def test_another_source_of_a_second_generation_agent_is_refused(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox, change: Alter
):
    seller.terms = priced(sandbox, 2, offers=[Pricing(), Pricing()])
    seller.alters["start_job"] = change

    assert isinstance(await refused(buyer(), sandbox), TermsRefused)


async def test_the_index_of_an_only_source_may_be_left_out(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    seller.terms = priced(sandbox, 2)
    seller.alters["start_job"] = without("supportedPaymentSourceIndex")

    hire = await buyer().hire(await buyer().offer(), GIVEN)
    await hire.pay()

    assert hire.terms is not None
    assert hire.terms.order.source_index == 0


async def test_a_source_of_another_generation_is_refused(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    seller.alters["start_job"] = put(paymentSourceType="Web3CardanoV2")

    refusal = await refused(buyer(), sandbox)

    assert isinstance(refusal, TermsRefused)
    assert refusal.term == "source"


@pytest.mark.parametrize("at", [4, 300, 700])
async def test_a_blockchain_identifier_that_was_touched_is_refused(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox, at: int
):
    seller.alters["start_job"] = flipped("blockchainIdentifier", at)

    assert isinstance(await refused(buyer(), sandbox), TermsRefused)


async def test_the_identifier_of_an_earlier_sale_is_refused(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    kept: dict[str, Any] = {}
    seller.alters["start_job"] = lambda body: (
        body | {"blockchainIdentifier": kept.setdefault("first", body["blockchainIdentifier"])}
    )
    await buyer().hire(await buyer().offer(), GIVEN)

    refusal = await refused(buyer(), sandbox)

    assert isinstance(refusal, TermsRefused)
    assert "another purchaser" in str(refusal)


async def test_another_agents_valid_terms_are_refused(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    """The agent at the address sells what another agent, of the same wallet, has signed."""
    wanted = seller.terms.agent_identifier
    seller.terms = priced(sandbox)
    seller.alters |= dict.fromkeys(("availability", "start_job"), without("agentIdentifier"))

    refusal = await refused(buyer(agent_identifier=wanted), sandbox)

    assert isinstance(refusal, TermsRefused)
    assert refusal.term == "agent"


SPELLED: dict[str, Alter] = {
    "as it is": put(),
    "without what the signature says anyway": without(
        "input_hash", "inputHash", "identifierFromPurchaser", "agentIdentifier", "amounts"
    ),
    "times as digits": lambda body: (
        body | {name: str(body[name]) for name in ("payByTime", "submitResultTime", "unlockTime")}
    ),
    "snake case": lambda body: without("sellerVKey", "job_id")(
        body | {"seller_vkey": body["sellerVKey"]}
    ),
    "None as a word": put(paymentSourceType="None"),
    "lovelace by name": lambda body: (
        body | {"amounts": [{"amount": "10000000", "unit": "lovelace"}]}
    ),
}


@pytest.mark.parametrize("spelling", SPELLED)
async def test_terms_that_hold_are_taken_in_every_spelling(
    buyer: MakeBuyer, seller: Seller, spelling: str
):
    seller.alters["start_job"] = SPELLED[spelling]

    hire = await buyer(limits=Limits(max_price=ADA_10)).hire(await buyer().offer(), GIVEN)

    assert hire.terms is not None
    assert money.told(hire.terms.price) == "10 ADA"


@pytest.mark.parametrize(
    "change",
    [
        put(id="another"),
        put(inputHash="0" * 64),
        put(payByTime="soon"),
        put(payByTime=True),
        without("unlockTime"),
        without("sellerVKey"),
        without("id", "job_id"),
        put(amounts="10 ADA"),
        put(supportedPaymentSourceIndex=-1),
        put(blockchainIdentifier="ab" * 5000),
    ],
)
async def test_an_answer_that_contradicts_itself_or_is_not_clear_is_no_answer(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox, change: Alter
):
    seller.alters["start_job"] = change

    assert isinstance(await refused(buyer(), sandbox), AgentUnreadable)


# --- times -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "limits", "reason"),
    [
        ({"pay_by": 60}, {}, "payByTime leaves"),
        ({"submit_by": 8 * 86400}, {}, "the result may come 8.0 days from now, not 7"),
        ({"submit_by": 8 * 86400}, {"delivery": 9 * 86400, "release": 86400}, "the money may be"),
    ],
)
async def test_times_that_leave_no_room_or_hold_the_money_for_ever_are_refused(
    buyer: MakeBuyer,
    seller: Seller,
    sandbox: Sandbox,
    terms: dict[str, Any],
    limits: dict[str, Any],
    reason: str,
):
    seller.terms = replaced(seller, **terms)

    refusal = await refused(buyer(limits=Limits(**limits)), sandbox)

    assert isinstance(refusal, TermsRefused)
    assert reason in str(refusal)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (later("submitResultTime", -5400_000), "5 minutes after payByTime"),
        (later("unlockTime", -6 * 3600_000), "unlockTime is not 15 minutes"),
        (later("externalDisputeUnlockTime", -6 * 3600_000), "externalDisputeUnlockTime is not"),
    ],
)
async def test_times_in_the_wrong_order_are_named(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox, change: Alter, reason: str
):
    seller.alters["start_job"] = change

    assert reason in str(await refused(buyer(), sandbox))


async def test_a_slow_buyer_does_not_pay_too_late(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox, clock: ManualClock
):
    def slow(body: dict[str, Any]) -> dict[str, Any]:
        clock.advance(1700)
        return body

    seller.alters["start_job"] = slow

    assert "100 s to pay, 120 s are needed" in str(await refused(buyer(), sandbox))


# --- price -------------------------------------------------------------------------------------


@pytest.mark.parametrize("pricing", ["Fixed", "Dynamic"])
@pytest.mark.parametrize(("short", "passes"), [(0, True), (1, False)])
async def test_the_price_is_at_most_what_the_buyer_allows(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox, pricing: str, short: int, passes: bool
):
    seller.terms = priced(sandbox, pricing=pricing)
    price = (ADA_10 if pricing == "Fixed" else ADA_4)[""]
    careful = buyer(limits=Limits(max_price={"": price - short}))

    if passes:
        hire = await careful.hire(await careful.offer(), GIVEN)
        assert hire.terms is not None
        assert hire.terms.pricing == pricing
    else:
        assert "more than allowed" in str(await refused(careful, sandbox))


async def test_an_asset_that_has_no_limit_may_not_be_asked(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    token = "16a5" * 14 + "0014df10"
    seller.terms = priced(sandbox, funds=[(1_000_000, ""), (7, token)])

    refusal = await refused(buyer(limits=Limits(max_price=ADA_10)), sandbox)

    assert "1 ADA and 7 units of 16a516a5…0014df10" in str(refusal)


async def test_a_free_registration_that_asks_for_money_is_refused(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    agent = seller.terms.agent_identifier
    seller.alters["start_job"] = lambda body: sandbox.register(agent, pricing="Free") and body
    fresh = buyer()
    seller.alters["availability"] = without("agentIdentifier")

    assert "registered as free" in str(await refused(fresh, sandbox))


async def test_a_price_that_nobody_says_is_refused(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    sandbox.fail("GET", "/registry/*", 404, times=None, message="Agent identifier not found")
    seller.alters["start_job"] = without("amounts")

    assert "says what it costs" in str(await refused(buyer(), sandbox))


async def test_without_a_registry_the_node_compares_the_price_with_the_chain_before_it_pays(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    sandbox.fail("GET", "/registry/*", 404, times=None, message="Agent identifier not found")
    seller.alters["start_job"] = put(amounts=[{"amount": "9", "unit": ""}])
    hire = await buyer().hire(await buyer().offer(), GIVEN)

    assert hire.terms is not None
    assert not hire.terms.registered
    with pytest.raises(PurchaseFailed, match="do not match the fixed pricing"):
        await hire.pay()


async def test_a_price_that_rises_after_it_was_shown_is_not_paid(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    hire = await buyer().hire(await buyer().offer(), GIVEN)
    sandbox.register(seller.terms.agent_identifier, amount=99_000_000)

    with pytest.raises(PurchaseFailed, match="do not match the fixed pricing"):
        await hire.pay()


async def test_of_several_sources_the_one_that_is_used_sets_the_price(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    offers = [Pricing(), Pricing("Dynamic")]
    seller.terms = replaced(seller, **vars_of(priced(sandbox, 2, offers=offers)), source_index=1)
    seller.terms = replaced(seller, pricing="Dynamic", price=(Amount("4000000"),))

    hire = await buyer(limits=Limits(max_price=ADA_4)).hire(await buyer().offer(), GIVEN)
    await hire.pay()

    assert hire.terms is not None
    assert money.told(hire.terms.price) == "4 ADA"


async def test_a_paid_job_without_a_node_is_refused(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    assert "no payment node" in str(await refused(buyer(node=None), sandbox))


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("10ADA", ("", 10_000_000)),
        ("2.5 ada", ("", 2_500_000)),
        ("0.000001ADA", ("", 1)),
        ("5000000 lovelace", ("", 5_000_000)),
        ("7 " + "AB" * 30, ("ab" * 30, 7)),
    ],
)
def test_a_price_is_read_as_people_write_it(text: str, limit: tuple[str, int]):
    assert money.parse(text) == limit


@pytest.mark.parametrize(
    "text", ["", "ADA", "-1ADA", "1e9ADA", "0.5 lovelace", "10", "10 EUR", "1.0000001ADA"]
)
def test_a_price_that_is_not_clear_is_refused(text: str):
    with pytest.raises(SettingInvalid):
        money.parse(text)


def replaced(seller: Seller, **changes: Any) -> Any:
    return replace(seller.terms, **changes)


def vars_of(terms: Any) -> dict[str, Any]:
    return {"agent_identifier": terms.agent_identifier, "source_type": terms.source_type}


# --- the key that answers are signed with ------------------------------------------------------

KEY, OTHER_KEY = AgentKey(b"k" * 32), AgentKey(b"o" * 32)


@pytest.mark.parametrize("version", [1, 2])
async def test_a_key_that_the_sellers_wallet_vouches_for_is_taken(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox, version: int
):
    seller.terms = priced(sandbox, version)
    word = await seller.node.vouch(seller.terms.agent_identifier, KEY.public_key)
    seller.signs_with(KEY, word)

    hire = await buyer().hire(await buyer().offer(), GIVEN)

    assert hire.key == KEY.public_key


async def test_a_key_without_a_wallets_word_is_taken_as_it_is(buyer: MakeBuyer, seller: Seller):
    seller.signs_with(KEY)

    assert (await buyer().hire(await buyer().offer(), GIVEN)).key == KEY.public_key


async def test_a_wallets_word_for_another_key_is_refused(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    word = await seller.node.vouch(seller.terms.agent_identifier, OTHER_KEY.public_key)
    seller.signs_with(KEY, word)

    refusal = await refused(buyer(), sandbox)

    assert isinstance(refusal, TermsRefused)
    assert refusal.term == "key"
    assert "another key" in str(refusal)


async def test_another_wallets_word_is_refused(buyer: MakeBuyer, seller: Seller, sandbox: Sandbox):
    wallet = Wallet.derive("somebody", "else")
    data = {"publicKey": KEY.public_key, "walletVkey": wallet.vkey}
    statement = {"action": "VerifyAndPublishAgent", "data": data, "validUntil": 1_790_000_000_000}
    text = json.dumps(statement)
    signature, cose_key = wallet.sign(text.encode())
    word = Statement(signature=signature, key=cose_key, wallet_address=wallet.address, text=text)
    seller.signs_with(KEY, word)

    assert "another wallet" in str(await refused(buyer(), sandbox))


async def test_a_wallets_word_of_a_day_to_come_is_refused(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    sandbox.advance(600)
    word = await seller.node.vouch(seller.terms.agent_identifier, KEY.public_key)
    seller.signs_with(KEY, word)

    assert "of a day to come" in str(await refused(buyer(), sandbox))


@pytest.mark.parametrize("word", ["", 5, {}, {"signature": 1}])
async def test_a_wallets_word_that_is_none_is_no_offer(buyer: MakeBuyer, seller: Seller, word: Any):
    seller.alters["availability"] = put(provideInputStatement=word)

    with pytest.raises(AgentUnreadable, match="provideInputStatement"):
        await buyer().offer()
