"""One stranger opens payments and pays none, at the Serve port and through the gateway."""

from __future__ import annotations

import secrets

import httpx
import pytest
from desk import Desk
from shop import EXPOSE, Node, Shop

AT_MOST = 20
"""Unpaid jobs of one address, as the settings have it by default."""

FORGED = {"x-forwarded-for": "198.51.100.9", "x-sumi-client-address": "198.51.100.9"}


def start(client: httpx.Client, url: str, headers: dict[str, str] | None = None) -> httpx.Response:
    body = {
        "identifier_from_purchaser": secrets.token_hex(13),
        "input_data": {"desk": "nowhere", "word": "unpaid"},
    }
    return client.post(f"{url}/start_job", json=body, headers=headers)


@pytest.mark.parametrize("way", ["at the Serve port", "through the gateway"])
def test_an_address_that_pays_nothing_is_refused_and_others_are_served(
    shop: Shop, node: Node, bazaar: str, desk: Desk, way: str
) -> None:
    direct = way == "at the Serve port"
    url = f"{shop.url}/sale" if direct else f"{bazaar}/mip003/{EXPOSE}/sale"
    address = "127.0.7.1" if direct else "127.0.7.2"
    with httpx.Client(
        transport=httpx.HTTPTransport(local_address=address), timeout=60.0
    ) as stranger:
        answers = []
        while len(answers) <= AT_MOST and (not answers or answers[-1].status_code == 200):
            answers.append(start(stranger, url))
        forged = start(stranger, url, FORGED)

    refused = answers[-1]
    assert (refused.status_code, forged.status_code) == (429, 429)
    assert 1 <= int(refused.headers["retry-after"]) <= 3600
    assert "nothing was started" in refused.text
    with httpx.Client(
        transport=httpx.HTTPTransport(local_address="127.0.7.3"), timeout=60.0
    ) as other:
        assert start(other, url).status_code == 200

    paid = shop.hire("/sale", desk=str(desk.folder), word="paid")
    node.buy(paid)
    assert "paid" in shop.result(paid)
