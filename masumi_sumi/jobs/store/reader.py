"""Reading: by key, from any process."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

from sqlalchemy import URL, Row, Select, inspect, select

from masumi_sumi.db import Database, database_url, sqlite_file
from masumi_sumi.jobs.model import Job, Lock
from masumi_sumi.jobs.store.rows import job_of, lock_of
from masumi_sumi.jobs.store.schema import jobs, launches, locks, opening


class Lookup:
    """What readers and the writer have in common; close it with ``aclose`` or ``async with``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._database.aclose()

    async def job(self, job_id: str) -> Job | None:
        rows = await self._rows(select(jobs).where(jobs.c.id == job_id))
        return job_of(rows[0]) if rows else None

    async def locks(self, job_id: str) -> list[Lock]:
        of_job = select(locks).where(locks.c.job_id == job_id)
        rows = await self._rows(of_job.order_by(locks.c.opened_at, locks.c.id))
        return [lock_of(row) for row in rows]

    async def lock(self, lock_id: str) -> Lock | None:
        rows = await self._rows(select(locks).where(locks.c.id == lock_id))
        return lock_of(rows[0]) if rows else None

    async def launch_meta(self, job_id: str) -> dict[str, Any]:
        rows = await self._rows(select(launches.c.meta).where(launches.c.job_id == job_id))
        return dict(rows[0].meta) if rows else {}

    async def opening(self) -> str:
        """The name of the latest opening by a supervisor; empty when there was none."""
        rows = await self._rows(select(opening.c.name))
        return str(rows[0].name) if rows else ""

    async def _rows(self, query: Select[Any]) -> list[Row[Any]]:
        return await self._database.read(query)


class SqlJobReader(Lookup):
    """A ``JobReader`` that cannot write. Before the writer has made the tables, or while it has not
    brought them to this version's schema, it is empty."""

    def __init__(self, url: URL) -> None:
        super().__init__(Database.reading(url))
        self._file = sqlite_file(url)
        self._found = False

    @classmethod
    async def open(cls, url: str) -> Self:
        """Raises SettingInvalid for a URL that cannot be; touches no file."""
        return cls(database_url(url))

    async def _rows(self, query: Select[Any]) -> list[Row[Any]]:
        self._found = self._found or await self._tables_are_there()
        return await super()._rows(query) if self._found else []

    async def _tables_are_there(self) -> bool:
        if self._file is not None and not await asyncio.to_thread(self._file.exists):
            return False
        return await self._database.look(lambda found: inspect(found).has_table(opening.name))
