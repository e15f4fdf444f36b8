"""Writing: guarded by the state that the write was decided from."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any, Self, cast

from sqlalchemy import (
    ColumnElement,
    Delete,
    Insert,
    Row,
    Select,
    Subquery,
    Update,
    and_,
    bindparam,
    delete,
    func,
    insert,
    null,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from masumi_sumi.clock import Clock
from masumi_sumi.db import Database, database_url
from masumi_sumi.errors import UnknownJob
from masumi_sumi.jobs.model import (
    Job,
    JobState,
    Launch,
    Lock,
    LockOutcome,
    PaymentState,
    SourceType,
)
from masumi_sumi.jobs.ports import Cursor
from masumi_sumi.jobs.store.migration import migrate
from masumi_sumi.jobs.store.reader import Lookup
from masumi_sumi.jobs.store.rows import (
    digest,
    job_of,
    job_values,
    launch_of,
    lock_values,
    unpaid_flow,
)
from masumi_sumi.jobs.store.schema import cursors, jobs, launches, locks, opening

_ENDED_JOBS = [state.value for state in JobState if state.ended]
_OPEN_PAYMENTS = [state.value for state in PaymentState if not state.ended]
_NEVER_PAID = [PaymentState.INVALID.value, PaymentState.ABANDONED.value]
_CHUNK = 500

_WITHOUT_RESULT = [
    null().label(column.name) if column.name in ("result", "final") else column for column in jobs.c
]
"""For who reads many ended jobs and none of their results, which may be long."""

log = logging.getLogger(__name__)


class SqlJobStore(Lookup):
    """The ``JobStore``. Open it in one process only; others read with ``SqlJobReader``."""

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__(database)
        self._clock = clock
        self._unreadable: set[str] = set()

    @classmethod
    async def open(cls, url: str, clock: Clock) -> Self:
        """Make the database if need be and bring it to the newest schema."""
        await migrate(url)
        database = await Database.writing(database_url(url))
        await database.make_reclaimable()
        store = cls(database, clock)
        await store._name_opening()
        return store

    async def _name_opening(self) -> None:
        name = secrets.token_hex(16)
        await self._database.write(delete(opening), insert(opening).values(id=1, name=name))

    async def add(self, job: Job, launch: Launch) -> bool:
        first_look = self._clock.now() if _is_followed(job) else None
        own = {"version": job.version, "entered_at": self._clock.now(), "look_at": first_look}
        row = insert(jobs).values(**job_values(job), **own)
        try:
            await self._database.write(row, _launch_row(job.id, launch))
        except IntegrityError:
            return False
        return True

    async def save(self, before: Job, after: Job) -> bool:
        """Compare and set; the stored job has ``before.version + 1`` then, whatever ``after`` says.

        Besides version and state these hold, in the statement itself: a result that is there
        stays, and a job that ended without one gets none; a hash that was sent for the payment
        stays; a payment's blockchainIdentifier stays. An ``after`` that would break one of them
        does not land.
        """
        if before.id != after.id:
            raise ValueError(f"job {before.id!r} cannot be saved as {after.id!r}")
        try:
            save = _save(before, after, self._clock.now())
            forget = [_forget_launch(after.id)] if after.state.ended else []
            return await self._database.write(save, *forget) == 1
        except IntegrityError:
            log.warning("blockchain identifier belongs to another job", extra={"job_id": after.id})
            return False

    async def launch(self, job_id: str) -> Launch:
        """Raises UnknownJob."""
        rows = await self._rows(select(launches).where(launches.c.job_id == job_id))
        if not rows:
            raise UnknownJob(job_id)
        return launch_of(rows[0])

    async def purgeable(
        self, unpaid_before: float, free_before: float, limit: int, not_in: Collection[str] = ()
    ) -> list[Job]:
        over = or_(jobs.c.due_at.is_(None), jobs.c.due_at <= unpaid_before)
        unpaid = [
            and_(jobs.c.payment_state == state, jobs.c.entered_at <= unpaid_before, over)
            for state in _NEVER_PAID
        ]
        free = and_(jobs.c.payment_state.is_(None), jobs.c.entered_at <= free_before)
        found: list[Job] = []
        for which in (*unpaid, free):
            ended = select(*_WITHOUT_RESULT).where(which, jobs.c.state.in_(_ENDED_JOBS))
            most = limit - len(found) + len(not_in) + len(self._unreadable)
            rows = await self._rows(ended.order_by(jobs.c.entered_at).limit(most))
            found += self._readable(row for row in rows if row.id not in not_in)
        return found[:limit]

    async def purge(self, job_id: str) -> None:
        ended = and_(jobs.c.id == job_id, jobs.c.state.in_(_ENDED_JOBS))
        of_ended = select(jobs.c.id).where(ended)
        rows = [delete(table).where(table.c.job_id.in_(of_ended)) for table in (locks, launches)]
        await self._database.write(*rows, delete(jobs).where(ended))

    async def reclaim(self) -> bool:
        return await self._database.reclaim()

    async def in_state(
        self, states: Collection[JobState], limit: int, not_in: Collection[str] = ()
    ) -> list[Job]:
        if not states:
            return []
        skipped = frozenset(not_in)
        most = limit + len(skipped) + len(self._unreadable)
        oldest = _oldest(tuple(sorted(set(states)))).params(most=most)
        rows = await self._rows(oldest)
        return self._readable(row for row in rows if row.id not in skipped)[:limit]

    async def queue(self, most: int) -> list[Job]:
        queued = jobs.c.state == JobState.QUEUED.value
        apps = await self._rows(select(jobs.c.app_url).distinct().where(queued))
        found: list[Job] = []
        for row in apps:
            of_app = select(jobs).where(queued, jobs.c.app_url == row.app_url)
            funded = of_app.where(jobs.c.due_at.is_not(None)).order_by(jobs.c.due_at)
            free = of_app.where(jobs.c.due_at.is_(None)).order_by(jobs.c.entered_at, jobs.c.id)
            found += await self._first(funded, most) + await self._first(free, most)
        return found

    async def overdue_unpaid(self, now: float, limit: int) -> list[Job]:
        waiting = jobs.c.state == JobState.AWAITING_PAYMENT.value
        return await self._first(select(jobs).where(waiting, jobs.c.due_at <= now), limit)

    async def count_free_queued(self, app_url: str) -> int:
        queued = and_(jobs.c.state == JobState.QUEUED.value, jobs.c.due_at.is_(None))
        count = select(func.count()).select_from(jobs)
        return cast(int, (await self._rows(count.where(queued, jobs.c.app_url == app_url)))[0][0])

    async def count(self, states: Collection[JobState]) -> int:
        query = select(func.count()).select_from(jobs).where(jobs.c.state.in_(_texts(states)))
        return cast(int, (await self._rows(query))[0][0])

    async def count_unpaid(self, job: Job) -> tuple[int, int]:
        of_flow = select(func.count()).where(jobs.c.unpaid_flow == unpaid_flow(job))
        of_caller = select(func.count()).where(jobs.c.unpaid_caller == digest(job.caller))
        both = select(of_flow.scalar_subquery(), of_caller.scalar_subquery())
        return cast(tuple[int, int], tuple((await self._rows(both))[0]))

    async def by_blockchain_identifier(self, identifiers: Collection[str]) -> list[Job]:
        digests = sorted({key for key in map(digest, identifiers) if key})
        rows = []
        for start in range(0, len(digests), _CHUNK):
            chunk = digests[start : start + _CHUNK]
            rows += await self._rows(select(jobs).where(jobs.c.payment_digest.in_(chunk)))
        return self._readable(rows)

    async def open_payments(self) -> set[tuple[str, SourceType]]:
        sources = select(jobs.c.network, jobs.c.source_type).distinct()
        rows = await self._rows(sources.where(jobs.c.payment_state.in_(_OPEN_PAYMENTS)))
        return {(row.network, row.source_type) for row in rows}

    async def payments_to_look_at(self, network: str, now: float, limit: int) -> list[Job]:
        due = select(jobs).where(jobs.c.network == network, jobs.c.look_at <= now)
        return await self._first(due.order_by(jobs.c.look_at, jobs.c.id), limit)

    async def results_to_send(self, network: str, now: float, limit: int) -> list[Job]:
        delivering = and_(jobs.c.network == network, jobs.c.state == JobState.DELIVERING.value)
        due = select(jobs).where(delivering, jobs.c.next_try <= now)
        return await self._first(due.order_by(jobs.c.next_try, jobs.c.id), limit)

    async def _first(self, due: Select[Any], limit: int) -> list[Job]:
        rows = await self._rows(due.limit(limit + len(self._unreadable)))
        return self._readable(rows)[:limit]

    def _readable(self, rows: Iterable[Row[Any]]) -> list[Job]:
        """A row that this version cannot read (a newer one wrote it, say) hides no other: limits
        reach past those that are known, from the next call on. Each is told of once.
        """
        read = []
        for row in rows:
            try:
                read.append(job_of(row))
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                if row.id not in self._unreadable:
                    log.error("a job cannot be read", extra={"job_id": row.id}, exc_info=error)
                self._unreadable.add(row.id)
        return read

    async def schedule_look(self, job_id: str, at: float | None) -> None:
        """Of no effect on a payment that has ended. Counts no version."""
        followed = and_(jobs.c.id == job_id, jobs.c.payment_state.in_(_OPEN_PAYMENTS))
        await self._database.write(update(jobs).where(followed).values(look_at=at))

    async def open_lock(self, lock: Lock) -> bool:
        """False when the id is there already. Raises UnknownJob for a lock of no job."""
        try:
            await self._database.write(insert(locks).values(**lock_values(lock)))
        except IntegrityError as error:
            if await self.lock(lock.id) is None:
                raise UnknownJob(lock.job_id) from error
            return False
        return True

    async def close_lock(self, lock_id: str, outcome: LockOutcome, input_hash: str) -> bool:
        open_one = and_(locks.c.id == lock_id, locks.c.outcome == LockOutcome.OPEN.value)
        closed = {"outcome": outcome.value, "closed_at": self._clock.now()}
        answer = {**closed, "input_hash": input_hash}
        return await self._database.write(update(locks).where(open_one).values(**answer)) == 1

    async def describe_lock(self, lock_id: str, form: list[dict[str, Any]]) -> bool:
        undescribed = and_(locks.c.id == lock_id, locks.c.form.is_(None))
        return await self._database.write(update(locks).where(undescribed).values(form=form)) == 1

    async def cursor(self, network: str, source: SourceType) -> Cursor | None:
        kept = and_(cursors.c.network == network, cursors.c.source_type == source)
        rows = await self._rows(select(cursors).where(kept))
        return Cursor(rows[0].changed_at, rows[0].row_id) if rows else None

    async def keep_cursor(self, network: str, source: SourceType, cursor: Cursor) -> None:
        place = {"changed_at": cursor.changed_at, "row_id": cursor.row_id}
        upsert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        row = upsert(cursors).values(network=network, source_type=source, **place)
        keys = ["network", "source_type"]
        await self._database.write(row.on_conflict_do_update(index_elements=keys, set_=place))


def _launch_row(job_id: str, launch: Launch) -> Insert:
    return insert(launches).values(
        job_id=job_id,
        spec=launch.spec,
        runtime_env=launch.runtime_env,
        meta=launch.meta,
    )


def _forget_launch(job_id: str) -> Delete:
    """A job that has ended needs no launch any more, and its input takes the most space."""
    ended = select(jobs.c.id).where(jobs.c.id == job_id, jobs.c.state.in_(_ENDED_JOBS))
    return delete(launches).where(launches.c.job_id.in_(ended))


def _save(before: Job, after: Job, now: float) -> Update:
    changes = job_values(after) | _look_after(before, after, now) | {"version": before.version + 1}
    if after.state != before.state:
        changes["entered_at"] = now
    guards = [
        jobs.c.id == before.id,
        jobs.c.version == before.version,
        jobs.c.state == before.state.value,
        _once(jobs.c.sent_hash, "", changes["sent_hash"]),
        _once(jobs.c.payment_digest, None, changes["payment_digest"]),
    ]
    if after.result != before.result:
        guards += [jobs.c.result.is_(None), jobs.c.state.not_in(_ENDED_JOBS)]
    for long in ("result", "final"):
        if getattr(after, long) == getattr(before, long):
            del changes[long]
    return update(jobs).where(*guards).values(**changes)


def _once(column: ColumnElement[Any], unset: str | None, value: str | None) -> ColumnElement[bool]:
    """Whether the column may become ``value``: it is that already, or was never set."""
    return or_(column.is_not_distinct_from(unset), column.is_not_distinct_from(value))


def _is_followed(job: Job) -> bool:
    payment = job.payment
    return payment is not None and not payment.state.ended and bool(payment.blockchain_identifier)


def _look_after(before: Job, after: Job, now: float) -> dict[str, Any]:
    """A payment is due for a look from the write on that names it, until the one that ends it.

    In the same write, so that none is forgotten by dying between the two.
    """
    if after.payment is None or after.payment.state.ended:
        return {"look_at": None}
    if _is_followed(after) and not _is_followed(before):
        return {"look_at": func.coalesce(jobs.c.look_at, now)}
    return {}


@lru_cache
def _oldest(states: tuple[JobState, ...]) -> Select[Any]:
    """A query for each state, as no index is in the order of several states together.

    Asked for by every pass, so made once.
    """
    each = union_all(*(select(_oldest_in(state)) for state in states)).subquery()
    return select(each).order_by(each.c.entered_at, each.c.id)


def _oldest_in(state: JobState) -> Subquery:
    oldest = select(jobs).where(jobs.c.state == state.value)
    return oldest.order_by(jobs.c.entered_at, jobs.c.id).limit(bindparam("most")).subquery()


def _texts(states: Collection[JobState]) -> list[str]:
    return sorted(state.value for state in states)
