"""The optional SQLite file: everything that must survive a kill, written before the answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from masumi_sumi.sandbox.chain import Tip
from masumi_sumi.sandbox.model import Escrow, Fund, Row
from masumi_sumi.sandbox.registry import Agent


@dataclass(frozen=True)
class Time:
    offset: float
    born: int


_KINDS: Mapping[str, TypeAdapter[Any]] = {
    "row": TypeAdapter(Row),
    "escrow": TypeAdapter(Escrow),
    "agent": TypeAdapter(Agent),
    "tip": TypeAdapter(Tip),
    "time": TypeAdapter(Time),
    "credit": TypeAdapter(tuple[Fund, ...]),
}


class Store:
    """One table of JSON by kind and key. WAL with NORMAL outlives the process, not the power."""

    def __init__(self, path: Path | str) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS thing (kind TEXT, key TEXT, body BLOB, "
            "PRIMARY KEY (kind, key)) WITHOUT ROWID"
        )

    def load(self, kind: str) -> dict[str, Any]:
        found = self._connection.execute("SELECT key, body FROM thing WHERE kind = ?", (kind,))
        return {key: _KINDS[kind].validate_json(body) for key, body in found}

    def write(self, things: Iterable[tuple[str, str, object]]) -> None:
        """All of (kind, key, value) or none of it; on the disk's side of the kernel on return."""
        bodies = [(kind, key, _KINDS[kind].dump_json(value)) for kind, key, value in things]
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT OR REPLACE INTO thing VALUES (?, ?, ?)", bodies)

    def clear(self) -> None:
        self._connection.execute("DELETE FROM thing")

    def close(self) -> None:
        self._connection.close()
