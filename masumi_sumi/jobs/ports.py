"""What the job parts need from the world. Adapters live in payments, runtime and jobs.store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from masumi_sumi.flows import Attachment
from masumi_sumi.jobs.model import (
    Job,
    JobState,
    Launch,
    Lock,
    LockOutcome,
    PaymentFacts,
    PaymentOrder,
    PaymentView,
    SourceType,
)


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the changes of one (network, source type) were read; ISO text and row id."""

    changed_at: str
    row_id: str


@dataclass(frozen=True, slots=True)
class Changes:
    views: Sequence[PaymentView]
    cursor: Cursor | None


class JobReader(Protocol):
    """Reading never waits for a writer and needs no actor."""

    async def job(self, job_id: str) -> Job | None: ...

    async def locks(self, job_id: str) -> list[Lock]:
        """All locks of a job, oldest first."""
        ...

    async def launch_meta(self, job_id: str) -> dict[str, Any]:
        """The meta event of a job's launch; empty when there is no launch (any more)."""
        ...


class JobStore(JobReader, Protocol):
    """The jobs, durable. Every method that returns bool says whether its write landed."""

    async def opening(self) -> str:
        """The name under which this store was opened; another one each time."""
        ...

    async def add(self, job: Job, launch: Launch) -> bool:
        """False when the id is there already; nothing is changed then."""
        ...

    async def save(self, before: Job, after: Job) -> bool:
        """Write ``after`` if the row is still at ``before``'s version and state.

        The stored job then has ``before.version + 1``. Refused as well: another hash or another
        blockchainIdentifier for the payment, another result, a result after the end.
        """
        ...

    async def launch(self, job_id: str) -> Launch:
        """Raises UnknownJob, also for a job that has ended: its launch is deleted then."""
        ...

    async def purgeable(
        self, unpaid_before: float, free_before: float, limit: int, not_in: Collection[str] = ()
    ) -> list[Job]:
        """Jobs that nobody ever paid for and whose payment has ended at the node, and free jobs,
        that ended before these times (epoch seconds); the oldest first.
        """
        ...

    async def purge(self, job_id: str) -> None:
        """Delete all rows of a job that has ended."""
        ...

    async def reclaim(self) -> bool:
        """Give back a part of the disk space of deleted rows; return whether more is left."""
        ...

    async def in_state(
        self, states: Collection[JobState], limit: int, not_in: Collection[str] = ()
    ) -> list[Job]:
        """Oldest first, by the time they entered the state."""
        ...

    async def queue(self, most: int) -> list[Job]:
        """Queued jobs: of each app at most so many that are funded, the earliest due first, and as
        many free ones, the longest waiting first.
        """
        ...

    async def overdue_unpaid(self, now: float, limit: int) -> list[Job]:
        """Jobs that wait for their payment although their result would be due already."""
        ...

    async def count_free_queued(self, app_url: str) -> int: ...

    async def count(self, states: Collection[JobState]) -> int: ...

    async def count_unpaid(self, job: Job) -> tuple[int, int]:
        """How many jobs of the same flow wait for their payment, and how many of the same caller,
        whatever their flow."""
        ...

    async def by_blockchain_identifier(self, identifiers: Collection[str]) -> list[Job]: ...

    async def open_payments(self) -> set[tuple[str, SourceType]]:
        """Which (network, source type) have payments that have not ended."""
        ...

    async def payments_to_look_at(self, network: str, now: float, limit: int) -> list[Job]:
        """Open payments of a network whose look has come due, the longest due first.

        The save that gives a payment its blockchainIdentifier makes it due at once, and the one
        that ends it due never again; ``schedule_look`` moves it in between.
        """
        ...

    async def results_to_send(self, network: str, now: float, limit: int) -> list[Job]:
        """Jobs that deliver on a network and whose next try has come."""
        ...

    async def schedule_look(self, job_id: str, at: float | None) -> None: ...

    async def open_lock(self, lock: Lock) -> bool:
        """False when the id is there already. Raises UnknownJob for a lock of no job."""
        ...

    async def close_lock(self, lock_id: str, outcome: LockOutcome, input_hash: str) -> bool:
        """False when it is closed already, or unknown."""
        ...

    async def describe_lock(self, lock_id: str, form: list[dict[str, Any]]) -> bool:
        """Keep the lock's form; the first one stays."""
        ...

    async def lock(self, lock_id: str) -> Lock | None: ...

    async def cursor(self, network: str, source: SourceType) -> Cursor | None: ...

    async def keep_cursor(self, network: str, source: SourceType, cursor: Cursor) -> None: ...


class Escrow(Protocol):
    """The payment nodes. Errors are the NodeError tree; nothing is retried that may act twice."""

    async def open(self, order: PaymentOrder, within: float | None = None) -> PaymentFacts:
        """Ask for a payment. Not idempotent: a second order is a second payment.

        Raises NodeUnreachable after ``within`` seconds, if it has not before.
        """
        ...

    async def look(self, network: str, blockchain_identifier: str) -> PaymentView | None:
        """One payment, directly; None when the node does not know it."""
        ...

    async def changes(self, network: str, source: SourceType, cursor: Cursor | None) -> Changes:
        """All payments that changed since the cursor, with an overlap; may repeat some."""
        ...

    async def submit(self, network: str, blockchain_identifier: str, result_hash: str) -> None:
        """Hand in the hash. NodeNotFound means: look again, it may be there already."""
        ...

    async def resubmit(self, network: str, blockchain_identifier: str, result_hash: str) -> None:
        """Have the node send a hash again that it took and failed to send.

        NodeConflict when that is not what the payment is parked with.
        """
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: with a final event, or with the error text of its last line."""

    final: str | None = None
    error: str | None = None


class RunnerGone(Exception):
    """There is no such runner (any more); its outcome will not come."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Launcher(Protocol):
    """Runners, by job id. Every method may be repeated."""

    async def launch(self, job: Job, launch: Launch) -> None:
        """Make the runner and start it; when it is there already, only start it."""
        ...

    async def outcome(self, job_id: str) -> Outcome:
        """Wait for the run's end. Raises RunnerGone when there is no such runner (any more)."""
        ...

    async def release(self, job_id: str) -> None:
        """The outcome is stored: let the runner hand over its events and go."""
        ...

    async def stop(self, job_id: str) -> None:
        """End the runner now."""
        ...


class Journal(Protocol):
    """The execution as Kodosumi's panel and spooler show it."""

    async def opened(self, job: Job, launch: Launch) -> None:
        """Write the execution of a job that may run, once, with its past up to now."""
        ...

    async def payment(self, job: Job, step: str) -> None:
        """A payment event (funds_locked, final_result); one per step and job."""
        ...

    async def status(self, job: Job, status: str, error: str | None = None) -> None: ...

    async def remove(self, job: Job) -> None:
        """Delete the execution with its folder. Raises OSError."""
        ...

    async def final(self, job: Job) -> str | None:
        """The final event that the execution already holds, for a runner that died after it."""
        ...


class Agent(Protocol):
    """The author's app, called as a sale calls it."""

    async def form(self, flow: str) -> list[dict[str, Any]]:
        """Kodosumi elements of the flow's form. Raises UnknownFlow."""
        ...

    async def inputs(self, flow: str, values: dict[str, Any]) -> Any:
        """What the flow's handler is given for these values. Raises UnknownFlow."""
        ...

    async def launch(self, flow: str, values: dict[str, Any], sale: Sale) -> Launch:
        """Let the app's handler validate and launch; nothing runs.

        Raises FieldsInvalid (the author's InputsError), HandlerFailed, NoLaunch, LaunchEscaped.
        """
        ...

    async def lock_form(self, job_id: str, lock_id: str) -> list[dict[str, Any]]:
        """Kodosumi elements of a lock's form. Raises UnknownLock, HandlerFailed."""
        ...

    async def lease(self, job_id: str, lock_id: str, values: dict[str, Any]) -> Any:
        """What the author's code makes of an answer; the lock stays.

        Raises FieldsInvalid (the author's InputsError), LockReleased, HandlerFailed.
        """
        ...

    async def release(self, job_id: str, lock_id: str, lease: Any, input_hash: str) -> bool:
        """Hand the run its lease; False when the lock was released before. Raises UnknownLock."""
        ...


@dataclass(frozen=True, slots=True)
class Sale:
    """What an execution is told about its sale."""

    job_id: str
    user: str
    identifier: str
    input_hash: str
    agent_identifier: str
    endpoint: str = ""  # where the buyer asks for the job's status
    files: tuple[Attachment, ...] = ()  # to fetch before the job's code begins


class Supervision(JobReader, Protocol):
    """The process that owns the jobs, as seen from a face. Raises SellerUnavailable."""

    async def start(self, job: Job, launch: Launch) -> Job: ...

    async def buyer_user(self) -> str: ...

    async def describe_lock(self, lock_id: str, form: list[dict[str, Any]]) -> Lock | None: ...
