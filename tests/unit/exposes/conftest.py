"""A book for each test; and Ray Serve as a stand-in for its REST API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from ray_stand_in import PanelStandIn, RayStandIn
from ready_made import ready_made

from masumi_sumi.clock import ManualClock
from masumi_sumi.exposes import Boot, ExposeBook, OpenApiFinder, Serve
from masumi_sumi.exposes.schema import HISTORY
from masumi_sumi.settings import Settings


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def book(url: str, clock: ManualClock) -> AsyncIterator[ExposeBook]:
    async with ExposeBook(await ready_made(url, HISTORY), clock) as book:
        yield book


@pytest.fixture
def ray(clock: ManualClock) -> RayStandIn:
    return RayStandIn(clock)


@pytest.fixture
def panel() -> PanelStandIn:
    return PanelStandIn()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    config = tmp_path / "serve_config.yaml"
    config.write_text("http_options: {host: 127.0.0.1, port: 8005}\nproxy_location: HeadOnly\n")
    return Settings(data_dir=tmp_path, serve_config=config, nodes={})


@pytest.fixture
async def serve(ray: RayStandIn, settings: Settings) -> AsyncIterator[Serve]:
    serve = Serve("http://dashboard:8265", settings, transport=ray.transport)
    yield serve
    await serve.aclose()


@pytest.fixture
async def boot(
    book: ExposeBook, serve: Serve, ray: RayStandIn, panel: PanelStandIn, clock: ManualClock
) -> AsyncIterator[Boot]:
    finder = OpenApiFinder(transport=ray.transport)
    boot = Boot(book, serve, finder, panel, clock, timeout=60.0, pause=ray.pause)
    yield boot
    await boot.aclose()
    await finder.aclose()
