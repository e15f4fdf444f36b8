"""The migrations make exactly the tables that the code declares."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from samples import LAUNCH, a_job
from sqlalchemy import Connection, inspect, text

from masumi_sumi.clock import ManualClock
from masumi_sumi.db import Database, database_url
from masumi_sumi.errors import SettingInvalid
from masumi_sumi.jobs.model import JobState, Launch
from masumi_sumi.jobs.store import SqlJobReader, SqlJobStore, migrate
from masumi_sumi.jobs.store.schema import metadata
from masumi_sumi.settings import NODE_MARGIN


async def test_the_migrated_schema_is_the_declared_one(url: str) -> None:
    await migrate(url)

    assert await _seen(url, _differences) == []
    assert await _seen(url, _indexes) == {
        (table.name, index.name) for table in metadata.tables.values() for index in table.indexes
    }


async def test_down_to_nothing_and_up_again(url: str) -> None:
    await migrate(url)
    await migrate(url, "base")
    assert await _seen(url, _tables) == {"alembic_version"}

    await migrate(url)

    assert await _seen(url, _tables) == {"alembic_version", *metadata.tables}


PAID = {
    "network": "Preprod",
    "state": "locked",
    "facts": {
        "blockchain_identifier": "5e" * 40,
        "agent_identifier": "7e" * 60,
        "input_hash": "0" * 64,
        "seller_vkey": "c" * 56,
        "times": dict.fromkeys(
            ("pay_by", "submit_result", "unlock", "external_dispute_unlock"), 1_800_016_800_000
        ),
        "source_type": "Web3CardanoV1",
        "price": [],
    },
    "view": None,
}


async def test_jobs_of_the_schema_before_survive_in_every_state(
    url: str, clock: ManualClock
) -> None:
    await migrate(url, "0003")
    await _write(url, *(_old_rows(state) for state in JobState))

    async with await SqlJobStore.open(url, clock) as store:
        jobs = {state: await store.job(f"job-{state}") for state in JobState}
        launches = [await store.launch(f"job-{state}") for state in JobState if not state.ended]
        queued = await store.in_state([JobState.QUEUED], 10)

    assert {state: job and (job.state, job.flow) for state, job in jobs.items()} == {
        state: (state, "/two-stage/") for state in JobState
    }
    assert launches == [Launch(b"\x80spec", {"env_vars": {}}, {"fid": "1"})] * len(launches)
    assert await _seen(url, _queue_columns) == [("http://app", 1_800_016_800 - NODE_MARGIN)]
    assert [job.id for job in queued] == ["job-queued"]


def _old_rows(state: JobState) -> tuple[str, str]:
    body = {
        "flow": "/two-stage/",
        "identifier": "a1" * 9,
        "input_data": {"text": "hello"},
        "input_hash": "0" * 64,
        "terms": {"pricing": "Fixed", "network": "Preprod", "price": []},
        "user": "buyer",
        "created_at": 1.0,
        "updated_at": 1.0,
        "app_url": "http://app",
        "payment": PAID,
    }
    job = (
        "INSERT INTO jobs (id, state, version, entered_at, next_try, payment_state, network,"
        f" source_type, sent_hash, body) VALUES ('job-{state}', '{state}', 3, 1.0, 0.0, 'locked',"
        f" 'Preprod', 'Web3CardanoV1', '', '{json.dumps(body)}')"
    )
    launch = (
        "INSERT INTO launches (job_id, spec, runtime_env, meta, inputs) VALUES"
        f""" ('job-{state}', x'8073706563', '{{"env_vars":{{}}}}', '{{"fid":"1"}}', '""')"""
    )
    return job, launch


async def _write(url: str, *statements: tuple[str, str]) -> None:
    database = await Database.writing(database_url(url))
    try:
        for pair in statements:
            await database.write(*map(text, (each.replace(":", "\\:") for each in pair)))
    finally:
        await database.aclose()


def _queue_columns(connection: Connection) -> list[tuple[str, float]]:
    query = "SELECT DISTINCT app_url, due_at FROM jobs WHERE state NOT IN ('completed', 'failed')"
    return [(row[0], row[1]) for row in connection.execute(text(query))]


async def test_migrating_again_changes_nothing(url: str, clock: ManualClock) -> None:
    job = a_job()
    async with await SqlJobStore.open(url, clock) as store:
        await store.add(job, LAUNCH)
        await migrate(url)

        assert await store.job(job.id) == job


async def test_several_may_start_at_once(url: str, clock: ManualClock) -> None:
    stores = await asyncio.gather(*(SqlJobStore.open(url, clock) for _ in range(4)))
    job = a_job()

    landed = await asyncio.gather(*(store.add(job, LAUNCH) for store in stores))

    assert landed.count(True) == 1
    for store in stores:
        await store.aclose()


async def test_who_migrates_holds_off_the_others(url: str) -> None:
    first, second = [await Database.writing(database_url(url)) for _ in range(2)]

    async def take_turn() -> None:
        async with second.transaction():
            pass

    async with first.transaction():
        turn = asyncio.create_task(take_turn())
        assert await asyncio.wait({turn}, timeout=0.1) == (set(), {turn})
    await turn
    await first.aclose()
    await second.aclose()


async def test_logging_is_left_as_it_is(sqlite_url: str) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))

    await migrate(sqlite_url)

    assert (root.level, list(root.handlers)) == before
    assert not logging.getLogger("masumi_sumi").disabled


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://localhost/sumi", "sqlite://", "sqlite:///:memory:"]
)
async def test_a_url_that_cannot_be_is_refused(url: str, clock: ManualClock) -> None:
    with pytest.raises(SettingInvalid, match="SUMI_DATABASE_URL"):
        await SqlJobStore.open(url, clock)
    with pytest.raises(SettingInvalid, match="SUMI_DATABASE_URL"):
        await SqlJobReader.open(url)


async def test_a_file_that_cannot_be_made_is_refused(clock: ManualClock) -> None:
    with pytest.raises(SettingInvalid, match="cannot be made"):
        await SqlJobStore.open("sqlite:////dev/null/sumi.db", clock)


async def test_a_password_is_not_told(clock: ManualClock) -> None:
    with pytest.raises(SettingInvalid) as refused:
        await SqlJobStore.open("mysql://me:secret@localhost/sumi", clock)
    assert "secret" not in str(refused.value)


async def _seen[Seen](url: str, look: Callable[[Connection], Seen]) -> Seen:
    database = Database.reading(database_url(url))
    try:
        return await database.look(look)
    finally:
        await database.aclose()


def _differences(connection: Connection) -> list[Any]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


def _tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def _indexes(connection: Connection) -> set[tuple[str, str | None]]:
    found = inspect(connection).get_multi_indexes()
    return {
        (table, index["name"])
        for (_, table), indexes in found.items()
        for index in indexes
        if not index["unique"]
    }
