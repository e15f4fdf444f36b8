"""Databases by URL: SQLite through aiosqlite, PostgreSQL through asyncpg.

SQLite runs in WAL mode, so that readers in other processes neither wait for the writer nor hold
it up. ``synchronous=FULL`` makes every commit wait for the disk: with NORMAL a power cut could
take back writes that were already acted upon, such as the hash a payment was given.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from sqlalchemy import URL, Connection, Executable, Row, Select, event, make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from masumi_sumi.errors import SettingInvalid

BUSY_SECONDS = 60.0
"""How long SQLite waits for another process's write before it says that the database is locked."""

CONNECTIONS = 5
"""At most, for reading, and as many for writing; SQLite takes writes one after the other on one."""

_POOL = {"pool_size": CONNECTIONS, "max_overflow": 0, "pool_timeout": BUSY_SECONDS}

log = logging.getLogger(__name__)

_ADVISORY_KEY = 0x53554D49
"""Of the lock under which PostgreSQL is migrated; any number that nobody else takes."""

_RECLAIMABLE = "auto_vacuum=INCREMENTAL"
_WAL_LIMIT = f"journal_size_limit={4 * 2**20}"
_RECLAIM = "PRAGMA incremental_vacuum(2000); PRAGMA wal_checkpoint(PASSIVE)"

_SETTING = "SUMI_DATABASE_URL"
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}


def database_url(text: str) -> URL:
    """The URL with the async driver that is used, the path of a SQLite file made absolute.

    Raises SettingInvalid for what is no URL, for other databases and for SQLite in memory.
    """
    try:
        url = make_url(text.replace("postgres://", "postgresql://", 1))
    except ArgumentError as error:
        raise SettingInvalid(_SETTING, "(unreadable)", "expected a database URL") from error
    driver = _DRIVERS.get(url.get_backend_name())
    if driver is None:
        raise SettingInvalid(_SETTING, str(url), "expected sqlite:///PATH or postgresql://...")
    if driver != _DRIVERS["sqlite"]:
        return url.set(drivername=driver)
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise SettingInvalid(_SETTING, str(url), "expected a file, as in sqlite:///data/sumi.db")
    return url.set(drivername=driver, database=str(Path(url.database).absolute()))


def sqlite_file(url: URL) -> Path | None:
    """The file of a URL made by ``database_url``; None when the database is none."""
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


class Database:
    """Reads run side by side, each by itself; writes to SQLite one after the other."""

    def __init__(self, reads: AsyncEngine, writes: AsyncEngine | None = None) -> None:
        self._reads = reads
        self._writes = writes or reads
        self._writing: set[asyncio.Task[int]] = set()

    @classmethod
    async def writing(cls, url: URL) -> Self:
        """For the one process that writes; makes the file and its folders.

        Raises SettingInvalid when they cannot be made.
        """
        file = sqlite_file(url)
        if file is None:
            return cls(_reads(url), _engine(url, pool_pre_ping=True))
        await asyncio.to_thread(_make_private, file, str(url))
        options = {"timeout": BUSY_SECONDS, "isolation_level": "IMMEDIATE"}
        writes = _engine(url, pool_size=1, connect_args=options)
        pragmas = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", _WAL_LIMIT)
        _on_connect(writes, _RECLAIMABLE, *pragmas)  # the first one before there is any table
        return cls(_reads(url), writes)

    @classmethod
    def reading(cls, url: URL) -> Self:
        """Read-only, for any number of processes; makes nothing."""
        return cls(_reads(url))

    @property
    def is_sqlite(self) -> bool:
        return self._reads.dialect.name == "sqlite"

    async def read(self, query: Select[Any]) -> list[Row[Any]]:
        async with self._reads.connect() as connection:
            return list((await connection.execute(query)).all())

    async def write(self, *statements: Executable) -> int:
        """One transaction; how many rows the first statement changed.

        A write that was begun is carried to its end even when the caller is cancelled.
        """
        task = asyncio.create_task(self._commit(statements))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return await asyncio.shield(task)

    async def look[Seen](self, at: Callable[[Connection], Seen]) -> Seen:
        """What a function that only reads finds, as the inspection of tables."""
        async with self._reads.connect() as connection:
            return await connection.run_sync(at)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Any statements, all or none; no other process writes meanwhile."""
        async with self._writes.begin() as connection:
            if self.is_sqlite:
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_KEY})")
            yield connection

    async def make_reclaimable(self) -> None:
        """Rewrite an SQLite file of an earlier version, once, so that it can shrink.

        Where there is no room for that, the file stays as it is, and is used all the same.
        """
        if not self.is_sqlite:
            return
        async with self._writes.connect() as connection:
            raw = await connection.execution_options(isolation_level="AUTOCOMMIT")
            if (await raw.exec_driver_sql("PRAGMA auto_vacuum")).scalar() == 2:
                return
            await raw.exec_driver_sql(f"PRAGMA {_RECLAIMABLE}")
            try:
                await raw.exec_driver_sql("VACUUM")
            except OperationalError as error:
                log.warning("the database cannot shrink", extra={"note": str(error.orig)})

    async def reclaim(self) -> bool:
        """Give back a part of the disk space of deleted rows, so that no writer waits long.

        Return whether more is left. PostgreSQL does it by itself.
        """
        if not self.is_sqlite:
            return False
        async with self._writes.connect() as connection:
            raw = await connection.get_raw_connection()
            assert raw.driver_connection is not None
            await raw.driver_connection.executescript(_RECLAIM)  # a plain execute frees one page
            left = await connection.exec_driver_sql("PRAGMA freelist_count")
            return bool(left.scalar())

    async def aclose(self) -> None:
        await asyncio.gather(*self._writing, return_exceptions=True)
        await self._reads.dispose()
        await self._writes.dispose()

    async def _commit(self, statements: tuple[Executable, ...]) -> int:
        async with self._writes.begin() as connection:
            changed = [(await connection.execute(statement)).rowcount for statement in statements]
        return changed[0]


def _reads(url: URL) -> AsyncEngine:
    """Without transactions: a read is one statement, and every step to the database costs time."""
    options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}
    file = sqlite_file(url)
    if file is None:
        read_only = {"server_settings": {"default_transaction_read_only": "on"}}
        return _engine(url, pool_pre_ping=True, connect_args=read_only, **options)
    query = {"mode": "ro", "uri": "true"}
    read_only_file = url.set(database=f"file:{quote(str(file))}", query=query)
    return _engine(read_only_file, connect_args={"timeout": BUSY_SECONDS}, **options)


def _engine(url: URL, **options: Any) -> AsyncEngine:
    try:
        return create_async_engine(url, **_POOL | options)
    except ModuleNotFoundError as error:
        rule = f"its driver is not installed: pip install {error.name}"
        raise SettingInvalid(_SETTING, str(url), rule) from error


def _on_connect(engine: AsyncEngine, *pragmas: str) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def set_pragmas(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


def _make_private(file: Path, url: str) -> None:
    """The rows hold what buyers sent and the environments of apps: for the owner's eyes only."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
    except OSError as error:
        raise SettingInvalid(_SETTING, url, f"the file cannot be made: {error}") from error
