"""Resolve, lists, counts and diffs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sandbox_caller import MINUTE, V2_AGENT, Caller, data, refusal, standing

from masumi_sumi.sandbox import Sandbox
from masumi_sumi.sandbox.clock import iso

As = Callable[[str | None], Caller]
STATES = (
    "FundsLocked",
    "FundsOrDatumInvalid",
    "ResultSubmitted",
    "RefundRequested",
    "Disputed",
    "Withdrawn",
    "RefundWithdrawn",
    "DisputedWithdrawn",
    "WithdrawAuthorized",
    "RefundAuthorized",
)
DIFFS = ("", "/next-action", "/onchain-state-or-result")
ANY_PAYMENT = {"blockchainIdentifier": "ab" * 40}


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


def test_any_read_key_of_the_network_sees_the_payment(as_key: As, pay: Caller) -> None:
    payment = pay.payment()

    for token in ("read", "pay2"):
        assert as_key(token).look(payment)["requestedById"] == payment["requestedById"]


def test_histories_are_null_unless_asked_for_with_the_text_true(pay: Caller) -> None:
    payment = pay.payment()
    plain, full = pay.look(payment), pay.look(payment, includeHistory="true")

    assert (plain["ActionHistory"], plain["TransactionHistory"]) == (None, None)
    assert (full["ActionHistory"], full["TransactionHistory"]) == ([], [])


@pytest.mark.parametrize(
    ("token", "body", "status", "message"),
    [
        (
            "read",
            {"includeHistory": True},
            400,
            "includeHistory: Invalid input: expected string, received boolean",
        ),
        ("read", ANY_PAYMENT, 404, "Payment not found"),
        (
            "read",
            {"blockchainIdentifier": ""},
            400,
            "blockchainIdentifier: Too small: expected string to have >=1 characters",
        ),
        ("scoped", {}, 404, "Payment not found"),
        ("mainnet", {}, 401, "Unauthorized, network not allowed"),
    ],
)
def test_resolve_refuses_as_the_real_node_does(
    as_key: As, pay: Caller, token: str, body: dict[str, Any], status: int, message: str
) -> None:
    payment = pay.payment()
    sent = {"blockchainIdentifier": payment["blockchainIdentifier"], **body}
    response = as_key(token).post("/payment/resolve-blockchain-identifier", **sent)

    assert refusal(response) == (status, message)


def test_a_payment_is_no_purchase_before_somebody_buys_it(pay: Caller) -> None:
    payment = pay.payment()
    response = pay.on("/purchase/resolve-blockchain-identifier", payment)

    assert refusal(response) == (404, "Purchase not found")


def test_resolve_finds_v2_payments_without_a_filter(pay: Caller) -> None:
    payment = pay.payment(agentIdentifier=V2_AGENT, supportedPaymentSourceIndex=0)

    assert pay.look(payment)["id"] == payment["id"]


def test_the_list_is_newest_first_and_the_cursor_row_comes_again(
    sandbox: Sandbox, pay: Caller
) -> None:
    made = []
    for _ in range(3):
        sandbox.advance(1)
        made.append(pay.payment()["id"])
    newest = data(pay.get("/payment", limit=2))["Payments"]
    older = data(pay.get("/payment", limit=2, cursorId=made[1]))["Payments"]

    assert ids(newest) == [made[2], made[1]]
    assert ids(older) == [made[1], made[0]]
    assert data(pay.get("/payment", cursorId="doesnotexist")) == {"Payments": []}


def test_lists_filter_by_state_manual_action_and_words(sandbox: Sandbox, pay: Caller) -> None:
    locked, invalid, plain = pay.locked(), pay.payment(), pay.payment(inputHash="77" * 32)
    sandbox.force(invalid["blockchainIdentifier"], "FundsOrDatumInvalid")

    def found(**filters: Any) -> list[str]:
        return ids(data(pay.get("/payment", **filters))["Payments"])

    assert found(filterOnChainState="FundsLocked") == [locked["id"]]
    assert found(filterNeedsManualAction="true") == [invalid["id"]]
    assert found(searchQuery="77" * 32) == [plain["id"]]
    assert data(pay.get("/payment/count")) == {"total": 3}
    assert data(pay.get("/payment/count", filterNeedsManualAction="true")) == {"total": 1}


@pytest.mark.parametrize(
    ("path", "params", "message"),
    [
        (
            "/payment",
            {"filterOnChainState": "Nope"},
            "filterOnChainState: Invalid option: expected one of "
            + "|".join(f'"{state}"' for state in STATES),
        ),
        ("/payment", {"limit": "abc"}, "limit: Invalid input: expected number, received NaN"),
        ("/payment/diff", {"lastUpdate": "123"}, "lastUpdate: Invalid input"),
        (
            "/payment/diff",
            {"lastUpdate": "2026-01-01T00:00:00+00:00"},
            "lastUpdate: Invalid input",
        ),
        ("/payment/diff", {"limit": 0}, "limit: Too small: expected number to be >=1"),
        ("/payment/diff", {"limit": 101}, "limit: Too big: expected number to be <=100"),
        (
            "/payment/diff",
            {"network": None},
            'network: Invalid option: expected one of "Preprod"|"Mainnet"',
        ),
    ],
)
def test_queries_that_break_a_rule_get_the_nodes_sentence(
    pay: Caller, path: str, params: dict[str, Any], message: str
) -> None:
    assert refusal(pay.get(path, **params)) == (400, message)


def test_without_a_filter_only_v1_rows_are_seen(pay: Caller) -> None:
    v1 = pay.payment()
    v2 = pay.payment(agentIdentifier=V2_AGENT, supportedPaymentSourceIndex=0)
    contract = v2["PaymentSource"]["smartContractAddress"]

    assert ids(pay.diff()) == [v1["id"]]
    assert ids(pay.diff(filterPaymentSourceType="Web3CardanoV2")) == [v2["id"]]
    assert ids(pay.diff(filterSmartContractAddress=contract)) == [v2["id"]]
    assert ids(data(pay.get("/payment"))["Payments"]) == [v1["id"]]


def test_a_key_scoped_to_v2_sees_v2_rows_only(as_key: As, pay: Caller) -> None:
    pay.payment()
    v2 = pay.payment(agentIdentifier=V2_AGENT, supportedPaymentSourceIndex=0)

    assert as_key("scoped").diff() == []
    assert ids(as_key("scoped").diff(filterPaymentSourceType="Web3CardanoV2")) == [v2["id"]]


def test_a_diff_includes_the_row_that_its_cursor_names(pay: Caller) -> None:
    payment = pay.payment()
    at = payment["nextActionOrOnChainStateOrResultLastChangedAt"]

    assert ids(pay.diff(lastUpdate=at)) == [payment["id"]]
    assert ids(pay.diff(lastUpdate=at, cursorId=payment["id"])) == [payment["id"]]
    assert ids(pay.diff(lastUpdate=at, cursorId="zzzz")) == []
    assert ids(pay.diff(cursorId=payment["id"])) == [payment["id"]]


def test_a_diff_is_ordered_by_moment_and_then_by_id(sandbox: Sandbox, pay: Caller) -> None:
    first = pay.locked()
    twins = sorted(pay.payment()["id"] for _ in range(3))
    sandbox.advance(1)
    pay.submit(first)

    assert ids(pay.diff()) == [*twins, first["id"]]
    assert ids(pay.diff(limit=2)) == twins[:2]
    rest = pay.diff(limit=2, lastUpdate=pay.look(first)["createdAt"], cursorId=twins[1])
    assert ids(rest) == twins[1:]


@pytest.mark.parametrize("kind", DIFFS)
def test_a_lock_shows_in_every_diff_from_its_moment_on(
    sandbox: Sandbox, pay: Caller, kind: str
) -> None:
    payment = pay.payment()
    pay.buy(payment)
    sandbox.advance(10)
    seen = pay.look(payment)

    assert seen["onChainState"] == "FundsLocked"
    at = seen["nextActionOrOnChainStateOrResultLastChangedAt"]
    assert at > payment["createdAt"]
    assert ids(pay.diff(kind, lastUpdate=at)) == [payment["id"]]


def test_a_wish_moves_the_actions_stamp_and_leaves_the_states(
    sandbox: Sandbox, pay: Caller
) -> None:
    payment = pay.locked()
    before = pay.look(payment)
    sandbox.advance(1)
    after = data(pay.submit(payment))

    assert after["nextActionLastChangedAt"] > before["nextActionLastChangedAt"]
    assert after["onChainStateOrResultLastChangedAt"] == before["onChainStateOrResultLastChangedAt"]
    assert (
        after["nextActionOrOnChainStateOrResultLastChangedAt"] == after["nextActionLastChangedAt"]
    )


def test_the_combined_diff_does_not_see_a_state_written_alone(
    sandbox: Sandbox, pay: Caller
) -> None:
    payment = pay.locked()
    sandbox.advance(MINUTE)
    now = pay.at(0)
    sandbox.force(payment["blockchainIdentifier"], "Disputed", quietly=True)

    assert standing(pay.look(payment)) == ("Disputed", "WaitingForExternalAction")
    assert pay.diff(lastUpdate=now) == []
    assert ids(pay.diff("/onchain-state-or-result", lastUpdate=now)) == [payment["id"]]


def test_a_late_commit_is_missed_by_an_exact_cursor_and_found_with_an_overlap(
    sandbox: Sandbox, pay: Caller
) -> None:
    payment = pay.payment()
    pay.buy(payment)
    sandbox.advance(MINUTE)
    poll = pay.payment()
    at = poll["nextActionOrOnChainStateOrResultLastChangedAt"]
    late = pay.payment()
    pay.buy(late)
    sandbox.lag(30)
    sandbox.advance(10)

    assert pay.look(late)["onChainState"] == "FundsLocked"
    exact = pay.diff(lastUpdate=at, cursorId=poll["id"])
    overlap = pay.diff(lastUpdate=pay.at(-MINUTE))
    assert late["id"] not in ids(exact)
    assert late["id"] in ids(overlap)


def test_purchases_are_listed_counted_and_diffed_alike(pay: Caller) -> None:
    purchase = data(pay.buy(pay.payment()))

    assert ids(data(pay.get("/purchase"))["Purchases"]) == [purchase["id"]]
    assert data(pay.get("/purchase/count")) == {"total": 1}
    for kind in DIFFS:
        assert ids(pay.diff(kind, side="purchase")) == [purchase["id"]]


def test_among_ten_thousand_payments_the_changed_ones_are_found_page_by_page(
    sandbox: Sandbox, pay: Caller
) -> None:
    pay.payment()
    (template,) = sandbox.node.ledger
    with sandbox.node.turn() as now:
        for n in range(10_000):
            row = replace(template, id=f"cm{n:06}", identifier=f"{n:08x}", changed_at=now + n // 7)
            sandbox.node.ledger.save(row)
    mark = {"lastUpdate": iso(now + 9_500 // 7), "cursorId": "cm009500"}
    found: list[str] = []
    while fresh := [id_ for id_ in ids(pay.diff(limit=100, **mark)) if id_ not in found[-1:]]:
        found += fresh
        number = int(found[-1].removeprefix("cm"))
        mark = {"lastUpdate": iso(now + number // 7), "cursorId": found[-1]}

    assert found == [f"cm{n:06}" for n in range(9_500, 10_000)]
    assert data(pay.get("/payment/count")) == {"total": 10_001}
