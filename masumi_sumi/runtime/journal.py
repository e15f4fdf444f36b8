"""The execution of a job as Kodosumi keeps it: one SQLite file of events per job.

Kodosumi's spooler writes what a runner says. This writes what happens before there is a runner
and after it left: that the job is there, its payment, its end. A journal that cannot be written
is logged; it never holds up a job.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from masumi_sumi.clock import Clock
from masumi_sumi.errors import UserInvalid
from masumi_sumi.jobs.model import Job, Launch, PaymentFacts
from masumi_sumi.runtime.operators import check_user

log = logging.getLogger(__name__)

_DATABASE = "sqlite3.db"
_ARCHIVED = f"{_DATABASE}.archive"
_TABLE = """
CREATE TABLE IF NOT EXISTS monitor (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    timestamp REAL NOT NULL,
    kind TEXT NOT NULL,
    message TEXT NOT NULL
)
"""
_INSERT = "INSERT INTO monitor (timestamp, kind, message) VALUES (?, ?, ?)"

Event = tuple[float, str, str]


class ExecutionJournal:
    """Executions below ``exec_dir``/{user}/{job}, in Kodosumi's own layout."""

    def __init__(self, exec_dir: Path, clock: Clock) -> None:
        self._exec_dir, self._clock = exec_dir, clock

    async def opened(self, job: Job, launch: Launch) -> None:
        """meta, inputs and the status ``starting``; once."""
        at = job.created_at
        meta = json.dumps({"dict": launch.meta})
        inputs = launch.inputs or json.dumps({"dict": {}})
        events = [(at, "status", "starting"), (at, "inputs", inputs), (at, "meta", meta)]
        await self._write(job, events, unless=("meta",))

    async def payment(self, job: Job, step: str) -> None:
        message = json.dumps({"dict": {"step": step, **_payment_facts(job, step)}})
        await self._write(job, [(self._clock.now(), "payment", message)], unless_like=f'%"{step}"%')

    async def status(self, job: Job, status: str, error: str | None = None) -> None:
        at = self._clock.now()
        events = [(at, "error", f"kodosumi.error: {error}")] if error else []
        await self._write(job, [*events, (at, "status", status)])

    async def final(self, job: Job) -> str | None:
        """The final event of a run that said ``finished``; None when it did not get there."""
        try:
            file = self._file(job.user, job.id)
        except UserInvalid as error:
            log.error("execution cannot be read", extra={"job_id": job.id, "note": str(error)})
            return None
        return await asyncio.to_thread(self._read_final, file)

    async def take_over(self, job_id: str, runner: Any) -> None:
        """Write down the events that no spooler took from a runner."""
        user = await runner.get_username.remote()
        while batch := await runner.get_nowait_batch.remote(200):
            events = [(item["timestamp"], item["kind"], item["payload"]) for item in batch]
            await self._insert_guarded(user, job_id, events, (), "")

    def _file(self, user: str, job_id: str) -> Path:
        """Raises UserInvalid: the author's code may have given its runner another name."""
        return self._exec_dir / check_user(user) / job_id / _DATABASE

    async def _write(
        self, job: Job, events: list[Event], unless: Iterable[str] = (), unless_like: str = ""
    ) -> None:
        await self._insert_guarded(job.user, job.id, events, tuple(unless), unless_like)

    async def _insert_guarded(
        self, user: str, job_id: str, events: list[Event], unless: tuple[str, ...], like: str
    ) -> None:
        try:
            file = self._file(user, job_id)
            await asyncio.to_thread(self._insert, file, events, unless, like)
        except (OSError, sqlite3.Error, UserInvalid) as error:
            facts = {"job_id": job_id, "note": str(error)}
            log.error("execution cannot be written", extra=facts)

    @staticmethod
    def _insert(file: Path, events: list[Event], unless: tuple[str, ...], like: str) -> None:
        if file.with_name(_ARCHIVED).exists():
            return  # the panel's user deleted it, and a new file would bring half of it back
        file.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(file, timeout=5.0)
        try:
            connection.execute("pragma journal_mode=wal")
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(_TABLE)
                if not _is_there(connection, unless, like):
                    connection.executemany(_INSERT, events)
        finally:
            connection.close()

    @staticmethod
    def _read_final(file: Path) -> str | None:
        if not file.exists():
            return None
        try:
            connection = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=5.0)
            try:
                row = connection.execute(
                    "SELECT message FROM monitor WHERE kind = 'final' AND EXISTS "
                    "(SELECT 1 FROM monitor WHERE kind = 'status' AND message = 'finished') "
                    "ORDER BY id DESC LIMIT 1"
                ).fetchone()
            finally:
                connection.close()
        except sqlite3.Error as error:
            log.error("execution cannot be read", extra={"file": str(file), "note": str(error)})
            return None
        return str(row[0]) if row else None


def _is_there(connection: sqlite3.Connection, kinds: tuple[str, ...], like: str) -> bool:
    if kinds:
        marks = ",".join("?" * len(kinds))
        query = f"SELECT 1 FROM monitor WHERE kind IN ({marks}) LIMIT 1"
        return connection.execute(query, kinds).fetchone() is not None
    if like:
        query = "SELECT 1 FROM monitor WHERE kind = 'payment' AND message LIKE ? LIMIT 1"
        return connection.execute(query, (like,)).fetchone() is not None
    return False


def _payment_facts(job: Job, step: str) -> dict[str, Any]:
    payment = job.payment
    if payment is None or payment.facts is None:
        return {}
    facts = payment.facts
    if step == "final_result":
        return {"resultHash": payment.sent_hash}
    if step == "funds_locked":
        return {"blockchainIdentifier": facts.blockchain_identifier}
    return {
        "agentIdentifier": facts.agent_identifier,
        "network": payment.network,
        "inputHash": facts.input_hash,
        "blockchainIdentifier": facts.blockchain_identifier,
        "sellerVKey": facts.seller_vkey,
        "payByTime": str(facts.times.pay_by),
        "submitResultTime": str(facts.times.submit_result),
        "unlockTime": str(facts.times.unlock),
        "externalDisputeUnlockTime": str(facts.times.external_dispute_unlock),
        "paymentSourceType": facts.source_type,
        **_particulars(job, facts),
    }


def _particulars(job: Job, facts: PaymentFacts) -> dict[str, Any]:
    """What a buyer cannot know from the registry: a Dynamic price, and which source of several."""
    amounts = [{"amount": part.amount, "unit": part.unit} for part in facts.price]
    priced = {"amounts": amounts} if job.terms.pricing == "Dynamic" else {}
    if facts.source_index is None:
        return priced
    return priced | {"supportedPaymentSourceIndex": facts.source_index}
