"""What tests of boots do again and again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from masumi_sumi.exposes import (
    Event,
    ExposeBook,
    draft_of,
    line,
)

AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ee" * 32
FOREIGN = {"name": "other", "route_prefix": "/other", "import_path": "x:y", "args": {"a": 1.0}}


async def an_expose(book: ExposeBook, name: str, **said: Any) -> None:
    body = {"name": name, "bootstrap": f"import_path: demo.{name.replace('-', '_')}:app", **said}
    await book.save(draft_of(body))


async def lines(stream: AsyncIterator[Event]) -> list[str]:
    return [line(event) async for event in stream]


async def all_of(stream: AsyncIterator[Event]) -> list[Event]:
    return [event async for event in stream]
