"""From a free slot to a stored outcome: runners are made, watched, and let go."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from masumi_sumi import hashing
from masumi_sumi.clock import Clock
from masumi_sumi.errors import UnknownJob
from masumi_sumi.flows import error_text, result_text
from masumi_sumi.jobs import events
from masumi_sumi.jobs.deadlines import may_launch, result_due, worked
from masumi_sumi.jobs.model import Job, JobState
from masumi_sumi.jobs.policy import Policy
from masumi_sumi.jobs.ports import JobStore, Journal, Launcher, Outcome, RunnerGone
from masumi_sumi.jobs.slots import Slots
from masumi_sumi.jobs.standing import is_in_doubt
from masumi_sumi.jobs.transitions import Transitions, each

log = logging.getLogger(__name__)

RESTING_MOST = 100
"""How many jobs of an app whose launch failed may rest at the head of its queue and hold up no
other."""

_BUILT = frozenset({"pip", "uv", "conda", "container", "image_uri", "py_modules", "working_dir"})
"""Parts of a runtime environment for which Ray downloads or installs before a process starts."""

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
        self._apps: set[str] = set()  # that have had work

    async def mind_deadlines(self) -> None:
        """End what cannot be delivered in time any more."""
        now = self._clock.now()
        await each(await self._store.overdue_unpaid(now, 100), self._out_of_time)
        for state in (JobState.QUEUED, *LIVE):
            found = await self._store.in_state([state], 1000)
            await each([job for job in found if _is_late(job, now)], self._out_of_time)
            await each([job for job in found if self._may_overrun(job, now)], self._end_if_overrun)
            await each([job for job in found if self._hangs(job, now)], self._end_launch)

    async def _out_of_time(self, job: Job) -> None:
        await self._transitions.apply(job.id, events.TimeRanOut())

    async def _end_if_overrun(self, job: Job) -> None:
        locks, now = await self._store.locks(job.id), self._clock.now()
        limit = self._run_limit(job)
        if limit is not None and worked(job, locks, now) > limit:
            await self._transitions.apply(job.id, events.RunOverran(limit))

    def _run_limit(self, job: Job) -> float | None:
        """Seconds; None for a paid job of an earlier version, which only its payment bounds."""
        if job.terms.run is None and job.payment is None:
            return self._policy.free_run_seconds
        return job.terms.run

    def _may_overrun(self, job: Job, now: float) -> bool:
        """Whether a run took too long, unless it waited for answers meanwhile."""
        limit = self._run_limit(job)
        if limit is None or job.state is not JobState.RUNNING:
            return False
        return worked(job, (), now) > limit

    def _hangs(self, job: Job, now: float) -> bool:
        """Whether a runner takes too long to start, unless its environment is still built."""
        late = now - _launched_at(job) > self._policy.launch_timeout
        return job.state is JobState.LAUNCHING and late

    async def _end_launch(self, job: Job) -> None:
        taken = self._clock.now() - _launched_at(job)
        if taken <= self._policy.build_timeout and await self._is_built(job):
            return
        if (watch := self._watching.get(job.id)) is not None:
            watch.cancel()  # else it would take the next attempt for the one that is stopped
            await asyncio.wait({watch})
        reason = f"its runner did not start within {taken:.0f} s"
        job = await self._transitions.apply(job.id, events.LaunchTimedOut(job.attempts, reason))
        if job.state.ended or job.state is JobState.DELIVERING:  # the watch had stored its outcome
            await self._launcher.release(job.id)

    async def _is_built(self, job: Job) -> bool:
        """Whether Ray may be building the runner's environment. It does not tell when it is done,
        so an environment that has to be built counts as being built.
        """
        launch = await self._store.launch(job.id)
        return not _BUILT.isdisjoint(launch.runtime_env)

    async def grant_slots(self) -> None:
        """Let jobs start, as far as there is room; one that could not be made waits a while, and
        holds up no other."""
        queue = await self._store.queue(self._policy.launches_at_once + RESTING_MOST)
        if not queue:
            return
        live = await self._store.in_state(LIVE, 1000)
        self._apps.update(job.app_url for job in (*queue, *live))
        slots, now = Slots(self._policy, live, has_rivals=len(self._apps) > 1), self._clock.now()
        # funds may have come in since the deadlines were minded
        ready = [job for job in queue if not _is_late(job, now) and _may_start(job, now)]
        await each(slots.choose(ready), self._grant)

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
        except UnknownJob:  # it ended meanwhile, and its launch went with it
            return
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


def _launched_at(job: Job) -> float:
    return job.updated_at if job.launched_at is None else job.launched_at


def _is_late(job: Job, now: float) -> bool:
    due = result_due(job)
    return due is not None and now >= due
