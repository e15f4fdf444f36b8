from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from counter import Counter, opened
from ready_made import ready_made

from masumi_sumi.clock import ManualClock
from masumi_sumi.exposes import ExposeBook
from masumi_sumi.exposes.schema import HISTORY
from masumi_sumi.settings import Settings


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[Counter]:
    clock = ManualClock()
    settings = Settings(data_dir=tmp_path, nodes={})
    database = await ready_made(f"sqlite:///{tmp_path / 'exposes.db'}", HISTORY)
    async with ExposeBook(database, clock) as book, opened(book, clock, settings) as counter:
        yield counter
