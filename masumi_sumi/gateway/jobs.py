"""Jobs as the gateway sees them: from the store, and from the app where the store does not do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from masumi_sumi.clock import Clock
from masumi_sumi.errors import SellerUnavailable, UnknownJob
from masumi_sumi.faces import sumi
from masumi_sumi.flows.answers import is_clean
from masumi_sumi.gateway.access import Access
from masumi_sumi.gateway.catalogue import Catalogue
from masumi_sumi.gateway.replica import AppSilent, Replica
from masumi_sumi.jobs.model import Job
from masumi_sumi.jobs.ports import JobReader
from masumi_sumi.jobs.questions import is_open, locks_of
from masumi_sumi.jobs.service import Standing, standing_of

FORM_SECONDS = 4.0
"""How long an app may take to word a question, before its job is told to run: marketplaces wait
8 s for a status."""

Ask = Callable[[], Awaitable[Response]]


class HiredJobs:
    def __init__(
        self,
        reader: JobReader,
        replica: Replica,
        catalogue: Catalogue,
        access: Access,
        clock: Clock,
    ) -> None:
        self._reader, self._replica, self._clock = reader, replica, clock
        self._catalogue, self._access = catalogue, access

    async def find(self, job_id: str) -> Job:
        """Raises UnknownJob."""
        job = await self._reader.job(job_id) if is_clean(job_id) else None
        if job is None:
            raise UnknownJob(job_id)
        return job

    async def admit(self, request: Request, job: Job) -> None:
        """Jobs that were sold, and those of flows that strangers may hire, are open to who knows
        their id. Raises LoginNeeded."""
        if not job.terms.free:
            return
        if not await self._catalogue.is_open(self.path_of(job)):
            await self._access.login(request)

    def path_of(self, job: Job) -> str:
        """The path of the job's flow on Serve."""
        app = urlsplit(job.app_url).path.rstrip("/")
        return f"{app}/{job.flow.strip('/')}".rstrip("/")

    async def status(self, request: Request, job: Job) -> Response:
        """In the notebook's dialect."""
        ask = partial(self._ask, request, job, "status", {})
        return await self.told(job, sumi.standing_answer, ask)

    async def told(
        self, job: Job, worded: Callable[[Standing], dict[str, Any]], ask: Ask
    ) -> Response:
        """Where a job stands, from the store: so also while its app is away. Only a question's
        form that nobody has asked for yet is the app's; ``ask`` fetches its answer.
        """
        locks, now = await locks_of(job, self._reader), self._clock.now()
        if any(is_open(lock, now) and lock.form is None for lock in locks):
            answer = await _in_time(ask)
            if answer is not None:
                return answer
        return JSONResponse(worded(standing_of(job, locks, now)))

    async def lock(self, request: Request, job: Job, lock_id: str) -> Response:
        return await self._ask(request, job, "lock", {"lock_id": lock_id})

    async def _ask(self, request: Request, job: Job, action: str, more: dict[str, Any]) -> Response:
        params = {"job_id": job.id, **more}
        return await self._replica.notebook(request, f"{self.path_of(job)}/{action}", params)


async def _in_time(ask: Ask) -> Response | None:
    """The app's answer; None while it has none, or only one that tells nothing of the job."""
    try:
        async with asyncio.timeout(FORM_SECONDS):
            answer = await ask()
    except (SellerUnavailable, AppSilent, TimeoutError):
        return None
    return answer if answer.status_code == 200 else None
