"""Who asks, and who may: Kodosumi's roles, by its cookie or its API key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request

from masumi_sumi.errors import SumiError
from masumi_sumi.runtime.operators import BUYERS_ROLE


@dataclass(frozen=True, slots=True)
class Caller:
    """An active role of the panel; executions are kept under its ``id``."""

    id: str
    name: str
    operator: bool

    def controls(self, role: str) -> bool:
        """Tell whether the executions of a role are this caller's to end and to archive."""
        return role == self.id or (self.operator and role == BUYERS_ROLE)


class LoginNeeded(SumiError):
    def __str__(self) -> str:
        return "log in at /login, or send the header KODOSUMI_API_KEY"


class OperatorNeeded(SumiError):
    def __str__(self) -> str:
        return "this role is no operator"


class Access:
    def __init__(self, caller_of: Callable[[Request], Awaitable[Caller | None]]) -> None:
        """``caller_of`` answers None for a stranger: no login, a broken or old one, an inactive
        role."""
        self.caller = caller_of

    async def login(self, request: Request) -> Caller:
        """Raises LoginNeeded."""
        caller = await self.caller(request)
        if caller is None:
            raise LoginNeeded()
        return caller

    async def operator(self, request: Request) -> Caller:
        """Raises LoginNeeded, OperatorNeeded."""
        caller = await self.login(request)
        if not caller.operator:
            raise OperatorNeeded()
        return caller
