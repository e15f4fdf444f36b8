from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from agent_stand_in import URL, Dropped, Seller, Time, priced
from serve_stand_in import serving

from masumi_sumi.buyer import AgentClient, Buyer, Purchases, World
from masumi_sumi.clock import ManualClock
from masumi_sumi.payments.client import NodeClient
from masumi_sumi.sandbox import Sandbox
from masumi_sumi.settings import Settings


@pytest.fixture(scope="module")
def frozen() -> Iterator[Sandbox]:
    sandbox = Sandbox(frozen=True)
    yield sandbox
    sandbox.node.close()


@pytest.fixture
def sandbox(frozen: Sandbox) -> Sandbox:
    frozen.reset()
    return frozen


@pytest.fixture
def clock(sandbox: Sandbox) -> ManualClock:
    return ManualClock(sandbox.node.clock.now() / 1000)


@pytest.fixture
async def network(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=Dropped(sandbox.app), trust_env=False) as http:
        yield http


@pytest.fixture
def seller(sandbox: Sandbox, clock: ManualClock, network: httpx.AsyncClient) -> Seller:
    node = NodeClient("http://node.test/api/v1", sandbox.token, network, pauses=(0, 0))
    return Seller(node, clock, priced(sandbox))


@pytest.fixture
def node(sandbox: Sandbox, clock: ManualClock, network: httpx.AsyncClient) -> Purchases:
    sleep = Time(clock, sandbox).sleep
    url = "http://node.test/api/v1"
    return Purchases(url, sandbox.token, network, pauses=(0, 0), sleep=sleep)


@pytest.fixture
async def agent(seller: Seller) -> AsyncIterator[AgentClient]:
    transport = httpx.ASGITransport(seller.app)
    async with httpx.AsyncClient(transport=transport, trust_env=False) as http:
        yield AgentClient(URL, http)


@pytest.fixture
def buyer(
    agent: AgentClient, node: Purchases, clock: ManualClock, sandbox: Sandbox
) -> Callable[..., Buyer]:
    """``buyer(limits=..., ...)``: one whose time is the test's."""
    world = World(clock, Time(clock, sandbox).sleep)

    def make(**options: Any) -> Buyer:
        return Buyer(agent, options.pop("node", node), world=world, **options)

    return make


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Settings]]:
    """``running({prefix: app}, **settings)``: the settings of who looks at these apps."""
    monkeypatch.chdir(tmp_path)
    with ExitStack() as stack:

        def start(apps: dict[str, Any], **more: Any) -> Settings:
            port = stack.enter_context(serving(apps))
            return Settings(data_dir=tmp_path, serve_port=port, **{"nodes": {}, **more})

        yield start


@pytest.fixture
def an_app(sold_app: ModuleType, tmp_path: Path) -> Callable[..., Any]:
    """``an_app({flow: terms})``: the author's app with SumiMiddleware around it."""

    def make(flows: dict[str, Any]) -> Any:
        return sold_app.Shop(tmp_path, flows).middleware

    return make
