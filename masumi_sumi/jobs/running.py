"""From a free slot to a stored outcome: runners are made, watched, and let go."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from masumi_sumi import hashing
from masumi_sumi.clock import Clock
from masumi_sumi.flows import error_text, result_text
from masumi_sumi.jobs import events
from masumi_sumi.jobs.deadlines import may_launch, result_due, worked
from masumi_sumi.jobs.model import Job, JobState
from masumi_sumi.jobs.policy import Policy
from masumi_sumi.jobs.ports import JobStore, Journal, Launcher, Outcome, RunnerGone
from masumi_sumi.jobs.standing import is_in_doubt
from masumi_sumi.jobs.transitions import Transitions, each

log = logging.getLogger(__name__)

RESTING_MOST = 100
"""How many jobs whose launch failed may rest at the head of the queue and hold up no other."""

LIVE = (JobState.LAUNCHING, JobState.RUNNING)


class Running:
    """Watches every live runner in a task of its own, so that none waits for another."""

    def __init__(
        self,
        store: JobStore,
        transitions: Transitions,
        launcher: Launcher,
        journal: Journal,
        clock: Clock,
        policy: Policy,
    ) -> None:
        self._store, self._transitions, self._policy = store, transitions, policy
        self._launcher, self._journal, self._clock = launcher, journal, clock
        self._watching: dict[str, asyncio.Task[None]] = {}

    async def mind_deadlines(self) -> None:
        """End what cannot be delivered in time any more."""
        now = self._clock.now()
        for state in (JobState.QUEUED, *LIVE):
            found = await self._store.in_state([state], 1000)
            await each([job for job in found if _is_late(job, now)], self._out_of_time)
            await each([job for job in found if _may_overrun(job, now)], self._end_if_overrun)

    async def _out_of_time(self, job: Job) -> None:
        await self._transitions.apply(job.id, events.TimeRanOut())

    async def _end_if_overrun(self, job: Job) -> None:
        locks, now = await self._store.locks(job.id), self._clock.now()
        if job.terms.run is not None and worked(job, locks, now) > job.terms.run:
            await self._transitions.apply(job.id, events.RunOverran())

    async def grant_slots(self) -> None:
        """Let the longest waiting ones start, as far as there is room; one that could not be made
        waits a while, and holds up no other."""
        launching = await self._store.count([JobState.LAUNCHING])
        running = await self._store.count([JobState.RUNNING])
        free = self._policy.runners_at_once - launching - running
        free = min(free, self._policy.launches_at_once - launching)
        if free <= 0:
            return
        now = self._clock.now()
        queue = await self._store.in_state([JobState.QUEUED], free + RESTING_MOST)
        # funds may have come in since the deadlines were minded
        ready = [job for job in queue if not _is_late(job, now) and _may_start(job, now)]
        await each(ready[:free], self._grant)

    async def _grant(self, job: Job) -> None:
        self._watch(await self._transitions.apply(job.id, events.SlotGranted()))

    async def watch_runners(self) -> None:
        """Take up the runners of an earlier process, and those whose watch broke."""
        for job in await self._store.in_state(LIVE, 1000, not_in=self._watching):
            self._watch(job)

    def _watch(self, job: Job) -> None:
        if job.id in self._watching or job.state not in LIVE:
            return
        task = asyncio.create_task(self._see_through(job))
        self._watching[job.id] = task
        task.add_done_callback(partial(self._unwatch, job.id))

    def _unwatch(self, job_id: str, task: asyncio.Task[None]) -> None:
        del self._watching[job_id]
        if task.cancelled():
            return
        if error := task.exception():  # taken up again by the next pass, not at once
            log.error("watching a runner broke", extra={"job_id": job_id}, exc_info=error)
            return
        self._transitions.wake.set()

    async def _see_through(self, job: Job) -> None:
        """From the launch, or from wherever it is, to the stored outcome."""
        try:
            if job.state is JobState.LAUNCHING:
                await self._launcher.launch(job, await self._store.launch(job.id))
            outcome = await self._launcher.outcome(job.id)
        except RunnerGone as gone:
            final = await self._journal.final(job)
            if final is None:
                await self._transitions.apply(job.id, events.RunnerLost(gone.reason))
                return
            outcome = Outcome(final=final)
        await self._transitions.apply(job.id, self._ended(job, outcome))
        await self._launcher.release(job.id)

    def _ended(self, job: Job, outcome: Outcome) -> events.Event:
        if outcome.final is None:
            return events.WorkFailed(error_text(outcome.error or "the job ended without a result"))
        text = result_text(outcome.final)
        paid = job.payment is not None
        form = self._policy.result_form
        digest = hashing.result_hash(job.identifier, text, form) if paid else ""
        return events.WorkFinished(outcome.final, text, digest)

    async def close(self) -> None:
        """Let go of the runners that are watched; they run on."""
        tasks = list(self._watching.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _may_start(job: Job, now: float) -> bool:
    return may_launch(job, now) and not is_in_doubt(job.payment)


def _may_overrun(job: Job, now: float) -> bool:
    """Unless it waited for answers meanwhile."""
    running = job.state is JobState.RUNNING and job.terms.run is not None
    return running and worked(job, (), now) > (job.terms.run or 0)


def _is_late(job: Job, now: float) -> bool:
    due = result_due(job)
    return due is not None and now >= due
