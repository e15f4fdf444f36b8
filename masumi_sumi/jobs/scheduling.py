"""Choose which queued jobs get a runner: pure, from counts of what runs already.

Funded jobs come first, earliest deadline first; free jobs share what their limit leaves them. No
app takes every place: one whose runners never start must not hold up the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from masumi_sumi.jobs.model import Job, JobState
from masumi_sumi.jobs.policy import Policy
from masumi_sumi.jobs.ports import LiveCount


@dataclass(slots=True)
class RunnerSlots:
    """The places that are taken, and what one more job would need."""

    policy: Policy
    live: int = 0
    launching: int = 0
    free_jobs: int = 0
    live_of_app: Counter[str] = field(default_factory=Counter)
    launching_of_app: Counter[str] = field(default_factory=Counter)

    @classmethod
    def count(cls, policy: Policy, counts: Iterable[LiveCount]) -> RunnerSlots:
        slots = cls(policy)
        for each in counts:
            slots._take(each.app_url, each.is_free, each.state, each.count)
        return slots

    @property
    def open_places(self) -> int:
        """Return how many jobs may be launched now, whatever their app."""
        by_runners = self.policy.runners_at_once - self.live
        by_launches = self.policy.launches_at_once - self.launching
        return max(0, min(by_runners, by_launches))

    @property
    def has_room_for_free_jobs(self) -> bool:
        return self.open_places > 0 and self.free_jobs < self.policy.free_runners

    @property
    def full_apps(self) -> frozenset[str]:
        """Return the apps that may not start one more job now."""
        most_live, most_launching = self.policy.runners_per_app, self.policy.launches_per_app
        full = {app for app, count in self.live_of_app.items() if count >= most_live}
        slow = {app for app, count in self.launching_of_app.items() if count >= most_launching}
        return frozenset(full | slow)

    def choose(self, jobs: Iterable[Job]) -> list[Job]:
        """Take a place for each job that gets one, in the order given."""
        return [job for job in jobs if self._try_to_take(job)]

    def _try_to_take(self, job: Job) -> bool:
        is_allowed = self.has_room_for_free_jobs if job.terms.free else self.open_places > 0
        if not is_allowed or job.app_url in self.full_apps:
            return False
        self._take(job.app_url, job.terms.free, JobState.LAUNCHING, 1)
        return True

    def _take(self, app_url: str, is_free: bool, state: JobState, count: int) -> None:
        self.live += count
        self.live_of_app[app_url] += count
        self.free_jobs += count if is_free else 0
        if state is JobState.LAUNCHING:
            self.launching += count
            self.launching_of_app[app_url] += count
