"""Whose turn it is to change Ray Serve: one boot, refresh or shutdown at a time, in any process."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import insert, select, update

from masumi_sumi.clock import Clock
from masumi_sumi.db import Database
from masumi_sumi.errors import BootRunning
from masumi_sumi.exposes.schema import boots

BEAT_SECONDS = 5.0
DEAD_SECONDS = 30.0
"""Without a sign of life for so long, an owner counts as dead."""

_ROW = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it came out. ``error`` is empty unless the whole of it failed; ``failed`` names exposes
    that did not come up while the others did."""

    what: str
    at: float
    seconds: float
    running: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class BootStatus:
    """``what``, ``owner``, ``since`` and ``heartbeat`` are of the one that runs, or died (``dead``:
    no sign of life for long). ``last`` is how the last one that ended came out."""

    running: bool = False
    what: str = ""
    owner: str = ""
    since: float | None = None
    heartbeat: float | None = None
    dead: bool = False
    last: Outcome | None = None


def status_json(status: BootStatus) -> dict[str, Any]:
    return asdict(status)


class BootTurn:
    """A row that names the owner, who writes a sign of life into it every BEAT_SECONDS."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def take(self, owner: str, what: str, *, force: bool = False) -> None:
        """Raises BootRunning; ``force`` takes over from one that is dead, never from a live one."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            row = (await connection.execute(select(boots).where(boots.c.id == _ROW))).first()
            mine = {"owner": owner, "what": what, "since": now, "heartbeat": now}
            if row is None:
                await connection.execute(insert(boots).values(id=_ROW, **mine))
                return
            silent = now - row.heartbeat
            dead = silent > DEAD_SECONDS
            if row.owner and not (force and dead):
                raise BootRunning(row.what, row.owner, silent, dead)
            await connection.execute(update(boots).where(boots.c.id == _ROW).values(**mine))

    async def beat(self, owner: str) -> bool:
        """A sign of life; False when the turn is another's by now."""
        mine = update(boots).where(boots.c.id == _ROW, boots.c.owner == owner)
        return await self._database.write(mine.values(heartbeat=self._clock.now())) == 1

    async def end(self, owner: str, outcome: Outcome) -> None:
        """Of no effect when the turn is another's by now."""
        mine = update(boots).where(boots.c.id == _ROW, boots.c.owner == owner)
        await self._database.write(mine.values(owner="", outcome=json.dumps(asdict(outcome))))

    async def status(self) -> BootStatus:
        rows = await self._database.read(select(boots).where(boots.c.id == _ROW))
        if not rows:
            return BootStatus()
        row = rows[0]
        last = _outcome(row.outcome)
        if not row.owner:
            return BootStatus(last=last)
        dead = self._clock.now() - row.heartbeat > DEAD_SECONDS
        return BootStatus(not dead, row.what, row.owner, row.since, row.heartbeat, dead, last)


def _outcome(written: str | None) -> Outcome | None:
    if written is None:
        return None
    said = json.loads(written)
    return Outcome(**{**said, "running": tuple(said["running"]), "failed": tuple(said["failed"])})
