"""Databases that are migrated once and then copied: migrating takes longer than most tests."""

from __future__ import annotations

from masumi_sumi.db import Database, database_url, sqlite_file
from masumi_sumi.migration import History

_made: dict[str, bytes] = {}


async def ready_made(url: str, history: History) -> Database:
    """A new database at ``url``, with the newest schema of a history and nothing in it."""
    file = sqlite_file(database_url(url))
    if file is None:
        await history.bring(url)
    elif history.scripts in _made:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_made[history.scripts])
    else:
        await history.bring(url)
        _made[history.scripts] = file.read_bytes()
    return await Database.writing(database_url(url))
