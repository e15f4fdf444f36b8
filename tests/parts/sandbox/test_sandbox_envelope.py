"""Keys, envelopes and routes: who gets in, and how the node says no."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from sandbox_caller import INPUT_HASH, V1_AGENT, Caller, data, refusal

from masumi_sumi.sandbox import Sandbox, create_app

As = Callable[[str | None], Caller]
NOTHING_GIVEN = (
    "inputHash: Invalid input: expected string, received undefined; "
    'network: Invalid option: expected one of "Preprod"|"Mainnet"; '
    "agentIdentifier: Invalid input: expected string, received undefined; "
    "identifierFromPurchaser: Invalid input: expected string, received undefined"
)


def test_health_needs_no_token(as_key: As) -> None:
    assert as_key(None).get("/health").json() == {"status": "success", "data": {"status": "ok"}}


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "Unauthorized, no authentication token provided"),
        ({"token": "nope"}, "Unauthorized, invalid authentication token provided"),
        ({"api-key": "pay"}, "Unauthorized, no authentication token provided"),
        ({"Authorization": "Bearer pay"}, "Unauthorized, no authentication token provided"),
    ],
    ids=["no token", "unknown token", "api-key header", "bearer"],
)
def test_only_a_known_token_header_gets_in(
    sandbox: Sandbox, client: httpx.Client, headers: dict[str, str], message: str
) -> None:
    response = client.get("/payment", params={"network": "Preprod"}, headers=headers)

    assert refusal(response) == (401, message)


@pytest.mark.parametrize(
    ("token", "network", "status", "message"),
    [
        ("read", "Preprod", 401, "Unauthorized, payment access required"),
        ("mainnet", "Preprod", 401, "Unauthorized, network not allowed"),
        ("sandbox", "Mainnet", 404, "Network and policyId combination not supported"),
        (
            "pay",
            "Preview",
            400,
            'network: Invalid option: expected one of "Preprod"|"Mainnet"',
        ),
        ("scoped", "Preprod", 404, "Not found"),
    ],
)
def test_a_key_may_start_payments_only_where_it_is_allowed_to(
    as_key: As, token: str, network: str, status: int, message: str
) -> None:
    assert refusal(as_key(token).init(network=network)) == (status, message)


def test_unknown_routes_are_named_in_the_answer(pay: Caller) -> None:
    for path in ("/nothing", "/payment/abc", "/purchase/abc"):
        assert refusal(pay.get(path)) == (404, f"Can not GET /api/v1{path}")


def test_a_wrong_method_is_named_in_the_answer(sandbox: Sandbox, client: httpx.Client) -> None:
    assert refusal(client.put("/payment", json={})) == (405, "PUT is not allowed")


def test_a_trailing_slash_is_accepted(pay: Caller) -> None:
    assert pay.get("/payment/count/").status_code == 200


def test_malformed_json_is_refused_before_the_key_is_looked_at(
    sandbox: Sandbox, client: httpx.Client
) -> None:
    headers = {"content-type": "application/json"}
    response = client.post("/payment", content='{"a":', headers=headers)

    assert refusal(response) == (400, "Unexpected end of JSON input")


def test_a_body_of_another_type_counts_as_empty(sandbox: Sandbox, client: httpx.Client) -> None:
    headers = {"token": "pay", "content-type": "text/plain"}
    response = client.post("/payment", content='{"inputHash": "aa"}', headers=headers)

    assert refusal(response) == (400, NOTHING_GIVEN)


def test_all_missing_fields_are_named_at_once(sandbox: Sandbox, client: httpx.Client) -> None:
    response = client.post("/payment", json={}, headers={"token": "pay"})

    assert refusal(response) == (400, NOTHING_GIVEN)


def test_text_that_no_database_takes_is_refused_and_not_kept(pay: Caller) -> None:
    half = pay.client.post(
        "/payment",
        content='{"network": "Preprod", "metadata": "\\ud800"}',
        headers={**pay.headers, "content-type": "application/json"},
    )

    assert half.status_code == 500


def test_a_body_of_more_than_100_kb_is_too_large(pay: Caller) -> None:
    assert pay.init(metadata="m" * 90_000).status_code == 200
    assert refusal(pay.init(metadata="m" * 110_000)) == (413, "request entity too large")


def test_a_key_sees_its_own_limits(as_key: As) -> None:
    assert data(as_key("pay").get("/api-key-status")) | {"id": "", "token": ""} == {
        "id": "",
        "token": "",
        "permission": "ReadAndPay",
        "canRead": True,
        "canPay": True,
        "canAdmin": False,
        "usageLimited": False,
        "NetworkLimit": ["Preprod"],
        "ChainIdLimit": ["cardano:preprod"],
        "RemainingUsageCredits": [],
        "status": "Active",
        "walletScopeEnabled": False,
        "WalletScopes": [],
    }


def test_the_id_of_a_key_is_the_owner_of_its_rows(pay: Caller) -> None:
    assert pay.payment()["requestedById"] == data(pay.get("/api-key-status"))["id"]


async def test_production_hides_the_text_of_5xx_and_keeps_that_of_4xx() -> None:
    app = create_app(strict=True, production=True, frozen=True)
    transport = httpx.ASGITransport(app=app)
    body = {
        "inputHash": INPUT_HASH,
        "network": "Preprod",
        "agentIdentifier": V1_AGENT,
        "payByTime": "2999-01-01",
        "submitResultTime": "2999-01-02",
        "identifierFromPurchaser": "ab" * 7,
    }
    async with httpx.AsyncClient(
        transport=transport, base_url="http://node/api/v1", headers={"token": "sandbox"}
    ) as client:
        unknown = await client.post("/payment", json=body)
        wrong = await client.post("/payment", json=body | {"inputHash": "xyz!"})

    assert refusal(unknown) == (500, "Internal Server Error")
    assert refusal(wrong) == (400, "Input hash is not a valid hex string")
