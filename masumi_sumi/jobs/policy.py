"""What the operator decides about running and delivering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from masumi_sumi.hashing import ResultForm


@dataclass(frozen=True, slots=True)
class Policy:
    """Times in seconds."""

    runners_at_once: int
    launches_at_once: int = 4
    """Of those, how many may be starting: it takes seconds of a core, and too many at once only
    make each other late."""
    result_form: ResultForm = "escaped"
    poll: float = 2.0
    polls: Mapping[str, float] = field(default_factory=dict)
    """Between two looks at what has changed, where a network has another time than ``poll``."""
    look_every: float = 2.0
    """At most one direct look at a payment in this time."""
    start_timeout: float = 12.0
    max_free_runners: int = 0
    """How many runners free jobs may have; 0: half of all, at least one."""
    max_runners_per_app: int = 0
    """How many runners the jobs of one app may have; 0: three quarters of all, rounded up."""
    max_free_queue: int = 100
    """How many free jobs may wait for a runner."""
    launch_timeout: float = 120.0
    """How long a runner may take until it asks whether the author's code may begin."""
    build_timeout: float = 900.0
    """The same for a runner whose runtime environment may have to be built first."""

    @property
    def free_runners(self) -> int:
        return self.max_free_runners or max(1, self.runners_at_once // 2)

    @property
    def runners_per_app(self) -> int:
        return self.max_runners_per_app or -(-self.runners_at_once * 3 // 4)

    @property
    def launches_per_app(self) -> int:
        """Return one place less than there is, so that another app can always start a job."""
        return max(1, self.launches_at_once - 1)
