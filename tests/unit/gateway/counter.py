"""The gateway over the counter: its real routes and book, the world around it as ports."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from masumi_sumi.clock import ManualClock
from masumi_sumi.exposes import Boot, ExposeBook, FoundFlow, OpenApiFinder, Serve, draft_of
from masumi_sumi.exposes.applications import planned
from masumi_sumi.faces.body import BodyLimits
from masumi_sumi.gateway.access import Access, Caller
from masumi_sumi.gateway.app import Gateway
from masumi_sumi.gateway.buyers import SumiRoutes
from masumi_sumi.gateway.catalogue import Catalogue
from masumi_sumi.gateway.cross_site import Origins
from masumi_sumi.gateway.exposes import ExposeRoutes
from masumi_sumi.gateway.jobs import HiredJobs
from masumi_sumi.gateway.mip003 import Mip003Routes
from masumi_sumi.gateway.outputs import CancelBeforeArchive
from masumi_sumi.gateway.panel_border import PanelBorder
from masumi_sumi.gateway.replica import Replica
from masumi_sumi.gateway.request_checks import RequestChecks
from masumi_sumi.jobs.model import Job, JobState, Lock, Terms
from masumi_sumi.jobs.sale import Sale
from masumi_sumi.settings import Settings

OPERATOR = Caller("a88771d8", "admin", operator=True)
USER = Caller("b99882e9", "user", operator=False)
CALLERS = {"operator": OPERATOR, "user": USER}
OWN_URL = "http://panel:3370"
UPLOAD_BYTES = 2 * 2**20
AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ab" * 32


async def caller_of(request: Request) -> Caller | None:
    return CALLERS.get(request.headers.get("kodosumi_api_key", ""))


@dataclass
class Apps:
    """What answers on Ray Serve: requests are kept; ``answer`` may be a way to fail, and who
    hangs never answers.
    """

    answer: httpx.Response | Exception = field(
        default_factory=lambda: httpx.Response(200, json={"from": "the app"})
    )
    asked: list[httpx.Request] = field(default_factory=list)
    hang: bool = False

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.hang:
            await asyncio.Event().wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@dataclass
class Jobs:
    jobs: dict[str, Job] = field(default_factory=dict)
    locks_: list[Lock] = field(default_factory=list)
    cancelled: list[tuple[str, str]] = field(default_factory=list)
    failure: Exception | None = None
    unwritten: set[str] = field(default_factory=set)

    def is_written(self, job: Job) -> bool:
        return job.id not in self.unwritten

    async def launch_meta(self, job_id: str) -> dict[str, Any]:
        return {}

    async def job(self, job_id: str) -> Job | None:
        if "\0" in job_id:
            raise ValueError("PostgreSQL takes no NUL")
        return self.jobs.get(job_id)

    async def locks(self, job_id: str) -> list[Lock]:
        return [lock for lock in self.locks_ if lock.job_id == job_id]

    async def cancel(self, job_id: str, reason: str) -> None:
        if self.failure is not None:
            raise self.failure
        self.cancelled.append((job_id, reason))

    def has(self, state: JobState, **more: Any) -> Job:
        values: dict[str, Any] = {
            "id": "6b0226be2bf7957bb5ce22b6",
            "flow": "/async",
            "identifier": "demo-123",
            "input_hash": "",
            "terms": Terms(),
            "user": OPERATOR.id,
            "created_at": 100.0,
            "updated_at": 101.5,
            "app_url": "http://elsewhere:8005/prime",
            "state": state,
        }
        job = Job(**{**values, **more})
        self.jobs[job.id] = job
        return job


class NoPanel:
    async def register(self, serve_url: str, names: Any) -> int:
        return 0


async def panel(scope: Any, receive: Any, send: Any) -> None:
    """Stands for the panel's app: says what reached it."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    request = Request(scope, receive)
    body = (await request.body()).decode()
    said = {"panel": request.url.path, "method": request.method, "body": body}
    await JSONResponse(said)(scope, receive, send)


@dataclass
class Counter:
    """A gateway with its lifespan begun; ``ask`` is a client for strangers."""

    gateway: RequestChecks
    book: ExposeBook
    apps: Apps
    jobs: Jobs
    limited: list[Any]

    def client(self, role: str = "") -> httpx.AsyncClient:
        headers = {"KODOSUMI_API_KEY": role} if role else {}
        transport = httpx.ASGITransport(app=self.gateway)
        return httpx.AsyncClient(transport=transport, base_url=OWN_URL, headers=headers)

    def hurry(self, seconds: float) -> None:
        """From now on bodies must arrive within these seconds."""
        for each in self.limited:
            each._limits = replace(each._limits, seconds=seconds)
        self.gateway._uploads = replace(self.gateway._uploads, seconds=seconds)

    async def delete_raw(self, path: str) -> httpx.Response:
        """Ask for a path as it is written: httpx would shorten it."""
        return await self.ask_raw("DELETE", path, {"KODOSUMI_API_KEY": "operator"})

    async def ask_raw(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> httpx.Response:
        raw, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": unquote(raw),
            "raw_path": raw.encode(),
            "query_string": query.encode(),
            "headers": [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()],
            "scheme": "http",
            "server": ("panel", 3370),
            "client": ("203.0.113.9", 1),
        }
        told: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            told.append(message)

        await self.gateway(scope, receive, send)
        content = b"".join(each.get("body", b"") for each in told)
        return httpx.Response(told[0]["status"], headers=told[0]["headers"], content=content)

    async def sells(
        self, name: str, *paths: str, network: str | None = "Preprod", sale: Sale | None = None
    ) -> None:
        """An expose that runs, with a flow at each path that its app sells so."""
        body = {"name": name, "bootstrap": "import_path: some.module:app", "network": network}
        await self.book.save(draft_of(body))
        await self.refreshed(name)
        flows = [FoundFlow(path, f"The {path} of {name}", sale=sale) for path in paths]
        await self.book.found(name, flows)

    async def refreshed(self, name: str) -> None:
        """Ray Serve is given the expose as it is now; its app has not told anything yet."""
        expose = await self.book.get(name)
        await self.book.deployed({name: planned(expose, None, anew=False)})

    async def card(self, url: str, data: str) -> None:
        """The operator writes a flow's card."""
        name = url.split("/")[1]
        await self.book.save(draft_of({"name": name, "meta": [{"url": url, "data": data}]}))


@asynccontextmanager
async def opened(
    book: ExposeBook, clock: ManualClock, settings: Settings
) -> AsyncIterator[Counter]:
    apps, jobs, access = Apps(), Jobs(), Access(caller_of)
    limited: list[Any] = []

    @asynccontextmanager
    async def routes() -> AsyncIterator[list[Route]]:
        replica = Replica("http://serve:8005", httpx.MockTransport(apps))
        limited.append(replica)
        catalogue = Catalogue(book)
        serve = Serve("http://dashboard:8265", settings, transport=httpx.MockTransport(_no_ray))
        boot = Boot(book, serve, OpenApiFinder(), NoPanel(), clock)
        hired = HiredJobs(jobs, replica, catalogue, access, clock)
        yield [
            *ExposeRoutes(book, boot, access).routes(),
            *SumiRoutes(catalogue, access, replica, hired, settings.public_url or OWN_URL).routes(),
            *Mip003Routes(catalogue, access, replica, hired, settings.public_url).routes(),
        ]
        await boot.aclose()
        await replica.aclose()

    border = PanelBorder(panel, OWN_URL, frozenset())
    guarded = CancelBeforeArchive(border, access, jobs, jobs.cancel, jobs.is_written)
    inside = Gateway(guarded, routes)
    origins = Origins.of(OWN_URL, "https://agents.example")
    gateway = RequestChecks(inside, access, origins, BodyLimits(), UPLOAD_BYTES)
    async with alive(gateway):
        yield Counter(gateway, book, apps, jobs, [gateway, *limited])


def _no_ray(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no Ray here", request=request)


@asynccontextmanager
async def alive(app: Any) -> AsyncIterator[list[str]]:
    """The app between its startup and its shutdown; what it says of them."""
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    said: list[str] = []
    started = asyncio.Event()

    async def send(message: Any) -> None:
        said.append(message["type"])
        started.set()

    task = asyncio.create_task(app({"type": "lifespan"}, inbox.get, send))
    inbox.put_nowait({"type": "lifespan.startup"})
    await started.wait()
    try:
        yield said
    finally:
        inbox.put_nowait({"type": "lifespan.shutdown"})
        await task


def body_of(request: httpx.Request) -> Any:
    return json.loads(request.content)
