"""The execution of a job that waits for its payment: made from the store, and never on disk.

Kodosumi's panel reads an execution through a connection to its file. A job that nobody has paid for
has no file; its events are few and follow from its row, so they are given in memory instead.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from masumi_sumi.gateway.executions import Execution, Life
from masumi_sumi.gateway.outputs import REASON
from masumi_sumi.jobs.model import Job
from masumi_sumi.jobs.ports import JobReader
from masumi_sumi.runtime.journal import CREATE, Event, end_events, execution_file, past_events

_INSERT = "INSERT INTO monitor (timestamp, kind, message) VALUES (?, ?, ?)"


class WaitingConnection(sqlite3.Connection):
    """Holds the events of a job without an execution. ``file`` is where one will be written."""

    file: Path


class WaitingExecution(Execution):
    """Goes over to the execution's file as soon as it is written: it begins with the same events,
    so their numbers go on.
    """

    def __init__(self, connection: WaitingConnection) -> None:
        self._written = connection.file
        super().__init__(connection)
        self._is_written = self._has_ended = self._is_over = False

    @property
    def is_there(self) -> bool:
        """False once all events were given of a job that was never funded."""
        return super().is_there if self._is_written else not self._is_over

    def news(self) -> list[tuple[int, float, str, str]]:
        if not self._is_written and self._written.exists():
            self._go_over()
        rows = super().news()
        self._is_over = self._has_ended
        return rows

    def end(self, events: Iterable[Event]) -> None:
        """Add the last events of a job that was never funded."""
        if not self._is_written:
            self._connection.executemany(_INSERT, events)
            self._version, self._has_ended = -1, True

    def _go_over(self) -> None:
        self._connection.close()
        self._connection = sqlite3.connect(self._written, isolation_level=None)
        self._file, self._version, self._is_written = self._written, -1, True


class WaitingExecutions:
    """``reader`` tells of jobs; executions are kept below ``exec_dir``. ``may_see`` tells whether a
    user may see what another one has.
    """

    def __init__(
        self, reader: JobReader, exec_dir: Path, may_see: Callable[[str, str], bool]
    ) -> None:
        self._reader, self._exec_dir, self._may_see = reader, exec_dir, may_see

    async def connect(self, job_id: str, user: str) -> WaitingConnection | None:
        """The events of a job that was never funded, for a user who may see it; None for every
        other execution.
        """
        job = await self._reader.job(job_id)
        if job is None or not self._may_see(user, job.user) or not _has_no_execution(job):
            return None
        if await asyncio.to_thread(self.is_written, job):
            return None
        meta = await self._reader.launch_meta(job_id)
        connection = sqlite3.connect(":memory:", isolation_level=None, factory=WaitingConnection)
        connection.file = execution_file(self._exec_dir, job.user, job.id)
        connection.execute(CREATE)
        connection.executemany(_INSERT, [*past_events(job, meta), *_end_of(job)])
        return connection

    def is_written(self, job: Job) -> bool:
        """Whether there is, or was, a file of the job's execution."""
        file = execution_file(self._exec_dir, job.user, job.id)
        return file.exists() or file.with_name(f"{file.name}.archive").exists()

    async def life(self, job_id: str, execution: WaitingExecution) -> Life:
        """Whether more events may come; the last ones of a job that has ended are added."""
        job = await self._reader.job(job_id)
        if job is None or job.state.ended:
            execution.end(_end_of(job) if job else ())
            return "over"
        return "live"


def _has_no_execution(job: Job) -> bool:
    """Whether a job has yet to be funded, or ended before it was and nobody deleted it."""
    if job.payment is None or job.funded_at is not None:
        return False
    return job.state.unfunded or (job.state.ended and job.failure != REASON)


def _end_of(job: Job) -> list[Any]:
    return end_events(job) if job.state.ended else []
