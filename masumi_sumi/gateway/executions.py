"""The events of an execution as a stream, also where no runner writes them yet, or any more.

What the panel's own stream does, but asleep between looks: an idle one costs next to nothing.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

LOOK_EVERY = 0.25
"""Seconds between looks for new events."""

PING_EVERY = 3.0
"""Seconds of silence after which the stream says that it is alive."""

RUNNER_EVERY = 15.0
"""Seconds between looks for the runner."""

LINGER = 10.0
"""Seconds after the last event of an execution that has ended: late ones still come."""

LONG = 4096
"""Characters of a message that is made into HTML beside the event loop: others are answered too."""

STATUS = "status"
ENDS = ("finished", "error")

Item = dict[str, Any]


Life = Literal["live", "over", "lost"]
"""Whether more events may come; ``lost``: its runner went without a last word."""


class Formatter(Protocol):
    def convert(self, kind: str, message: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """``kinds`` are the events to show, None for all; ``formatter`` words them."""

    kinds: Collection[str] | None = None
    formatter: Formatter | None = None


class Execution:
    """One execution's file of events, open for a stream."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._file = Path(connection.execute("PRAGMA database_list").fetchone()[2])
        self._seen, self._version = 0, -1
        self.status: str | None = None
        self.last: float | None = None

    @property
    def ended(self) -> bool:
        return self.status in ENDS

    @property
    def is_there(self) -> bool:
        """False once it was archived."""
        return self._file.exists()

    def news(self) -> list[tuple[int, float, str, str]]:
        """Events since the last call, as (id, time, kind, message), in the order of writing."""
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return []
        query = "SELECT id, timestamp, kind, message FROM monitor WHERE id > ? ORDER BY id"
        rows = self._connection.execute(query, (self._seen,)).fetchall()
        self._version = version
        for number, at, kind, message in rows:
            self._seen, self.last = number, at
            self.status = message if kind == STATUS else self.status
        return rows

    def mark_lost(self, at: float) -> None:
        """Let it end as Kodosumi ends one whose runner is gone."""
        insert = "INSERT INTO monitor (timestamp, kind, message) VALUES (?, ?, ?)"
        for event in ((at, "error", "actor not found"), (at, STATUS, "error")):
            self._connection.execute(insert, event)
        self._version = -1

    def close(self) -> None:
        self._connection.close()


async def follow(
    execution: Execution,
    wanted: Wanted,
    life: Callable[[], Awaitable[Life]],
    now: Callable[[], float],
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Item]:
    """The execution's events from its first to its last, then ``eof``; ``alive`` in between."""
    spoke, looked, over = now(), 0.0, False
    try:
        while True:
            for number, at, kind, message in execution.news():
                if wanted.kinds is None or kind in wanted.kinds:
                    item = (number, at, kind, message, wanted.formatter)
                    is_long = wanted.formatter and len(message) > LONG
                    yield await asyncio.to_thread(_item, *item) if is_long else _item(*item)
                spoke = now()
            if not execution.ended and now() - looked > RUNNER_EVERY:
                looked = now()
                over = _settle(execution, await life(), looked)
                if over:
                    continue  # its last events may have been written since the look above
            silent = now() - (execution.last or 0.0)
            if not execution.is_there or ((execution.ended or over) and silent > LINGER):
                break
            if now() - spoke > PING_EVERY:
                spoke = now()
                yield {"id": 0, "event": "alive", "data": f"{spoke}:service alive"}
            await pause(LOOK_EVERY)
        yield {"id": 0, "event": "eof", "data": "end of stream"}
    finally:
        execution.close()


def _settle(execution: Execution, life: Life, at: float) -> bool:
    """Whether the execution is over without having said so."""
    if life == "lost":
        execution.mark_lost(at)
    return life == "over"


def _item(number: int, at: float, kind: str, message: str, formatter: Formatter | None) -> Item:
    text = formatter.convert(kind, message) if formatter else message
    return {"event": kind, "id": number, "data": f"{at}:{text}"}
