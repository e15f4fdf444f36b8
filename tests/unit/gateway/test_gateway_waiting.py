"""Executions of jobs that wait for their payment: in memory, then over to the file."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from samples import LAUNCH, a_job, a_payment

from masumi_sumi.clock import ManualClock
from masumi_sumi.gateway.executions import Item, Wanted, follow
from masumi_sumi.gateway.outputs import REASON
from masumi_sumi.gateway.waiting import WaitingExecution, WaitingExecutions
from masumi_sumi.jobs.model import Job, JobState, Payment
from masumi_sumi.runtime.journal import ExecutionJournal

WAITING = a_job(state=JobState.AWAITING_PAYMENT, payment=a_payment(), user="buyer")
META = {"fid": WAITING.id, "summary": "A flow"}


def written_below(folder: Path) -> list[Path]:
    return list(folder.glob("*/*/sqlite3.db"))


class OneJob:
    """A reader of one job."""

    def __init__(self, job: Job) -> None:
        self.held = job

    async def job(self, job_id: str) -> Job | None:
        return self.held if job_id == self.held.id else None

    async def locks(self, job_id: str) -> list[Any]:
        return []

    async def launch_meta(self, job_id: str) -> dict[str, Any]:
        return META


class Watch:
    """A stream of a waiting job; ``pause`` is what happens while it sleeps."""

    def __init__(self, folder: Path, job: Job = WAITING) -> None:
        self.clock = ManualClock(job.created_at + 1)
        self.reader = OneJob(job)
        self.executions = WaitingExecutions(self.reader, folder, str.__eq__)
        self.journal = ExecutionJournal(folder, self.clock)
        self.acts: dict[int, Any] = {}
        self.naps = 0

    async def pause(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.naps += 1
        if (act := self.acts.pop(self.naps, None)) is not None:
            await act()

    async def stream(self) -> AsyncIterator[Item]:
        connection = await self.executions.connect(self.reader.held.id, "buyer")
        assert connection is not None
        execution = WaitingExecution(connection)

        async def life() -> Any:
            return await self.executions.life(self.reader.held.id, execution)

        async for item in follow(execution, Wanted(), life, self.clock.now, self.pause):
            if item["event"] != "alive":
                yield item


async def test_waiting_job_shows_its_payment_and_leaves_no_file(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    connection = await watch.executions.connect(WAITING.id, "buyer")
    assert connection is not None

    rows = connection.execute("SELECT kind, message FROM monitor ORDER BY id").fetchall()

    assert [row[0] for row in rows] == ["status", "meta", "payment", "status"]
    assert json.loads(rows[1][1])["dict"] == META
    payment = json.loads(rows[2][1])["dict"]
    assert payment["step"] == "initialized"
    assert payment["blockchainIdentifier"] == (WAITING.payment or Payment("")).blockchain_identifier
    assert not written_below(tmp_path)


async def test_stream_goes_over_to_the_written_execution_without_a_repeat(tmp_path: Path) -> None:
    watch = Watch(tmp_path)

    async def fund() -> None:
        funded = WAITING.with_(state=JobState.QUEUED, funded_at=watch.clock.now())
        await watch.journal.opened(funded, replace(LAUNCH, meta=META))
        await watch.journal.payment(funded, "funds_locked")
        watch.reader.held = funded

    async def finish() -> None:
        await watch.journal.status(watch.reader.held, "finished")

    watch.acts = {40: fund, 80: finish}

    items = [item async for item in watch.stream()]

    assert [item["event"] for item in items] == [
        *("status", "meta", "payment", "status"),
        *("payment", "status", "eof"),
    ]
    assert [item["id"] for item in items[:-1]] == [1, 2, 3, 4, 5, 6]


async def test_stream_of_a_job_that_nobody_paid_for_ends_with_the_reason(tmp_path: Path) -> None:
    watch = Watch(tmp_path)

    async def expire() -> None:
        watch.reader.held = WAITING.with_(state=JobState.FAILED, failure="no funds", ended_at=5.0)

    watch.acts = {40: expire}

    items = [item async for item in watch.stream()]

    assert [item["event"] for item in items][4:] == ["error", "status", "eof"]
    assert "no funds" in items[4]["data"]
    assert not written_below(tmp_path)


@pytest.mark.parametrize(
    "job",
    [
        WAITING.with_(user="somebody else"),
        WAITING.with_(state=JobState.FAILED, failure=REASON),
        WAITING.with_(state=JobState.QUEUED, funded_at=1.0),
        WAITING.with_(state=JobState.FAILED, funded_at=1.0),
        a_job(state=JobState.FAILED, payment=None, user="buyer"),
    ],
)
async def test_only_the_users_own_unfunded_job_has_a_waiting_execution(
    tmp_path: Path, job: Job
) -> None:
    watch = Watch(tmp_path, job)
    assert await watch.executions.connect(job.id, "buyer") is None


async def test_execution_on_disk_or_archived_is_the_panels(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    await watch.journal.opened(WAITING, LAUNCH)
    [file] = written_below(tmp_path)
    assert await watch.executions.connect(WAITING.id, "buyer") is None

    file.rename(file.with_name("sqlite3.db.archive"))

    assert await watch.executions.connect(WAITING.id, "buyer") is None
