"""Kodosumi's own panel behind the gateway: its app, its roles, its register, its streams.

With ``kodosumi_pages`` and ``buyer_executions`` the only modules beside ``runtime`` that import
Kodosumi, which creates folders and reads settings when it is imported.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from uuid import UUID

import httpx
import kodosumi.service.endpoint as register
import ray
import uvicorn
from kodosumi.config import Settings
from kodosumi.const import HEADER_KEY, NAMESPACE, TOKEN_KEY
from kodosumi.dtypes import Role
from kodosumi.helper import HTTPXClient
from kodosumi.log import LOG_FORMAT
from kodosumi.service import app as panel_app
from kodosumi.service.auth import LoginControl
from kodosumi.service.files import FileControl
from kodosumi.service.inputs import outputs
from kodosumi.service.jwt import decode_jwt_token
from litestar.exceptions import HTTPException, NotAuthorizedException
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request

from masumi_sumi import ray_token
from masumi_sumi.errors import PanelError
from masumi_sumi.gateway import buyer_executions, kodosumi_pages
from masumi_sumi.gateway.access import Caller
from masumi_sumi.gateway.admin_role import set_admin_password
from masumi_sumi.gateway.executions import Execution, Item, Life, Wanted, follow
from masumi_sumi.gateway.panel_files import guard_files
from masumi_sumi.gateway.panel_login import check_passwords_in_threads
from masumi_sumi.gateway.waiting import WaitingConnection, WaitingExecution, WaitingExecutions
from masumi_sumi.jobs.ports import JobReader
from masumi_sumi.runtime import elements
from masumi_sumi.runtime.cluster import exec_dir

PAYMENT = "payment"

Lives = Callable[[str], Awaitable[Life]]
Sign = Callable[[httpx.Request], Awaitable[None]]

_open_client = HTTPXClient.__aenter__


class Panel:
    """``app`` is the panel as an ASGI app, streams and forms as ours."""

    def __init__(self, life: Lives, reader: JobReader, sign: Sign) -> None:
        """``life`` tells of an execution, by its id, whether more may come of it; ``reader`` tells
        of jobs that have no execution yet. ``sign`` adds the gateway's proof to the panel's
        requests to apps.
        """
        elements.install()
        self.waiting = WaitingExecutions(reader, exec_dir(), buyer_executions.may_see)
        _replace_streams(life, self.waiting)
        _sign_requests(sign)
        guard_files(FileControl, lambda why: HTTPException(status_code=400, detail=why))
        _keep_stack_traces()
        check_passwords_in_threads(LoginControl, _role_named, _wrong_password, _too_many_logins)
        self.app = panel_app.create_app()
        kodosumi_pages.install(self.app)
        buyer_executions.install(self.executions)
        self.app.on_startup.append(self._add_buyers_role)
        self._named: set[str] = set()

    @property
    def ray_dashboard(self) -> str:
        return str(self.app.state["settings"].RAY_DASHBOARD)

    @property
    def listens_at(self) -> str:
        """The address that the panel was told to listen at."""
        settings = self.app.state["settings"]
        place = urlparse(settings.APP_SERVER)
        scheme = "https" if settings.SSL_KEYFILE else "http"
        host = f"[{place.hostname}]" if ":" in (place.hostname or "") else place.hostname
        return f"{scheme}://{host or 'localhost'}:{place.port or 3370}"

    @property
    def routes(self) -> list[tuple[str, list[str]]]:
        """Paths as Litestar writes them, and their methods."""
        found = [(route, getattr(route, "methods", ())) for route in self.app.routes]
        return [(route.path, [str(method) for method in methods]) for route, methods in found]

    @property
    def cors_origins(self) -> list[str]:
        """Origins that the operator lets in by name; Kodosumi's default lets in all."""
        return [each for each in self.app.state["settings"].CORS_ORIGINS if each != "*"]

    @property
    def executions(self) -> Path:
        """The folder with one folder of executions for each role."""
        return Path(self.app.state["settings"].EXEC_DIR)

    async def _add_buyers_role(self) -> None:
        await buyer_executions.ensure_buyers_role(self.app.state["session_maker_class"])

    async def set_admin_password(self, earlier: Sequence[str]) -> None:
        """Bring the admin to the password that is set; ``earlier`` ones may be replaced."""
        state = self.app.state
        sessions, password = state["session_maker_class"], state["settings"].ADMIN_PASSWORD
        await set_admin_password(sessions, password, earlier)

    async def caller(self, request: Request) -> Caller | None:
        token = request.headers.get(HEADER_KEY) or request.cookies.get(TOKEN_KEY)
        try:
            role_id = UUID(decode_jwt_token(token).sub) if token else None
        except (NotAuthorizedException, ValidationError, ValueError):
            return None
        if role_id is None:  # a stranger takes no connection to the database
            return None
        async with self.app.state["session_maker_class"]() as session:
            role = await session.scalar(select(Role).where(Role.id == role_id))
        if role is None or not role.active:
            return None
        return Caller(str(role.id), role.name, bool(role.operator))

    async def register(self, serve_url: str, names: Sequence[str]) -> int:
        """Let the panel list the flows of these applications on Ray Serve at this address, and of
        those there that were never registered by name.

        How many flows it lists then. Raises PanelError.
        """
        source = f"{serve_url}/-/routes"
        routed = await _routes(source)
        before: list[Any] = await self._actor.get.remote(source)
        found = [flow for name in names for flow in await _flows(f"{serve_url}/{name}")]
        named = {f"/{name}" for name in names} | self._named
        kept = [flow for flow in before if _route(flow, serve_url) in routed - named]
        self._named = named
        await self._actor.put.remote(source, kept + found)
        listed: list[Any] = await self._actor.get_items.remote()
        return sum(map(len, listed))

    @property
    def _actor(self) -> Any:
        actor = self.app.state["register"]
        if actor is None:
            raise PanelError("register", "the panel is not up")
        return actor


async def _routes(source: str) -> set[str]:
    """Route prefixes on Ray Serve; none while it is down."""
    try:
        return set(await register._get_openapi(source))
    except (httpx.HTTPError, ValueError):
        return set()


async def _flows(app_url: str) -> list[Any]:
    url = f"{app_url}/openapi.json"
    try:
        return list(register._extract(url, await register._get_openapi(url))["register"])
    except (httpx.HTTPError, ValueError, KeyError, AttributeError) as error:
        raise PanelError(url, repr(error)) from error


def _route(flow: Any, serve_url: str) -> str:
    """The route prefix of the app that a flow of the register belongs to."""
    prefix = str(flow.source).removeprefix(serve_url).removesuffix("/openapi.json")
    return prefix or "/"


async def has_runner(job_id: str) -> bool:
    try:
        await asyncio.to_thread(ray.get_actor, job_id, NAMESPACE)
    except ValueError:
        return False
    return True


def _replace_streams(life: Lives, waiting: WaitingExecutions) -> None:
    """The released panel writes an error into an execution that has no runner, and spins a core
    for each open stream; and it knows nothing of jobs that wait for their payment."""
    connect_file = outputs.connect

    async def connect(
        fid: str, user: str, state: Any, extended: bool
    ) -> tuple[sqlite3.Connection, Path]:
        found = await waiting.connect(fid, user)
        if found is not None:
            return found, found.file
        return await connect_file(fid, user, state, extended)  # type: ignore[no-any-return]

    async def event(
        fid: str,
        conn: sqlite3.Connection,
        filter_events: list[str] | None = None,
        formatter: Any = None,
    ) -> AsyncIterator[Item]:
        wanted = Wanted(filter_events, formatter)
        execution = Execution(conn)
        lives: Callable[[], Awaitable[Life]] = partial(life, fid)
        if isinstance(conn, WaitingConnection):
            execution = WaitingExecution(conn)
            lives = partial(waiting.life, fid, execution)
        async for item in follow(execution, wanted, lives, time.time):
            yield item

    outputs._event, outputs.connect = event, connect
    if PAYMENT not in outputs.MAIN_EVENTS:
        outputs.MAIN_EVENTS = (*outputs.MAIN_EVENTS, PAYMENT)


def _sign_requests(sign: Sign) -> None:
    """The panel makes a client for each of its requests. The hook sees redirects too."""

    dashboard = Settings().RAY_DASHBOARD.rstrip("/") + "/"

    async def signed(request: httpx.Request) -> None:
        if str(request.url).startswith(dashboard):
            request.headers.update(ray_token.get_auth_headers(os.environ))
        await sign(request)

    async def open_client(self: HTTPXClient) -> httpx.AsyncClient:
        client: httpx.AsyncClient = await _open_client(self)
        client.event_hooks = {"request": [signed]}
        return client

    HTTPXClient.__aenter__ = open_client


def _keep_stack_traces() -> None:
    """The released panel puts the stack trace of an error into its answer; the log has it too."""
    handle = panel_app.app_exception_handler

    def answer_error(request: Any, error: Exception) -> Any:
        answer = handle(request, error)
        if isinstance(getattr(answer, "content", None), dict):
            answer.content.pop("stacktrace", None)
        return answer

    panel_app.app_exception_handler = answer_error


async def _role_named(session: AsyncSession, name: str) -> Role | None:
    return await session.scalar(select(Role).where(Role.name == name))


def _wrong_password() -> Exception:
    return NotAuthorizedException(detail="Invalid name or password")


def _too_many_logins() -> Exception:
    return HTTPException(status_code=429, detail="too many logins at once: try again")


def serve(factory: str) -> None:
    """Run the app that ``factory`` makes as Kodosumi's ``serve`` runs the panel, with its settings
    from the environment. Returns when it was told to end."""
    settings = Settings()
    place = urlparse(settings.APP_SERVER)
    for name, value in settings.model_dump().items():
        if value is not None:
            os.environ[f"iKODO_{name}"] = json.dumps(value)
    uvicorn.run(
        factory,
        factory=True,
        lifespan="on",
        host=place.hostname or "localhost",
        port=place.port or 3370,
        reload=settings.APP_RELOAD,
        workers=settings.APP_WORKERS,
        log_config=_log_config(settings.UVICORN_LEVEL),
        server_header=False,
        proxy_headers=False,  # uvicorn would believe whoever connects from this machine
        headers=[("server", "kodosumi service")],
        ssl_keyfile=settings.SSL_KEYFILE,
        ssl_certfile=settings.SSL_CERTFILE,
        ssl_keyfile_password=settings.SSL_KEYFILE_PASSWORD,
        ssl_version=settings.SSL_VERSION,
        ssl_cert_reqs=settings.SSL_CERT_REQS,
        ssl_ca_certs=settings.SSL_CA_CERTS,
        ssl_ciphers=settings.SSL_CIPHERS,
    )


def _log_config(level: str) -> dict[str, Any]:
    handler = {
        "formatter": "default",
        "class": "logging.StreamHandler",
        "stream": "ext://sys.stdout",
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"default": {"format": LOG_FORMAT}},
        "handlers": {"default": handler},
        "loggers": {
            "": {"handlers": ["default"], "level": level},
            "uvicorn.error": {"level": level},
            "uvicorn.access": {"level": level},
        },
    }
