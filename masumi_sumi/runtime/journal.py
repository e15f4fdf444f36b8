"""The execution of a job as Kodosumi keeps it: one SQLite file of events per job.

Kodosumi's spooler writes what a runner says. This writes what happens before there is a runner
and after it left: that the job is there, its payment, its end. An execution is written when its
job is funded, or at once when it is free: a job that nobody pays for leaves no file. A journal that
cannot be written is logged; it never holds up a job.
"""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
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
CREATE = """
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
        """Write what happened before the job may run, once."""
        await self._write(job, past_events(job, launch.meta, launch.inputs), unless=("meta",))

    async def payment(self, job: Job, step: str) -> None:
        message = json.dumps({"dict": {"step": step, **_payment_facts(job, step)}})
        await self._write(job, [(self._clock.now(), "payment", message)], unless_like=f'%"{step}"%')

    async def status(self, job: Job, status: str, error: str | None = None) -> None:
        await self._write(job, _status_events(self._clock.now(), status, error))

    async def final(self, job: Job) -> str | None:
        """The final event of a run that said ``finished``; None when it did not get there."""
        try:
            file = self._file(job.user, job.id)
        except UserInvalid as error:
            log.error("execution cannot be read", extra={"job_id": job.id, "note": str(error)})
            return None
        return await asyncio.to_thread(self._read_final, file)

    async def remove(self, job: Job) -> None:
        """Raises OSError, UserInvalid."""
        folder = self._file(job.user, job.id).parent
        if folder.name != job.id or job.id in ("", ".", ".."):
            raise OSError(f"{job.id!r} names no folder of an execution")
        await asyncio.to_thread(_remove, folder)

    async def take_over(self, job_id: str, runner: Any) -> None:
        """Write down the events that no spooler took from a runner."""
        user = await runner.get_username.remote()
        while batch := await runner.get_nowait_batch.remote(200):
            events = [(item["timestamp"], item["kind"], item["payload"]) for item in batch]
            await self._insert_guarded(user, job_id, events, (), "")

    def _file(self, user: str, job_id: str) -> Path:
        """Raises UserInvalid."""
        return execution_file(self._exec_dir, user, job_id)

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
                connection.execute(CREATE)
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


def execution_file(exec_dir: Path, user: str, job_id: str) -> Path:
    """Raises UserInvalid: the author's code may have given its runner another name."""
    return exec_dir / check_user(user) / job_id / _DATABASE


def end_events(job: Job) -> list[Event]:
    """The last events of a job that failed."""
    return _status_events(job.ended_at or job.updated_at, "error", job.failure)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _status_events(at: float, status: str, error: str | None) -> list[Event]:
    events = [(at, "error", f"kodosumi.error: {error}")] if error else []
    return [*events, (at, "status", status)]


def past_events(job: Job, meta: dict[str, Any], inputs: str = "") -> list[Event]:
    """The first events of every execution: those before the job's funds were locked.

    The input of a paid job is not among them: its runner writes it when the author's code begins.
    """
    at = job.created_at
    about = json.dumps({"dict": meta or {"fid": job.id, "username": job.user}})
    asked = [(at, "inputs", inputs)] if inputs else []
    events = [(at, "status", "starting"), *asked, (at, "meta", about)]
    if job.payment is None or job.payment.facts is None:
        return events
    payment = json.dumps({"dict": {"step": "initialized", **_payment_facts(job, "initialized")}})
    return [*events, (at, "payment", payment), (at, "status", "payment")]


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
