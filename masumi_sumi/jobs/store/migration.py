"""Brings a database to the schema of this version."""

from __future__ import annotations

import asyncio
import threading

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from masumi_sumi.db import Database, database_url
from masumi_sumi.jobs.store.schema import metadata

_ALEMBIC = threading.Lock()
"""Alembic keeps the migration at work in module globals."""

_ADVISORY_KEY = 0x53554D49


async def migrate(url: str, revision: str = "head") -> None:
    """Upgrade to the newest schema; nothing happens when it is there.

    Any number of processes may do it at once: the first does the work, the others wait for it.
    """
    await asyncio.to_thread(_migrate_in_thread, url, revision)


def _migrate_in_thread(url: str, revision: str) -> None:
    with _ALEMBIC:
        asyncio.run(_migrate(url, revision))


async def _migrate(url: str, revision: str) -> None:
    database = await Database.writing(database_url(url))
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(_run, revision)
    finally:
        await database.aclose()


def _run(connection: Connection, revision: str) -> None:
    _wait_for_turn(connection)
    config = Config()
    config.set_main_option("script_location", "masumi_sumi.jobs:migrations")
    config.attributes.update(connection=connection, metadata=metadata)
    if revision == "base":
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)


def _wait_for_turn(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.execute(text("BEGIN IMMEDIATE"))
    else:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_KEY})"))
