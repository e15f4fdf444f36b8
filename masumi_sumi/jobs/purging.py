"""What nobody paid for, and free work of long ago, does not stay on disk."""

from __future__ import annotations

import asyncio
import logging

from masumi_sumi.clock import Clock
from masumi_sumi.jobs.model import Job
from masumi_sumi.jobs.policy import Policy
from masumi_sumi.jobs.ports import JobStore, Journal
from masumi_sumi.jobs.standing import was_never_paid
from masumi_sumi.jobs.transitions import each

log = logging.getLogger(__name__)

PURGE_EVERY = 60.0
"""Seconds between two looks for what is to be purged."""

PURGED_AT_ONCE = 500

RECLAIMED_AT_ONCE = 100
"""How many parts of the free disk space are given back in one look."""


class Purging:
    """Deletes ended jobs with their rows and executions, and gives their disk space back."""

    def __init__(self, store: JobStore, journal: Journal, clock: Clock, policy: Policy) -> None:
        self._store, self._journal = store, journal
        self._clock, self._policy = clock, policy
        self._looked_at = 0.0
        self._kept: set[str] = set()

    async def purge(self) -> None:
        now = self._clock.now()
        if now - self._looked_at < PURGE_EVERY:
            return
        self._looked_at = now
        kept = (self._policy.keep_unpaid_seconds, self._policy.keep_free_seconds)
        unpaid_before, free_before = (now - seconds for seconds in kept)
        found = await self._store.purgeable(
            unpaid_before, free_before, PURGED_AT_ONCE, not_in=self._kept
        )
        purgeable = [job for job in found if job.payment is None or was_never_paid(job)]
        broken = await each(purgeable, self._purge)
        # What stays must not hold up what comes after it; it is looked at again after a restart.
        self._kept.update({job.id for job in found} - {job.id for job in purgeable}, broken)
        if purged := len(purgeable) - len(broken):
            log.info("jobs purged", extra={"count": purged})
        for _ in range(RECLAIMED_AT_ONCE):
            if not await self._store.reclaim():
                return
            await asyncio.sleep(0)

    async def _purge(self, job: Job) -> None:
        """The row goes last: a job whose execution could not be deleted is tried again."""
        await self._journal.remove(job)
        await self._store.purge(job.id)
