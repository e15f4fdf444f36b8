"""What is ours and what is the panel's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from counter import Counter, alive, panel

from masumi_sumi.errors import SettingInvalid
from masumi_sumi.gateway.app import Gateway


@pytest.mark.parametrize("path", ["/", "/login", "/outputs/stream/1", "/sumitomo", "/exposes"])
async def test_everything_else_goes_to_the_panel_as_it_came(counter: Counter, path: str) -> None:
    answer = await counter.client().post(path, content=b"as it came")
    assert answer.json() == {"panel": path, "method": "POST", "body": "as it came"}


async def test_a_slash_at_the_end_changes_nothing(counter: Counter) -> None:
    without = await counter.client("operator").get("/expose")
    with_slash = await counter.client("operator").get("/expose/")
    assert (without.status_code, without.json()) == (200, [])
    assert with_slash.json() == []


async def test_the_panel_has_its_lifespan_inside_of_ours() -> None:
    story: list[str] = []

    @asynccontextmanager
    async def routes() -> AsyncIterator[list[Any]]:
        story.append("opened")
        yield []
        story.append("closed")

    async def told(scope: Any, receive: Any, send: Any) -> None:
        await panel(scope, receive, send)
        story.append("panel ended")

    async with alive(Gateway(told, routes)) as said:
        story.extend(said)

    assert story == ["opened", "lifespan.startup.complete", "panel ended", "closed"]


async def test_a_wrong_setting_fails_the_startup() -> None:
    @asynccontextmanager
    async def routes() -> AsyncIterator[list[Any]]:
        raise SettingInvalid("SUMI_EXPOSE_DATABASE_URL", "x", "expected a database URL")
        yield []

    async with alive(Gateway(panel, routes)) as said:
        assert said == ["lifespan.startup.failed"]
