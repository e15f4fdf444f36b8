"""``/sumi``: what a buyer finds in the notebook's dialect. Finding flows, hiring them, jobs."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from masumi_sumi.errors import BodyUnreadable, SellerUnavailable, UnknownJob
from masumi_sumi.faces import sumi
from masumi_sumi.faces.headers import answer_options
from masumi_sumi.faces.openapi import sumi_document
from masumi_sumi.gateway.access import Access
from masumi_sumi.gateway.catalogue import PAGE, Catalogue, Item, item_json, page
from masumi_sumi.gateway.jobs import HiredJobs
from masumi_sumi.gateway.refusals import told
from masumi_sumi.gateway.replica import AppSilent, Replica

ANY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
"""Of routes that tell by the path which method is right."""

FLOW_ACTIONS = {"availability": "GET", "input_schema": "GET", "start_job": "POST", "status": "GET"}

Act = Callable[[Request, Item], Awaitable[Response]]


class SumiRoutes:
    def __init__(
        self,
        catalogue: Catalogue,
        access: Access,
        replica: Replica,
        jobs: HiredJobs,
        base_url: str,
    ) -> None:
        """``base_url`` is where buyers reach the gateway: a request's ``Host`` may say anything."""
        self._catalogue, self._access = catalogue, access
        self._base_url = base_url
        self._replica, self._jobs = replica, jobs
        self._acts: dict[str, Act] = {
            "availability": self._availability,
            "input_schema": self._hand_on,
            "start_job": self._hand_on,
            "status": self._flow_status,
        }

    def routes(self) -> list[Route]:
        """The most particular ones first."""
        return [
            Route("/sumi", told(self.discover), methods=["GET"]),
            Route("/sumi/openapi.json", told(self.document), methods=["GET"]),
            Route("/sumi/status", told(self.status), methods=["GET"]),
            Route("/sumi/status/{job_id}", told(self.status), methods=["GET"]),
            Route("/sumi/lock/{job_id}/{lock_id}", told(self.lock), methods=["GET", "POST"]),
            Route("/sumi/{expose}", told(self.flow), methods=["GET"]),
            Route("/sumi/{expose}/{rest:path}", told(self.below), methods=ANY_METHOD),
        ]

    async def document(self, request: Request) -> Response:
        return JSONResponse(sumi_document())

    # --- finding -------------------------------------------------------------------------------

    async def discover(self, request: Request) -> Response:
        """Flows that take jobs; a stranger sees those that strangers may hire."""
        query = request.query_params
        items = await self._catalogue.alive(query.get("expose") or None)
        if await self._access.caller(request) is None:
            items = [item for item in items if item.is_open]
        shown, offset = page(items, _page_size(query.get("pp")), query.get("offset") or None)
        listed = [item_json(item, self._base_url) for item in shown]
        return JSONResponse({"items": listed, "offset": offset})

    async def flow(self, request: Request) -> Response:
        """Metadata of a flow, here the one at the expose's root."""
        item = await self._item(request, request.path_params.get("rest", ""))
        return JSONResponse(item_json(item, self._base_url))

    async def below(self, request: Request) -> Response:
        """A flow's metadata, or one of its endpoints."""
        rest = request.path_params["rest"].strip("/")
        name, _, action = rest.rpartition("/")
        before, _, last_but_one = name.rpartition("/")
        method = FLOW_ACTIONS.get(action, "GET")
        if request.method == "OPTIONS":
            return answer_options([method])
        if request.method not in ((method, "HEAD") if method == "GET" else (method,)):
            return sumi.not_allowed(request.url.path, [method])
        if action in FLOW_ACTIONS:
            return await self._act(request, name, action)
        if last_but_one == "status":
            request.path_params["job_id"] = action
            return await self._act(request, before, "status")
        return await self.flow(request)

    async def _act(self, request: Request, name: str, action: str) -> Response:
        """What was sold is followed by who bought it, also where its flow takes no more jobs."""
        item = await self._item(request, name, hired=action == "status")
        return await self._acts[action](request, item)

    async def _item(self, request: Request, name: str, *, hired: bool = False) -> Item:
        """Raises UnknownExpose, UnknownFlow, LoginNeeded; who has ``hired`` it is let in as the job
        says, not the flow."""
        expose = request.path_params["expose"]
        item = await self._catalogue.flow(expose, name.strip("/"), closed=hired)
        if not hired and not item.is_open:
            await self._access.login(request)
        return item

    # --- hiring --------------------------------------------------------------------------------

    async def _availability(self, request: Request, item: Item) -> Response:
        try:
            await self._catalogue.check_terms(item)
        except SellerUnavailable as error:
            return JSONResponse(sumi.available("", str(error)))
        try:
            answer = await self._hand_on(request, item)
        except (SellerUnavailable, AppSilent):
            return JSONResponse(sumi.available(""))
        said: dict[str, Any] = json.loads(bytes(answer.body))
        ready = answer.status_code == 200 and said.get("status") == "available"
        return JSONResponse(sumi.available(item.display if ready else ""))

    async def _hand_on(self, request: Request, item: Item) -> Response:
        action = request.scope["path"].rstrip("/").rpartition("/")[2]
        if action == "start_job":
            await self._catalogue.check_terms(item)
        return await self._replica.notebook(
            request, f"{item.path}/{action}", body_bytes=item.body_bytes
        )

    # --- jobs ----------------------------------------------------------------------------------

    async def status(self, request: Request) -> Response:
        job = await self._jobs.find(_job_id(request))
        await self._jobs.admit(request, job)
        return await self._jobs.status(request, job)

    async def _flow_status(self, request: Request, item: Item) -> Response:
        job = await self._jobs.find(_job_id(request))
        if self._jobs.path_of(job) != item.path:
            raise UnknownJob(job.id)
        await self._jobs.admit(request, job)
        return await self._jobs.status(request, job)

    async def lock(self, request: Request) -> Response:
        job = await self._jobs.find(request.path_params["job_id"])
        await self._jobs.admit(request, job)
        return await self._jobs.lock(request, job, request.path_params["lock_id"])


def _job_id(request: Request) -> str:
    query = request.query_params
    found = request.path_params.get("job_id") or query.get("job_id") or query.get("jobId")
    if not found:
        raise BodyUnreadable("job_id", "is required")
    return str(found)


def _page_size(text: str | None) -> int:
    if text is None:
        return PAGE
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BodyUnreadable("pp", "must be a whole number")
    return int(text)
