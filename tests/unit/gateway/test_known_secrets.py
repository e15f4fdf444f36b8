"""A panel with known secrets, behind a server that listens at all addresses."""

from __future__ import annotations

import httpx
import pytest
from starlette.responses import PlainTextResponse

from masumi_sumi.gateway.known_secrets import RefuseStrangers
from masumi_sumi.panel_secrets import PASSWORD, Weakness

WEAK = (Weakness(PASSWORD, "known", "set one"),)


async def ask(client: str, weaknesses: tuple[Weakness, ...]) -> httpx.Response:
    app = RefuseStrangers(PlainTextResponse("the panel"), weaknesses)
    transport = httpx.ASGITransport(app=app, client=(client, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://panel") as http:
        return await http.get("/api/login")


@pytest.mark.parametrize("client", ["192.168.1.9", "8.8.8.8", "2001:db8::1", "::ffff:10.0.0.1"])
async def test_other_machine_is_refused(client: str):
    answer = await ask(client, WEAK)

    assert answer.status_code == 403
    assert "KODO_ADMIN_PASSWORD" in answer.json()["detail"]


@pytest.mark.parametrize("client", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
async def test_this_machine_is_let_in(client: str):
    assert (await ask(client, WEAK)).text == "the panel"


async def test_panel_with_secrets_of_its_own_is_open_to_all():
    assert (await ask("8.8.8.8", ())).text == "the panel"
