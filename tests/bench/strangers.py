"""Measure what paying buyers get while strangers load the app with what costs them nothing."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from masumi_sumi.cli.stack import Stack
from masumi_sumi.settings import SANDBOX_TOKEN
from tests.bench.table import Row

LOAD_SECONDS = 60.0
SETTLE_SECONDS = 180.0
"""How long paid jobs may take once the load has ended."""

SLOW_BODIES, UNPAID_STARTS, UNKNOWN_IDS = 70, 65, 65
STRANGER_ADDRESSES = 20
PAID_JOBS = 20
PAID_EVERY_SECONDS = LOAD_SECONDS / PAID_JOBS / 1.5

INPUT_BYTES = 60_000
MAX_AVAILABILITY_SECONDS = 2.0
MAX_DISK_MIB = 200.0

TIMES = ("payByTime", "submitResultTime", "unlockTime", "externalDisputeUnlockTime")


@dataclass
class Load:
    """Counts of what strangers got, and the seconds that availability took meanwhile."""

    until: float
    answers: Counter[str] = field(default_factory=Counter)
    availability_seconds: list[float] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self.until


def measure(stack: Stack) -> list[Row]:
    """Run 200 strangers for a minute beside 20 paying buyers of the same flow."""
    return asyncio.run(_measure(stack))


async def _measure(stack: Stack) -> list[Row]:
    flow = f"{stack.urls['measured'].rstrip('/')}/priced"
    before = _disk_bytes(stack.settings.data_dir)
    load = Load(time.monotonic() + LOAD_SECONDS)
    jobs = [
        *(_send_slow_bodies(load, flow, number) for number in range(SLOW_BODIES)),
        *(_start_unpaid(load, flow, number) for number in range(UNPAID_STARTS)),
        *(_ask_unknown(load, flow, number) for number in range(UNKNOWN_IDS)),
        _watch_availability(load, flow),
    ]
    paid = [_buy_one(flow, stack.urls["sandbox"], number) for number in range(PAID_JOBS)]
    results = await asyncio.gather(*jobs, *paid)
    seconds = sorted(each for each in results[len(jobs) :] if each is not None)
    grown = (_disk_bytes(stack.settings.data_dir) - before) / 2**20
    return _rows(load, seconds, grown)


def _rows(load: Load, paid_seconds: list[float], grown_mib: float) -> list[Row]:
    availability = sorted(load.availability_seconds)
    p99 = availability[int(len(availability) * 0.99)] if availability else float("inf")
    median = paid_seconds[len(paid_seconds) // 2] if paid_seconds else float("inf")
    answered = ", ".join(f"{count} x {name}" for name, count in sorted(load.answers.items()))
    total = SLOW_BODIES + UNPAID_STARTS + UNKNOWN_IDS
    return [
        Row(f"{total} strangers for {LOAD_SECONDS:.0f} s", answered),
        Row(
            "paid jobs completed beside strangers",
            f"{len(paid_seconds)} of {PAID_JOBS}, median {median:.0f} s from hire to result",
            "all",
            len(paid_seconds) == PAID_JOBS,
        ),
        Row(
            f"availability beside strangers, p99 of {len(availability)}",
            f"{p99:.2f} s",
            f"under {MAX_AVAILABILITY_SECONDS:.0f} s",
            p99 < MAX_AVAILABILITY_SECONDS,
        ),
        Row(
            "disk growth beside strangers",
            f"{grown_mib:.0f} MiB",
            f"under {MAX_DISK_MIB:.0f} MiB",
            grown_mib < MAX_DISK_MIB,
        ),
    ]


# --- strangers -------------------------------------------------------------------------------


def _address(number: int) -> str:
    """Return a loopback address of its own for each group of strangers."""
    return f"127.0.1.{1 + number % STRANGER_ADDRESSES}"


def _client(number: int) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(local_address=_address(number))
    return httpx.AsyncClient(transport=transport, timeout=60.0)


async def _send_slow_bodies(load: Load, flow: str, number: int) -> None:
    """Announce a body, send a byte of it each half second, begin again when refused."""
    url = urlsplit(flow)
    head = (
        f"POST {url.path}/start_job HTTP/1.1\r\nhost: {url.netloc}\r\n"
        "content-type: application/json\r\ncontent-length: 500000\r\n\r\n"
    ).encode()
    while not load.is_over:
        try:
            reader, writer = await asyncio.open_connection(
                url.hostname, url.port, local_addr=(_address(number), 0)
            )
        except OSError:
            load.answers["slow body: no connection"] += 1
            await asyncio.sleep(1.0)
            continue
        try:
            load.answers[f"slow body: {await _trickle(load, reader, writer, head)}"] += 1
        finally:
            writer.close()


async def _trickle(
    load: Load, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes
) -> str:
    """Return the status code of the answer, or why there is none."""
    answer = asyncio.create_task(reader.readline())
    try:
        writer.write(head)
        while not load.is_over and not answer.done():
            writer.write(b"{")
            await writer.drain()
            await asyncio.wait({answer}, timeout=0.5)
        if not answer.done():
            return "still open"
        words = (await answer).split()
        return words[1].decode() if len(words) > 1 else "closed"
    except OSError:
        return "closed"
    finally:
        answer.cancel()


async def _start_unpaid(load: Load, flow: str, number: int) -> None:
    async def start(client: httpx.AsyncClient) -> str:
        body = {
            "identifier_from_purchaser": secrets.token_hex(13),
            "input_data": {"text": "x" * INPUT_BYTES},
        }
        return str((await client.post(f"{flow}/start_job", json=body)).status_code)

    await _repeat(load, "unpaid start", number, start)


async def _ask_unknown(load: Load, flow: str, number: int) -> None:
    async def ask(client: httpx.AsyncClient) -> str:
        job_id = f"{int(time.time()):08x}{secrets.token_hex(8)}"
        answer = await client.get(f"{flow}/status", params={"job_id": job_id})
        return str(answer.status_code)

    await _repeat(load, "unknown id", number, ask)


async def _repeat(
    load: Load, what: str, number: int, ask: Callable[[httpx.AsyncClient], Awaitable[str]]
) -> None:
    async with _client(number) as client:
        while not load.is_over:
            try:
                load.answers[f"{what}: {await ask(client)}"] += 1
            except httpx.HTTPError as error:
                load.answers[f"{what}: {type(error).__name__}"] += 1
                await asyncio.sleep(0.2)


async def _watch_availability(load: Load, flow: str) -> None:
    async with httpx.AsyncClient(timeout=60.0) as client:
        while not load.is_over:
            began = time.monotonic()
            answer = await client.get(f"{flow}/availability")
            load.availability_seconds.append(time.monotonic() - began)
            if answer.status_code != 200:
                load.answers[f"availability: {answer.status_code}"] += 1
            await asyncio.sleep(0.1)


# --- paying buyers ---------------------------------------------------------------------------


async def _buy_one(flow: str, node: str, number: int) -> float | None:
    """Hire, pay and wait. Return the seconds that it took, None when the job did not complete."""
    await asyncio.sleep(number * PAID_EVERY_SECONDS)
    began = time.monotonic()
    end = began + LOAD_SECONDS + SETTLE_SECONDS
    async with httpx.AsyncClient(timeout=60.0) as client:
        identifier = secrets.token_hex(13)
        started = await _hire(client, flow, identifier, end)
        if started is None or not await _pay(client, node, identifier, started, end):
            return None
        completed = await _is_completed(client, flow, str(started["job_id"]), end)
    return time.monotonic() - began if completed else None


async def _hire(
    client: httpx.AsyncClient, flow: str, identifier: str, end: float
) -> dict[str, Any] | None:
    """Start a job; wait as Retry-After says while the seller is busy."""
    body = {"identifier_from_purchaser": identifier, "input_data": {"text": "paid"}}
    while time.monotonic() < end:
        try:
            answer = await client.post(f"{flow}/start_job", json=body)
        except httpx.HTTPError:
            await asyncio.sleep(1.0)
            continue
        if answer.status_code == 200:
            started: dict[str, Any] = answer.json()
            return started
        await asyncio.sleep(float(answer.headers.get("retry-after", "1")))
    return None


async def _pay(
    client: httpx.AsyncClient, node: str, identifier: str, started: dict[str, Any], end: float
) -> bool:
    purchase = {
        "identifierFromPurchaser": identifier,
        "network": started["network"],
        "sellerVkey": started["sellerVKey"],
        "blockchainIdentifier": started["blockchainIdentifier"],
        "agentIdentifier": started["agentIdentifier"],
        "inputHash": started["input_hash"],
        **{name: str(started[name]) for name in TIMES},
    }
    while time.monotonic() < end:
        try:
            answer = await client.post(
                f"{node}/purchase", json=purchase, headers={"token": SANDBOX_TOKEN}
            )
        except httpx.HTTPError:
            await asyncio.sleep(1.0)
            continue
        return answer.status_code in (200, 409)
    return False


async def _is_completed(client: httpx.AsyncClient, flow: str, job_id: str, end: float) -> bool:
    while time.monotonic() < end:
        try:
            answer = await client.get(f"{flow}/status", params={"job_id": job_id})
        except httpx.HTTPError:
            await asyncio.sleep(1.0)
            continue
        status = answer.json().get("status") if answer.status_code == 200 else ""
        if status in ("completed", "failed"):
            return bool(status == "completed")
        await asyncio.sleep(2.0)
    return False


def _disk_bytes(folder: Path) -> int:
    """Return the bytes that files occupy on disk."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_blocks * 512
        except FileNotFoundError:  # a runner may be leaving
            continue
    return total
