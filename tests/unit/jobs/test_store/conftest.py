"""Every test runs on a fresh SQLite file, and on a fresh PostgreSQL database where
SUMI_TEST_POSTGRES_URL names a server on which databases may be made."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import make_url

from masumi_sumi.clock import ManualClock
from masumi_sumi.jobs.store import SqlJobStore

POSTGRES = os.environ.get("SUMI_TEST_POSTGRES_URL", "")


@pytest.fixture(params=["sqlite", "postgresql"] if POSTGRES else ["sqlite"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'data' / 'sumi.db'}"
        return
    import asyncpg

    server = make_url(POSTGRES).set(drivername="postgresql")
    name = f"sumi_{uuid4().hex}"
    admin = await asyncpg.connect(server.render_as_string(hide_password=False))
    await admin.execute(f"CREATE DATABASE {name}")
    yield server.set(database=name).render_as_string(hide_password=False)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'data' / 'sumi.db'}"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def store(url: str, clock: ManualClock) -> AsyncIterator[SqlJobStore]:
    async with await SqlJobStore.open(url, clock) as store:
        yield store
