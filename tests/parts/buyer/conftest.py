from __future__ import annotations

import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
import uvicorn
from agent_stand_in import FREE, URL, Dropped, Script, Seller, Time, priced
from serve_stand_in import serving
from typer.testing import CliRunner, Result

from masumi_sumi.buyer import AgentClient, Buyer, Purchases, World
from masumi_sumi.cli.commands import app
from masumi_sumi.cli.ports import free_ports
from masumi_sumi.clock import ManualClock, SystemClock
from masumi_sumi.payments.client import NodeClient
from masumi_sumi.sandbox import Sandbox
from masumi_sumi.settings import Settings

Buy = Callable[..., Result]


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


@pytest.fixture(scope="module")
def live_node() -> Iterator[Sandbox]:
    with Sandbox(block_seconds=0.05) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def served(live_node: Sandbox) -> Iterator[tuple[Seller, str]]:
    """The seller and its address; one for all tests, since a server takes its time to start."""
    client = NodeClient(live_node.url, live_node.token)
    seller = Seller(client, SystemClock(), FREE)
    [port] = free_ports(1)
    config = uvicorn.Config(seller.app, port=port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield seller, f"http://127.0.0.1:{port}/flow"
    server.should_exit = True
    thread.join(5)


@pytest.fixture
def live_sandbox(live_node: Sandbox) -> Sandbox:
    """One that serves, with a time of its own."""
    live_node.reset()
    return live_node


@pytest.fixture
def live_seller(served: tuple[Seller, str], live_sandbox: Sandbox) -> Seller:
    """Registered where it is served."""
    seller, url = served
    seller.terms, seller.script = priced(live_sandbox, url=url), Script()
    seller.signs_with(None)
    for kept in (seller.alters, seller.before, seller.jobs, seller.open, seller.answers):
        kept.clear()
    return seller


@pytest.fixture
def run(live_sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Buy:
    """``run("buy", ..., typed="...")`` with the sandbox as the node of Preprod."""
    monkeypatch.chdir(tmp_path)
    nodes = {"Preprod": {"url": live_sandbox.url, "token": live_sandbox.token}}
    monkeypatch.setenv("SUMI_NODES", json.dumps(nodes))

    def run(*words: str, typed: str = "") -> Result:
        return CliRunner().invoke(app, [*words], input=typed, env={"COLUMNS": "200"})

    return run


@pytest.fixture
def buy(run: Buy, live_seller: Seller, served: tuple[Seller, str]) -> Buy:
    """``buy("--yes", ...)`` from the seller."""
    _, url = served
    return lambda *words, **options: run("buy", url, *words, **options)


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
