"""Jobs as the gateway sees them: from the store, and from the app where the store does not do."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from masumi_sumi.clock import Clock
from masumi_sumi.errors import SellerUnavailable, UnknownExpose, UnknownJob
from masumi_sumi.faces import sumi
from masumi_sumi.gateway.access import Access
from masumi_sumi.gateway.catalogue import Catalogue
from masumi_sumi.gateway.replica import AppSilent, Replica
from masumi_sumi.jobs.model import Job, JobState, Lock
from masumi_sumi.jobs.ports import JobReader
from masumi_sumi.jobs.service import open_locks, standing_of


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
        job = await self._reader.job(job_id)
        if job is None:
            raise UnknownJob(job_id)
        return job

    async def admit(self, request: Request, job: Job) -> None:
        """Jobs that were sold, and those of exposes that strangers may hire, are open to who knows
        their id. Raises LoginNeeded."""
        if not job.terms.free:
            return
        try:
            expose = await self._catalogue.expose(self.path_of(job).split("/")[1])
        except UnknownExpose:
            expose = None
        if expose is None or expose.network is None:
            await self._access.login(request)

    def path_of(self, job: Job) -> str:
        """The path of the job's flow on Serve."""
        app = urlsplit(job.app_url).path.rstrip("/")
        return f"{app}/{job.flow.strip('/')}".rstrip("/")

    async def status(self, request: Request, job: Job) -> Response:
        """From the store; only a question's form that nobody has asked for yet is the app's."""
        locks: list[Lock] = []
        if job.state is JobState.RUNNING:
            locks = open_locks(await self._reader.locks(job.id), self._clock.now())
        if any(lock.form is None for lock in locks):
            try:
                return await self._ask(request, job, "status", {})
            except (SellerUnavailable, AppSilent):
                pass
        return JSONResponse(sumi.standing_answer(standing_of(job, locks)))

    async def lock(self, request: Request, job: Job, lock_id: str) -> Response:
        return await self._ask(request, job, "lock", {"lock_id": lock_id})

    async def _ask(self, request: Request, job: Job, action: str, more: dict[str, Any]) -> Response:
        params = {"job_id": job.id, **more}
        return await self._replica.notebook(request, f"{self.path_of(job)}/{action}", params)
