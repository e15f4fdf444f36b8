"""When a job has to be done, and how long it has worked."""

from __future__ import annotations

from collections.abc import Iterable

from masumi_sumi.jobs.model import Job, Lock
from masumi_sumi.settings import NODE_MARGIN


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
