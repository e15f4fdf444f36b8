"""The only writer of states: an event, decided by the table, told, saved and carried out.

The execution and its payment events are written before the state that implies them is saved, and
once by step, so none is missing after a crash. Runners are stopped after it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import get_args
from weakref import WeakValueDictionary

from masumi_sumi.clock import Clock
from masumi_sumi.errors import UnknownJob
from masumi_sumi.jobs import events
from masumi_sumi.jobs.machine import decide
from masumi_sumi.jobs.model import Job, JobState
from masumi_sumi.jobs.ports import JobStore, Journal, Launcher
from masumi_sumi.settings import Network

log = logging.getLogger(__name__)

NETWORKS: tuple[str, ...] = get_args(Network)


class Transitions:
    """``wake``, and ``wake_payments`` of a network, are set when a move gave a loop something to
    do at once."""

    def __init__(self, store: JobStore, launcher: Launcher, journal: Journal, clock: Clock) -> None:
        self._store, self._launcher = store, launcher
        self._journal, self._clock = journal, clock
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.wake = asyncio.Event()
        self.wake_payments = {network: asyncio.Event() for network in NETWORKS}

    async def apply(self, job_id: str, event: events.Event) -> Job:
        """Decide on an event and carry the decision out; returns the job as it is then.

        Raises UnknownJob.
        """
        async with self._locks.setdefault(job_id, asyncio.Lock()):
            job = await self._job(job_id)
            decision = decide(job, event, self._clock.now())
            for order in decision.orders:
                await self._tell(decision.job, order)
            if decision.job is not job:
                if not await self._store.save(job, decision.job):
                    log.error("write refused by a newer row", extra={"job_id": job_id})
                    return await self._job(job_id)
                log.info(
                    "job moved",
                    extra={"job_id": job_id, "was": job.state, "now": decision.job.state},
                )
            for order in decision.orders:
                await self._act(decision.job, order)
        self._wake_for(decision.job)
        return await self._job(job_id)

    def _wake_for(self, job: Job) -> None:
        if job.state in (JobState.QUEUED, JobState.RUNNING):
            self.wake.set()
        elif job.state is JobState.DELIVERING and job.payment is not None:
            self.wake_payments[job.payment.network].set()

    async def _tell(self, job: Job, order: events.Order) -> None:
        match order:
            case events.WriteExecution():
                await self._journal.opened(job, await self._store.launch(job.id))
            case events.TellPayment(step):
                await self._journal.payment(job, step)
            case events.TellStatus(status, error):
                await self._journal.status(job, status, error)

    async def _act(self, job: Job, order: events.Order) -> None:
        match order:
            case events.StopRunner():
                await self._launcher.stop(job.id)
            case events.Warn(note, advice):
                told = {"note": note, "advice": advice} if advice else {"note": note}
                log.warning("job needs attention", extra={"job_id": job.id, **told})

    async def _job(self, job_id: str) -> Job:
        job = await self._store.job(job_id)
        if job is None:
            raise UnknownJob(job_id)
        return job


async def each(jobs: Iterable[Job], act: Callable[[Job], Awaitable[object]]) -> Collection[str]:
    """Act on one job after the other; ids of those that broke.

    What breaks on one job, in a way nobody foresaw, must not keep all the others from their
    money; it is logged, and taken up again by the next pass.
    """
    broken = []
    for job in jobs:
        try:
            await act(job)
        except Exception:  # a door of the supervisor's pass, one for each job
            log.exception("a job's turn broke off", extra={"job_id": job.id})
            broken.append(job.id)
    return broken
