"""Sources, agents and signatures."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sandbox_caller import HOUR, V1_AGENT, V1_POLICY, V2_AGENT, Caller, data, refusal

from masumi_sumi.sandbox import Pricing, Sandbox
from masumi_sumi.sandbox.wallet import is_signed, public_key_of

As = Callable[[str | None], Caller]
PUBLISH = "/signature/sign/verifyAndPublishAgent"
REVEAL = "/signature/verify/reveal-data"


def assets(caller: Caller, **filters: Any) -> list[dict[str, Any]]:
    return data(caller.get("/registry", **filters))["Assets"]


def test_both_contracts_of_preprod_are_offered(pay: Caller) -> None:
    v2, v1 = data(pay.get("/payment-source"))["PaymentSources"]

    assert (v1["paymentSourceType"], v2["paymentSourceType"]) == (
        "Web3CardanoV1",
        "Web3CardanoV2",
    )
    assert (v1["feeRatePermille"], v2["feeRatePermille"]) == (50, 0)
    assert (v1["requiredAdminSignatures"], v2["requiredAdminSignatures"]) == (None, 2)
    assert v1["FeeReceiverNetworkWallet"]["walletAddress"].startswith("addr_test1qqfuahzn")
    assert v2["FeeReceiverNetworkWallet"] is None
    assert [wallet["order"] for wallet in v1["AdminWallets"]] == [1, 2, 3]


def test_sources_are_paged_and_limited_to_the_keys_networks(as_key: As, pay: Caller) -> None:
    first = data(pay.get("/payment-source", take=1))["PaymentSources"]
    rest = data(pay.get("/payment-source", cursorId=first[0]["id"]))["PaymentSources"]

    assert [source["paymentSourceType"] for source in first] == ["Web3CardanoV2"]
    assert len(rest) == 2
    assert data(as_key("mainnet").get("/payment-source")) == {"PaymentSources": []}


def test_the_registry_lists_own_agents_v1_unless_asked(sandbox: Sandbox, pay: Caller) -> None:
    v1 = sandbox.register(name="One")
    sandbox.advance(1)
    free = sandbox.register(pricing="Free")
    v2 = sandbox.register(version=2)

    assert [asset["agentIdentifier"] for asset in assets(pay)] == [free, v1]
    assert assets(pay, filterStatus="Failed") == []
    assert len(assets(pay, filterStatus="Registered", limit=1)) == 1
    assert data(pay.get("/registry/count")) == {"total": 2}
    exact = assets(pay, filterAgentIdentifier=v2)
    assert exact[0]["AgentPricing"] is None
    assert exact[0]["supportedPaymentSources"][0]["pricing"] == {
        "pricingType": "Fixed",
        "fixed": [{"asset": "", "amount": "10000000"}],
    }
    assert assets(pay, searchQuery="one")[0]["agentIdentifier"] == v1


def test_an_asset_has_the_shape_of_the_real_node(sandbox: Sandbox, pay: Caller) -> None:
    sandbox.register(pricing="Free", name="Free Agent")
    asset = assets(pay)[0]

    assert asset["state"] == "RegistrationConfirmed"
    assert asset["AgentPricing"] == {"pricingType": "Free"}
    assert asset["supportedPaymentSources"] is None
    assert set(asset) == {
        "error",
        "id",
        "name",
        "description",
        "apiBaseUrl",
        "Capability",
        "Author",
        "Legal",
        "state",
        "Tags",
        "createdAt",
        "updatedAt",
        "lastCheckedAt",
        "ExampleOutputs",
        "agentIdentifier",
        "AgentPricing",
        "sendFundingLovelace",
        "supportedPaymentSources",
        "verifications",
        "SmartContractWallet",
        "RecipientWallet",
        "CurrentTransaction",
    }


def test_an_unknown_status_is_refused(pay: Caller) -> None:
    assert refusal(pay.get("/registry", filterStatus="x")) == (
        400,
        "filterStatus: Invalid option: expected one of "
        '"Registered"|"Deregistered"|"Pending"|"Failed"',
    )


def test_the_chain_knows_agents_that_the_node_did_not_register(
    sandbox: Sandbox, pay: Caller
) -> None:
    seen = data(pay.get("/registry/agent-identifier", agentIdentifier=V1_AGENT))
    burned = sandbox.register(holder="nobody")

    assert (seen["policyId"], seen["assetName"]) == (V1_POLICY, V1_AGENT[56:])
    assert seen["Metadata"]["AgentPricing"] == {
        "pricingType": "Fixed",
        "Pricing": [{"amount": "10000000", "unit": "lovelace"}],
    }
    assert refusal(pay.get("/registry/agent-identifier", agentIdentifier=burned)) == (
        404,
        "Agent identifier not found",
    )


@pytest.mark.parametrize("version", [1, 2])
def test_what_was_invented_is_said_to_be_so_beside_the_metadata_of_a_real_node(
    sandbox: Sandbox, pay: Caller, version: int
) -> None:
    unknown = V1_AGENT if version == 1 else V2_AGENT
    known = sandbox.register(version=version)

    invented, registered = (
        data(pay.get("/registry/agent-identifier", agentIdentifier=agent))
        for agent in (unknown, known)
    )

    assert invented["invented"] is True
    assert "invented" not in invented["Metadata"]
    assert "invented" not in registered


def test_a_registration_gets_its_identifier_from_the_chain(sandbox: Sandbox, pay: Caller) -> None:
    made = data(
        pay.post(
            "/registry",
            name="Mine",
            apiBaseUrl="http://localhost:8000",
            Tags=["test"],
            Author={"name": "Me"},
            AgentPricing={"pricingType": "Fixed", "Pricing": [{"amount": "3", "unit": ""}]},
        )
    )
    unseen = sandbox.node.registry.newest()[0].identifier
    too_early = refusal(pay.init(agentIdentifier=unseen))
    states = [made["state"]]
    for _ in range(2):
        sandbox.mine()
        states.append(assets(pay)[0]["state"])
    agent = assets(pay)[0]["agentIdentifier"]

    assert made["agentIdentifier"] is None
    assert too_early == (500, "Error fetching asset in wallet")
    assert states == [
        "RegistrationRequested",
        "RegistrationInitiated",
        "RegistrationConfirmed",
    ]
    assert agent.startswith(V1_POLICY)
    funds = pay.payment(agentIdentifier=agent)["RequestedFunds"]
    assert funds == [{"amount": "3", "unit": ""}]


def test_the_selling_wallet_signs_that_a_key_is_the_agents(
    sandbox: Sandbox, as_key: As, pay: Caller
) -> None:
    agent = sandbox.register(owner="pay")
    body = {"publicKey": "my-key", "agentIdentifier": agent, "action": "VerifyAndPublishAgent"}
    signed = data(pay.post(PUBLISH, **body))
    text = signed["signatureData"]

    assert is_signed(signed["signature"], public_key_of(signed["key"]), text.encode())
    assert json.loads(text)["data"]["publicKey"] == "my-key"
    assert refusal(as_key("pay2").post(PUBLISH, **body)) == (
        403,
        "You are not authorized to sign a publish verification for this agent",
    )
    assert refusal(pay.post(PUBLISH, **body | {"agentIdentifier": V1_AGENT})) == (
        404,
        "Registered agent not found",
    )


def reveal_body(caller: Caller, payment: dict[str, Any], seconds: float) -> dict[str, Any]:
    """An arbiter's wish, valid for so long, and signed as it must be."""
    sandbox = caller.sandbox
    admin = sandbox.node.sources[0].admins[0]
    said = {
        "action": "RevealData",
        "blockchainIdentifier": payment["blockchainIdentifier"],
        "validUntil": sandbox.node.clock.now() + int(seconds * 1000),
    }
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    signature, key = admin.sign(text.encode())
    return {**said, "signature": signature, "key": key, "walletAddress": admin.address}


def disputed(caller: Caller) -> dict[str, Any]:
    payment = caller.payment()
    caller.sandbox.force(payment["blockchainIdentifier"], "Disputed", "bb" * 32)
    return payment


def test_an_admin_wallet_may_ask_for_disputed_data(pay: Caller) -> None:
    body = reveal_body(pay, disputed(pay), HOUR)

    assert data(pay.post(REVEAL, **body)) == {"isValid": True}
    other = body | {"validUntil": body["validUntil"] + 1}
    assert data(pay.post(REVEAL, **other)) == {"isValid": False}


@pytest.mark.parametrize(
    ("changes", "seconds", "status", "message"),
    [
        ({"blockchainIdentifier": "abcd"}, HOUR, 404, "Payment not found"),
        (
            {"blockchainIdentifier": "a" * 2501},
            HOUR,
            400,
            "blockchainIdentifier: Too big: expected string to have <=2500 characters",
        ),
        ({"walletAddress": "addr_test1"}, HOUR, 400, "Wallet is not an admin wallet"),
        ({}, -1, 400, "Signature is expired"),
        ({}, 2 * HOUR + 1, 400, "Signature is too far in the future"),
        (
            {"signature": "zz"},
            HOUR,
            500,
            "fromHex expects an hexadecimal string; input was: zz",
        ),
    ],
)
def test_a_wish_to_see_data_is_checked(
    pay: Caller, changes: dict[str, Any], seconds: float, status: int, message: str
) -> None:
    body = reveal_body(pay, disputed(pay), seconds) | changes

    assert refusal(pay.post(REVEAL, **body)) == (status, message)


def test_data_is_revealed_in_a_dispute_only(pay: Caller) -> None:
    body = reveal_body(pay, pay.payment(), HOUR)

    assert refusal(pay.post(REVEAL, **body)) == (400, "Payment is not disputed state")


def test_a_given_identifier_says_its_version_itself(sandbox: Sandbox, pay: Caller) -> None:
    sandbox.register(V2_AGENT, amount=3)
    payment = pay.payment(agentIdentifier=V2_AGENT, supportedPaymentSourceIndex=0)

    assert payment["RequestedFunds"] == [{"amount": "3", "unit": ""}]


def test_an_advertised_price_of_v2_is_found_by_its_index(sandbox: Sandbox, pay: Caller) -> None:
    agent = sandbox.register(version=2, offers=[Pricing("Dynamic", ()), Pricing()])
    offers = assets(pay, filterAgentIdentifier=agent)[0]["supportedPaymentSources"]

    assert [offer["pricing"]["pricingType"] for offer in offers] == ["Dynamic", "Fixed"]
