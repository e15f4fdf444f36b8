"""What another process does with the store: ``python other_process.py VERB URL``.

It says on stdout, line by line, what was acknowledged to it, and is told on stdin when to go on.
"""

from __future__ import annotations

import asyncio
import sys

from samples import LAUNCH, a_job

from masumi_sumi.clock import SystemClock
from masumi_sumi.jobs.store import SqlJobReader, SqlJobStore


async def write(url: str) -> None:
    """Add and save until killed; a line for each acknowledged write."""
    async with await SqlJobStore.open(url, SystemClock()) as store:
        while True:
            job = a_job()
            if await store.add(job, LAUNCH):
                print(job.id, 0, flush=True)
            if await store.save(job, job.with_(attempts=1)):
                print(job.id, 1, flush=True)


async def rival(url: str) -> None:
    """Save the jobs whose ids come on a line, from version 0 and all at once."""
    async with await SqlJobStore.open(url, SystemClock()) as store:
        print("ready", flush=True)
        jobs = [await store.job(job_id) for job_id in sys.stdin.readline().split()]
        print("read", flush=True)
        sys.stdin.readline()
        saves = (store.save(job, job.with_(user="rival")) for job in jobs if job)
        print(*await asyncio.gather(*saves), flush=True)


async def read(url: str) -> None:
    """Say the version of every job asked for."""
    async with await SqlJobReader.open(url) as reader:
        print(await reader.job("nobody"), flush=True)
        for line in sys.stdin:
            job = await reader.job(line.strip())
            print(job and job.version, flush=True)


if __name__ == "__main__":
    asyncio.run({"write": write, "rival": rival, "read": read}[sys.argv[1]](sys.argv[2]))
