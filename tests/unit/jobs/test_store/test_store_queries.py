"""What the passes of the supervisor ask for, in which order, and through which index."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from samples import LAUNCH, a_delivering_job, a_job, a_payment
from sqlalchemy import Engine, event, update

from masumi_sumi.clock import ManualClock
from masumi_sumi.db import database_url, sqlite_file
from masumi_sumi.errors import UnknownJob
from masumi_sumi.jobs.model import Job, JobState, Lock, LockOutcome, Payment, PaymentState
from masumi_sumi.jobs.ports import Cursor
from masumi_sumi.jobs.store import SqlJobReader, SqlJobStore, schema

FORM = [{"type": "text", "name": "ü"}]


async def test_jobs_in_a_state_come_in_the_order_they_entered_it(
    store: SqlJobStore, clock: ManualClock
) -> None:
    first, second, third = [await _added(store, a_job(), clock) for _ in range(3)]
    for job in (third, first, second):
        clock.advance(1)
        await store.save(job, job.with_(state=JobState.QUEUED))
    clock.advance(1)
    queued = await _of(store, third)
    await store.save(queued, queued.with_(attempts=1))  # a save within a state changes no order

    order = [job.id for job in await store.in_state([JobState.QUEUED], 10)]

    assert order == [third.id, first.id, second.id]


async def test_states_are_merged_passed_over_and_cut(
    store: SqlJobStore, clock: ManualClock
) -> None:
    states = [JobState.QUEUED, JobState.RUNNING, JobState.QUEUED, JobState.COMPLETED] * 2
    jobs = [await _added(store, a_job(state=state), clock) for state in states]
    wanted = [jobs[i].id for i in (0, 1, 2, 4, 5, 6)]
    live = (JobState.RUNNING, JobState.QUEUED)

    assert [job.id for job in await store.in_state(live, 10)] == wanted
    assert [job.id for job in await store.in_state(live, 2, not_in=wanted[:3])] == wanted[3:5]
    assert await store.in_state((), 10) == []
    assert await store.count(live) == 6
    assert await store.count(()) == 0


async def test_jobs_are_found_by_thousands_of_identifiers(store: SqlJobStore) -> None:
    job = a_job(payment=a_payment("ab" * 700))
    await store.add(job, LAUNCH)
    await store.add(a_job(), LAUNCH)

    asked = [f"{n:01400x}" for n in range(3000)] + ["ab" * 700, "ab" * 700, ""]

    assert await store.by_blockchain_identifier(asked) == [job]
    assert await store.by_blockchain_identifier([]) == []


async def test_open_payments_are_told_by_network_and_source(store: SqlJobStore) -> None:
    await store.add(a_job(), LAUNCH)
    await store.add(a_job(payment=a_payment(network="Mainnet", source="Web3CardanoV2")), LAUNCH)
    await store.add(a_job(payment=Payment("Preprod")), LAUNCH)
    await store.add(
        a_job(payment=a_payment(network="Mainnet", state=PaymentState.REFUNDED)), LAUNCH
    )

    sources = await store.open_payments()

    assert sources == {("Mainnet", "Web3CardanoV2"), ("Preprod", "Web3CardanoV1")}


async def test_looks_come_due_in_their_order(store: SqlJobStore, clock: ManualClock) -> None:
    jobs = [await _added(store, a_job(payment=a_payment()), clock) for _ in range(4)]
    now = clock.now()
    for job, at in zip(jobs, (now - 1, now - 5, now + 5, None), strict=True):
        await store.schedule_look(job.id, at)

    assert await store.payments_to_look_at("Preprod", now, 10) == [jobs[1], jobs[0]]
    assert await store.payments_to_look_at("Preprod", now, 1) == [jobs[1]]
    assert await store.save(jobs[1], jobs[1].with_(attempts=1))  # a look counts no version
    assert len(await store.payments_to_look_at("Preprod", now, 10)) == 2


async def test_a_payment_is_due_from_the_write_that_names_it(
    store: SqlJobStore, clock: ManualClock
) -> None:
    job = await _added(store, a_job(payment=Payment("Preprod")), clock)
    assert await store.payments_to_look_at("Preprod", clock.now(), 10) == []

    await store.save(job, job.with_(payment=a_payment()))

    assert [due.id for due in await store.payments_to_look_at("Preprod", clock.now(), 10)] == [
        job.id
    ]


async def test_a_payment_that_ended_is_never_due_again(
    store: SqlJobStore, clock: ManualClock
) -> None:
    payment = a_payment()
    job = await _added(store, a_job(payment=payment), clock)

    await store.save(job, job.with_(payment=replace(payment, state=PaymentState.WITHDRAWN)))
    await store.schedule_look(job.id, clock.now() - 1)

    assert await store.payments_to_look_at("Preprod", clock.now(), 10) == []


async def test_results_are_sent_when_their_next_try_has_come(store: SqlJobStore) -> None:
    late, early, future = (a_delivering_job(next_try=at) for at in (20.0, 10.0, 99.0))
    ended = a_delivering_job().with_(state=JobState.COMPLETED)
    for job in (late, early, future, ended):
        await store.add(job, LAUNCH)

    assert await store.results_to_send("Preprod", 20.0, 10) == [early, late]
    assert await store.results_to_send("Preprod", 20.0, 1) == [early]


async def test_rows_that_cannot_be_read_hide_no_other_and_are_told_of_once(
    store: SqlJobStore, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def found() -> list[list[str]]:
        due = [
            await store.in_state([JobState.DELIVERING], 1),
            await store.payments_to_look_at("Preprod", clock.now(), 1),
            await store.results_to_send("Preprod", clock.now(), 1),
        ]
        return [[job.id for job in jobs] for jobs in due]

    spoilt = [await _added(store, a_delivering_job(), clock) for _ in range(3)]
    sound = await _added(store, a_delivering_job(), clock)
    for job in spoilt:
        row = schema.jobs.c.id == job.id
        await store._database.write(
            update(schema.jobs).where(row).values(body={"of": "a newer one"})
        )

    for _ in spoilt:
        await found()

    assert await found() == [[sound.id]] * 3
    assert len([each for each in caplog.records if "cannot be read" in each.message]) == 3


async def test_a_lock_is_opened_described_and_closed_once(
    store: SqlJobStore, clock: ManualClock
) -> None:
    job = a_job()
    await store.add(job, LAUNCH)
    second = Lock("l2", job.id, "approve \x00", expires_at=90.0, opened_at=20.5)
    first = Lock("l1", job.id, "approve", expires_at=80.0, opened_at=10.5)

    assert [await store.open_lock(lock) for lock in (second, first, second)] == [True, True, False]
    assert await store.locks(job.id) == [first, second]
    assert await store.describe_lock("l1", FORM)
    assert not await store.describe_lock("l1", [])
    assert await store.close_lock("l1", LockOutcome.ANSWERED, "f" * 64)
    assert not await store.close_lock("l1", LockOutcome.EXPIRED, "")
    assert await store.lock("l1") == replace(
        first,
        outcome=LockOutcome.ANSWERED,
        form=FORM,
        input_hash="f" * 64,
        closed_at=clock.now(),
    )


async def test_unknown_locks_are_told_apart(store: SqlJobStore) -> None:
    assert await store.lock("l0") is None
    assert not await store.close_lock("l0", LockOutcome.EXPIRED, "")
    assert not await store.describe_lock("l0", FORM)
    with pytest.raises(UnknownJob):
        await store.open_lock(Lock("l0", "nobody", "approve", 2.0, 1.0))


async def test_cursors_are_kept_by_network_and_source(store: SqlJobStore) -> None:
    for changed_at in ("2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"):
        await store.keep_cursor("Preprod", "Web3CardanoV1", Cursor(changed_at, "row"))

    kept = await store.cursor("Preprod", "Web3CardanoV1")

    assert kept == Cursor("2026-01-02T00:00:00.000Z", "row")
    assert await store.cursor("Preprod", "Web3CardanoV2") is None


async def test_a_reader_is_empty_until_there_is_something(url: str, clock: ManualClock) -> None:
    job = a_job()
    async with await SqlJobReader.open(url) as reader:
        assert await reader.job(job.id) is None
        assert await reader.locks(job.id) == []
        async with await SqlJobStore.open(url, clock) as store:
            await store.add(job, LAUNCH)
            assert await reader.job(job.id) == job


@pytest.fixture
def asked() -> Iterator[list[tuple[str, Any]]]:
    statements: list[tuple[str, Any]] = []

    def note(_c: Any, _u: Any, statement: str, parameters: Any, _x: Any, _m: bool) -> None:
        statements.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    yield statements
    event.remove(Engine, "before_cursor_execute", note)


async def test_no_statement_scans_or_sorts_a_table(
    sqlite_url: str, clock: ManualClock, asked: list[tuple[str, Any]]
) -> None:
    async with await SqlJobStore.open(sqlite_url, clock) as store:
        asked.clear()
        job = a_delivering_job()
        await store.add(job, LAUNCH)
        await store.launch(job.id)
        await store.launch_meta(job.id)
        await store.save(job, job.with_(state=JobState.COMPLETED))
        await store.job(job.id)
        await store.opening()
        await store.purgeable(1.0, 1.0, 10)
        await store.in_state([JobState.QUEUED, JobState.RUNNING], 10)
        await store.count([JobState.LAUNCHING, JobState.RUNNING])
        await store.add(a_job(state=JobState.QUEUED, app_url="http://app"), LAUNCH)
        await store.queue(10)
        await store.count_free_queued("http://app")
        await store.overdue_unpaid(1.0, 10)
        await store.by_blockchain_identifier(["a", "b"])
        await store.open_payments()
        await store.payments_to_look_at("Preprod", 1.0, 10)
        await store.results_to_send("Preprod", 1.0, 10)
        await store.schedule_look(job.id, 1.0)
        await store.open_lock(Lock("l1", job.id, "approve", 2.0, 1.0))
        await store.locks(job.id)
        await store.describe_lock("l1", FORM)
        await store.close_lock("l1", LockOutcome.EXPIRED, "")
        await store.keep_cursor("Preprod", "Web3CardanoV1", Cursor("", ""))
        await store.cursor("Preprod", "Web3CardanoV1")
        await store.purge(job.id)

    plans = {statement: _plan(sqlite_url, statement, given) for statement, given in asked}

    assert len(plans) == 30  # a save and a purge delete launches by the same statement
    assert not [p for p in plans.values() if re.search(r"SCAN (jobs|launches|locks|cursors)", p)]
    sorting = [(s, p) for s, p in plans.items() if "USE TEMP B-TREE" in p]
    assert len(sorting) == 2
    for statement, _ in sorting:  # only what an index and a limit have made few before
        assert "DISTINCT" in statement or "LIMIT" in statement.partition("UNION")[0]


def _plan(url: str, statement: str, given: Any) -> str:
    file = sqlite_file(database_url(url))
    assert file is not None
    raw = sqlite3.connect(file)
    steps = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", given)]
    raw.close()
    return "\n".join(steps)


async def _added(store: SqlJobStore, job: Job, clock: ManualClock) -> Job:
    clock.advance(1)
    assert await store.add(job, LAUNCH)
    return job


async def _of(store: SqlJobStore, job: Job) -> Job:
    kept = await store.job(job.id)
    assert kept is not None
    return kept
