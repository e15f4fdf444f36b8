"""Every test runs on a fresh database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from ready_made import ready_made

from masumi_sumi.clock import ManualClock
from masumi_sumi.jobs.store import SqlJobStore
from masumi_sumi.jobs.store.migration import HISTORY


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'data' / 'test.db'}"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def store(url: str, clock: ManualClock) -> AsyncIterator[SqlJobStore]:
    async with SqlJobStore(await ready_made(url, HISTORY), clock) as store:
        yield store
