"""POST /purchase: every signed term is checked again, and a purchase is made once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sandbox_caller import (
    HOUR,
    INPUT_HASH,
    MINUTE,
    NONCE,
    V1_POLICY,
    V2_AGENT,
    Caller,
    data,
    refusal,
)

from masumi_sumi.sandbox import Sandbox
from masumi_sumi.sandbox.identifier import decode

As = Callable[[str | None], Caller]
UNDEFINED = "Invalid input: expected string, received undefined"
SIGNATURE = (400, "Invalid blockchain identifier, signature invalid")
RAW_FIELDS = {
    "paymentSourceId",
    "sellerWalletId",
    "smartContractWalletId",
    "agentIdentifierSyncedAt",
    "agentNameSyncedAt",
    "sellerCoolDownTime",
    "buyerCoolDownTime",
    "nextActionId",
    "currentTransactionId",
    "isLimitedToHotWallets",
    "TransactionHistory",
}


def later(milliseconds: str, by: int = 1) -> str:
    return str(int(milliseconds) + by)


def test_a_new_purchase_waits_for_its_lock(pay: Caller) -> None:
    payment = pay.payment()
    amounts = [{"amount": "10000000", "unit": "lovelace"}]
    purchase = data(pay.buy(payment, Amounts=amounts, metadata="m"))

    assert purchase["NextAction"] == {
        "requestedAction": "FundsLockingRequested",
        "errorType": None,
        "errorNote": None,
    }
    assert purchase["PaidFunds"] == [{"amount": "10000000", "unit": ""}]
    assert purchase["SellerWallet"]["walletVkey"] == payment["SmartContractWallet"]["walletVkey"]
    assert purchase["metadata"] == "m"
    for empty in ("onChainState", "resultHash", "SmartContractWallet", "CurrentTransaction"):
        assert purchase[empty] is None
    own = {"PaidFunds", "SellerWallet"}
    assert set(purchase) - own == set(payment) - {"RequestedFunds", "BuyerWallet"}


def test_the_same_purchase_again_exists_with_its_row(pay: Caller) -> None:
    payment = pay.payment()
    first = data(pay.buy(payment))
    again = pay.buy(payment)
    body = again.json()

    assert refusal(again) == (409, "Purchase exists")
    assert body["id"] == body["object"]["id"] == first["id"]
    assert set(body["object"]) >= RAW_FIELDS
    assert body["object"]["PaidFunds"][0]["amount"] == "10000000"
    assert "PaymentSource" not in body["object"]


def test_all_missing_fields_of_a_purchase_are_named_in_order(pay: Caller) -> None:
    fields = (
        "blockchainIdentifier",
        "inputHash",
        "sellerVkey",
        "agentIdentifier",
        "unlockTime",
        "externalDisputeUnlockTime",
        "submitResultTime",
        "payByTime",
        "identifierFromPurchaser",
    )
    message = "; ".join(f"{field}: {UNDEFINED}" for field in fields)

    assert refusal(pay.post("/purchase")) == (400, message)
    assert len(message) == 621


@pytest.mark.parametrize(
    ("alter", "status", "message"),
    [
        (
            lambda p: {"payByTime": int(p["payByTime"])},
            400,
            "payByTime: Invalid input: expected string, received number",
        ),
        (
            lambda p: {"payByTime": "2026-11-21T21:03:01.117Z"},
            500,
            "Cannot convert 2026-11-21T21:03:01.117Z to a BigInt",
        ),
        (lambda p: {"payByTime": later(p["payByTime"])}, *SIGNATURE),
        (lambda p: {"submitResultTime": later(p["submitResultTime"])}, *SIGNATURE),
        (lambda p: {"unlockTime": later(p["unlockTime"])}, *SIGNATURE),
        (
            lambda p: {"externalDisputeUnlockTime": later(p["externalDisputeUnlockTime"])},
            *SIGNATURE,
        ),
        (lambda p: {"inputHash": "ff" * 32}, *SIGNATURE),
        (lambda p: {"sellerVkey": "0" * 56}, 400, "Invalid seller vkey"),
        (
            lambda p: {"identifierFromPurchaser": "ab" * 8},
            400,
            "Invalid blockchain identifier, purchaser id mismatch",
        ),
        (
            lambda p: {"blockchainIdentifier": "abcd"},
            400,
            "Invalid blockchain identifier, format invalid",
        ),
        (
            lambda p: {"agentIdentifier": V1_POLICY + "ee" * 32},
            400,
            "Invalid blockchain identifier, agent identifier mismatch",
        ),
        (
            lambda p: {"Amounts": [{"amount": "1", "unit": ""}]},
            400,
            "Provided Amounts do not match the fixed pricing of the agent",
        ),
        (
            lambda p: {"payByTime": later(p["submitResultTime"])},
            400,
            "Pay by time must be before submit result time (min. 5 minutes)",
        ),
        (
            lambda p: {"agentIdentifier": "0" * 120},
            404,
            "No payment source found for agent identifiers policy id",
        ),
        (lambda p: {"inputHash": "xyz!"}, 400, "Input hash is not a valid hex string"),
        (
            lambda p: {"buyerReturnAddress": "addr_test1xyz"},
            400,
            "buyerReturnAddress: buyerReturnAddress is not a valid Cardano address for the "
            "configured network",
        ),
    ],
    ids=[
        "number",
        "iso",
        "pay by",
        "submit",
        "unlock",
        "dispute",
        "input hash",
        "vkey",
        "nonce",
        "garbage",
        "agent",
        "amounts",
        "time rule",
        "policy",
        "no hex",
        "address",
    ],
)
def test_an_altered_purchase_is_refused(
    pay: Caller,
    alter: Callable[[dict[str, Any]], dict[str, Any]],
    status: int,
    message: str,
) -> None:
    payment = pay.payment()

    assert refusal(pay.buy(payment, **alter(payment))) == (status, message)


def test_an_identifier_of_another_seller_is_refused(pay: Caller) -> None:
    with_other_wallets = Sandbox(seed="another", frozen=True)
    foreign = with_other_wallets.node.sources[0].selling
    payment = pay.payment()
    identifier = decode(payment["blockchainIdentifier"])
    signature, key = foreign.sign(b"x" * 32)
    forged = type(identifier)(identifier.seller_id, identifier.purchaser_id, signature, key)
    response = pay.buy(payment, blockchainIdentifier=forged.encode())

    assert refusal(response) == (400, "Invalid blockchain identifier, key does not match")


def test_a_key_may_spend_its_credit_and_no_more(as_key: As, pay: Caller) -> None:
    limited = as_key("limited")
    first, second = pay.payment(), pay.payment()

    assert limited.buy(first).status_code == 200
    assert refusal(limited.buy(second)) == (400, "Insufficient funds")
    credits = data(limited.get("/api-key-status"))["RemainingUsageCredits"]
    assert credits == [{"amount": "5000000", "unit": ""}]


def test_a_read_key_may_not_purchase(as_key: As, pay: Caller) -> None:
    response = as_key("read").buy(pay.payment())

    assert refusal(response) == (401, "Unauthorized, payment access required")


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        ({}, 400, "For dynamic pricing, Amounts must be provided"),
        ({"Amounts": [{"amount": "5000001", "unit": ""}]}, *SIGNATURE),
        ({"Amounts": [{"amount": "5000000", "unit": "lovelace"}]}, 200, ""),
    ],
    ids=["none", "another", "the signed one"],
)
def test_a_dynamic_price_is_a_signed_term(
    sandbox: Sandbox, pay: Caller, changes: dict[str, Any], status: int, message: str
) -> None:
    agent = sandbox.register(pricing="Dynamic")
    funds = [{"amount": "5000000", "unit": ""}]
    response = pay.buy(pay.payment(agentIdentifier=agent, RequestedFunds=funds), **changes)

    if status == 200:
        assert data(response)["PaidFunds"] == funds
    else:
        assert refusal(response) == (status, message)


def test_the_source_index_of_v2_is_a_signed_term(pay: Caller) -> None:
    payment = pay.payment(agentIdentifier=V2_AGENT, supportedPaymentSourceIndex=0)
    without = pay.buy(payment)
    right = pay.buy(payment, supportedPaymentSourceIndex=0)

    assert refusal(without) == SIGNATURE
    assert data(right)["PaymentSource"]["paymentSourceType"] == "Web3CardanoV2"


def test_a_purchase_may_come_up_to_five_minutes_late_and_no_later(
    sandbox: Sandbox, pay: Caller
) -> None:
    payment = pay.payment(payByTime=pay.at(HOUR))
    sandbox.advance(HOUR + 5 * MINUTE + 1)

    assert refusal(pay.buy(payment)) == (
        400,
        "Pay by time must be in the future (max. 5 minutes)",
    )


def test_a_payment_of_another_node_can_be_bought(pay: Caller) -> None:
    """Two nodes of one seed have the same seller's wallet; nothing else is shared."""
    from masumi_sumi.sandbox.forms import Init
    from masumi_sumi.sandbox.payments import start

    other = Sandbox(frozen=True)
    now = pay.sandbox.node.clock.now()
    form = Init.read(
        {
            "network": "Preprod",
            "agentIdentifier": V1_POLICY + "01" * 32,
            "inputHash": INPUT_HASH,
            "identifierFromPurchaser": NONCE,
            "payByTime": pay.at(HOUR),
            "submitResultTime": pay.at(2 * HOUR),
        }
    )
    key = other.node.keys.admit("sandbox", "pay")
    row = start(other.node, key, form)
    payment = {
        "blockchainIdentifier": row.identifier,
        "inputHash": row.input_hash,
        "agentIdentifier": row.agent_identifier,
        "SmartContractWallet": {"walletVkey": row.seller_vkey},
        "payByTime": str(row.deadlines.pay_by),
        "submitResultTime": str(row.deadlines.submit_result),
        "unlockTime": str(row.deadlines.unlock),
        "externalDisputeUnlockTime": str(row.deadlines.dispute_unlock),
    }
    assert pay.buy(payment).status_code == 200
    pay.sandbox.mine(2)

    assert pay.look(payment, "purchase")["onChainState"] == "FundsLocked"
    assert now <= row.created_at
