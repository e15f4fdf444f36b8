"""Several processes on one database, and what is left of one that was killed."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from samples import LAUNCH, a_job

from masumi_sumi.clock import ManualClock
from masumi_sumi.jobs.store import SqlJobReader, SqlJobStore

PROGRAM = Path(__file__).parents[2] / "stand_ins" / "other_process.py"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@asynccontextmanager
async def other_process(verb: str, url: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAM), verb, url, stdin=PIPE, stdout=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_what_a_killed_writer_acknowledged_is_there(url: str, clock: ManualClock) -> None:
    async with other_process("write", url) as process:
        acknowledged = [await _said(process) for _ in range(40)]
        process.kill()
        assert process.stdout is not None
        rest = (await process.stdout.read()).decode()
        acknowledged += rest[: rest.rfind("\n") + 1].splitlines()
    versions = {job_id: int(version) for job_id, version in map(str.split, acknowledged)}

    async with await SqlJobReader.open(url) as reader:  # first, while there is no writer at all
        read = {job_id: await reader.job(job_id) for job_id in versions}
    async with await SqlJobStore.open(url, clock) as store:
        assert await store.add(a_job(), LAUNCH)
        launches = [await store.launch(job_id) for job_id in versions]

    lost = {i: v for i, v in versions.items() if (job := read[i]) is None or job.version < v}
    assert lost == {}
    assert launches == [LAUNCH] * len(versions)


async def test_of_two_processes_that_save_one_version_one_succeeds(
    url: str, clock: ManualClock
) -> None:
    async with other_process("rival", url) as process, await SqlJobStore.open(url, clock) as store:
        jobs = [a_job() for _ in range(60)]
        await asyncio.gather(*(store.add(job, LAUNCH) for job in jobs))
        assert await _said(process) == "ready"
        await _tell(process, " ".join(job.id for job in jobs))
        assert await _said(process) == "read"

        await _tell(process, "go")
        ours = await asyncio.gather(*(store.save(job, job.with_(user="us")) for job in jobs))
        theirs = [word == "True" for word in (await _said(process)).split()]

        kept = [await store.job(job.id) for job in jobs]
    assert [mine != other for mine, other in zip(ours, theirs, strict=True)] == [True] * len(jobs)
    assert [(job.user, job.version) for job in kept if job] == [
        ("us" if mine else "rival", 1) for mine in ours
    ]


async def test_a_reader_elsewhere_sees_a_write_at_once(url: str, clock: ManualClock) -> None:
    async with other_process("read", url) as process:
        assert await _said(process) == "None"  # before there is a database
        async with await SqlJobStore.open(url, clock) as store:
            job = a_job()
            for version in range(10):
                if version == 0:
                    await store.add(job, LAUNCH)
                else:
                    await store.save(job.with_(version=version - 1), job)
                await _tell(process, job.id)
                assert await _said(process) == str(version)


async def _said(process: Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


async def _tell(process: Process, line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n".encode())
    await process.stdin.drain()
