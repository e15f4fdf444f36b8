"""A payment's life on the chain, seen by the seller and by the buyer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sandbox_caller import (
    HOUR,
    MINUTE,
    RESULT,
    V2_AGENT,
    Caller,
    data,
    refusal,
    standing,
)

from masumi_sumi.sandbox import Sandbox

As = Callable[[str | None], Caller]
WAITING = "WaitingForExternalAction"
MANUAL = "WaitingForManualAction"
NOT_NOW = (404, "Payment not found or in invalid state")
SUBMIT = "/payment/submit-result"
GRANT = "/payment/authorize-refund"
ASK_REFUND = "/purchase/request-refund"
CANCEL_REFUND = "/purchase/cancel-refund-request"
V2: dict[str, Any] = {"agentIdentifier": V2_AGENT, "supportedPaymentSourceIndex": 0}


def both(caller: Caller, payment: dict[str, Any]) -> list[tuple[str | None, str]]:
    return [standing(caller.look(payment, side)) for side in ("payment", "purchase")]


def test_a_lock_goes_through_requested_and_initiated_to_both_sides(
    sandbox: Sandbox, pay: Caller
) -> None:
    payment = pay.payment()
    bought = data(pay.buy(payment))
    steps = [standing(bought)]
    for _ in range(2):
        sandbox.mine()
        steps.append(standing(pay.look(payment, "purchase")))

    assert steps == [
        (None, "FundsLockingRequested"),
        (None, "FundsLockingInitiated"),
        ("FundsLocked", WAITING),
    ]
    assert standing(pay.look(payment)) == ("FundsLocked", WAITING)


def test_a_locked_payment_shows_transaction_buyer_fees_and_a_new_action(pay: Caller) -> None:
    payment = pay.locked()
    seen = pay.look(payment, includeHistory="true")
    bought = pay.look(payment, "purchase")

    assert seen["resultHash"] is None
    assert seen["collateralReturnLovelace"] == "0"
    assert seen["totalBuyerCardanoFees"] == 0.201234
    assert seen["totalSellerCardanoFees"] == 0
    assert [action["requestedAction"] for action in seen["ActionHistory"]] == [WAITING]
    assert seen["TransactionHistory"] == []
    now = seen["CurrentTransaction"]
    assert (now["status"], now["fees"]) == ("Confirmed", "201234")
    assert (now["previousOnChainState"], now["newOnChainState"]) == (None, "FundsLocked")
    assert isinstance(now["blockTime"], int)
    assert now["confirmations"] == 1
    assert now["txHash"] == bought["CurrentTransaction"]["txHash"]
    assert seen["BuyerWallet"]["walletVkey"] == bought["SmartContractWallet"]["walletVkey"]


def test_the_buyers_transaction_is_pending_until_the_chain_has_it(
    sandbox: Sandbox, pay: Caller
) -> None:
    payment = pay.payment()
    pay.buy(payment)
    sandbox.mine()
    pending = pay.look(payment, "purchase")["CurrentTransaction"]

    assert (pending["status"], pending["blockHeight"], pending["fees"]) == ("Pending", None, None)
    assert len(pending["txHash"]) == 64
    assert pay.look(payment)["CurrentTransaction"] is None


def test_a_result_is_wished_for_sent_and_then_on_chain(sandbox: Sandbox, pay: Caller) -> None:
    payment = pay.locked()
    wished = data(pay.submit(payment))
    assert standing(wished) == ("FundsLocked", "SubmitResultRequested")
    assert (wished["resultHash"], wished["NextAction"]["resultHash"]) == (None, RESULT)

    sandbox.mine()
    sent = pay.look(payment)
    assert standing(sent) == ("FundsLocked", "SubmitResultInitiated")
    assert sent["NextAction"]["resultHash"] == RESULT
    assert sent["CurrentTransaction"]["status"] == "Pending"

    sandbox.mine()
    done = pay.look(payment, includeHistory="true")
    assert standing(done) == ("ResultSubmitted", WAITING)
    assert (done["resultHash"], done["NextAction"]["resultHash"]) == (RESULT, None)
    assert [action["requestedAction"] for action in done["ActionHistory"]] == [
        "SubmitResultInitiated",
        "SubmitResultRequested",
        WAITING,
        WAITING,
    ]
    assert [tx["newOnChainState"] for tx in done["TransactionHistory"]] == ["FundsLocked"]
    assert done["cooldownTime"] > 0
    assert done["cooldownTimeOtherParty"] == 0
    assert done["totalSellerCardanoFees"] == 0.201234


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"submitResultHash": "b" * 63},
            "submitResultHash: Too small: expected string to have >=64 characters; "
            "submitResultHash: submitResultHash must be a 64-char hex sha256 digest",
        ),
        (
            {"submitResultHash": "z" * 64},
            "submitResultHash: submitResultHash must be a 64-char hex sha256 digest",
        ),
        (
            {"network": ..., "blockchainIdentifier": ...},
            'network: Invalid option: expected one of "Preprod"|"Mainnet"; '
            "submitResultHash: Invalid input: expected string, received undefined; "
            "blockchainIdentifier: Invalid input: expected string, received undefined",
        ),
    ],
    ids=["63 digits", "no hex", "nothing"],
)
def test_a_result_must_be_a_sha256_digest(pay: Caller, body: dict[str, Any], message: str) -> None:
    sent = {"blockchainIdentifier": "ab", **body}

    assert refusal(pay.post(SUBMIT, **sent)) == (400, message)


def test_nothing_is_taken_for_a_payment_that_nobody_locked(pay: Caller) -> None:
    payment = pay.payment()

    assert refusal(pay.submit(payment)) == NOT_NOW
    assert refusal(pay.on(GRANT, payment)) == NOT_NOW


def test_a_result_is_taken_once(sandbox: Sandbox, pay: Caller) -> None:
    payment = pay.locked()
    answers = [pay.submit(payment).status_code for _ in range(8)]
    sandbox.mine(2)

    assert answers == [200] + [404] * 7
    assert refusal(pay.submit(payment, "cc" * 32)) == NOT_NOW
    assert refusal(pay.on(GRANT, payment)) == NOT_NOW


def test_a_result_for_another_network_finds_no_payment(pay: Caller, as_key: As) -> None:
    payment = pay.locked()
    body = {"submitResultHash": RESULT, "network": "Mainnet"}

    assert refusal(as_key("sandbox").on(SUBMIT, payment, **body)) == NOT_NOW


def test_rows_belong_to_the_key_that_made_them(sandbox: Sandbox, as_key: As, pay: Caller) -> None:
    payment, other = pay.locked(), as_key("pay2")
    submit = refusal(other.submit(payment))
    ask = refusal(other.on(ASK_REFUND, payment))
    read = refusal(as_key("read").submit(payment))
    pay.on(ASK_REFUND, payment)
    sandbox.mine(2)
    grant = refusal(other.on(GRANT, payment))
    cancel = refusal(other.on(CANCEL_REFUND, payment))

    assert submit == (403, "You are not authorized to submit results for this payment")
    assert ask == (403, "You are not authorized to request a refund for this purchase")
    assert read == (401, "Unauthorized, payment access required")
    assert grant == (403, "You are not authorized to authorize a refund for this payment")
    assert cancel == (403, "You are not authorized to cancel a refund request for this purchase")


def test_an_admin_may_act_on_the_rows_of_others(as_key: As, pay: Caller) -> None:
    assert as_key("sandbox").submit(pay.locked()).status_code == 200


def test_a_result_after_its_deadline_is_accepted_and_never_sent(
    sandbox: Sandbox, pay: Caller
) -> None:
    payment = pay.locked(submitResultTime=pay.at(2 * HOUR))
    sandbox.advance(2 * HOUR - 5 * MINUTE)
    assert pay.submit(payment).status_code == 200
    sandbox.mine(5)

    assert standing(pay.look(payment)) == ("FundsLocked", "SubmitResultRequested")


def test_a_refund_wish_without_a_result_and_back(sandbox: Sandbox, pay: Caller) -> None:
    payment = pay.locked()
    wished = data(pay.on(ASK_REFUND, payment))
    again = refusal(pay.on(ASK_REFUND, payment))
    too_early = refusal(pay.on(GRANT, payment))
    sandbox.mine(2)
    asked = both(pay, payment)
    cooldowns = [
        (row["cooldownTime"] > 0, row["cooldownTimeOtherParty"] > 0)
        for row in (pay.look(payment), pay.look(payment, "purchase"))
    ]
    pay.on(CANCEL_REFUND, payment)
    sandbox.mine(2)

    assert standing(wished) == ("FundsLocked", "SetRefundRequestedRequested")
    assert again == (404, "Purchase not found or not in valid state")
    assert too_early == NOT_NOW
    assert asked == [("RefundRequested", WAITING)] * 2
    assert cooldowns == [(False, True), (True, False)]
    assert both(pay, payment) == [("FundsLocked", WAITING)] * 2


def test_a_result_during_a_refund_wish_makes_a_dispute(sandbox: Sandbox, pay: Caller) -> None:
    payment = pay.locked()
    pay.on(ASK_REFUND, payment)
    sandbox.mine(2)
    pay.submit(payment)
    sandbox.mine(2)
    disputed = pay.look(payment)
    replaced = data(pay.submit(payment, "CC" * 32))
    sandbox.mine(2)
    after = pay.look(payment)
    pay.on(CANCEL_REFUND, payment)
    sandbox.mine(2)

    assert (standing(disputed), disputed["resultHash"]) == (("Disputed", WAITING), RESULT)
    assert replaced["resultHash"] == RESULT
    assert (standing(after), after["resultHash"]) == (("Disputed", WAITING), "CC" * 32)
    assert both(pay, payment) == [("ResultSubmitted", WAITING)] * 2


def test_v1_a_granted_refund_is_a_refund_request_again(sandbox: Sandbox, pay: Caller) -> None:
    payment = pay.delivered()
    pay.on(ASK_REFUND, payment)
    sandbox.mine(2)
    assert both(pay, payment) == [("Disputed", WAITING)] * 2
    wished = data(pay.on(GRANT, payment))
    sandbox.mine(2)
    sandbox.advance(48 * HOUR)
    granted = pay.look(payment)
    sandbox.act(payment["blockchainIdentifier"], "withdraw-refund")
    sandbox.mine()

    assert standing(wished) == ("Disputed", "AuthorizeRefundRequested")
    assert (standing(granted), granted["resultHash"]) == (("RefundRequested", WAITING), RESULT)
    assert both(pay, payment) == [("RefundWithdrawn", "None")] * 2
    assert refusal(pay.submit(payment)) == NOT_NOW


def test_v1_a_refund_granted_without_a_dispute_hangs(sandbox: Sandbox, pay: Caller) -> None:
    payment = pay.locked()
    pay.on(ASK_REFUND, payment)
    sandbox.mine(2)
    assert pay.on(GRANT, payment).status_code == 200
    sandbox.mine(5)

    assert standing(pay.look(payment)) == ("RefundRequested", "AuthorizeRefundRequested")
    assert refusal(pay.submit(payment)) == NOT_NOW


def test_v2_a_granted_refund_is_taken_at_once(sandbox: Sandbox, pay: Caller) -> None:
    payment = pay.locked(**V2)
    pay.on(ASK_REFUND, payment)
    sandbox.mine(2)
    cancel = pay.on(CANCEL_REFUND, payment)
    wished = data(pay.on(GRANT, payment))
    sandbox.mine(2)
    granted = standing(pay.look(payment))
    sandbox.mine(3)

    assert cancel.status_code == 400
    assert standing(wished) == ("RefundRequested", "AuthorizeRefundRequested")
    assert granted == ("RefundAuthorized", WAITING)
    assert both(pay, payment) == [("RefundWithdrawn", "None")] * 2


def test_v2_a_cancelled_dispute_releases_the_money(sandbox: Sandbox, pay: Caller) -> None:
    payment = pay.delivered(**V2)
    pay.on(ASK_REFUND, payment)
    sandbox.mine(2)
    wished = data(pay.on(CANCEL_REFUND, payment))
    sandbox.mine(2)
    released = standing(pay.look(payment))
    sandbox.mine(3)

    assert standing(wished) == ("Disputed", "AuthorizeWithdrawalRequested")
    assert released[0] == "WithdrawAuthorized"
    assert both(pay, payment) == [("Withdrawn", "None")] * 2


def test_arbitration_ends_a_dispute_and_pays_out(sandbox: Sandbox, pay: Caller) -> None:
    payment = pay.delivered()
    pay.on(ASK_REFUND, payment)
    sandbox.mine(2)
    sandbox.act(payment["blockchainIdentifier"], "arbitrate")
    sandbox.mine()

    assert both(pay, payment) == [("DisputedWithdrawn", "None")] * 2
    assert pay.look(payment)["WithdrawnForBuyer"] == payment["RequestedFunds"]


def test_the_seller_collects_ten_minutes_after_unlock(sandbox: Sandbox, pay: Caller) -> None:
    payment = pay.delivered()
    unlock = int(payment["unlockTime"]) / 1000 - sandbox.node.clock.now() / 1000
    sandbox.advance(unlock + 10 * MINUTE - 4)
    before = both(pay, payment)
    sandbox.advance(4 + 2)
    during = standing(pay.look(payment))
    sandbox.advance(10)

    assert before == [("ResultSubmitted", WAITING)] * 2
    assert during[1] in ("WithdrawRequested", "WithdrawInitiated")
    assert both(pay, payment) == [("Withdrawn", "None")] * 2
    assert pay.look(payment)["resultHash"] == RESULT


def test_the_buyer_is_refunded_ten_minutes_after_a_missed_result(
    sandbox: Sandbox, pay: Caller
) -> None:
    payment = pay.locked()
    submit = int(payment["submitResultTime"]) / 1000 - sandbox.node.clock.now() / 1000
    sandbox.advance(submit + 10 * MINUTE + 2)
    during = both(pay, payment)
    sandbox.advance(10)

    assert during[0] == ("FundsLocked", WAITING)
    assert during[1][1] in ("WithdrawRefundRequested", "WithdrawRefundInitiated")
    assert both(pay, payment) == [("RefundWithdrawn", "None")] * 2
    assert pay.look(payment)["resultHash"] is None


def test_an_unpaid_payment_is_given_up_five_minutes_after_its_time(
    sandbox: Sandbox, pay: Caller
) -> None:
    payment = pay.payment(payByTime=pay.at(HOUR))
    sandbox.advance(HOUR + 5 * MINUTE - 4)
    before = standing(pay.look(payment))
    sandbox.advance(8)
    after = pay.look(payment, includeHistory="true")

    assert before == (None, WAITING)
    assert standing(after) == ("FundsOrDatumInvalid", MANUAL)
    assert after["resultHash"] == ""
    assert after["NextAction"]["errorType"] == "Unknown"
    assert after["NextAction"]["errorNote"] == (
        f"Payment request payByTime ({payment['payByTime']}) passed without on-chain lock; "
        "no FundsLocked tx observed within 300s grace."
    )
    assert (after["CurrentTransaction"], after["BuyerWallet"]) == (None, None)
    assert [action["requestedAction"] for action in after["ActionHistory"]] == [WAITING]
    assert refusal(pay.submit(payment)) == NOT_NOW


def test_an_unpaid_payment_is_cleared_but_not_revived(sandbox: Sandbox, pay: Caller) -> None:
    payment = pay.payment()
    sandbox.advance(2 * HOUR)
    at = pay.look(payment)["updatedAt"]
    recover = "/payment/error-state-recovery"
    retried = refusal(pay.on(recover, payment, updatedAt=at, retryPreviousAction=True))
    cleared = data(pay.on(recover, payment, updatedAt=at))

    assert retried == (400, "The immediately preceding payment action is not retryable.")
    assert standing(cleared) == ("FundsOrDatumInvalid", WAITING)
    assert refusal(pay.submit(payment)) == NOT_NOW


def test_a_lock_seen_after_the_grace_is_lost_to_the_seller_only() -> None:
    with (
        Sandbox(confirmations=300, frozen=True) as sandbox,
        httpx.Client(base_url=sandbox.url) as client,
    ):
        caller = Caller(sandbox, sandbox.token, client)
        payment = caller.payment(payByTime=caller.at(2 * MINUTE))
        caller.buy(payment)
        sandbox.advance(20)
        unseen = both(caller, payment)
        sandbox.advance(HOUR)

        assert unseen == [(None, WAITING), (None, "FundsLockingInitiated")]
        assert both(caller, payment)[0] == ("FundsOrDatumInvalid", MANUAL)
        assert both(caller, payment)[1] == ("FundsLocked", WAITING)


def test_a_purchase_within_a_minute_of_its_deadline_is_not_locked(
    sandbox: Sandbox, pay: Caller
) -> None:
    payment = pay.payment(payByTime=pay.at(50))
    assert pay.buy(payment).status_code == 200
    sandbox.mine(5)

    assert both(pay, payment) == [(None, WAITING), (None, "FundsLockingRequested")]


def test_a_wrong_lock_is_final_and_has_no_error_type(sandbox: Sandbox, pay: Caller) -> None:
    payment = pay.payment()
    sandbox.pay(payment["blockchainIdentifier"], bad=True)
    sandbox.mine()
    seen = pay.look(payment)
    recover = "/payment/error-state-recovery"

    assert standing(seen) == ("FundsOrDatumInvalid", MANUAL)
    assert seen["NextAction"]["errorType"] is None
    assert seen["NextAction"]["errorNote"]
    assert seen["BuyerWallet"] is not None
    assert refusal(pay.on(recover, payment, updatedAt=seen["updatedAt"])) == (
        400,
        "Payment request is not in an error state. No error to clear.",
    )
    assert refusal(pay.on(recover, payment, updatedAt=pay.at(-60))) == (
        404,
        "Payment request not found with the provided blockchain identifier or it was changed",
    )


def test_a_lock_after_its_time_is_invalid(sandbox: Sandbox, pay: Caller) -> None:
    payment = pay.payment(payByTime=pay.at(10))
    sandbox.advance(MINUTE)
    sandbox.pay(payment["blockchainIdentifier"])
    sandbox.mine()
    seen = pay.look(payment)

    assert standing(seen) == ("FundsOrDatumInvalid", MANUAL)
    assert seen["BuyerWallet"] is not None


def test_a_state_without_a_transaction_takes_no_result(sandbox: Sandbox, pay: Caller) -> None:
    payment = pay.payment()
    sandbox.force(payment["blockchainIdentifier"], "FundsLocked", quietly=True)

    assert standing(pay.look(payment)) == ("FundsLocked", WAITING)
    assert refusal(pay.submit(payment)) == NOT_NOW


def test_a_buyer_of_another_node_can_pay(sandbox: Sandbox, pay: Caller) -> None:
    payment = pay.payment()
    sandbox.pay(payment["blockchainIdentifier"])
    sandbox.mine()

    assert standing(pay.look(payment)) == ("FundsLocked", WAITING)
    assert pay.submit(payment).status_code == 200


def test_a_lock_that_comes_second_parks_the_purchase(sandbox: Sandbox, pay: Caller) -> None:
    payment = pay.payment()
    sandbox.pay(payment["blockchainIdentifier"])
    sandbox.mine()
    pay.buy(payment)
    sandbox.mine(2)
    purchase = pay.look(payment, "purchase")

    assert (standing(purchase), purchase["NextAction"]["errorType"]) == ((None, MANUAL), "Unknown")
    assert standing(pay.look(payment)) == ("FundsLocked", WAITING)


def test_a_failed_sending_parks_the_payment_until_it_is_retried(
    sandbox: Sandbox, pay: Caller
) -> None:
    payment = pay.locked()
    sandbox.spoil("submit-result", broadcast=True)
    pay.submit(payment)
    sandbox.mine()
    parked = pay.look(payment)
    refused = refusal(pay.submit(payment))
    retried = data(
        pay.on(
            "/payment/error-state-recovery",
            payment,
            updatedAt=parked["updatedAt"],
            retryPreviousAction=True,
        )
    )
    sandbox.mine(2)

    assert parked["NextAction"] == {
        "requestedAction": MANUAL,
        "errorType": "Unknown",
        "errorNote": "Submitting result failed: simulated",
        "resultHash": RESULT,
    }
    assert refused == NOT_NOW
    assert retried["NextAction"] == {
        "requestedAction": "SubmitResultRequested",
        "errorType": None,
        "errorNote": None,
        "resultHash": RESULT,
    }
    assert standing(pay.look(payment)) == ("ResultSubmitted", WAITING)


def test_recovery_wants_a_payment_that_is_in_an_error(pay: Caller) -> None:
    recover = "/payment/error-state-recovery"
    fresh, locked = pay.payment(), pay.locked()
    seen = pay.look(locked)

    assert refusal(pay.on(recover, fresh, updatedAt=fresh["updatedAt"])) == (
        400,
        "Payment request is in its initial on-chain state. Can not be recovered. "
        "Please start a new payment request.",
    )
    assert refusal(pay.on(recover, locked, updatedAt=seen["updatedAt"])) == (
        400,
        "Payment request is not in WaitingForManualAction state. "
        "Current state: WaitingForExternalAction",
    )


def test_a_result_that_races_a_refund_wish_is_sent_again(sandbox: Sandbox, pay: Caller) -> None:
    payment = pay.locked()
    pay.on(ASK_REFUND, payment)
    pay.submit(payment)
    sandbox.mine(2)
    first = both(pay, payment)
    sandbox.mine(2)

    assert first[0][0] == first[1][0]
    assert first[0][0] in ("RefundRequested", "ResultSubmitted")
    assert both(pay, payment) == [("Disputed", WAITING)] * 2
    assert pay.look(payment)["resultHash"] == RESULT


def test_a_real_wallets_pace_sends_one_result_after_the_other() -> None:
    with (
        Sandbox(results_per_block=1, frozen=True) as sandbox,
        httpx.Client(base_url=sandbox.url) as client,
    ):
        caller = Caller(sandbox, sandbox.token, client)
        payments = [caller.locked() for _ in range(3)]
        for payment in payments:
            caller.submit(payment)
        sandbox.mine(2)
        first = [standing(caller.look(payment))[0] for payment in payments]
        sandbox.mine(4)

        assert first == ["ResultSubmitted", "FundsLocked", "FundsLocked"]
        assert {standing(caller.look(payment))[0] for payment in payments} == {"ResultSubmitted"}
