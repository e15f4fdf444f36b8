"""Brings a database to the newest schema of a store; each store has a history of its own."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData

from masumi_sumi.db import Database, database_url

_ALEMBIC = threading.Lock()
"""Alembic keeps the migration at work in module globals."""


@dataclass(frozen=True)
class History:
    """``scripts`` is a package's folder of migrations, ``package:folder``; ``version_table`` says
    in the database how far it is, so that several stores may share one."""

    scripts: str
    metadata: MetaData
    version_table: str

    async def bring(self, url: str, revision: str = "head") -> None:
        """Upgrade to the newest schema; nothing happens when it is there.

        Any number of processes may do it at once: the first does the work, the others wait for it.
        """
        await asyncio.to_thread(self._bring_in_thread, url, revision)

    def _bring_in_thread(self, url: str, revision: str) -> None:
        with _ALEMBIC:
            asyncio.run(self._bring(url, revision))

    async def _bring(self, url: str, revision: str) -> None:
        database = await Database.writing(database_url(url))
        try:
            async with database.transaction() as connection:
                await connection.run_sync(self._run, revision)
        finally:
            await database.aclose()

    def _run(self, connection: Connection, revision: str) -> None:
        config = Config()
        config.set_main_option("script_location", self.scripts)
        scripts = ScriptDirectory.from_config(config)

        def steps(at: object, context: MigrationContext) -> list[RevisionStep]:
            if revision == "base":
                return scripts._downgrade_revs(revision, at)  # type: ignore[arg-type]
            return scripts._upgrade_revs(revision, at)  # type: ignore[arg-type]

        with EnvironmentContext(config, scripts, fn=steps) as environment:
            environment.configure(
                connection=connection,
                target_metadata=self.metadata,
                version_table=self.version_table,
                transactional_ddl=True,
            )
            environment.run_migrations()
