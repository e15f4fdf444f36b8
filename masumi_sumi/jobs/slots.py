"""Which jobs start next: funded ones before free ones, by deadline, and no app alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from masumi_sumi.jobs.deadlines import result_due
from masumi_sumi.jobs.model import Job, JobState
from masumi_sumi.jobs.policy import Policy


class Slots:
    """The slots for runners, as the live jobs take them.

    ``has_rivals`` says that several apps have had work: then an app that has its share leaves the
    last slot, and the last start, to the others. So an app whose runners never start, or never end,
    holds up no other one; and an app that is alone takes all there is.
    """

    def __init__(self, policy: Policy, live: Iterable[Job], *, has_rivals: bool) -> None:
        self._policy, self._has_rivals = policy, has_rivals
        self._live: Counter[str] = Counter()
        self._starting: Counter[str] = Counter()
        self._free_of_app: Counter[str] = Counter()
        self._free = self._free_starting = 0
        for job in live:
            self._take(job, starts=job.state is JobState.LAUNCHING)

    def choose(self, ready: Iterable[Job]) -> list[Job]:
        """Return the jobs that start now, in their order. ``ready`` are those that may start; free
        ones keep the order in which they are given.
        """
        waiting = sorted(ready, key=_by_deadline)
        chosen: list[Job] = []
        while fitting := [job for job in waiting if self._fits(job)]:
            job = min(fitting, key=self._turn)  # the first of those that are equal
            waiting.remove(job)
            self._take(job, starts=True)
            chosen.append(job)
        return chosen

    def _take(self, job: Job, *, starts: bool) -> None:
        self._live[job.app_url] += 1
        self._starting[job.app_url] += starts
        if job.payment is None:
            self._free += 1
            self._free_of_app[job.app_url] += 1
            self._free_starting += starts

    def _turn(self, job: Job) -> tuple[bool, bool]:
        return job.payment is None, self._has_share(job)

    def _fits(self, job: Job) -> bool:
        policy, app = self._policy, job.app_url
        if policy.runners_per_app and self._live[app] >= policy.runners_per_app:
            return False
        if job.payment is None and not self._fits_free(app):
            return False
        has_share = self._has_share(job)
        starts_share = self._starting[app] >= policy.launch_share
        return self._is_left(
            policy.runners_at_once - self._live.total(), policy.runners_at_once, has_share
        ) and self._is_left(
            policy.launches_at_once - self._starting.total(), policy.launches_at_once, starts_share
        )

    def _has_share(self, job: Job) -> bool:
        """Judge a funded job by the funded ones alone: its app's free jobs must not hold it up."""
        live = self._live[job.app_url]
        if job.payment is not None:
            live -= self._free_of_app[job.app_url]
        return live >= self._policy.app_share

    def _fits_free(self, app: str) -> bool:
        policy = self._policy
        of_app = policy.runners_per_app
        if of_app > 1 and self._free_of_app[app] >= of_app // 2:
            return False  # the rest of what this app may have is for its funded jobs
        return self._free < policy.free_share and self._free_starting < policy.launch_share

    def _is_left(self, left: int, of: int, has_share: bool) -> bool:
        reserved = 1 if has_share and self._has_rivals and of > 1 else 0
        return left > reserved


def _by_deadline(job: Job) -> float:
    due = result_due(job)
    return float("inf") if due is None else due
