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
    runners_per_app: int = 0
    """The most that one app may have; 0 lets an app take what no other one wants."""
    free_at_once: int = 0
    """The most that may run free jobs; 0 is half of all."""
    free_queue: int = 100
    """How many free jobs of one app may wait for a runner."""
    free_run_seconds: float = 3600.0
    """How long a free job may run whose author says nothing."""
    launch_timeout: float = 120.0
    build_timeout: float = 600.0
    """From a slot to the begin of the author's code, and where Ray builds the runner's environment
    before."""
    result_form: ResultForm = "escaped"
    poll: float = 2.0
    polls: Mapping[str, float] = field(default_factory=dict)
    """Between two looks at what has changed, where a network has another time than ``poll``."""
    look_every: float = 2.0
    """At most one direct look at a payment in this time."""
    start_timeout: float = 12.0
    openings_at_once: int = 4
    """Payments that are being opened at one network's node: more make all of its answers late."""
    unpaid_per_flow: int = 100
    unpaid_per_address: int = 20
    """Jobs that may wait for their payment, of one flow and of one caller's address."""
    keep_unpaid_seconds: float = 7 * 86_400.0
    """How long a job that nobody paid for is kept after it ended."""
    keep_free_seconds: float = 30 * 86_400.0

    @property
    def app_share(self) -> int:
        """How many runners an app may have before other apps go first."""
        return self.runners_per_app or max(1, self.runners_at_once // 2)

    @property
    def free_share(self) -> int:
        return self.free_at_once or max(1, self.runners_at_once // 2)

    @property
    def launch_share(self) -> int:
        """How many starting runners an app, or all free jobs, may have before others go first."""
        return max(1, self.launches_at_once // 2)
