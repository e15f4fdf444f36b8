"""What jobs that await their payment cost: memory of the supervisor, requests to the node."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import ray

from masumi_sumi.clock import SystemClock
from masumi_sumi.jobs.model import Job, JobState, Launch, Payment, PaymentOrder, PaymentState, Terms
from masumi_sumi.jobs.store import SqlJobStore
from masumi_sumi.payments.escrow import NodeEscrow
from masumi_sumi.settings import SANDBOX_TOKEN, Settings
from tests.bench.measured import AGENT
from tests.bench.table import Row

WATCH = 20.0
"""Seconds for which the waiting jobs are watched."""

SETTLE = 75.0
"""Seconds before that: the follower reads what changed in the last minute again and again, and
ten thousand payments made at once are a hundred pages of changes."""

LARGEST_JOB = 10_000
COUNTS = (1, 1_000, 10_000)
MOST_REQUESTS = 1.0
INPUT_HASH = "ab" * 32
SPEC = b"\0" * 2000
AT_ONCE = 16


async def _one(store: SqlJobStore, escrow: NodeEscrow, number: int, now: float) -> None:
    """A job as the supervisor keeps it once its payment is open at the node."""
    identifier = f"{number:026x}"
    pay_by, submit_by = now + 7200, now + 36_000
    order = PaymentOrder("Preprod", AGENT, identifier, INPUT_HASH, pay_by, submit_by)
    facts = await escrow.open(order)
    terms = Terms("Fixed", "Preprod", AGENT)
    payment = Payment("Preprod", PaymentState.AWAITING_FUNDS, facts)
    job = Job(
        id=f"{int(now):08x}{number:016x}",
        flow="/priced",
        identifier=identifier,
        input_hash=INPUT_HASH,
        terms=terms,
        user="bench",
        created_at=now,
        updated_at=now,
        state=JobState.AWAITING_PAYMENT,
        payment=payment,
    )
    await store.add(job, Launch(SPEC))
    await store.schedule_look(job.id, pay_by)


async def fill(settings: Settings, first: int, count: int) -> None:
    clock = SystemClock()
    store = await SqlJobStore.open(settings.database_url, clock)
    escrow = NodeEscrow(settings.nodes, clock)
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with gate:
            await _one(store, escrow, number, clock.now())

    try:
        await asyncio.gather(*(one(number) for number in range(first, first + count)))
    finally:
        await escrow.aclose()
        await store.aclose()


def measure(settings: Settings, sandbox: str, supervisor: Any) -> list[Row]:
    """Fill to 1, 1,000 and 10,000 waiting jobs and watch the real supervisor each time."""
    rows, memory, there = [], {}, 0
    for wanted in COUNTS:
        asyncio.run(fill(settings, there, wanted - there))
        there = wanted
        time.sleep(SETTLE)
        memory[wanted], rate = _watch(sandbox, supervisor)
        mib = memory[wanted] / 2**20
        rows.append(
            Row(
                f"{wanted:,} jobs await payment",
                f"supervisor {mib:.0f} MiB, {rate:.2f} node requests/s",
                f"at most {MOST_REQUESTS:.0f} request/s",
                rate <= MOST_REQUESTS,
            )
        )
    each = max(0.0, (memory[10_000] - memory[1]) / 9_999)
    disk = Path(settings.database_url.split("///", 1)[1]).stat().st_size / 10_000
    figure = f"{each / 1000:.2f} kB of memory, {disk / 1000:.1f} kB of disk"
    rows.append(Row("per waiting job", figure, "under 10 kB", each < LARGEST_JOB))
    return rows


def _watch(sandbox: str, supervisor: Any) -> tuple[int, float]:
    control = sandbox.removesuffix("/api/v1") + "/sandbox/requests"
    before = _total(control)
    time.sleep(WATCH)
    rate = (_total(control) - before) / WATCH
    return int(ray.get(supervisor.memory.remote())), rate


def _total(control: str) -> int:
    counted = httpx.get(control, headers={"token": SANDBOX_TOKEN}, timeout=10).json()
    counts = counted.get("requests", counted)
    return sum(number for name, number in counts.items() if "/sandbox" not in name)
