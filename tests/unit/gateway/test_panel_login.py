"""Passwords are hashed beside the loop, and not too many at once."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from masumi_sumi.gateway.panel_login import AT_ONCE, MOST_WAITING, check_passwords_in_threads


class WrongPassword(Exception):
    pass


class Busy(Exception):
    pass


class Role:
    """A role whose password takes as long to hash as the test wants."""

    def __init__(self) -> None:
        self.open, self.hashing, self.most = threading.Event(), 0, 0
        self.threads: set[int] = set()

    def verify_password(self, password: str) -> bool:
        self.threads.add(threading.get_ident())
        self.hashing += 1
        self.most = max(self.most, self.hashing)
        self.open.wait(10)
        self.hashing -= 1
        if "\0" in password:
            raise ValueError("NUL")
        return password == "right"


def control_of(role: Role) -> Any:
    class Control:
        async def _get_role(self, *given: Any) -> Any:
            return given

    async def find(session: Any, name: str) -> Role | None:
        return role if name == "admin" else None

    check_passwords_in_threads(Control, find, WrongPassword, Busy)
    return Control()


async def test_only_a_right_password_gets_to_the_panel() -> None:
    role = Role()
    role.open.set()
    control = control_of(role)

    for name, password in (("admin", "wrong"), ("nobody", "right"), ("admin", "a\0b")):
        with pytest.raises(WrongPassword):
            await control._get_role(None, name, password)
    assert await control._get_role(None, "admin", "right") == (None, "admin", "right", None)
    assert threading.get_ident() not in role.threads


async def test_strangers_who_try_passwords_hold_up_nobody() -> None:
    role = Role()
    control = control_of(role)
    tries = [
        asyncio.create_task(control._get_role(None, "admin", "wrong")) for _ in range(MOST_WAITING)
    ]
    await asyncio.sleep(0.05)

    with pytest.raises(Busy):
        await control._get_role(None, "admin", "wrong")
    role.open.set()
    told = await asyncio.gather(*tries, return_exceptions=True)

    assert {type(each) for each in told} == {WrongPassword}
    assert role.most <= AT_ONCE
