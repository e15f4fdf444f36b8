"""POST /payment: what a new payment looks like, and every recorded way to be refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sandbox_caller import (
    HOUR,
    MINUTE,
    V1_AGENT,
    V1_POLICY,
    V2_AGENT,
    V2_POLICY,
    Caller,
    data,
    refusal,
)

from masumi_sumi.sandbox import Pricing, Sandbox

As = Callable[[str | None], Caller]
PAYMENT_KEYS = {
    "id",
    "createdAt",
    "updatedAt",
    "blockchainIdentifier",
    "agentIdentifier",
    "agentName",
    "pricingType",
    "lastCheckedAt",
    "payByTime",
    "submitResultTime",
    "unlockTime",
    "collateralReturnLovelace",
    "buyerReturnAddress",
    "sellerReturnAddress",
    "externalDisputeUnlockTime",
    "requestedById",
    "resultHash",
    "nextActionLastChangedAt",
    "onChainStateOrResultLastChangedAt",
    "nextActionOrOnChainStateOrResultLastChangedAt",
    "inputHash",
    "totalBuyerCardanoFees",
    "totalSellerCardanoFees",
    "cooldownTime",
    "cooldownTimeOtherParty",
    "onChainState",
    "NextAction",
    "CurrentTransaction",
    "RequestedFunds",
    "WithdrawnForSeller",
    "WithdrawnForBuyer",
    "PaymentSource",
    "BuyerWallet",
    "SmartContractWallet",
    "metadata",
}
PAY_BEFORE_SUBMIT = "Pay by time must be before submit result time (min. 5 minutes)"
DISPUTE_AFTER_UNLOCK = (
    "External dispute unlock time must be after unlock time (min. 15 minutes difference)"
)


def test_a_new_payment_has_the_shape_of_the_real_node(pay: Caller) -> None:
    payment = pay.payment(metadata='{"job":"1"}')

    assert set(payment) == PAYMENT_KEYS
    assert payment["resultHash"] == ""
    assert payment["onChainState"] is None
    assert payment["NextAction"] == {
        "requestedAction": "WaitingForExternalAction",
        "errorType": None,
        "errorNote": None,
        "resultHash": None,
    }
    assert payment["RequestedFunds"] == [{"amount": "10000000", "unit": ""}]
    assert payment["metadata"] == '{"job":"1"}'
    assert payment["PaymentSource"] | {"id": ""} == {
        "id": "",
        "network": "Preprod",
        "paymentSourceType": "Web3CardanoV1",
        "smartContractAddress": "addr_test1wz7j4kmg2cs7yf92uat3ed4a3u97kr7axxr4avaz0lhwdsqukgwfm",
        "policyId": V1_POLICY,
    }
    for empty in ("CurrentTransaction", "BuyerWallet", "lastCheckedAt"):
        assert payment[empty] is None
    stamps = {payment[name] for name in payment if name.endswith("ChangedAt")}
    assert stamps == {payment["createdAt"]}


def test_times_go_in_as_iso_and_come_out_as_epoch_milliseconds(pay: Caller) -> None:
    payment = pay.payment(payByTime="2999-11-21T21:00:23.139Z", submitResultTime="2999-11-24")

    assert payment["payByTime"] == "32500213223139"
    assert payment["submitResultTime"] == "32500396800000"


def test_unlock_times_default_to_6_and_12_hours_after_the_result(pay: Caller) -> None:
    payment = pay.payment()
    submit = int(payment["submitResultTime"])

    assert int(payment["unlockTime"]) - submit == 6 * HOUR * 1000
    assert int(payment["externalDisputeUnlockTime"]) - submit == 12 * HOUR * 1000


def test_the_same_body_again_is_a_new_payment(pay: Caller) -> None:
    first, second = pay.payment(), pay.payment()

    assert first["id"] != second["id"]
    assert first["blockchainIdentifier"] != second["blockchainIdentifier"]


def test_a_fixed_price_may_have_several_assets(sandbox: Sandbox, pay: Caller) -> None:
    agent = sandbox.register(funds=[(1_500_000, "lovelace"), (7, "16a5" * 14)], name="Two Assets")
    payment = pay.payment(agentIdentifier=agent)

    assert payment["agentName"] == "Two Assets"
    assert payment["RequestedFunds"] == [
        {"amount": "1500000", "unit": ""},
        {"amount": "7", "unit": "16a5" * 14},
    ]


def test_a_dynamic_agent_takes_the_price_from_the_request(sandbox: Sandbox, pay: Caller) -> None:
    agent = sandbox.register(pricing="Dynamic")
    funds = [{"amount": "5000000", "unit": "lovelace"}]
    payment = pay.payment(agentIdentifier=agent, RequestedFunds=funds)

    assert payment["pricingType"] == "Dynamic"
    assert payment["RequestedFunds"] == [{"amount": "5000000", "unit": ""}]


def test_a_v2_agent_sells_by_the_index_of_an_advertised_source(
    sandbox: Sandbox, pay: Caller
) -> None:
    agent = sandbox.register(version=2, offers=[Pricing(), Pricing("Dynamic", ())])
    fixed = pay.payment(agentIdentifier=agent, supportedPaymentSourceIndex=0)
    funds = [{"amount": "4000000", "unit": ""}]
    dynamic = pay.payment(
        agentIdentifier=agent, supportedPaymentSourceIndex=1, RequestedFunds=funds
    )

    assert fixed["PaymentSource"]["paymentSourceType"] == "Web3CardanoV2"
    assert fixed["PaymentSource"]["policyId"] == V2_POLICY
    assert fixed["RequestedFunds"] == [{"amount": "10000000", "unit": ""}]
    assert (dynamic["pricingType"], dynamic["RequestedFunds"]) == ("Dynamic", funds)


@pytest.mark.parametrize(
    "changes",
    [
        {"inputHash": "ab"},
        {"inputHash": "AB" * 32, "identifierFromPurchaser": "ABCDEF0123456789"},
        {"foo": "bar"},
        {"payByTime": "2999-11-21T21:00:23.372", "submitResultTime": "2999-11-22T21:00:23"},
    ],
    ids=["two hex digits", "upper case", "unknown field", "no zone"],
)
def test_what_the_real_node_takes_is_taken_unchanged(pay: Caller, changes: dict[str, Any]) -> None:
    payment = pay.payment(**changes)

    assert payment["inputHash"] == changes.get("inputHash", "aa" * 32)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"payByTime": ..., "submitResultTime": ...}, PAY_BEFORE_SUBMIT),
        ({"payByTime": 1795294823372}, "payByTime: Invalid input"),
        ({"payByTime": "1795294823372"}, "payByTime: Invalid input"),
        ({"payByTime": "2026-12-24T10:00:00+00:00"}, "payByTime: Invalid input"),
        ({"payByTime": "2026-02-30"}, "payByTime: Invalid input"),
        (
            {"identifierFromPurchaser": "z" * 16},
            "Purchaser identifier is not a valid hex string",
        ),
        (
            {"identifierFromPurchaser": "a" * 15},
            "Purchaser identifier is not a valid hex string",
        ),
        (
            {"identifierFromPurchaser": "a" * 13},
            "identifierFromPurchaser: Too small: expected string to have >=14 characters",
        ),
        (
            {"identifierFromPurchaser": "a" * 27},
            "identifierFromPurchaser: Too big: expected string to have <=26 characters",
        ),
        ({"inputHash": "xyz!"}, "Input hash is not a valid hex string"),
        ({"inputHash": ""}, "Input hash is not a valid hex string"),
        (
            {"inputHash": "a" * 252},
            "inputHash: Too big: expected string to have <=250 characters",
        ),
        (
            {"agentIdentifier": "abc"},
            "agentIdentifier: Too small: expected string to have >=57 characters",
        ),
        (
            {"RequestedFunds": [{"amount": "2000000", "unit": ""}]},
            "For fixed pricing, RequestedFunds must be null",
        ),
        (
            {"RequestedFunds": None},
            "RequestedFunds: Invalid input: expected array, received null",
        ),
        (
            {"RequestedFunds": [{"amount": 5, "unit": ""}]},
            "RequestedFunds[0].amount: Invalid input: expected string, received number",
        ),
        (
            {"RequestedFunds": [{"amount": "1", "unit": ""}] * 8},
            "RequestedFunds: Too big: expected array to have <=7 items",
        ),
        (
            {"supportedPaymentSourceIndex": 0},
            "V1 Cardano payments must not set supportedPaymentSourceIndex; "
            "pricing comes from AgentPricing",
        ),
        (
            {"agentIdentifier": V2_AGENT},
            "V2 Cardano payments require supportedPaymentSourceIndex to select a priced "
            "Cardano source",
        ),
        (
            {"agentIdentifier": V2_AGENT, "supportedPaymentSourceIndex": 9},
            "supportedPaymentSourceIndex 9 is not advertised by this agent",
        ),
        (
            {"paymentSourceType": "Web3CardanoV2"},
            "paymentSourceType does not match the agent registry source",
        ),
        (
            {"sellerReturnAddress": "addr_test1xyz"},
            "sellerReturnAddress: sellerReturnAddress is not a valid Cardano address for the "
            "configured network",
        ),
        (
            {
                "inputHash": ...,
                "agentIdentifier": ...,
                "identifierFromPurchaser": ...,
            },
            "inputHash: Invalid input: expected string, received undefined; "
            "agentIdentifier: Invalid input: expected string, received undefined; "
            "identifierFromPurchaser: Invalid input: expected string, received undefined",
        ),
    ],
)
def test_a_request_that_breaks_a_rule_gets_the_nodes_sentence(
    pay: Caller, changes: dict[str, Any], message: str
) -> None:
    assert refusal(pay.init(**changes)) == (400, message)


@pytest.mark.parametrize(
    ("pay_by", "submit", "unlock", "dispute", "message"),
    [
        (2 * HOUR - 5 * MINUTE + 1, 2 * HOUR, None, None, PAY_BEFORE_SUBMIT),
        (2 * HOUR - 5 * MINUTE, 2 * HOUR, None, None, None),
        (-6 * MINUTE, 2 * HOUR, None, None, "Pay by time must be in the future (max. 5 minutes)"),
        (-5 * MINUTE, 2 * HOUR, None, None, None),
        (
            MINUTE,
            15 * MINUTE - 1,
            None,
            None,
            "Submit result time must be in the future (min. 15 minutes)",
        ),
        (MINUTE, 15 * MINUTE, None, None, None),
        (
            HOUR,
            2 * HOUR,
            2 * HOUR + 15 * MINUTE - 1,
            None,
            "Submit result time must be before unlock time with at least 15 minutes difference",
        ),
        (HOUR, 2 * HOUR, 2 * HOUR + 15 * MINUTE, None, None),
        (HOUR, 2 * HOUR, 4 * HOUR, 4 * HOUR + 15 * MINUTE - 1, DISPUTE_AFTER_UNLOCK),
        (HOUR, 2 * HOUR, 4 * HOUR, 4 * HOUR + 15 * MINUTE, None),
        (HOUR, 2 * HOUR, 15 * HOUR, None, DISPUTE_AFTER_UNLOCK),
        (3 * HOUR, 2 * HOUR, 0, 0, PAY_BEFORE_SUBMIT),
    ],
)
def test_deadlines_keep_their_distances_boundaries_included(
    pay: Caller,
    pay_by: int,
    submit: int,
    unlock: int | None,
    dispute: int | None,
    message: str | None,
) -> None:
    times = {
        "payByTime": pay.at(pay_by),
        "submitResultTime": pay.at(submit),
        "unlockTime": ... if unlock is None else pay.at(unlock),
        "externalDisputeUnlockTime": ... if dispute is None else pay.at(dispute),
    }
    response = pay.init(**times)

    if message is None:
        assert response.status_code == 200
    else:
        assert refusal(response) == (400, message)


@pytest.mark.parametrize(
    ("agent", "status", "message"),
    [
        ({"holder": "nobody"}, 404, "Agent identifier not found"),
        ({"holder": "stranger"}, 404, "Selling wallet not found"),
        ({"metadata": "malformed"}, 404, "Agent registry metadata not valid"),
        ({"metadata": "missing"}, 404, "Agent registry metadata not found"),
        (
            {"priced": False},
            400,
            "Selected payment source does not advertise valid Cardano pricing",
        ),
        ({"pricing": "Free"}, 400, "Pricing type not supported for payments"),
        (
            {"pricing": "Dynamic"},
            400,
            "For dynamic pricing, RequestedFunds must be provided",
        ),
    ],
)
def test_an_agent_that_cannot_be_paid_is_refused(
    sandbox: Sandbox, pay: Caller, agent: dict[str, Any], status: int, message: str
) -> None:
    identifier = sandbox.register(**agent)

    assert refusal(pay.init(agentIdentifier=identifier)) == (status, message)


@pytest.mark.parametrize(
    ("funds", "status", "message"),
    [
        ([{"amount": "0", "unit": ""}], 400, "RequestedFunds amounts must be positive"),
        ([{"amount": "1.5", "unit": ""}], 500, "Cannot convert 1.5 to a BigInt"),
        ([], 400, "For dynamic pricing, RequestedFunds must be provided"),
    ],
)
def test_a_dynamic_price_must_be_positive_whole_numbers(
    sandbox: Sandbox, pay: Caller, funds: list[dict[str, str]], status: int, message: str
) -> None:
    agent = sandbox.register(pricing="Dynamic")

    assert refusal(pay.init(agentIdentifier=agent, RequestedFunds=funds)) == (status, message)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (0, "Pricing type not supported for payments"),
        (1, "supportedPaymentSourceIndex 1 does not select a Cardano payment source"),
    ],
)
def test_a_v2_source_must_be_a_priced_cardano_one(
    sandbox: Sandbox, pay: Caller, index: int, message: str
) -> None:
    agent = sandbox.register(version=2, offers=[Pricing("Free", ()), Pricing(chain="EVM")])
    response = pay.init(agentIdentifier=agent, supportedPaymentSourceIndex=index)

    assert refusal(response) == (400, message)


def test_a_free_agent_is_refused_also_with_empty_funds(sandbox: Sandbox, pay: Caller) -> None:
    agent = sandbox.register(pricing="Free")
    response = pay.init(agentIdentifier=agent, RequestedFunds=[])

    assert refusal(response) == (400, "Pricing type not supported for payments")


def test_an_agent_of_another_policy_is_refused_before_anything_else(pay: Caller) -> None:
    response = pay.init(agentIdentifier="0" * 120, inputHash="xyz!")

    assert refusal(response) == (404, "Network and policyId combination not supported")


@pytest.mark.parametrize("name", ["a", "abc", "name", "ab cd"])
def test_a_token_that_cannot_be_on_chain_is_nobodys_agent(pay: Caller, name: str) -> None:
    response = pay.init(agentIdentifier=V1_AGENT[:56] + name)

    assert refusal(response) == (500, "Error fetching asset in wallet")


def test_a_strict_node_knows_registered_agents_only() -> None:
    with (
        Sandbox(strict=True, frozen=True) as sandbox,
        httpx.Client(base_url=sandbox.url) as client,
    ):
        caller = Caller(sandbox, sandbox.token, client)
        unknown = caller.init()
        sandbox.register(V1_AGENT)
        known = caller.init()

    assert refusal(unknown) == (500, "Error fetching asset in wallet")
    assert data(known)["agentIdentifier"] == V1_AGENT
