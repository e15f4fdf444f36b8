"""What the released node destroys, loses and delays, as the sandbox shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sandbox_caller import MINUTE, RESULT, Caller, data, refusal, standing

from masumi_sumi.sandbox import Sandbox

RECOVER = "/payment/error-state-recovery"
NOT_NOW = (404, "Payment not found or in invalid state")
WAITING, MANUAL = "WaitingForExternalAction", "WaitingForManualAction"


def parked(sandbox: Sandbox, pay: Caller, *, broadcast: bool = False) -> dict[str, Any]:
    """A payment whose result could not be sent."""
    payment = pay.locked()
    sandbox.spoil(broadcast=broadcast)
    assert pay.submit(payment).status_code == 200
    sandbox.mine()
    return payment


def recover(pay: Caller, payment: dict[str, Any], *, retry: bool = True) -> httpx.Response:
    at = pay.look(payment)["updatedAt"]
    return pay.on(RECOVER, payment, updatedAt=at, retryPreviousAction=retry)


def statuses(row: dict[str, Any]) -> tuple[str | None, list[str]]:
    """Of the current transaction and of the past ones."""
    current = row["CurrentTransaction"]
    return current and current["status"], [old["status"] for old in row["TransactionHistory"]]


# --- recovery that detaches --------------------------------------------------------------------


@pytest.mark.parametrize("retry", [True, False])
def test_recovery_of_what_was_not_broadcast_detaches_the_payment_for_ever(
    sandbox: Sandbox, pay: Caller, retry: bool
) -> None:
    payment = parked(sandbox, pay)
    before = pay.look(payment, includeHistory="true")
    recovered = data(recover(pay, payment, retry=retry))
    sandbox.mine(5)

    assert statuses(before) == ("Confirmed", [])
    assert recovered["CurrentTransaction"] is None
    assert pay.look(payment)["onChainState"] == "FundsLocked"
    assert pay.look(payment)["resultHash"] is None
    assert refusal(pay.submit(payment)) == NOT_NOW


def test_the_next_step_of_a_detached_payment_stops_the_sync_of_its_contract(
    sandbox: Sandbox, pay: Caller
) -> None:
    payment, before, other = parked(sandbox, pay), pay.locked(), pay.payment()
    recover(pay, payment)
    pay.submit(before)
    sandbox.mine(2)
    assert standing(pay.look(before)) == ("ResultSubmitted", WAITING)
    assert sandbox.state()["stopped"] == []

    sandbox.act(payment["blockchainIdentifier"], "request-refund")
    sandbox.mine()
    pay.buy(other)
    sandbox.mine(5)
    sandbox.advance(10 * MINUTE)

    assert sandbox.state()["stopped"] == ["Web3CardanoV1"]
    assert standing(pay.look(payment))[0] == "FundsLocked"
    assert standing(pay.look(other)) == (None, WAITING)


def test_a_stopped_sync_stops_no_other_contract(sandbox: Sandbox, pay: Caller) -> None:
    payment = parked(sandbox, pay)
    recover(pay, payment)
    sandbox.act(payment["blockchainIdentifier"], "request-refund")
    sandbox.mine()
    agent = sandbox.register(version=2)
    newer = pay.locked(agentIdentifier=agent, supportedPaymentSourceIndex=0)

    assert sandbox.state()["stopped"] == ["Web3CardanoV1"]
    assert standing(pay.look(newer)) == ("FundsLocked", WAITING)


def test_recovery_of_what_was_broadcast_comes_back_to_the_lock(
    sandbox: Sandbox, pay: Caller
) -> None:
    payment = parked(sandbox, pay, broadcast=True)
    before = pay.look(payment, includeHistory="true")
    recovered = data(recover(pay, payment))
    sandbox.mine(2)
    after = pay.look(payment, includeHistory="true")

    assert statuses(before) == ("Pending", ["Confirmed"])
    assert recovered["CurrentTransaction"]["status"] == "Confirmed"
    assert standing(after) == ("ResultSubmitted", WAITING)
    assert statuses(after) == ("Confirmed", ["Confirmed"])


def test_recovery_before_the_broadcast_can_choose_a_transaction_that_is_spent(
    sandbox: Sandbox, pay: Caller
) -> None:
    payment = pay.locked()
    lock = pay.look(payment)["CurrentTransaction"]["txHash"]
    sandbox.act(payment["blockchainIdentifier"], "request-refund")
    sandbox.mine(2)
    sandbox.spoil()
    pay.submit(payment)
    sandbox.mine()

    assert pay.look(payment)["CurrentTransaction"]["txHash"] != lock
    assert data(recover(pay, payment))["CurrentTransaction"]["txHash"] == lock


def test_the_newer_node_keeps_the_transaction_and_can_be_told_apart(
    as_key: Callable[[str | None], Caller],
) -> None:
    assert refusal(as_key("pay").get("/rail-readiness")) == (
        404,
        "Can not GET /api/v1/rail-readiness",
    )
    with (
        Sandbox(safe_recovery=True, frozen=True) as sandbox,
        httpx.Client(base_url=sandbox.url) as client,
    ):
        caller = Caller(sandbox, sandbox.token, client)
        payment = parked(sandbox, caller)
        recovered = data(recover(caller, payment))
        sandbox.mine(2)

        assert caller.get("/rail-readiness").status_code == 200
        assert recovered["CurrentTransaction"]["status"] == "Confirmed"
        assert standing(caller.look(payment)) == ("ResultSubmitted", WAITING)


# --- refusals ----------------------------------------------------------------------------------


def test_recovery_by_another_key_is_refused_in_the_nodes_words(
    sandbox: Sandbox, pay: Caller, as_key: Callable[[str | None], Caller]
) -> None:
    payment = parked(sandbox, pay)

    assert refusal(recover(as_key("pay2"), payment)) == (
        403,
        "You are not authorized to recover this payment request",
    )


def test_a_failed_submission_without_a_hash_cannot_be_retried(
    sandbox: Sandbox, pay: Caller
) -> None:
    payment = pay.locked()
    pay.submit(payment)
    sandbox.act(payment["blockchainIdentifier"], "request-refund")
    sandbox.node.chain.pace = _paced(sandbox, results=0)
    sandbox.mine(2)
    sandbox.roll_back(payment["blockchainIdentifier"])
    sandbox.node.chain.pace = _paced(sandbox, results=None)

    assert refusal(recover(pay, payment)) == (
        400,
        "The failed submit-result action has no result hash to retry.",
    )


def test_what_has_ended_cannot_be_retried(sandbox: Sandbox, pay: Caller) -> None:
    payment = pay.delivered()
    sandbox.spoil("withdraw")
    unlock = int(payment["unlockTime"]) / 1000 - sandbox.node.clock.now() / 1000
    sandbox.advance(unlock + 10 * MINUTE + 6)
    assert standing(pay.look(payment)) == ("ResultSubmitted", MANUAL)
    sandbox.force(payment["blockchainIdentifier"], "Withdrawn", quietly=True)

    assert refusal(recover(pay, payment)) == (
        400,
        "The payment is already completed and its previous action cannot be retried.",
    )


# --- hashes that vanish, and a chain that is rolled back ---------------------------------------


def test_a_cleared_error_leaves_no_hash_and_the_node_takes_it_again(
    sandbox: Sandbox, pay: Caller
) -> None:
    payment = parked(sandbox, pay, broadcast=True)
    cleared = data(recover(pay, payment, retry=False))

    assert standing(cleared) == ("FundsLocked", WAITING)
    assert cleared["NextAction"]["resultHash"] is None
    assert pay.submit(payment).status_code == 200


def test_a_refund_request_before_the_broadcast_drops_the_hash_for_good(
    sandbox: Sandbox, pay: Caller
) -> None:
    payment = pay.locked()
    sandbox.node.chain.pace = _paced(sandbox, results=0)
    pay.submit(payment)
    assert pay.look(payment)["NextAction"]["resultHash"] == RESULT
    sandbox.act(payment["blockchainIdentifier"], "request-refund")
    sandbox.mine(2)
    sandbox.node.chain.pace = _paced(sandbox, results=None)
    sandbox.mine(3)
    dropped = pay.look(payment)
    sandbox.act(payment["blockchainIdentifier"], "cancel-refund")
    sandbox.mine(3)

    assert standing(dropped) == ("RefundRequested", "SubmitResultRequested")
    assert dropped["NextAction"]["resultHash"] is None
    assert standing(pay.look(payment)) == ("FundsLocked", "SubmitResultRequested")
    assert refusal(pay.submit(payment)) == NOT_NOW


@pytest.mark.parametrize("state", ["FundsLocked", "ResultSubmitted"])
def test_a_rolled_back_transaction_parks_the_payment_and_leaves_its_state(
    sandbox: Sandbox, pay: Caller, state: str
) -> None:
    payment = pay.locked() if state == "FundsLocked" else pay.delivered()
    sandbox.roll_back(payment["blockchainIdentifier"])
    seen = pay.look(payment)

    assert standing(seen) == (state, MANUAL)
    assert seen["NextAction"]["errorType"] == "Unknown"
    assert seen["NextAction"]["errorNote"].startswith("Rolled back transaction detected")
    assert seen["CurrentTransaction"]["status"] == "RolledBack"
    assert refusal(pay.submit(payment)) == NOT_NOW
    assert [row["id"] for row in pay.diff()][-1:] == [payment["id"]]


# --- ticks -------------------------------------------------------------------------------------


def test_unpaid_payments_are_given_up_at_the_start_of_a_tick_only() -> None:
    with (
        Sandbox(sync_seconds=180, frozen=True) as sandbox,
        httpx.Client(base_url=sandbox.url) as client,
    ):
        caller = Caller(sandbox, sandbox.token, client)
        sandbox.advance(_until_tick(sandbox) + 2)
        payment = caller.payment(payByTime=caller.at(10))
        sandbox.advance(10 + 5 * MINUTE + 20)
        before = standing(caller.look(payment))
        sandbox.advance(_until_tick(sandbox) + 2)

        assert before == (None, WAITING)
        assert standing(caller.look(payment)) == ("FundsOrDatumInvalid", MANUAL)


def test_a_lock_is_seen_at_the_next_tick() -> None:
    with (
        Sandbox(sync_seconds=180, frozen=True) as sandbox,
        httpx.Client(base_url=sandbox.url) as client,
    ):
        caller = Caller(sandbox, sandbox.token, client)
        sandbox.advance(_until_tick(sandbox) + 2)
        payment = caller.payment()
        sandbox.pay(payment["blockchainIdentifier"])
        sandbox.advance(170)
        before = standing(caller.look(payment))
        sandbox.advance(_until_tick(sandbox) + 2)

        assert before == (None, WAITING)
        assert standing(caller.look(payment)) == ("FundsLocked", WAITING)


def test_a_selling_wallet_sends_one_result_in_a_tick() -> None:
    with (
        Sandbox(results_per_block=1, send_seconds=15, frozen=True) as sandbox,
        httpx.Client(base_url=sandbox.url) as client,
    ):
        caller = Caller(sandbox, sandbox.token, client)
        payments = [caller.locked() for _ in range(3)]
        # Begin 8 s behind a tick: each step of 15 s then holds one tick and its confirmation.
        sandbox.advance(23 - sandbox.node.clock.now() / 1000 % 15)
        for payment in payments:
            caller.submit(payment)
        arrived = []
        for _ in range(4):
            sandbox.advance(15)
            rows = [caller.look(payment) for payment in payments]
            arrived.append([standing(row)[0] for row in rows].count("ResultSubmitted"))

        assert arrived[-1] == 3
        assert {after - before for before, after in zip([0, *arrived], arrived, strict=False)} <= {
            0,
            1,
        }


def _until_tick(sandbox: Sandbox) -> float:
    """Seconds to the sync's next tick of three minutes."""
    return 180 - sandbox.node.clock.now() / 1000 % 180


def _paced(sandbox: Sandbox, *, results: int | None) -> Any:
    return replace(sandbox.node.chain.pace, results_per_block=results)
