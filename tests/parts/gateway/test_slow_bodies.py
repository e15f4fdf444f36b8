"""Bodies that come slowly, for ever or too long, at a real server's socket."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse

from masumi_sumi.faces.body import BodyLimits
from masumi_sumi.gateway.access import Access
from masumi_sumi.gateway.cross_site import Origins
from masumi_sumi.gateway.request_checks import RequestChecks

LIMITS = BodyLimits(largest=10_000, seconds=0.5)
HEAD = "POST /role HTTP/1.1\r\nhost: panel\r\ncontent-type: application/json\r\n"
CHUNKED = f"{HEAD}transfer-encoding: chunked\r\n\r\n".encode()

LENGTHS: list[int] = []
"""Of the bodies that reached the panel."""


async def panel(scope: Any, receive: Any, send: Any) -> None:
    """Tell the length of the body that reached it."""
    body = await Request(scope, receive).body()
    LENGTHS.append(len(body))
    await JSONResponse({"length": len(body)})(scope, receive, send)


async def no_caller(request: Request) -> None:
    return None


@pytest.fixture
async def port() -> AsyncIterator[int]:
    checks: Any = RequestChecks(
        panel, Access(no_caller), Origins.of("http://panel", ""), LIMITS, 20_000
    )
    server = uvicorn.Server(uvicorn.Config(checks, log_level="critical", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0), backlog=128) as place:
        serving = asyncio.create_task(server.serve(sockets=[place]))
        yield place.getsockname()[1]
        server.should_exit = True
        await serving


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], Any]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    body = await reader.readexactly(int(headers["content-length"]))
    return int(head[0].split()[1]), headers, json.loads(body)


async def pour(writer: asyncio.StreamWriter, piece: bytes, pause: float) -> None:
    try:
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
    except ConnectionError:
        return


@pytest.mark.parametrize(
    ("head", "piece"),
    [(f"{HEAD}content-length: 9000\r\n\r\n".encode(), b" "), (CHUNKED, b"1\r\n \r\n")],
    ids=["content-length", "chunked"],
)
async def test_trickling_body_is_a_408_and_the_connection_ends(
    port: int, head: bytes, piece: bytes
) -> None:
    begun = time.monotonic()
    async with connected(port) as (reader, writer):
        writer.write(head)
        pouring = asyncio.create_task(pour(writer, piece, 0.05))
        status, headers, said = await read_answer(reader)
        took = time.monotonic() - begun
        rest = await asyncio.wait_for(reader.read(), 5)
        await pouring

    assert (status, headers["connection"], rest) == (408, "close", b"")
    assert "0.5 seconds" in said["detail"]
    assert took < 3


async def test_chunks_without_end_are_a_413(port: int) -> None:
    async with connected(port) as (reader, writer):
        writer.write(CHUNKED)
        pouring = asyncio.create_task(pour(writer, b"400\r\n" + b"x" * 1024 + b"\r\n", 0))
        status, headers, _ = await read_answer(reader)
        await asyncio.wait_for(pouring, 5)

    assert (status, headers["connection"]) == (413, "close")


async def test_body_longer_than_it_says_reaches_nobody_whole(port: int) -> None:
    async with connected(port) as (reader, writer):
        writer.write(f"{HEAD}content-length: 2\r\n\r\n".encode() + b"{}" + b"x" * 500 + b"\r\n\r\n")
        line = await reader.readline()

    assert line.split()[1] in (b"200", b"400")
    assert set(LENGTHS) <= {2}


async def test_many_trickling_bodies_keep_nobody_else_waiting(port: int) -> None:
    async with asyncio.TaskGroup() as group, asyncio.timeout(10):
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(50)]
        pouring = [group.create_task(pour(writer, b" ", 0.05)) for _, writer in slow]
        for _, writer in slow:
            writer.write(f"{HEAD}content-length: 9000\r\n\r\n".encode())
        begun = time.monotonic()
        async with connected(port) as (reader, writer):
            writer.write(f"{HEAD}content-length: 2\r\n\r\n{{}}".encode())
            status, _, _ = await read_answer(reader)
        took = time.monotonic() - begun
        told = [(await read_answer(reader))[0] for reader, _ in slow]
        for _, writer in slow:
            writer.close()
        for task in pouring:
            task.cancel()

    assert (status, told) == (200, [408] * 50)
    assert took < 0.5
