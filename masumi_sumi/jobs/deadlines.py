"""When a job has to be done, how long it has worked, and when its launch is tried again."""

from __future__ import annotations

from collections.abc import Iterable

from masumi_sumi.jobs.model import Job, Lock
from masumi_sumi.settings import NODE_MARGIN

LAUNCH_PAUSES = (1.0, 5.0, 25.0)
"""Seconds before a runner that could not be made is tried again: a cluster may have bad ones."""


def result_due(job: Job) -> float | None:
    """Epoch seconds at which the result must have been handed to the node; None if free."""
    if job.payment is None or job.payment.facts is None:
        return None
    return job.payment.facts.times.submit_result / 1000 - NODE_MARGIN


def last_deadline(job: Job) -> float | None:
    """Epoch seconds after which every move of the payment's money was possible; None if free."""
    if job.payment is None or job.payment.facts is None:
        return None
    return job.payment.facts.times.external_dispute_unlock / 1000


def worked(job: Job, locks: Iterable[Lock], now: float) -> float:
    """Seconds that the latest run has taken, but for those in which a question was open."""
    if job.begun_at is None:
        return 0.0
    at, waited = job.begun_at, 0.0
    for lock in sorted(locks, key=lambda lock: lock.opened_at):
        closed = min(now, lock.expires_at if lock.closed_at is None else lock.closed_at)
        waited += max(0.0, closed - max(at, lock.opened_at))
        at = max(at, closed)
    return now - job.begun_at - waited


def may_launch(job: Job, now: float) -> bool:
    """Whether a queued job's pause after a launch that failed is over."""
    failed = min(job.attempts - job.runs, len(LAUNCH_PAUSES))
    return failed <= 0 or now >= job.updated_at + LAUNCH_PAUSES[failed - 1]
