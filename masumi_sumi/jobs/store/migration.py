"""Brings a database to the schema of this version."""

from __future__ import annotations

import asyncio
import threading

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from masumi_sumi.db import Database, database_url
from masumi_sumi.jobs.store.schema import metadata

_ALEMBIC = threading.Lock()
"""Alembic keeps the migration at work in module globals."""


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
        async with database.transaction() as connection:
            await connection.run_sync(_run, revision)
    finally:
        await database.aclose()


def _run(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "masumi_sumi.jobs:migrations")
    config.attributes.update(connection=connection, metadata=metadata)
    if revision == "base":
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)
