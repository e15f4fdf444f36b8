"""Executions of anonymous buyers: a panel role of their own, which operators see into.

Kodosumi shows each role the executions of its own folder only. For a request of an operator the
folder of the buyers' role counts as well; an ordinary role sees and controls its own ones only.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from uuid import UUID

from kodosumi.dtypes import Role, RoleCreate
from kodosumi.service.files import FileControl
from kodosumi.service.inputs import outputs
from kodosumi.service.inputs.timeline import tool
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Send

from masumi_sumi.gateway.access import Access
from masumi_sumi.runtime.operators import BUYERS_ROLE

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

NAME = "buyers"

_EXECUTION = re.compile(r"[\w-]+")
_LOCK = re.compile(r"/+(?:inputs/+)?lock/+([^/]+)/")
_SHOWING = ("outputs", "files", "timeline", "lock", "inputs")

_sees_buyers: ContextVar[bool] = ContextVar("sees_buyers", default=False)
"""Whether the request that is being answered is an operator's."""


# --- the role -------------------------------------------------------------------------------------


async def ensure_buyers_role(sessions: Callable[[], Any]) -> None:
    """Create the role, or make it again what it has to be: no operator, and without a login."""
    if await _has_role(sessions):
        return
    for name in (NAME, f"{NAME}-{secrets.token_hex(4)}"):
        try:
            async with sessions() as session, session.begin():
                session.add(_new_role(name))
            log.info("the role of buyers was created", extra={"note": name})
            return
        except IntegrityError:  # another gateway was first, or another role has this name
            if await _has_role(sessions):
                return


async def _has_role(sessions: Callable[[], Any]) -> bool:
    async with sessions() as session, session.begin():
        role = await session.scalar(select(Role).where(Role.id == UUID(BUYERS_ROLE)))
        if role is None:
            return False
        role.operator, role.active = False, False
        return True


def _new_role(name: str) -> Any:
    email, password = f"{name}@example.com", secrets.token_urlsafe(48)
    facts = RoleCreate(name=name, email=email, password=password, operator=False).model_dump()
    return Role(id=UUID(BUYERS_ROLE), active=False, **facts)


# --- what an operator sees ------------------------------------------------------------------------


class OperatorView:
    """An ASGI app around the panel's."""

    def __init__(self, app: ASGIApp, access: Access, folder: Path) -> None:
        """``folder`` holds a folder of executions for each role."""
        self.app = app
        self._access, self._folder = access, folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        if scope["type"] != "http" or path.lstrip("/").partition("/")[0] not in _SHOWING:
            await self.app(scope, receive, send)
            return
        caller = await self._access.caller(Request(scope))
        lock = _LOCK.match(path)
        if lock and caller and not caller.operator and not self._has(caller.id, lock[1]):
            await _not_found(lock[1], path)(scope, receive, send)
            return
        before = _sees_buyers.set(caller is not None and caller.operator)
        try:
            await self.app(scope, receive, send)
        finally:
            _sees_buyers.reset(before)

    def _has(self, role: str, execution: str) -> bool:
        named = _EXECUTION.fullmatch(execution)
        # a folder alone may be one of files that were uploaded
        return named is not None and any((self._folder / role / execution).glob("sqlite3.db*"))


def _not_found(execution: str, path: str) -> Response:
    """Return what the panel answers about an execution that is not there."""
    told = {
        "error": "NotFoundException",
        "path": path,
        "detail": f"Execution {execution} not found.",
        "status_code": 404,
    }
    return Response(json.dumps(told), 404, media_type="application/json")


def install(folder: Path) -> None:
    """Let the panel of this process find buyers' executions for operators."""
    connect = outputs.connect
    get_final = outputs.OutputsController._get_final
    get_folder = FileControl._get_exec_dir

    async def connect_to_any(fid: str, user: str, *rest: Any) -> Any:
        return await connect(fid, _find_owner(folder, user, fid), *rest)

    async def get_any_final(self: Any, fid: str, request: Any, state: Any) -> Any:
        request.scope["user"] = _find_owner(folder, request.user, fid)
        return await get_final(self, fid, request, state)

    def get_any_folder(self: Any, user: str, fid: str, *rest: Any) -> Any:
        return get_folder(self, _find_owner(folder, user, fid), fid, *rest)

    outputs.connect = connect_to_any
    outputs.OutputsController._get_final = get_any_final
    FileControl._get_exec_dir = get_any_folder
    tool.Path = _open_timeline


def may_see(user: str, owner: str) -> bool:
    """Tell whether the request of ``user`` that is being answered may see what ``owner`` has."""
    return owner == user or (owner == BUYERS_ROLE and _sees_buyers.get())


def _find_owner(folder: Path, user: str, execution: str) -> str:
    """Return the role whose execution it is: the caller, or for an operator the buyers."""
    if not _sees_buyers.get() or not _EXECUTION.fullmatch(execution):
        return user
    if (folder / user / execution).exists():
        return user
    return BUYERS_ROLE if (folder / BUYERS_ROLE / execution).exists() else user


def _open_timeline(own: Path | str) -> Any:
    """Return what the timeline lists: in place of the path of a role's own folder."""
    own = Path(own)
    return _Folders(own, own.parent / BUYERS_ROLE) if _sees_buyers.get() else own


class _Folders:
    """Several folders, as the timeline asks one."""

    def __init__(self, *folders: Path) -> None:
        self._folders = dict.fromkeys(folders)

    def exists(self) -> bool:
        return any(folder.exists() for folder in self._folders)

    def iterdir(self) -> Iterator[Path]:
        for folder in self._folders:
            if folder.exists():
                yield from folder.iterdir()
