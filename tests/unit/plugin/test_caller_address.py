"""Whose unpaid jobs are counted: the caller's own, which nobody can say for himself."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from masumi_sumi.errors import SellerBusy
from masumi_sumi.gateway_proof import CLIENT_ADDRESS_HEADER
from masumi_sumi.plugin import FlowTerms

if TYPE_CHECKING:
    from sold_app import Shop

MakeShop = Callable[..., "Shop"]
AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ee" * 32
PRICED = FlowTerms(agent_identifier=AGENT, network="Preprod")
HIRE = {"identifier_from_purchaser": "b69a06808228fd00", "input_data": {"name": "Ada", "age": 3}}
STRANGER, GATEWAY, BUYER = "203.0.113.5", "10.0.0.2", "198.51.100.9"


async def caller(shop: Shop, address: str, headers: dict[str, str]) -> str:
    """Who counts as the caller of a hire that comes from ``address``."""
    transport = httpx.ASGITransport(app=shop.middleware, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://serve") as client:
        answer = await client.post("/start_job", json=HIRE, headers=headers)
    assert answer.is_success, answer.text
    job = shop.desk.jobs[answer.json()["job_id"]]
    return job.caller


@pytest.mark.parametrize("dialect", [{}, {"x-sumi-dialect": "sumi"}])
async def test_the_gateway_says_whose_request_it_hands_on(
    shop: MakeShop, sold_app: ModuleType, dialect: dict[str, str]
) -> None:
    sold = shop({"*": PRICED})
    headers = {**sold_app.PROOF, **dialect, CLIENT_ADDRESS_HEADER: BUYER}

    assert await caller(sold, GATEWAY, headers) == BUYER


@pytest.mark.parametrize("name", [CLIENT_ADDRESS_HEADER, "X_Sumi_Client_Address"])
async def test_nobody_says_for_himself_who_he_is(shop: MakeShop, name: str) -> None:
    sold = shop({"*": PRICED})

    assert await caller(sold, STRANGER, {name: BUYER, "x-forwarded-for": BUYER}) == STRANGER


async def test_an_address_that_is_none_counts_for_nobody(
    shop: MakeShop, sold_app: ModuleType
) -> None:
    sold = shop({"*": PRICED})

    assert (
        await caller(sold, GATEWAY, {**sold_app.PROOF, CLIENT_ADDRESS_HEADER: "not an address"})
        == ""
    )


@pytest.mark.parametrize("dialect", [{}, {"x-sumi-dialect": "sumi"}])
async def test_a_busy_seller_says_when_to_come_back(
    shop: MakeShop, dialect: dict[str, Any]
) -> None:
    sold = shop({"*": PRICED})
    sold.desk.refusal = SellerBusy("20 jobs that you started wait for their payment", 59.5)

    answer = await sold.post("/start_job", HIRE, headers=dialect)

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "60"
    assert "nothing was started" in answer.text
