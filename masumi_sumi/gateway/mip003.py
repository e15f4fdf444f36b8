"""``/mip003/{expose}[/{flow}]/...``: the MIP-003 endpoints of a flow, as its app answers them.

A job's status comes from the store: a buyer follows it also while the app restarts.
"""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from masumi_sumi.errors import SumiError, UnknownFlow, UnknownJob
from masumi_sumi.faces.body import query_field
from masumi_sumi.faces.calls import Call, call_of
from masumi_sumi.faces.mip003 import (
    ACTIONS,
    JOB,
    WITH_JOB,
    refusal,
    refused_method,
    standing_answer,
)
from masumi_sumi.faces.openapi import mip003_document
from masumi_sumi.gateway.access import Access
from masumi_sumi.gateway.catalogue import Catalogue, Item
from masumi_sumi.gateway.jobs import HiredJobs
from masumi_sumi.gateway.refusals import STATUS_OF, told
from masumi_sumi.gateway.replica import Replica

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
"""All, so that a wrong one is refused like anything else."""


class Mip003Routes:
    """What has a network is open to all, as MIP-003 has no login; the rest wants the panel's."""

    def __init__(
        self, catalogue: Catalogue, access: Access, replica: Replica, jobs: HiredJobs
    ) -> None:
        self._catalogue, self._access = catalogue, access
        self._replica, self._jobs = replica, jobs

    def routes(self) -> list[Route]:
        act = told(self.hand_on, _refusal)
        return [
            Route("/mip003/openapi.json", told(self.document), methods=["GET"]),
            Route("/mip003/{expose}/{rest:path}", act, methods=METHODS),
        ]

    async def document(self, request: Request) -> Response:
        return JSONResponse(mip003_document())

    async def hand_on(self, request: Request) -> Response:
        call = call_of(request.path_params["rest"].strip("/"), ACTIONS, WITH_JOB)
        if call is None:
            raise UnknownFlow(request.url.path)
        if (refused := refused_method(request, call.action)) is not None:
            return refused
        hired = call.action in WITH_JOB  # who stops selling still owes what was sold
        expose, name = request.path_params["expose"], call.base.strip("/")
        item = await self._catalogue.flow(expose, name, closed=hired)
        if not item.is_open:
            await self._access.login(request)
        if call.action == "start_job":
            await self._catalogue.check_terms(item)
        act = self._status if call.action == "status" else self._untouched
        return await act(request, item, call)

    async def _untouched(self, request: Request, item: Item, call: Call) -> Response:
        return await self._replica.untouched(request, f"{item.path}/{call.tail}")

    async def _status(self, request: Request, item: Item, call: Call) -> Response:
        job = await self._jobs.find(call.job_id or query_field(request, JOB, "jobId"))
        if self._jobs.path_of(job) != item.path:
            raise UnknownJob(job.id)
        ask = partial(self._untouched, request, item, call)
        return await self._jobs.told(job, standing_answer, ask)


def _refusal(error: SumiError, request: Request) -> Response:
    """As an app words it: a buyer does not see who stands between."""
    for kind, status, _ in STATUS_OF:
        if isinstance(error, kind):
            return JSONResponse({"detail": str(error)}, status_code=status)
    return refusal(error)
