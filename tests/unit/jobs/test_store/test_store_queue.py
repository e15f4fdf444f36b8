"""The order of the queue, what counts as live, and rows of the schema before that order."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace

import pytest
from samples import LAUNCH, a_job, a_payment

from masumi_sumi.clock import ManualClock
from masumi_sumi.db import database_url, sqlite_file
from masumi_sumi.jobs.deadlines import result_due
from masumi_sumi.jobs.model import Job, JobState, PaymentState, Terms, Times
from masumi_sumi.jobs.ports import LiveCount
from masumi_sumi.jobs.store import SqlJobReader, SqlJobStore

Q, L, R = JobState.QUEUED, JobState.LAUNCHING, JobState.RUNNING


def funded(submit_seconds: int, app: str = "a", state: JobState = Q) -> Job:
    payment = a_payment(state=PaymentState.LOCKED)
    assert payment.facts is not None
    times = Times(1, submit_seconds * 1000, 2, 3)
    payment = replace(payment, facts=replace(payment.facts, times=times))
    return a_job(state=state, payment=payment, app_url=app)


def free(app: str = "a", state: JobState = Q) -> Job:
    return a_job(state=state, terms=Terms(), app_url=app)


async def add(store: SqlJobStore, clock: ManualClock, *jobs: Job) -> None:
    for job in jobs:
        assert await store.add(job, LAUNCH)
        clock.advance(1)


async def test_funded_jobs_come_by_deadline_and_free_ones_by_age(
    store: SqlJobStore, clock: ManualClock
) -> None:
    late, soon, young, old = funded(9_000), funded(5_000), free(), free("b")
    await add(store, clock, late, old, soon, young, funded(1, state=R), free(state=L))

    assert [job.id for job in await store.queued(9, is_free=False)] == [soon.id, late.id]
    assert [job.id for job in await store.queued(9, is_free=True)] == [old.id, young.id]
    assert [job.id for job in await store.queued(1, is_free=False)] == [soon.id]
    assert [job.id for job in await store.queued(9, is_free=True, not_of={"b"})] == [young.id]
    assert await store.count_queued_free() == 2


async def test_live_jobs_are_counted_by_app_state_and_funding(
    store: SqlJobStore, clock: ManualClock
) -> None:
    jobs = (funded(1, state=R), funded(2, state=R), free(state=R), free("b", L), free(), funded(3))
    await add(store, clock, *jobs)

    assert set(await store.count_live()) == {
        LiveCount("a", R, False, 2),
        LiveCount("a", R, True, 1),
        LiveCount("b", L, True, 1),
    }


async def test_launches_are_late_by_the_time_they_began(
    store: SqlJobStore, clock: ManualClock
) -> None:
    began = clock.now()
    first, second = free(state=L), free(state=L)
    await add(store, clock, first, second, free(state=R))

    assert [job.id for job in await store.launching_since(began, 9)] == [first.id]
    assert len(await store.launching_since(began + 1, 9)) == 2


async def test_a_reader_knows_its_store_by_the_id(url: str, clock: ManualClock) -> None:
    reader = await SqlJobReader.open(url)
    assert await reader.store_id() == ""
    async with await SqlJobStore.open(url, clock) as store:
        assert len(await store.store_id()) == 32
        assert await reader.store_id() == await store.store_id()
    async with await SqlJobStore.open(url, clock) as again:
        assert await again.store_id() == await reader.store_id()
    await reader.aclose()


@pytest.mark.parametrize("state", list(JobState))
async def test_rows_of_the_schema_before_keep_their_place(
    sqlite_url: str, clock: ManualClock, state: JobState
) -> None:
    """A file whose rows an earlier version wrote: without the columns of the queue's order."""
    url = sqlite_url
    paid, gratis = funded(7_000, state=state), free("b", state)
    async with await SqlJobStore.open(url, clock) as store:
        await add(store, clock, paid, gratis)
    _back_to_0002(url)

    async with await SqlJobStore.open(url, clock) as store:
        assert await store.job(paid.id) == paid
        assert await store.job(gratis.id) == gratis
        assert await store.store_id() != ""
    rows = _columns(url)
    open_ones = {paid.id: ("a", result_due(paid)), gratis.id: ("b", None)}
    ended = {paid.id: ("", None), gratis.id: ("", None)}
    assert rows == (ended if state.ended else open_ones)


def _back_to_0002(url: str) -> None:
    file = sqlite_file(database_url(url))
    with sqlite3.connect(str(file)) as database:
        database.executescript(
            """
            DROP TABLE store; DROP INDEX ix_jobs_state_due;
            ALTER TABLE jobs DROP COLUMN due_at; ALTER TABLE jobs DROP COLUMN app_url;
            UPDATE alembic_version SET version_num = '0002';
            """
        )


def _columns(url: str) -> dict[str, tuple[str, float | None]]:
    file = sqlite_file(database_url(url))
    with sqlite3.connect(str(file)) as database:
        rows = database.execute("SELECT id, app_url, due_at, body FROM jobs").fetchall()
    assert all(json.loads(body) for *_, body in rows)
    return {job_id: (app, due) for job_id, app, due, _ in rows}
