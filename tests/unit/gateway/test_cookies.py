"""Cookies of the panel as a browser gets them."""

from __future__ import annotations

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from masumi_sumi.gateway.cookies import ProtectCookies


async def panel(scope, receive, send):
    response = Response("")
    response.headers.append("set-cookie", Request(scope).headers["x-cookie"])
    response.headers.append("set-cookie", "other=1")
    await response(scope, receive, send)


async def get_cookies(cookie: str, *, secure: bool) -> list[str]:
    transport = httpx.ASGITransport(app=ProtectCookies(panel, secure=secure))
    async with httpx.AsyncClient(transport=transport, base_url="http://panel") as client:
        answer = await client.get("/", headers={"x-cookie": cookie})
    return answer.headers.get_list("set-cookie")


@pytest.mark.parametrize(
    "cookie",
    [
        "kodosumi_jwt=abc=; Path=/; SameSite=lax",
        "kodosumi_jwt=abc=; Path=/; samesite=none; Secure; httponly",
        "kodosumi_jwt=abc=; Path=/",
    ],
)
async def test_cookie_is_kept_from_scripts_and_other_sites(cookie: str):
    wanted = "kodosumi_jwt=abc=; Path=/; HttpOnly; SameSite=Lax"

    assert await get_cookies(cookie, secure=False) == [wanted, "other=1; HttpOnly; SameSite=Lax"]
    assert (await get_cookies(cookie, secure=True))[0] == f"{wanted}; Secure"


async def test_deletion_of_a_cookie_stays_one():
    deleted = 'kodosumi_jwt=""; Max-Age=0; Path=/'

    assert (await get_cookies(deleted, secure=False))[0].startswith(f"{deleted}; ")
