"""One at a time, in any process; who follows may come and go."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from boot_steps import all_of, an_expose
from ray_stand_in import PanelStandIn, RayStandIn

from masumi_sumi.clock import ManualClock
from masumi_sumi.errors import BootRunning
from masumi_sumi.exposes import (
    Boot,
    BootStatus,
    ExposeBook,
    Outcome,
    Serve,
    event_json,
    events,
    status_json,
)


async def test_a_boot_while_one_runs_is_told_so_and_changes_nothing(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    await an_expose(book, "a")
    ray.gate = asyncio.Event()
    first = boot.boot()
    await anext(first)

    with pytest.raises(BootRunning, match="Boot is in progress already"):
        await anext(boot.boot())
    with pytest.raises(BootRunning):
        await anext(boot.boot(force=True))
    with pytest.raises(BootRunning):
        await anext(boot.refresh("a"))

    assert await boot.running()
    ray.gate.set()
    await all_of(first)
    assert not await boot.running()
    assert len(ray.puts) == 1


async def test_a_boot_goes_on_when_nobody_follows_and_others_see_all_of_it(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    await an_expose(book, "a")
    ray.gate = asyncio.Event()
    first: Any = boot.boot()
    begun = await anext(first)
    await first.aclose()

    following = boot.stream()
    assert await anext(following) == begun
    ray.gate.set()
    rest = await all_of(following)

    assert isinstance(rest[-1], events.Booted)
    assert await all_of(boot.stream()) == [begun, *rest]


async def test_nothing_ran_yet(boot: Boot) -> None:
    assert await all_of(boot.stream()) == []


async def test_a_dead_boot_is_taken_over_by_force_only(
    boot: Boot, book: ExposeBook, clock: ManualClock
) -> None:
    await book.turn.take("host:1:x", "Boot")
    clock.advance(31)

    with pytest.raises(BootRunning, match="no sign of life for 31 s: use force=true"):
        await anext(boot.boot())
    assert (await boot.status()).dead

    told = await all_of(boot.boot(force=True))

    assert isinstance(told[-1], events.Booted)
    assert not await book.turn.beat("host:1:x")


async def test_who_was_taken_over_stops(
    book: ExposeBook, serve: Serve, ray: RayStandIn, panel: PanelStandIn, clock: ManualClock
) -> None:
    from masumi_sumi.exposes import OpenApiFinder

    await an_expose(book, "a")
    ray.gate = asyncio.Event()
    finder = OpenApiFinder(transport=ray.transport)
    boot = Boot(book, serve, finder, panel, clock, pause=ray.pause, beat=0.01)
    stream = boot.boot()
    await anext(stream)
    before = await book.turn.status()
    while (await book.turn.status()).owner == before.owner:  # its beats may come between
        clock.advance(31)
        try:
            await book.turn.take("other:2:y", "Boot", force=True)
        except BootRunning:
            continue

    told = await all_of(stream)

    assert told[-1] == events.Failed("Boot", "another process has taken over")
    assert (await book.turn.status()).owner == "other:2:y"
    await finder.aclose()


async def test_an_interrupted_boot_gives_its_turn_back(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    await an_expose(book, "a")
    ray.gate = asyncio.Event()
    await anext(boot.boot())

    await boot.aclose()

    status = await boot.status()
    assert (status.running, status.dead) == (False, False)
    assert status.last is not None
    assert status.last.error == "it was interrupted"


def test_events_and_status_are_json() -> None:
    assert event_json(events.Settled("a", "RUNNING")) == {
        "event": "Settled",
        "name": "a",
        "state": "RUNNING",
    }
    last = Outcome("Boot", 1.0, 2.0, ("a",), ("b",))
    assert status_json(BootStatus(last=last))["last"] == {
        "what": "Boot",
        "at": 1.0,
        "seconds": 2.0,
        "running": ("a",),
        "failed": ("b",),
        "error": "",
    }
