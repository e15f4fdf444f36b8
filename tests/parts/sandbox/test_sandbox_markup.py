"""Markup that is registered, or sent, at the sandbox: no answer of it is a page that shows it."""

from __future__ import annotations

import httpx
import pytest
from markup_attacks import ATTACKS
from sandbox_caller import Caller

from masumi_sumi.sandbox import Sandbox

NAME = f"{ATTACKS[0]} {ATTACKS[6]}"
WALLET = "addr_test1<svg onload=alert(1)>"


def refused_field(pay: Caller) -> httpx.Response:
    return pay.init(identifierFromPurchaser=NAME, inputHash=ATTACKS[0])


def unknown_path(pay: Caller) -> httpx.Response:
    return pay.get(f"/{ATTACKS[0]}")


def broken_body(pay: Caller) -> httpx.Response:
    return pay.client.post("/payment", content=ATTACKS[0], headers=pay.headers)


@pytest.mark.parametrize(
    "ask",
    [
        lambda pay: pay.get("/registry"),
        lambda pay: pay.get("/registry", searchQuery=NAME),
        lambda pay: pay.get("/payment", searchQuery=NAME),
        lambda pay: pay.get("/payment", filterSmartContractAddress=WALLET),
        refused_field,
        unknown_path,
        broken_body,
    ],
)
def test_what_was_registered_or_sent_comes_back_as_data(
    sandbox: Sandbox, pay: Caller, ask: object
) -> None:
    sandbox.register(name=NAME)
    assert callable(ask)

    answer = ask(pay)

    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    answer.json()


def test_the_documentation_shows_nothing_that_was_registered(sandbox: Sandbox, pay: Caller) -> None:
    sandbox.register(name=NAME)
    base = str(pay.client.base_url).removesuffix("/").removesuffix("/api/v1")

    for path in ("/docs", "/openapi.json", f"/docs?x={NAME}"):
        page = pay.client.get(f"{base}{path}").text
        assert ATTACKS[0] not in page
        assert ATTACKS[6] not in page
