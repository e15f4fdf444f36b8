"""A flood of logins waits nowhere, and leaves places for others."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse

from masumi_sumi.gateway.login_limit import LoginLimit


class Panel:
    """Stands for Kodosumi's app, whose logins take as long as the test wants."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.inside = self.most = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        if "login" in scope["path"]:
            await self.go_on.wait()
        self.inside -= 1
        await JSONResponse({})(scope, receive, send)


def ask(app: Any, path: str, address: str, method: str = "POST") -> asyncio.Task[int]:
    async def status() -> int:
        transport = httpx.ASGITransport(app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://panel") as client:
            return (await client.request(method, path)).status_code

    return asyncio.create_task(status())


@pytest.mark.parametrize(
    ("path", "method"), [("/login", "POST"), ("/login/", "POST"), ("/login", "GET"),
                         ("/api/login", "POST")]
)  # fmt: skip
async def test_a_flood_gets_429_and_the_panel_few(path: str, method: str) -> None:
    panel = Panel()
    app = LoginLimit(panel)
    flood = [ask(app, path, f"10.0.0.{number % 9}", method) for number in range(50)]
    done, _ = await asyncio.wait(flood, timeout=0.5)

    assert {task.result() for task in done} == {429}
    assert len(done) == 46
    assert await ask(app, "/flow", "10.0.0.1", "GET") == 200
    panel.go_on.set()
    assert sorted(await asyncio.gather(*flood)) == [200] * 4 + [429] * 46
    assert await ask(app, path, "10.0.0.1", method) == 200


async def test_one_address_leaves_places_to_others() -> None:
    panel = Panel()
    app = LoginLimit(panel)
    flood = [ask(app, "/login", "10.0.0.1") for _ in range(20)]
    await asyncio.wait(flood, timeout=0.3)
    operator = ask(app, "/login", "10.0.0.2")
    panel.go_on.set()

    assert await operator == 200
    assert (await asyncio.gather(*flood)).count(200) == 2
