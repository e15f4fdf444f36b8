"""Check passwords of the panel where they hold up nobody else.

Kodosumi hashes a password on the loop that answers all requests: a few attempts a second of a
stranger would keep every buyer waiting. Here only a right password gets that far.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

AT_ONCE = 2
"""Passwords that are hashed at the same time, each in a thread."""

MOST_WAITING = 20

FindRole = Callable[[Any, str], Awaitable[Any]]
"""The role of this name in a database session; None where there is none."""


def check_passwords_in_threads(
    control: Any, find_role: FindRole, wrong: Callable[[], Exception], busy: Callable[[], Exception]
) -> None:
    """Let ``control``, Kodosumi's LoginControl, hash passwords in threads. ``wrong`` and ``busy``
    make the exceptions that the panel answers with 401 and 429."""
    log_in = control._get_role
    places, waiting = asyncio.Semaphore(AT_ONCE), 0

    async def get_role(
        self: Any, transaction: Any, name: str, password: str, redirect: str | None = None
    ) -> Any:
        nonlocal waiting
        role = await find_role(transaction, name)
        if role is None:
            raise wrong()
        if waiting >= MOST_WAITING:
            raise busy()
        waiting += 1
        try:
            async with places:
                is_right = await asyncio.to_thread(_verify, role, password)
        finally:
            waiting -= 1
        if not is_right:
            raise wrong()
        return await log_in(self, transaction, name, password, redirect)

    control._get_role = get_role


def _verify(role: Any, password: str) -> bool:
    try:
        return bool(role.verify_password(password))
    except ValueError:  # bcrypt takes no NUL, and no more than 72 bytes
        return False
