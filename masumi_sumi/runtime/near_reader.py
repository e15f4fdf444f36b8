"""Where a replica or the gateway reads jobs: in the store, if it is the supervisor's own."""

from __future__ import annotations

import asyncio
import re
from typing import Any, Protocol

from masumi_sumi.errors import SellerUnavailable
from masumi_sumi.jobs.model import Job, Lock
from masumi_sumi.jobs.ports import JobReader

_JOB_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
"""What a job's id can be; nothing else is looked up anywhere."""


class OpenedReader(JobReader, Protocol):
    """A reader of a store that its supervisor has opened under a name of its own."""

    async def opening(self) -> str:
        """The name of the latest opening; empty when there was none."""
        ...


class NearReader:
    """Reads from the store at hand, and asks the supervisor only where that may not be its own.

    On another machine than the supervisor's, an SQLite store is missing, or an old copy. So what
    the store does not know is unknown only if the supervisor calls its opening by the same name: it
    makes up a new name each time it starts. The supervisor is asked once for each name, not once
    for each id that a stranger makes up.
    """

    def __init__(self, near: OpenedReader, supervision: OpenedReader) -> None:
        self._near, self._supervision = near, supervision
        self._asking = asyncio.Lock()
        self._known: tuple[str, bool] = ("", False)

    async def job(self, job_id: str) -> Job | None:
        if not _JOB_ID.fullmatch(job_id):
            return None
        if await self._has(job_id):
            return await self._near.job(job_id)
        return await self._supervision.job(job_id)

    async def locks(self, job_id: str) -> list[Lock]:
        if await self._has(job_id):
            return await self._near.locks(job_id)
        return await self._supervision.locks(job_id)

    async def launch_meta(self, job_id: str) -> dict[str, Any]:
        if await self._has(job_id):
            return await self._near.launch_meta(job_id)
        return await self._supervision.launch_meta(job_id)

    async def _has(self, job_id: str) -> bool:
        """Whether the store at hand tells all that there is about a job.

        While the supervisor is away, what the store knows is better than no answer.
        """
        try:
            return await self._is_at_hand()
        except SellerUnavailable:
            if await self._near.job(job_id) is None:
                raise
            return True

    async def _is_at_hand(self) -> bool:
        """Raises SellerUnavailable while the supervisor has not answered for this opening."""
        name = await self._near.opening()
        if not name:
            return False
        async with self._asking:
            if self._known[0] != name:
                self._known = (name, await self._supervision.opening() == name)
        return self._known == (name, True)
