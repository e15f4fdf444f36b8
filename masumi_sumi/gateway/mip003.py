"""``/mip003/{expose}[/{flow}]/...``: the MIP-003 endpoints of a flow, as its app answers them.

A job's status comes from the store: a buyer follows it also while the app restarts.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from masumi_sumi.errors import SellerUnavailable, SumiError, UnknownFlow, UnknownJob
from masumi_sumi.faces.body import object_of, query_field
from masumi_sumi.faces.calls import Call, call_of
from masumi_sumi.faces.mip003 import (
    ACTIONS,
    JOB,
    WITH_JOB,
    job_answered,
    refused_method,
    standing_answer,
)
from masumi_sumi.faces.openapi import mip003_document
from masumi_sumi.faces.refusals import refusal
from masumi_sumi.gateway.access import Access
from masumi_sumi.gateway.buyers import ANY_METHOD
from masumi_sumi.gateway.catalogue import Catalogue, Item
from masumi_sumi.gateway.jobs import HiredJobs
from masumi_sumi.gateway.refusals import STATUS_OF, told
from masumi_sumi.gateway.replica import Replica
from masumi_sumi.jobs.model import Job


class Mip003Routes:
    """What is for sale is open to all, as MIP-003 has no login; the rest wants the panel's."""

    def __init__(
        self,
        catalogue: Catalogue,
        access: Access,
        replica: Replica,
        jobs: HiredJobs,
        public_url: str = "",
    ) -> None:
        """``public_url`` is where buyers reach the gateway; without it, documents tell where they
        stand themselves."""
        self._catalogue, self._access = catalogue, access
        self._public_url = public_url
        self._replica, self._jobs = replica, jobs

    def routes(self) -> list[Route]:
        act = told(self.hand_on, _refusal)
        return [
            Route("/mip003/openapi.json", told(self.document), methods=["GET"]),
            Route("/mip003/{expose}/{rest:path}", act, methods=ANY_METHOD),
        ]

    async def document(self, request: Request) -> Response:
        return JSONResponse(self._at_public_url(mip003_document(), "/mip003/"))

    def _at_public_url(self, document: dict[str, Any], path: str) -> dict[str, Any]:
        if not self._public_url:
            return document
        return {**document, "servers": [{"url": f"{self._public_url}{path}"}]}

    async def hand_on(self, request: Request) -> Response:
        call = call_of(request.path_params["rest"].strip("/"), ACTIONS, WITH_JOB)
        if call is None:
            raise UnknownFlow(request.url.path)
        if (refused := refused_method(request, call.action)) is not None:
            return refused
        hired = call.action in WITH_JOB  # who stops selling still owes what was sold
        expose, name = request.path_params["expose"], call.base.strip("/")
        item = await self._catalogue.flow(expose, name, closed=hired)
        if not item.is_open and not hired:
            await self._access.login(request)
        if call.action == "start_job":
            await self._catalogue.check_terms(item)
        acts = {
            "status": self._status,
            "provide_input": self._provide_input,
            "availability": self._availability,
            "openapi": self._document_of_flow,
        }
        return await acts.get(call.action, self._untouched)(request, item, call)

    async def _availability(self, request: Request, item: Item, call: Call) -> Response:
        """An app does not know that its operator has other terms for it by now."""
        answer = await self._untouched(request, item, call)
        try:
            await self._catalogue.check_terms(item)
        except SellerUnavailable as error:
            return _unavailable(answer, str(error))
        return answer

    async def _document_of_flow(self, request: Request, item: Item, call: Call) -> Response:
        answer = await self._untouched(request, item, call)
        said = _object(answer) if answer.status_code == 200 else None
        if said is None or not self._public_url:
            return answer
        return JSONResponse(self._at_public_url(said, f"/mip003/{item.id}/"))

    async def _untouched(self, request: Request, item: Item, call: Call) -> Response:
        path, needed = f"{item.path}/{call.tail}", item.body_bytes
        return await self._replica.untouched(request, path, body_bytes=needed)

    async def _provide_input(self, request: Request, item: Item, call: Call) -> Response:
        """Of a sold job also while its flow is closed, as during a refresh."""
        raw = await self._replica.read(request, item.body_bytes)
        if not item.is_open:
            job = await self._job(item, job_answered(call.job_id, object_of(raw)))
            await self._jobs.admit(request, job)
        return await self._replica.untouched(request, f"{item.path}/{call.tail}", raw)

    async def _status(self, request: Request, item: Item, call: Call) -> Response:
        job = await self._job(item, call.job_id or query_field(request, JOB, "jobId"))
        await self._jobs.admit(request, job)
        ask = partial(self._untouched, request, item, call)
        return await self._jobs.told(job, standing_answer, ask)

    async def _job(self, item: Item, job_id: str) -> Job:
        """Raises UnknownJob, also for a job of another flow."""
        job = await self._jobs.find(job_id)
        if self._jobs.path_of(job) != item.path:
            raise UnknownJob(job.id)
        return job


def _unavailable(answer: Response, why: str) -> Response:
    """The app's word of its availability, but for whether it takes jobs."""
    said = _object(answer)
    if answer.status_code != 200 or said is None:
        return answer
    return JSONResponse({**said, "status": "unavailable", "message": why})


def _object(answer: Response) -> dict[str, Any] | None:
    try:
        said = json.loads(bytes(answer.body))
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def _refusal(error: SumiError, request: Request) -> Response:
    """As an app words it: a buyer does not see who stands between."""
    for kind, status, _ in STATUS_OF:
        if isinstance(error, kind):
            return JSONResponse({"detail": str(error)}, status_code=status)
    return refusal(error)
