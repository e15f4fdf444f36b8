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
    openings_at_once: int = 4
    """Payments that are being opened at one network's node: more make all of its answers late."""
    unpaid_per_flow: int = 100
    unpaid_per_address: int = 20
    """Jobs that may wait for their payment, of one flow and of one caller's address."""
