"""Cookies of the panel as a browser gets them."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from masumi_sumi.gateway.cookies import ProtectCookies


async def panel(scope, receive, send):
    response = Response("")
    response.headers.append("set-cookie", Request(scope).headers["x-cookie"])
    response.headers.append("set-cookie", "other=1")
    await response(scope, receive, send)


def get_cookies(cookie: str, *, secure: bool) -> list[str]:
    client = TestClient(ProtectCookies(panel, secure=secure))
    return client.get("/", headers={"x-cookie": cookie}).headers.get_list("set-cookie")


@pytest.mark.parametrize(
    "cookie",
    [
        "kodosumi_jwt=abc=; Path=/; SameSite=lax",
        "kodosumi_jwt=abc=; Path=/; samesite=none; Secure; httponly",
        "kodosumi_jwt=abc=; Path=/",
    ],
)
def test_cookie_is_kept_from_scripts_and_other_sites(cookie: str):
    wanted = "kodosumi_jwt=abc=; Path=/; HttpOnly; SameSite=Lax"

    assert get_cookies(cookie, secure=False) == [wanted, "other=1; HttpOnly; SameSite=Lax"]
    assert get_cookies(cookie, secure=True)[0] == f"{wanted}; Secure"


def test_deletion_of_a_cookie_stays_one():
    deleted = 'kodosumi_jwt=""; Max-Age=0; Path=/'

    assert get_cookies(deleted, secure=False)[0].startswith(f"{deleted}; ")
