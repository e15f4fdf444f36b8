from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_node import ORDER, WALLET, row

from masumi_sumi.errors import NodeUnreadable
from masumi_sumi.jobs.model import Amount, Times
from masumi_sumi.jobs.ports import Cursor
from masumi_sumi.payments.wire import PaymentRow, StateRow, changed_rows, epoch, iso, parse

CALL = "POST /payment"


@given(st.integers(0, 4_000_000_000_000))
def test_times_go_out_with_milliseconds_and_z_and_mean_the_same_instant(millis: int) -> None:
    text = iso(millis / 1000)

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    assert round(epoch(text) * 1000) == millis


def test_a_time_just_below_the_second_is_rounded_up_whole() -> None:
    assert iso(1795294823.9996) == "2026-11-21T21:00:24.000Z"


def test_a_row_becomes_the_facts_that_a_buyer_needs() -> None:
    facts = parse(
        CALL, PaymentRow, row(RequestedFunds=[{"amount": "7", "unit": "lovelace"}])
    ).facts()

    assert facts.input_hash == ORDER.input_hash
    assert facts.seller_vkey == WALLET.vkey
    assert facts.times == Times(1795294823139, 1795298423139, 1795320023139, 1795341623139)
    assert facts.source_type == "Web3CardanoV1"
    assert facts.price == (Amount("7", ""),)


@pytest.mark.parametrize(("given", "seen"), [("", None), (None, None), ("ab" * 32, "ab" * 32)])
def test_an_empty_result_hash_is_no_result_hash(given: str | None, seen: str | None) -> None:
    view = parse(CALL, StateRow, row(resultHash=given)).view()

    assert view.result_hash == seen


def test_a_view_has_the_state_the_action_and_the_place_in_the_order_of_changes() -> None:
    action = {
        "requestedAction": "WaitingForManualAction",
        "errorType": "Unknown",
        "errorNote": "Submitting result failed",
        "resultHash": "ff" * 32,
    }
    view = parse(CALL, StateRow, row(onChainState="FundsLocked", NextAction=action)).view()

    assert (view.on_chain_state, view.action) == ("FundsLocked", "WaitingForManualAction")
    assert (view.error_type, view.error_note) == ("Unknown", "Submitting result failed")
    assert view.action_result_hash == "ff" * 32
    assert Cursor(view.changed_at, view.row_id) == Cursor(
        "2026-11-21T20:00:00.000Z", "cmwqu1hkv000nf37d09pai9oj"
    )


def test_a_state_that_nobody_has_heard_of_is_passed_on() -> None:
    assert parse(CALL, StateRow, row(onChainState="Novel")).view().on_chain_state == "Novel"


@pytest.mark.parametrize(
    "change",
    [
        {"SmartContractWallet": None},
        {"SmartContractWallet": {"walletVkey": ""}},
        {"inputHash": None},
        {"agentIdentifier": None},
        {"payByTime": None},
        {"payByTime": "2026-11-21T21:00:23.139Z"},
        {"payByTime": True},
        {"payByTime": -1},
        {"unlockTime": "17953200231.39"},
        {"RequestedFunds": []},
        {"RequestedFunds": [{"amount": "1.5", "unit": ""}]},
        {"RequestedFunds": [{"amount": "-1", "unit": ""}]},
        {"RequestedFunds": [{"amount": 1500000.0, "unit": ""}]},
        {"PaymentSource": {"network": "Preprod", "paymentSourceType": "Web3CardanoV9"}},
        {"NextAction": None},
        {"nextActionOrOnChainStateOrResultLastChangedAt": "2026-11-21T20:00:00.000+00:00"},
        {"nextActionOrOnChainStateOrResultLastChangedAt": "2026-13-41T20:00:00.000Z"},
    ],
)
def test_a_row_that_money_cannot_rest_on_is_unreadable(change: dict[str, Any]) -> None:
    with pytest.raises(NodeUnreadable, match=next(iter(change))):
        parse(CALL, PaymentRow, row(**change))


def test_an_unreadable_row_names_its_field_and_not_its_value() -> None:
    with pytest.raises(NodeUnreadable) as caught:
        parse(CALL, PaymentRow, row(payByTime="private-9f8e"))

    assert "payByTime" in str(caught.value)
    assert "private" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_one_unreadable_row_does_not_hide_the_others_of_its_page() -> None:
    rows = [row(id="a"), row(id="b", NextAction=None), row(id="c")]

    found = changed_rows("GET /payment/diff", {"Payments": rows})

    assert [changed.cursor.row_id for changed in found] == ["a", "b", "c"]
    assert [changed.view is None for changed in found] == [False, True, False]
    assert "NextAction" in found[1].fault


def test_a_row_without_its_place_makes_the_page_unreadable() -> None:
    with pytest.raises(NodeUnreadable, match="LastChangedAt"):
        changed_rows(
            "GET /payment/diff",
            {"Payments": [row(nextActionOrOnChainStateOrResultLastChangedAt=None)]},
        )


@pytest.mark.parametrize("data", [None, [], {}, {"Payments": {}}, {"Payments": [1]}, "x"])
def test_a_page_that_is_no_page_is_unreadable(data: object) -> None:
    with pytest.raises(NodeUnreadable):
        changed_rows("GET /payment/diff", data)
