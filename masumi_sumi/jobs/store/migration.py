"""Brings a database of jobs to the schema of this version."""

from __future__ import annotations

from masumi_sumi.jobs.store.schema import metadata
from masumi_sumi.migration import History

HISTORY = History("masumi_sumi.jobs:migrations", metadata, "alembic_version")


async def migrate(url: str, revision: str = "head") -> None:
    """Upgrade to the newest schema; nothing happens when it is there."""
    await HISTORY.bring(url, revision)
